//! One sentence that is true of every transport, and what it takes to check it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use posthaste_transport::{Feature, Outbound, Outcome, SendError, SendOptions, Transport, TransportInfo};

use crate::{Answer, Received, Subject};

/// One sentence that is true of every transport, and what it takes to check it.
#[derive(Clone, Copy)]
pub struct Case {
    name: &'static str,
    needs: &'static [Need],
    run: fn(Stage) -> Running,
}

pub(crate) type Running = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;

impl Case {
    pub(crate) const fn new(name: &'static str, needs: &'static [Need], run: fn(Stage) -> Running) -> Self {
        Self { name, needs, run }
    }

    /// Returns the sentence, with underscores for spaces.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns what the case needs of a subject; it is skipped where that is missing.
    #[must_use]
    pub const fn needs(&self) -> &'static [Need] {
        self.needs
    }

    /// Returns the first need that `subject` does not meet.
    pub(crate) fn missing(&self, subject: &dyn Subject, info: &TransportInfo) -> Option<Need> {
        self.needs.iter().copied().find(|need| !need.is_met(subject, info))
    }

    pub(crate) fn run(&self, stage: Stage) -> Running {
        (self.run)(stage)
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case")
            .field("name", &self.name)
            .field("needs", &self.needs)
            .finish_non_exhaustive()
    }
}

/// What a case needs of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Need {
    /// The transport has the feature.
    Has(Feature),
    /// The transport does not have the feature.
    Lacks(Feature),
    /// The transport limits the number of recipients, to at most so many.
    LimitsRecipients(u32),
    /// The transport limits the size of a message, to at most so many bytes.
    LimitsSize(u64),
    /// The transport takes messages of so many bytes.
    Carries(u64),
    /// The peer can be told to answer so.
    Peer(Answer),
}

impl Need {
    fn is_met(self, subject: &dyn Subject, info: &TransportInfo) -> bool {
        let capabilities = info.capabilities();
        match self {
            Self::Has(feature) => capabilities.supports(feature),
            Self::Lacks(feature) => !capabilities.supports(feature),
            Self::LimitsRecipients(most) => capabilities.max_recipients().is_some_and(|limit| limit <= most),
            Self::LimitsSize(most) => capabilities.max_message_size().is_some_and(|limit| limit <= most),
            Self::Carries(size) => capabilities.max_message_size().is_none_or(|limit| limit >= size),
            Self::Peer(answer) => subject.can(answer),
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Has(feature) => write!(f, "the transport does not have {feature}"),
            Self::Lacks(feature) => write!(f, "the transport has {feature}"),
            Self::LimitsRecipients(most) => write!(f, "the transport has no limit of {most} recipients or fewer"),
            Self::LimitsSize(most) => write!(f, "the transport has no message size limit of {most} bytes or fewer"),
            Self::Carries(size) => write!(f, "the transport takes no message of {size} bytes"),
            Self::Peer(answer) => write!(f, "the peer cannot be told to {answer:?}"),
        }
    }
}

/// Says why a case failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Failure(pub(crate) String);

/// Fails the case with a sentence, unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($sentence:tt)+) => {
        if !$condition {
            return Err($crate::case::Failure(format!($($sentence)+)));
        }
    };
}
pub(crate) use ensure;

/// A subject, with what cases do with it.
pub(crate) struct Stage {
    subject: Arc<dyn Subject>,
    transport: Arc<dyn Transport>,
}

impl Stage {
    pub(crate) fn new(subject: Arc<dyn Subject>) -> Self {
        let transport = subject.transport();
        Self { subject, transport }
    }

    pub(crate) fn info(&self) -> TransportInfo {
        self.transport.info()
    }

    pub(crate) fn transport(&self) -> Arc<dyn Transport> {
        Arc::clone(&self.transport)
    }

    pub(crate) fn can(&self, answer: Answer) -> bool {
        self.subject.can(answer)
    }

    pub(crate) fn answer(&self, answer: Answer) {
        self.subject.answer(answer);
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.subject.received()
    }

    /// Returns the one message that the peer must have taken.
    pub(crate) fn received_one(&self) -> Result<Received, Failure> {
        let mut received = self.received();
        ensure!(
            received.len() == 1,
            "the peer should have taken one message, and took {}",
            received.len()
        );
        received
            .pop()
            .ok_or_else(|| Failure("the peer took no message".to_owned()))
    }

    pub(crate) async fn send(&self, mail: &Outbound) -> Result<Outcome, SendError> {
        self.send_with(mail, &SendOptions::default()).await
    }

    pub(crate) async fn send_with(&self, mail: &Outbound, options: &SendOptions) -> Result<Outcome, SendError> {
        self.transport.send(mail, options).await
    }

    /// Sends, and insists on a failure.
    pub(crate) async fn fail(&self, mail: &Outbound, options: &SendOptions) -> Result<SendError, Failure> {
        match self.send_with(mail, options).await {
            Ok(outcome) => Err(Failure(format!("the send should have failed, and was {outcome:?}"))),
            Err(error) => Ok(error),
        }
    }

    /// Sends, and insists on success for every recipient.
    pub(crate) async fn deliver(&self, mail: &Outbound, options: &SendOptions) -> Result<(), Failure> {
        let outcome = self.succeed(mail, options).await?;
        ensure!(
            outcome.is_complete(),
            "every recipient should have been accepted: {outcome:?}"
        );
        Ok(())
    }

    /// Sends, and insists on success.
    pub(crate) async fn succeed(&self, mail: &Outbound, options: &SendOptions) -> Result<Outcome, Failure> {
        self.send_with(mail, options).await.map_err(|error| failed(&error))
    }
}

/// Says how a send failed, sources included.
pub(crate) fn failed(error: &SendError) -> Failure {
    let mut text = format!("the send should have worked, and failed: {error}");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    Failure(text)
}
