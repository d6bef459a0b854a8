//! Bounces in Amazon SES's words.

use super::{Permanence, Reason};

/// The `bounceType` and `bounceSubType` that SES gives a bounce.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SesBounce {
    /// `Permanent`, `General`.
    PermanentGeneral,
    /// `Permanent`, `NoEmail`: the address does not exist.
    PermanentNoEmail,
    /// `Transient`, `General`.
    TransientGeneral,
    /// `Transient`, `MailboxFull`.
    TransientMailboxFull,
    /// `Transient`, `MessageTooLarge`.
    TransientMessageTooLarge,
    /// `Transient`, `ContentRejected`.
    TransientContentRejected,
    /// `Transient`, `AttachmentRejected`.
    TransientAttachmentRejected,
    /// `Undetermined`, `Undetermined`.
    Undetermined,
}

impl SesBounce {
    /// Says a reason as SES would. `permanence` may differ from that of the reason, as for a domain that was not found for now.
    ///
    /// SES does not publish its table. This one follows what it says of its types: `Permanent` is what puts an address on its
    /// suppression list.
    ///
    /// # Examples
    ///
    /// ```
    /// use posthaste_events::bounce::{Permanence, Reason, SesBounce};
    ///
    /// let bounce = SesBounce::new(Reason::NoMailbox, Permanence::Hard);
    /// assert_eq!((bounce.bounce_type(), bounce.bounce_sub_type()), ("Permanent", "NoEmail"));
    /// ```
    #[must_use]
    pub fn new(reason: Reason, permanence: Permanence) -> Self {
        match (permanence, reason) {
            (Permanence::Undetermined, _) => Self::Undetermined,
            (Permanence::Hard, Reason::NoMailbox) => Self::PermanentNoEmail,
            (Permanence::Hard, _) => Self::PermanentGeneral,
            (Permanence::Soft, Reason::MailboxFull) => Self::TransientMailboxFull,
            (Permanence::Soft, Reason::TooLarge) => Self::TransientMessageTooLarge,
            (Permanence::Soft, Reason::Virus) => Self::TransientAttachmentRejected,
            (Permanence::Soft, Reason::Spam | Reason::Content | Reason::Malformed) => Self::TransientContentRejected,
            (Permanence::Soft, _) => Self::TransientGeneral,
        }
    }

    /// Returns `Permanent`, `Transient` or `Undetermined`.
    #[must_use]
    pub fn bounce_type(self) -> &'static str {
        match self {
            Self::PermanentGeneral | Self::PermanentNoEmail => "Permanent",
            Self::Undetermined => "Undetermined",
            _ => "Transient",
        }
    }

    /// Returns `General`, `NoEmail` and so on.
    #[must_use]
    pub fn bounce_sub_type(self) -> &'static str {
        match self {
            Self::PermanentGeneral | Self::TransientGeneral => "General",
            Self::PermanentNoEmail => "NoEmail",
            Self::TransientMailboxFull => "MailboxFull",
            Self::TransientMessageTooLarge => "MessageTooLarge",
            Self::TransientContentRejected => "ContentRejected",
            Self::TransientAttachmentRejected => "AttachmentRejected",
            Self::Undetermined => "Undetermined",
        }
    }
}
