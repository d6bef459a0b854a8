//! What a sender wants to hear of a delivery: RFC 3461.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use crate::EnvelopeError;
use crate::local_part::is_break;

/// Which delivery status notifications a sender wants (RFC 3461 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notify {
    /// None at all.
    Never,
    /// Those named, at least one.
    On {
        /// When it was delivered.
        success: bool,
        /// When it could not be delivered.
        failure: bool,
        /// When it is late.
        delay: bool,
    },
}

impl Notify {
    /// Wants the notifications named; none of them is [`Notify::Never`].
    #[must_use]
    pub fn on(success: bool, failure: bool, delay: bool) -> Self {
        if success || failure || delay {
            Self::On {
                success,
                failure,
                delay,
            }
        } else {
            Self::Never
        }
    }
}

impl fmt::Display for Notify {
    /// Writes the value of the `NOTIFY` parameter.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Never => f.write_str("NEVER"),
            Self::On {
                success,
                failure,
                delay,
            } => {
                let words = [(success, "SUCCESS"), (failure, "FAILURE"), (delay, "DELAY")];
                let words: Vec<&str> = words
                    .into_iter()
                    .filter(|(wanted, _)| *wanted)
                    .map(|(_, word)| word)
                    .collect();
                f.write_str(&words.join(","))
            }
        }
    }
}

impl FromStr for Notify {
    type Err = EnvelopeError;

    /// Parses the value of the `NOTIFY` parameter.
    fn from_str(text: &str) -> Result<Self, EnvelopeError> {
        if text.eq_ignore_ascii_case("NEVER") {
            return Ok(Self::Never);
        }
        let (mut success, mut failure, mut delay) = (false, false, false);
        for word in text.split(',') {
            let wanted = match word.to_ascii_uppercase().as_str() {
                "SUCCESS" => &mut success,
                "FAILURE" => &mut failure,
                "DELAY" => &mut delay,
                _ => return Err(EnvelopeError::Notify),
            };
            if std::mem::replace(wanted, true) {
                return Err(EnvelopeError::Notify);
            }
        }
        Ok(Self::on(success, failure, delay))
    }
}

/// How much of a message its failure report returns (RFC 3461 §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReturnContent {
    /// All of it.
    Full,
    /// Its header fields.
    Headers,
}

impl fmt::Display for ReturnContent {
    /// Writes the value of the `RET` parameter.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "FULL",
            Self::Headers => "HDRS",
        })
    }
}

impl FromStr for ReturnContent {
    type Err = EnvelopeError;

    /// Parses the value of the `RET` parameter.
    fn from_str(text: &str) -> Result<Self, EnvelopeError> {
        if text.eq_ignore_ascii_case("FULL") {
            Ok(Self::Full)
        } else if text.eq_ignore_ascii_case("HDRS") {
            Ok(Self::Headers)
        } else {
            Err(EnvelopeError::ReturnContent)
        }
    }
}

/// An id that delivery status notifications repeat (RFC 3461 §4.4).
///
/// # Examples
///
/// ```
/// use posthaste_address::EnvelopeId;
///
/// let id = EnvelopeId::new("order 7+1")?;
/// assert_eq!(id.to_xtext(), "order+207+2B1");
/// # Ok::<(), posthaste_address::EnvelopeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EnvelopeId(Box<str>);

impl EnvelopeId {
    /// Takes 1 to 100 printable ASCII characters.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError::EnvelopeId`] for anything else.
    pub fn new(id: &str) -> Result<Self, EnvelopeError> {
        let id_is_valid = (1..=100).contains(&id.len()) && id.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
        if id_is_valid {
            Ok(Self(id.into()))
        } else {
            Err(EnvelopeError::EnvelopeId)
        }
    }

    /// The id itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id as `xtext`, the form that goes over the wire.
    #[must_use]
    pub fn to_xtext(&self) -> String {
        to_xtext(&self.0)
    }
}

impl fmt::Display for EnvelopeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for EnvelopeId {
    type Err = EnvelopeError;

    fn from_str(text: &str) -> Result<Self, EnvelopeError> {
        Self::new(text)
    }
}

/// A recipient as the sender first knew it, with the type of its address (RFC 3461 §4.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OriginalRecipient {
    address_type: Box<str>,
    address: Box<str>,
}

impl OriginalRecipient {
    /// Takes an address type such as `rfc822` or `utf-8`, and an address of at most 500 octets.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError::OriginalRecipient`] if the type is not an atom, or the address is empty, too long, holds a control
    /// character, or is not ASCII while its type is not `utf-8` (RFC 6533).
    pub fn new(address_type: &str, address: &str) -> Result<Self, EnvelopeError> {
        let type_is_valid = !address_type.is_empty()
            && address_type
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let text_is_valid = address.is_ascii() || address_type.eq_ignore_ascii_case("utf-8");
        let address_is_valid = (1..=500).contains(&address.len()) && !address.chars().any(is_break);
        if type_is_valid && text_is_valid && address_is_valid {
            Ok(Self {
                address_type: address_type.into(),
                address: address.into(),
            })
        } else {
            Err(EnvelopeError::OriginalRecipient)
        }
    }

    /// The type of the address.
    #[must_use]
    pub fn address_type(&self) -> &str {
        &self.address_type
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// `type;address` as it goes over the wire: `xtext`, or RFC 6533 §3 `utf-8-addr-xtext` for the type `utf-8`.
    #[must_use]
    pub fn to_xtext(&self) -> String {
        let address = if self.address_type.eq_ignore_ascii_case("utf-8") {
            to_utf8_xtext(&self.address)
        } else {
            to_xtext(&self.address)
        };
        format!("{};{address}", self.address_type)
    }
}

impl fmt::Display for OriginalRecipient {
    /// Writes `type;address`, not encoded.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};{}", self.address_type, self.address)
    }
}

impl FromStr for OriginalRecipient {
    type Err = EnvelopeError;

    /// Parses `type;address`, not encoded.
    fn from_str(text: &str) -> Result<Self, EnvelopeError> {
        let (address_type, address) = text.split_once(';').ok_or(EnvelopeError::OriginalRecipient)?;
        Self::new(address_type, address)
    }
}

/// RFC 3461 §4 `xtext`; only printable ASCII comes here.
fn to_xtext(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '+' | '=' | ' ' => push(&mut out, format_args!("+{:02X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// RFC 6533 §3: what is not a `QCHAR` is written as its code point.
fn to_utf8_xtext(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '+' | '=' | '\\' => push(&mut out, format_args!("\\x{{{:X}}}", u32::from(c))),
            '!'..='~' => out.push(c),
            c => push(&mut out, format_args!("\\x{{{:X}}}", u32::from(c))),
        }
    }
    out
}

/// Appends formatted text; writing to a `String` cannot fail.
fn push(out: &mut String, text: fmt::Arguments<'_>) {
    let _infallible = out.write_fmt(text);
}
