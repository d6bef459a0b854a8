//! Message-IDs and Content-IDs.

use std::str::FromStr;

use posthaste_address::Domain;

use crate::HeaderError;
use crate::generator::hex;
use crate::text::{refuse_longer, refuse_others};

/// Longest id: with its brackets it fits on a line.
const ID_LIMIT: usize = 900;

/// Tells whether `c` may stand in an id. More than RFC 5322 §3.6.4 has, because replies must quote what others wrote;
/// nothing that could end the id or the header.
fn is_id_character(c: char) -> bool {
    c.is_ascii_graphic() && !"<>()\",;\\".contains(c)
}

/// Identifies a message: `left@right`, kept without its angle brackets (RFC 5322 §3.6.4).
///
/// # Examples
///
/// ```
/// use posthaste_mime::MessageId;
///
/// let id: MessageId = "<1234.abcd@example.org>".parse()?;
/// assert_eq!(id.as_str(), "1234.abcd@example.org");
/// assert_eq!(id.to_string(), "<1234.abcd@example.org>");
/// assert!("<1@example.org>\r\nBcc: x@example.net".parse::<MessageId>().is_err());
/// # Ok::<(), posthaste_mime::HeaderError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MessageId(String);

impl MessageId {
    /// Makes an id from its left part and a domain.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] for the field `message id` when `left` is empty, too long or holds a character that ids cannot
    /// hold.
    pub fn new(left: &str, domain: &Domain) -> Result<Self, HeaderError> {
        if left.contains('@') {
            return Err(HeaderError::Syntax {
                field: FIELD,
                expected: "a left part without @",
            });
        }
        Self::parse(&format!("{left}@{}", domain.as_str()))
    }

    /// Reads an id with or without its angle brackets.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] for the field `message id` when it is not `left@right` in printable ASCII without spaces.
    pub fn parse(id: &str) -> Result<Self, HeaderError> {
        let id = without_brackets(id);
        if id.is_empty() {
            return Err(HeaderError::Empty { field: FIELD });
        }
        refuse_others(FIELD, id, is_id_character)?;
        refuse_longer(FIELD, id, ID_LIMIT)?;
        match id.split_once('@') {
            Some((left, right)) if !left.is_empty() && !right.is_empty() && !right.contains('@') => {
                Ok(Self(id.to_owned()))
            }
            _ => Err(HeaderError::Syntax {
                field: FIELD,
                expected: "of the form left@right",
            }),
        }
    }

    pub(crate) fn generate(id: [u8; 16], domain: &Domain) -> Self {
        Self([&hex(id), "@", domain.as_str()].concat())
    }

    /// Returns the id without angle brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const FIELD: &str = "message id";

/// What stands between angle brackets, or all of it where there are none.
fn without_brackets(id: &str) -> &str {
    id.strip_prefix('<')
        .and_then(|inner| inner.strip_suffix('>'))
        .unwrap_or(id)
}

/// Shows the id in its angle brackets.
impl std::fmt::Display for MessageId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<{}>", self.0)
    }
}

impl FromStr for MessageId {
    type Err = HeaderError;

    fn from_str(id: &str) -> Result<Self, HeaderError> {
        Self::parse(id)
    }
}

/// Identifies a part of a message, so that HTML can show it with `<img src="cid:…">` (RFC 2392).
///
/// The form is that of a [`MessageId`]; the `@` and what follows may be left out, as most programs do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ContentId(String);

impl ContentId {
    /// Checks and takes an id, with or without its angle brackets.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] for the field `content id` when it is empty, longer than 250 octets, or holds a character
    /// that ids cannot hold.
    pub fn new(id: &str) -> Result<Self, HeaderError> {
        const FIELD: &str = "content id";
        let id = without_brackets(id);
        if id.is_empty() {
            return Err(HeaderError::Empty { field: FIELD });
        }
        refuse_others(FIELD, id, is_id_character)?;
        refuse_longer(FIELD, id, 250)?;
        Ok(Self(id.to_owned()))
    }

    /// Returns the id without angle brackets: what stands behind `cid:`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Shows the id in its angle brackets.
impl std::fmt::Display for ContentId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<{}>", self.0)
    }
}

impl FromStr for ContentId {
    type Err = HeaderError;

    fn from_str(id: &str) -> Result<Self, HeaderError> {
        Self::new(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_the_wild_are_read() {
        for id in [
            "a@b",
            "<CAF+x=y_z$1@mail.example.org>",
            "x@[10.0.0.1]",
            "20260101.1:2@host",
            "a/b@c",
        ] {
            assert!(MessageId::parse(id).is_ok(), "{id}");
        }
    }

    #[test]
    fn ids_that_could_leave_their_header_are_refused() {
        for id in [
            "",
            "<>",
            "a",
            "a@",
            "@b",
            "a@b@c",
            "a b@c",
            "a@b>",
            "<a@b> <c@d>",
            "a@b\r\n",
            "é@b",
            "\"a\"@b",
        ] {
            assert!(MessageId::parse(id).is_err(), "{id:?}");
        }
        for id in ["", "a b", "a>", "a\"b", "a;b", "\u{7f}"] {
            assert!(ContentId::new(id).is_err(), "{id:?}");
        }
    }
}
