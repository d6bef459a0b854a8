//! Why an address is on the list.

use std::fmt;
use std::str::FromStr;

/// Says why an address must not be written to.
///
/// Read with `FromStr` without regard to case, so the `BOUNCE` and `COMPLAINT` of Amazon SES are understood; the words that
/// other providers have for the same are too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Mail to it came back for good.
    Bounce,
    /// Its owner called a message spam.
    Complaint,
    /// It cannot be an address of anybody: refused before a message was sent.
    Invalid,
    /// Somebody decided so.
    Manual,
    /// Its owner asked for no more.
    Unsubscribe,
}

impl Reason {
    /// Every reason, in the order of their words.
    pub const ALL: [Self; 5] = [
        Self::Bounce,
        Self::Complaint,
        Self::Invalid,
        Self::Manual,
        Self::Unsubscribe,
    ];

    /// Returns the word for it, in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bounce => "bounce",
            Self::Complaint => "complaint",
            Self::Invalid => "invalid",
            Self::Manual => "manual",
            Self::Unsubscribe => "unsubscribe",
        }
    }

    /// How much it weighs where there are several: what people said before what machines found.
    pub(crate) const fn weight(self) -> u8 {
        match self {
            Self::Complaint => 4,
            Self::Unsubscribe => 3,
            Self::Manual => 2,
            Self::Bounce => 1,
            Self::Invalid => 0,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Reason {
    type Err = UnknownReason;

    fn from_str(text: &str) -> Result<Self, UnknownReason> {
        const WORDS: [(&str, Reason); 17] = [
            ("bounce", Reason::Bounce),
            ("bounced", Reason::Bounce),
            ("hard_bounce", Reason::Bounce),
            ("hardbounce", Reason::Bounce),
            ("complaint", Reason::Complaint),
            ("spam", Reason::Complaint),
            ("spam_complaint", Reason::Complaint),
            ("spamcomplaint", Reason::Complaint),
            ("spam_report", Reason::Complaint),
            ("invalid", Reason::Invalid),
            ("invalid_email", Reason::Invalid),
            ("manual", Reason::Manual),
            ("manualsuppression", Reason::Manual),
            ("blocklist", Reason::Manual),
            ("unsubscribe", Reason::Unsubscribe),
            ("unsubscribed", Reason::Unsubscribe),
            ("unsub", Reason::Unsubscribe),
        ];
        let same = |word: &str| {
            word.len() == text.len()
                && word
                    .bytes()
                    .zip(text.bytes())
                    .all(|(word, byte)| match byte.to_ascii_lowercase() {
                        b' ' | b'-' => word == b'_',
                        byte => word == byte,
                    })
        };
        WORDS
            .iter()
            .find_map(|(word, reason)| same(word).then_some(*reason))
            .ok_or(UnknownReason)
    }
}

/// A word that is no [`Reason`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a reason: bounce, complaint, invalid, manual or unsubscribe")]
#[non_exhaustive]
pub struct UnknownReason;

/// A set of reasons.
///
/// # Examples
///
/// ```
/// use posthaste_suppression::{Reason, Reasons};
///
/// let people = Reasons::from([Reason::Complaint, Reason::Unsubscribe]);
/// assert!(people.contains(Reason::Complaint));
/// assert!(!people.contains(Reason::Bounce));
/// assert_eq!(Reasons::all().iter().count(), 5);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Reasons(u8);

impl Reasons {
    /// Makes the set of all reasons.
    #[must_use]
    pub const fn all() -> Self {
        Self(0b1_1111)
    }

    /// Makes the empty set.
    #[must_use]
    pub const fn none() -> Self {
        Self(0)
    }

    /// Adds one.
    #[must_use]
    pub const fn with(self, reason: Reason) -> Self {
        Self(self.0 | 1 << reason as u8)
    }

    /// Takes one out.
    #[must_use]
    pub const fn without(self, reason: Reason) -> Self {
        Self(self.0 & !(1 << reason as u8))
    }

    /// Returns whether one is in it.
    #[must_use]
    pub const fn contains(self, reason: Reason) -> bool {
        self.0 & 1 << reason as u8 != 0
    }

    /// Returns whether there is none in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns each that is in it, in the order of their words.
    pub fn iter(self) -> impl Iterator<Item = Reason> {
        Reason::ALL.into_iter().filter(move |reason| self.contains(*reason))
    }
}

impl Default for Reasons {
    /// All of them.
    fn default() -> Self {
        Self::all()
    }
}

impl From<Reason> for Reasons {
    fn from(reason: Reason) -> Self {
        Self::none().with(reason)
    }
}

impl<const N: usize> From<[Reason; N]> for Reasons {
    fn from(reasons: [Reason; N]) -> Self {
        reasons.into_iter().collect()
    }
}

impl FromIterator<Reason> for Reasons {
    fn from_iter<I: IntoIterator<Item = Reason>>(reasons: I) -> Self {
        reasons.into_iter().fold(Self::none(), Self::with)
    }
}

impl fmt::Debug for Reasons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        for reason in Reason::ALL {
            assert_eq!(reason.as_str().parse(), Ok(reason));
            assert_eq!(reason.as_str().to_uppercase().parse(), Ok(reason));
        }
        assert!(Reason::ALL.is_sorted_by_key(|reason| reason.as_str()));
        assert!(Reason::ALL.is_sorted());
    }

    #[test]
    fn the_words_of_providers_are_understood() {
        for (word, reason) in [
            ("HardBounce", Reason::Bounce),
            ("hard-bounce", Reason::Bounce),
            ("SpamComplaint", Reason::Complaint),
            ("Spam Report", Reason::Complaint),
            ("ManualSuppression", Reason::Manual),
            ("unsub", Reason::Unsubscribe),
        ] {
            assert_eq!(word.parse(), Ok(reason), "{word}");
        }
        for word in ["", "bounces", "no", "complaint "] {
            assert_eq!(word.parse::<Reason>(), Err(UnknownReason), "{word}");
        }
    }

    #[test]
    fn a_set_holds_what_was_put_in() {
        let set = Reasons::all().without(Reason::Manual);
        assert_eq!(set.iter().count(), 4);
        assert!(!set.contains(Reason::Manual));
        assert_eq!(set.with(Reason::Manual), Reasons::all());
        assert!(Reasons::none().is_empty());
        assert_eq!(
            format!("{:?}", Reasons::from(Reason::Bounce).with(Reason::Complaint)),
            "{Bounce, Complaint}"
        );
    }
}
