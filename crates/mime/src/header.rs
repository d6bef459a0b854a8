//! Names and values of headers that the builder has no method for.

use std::hash::{Hash, Hasher};
use std::str::FromStr;

use crate::HeaderError;
use crate::text::{TOKEN_LIMIT, refuse_controls, refuse_longer, refuse_others};

/// Longest header name: with its colon it stays on a line of ordinary length.
const NAME_LIMIT: usize = 76;

/// Names a header field.
///
/// A name is printable ASCII without a colon (RFC 5322 §2.2), at most 76 octets. Names that differ only in case are
/// equal.
///
/// # Examples
///
/// ```
/// use posthaste_mime::HeaderName;
///
/// let name = HeaderName::new("X-Campaign")?;
/// assert_eq!(name, HeaderName::new("x-campaign")?);
/// assert!(HeaderName::new("X-Campaign\r\nBcc").is_err());
/// # Ok::<(), posthaste_mime::HeaderError>(())
/// ```
#[derive(Clone, Debug)]
pub struct HeaderName(String);

impl HeaderName {
    /// Checks and takes a name.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] for the field `header name` when it is empty, too long or holds another character.
    pub fn new(name: &str) -> Result<Self, HeaderError> {
        const FIELD: &str = "header name";
        if name.is_empty() {
            return Err(HeaderError::Empty { field: FIELD });
        }
        refuse_others(FIELD, name, |c| c.is_ascii_graphic() && c != ':')?;
        refuse_longer(FIELD, name, NAME_LIMIT)?;
        Ok(Self(name.to_owned()))
    }

    /// Returns the name as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Says what to use instead if this header is not for `MessageBuilder::header`.
    pub(crate) fn reserved(&self) -> Option<&'static str> {
        let name = self.0.to_ascii_lowercase();
        let instead = match name.as_str() {
            "from" => "use MessageBuilder::from",
            "sender" => "use MessageBuilder::sender",
            "reply-to" => "use MessageBuilder::reply_to",
            "to" => "use MessageBuilder::to",
            "cc" => "use MessageBuilder::cc",
            "bcc" => "use MessageBuilder::bcc, which puts it into the envelope only",
            "resent-bcc" => "blind recipients stand in the envelope only",
            "subject" => "use MessageBuilder::subject",
            "date" => "use MessageBuilder::date",
            "message-id" => "use MessageBuilder::message_id",
            "in-reply-to" => "use MessageBuilder::in_reply_to",
            "references" => "use MessageBuilder::references",
            "list-id" => "use MessageBuilder::list_id",
            "list-unsubscribe" | "list-unsubscribe-post" => "use MessageBuilder::list_unsubscribe",
            "auto-submitted" => "use MessageBuilder::auto_submitted",
            "mime-version" => "the builder writes it",
            "return-path" => "the receiving server writes it; set the reverse-path in the envelope",
            "dkim-signature" | "arc-seal" | "arc-message-signature" | "arc-authentication-results" => {
                "it is made over the finished message"
            }
            _ if name.starts_with("content-") => "the builder writes it; use the methods for bodies and attachments",
            _ => return None,
        };
        Some(instead)
    }

    /// Tells whether a message may hold this header more than once.
    pub(crate) fn may_repeat(&self) -> bool {
        const ONCE: [&str; 17] = [
            "disposition-notification-to",
            "feedback-id",
            "importance",
            "list-archive",
            "list-help",
            "list-owner",
            "list-post",
            "list-subscribe",
            "mail-followup-to",
            "mail-reply-to",
            "organization",
            "precedence",
            "priority",
            "return-receipt-to",
            "sensitivity",
            "user-agent",
            "x-mailer",
        ];
        !ONCE.iter().any(|once| once.eq_ignore_ascii_case(&self.0))
    }
}

impl PartialEq for HeaderName {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for HeaderName {}

impl Hash for HeaderName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in self.0.bytes() {
            state.write_u8(byte.to_ascii_lowercase());
        }
        state.write_u8(0xFF);
    }
}

impl std::fmt::Display for HeaderName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for HeaderName {
    type Err = HeaderError;

    fn from_str(name: &str) -> Result<Self, HeaderError> {
        Self::new(name)
    }
}

/// Holds the value of a header that the builder has no method for.
///
/// A value cannot hold a line break or another control character, so it cannot begin a header of its own.
///
/// # Examples
///
/// ```
/// use posthaste_mime::HeaderValue;
///
/// assert!(HeaderValue::new("été 2026").is_ok());
/// assert!(HeaderValue::new("x\r\nBcc: victim@example.org").is_err());
/// assert!(HeaderValue::structured("v=1; a=b").is_ok());
/// # Ok::<(), posthaste_mime::HeaderError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HeaderValue {
    text: String,
    structured: bool,
}

impl HeaderValue {
    /// Takes free text (RFC 5322 §3.6.5): what is not plain ASCII is written as encoded-words (RFC 2047) and readers
    /// get it back exactly, spaces included.
    ///
    /// # Errors
    ///
    /// [`HeaderError::Control`] for the field `header value` when it holds a control character other than a tab, or a
    /// Unicode line break.
    pub fn new(text: impl Into<String>) -> Result<Self, HeaderError> {
        let text = text.into();
        refuse_controls("header value", &text, true)?;
        Ok(Self {
            text,
            structured: false,
        })
    }

    /// Takes a value with a grammar of its own, such as URLs or `tag=value` lists: it is folded at its spaces and
    /// otherwise written as it is.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] for the field `header value` when it is not printable ASCII, holds text that readers would
    /// decode as an encoded-word, or a piece without a space that is too long for a line.
    pub fn structured(text: impl Into<String>) -> Result<Self, HeaderError> {
        const FIELD: &str = "header value";
        let text = text.into();
        refuse_others(FIELD, &text, |c| c == ' ' || c.is_ascii_graphic())?;
        if text.contains("=?") {
            return Err(HeaderError::Syntax {
                field: FIELD,
                expected: "free of encoded-words",
            });
        }
        for piece in text.split(' ') {
            refuse_longer(FIELD, piece, TOKEN_LIMIT)?;
        }
        Ok(Self { text, structured: true })
    }

    /// Returns the value as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn is_structured(&self) -> bool {
        self.structured
    }
}

impl std::fmt::Display for HeaderValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for HeaderValue {
    type Err = HeaderError;

    fn from_str(text: &str) -> Result<Self, HeaderError> {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_printable_ascii_without_colon() {
        for name in ["X", "X-Mailer", "x_y", "A!b"] {
            assert!(HeaderName::new(name).is_ok(), "{name}");
        }
        for name in ["", "X:", "X Y", "X\r\nY", "Ü", "X\t", "X\0", &"x".repeat(77)] {
            assert!(HeaderName::new(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn reserved_names_are_found_whatever_their_case() {
        for name in [
            "FROM",
            "bcc",
            "Message-Id",
            "content-TYPE",
            "DKIM-Signature",
            "Content-Anything",
        ] {
            assert!(
                HeaderName::new(name).is_ok_and(|name| name.reserved().is_some()),
                "{name}"
            );
        }
        assert!(HeaderName::new("X-From").is_ok_and(|name| name.reserved().is_none()));
    }

    #[test]
    fn values_hold_no_line_break_of_any_kind() {
        for value in [
            "a\rb",
            "a\nb",
            "a\0b",
            "a\u{85}b",
            "a\u{2028}b",
            "a\u{2029}b",
            "a\u{b}b",
            "a\u{c}b",
            "\u{7f}",
        ] {
            assert!(HeaderValue::new(value).is_err(), "{value:?}");
            assert!(HeaderValue::structured(value).is_err(), "{value:?}");
        }
        assert!(HeaderValue::structured("é").is_err());
        assert!(HeaderValue::structured("=?utf-8?Q?x?=").is_err());
        assert!(HeaderValue::structured("x".repeat(998)).is_err());
    }
}
