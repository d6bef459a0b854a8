//! Why a message came back.

use std::fmt;

use posthaste_transport::EnhancedStatus;

use super::{Codes, Phase};

/// Why a message was not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// There is no such mailbox.
    NoMailbox,
    /// There is no such domain.
    NoDomain,
    /// The recipient is elsewhere now, and mail is not forwarded.
    Moved,
    /// The domain or host takes no mail at all (RFC 7504, 7505).
    NoMail,
    /// The mailbox is there and takes no mail now: locked, closed, not paid for.
    Disabled,
    /// The mailbox is full.
    MailboxFull,
    /// The recipient or a rule of theirs did not want this message, or so it seems: the address may well be right.
    Filtered,
    /// The message is larger than is taken.
    TooLarge,
    /// The content was taken for unwanted mail.
    Spam,
    /// The content was taken for malware.
    Virus,
    /// The content breaks a rule: a forbidden attachment, a header that is wrong.
    Content,
    /// The message breaks a standard in a way that the receiver does not take.
    Malformed,
    /// The sending host is on a list, or not wanted.
    Blocked,
    /// The sending host or domain has a bad name.
    Reputation,
    /// The sending host has no name, or one that does not lead back to it.
    NoReverseName,
    /// SPF, DKIM or DMARC failed.
    Authentication,
    /// The sender's address or domain was refused.
    SenderRefused,
    /// A rule of the receiver, which it does not name.
    Policy,
    /// The server does not relay to that domain.
    RelayDenied,
    /// Too much at once: connections, messages, recipients.
    RateLimited,
    /// Encryption was asked for and failed.
    Tls,
    /// It was tried for as long as it may be.
    Expired,
    /// The other side could not be reached, or its name not be looked up.
    Network,
    /// The receiver's system is broken, or busy.
    System,
    /// A program that should have taken the message failed.
    Program,
    /// A command was not understood.
    Protocol,
    /// Nothing that was said tells.
    Unknown,
}

/// Whether an address may be used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Permanence {
    /// Mail to the address does not arrive today nor tomorrow: stop writing to it.
    Hard,
    /// The address may be right: this message did not arrive, the next one may.
    Soft,
    /// What came back does not tell.
    Undetermined,
}

impl Reason {
    /// Finds the reason in what a server said.
    ///
    /// The words decide before the codes do: `5.1.1` stands before anything in practice, "quota exceeded" means what it says.
    /// `said` should be what the last server said, the codes included.
    ///
    /// # Examples
    ///
    /// ```
    /// use posthaste_events::bounce::{Phase, Reason};
    ///
    /// assert_eq!(Reason::find("550 5.1.1 <bob@example.net>: Recipient address rejected: Over quota", Phase::Unknown), Reason::MailboxFull);
    /// assert_eq!(Reason::find("550 5.1.1 RCPT refused", Phase::Recipient), Reason::NoMailbox);
    /// ```
    #[must_use]
    pub fn find(said: &str, phase: Phase) -> Self {
        super::judge(&[said], Codes::find(said), phase)
    }

    /// Returns what the codes mean, without any words.
    pub(crate) fn of_codes(codes: Codes, phase: Phase) -> Self {
        match codes.status().map_or(Self::Unknown, Self::of_status) {
            Self::Unknown => codes.reply().map_or(Self::Unknown, |code| Self::of_reply(code, phase)),
            reason => reason,
        }
    }

    /// Returns what an enhanced status means (RFC 3463, and the registry that it began).
    #[must_use]
    pub fn of_status(status: EnhancedStatus) -> Self {
        match (status.subject(), status.detail()) {
            (1, 1 | 3 | 4 | 351) => Self::NoMailbox,
            (1, 2) => Self::NoDomain,
            (1, 6) => Self::Moved,
            (1, 7..=9) => Self::SenderRefused,
            (1, 10) | (3, 2) | (7, 27) => Self::NoMail,
            (2, 1) | (7, 13) => Self::Disabled,
            (2, 2) => Self::MailboxFull,
            (2, 3) | (3, 4) => Self::TooLarge,
            (2, 4) | (3, 0 | 1 | 3 | 5) | (4, 0 | 3 | 5 | 6) => Self::System,
            (4, 4) if status.class() == 5 => Self::NoDomain,
            (4, 1 | 2 | 4) => Self::Network,
            (4, 7) => Self::Expired,
            (5, 3) => Self::RateLimited,
            (5, 1..) => Self::Protocol,
            (6, _) => Self::Content,
            (7, 20..=24 | 26 | 28..=30 | 509 | 515) => Self::Authentication,
            (7, 25) => Self::NoReverseName,
            (7, 500..=508 | 510..=514 | 516..=699) => Self::Blocked,
            (7, 10 | 11) => Self::Tls,
            (7, _) => Self::Policy,
            _ => Self::Unknown,
        }
    }

    /// Returns what a reply code means where nothing else is said (RFC 5321 §4.2).
    fn of_reply(code: u16, phase: Phase) -> Self {
        match (code, phase) {
            (421 | 451 | 471 | 431 | 432, _) => Self::System,
            (521 | 556, _) => Self::NoMail,
            // Of no standard: what Symantec's filters say of addresses that are not registered with them.
            (542, _) => Self::NoMailbox,
            (525, _) => Self::Disabled,
            (523, _) => Self::TooLarge,
            (422 | 552, _) => Self::MailboxFull,
            (550 | 551 | 553, Phase::Recipient) => Self::NoMailbox,
            (500..=504, _) => Self::Protocol,
            (_, Phase::Sender) => Self::SenderRefused,
            (_, Phase::Connect) => Self::Blocked,
            (_, Phase::Content) => Self::Filtered,
            _ => Self::Unknown,
        }
    }

    /// Says whether an address that gave this reason may be used again.
    #[must_use]
    pub fn permanence(self) -> Permanence {
        match self {
            Self::NoMailbox | Self::NoDomain | Self::Moved | Self::NoMail => Permanence::Hard,
            Self::Unknown => Permanence::Undetermined,
            _ => Permanence::Soft,
        }
    }

    /// Returns the reason in a word, for logs and databases: `no_mailbox`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoMailbox => "no_mailbox",
            Self::NoDomain => "no_domain",
            Self::Moved => "moved",
            Self::NoMail => "no_mail",
            Self::Disabled => "disabled",
            Self::MailboxFull => "mailbox_full",
            Self::Filtered => "filtered",
            Self::TooLarge => "too_large",
            Self::Spam => "spam",
            Self::Virus => "virus",
            Self::Content => "content",
            Self::Malformed => "malformed",
            Self::Blocked => "blocked",
            Self::Reputation => "reputation",
            Self::NoReverseName => "no_reverse_name",
            Self::Authentication => "authentication",
            Self::SenderRefused => "sender_refused",
            Self::Policy => "policy",
            Self::RelayDenied => "relay_denied",
            Self::RateLimited => "rate_limited",
            Self::Tls => "tls",
            Self::Expired => "expired",
            Self::Network => "network",
            Self::System => "system",
            Self::Program => "program",
            Self::Protocol => "protocol",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Permanence {
    /// Returns it in a word: `hard`, `soft`, `undetermined`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hard => "hard",
            Self::Soft => "soft",
            Self::Undetermined => "undetermined",
        }
    }
}
