//! One message over a session: what is awaited, what was answered, and what that means.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use posthaste_transport::{Fate, Outcome, Refusal, Reply, Security, SendError};
use tokio::sync::oneshot;

use super::budget::{Budget, Step};
use super::connection::{Connection, refused};
use super::job::Job;
use super::pool::{Errand, Turn};
use super::queue_id::queue_id;
use super::split::Room;
use crate::error::{Failed, NAME, SmtpError};
use crate::protocol::WireReply;

/// A message on its way over a connection.
pub(super) struct Transaction {
    pub(super) job: Arc<Job>,
    pub(super) budget: Budget,
    /// What the server has still to answer.
    pub(super) awaited: VecDeque<Step>,
    pub(super) progress: Progress,
    /// How far the connection must have taken octets for the server to have the end of the message. Before the end was
    /// written it is nowhere.
    pub(super) end: Option<u64>,
    /// Whether the message goes by BDAT.
    pub(super) chunked: bool,
    /// Whether it went out behind another one whose replies had not come.
    pub(super) behind: bool,
    /// Whether it was the first message on its connection.
    pub(super) first: bool,
    /// How the connection is protected, once there is one.
    pub(super) security: Option<Security>,
    interest: Interest,
    waiter: WhoWaits,
}

/// Who waits for what becomes of a message.
pub(super) enum WhoWaits {
    /// Who drives the connection.
    Driver,
    /// Another task.
    Other(oneshot::Sender<Turn>),
}

/// What the server has answered so far.
#[derive(Default)]
pub(super) struct Progress {
    /// One for each recipient named so far; `None` is accepted.
    refusals: Vec<Option<Refusal>>,
    mail_refused: Option<WireReply>,
    data: Option<WireReply>,
    chunk_refused: Option<WireReply>,
    /// The replies to the end of the message: one, or with LMTP one for each recipient that was accepted.
    finals: Vec<WireReply>,
}

/// What became of a message over one connection.
pub(super) type Ended = Result<Outcome, Setback>;

/// A send that did not end well, and what is left of its connection.
pub(super) struct Setback {
    pub(super) error: SendError,
    /// Whether the connection can serve the next message.
    pub(super) keep: bool,
    /// Whether the message can safely go over a fresh connection, which may do better.
    pub(super) try_fresh: bool,
    /// What the server has room for, if the message has too many recipients and nothing was sent.
    pub(super) room: Option<Room>,
}

impl Setback {
    pub(super) fn new(error: SendError, keep: bool, try_fresh: bool) -> Self {
        Self {
            error,
            keep,
            try_fresh,
            room: None,
        }
    }
}

impl From<SendError> for Setback {
    fn from(error: SendError) -> Self {
        Self::new(error, false, false)
    }
}

/// Whether somebody still waits for what becomes of a message whose end was not sent yet. Who gives up first is right: the
/// one who waits, or the one who sends.
#[derive(Clone, Default)]
pub(super) struct Interest(Arc<AtomicU8>);

impl Interest {
    const WAITS: u8 = 0;
    const SENT: u8 = 1;
    const GONE: u8 = 2;

    /// Says that the end of the message is going to be sent. Whether it may.
    fn send(&self) -> bool {
        self.change(Self::SENT)
    }

    /// Says that nobody waits any more. Whether the message is certainly not sent.
    pub(super) fn give_up(&self) -> bool {
        self.change(Self::GONE)
    }

    fn change(&self, to: u8) -> bool {
        let changed = self
            .0
            .compare_exchange(Self::WAITS, to, Ordering::AcqRel, Ordering::Acquire);
        changed.is_ok_and(|_| true) || changed == Err(to)
    }
}

impl Transaction {
    /// Begins what `errand` asks for; `waiter` is told what became of it.
    pub(super) fn errand(errand: Errand, waiter: WhoWaits) -> Box<Self> {
        let Errand { job, budget, interest } = errand;
        Box::new(Self {
            job,
            budget,
            awaited: VecDeque::new(),
            progress: Progress::default(),
            end: None,
            chunked: false,
            behind: false,
            first: false,
            security: None,
            interest,
            waiter,
        })
    }

    /// Says that the end of the message is going to be sent. Whether it may: nobody may have waited for so long.
    pub(super) fn may_send(&self) -> bool {
        self.interest.send()
    }

    /// Waits until nobody waits for what becomes of it.
    pub(super) async fn abandoned(&mut self) {
        match &mut self.waiter {
            WhoWaits::Driver => std::future::pending().await,
            WhoWaits::Other(waiter) => waiter.closed().await,
        }
    }

    /// Whether it is the message of who drives the connection.
    pub(super) fn is_of_driver(&self) -> bool {
        matches!(self.waiter, WhoWaits::Driver)
    }

    /// Lets another task wait for it.
    pub(super) fn hand_to(&mut self, waiter: oneshot::Sender<Turn>) {
        self.waiter = WhoWaits::Other(waiter);
    }

    /// Says what became of it to the other task that waits, or returns it for who drives the connection.
    pub(super) fn finish(self: Box<Self>, ended: Ended) -> Option<Ended> {
        match self.waiter {
            WhoWaits::Driver => Some(ended),
            WhoWaits::Other(waiter) => {
                let _ = waiter.send(Turn::Sent(Box::new(ended)));
                None
            }
        }
    }

    /// Notes the answer to `step`.
    pub(super) fn take(&mut self, step: Step, reply: WireReply, connection: &mut Connection) -> Result<(), Failed> {
        let progress = &mut self.progress;
        match step {
            Step::Rset if reply.is_positive() => {
                connection.dirty = false;
                connection.wire.recycle(reply);
            }
            Step::Mail if reply.is_positive() => {
                connection.dirty = true;
                connection.wire.recycle(reply);
            }
            Step::Mail if reply.code() >= 400 => progress.mail_refused = Some(reply),
            Step::Rcpt if reply.is_positive() => {
                progress.refusals.push(None);
                connection.wire.recycle(reply);
            }
            Step::Rcpt if reply.code() >= 400 => {
                let refusal = Refusal::from_reply(Reply::from(&reply));
                progress.refusals.push(Some(refusal));
            }
            Step::Data => progress.data = Some(reply),
            Step::Chunk if reply.is_positive() => {}
            Step::Chunk if reply.code() >= 400 => {
                progress.chunk_refused.get_or_insert(reply);
            }
            Step::End => {
                if reply.is_positive() {
                    connection.dirty = false;
                }
                progress.finals.push(reply);
            }
            _ => return Err(refused(step, &reply)),
        }
        Ok(())
    }

    /// Says what became of it when the server refused before any of the message was sent, if it did; or that it waits for the
    /// message.
    pub(super) fn gate(&self, connection: &Connection) -> Result<(), Box<Ended>> {
        let progress = &self.progress;
        if let Some(reply) = &progress.mail_refused {
            return Err(Box::new(Err(Setback {
                // A server that refused the sender and yet waits for a message is not told a word more.
                keep: !progress.data_is_awaited(),
                ..self.sender_refused(reply)
            })));
        }
        if progress.accepted() == 0 {
            // If DATA went out with the recipients and the server waits for a message to nobody, it does not get one, not
            // even an empty one.
            let outcome = self.outcome(&Fate::Accepted);
            return Err(Box::new(settle(outcome, !progress.data_is_awaited())));
        }
        match &progress.data {
            None if self.chunked => Ok(()),
            Some(data) if data.code() == 354 => Ok(()),
            Some(data) if data.code() >= 400 => Err(Box::new(Err(self.all_refused(Step::Data, data)))),
            other => {
                let code = other.as_ref().map_or(0, WireReply::code);
                let failed = Step::Data.failed(SmtpError::Unexpected(code));
                Err(Box::new(Err(before_content(failed, connection))))
            }
        }
    }

    /// Whether the server has refused a part of the message already.
    pub(super) fn chunk_refused(&self) -> Option<&WireReply> {
        self.progress.chunk_refused.as_ref()
    }

    /// How many replies the end of the message will have.
    pub(super) fn expected_finals(&self) -> usize {
        match self.job.is_lmtp() {
            true => self.progress.accepted(),
            false => 1,
        }
    }

    /// Says what became of it now that everything was answered.
    pub(super) fn decide(&self) -> Ended {
        let progress = &self.progress;
        let Some(first) = progress.finals.first() else {
            return Err(self.unknown(Step::End.failed(SmtpError::Closed)));
        };
        let odd = progress.finals.iter().find(|reply| reply.is_intermediate());
        // A server that refuses the sender or every recipient, or a part, and then takes the message: nobody can say what it means.
        let hopeless = progress.mail_refused.is_some() || progress.accepted() == 0 || progress.chunk_refused.is_some();
        if let Some(odd) = odd.or(hopeless.then_some(first).filter(|first| first.is_positive())) {
            return Err(self.unknown(Step::End.failed(SmtpError::Unexpected(odd.code()))));
        }
        if let Some(certain) = self.certainly_refused() {
            return certain;
        }
        if self.job.is_lmtp() {
            let deciding = progress
                .finals
                .iter()
                .find(|reply| reply.is_positive())
                .unwrap_or(first);
            let closing = progress.finals.iter().any(WireReply::is_closing);
            let outcome = self.outcome(&Fate::Unknown).with_reply(Reply::from(deciding));
            return settle(with_id(outcome, deciding), !closing);
        }
        if first.is_positive() {
            let outcome = self.outcome(&Fate::Accepted).with_reply(Reply::from(first));
            return settle(with_id(outcome, first), true);
        }
        Err(self.all_refused(Step::End, first))
    }

    /// What became of it, if that is certain without a reply to its end: nobody was accepted.
    fn certainly_refused(&self) -> Option<Ended> {
        let progress = &self.progress;
        if let Some(reply) = &progress.mail_refused {
            return Some(Err(self.sender_refused(reply)));
        }
        let all_answered = progress.refusals.len() == self.job.mail.envelope().recipients().len();
        if all_answered && progress.accepted() == 0 {
            return Some(settle(self.outcome(&Fate::Accepted), true));
        }
        let refused = progress.chunk_refused.as_ref();
        refused.map(|reply| Err(self.all_refused(Step::Content, reply)))
    }

    /// Says what became of it when the connection is lost. `end_may_have_left` if the server may have the whole message; if
    /// not, another connection may do better.
    pub(super) fn lost(&self, failed: Failed, end_may_have_left: bool) -> Ended {
        match self.certainly_refused() {
            Some(Err(setback)) => Err(Setback { keep: false, ..setback }),
            Some(ended) => ended,
            None if end_may_have_left => Err(self.unknown(failed)),
            None => {
                let try_fresh = self.behind || (!self.first && failed.is_connection_lost());
                Err(Setback::new(failed.not_accepted(), false, try_fresh))
            }
        }
    }

    /// Makes the outcome, every accepted recipient having the fate `undecided`, unless it has a reply of its own.
    fn outcome(&self, undecided: &Fate) -> Outcome {
        let mut refusals = self.progress.refusals.iter();
        let own = match self.job.is_lmtp() {
            true => self.progress.finals.as_slice(),
            false => &[],
        };
        let mut own = own.iter();
        self.secured(Outcome::decide(&self.job.mail, |_| match refusals.next() {
            Some(Some(refusal)) => Fate::Refused(refusal.clone()),
            _ => match own.next() {
                Some(reply) if reply.is_positive() => Fate::Accepted,
                Some(reply) if reply.code() >= 400 => Fate::Refused(Refusal::from_reply(Reply::from(reply))),
                Some(_) => Fate::Unknown,
                None => undecided.clone(),
            },
        }))
    }

    /// Notes how the connection was protected.
    fn secured(&self, outcome: Outcome) -> Outcome {
        match &self.security {
            Some(security) => outcome.with_security(security.clone()),
            None => outcome,
        }
    }

    fn sender_refused(&self, reply: &WireReply) -> Setback {
        let shared = Reply::from(reply);
        let refusal = Refusal::from_reply(shared.clone());
        let outcome = self.secured(Outcome::decide(&self.job.mail, |_| Fate::Refused(refusal.clone())));
        let error = SendError::from_reply(shared)
            .with_transport(NAME)
            .with_detail(Step::Mail.during())
            .with_outcome(outcome);
        Setback::new(error, !reply.is_closing(), self.behind && reply.code() == 503)
    }

    /// One reply refuses the message for everybody who was not refused before.
    pub(super) fn all_refused(&self, step: Step, reply: &WireReply) -> Setback {
        let shared = Reply::from(reply);
        let outcome = self.outcome(&Fate::Refused(Refusal::from_reply(shared.clone())));
        let error = SendError::from_reply(shared)
            .with_transport(NAME)
            .with_detail(step.during())
            .with_outcome(outcome);
        Setback::new(error, !reply.is_closing(), false)
    }

    /// The end of the message may have arrived, and no answer says what became of it.
    fn unknown(&self, failed: Failed) -> Setback {
        let error = SendError::from_outcome(failed.kind(), self.outcome(&Fate::Unknown));
        let error = failed.describe(error);
        Setback::new(error, false, false)
    }
}

impl Progress {
    fn accepted(&self) -> usize {
        self.refusals.iter().filter(|refusal| refusal.is_none()).count()
    }

    /// Whether no recipient that was named so far was accepted, or the sender was not.
    pub(super) fn is_hopeless(&self) -> bool {
        self.mail_refused.is_some() || self.accepted() == 0
    }

    pub(super) fn is_sender_refused(&self) -> bool {
        self.mail_refused.is_some()
    }

    fn data_is_awaited(&self) -> bool {
        self.data.as_ref().is_some_and(|data| data.code() < 400)
    }
}

/// Turns an outcome into what the send returns.
fn settle(outcome: Outcome, keep: bool) -> Ended {
    outcome.settle(NAME).map_err(|error| Setback::new(error, keep, false))
}

fn with_id(outcome: Outcome, reply: &WireReply) -> Outcome {
    match queue_id(reply) {
        Some(id) => outcome.with_provider_id(id),
        None => outcome,
    }
}

/// A failure before any of the message was sent: it reached nobody. If the connection had been used before and is gone, a fresh
/// one may do better.
pub(super) fn before_content(failed: Failed, connection: &Connection) -> Setback {
    let try_fresh = connection.reused && failed.is_connection_lost();
    Setback::new(failed.not_accepted(), false, try_fresh)
}

/// Why nothing more is sent of a message that nobody waits for.
pub(super) fn given_up(keep: bool) -> Setback {
    Setback::new(Step::Wait.failed(SmtpError::Timeout).not_accepted(), keep, false)
}

/// The outcome of which nobody can tell whether the message was accepted: `job` was sent by somebody else, who had no time
/// to say more.
pub(super) fn not_heard_of(job: &Job, error: SmtpError) -> SendError {
    let failed = Step::End.failed(error);
    let outcome = Outcome::decide(&job.mail, |_| Fate::Unknown);
    let error = SendError::from_outcome(failed.kind(), outcome);
    failed.describe(error)
}
