//! How long a step may take: its own deadline, and that of the whole send.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::task::unconstrained;
use tokio::time::{Instant, sleep_until};

use crate::config::{Phase, Timeouts};
use crate::error::{Failed, SmtpError};

/// A step of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Wait,
    Lookup,
    Policy,
    Connect,
    Tls,
    Greeting,
    Ehlo,
    StartTls,
    Auth,
    Rset,
    Mail,
    Rcpt,
    Data,
    Chunk,
    Content,
    Read,
    End,
}

impl Step {
    /// Says what is being done, after "while".
    pub(super) fn during(self) -> &'static str {
        match self {
            Self::Wait => "waiting for the connection",
            Self::Lookup => "looking for a server",
            Self::Policy => "asking the policy for TLS",
            Self::Connect => "connecting",
            Self::Tls => "starting TLS",
            Self::Greeting => "waiting for the greeting",
            Self::Ehlo => "sending EHLO",
            Self::StartTls => "sending STARTTLS",
            Self::Auth => "logging in",
            Self::Rset => "resetting the session",
            Self::Mail => "naming the sender",
            Self::Rcpt => "naming a recipient",
            Self::Data => "sending DATA",
            Self::Chunk | Self::Content => "sending the message",
            Self::Read => "reading the message",
            Self::End => "waiting for the reply to the message",
        }
    }

    /// Makes a failure of this step.
    pub(super) fn failed(self, error: SmtpError) -> Failed {
        Failed {
            during: self.during(),
            error,
        }
    }

    fn phase(self) -> Option<Phase> {
        match self {
            Self::Wait => None,
            Self::Lookup | Self::Connect => Some(Phase::Connect),
            Self::Policy | Self::Tls => Some(Phase::Tls),
            Self::Greeting => Some(Phase::Greeting),
            Self::Ehlo | Self::StartTls | Self::Auth | Self::Rset => Some(Phase::Command),
            Self::Mail => Some(Phase::Mail),
            Self::Rcpt => Some(Phase::Rcpt),
            Self::Data => Some(Phase::Data),
            // A server waits no longer for octets that come late from a disk than for others.
            Self::Chunk | Self::Content | Self::Read => Some(Phase::Block),
            Self::End => Some(Phase::End),
        }
    }
}

/// Until when something may take, if that is bounded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(pub(super) Option<Instant>);

/// The time that a send has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    timeouts: Timeouts,
    end: Option<Instant>,
}

impl Budget {
    pub(super) fn new(timeouts: Timeouts, whole: Option<Duration>) -> Self {
        Self {
            timeouts,
            end: whole.and_then(|whole| Instant::now().checked_add(whole)),
        }
    }

    /// The same without the deadline of the whole send.
    pub(super) fn without_end(self) -> Self {
        Self { end: None, ..self }
    }

    /// Whether the time of the whole send is up.
    pub(super) fn is_over(&self) -> bool {
        self.end.is_some_and(|end| end <= Instant::now())
    }

    /// Says until when `step` may take if it begins now: until its own deadline or that of the send, whichever comes first.
    pub(super) fn deadline(&self, step: Step) -> Deadline {
        let own = step
            .phase()
            .and_then(|phase| Instant::now().checked_add(self.timeouts.get(phase)));
        Deadline(own.into_iter().chain(self.end).min())
    }

    /// Runs `work` until the deadline of `step`. Most work is done at once, and then nobody looks at a clock.
    pub(super) async fn run<T>(&self, step: Step, work: impl Future<Output = T>) -> Result<T, Failed> {
        let (mut work, mut timer, mut deadline) = (pin!(work), pin!(None), None);
        poll_fn(|context| {
            if let Poll::Ready(done) = work.as_mut().poll(context) {
                return Poll::Ready(Ok(done));
            }
            if timer.is_none()
                && let Some(end) = deadline.get_or_insert_with(|| self.deadline(step)).0
            {
                // A task that has used up its turn is not to miss its deadline.
                timer.set(Some(unconstrained(sleep_until(end))));
            }
            match timer.as_mut().as_pin_mut() {
                Some(timer) => timer.poll(context).map(|()| Err(step.failed(SmtpError::Timeout))),
                None => Poll::Pending,
            }
        })
        .await
    }
}
