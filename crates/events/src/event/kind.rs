//! What happened to a message.

use std::fmt;

use crate::bounce::Permanence;

/// What happened to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// The provider took it and will send it.
    Queued,
    /// The provider sent it on its way.
    Sent,
    /// The receiving server took it.
    Delivered,
    /// It is late, and still tried.
    Deferred,
    /// The receiving server refused it, or nobody took it.
    Bounced(Permanence),
    /// The provider did not send it.
    Rejected,
    /// A template could not be filled.
    RenderingFailed,
    /// Something else went wrong at the provider.
    Failed,
    /// A recipient complained of it.
    Complained,
    /// It was opened, or a program fetched its pictures.
    Opened {
        /// Whether a program did, where the provider says.
        by_machine: Option<bool>,
    },
    /// A link was followed.
    Clicked,
    /// The recipient wants no more.
    Unsubscribed,
    /// The recipient wants mail, perhaps again.
    Subscribed,
    /// A program answered for the recipient.
    AutoResponded,
    /// A message came in.
    Inbound,
    /// Something that this crate has no word for; [`provider_kind`](super::Event::provider_kind) has the provider's.
    Unknown,
}

impl EventKind {
    /// Returns it in a word, for logs and databases: `bounced`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Deferred => "deferred",
            Self::Bounced(_) => "bounced",
            Self::Rejected => "rejected",
            Self::RenderingFailed => "rendering_failed",
            Self::Failed => "failed",
            Self::Complained => "complained",
            Self::Opened { .. } => "opened",
            Self::Clicked => "clicked",
            Self::Unsubscribed => "unsubscribed",
            Self::Subscribed => "subscribed",
            Self::AutoResponded => "autoresponded",
            Self::Inbound => "inbound",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
