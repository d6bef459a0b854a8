//! Bounces in Amazon SES's words.

use super::{Permanence, Reason};

/// The `bounceType` and `bounceSubType` that SES gives a bounce.
///
/// # Examples
///
/// ```
/// use posthaste_events::bounce::{Permanence, Reason, SesBounce};
///
/// let bounce = SesBounce::new(Reason::NoMailbox, Permanence::Hard);
/// assert_eq!((bounce.bounce_type(), bounce.bounce_sub_type()), ("Permanent", "NoEmail"));
///
/// let bounce = SesBounce::read("Transient", "MailboxFull").expect("SES has such a type");
/// assert_eq!((bounce.permanence(), bounce.reason()), (Permanence::Soft, Reason::MailboxFull));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SesBounce {
    /// `Permanent`, `General`.
    PermanentGeneral,
    /// `Permanent`, `NoEmail`: the address does not exist.
    PermanentNoEmail,
    /// `Permanent`, `Suppressed`: the address is on the list of all of SES, and nothing was sent.
    PermanentSuppressed,
    /// `Permanent`, `OnAccountSuppressionList`: the address is on the list of the account, and nothing was sent.
    PermanentOnAccountSuppressionList,
    /// `Permanent`, `OnTenantSuppressionList`: the address is on the list of the tenant, and nothing was sent.
    PermanentOnTenantSuppressionList,
    /// `Permanent`, `EmailValidationSuppressed`: SES thinks that the address is not good enough, and nothing was sent.
    PermanentEmailValidationSuppressed,
    /// `Permanent`, `UnsubscribedRecipient`: the contact wants no mail of the list or topic, and nothing was sent.
    PermanentUnsubscribedRecipient,
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
    /// `Transient`, `CustomTimeoutExceeded`: it was tried for as long as the sender wanted.
    TransientCustomTimeoutExceeded,
    /// `Undetermined`, `Undetermined`.
    Undetermined,
}

/// Every bounce with its two words.
const WORDS: [(SesBounce, &str, &str); 14] = [
    (SesBounce::PermanentGeneral, "Permanent", "General"),
    (SesBounce::PermanentNoEmail, "Permanent", "NoEmail"),
    (SesBounce::PermanentSuppressed, "Permanent", "Suppressed"),
    (
        SesBounce::PermanentOnAccountSuppressionList,
        "Permanent",
        "OnAccountSuppressionList",
    ),
    (
        SesBounce::PermanentOnTenantSuppressionList,
        "Permanent",
        "OnTenantSuppressionList",
    ),
    (
        SesBounce::PermanentEmailValidationSuppressed,
        "Permanent",
        "EmailValidationSuppressed",
    ),
    (
        SesBounce::PermanentUnsubscribedRecipient,
        "Permanent",
        "UnsubscribedRecipient",
    ),
    (SesBounce::TransientGeneral, "Transient", "General"),
    (SesBounce::TransientMailboxFull, "Transient", "MailboxFull"),
    (SesBounce::TransientMessageTooLarge, "Transient", "MessageTooLarge"),
    (SesBounce::TransientContentRejected, "Transient", "ContentRejected"),
    (
        SesBounce::TransientAttachmentRejected,
        "Transient",
        "AttachmentRejected",
    ),
    (
        SesBounce::TransientCustomTimeoutExceeded,
        "Transient",
        "CustomTimeoutExceeded",
    ),
    (SesBounce::Undetermined, "Undetermined", "Undetermined"),
];

impl SesBounce {
    /// Says a reason as SES would. `permanence` may differ from that of the reason, as for a domain that was not found for now.
    ///
    /// SES does not publish its table. This one follows what it says of its types: `Permanent` is what puts an address on its
    /// suppression list.
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

    /// Reads the words of SES, or of a provider that says the same. A sub type that is not known is taken for `General`; `None` for a
    /// type that is not known.
    #[must_use]
    pub fn read(bounce_type: &str, bounce_sub_type: &str) -> Option<Self> {
        let is = |(_, of, sub): &&(Self, &str, &str)| *of == bounce_type && *sub == bounce_sub_type;
        if let Some((bounce, ..)) = WORDS.iter().find(is) {
            return Some(*bounce);
        }
        match bounce_type {
            "Permanent" => Some(Self::PermanentGeneral),
            "Transient" => Some(Self::TransientGeneral),
            "Undetermined" => Some(Self::Undetermined),
            _ => None,
        }
    }

    /// Returns `Permanent`, `Transient` or `Undetermined`.
    #[must_use]
    pub fn bounce_type(self) -> &'static str {
        self.words().0
    }

    /// Returns `General`, `NoEmail` and so on.
    #[must_use]
    pub fn bounce_sub_type(self) -> &'static str {
        self.words().1
    }

    fn words(self) -> (&'static str, &'static str) {
        let own = WORDS.iter().find(|(bounce, ..)| *bounce == self);
        own.map_or(("Undetermined", "Undetermined"), |(_, of, sub)| (*of, *sub))
    }

    /// Returns whether the address may be used again: what SES calls `Permanent` is hard.
    #[must_use]
    pub fn permanence(self) -> Permanence {
        match self.bounce_type() {
            "Permanent" => Permanence::Hard,
            "Transient" => Permanence::Soft,
            _ => Permanence::Undetermined,
        }
    }

    /// Returns why, as far as the words tell; [`Reason::Unknown`] if they do not.
    #[must_use]
    pub fn reason(self) -> Reason {
        match self {
            Self::PermanentNoEmail => Reason::NoMailbox,
            Self::TransientMailboxFull => Reason::MailboxFull,
            Self::TransientMessageTooLarge => Reason::TooLarge,
            Self::TransientContentRejected | Self::TransientAttachmentRejected => Reason::Content,
            Self::TransientCustomTimeoutExceeded => Reason::Expired,
            _ => Reason::Unknown,
        }
    }

    /// Tells whether SES sent nothing, because of what it knew of the address before.
    #[must_use]
    pub fn is_suppressed(self) -> bool {
        matches!(
            self,
            Self::PermanentSuppressed
                | Self::PermanentOnAccountSuppressionList
                | Self::PermanentOnTenantSuppressionList
                | Self::PermanentEmailValidationSuppressed
                | Self::PermanentUnsubscribedRecipient
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        for (bounce, of, sub) in WORDS {
            assert_eq!((bounce.bounce_type(), bounce.bounce_sub_type()), (of, sub));
            assert_eq!(SesBounce::read(of, sub), Some(bounce));
        }
        assert_eq!(SesBounce::read("Transient", "New"), Some(SesBounce::TransientGeneral));
        assert_eq!(SesBounce::read("transient", "General"), None);
    }

    #[test]
    fn what_is_said_of_a_reason_says_it() {
        for reason in [
            Reason::NoMailbox,
            Reason::MailboxFull,
            Reason::TooLarge,
            Reason::Content,
            Reason::Unknown,
        ] {
            let bounce = SesBounce::new(reason, reason.permanence());
            assert_eq!((bounce.reason(), bounce.permanence()), (reason, reason.permanence()));
        }
    }
}
