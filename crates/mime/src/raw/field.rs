//! One field of a header section.

use std::borrow::Cow;
use std::time::SystemTime;

use bytes::Bytes;
use posthaste_address::LenientList;

use super::lines::{trim_blanks, trim_blanks_start, without_break};
use super::parameters::Parameters;
use super::{addresses, date, words};
use crate::text::{LINE_LIMIT, is_control};

/// Longest Message-ID: with its brackets it fits on a line.
const ID_LIMIT: usize = LINE_LIMIT - 2;

/// Shows one header field as it stands in the message; shares its bytes.
///
/// # Examples
///
/// ```
/// use posthaste_mime::RawMessage;
///
/// let message = RawMessage::parse("Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n aus Köln\r\n\r\n")?;
/// let subject = message.field("subject").unwrap();
/// assert_eq!(subject.name(), "Subject");
/// assert_eq!(subject.decoded(), "Grüße aus Köln");
/// assert!(subject.raw().ends_with("Köln\r\n".as_bytes()));
/// # Ok::<(), posthaste_mime::RawError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct RawField {
    raw: Bytes,
    name: usize,
}

impl RawField {
    /// `name` is the length of the name that `raw` begins with; it is ASCII, and a colon follows.
    pub(super) fn new(raw: Bytes, name: usize) -> Self {
        Self { raw, name }
    }

    /// Returns the name, in the case that it has in the message.
    pub fn name(&self) -> &str {
        let name = self.raw.get(..self.name).unwrap_or_default();
        std::str::from_utf8(name).unwrap_or_default()
    }

    /// Tells whether the field is called `name`, whatever the case.
    pub fn is(&self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name)
    }

    /// Returns every octet of the field: name, colon, value, folds and line break.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// Returns the value without its folds (RFC 5322 §2.2.3) and without white space around it.
    ///
    /// The octets are those of the message otherwise: there may be controls among them and text that is not UTF-8.
    pub fn value(&self) -> Cow<'_, [u8]> {
        let rest = self.raw.get(self.name..).unwrap_or_default();
        let rest = without_break(trim_blanks_start(rest));
        let value = rest.strip_prefix(b":").unwrap_or(rest);
        if !value.contains(&b'\n') {
            return Cow::Borrowed(trim_blanks(value));
        }
        let mut unfolded = Vec::with_capacity(value.len());
        for line in value.split_inclusive(|byte| *byte == b'\n') {
            unfolded.extend_from_slice(without_break(line));
        }
        Cow::Owned(trim_blanks(&unfolded).to_vec())
    }

    /// Returns the value as text: unfolded, encoded-words decoded (RFC 2047), octets that are not UTF-8 replaced.
    ///
    /// Control characters and line breaks, those in encoded-words included, become U+FFFD, so that the text can be
    /// shown or written elsewhere; tabs stay.
    pub fn decoded(&self) -> String {
        words::decode(&self.value(), None)
    }

    /// Returns the value as [`decoded`](Self::decoded) does, but reads octets that are not UTF-8 as `charset`.
    ///
    /// A charset that is not known, or in which ASCII is not ASCII, makes no difference.
    pub fn decoded_with(&self, charset: &str) -> String {
        words::decode(&self.value(), Some(charset))
    }

    /// Reads the value as `Content-Type` and `Content-Disposition` are built: a word and `; name=value` parameters.
    pub fn parameters(&self) -> Parameters {
        Parameters::read(&self.value())
    }

    /// Reads the value as a list of addresses, past everything that is none: see [`AddressList::parse_leniently`](posthaste_address::AddressList::parse_leniently).
    ///
    /// [`RawMessage::addresses`](crate::RawMessage::addresses) is the strict way. Two programs may well find different
    /// people in what only this one reads.
    pub fn addresses_leniently(&self) -> LenientList {
        addresses::read_leniently(self)
    }

    /// Reads the value as Message-IDs (RFC 5322 §3.6.4), without their angle brackets; comments and what is no id are
    /// skipped.
    ///
    /// An id has no white space, no controls and at most 996 octets; nothing else is asked of it, as replies must quote
    /// what others wrote.
    pub fn message_ids(&self) -> Vec<String> {
        let value = self.value();
        let Ok(text) = std::str::from_utf8(&value) else {
            return Vec::new();
        };
        let (mut ids, mut depth, mut start) = (Vec::new(), 0_usize, None);
        for (offset, c) in text.char_indices() {
            match (c, start) {
                ('(', None) => depth += 1,
                (')', None) => depth = depth.saturating_sub(1),
                ('<', _) if depth == 0 => start = Some(offset + 1),
                ('>', Some(from)) => {
                    let id = text.get(from..offset).unwrap_or_default();
                    if !id.is_empty() && id.len() <= ID_LIMIT {
                        ids.push(id.to_owned());
                    }
                    start = None;
                }
                (c, Some(_)) if c.is_whitespace() || is_control(c) => start = None,
                _ => {}
            }
        }
        ids
    }

    /// Reads the value as a date (RFC 5322 §3.3, with its obsolete forms); `None` if it is none.
    ///
    /// A zone that is not known counts as UTC, as RFC 5322 §4.3 asks.
    pub fn date(&self) -> Option<SystemTime> {
        date::parse(&self.value())
    }
}

/// Shows the name and the length of the whole field, never the value.
impl std::fmt::Debug for RawField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawField")
            .field("name", &self.name())
            .field("octets", &self.raw.len())
            .finish()
    }
}
