//! A transport under test, and the peer that it talks to.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use posthaste_transport::Transport;

/// A transport under test and the peer it talks to. Each case gets a new one.
///
/// It is made inside a tokio runtime with time and I/O.
pub trait Subject: Send + Sync + 'static {
    /// Returns the transport. Every call returns the same one.
    fn transport(&self) -> Arc<dyn Transport>;

    /// Says whether the peer can be told to answer so. A case that needs an answer that it cannot is skipped, and says so.
    fn can(&self, answer: Answer) -> bool;

    /// Tells the peer how to answer from now on, until it is told otherwise. It begins with [`Answer::Accept`].
    fn answer(&self, answer: Answer);

    /// Returns what the peer took, oldest first: every message of which it has the last byte and that it did not refuse,
    /// whether or not its answer arrived.
    fn received(&self) -> Vec<Received>;
}

/// How a peer answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// Accept every recipient and the message.
    Accept,
    /// Refuse the recipient with that local part, accept the others and the message.
    RefuseOne {
        /// The local part.
        local_part: &'static str,
        /// Whether for good.
        permanent: bool,
    },
    /// Refuse every recipient.
    RefuseAll {
        /// Whether for good.
        permanent: bool,
    },
    /// Accept the recipients, and refuse the message when it is complete.
    RefuseMessage {
        /// Whether for good.
        permanent: bool,
    },
    /// Say that sends come too fast, before taking anything.
    Throttle {
        /// How long to wait, if the protocol can say that.
        retry_after: Option<Duration>,
    },
    /// Stop answering before the message is complete.
    Hang,
    /// Take the whole message, and never answer.
    HangAfterMessage,
    /// Close the connection before taking anything.
    HangUpAtOnce,
    /// Close the connection in the middle of the message, before the final dot.
    HangUpInMessage,
    /// Take the whole message, final dot included, and close the connection instead of answering.
    HangUpAfterMessage,
    /// Refuse the recipient with that local part for good, take the message for the others, and close the connection
    /// instead of answering.
    RefuseOneAndHangUp {
        /// The local part.
        local_part: &'static str,
    },
    /// Answer with bytes that are not the protocol, before taking anything.
    Garbage,
    /// Take the whole message, and answer it with bytes that are not the protocol.
    GarbageAfterMessage,
}

impl Answer {
    /// Every answer that means that nothing was accepted.
    pub(crate) const FAILURES: &'static [Self] = &[
        Self::RefuseAll { permanent: true },
        Self::RefuseAll { permanent: false },
        Self::RefuseMessage { permanent: true },
        Self::RefuseMessage { permanent: false },
        Self::Throttle { retry_after: None },
        Self::Hang,
        Self::HangUpAtOnce,
        Self::HangUpInMessage,
        Self::Garbage,
    ];

    /// Every answer that leaves it open whether the message was accepted.
    pub(crate) const LOSSES: &'static [Self] = &[
        Self::HangAfterMessage,
        Self::HangUpAfterMessage,
        Self::RefuseOneAndHangUp { local_part: "bob" },
        Self::GarbageAfterMessage,
    ];
}

/// One message that a peer took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    mail_from: Option<String>,
    recipients: Vec<String>,
    bytes: Bytes,
}

impl Received {
    /// Takes the envelope sender (`None` if it was `<>`), the recipients that were accepted, and the bytes of the message.
    pub fn new(
        mail_from: Option<String>,
        recipients: impl IntoIterator<Item = impl Into<String>>,
        bytes: impl Into<Bytes>,
    ) -> Self {
        Self {
            mail_from,
            recipients: recipients.into_iter().map(Into::into).collect(),
            bytes: bytes.into(),
        }
    }

    /// Returns the envelope sender; `None` if it was `<>`.
    #[must_use]
    pub fn mail_from(&self) -> Option<&str> {
        self.mail_from.as_deref()
    }

    /// Returns the recipients that were accepted.
    #[must_use]
    pub fn recipients(&self) -> &[String] {
        &self.recipients
    }

    /// Returns the bytes of the message, without what the protocol adds.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}
