//! Why a provider does not send.

use std::fmt;

/// Why a provider did not send a message, or will not send to the address again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rejection {
    /// The address is none.
    Invalid,
    /// Mail to the address bounced, this time or before.
    Bounced,
    /// It was tried for as long as it may be.
    TimedOut,
    /// The provider or the receiver blocks it.
    Blocked,
    /// The recipient complained, this time or before.
    Spam,
    /// The recipient wants no more mail.
    Unsubscribed,
    /// The account may send no more for now.
    Quota,
    /// A rule of the provider.
    Policy,
    /// The content is not taken.
    Content,
    /// Something else.
    Other,
}

impl Rejection {
    /// Returns it in a word, for logs and databases: `timed_out`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Bounced => "bounced",
            Self::TimedOut => "timed_out",
            Self::Blocked => "blocked",
            Self::Spam => "spam",
            Self::Unsubscribed => "unsubscribed",
            Self::Quota => "quota",
            Self::Policy => "policy",
            Self::Content => "content",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
