//! Groups of fields of a report (RFC 3464 §2.1).

use std::time::SystemTime;

use bytes::Bytes;
use posthaste_address::{Domain, EmailAddress};

use crate::fold::Field;
use crate::text::{TOKEN_LIMIT, refuse_longer, refuse_others};
use crate::{HeaderError, date};

/// Writes fields, one after the other.
#[derive(Debug, Default)]
pub(super) struct Group {
    out: Vec<u8>,
}

impl Group {
    /// Writes a field of printable ASCII.
    pub(super) fn plain(&mut self, name: &str, value: &str) {
        let mut field = Field::begin(&mut self.out, name);
        field.words(value);
        field.end();
    }

    /// Writes a field if there is something to write.
    pub(super) fn optional(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.plain(name, value);
        }
    }

    /// Writes a field with text behind a type.
    pub(super) fn typed_text(&mut self, name: &str, kind: &str, text: &str) {
        let mut field = Field::begin(&mut self.out, name);
        field.words(kind);
        field.glue_byte(b';');
        field.unstructured(text);
        field.end();
    }

    /// Writes free text.
    pub(super) fn text(&mut self, name: &str, text: &str) {
        let mut field = Field::begin(&mut self.out, name);
        field.unstructured(text);
        field.end();
    }

    /// Ends the group.
    pub(super) fn end(&mut self) {
        self.out.extend_from_slice(b"\r\n");
    }

    pub(super) fn finish(self) -> Bytes {
        Bytes::from(self.out)
    }
}

/// Writes a host as an MTA name (RFC 3464 §2.1.2).
pub(super) fn mta(host: &Domain) -> String {
    format!("dns; {}", host.as_str())
}

/// Writes an address with its type (RFC 3464 §2.1.2); one that is not ASCII in the form for 7-bit fields (RFC 6533 §3).
pub(super) fn address(address: &EmailAddress) -> String {
    use std::fmt::Write as _;

    let (local, domain) = (address.local_part(), address.domain().as_str());
    if local.is_ascii() {
        return format!("rfc822; {local}@{domain}");
    }
    let mut out = String::from("utf-8; ");
    for character in local.chars() {
        if character.is_ascii_graphic() && !matches!(character, '+' | '=' | '\\') {
            out.push(character);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\x{{{:02X}}}", u32::from(character));
        }
    }
    out.push('@');
    out.push_str(domain);
    out
}

/// Writes an instant.
pub(super) fn instant(field: &'static str, time: SystemTime) -> Result<String, HeaderError> {
    date::format(time).ok_or(HeaderError::Syntax {
        field,
        expected: "in the years 1900 to 9999",
    })
}

/// Checks a value that is written as it is: printable ASCII that can be folded.
pub(super) fn structured(field: &'static str, value: &str) -> Result<String, HeaderError> {
    if value.trim_matches(' ').is_empty() {
        return Err(HeaderError::Empty { field });
    }
    refuse_others(field, value, |c| c == ' ' || c.is_ascii_graphic())?;
    for word in value.split(' ') {
        refuse_longer(field, word, TOKEN_LIMIT - 1)?;
    }
    Ok(value.to_owned())
}
