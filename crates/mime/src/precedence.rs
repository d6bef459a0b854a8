//! Headers that say how much a message matters, and to whom.

use std::str::FromStr;

use crate::HeaderError;
use crate::text::{refuse_longer, refuse_others};

/// Says that a message went to many: `Precedence`, which answering machines look at (RFC 2076 §3.9, RFC 3834 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Precedence {
    /// Sent to many: `bulk`.
    Bulk,
    /// Sent by a mailing list: `list`.
    List,
    /// Worth even less: `junk`.
    Junk,
}

impl Precedence {
    /// Returns the value as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bulk => "bulk",
            Self::List => "list",
            Self::Junk => "junk",
        }
    }
}

/// Says how much a message matters: `Importance` (RFC 2156 §5.3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Importance {
    /// More than others: `high`.
    High,
    /// As much as others: `normal`.
    Normal,
    /// Less than others: `low`.
    Low,
}

impl Importance {
    /// Returns the value as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
        }
    }
}

/// Names the campaign of a message for the feedback that Gmail gives its senders: `Feedback-ID`, up to three identifiers
/// and the sender, `a:b:c:sender`.
///
/// # Examples
///
/// ```
/// use posthaste_mime::FeedbackId;
///
/// let id = FeedbackId::new(["autumn", "customer-7", "newsletter"], "posthaste")?;
/// assert_eq!(id.to_string(), "autumn:customer-7:newsletter:posthaste");
/// assert_eq!("autumn:customer-7:newsletter:posthaste".parse(), Ok(id));
/// assert!(FeedbackId::new(["a:b"], "posthaste").is_err());
/// # Ok::<(), posthaste_mime::HeaderError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FeedbackId(String);

impl FeedbackId {
    const FIELD: &'static str = "Feedback-ID";
    /// Longest identifier.
    const LIMIT: usize = 127;

    /// Checks and takes the identifiers, of which any may be empty, and the sender's own name.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] for the field `Feedback-ID` when there are more than three identifiers, one has more than 127 octets,
    /// the sender has less than 5 or more than 15, or one of them holds something else than printable ASCII without
    /// spaces and colons.
    pub fn new<'a>(identifiers: impl IntoIterator<Item = &'a str>, sender: &str) -> Result<Self, HeaderError> {
        let mut value = String::new();
        for (index, identifier) in identifiers.into_iter().enumerate() {
            if index == 3 {
                return Err(syntax("given at most three identifiers"));
            }
            refuse_others(Self::FIELD, identifier, is_allowed)?;
            refuse_longer(Self::FIELD, identifier, Self::LIMIT)?;
            value.push_str(identifier);
            value.push(':');
        }
        if sender.is_empty() {
            return Err(HeaderError::Empty { field: Self::FIELD });
        }
        refuse_others(Self::FIELD, sender, is_allowed)?;
        if !(5..=15).contains(&sender.len()) {
            return Err(syntax("given a sender of 5 to 15 characters"));
        }
        value.push_str(sender);
        if value.contains("=?") {
            return Err(syntax("free of encoded-words"));
        }
        Ok(Self(value))
    }

    /// Returns the value as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the identifiers, at most three.
    pub fn identifiers(&self) -> impl Iterator<Item = &str> {
        let identifiers = self.0.rsplit_once(':').map(|(identifiers, _)| identifiers.split(':'));
        identifiers.into_iter().flatten()
    }

    /// Returns the sender's own name.
    pub fn sender(&self) -> &str {
        self.0.rsplit_once(':').map_or(&self.0, |(_, sender)| sender)
    }
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_graphic() && c != ':'
}

fn syntax(expected: &'static str) -> HeaderError {
    HeaderError::Syntax {
        field: FeedbackId::FIELD,
        expected,
    }
}

impl std::fmt::Display for FeedbackId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads `a:b:c:sender`.
impl FromStr for FeedbackId {
    type Err = HeaderError;

    fn from_str(text: &str) -> Result<Self, HeaderError> {
        match text.rsplit_once(':') {
            Some((identifiers, sender)) => Self::new(identifiers.split(':'), sender),
            None => Self::new([], text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feedback_ids_have_four_fields_at_most() {
        for (text, identifiers) in [("sender", 0), ("a:sender", 1), ("a:b:sender", 2), ("::c:sender", 3)] {
            let id: FeedbackId = text.parse().unwrap();
            assert_eq!((id.as_str(), id.sender()), (text, "sender"));
            assert_eq!(id.identifiers().count(), identifiers);
        }
        let long = "x".repeat(128);
        for text in [
            "",
            "a:",
            "a:b:c:d:sender",
            "abcd",
            "a:1234567890123456",
            "a b:sender",
            "a\r\n:sender",
            "é:sender",
            "=?:sender",
            &format!("{long}:sender"),
        ] {
            assert!(text.parse::<FeedbackId>().is_err(), "{text:?}");
        }
    }
}
