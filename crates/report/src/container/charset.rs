//! Charsets of XML and JSON.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::deviation::{DeviationKind, Notes};
use crate::error::cut;
use crate::{Limits, ReadError};

/// How much of the beginning is looked at for a declaration.
const DECLARATION: usize = 256;

/// Turns a report into UTF-8.
///
/// A byte order mark counts first, then zeros between the first characters (UTF-16), then what an XML declaration says
/// (XML 1.0 appendix F), by the labels of the Encoding Standard. A declaration of UTF-16 in text that is none is passed
/// over, as its reader could not have read it. What is none of the charset becomes U+FFFD and is noted.
pub(crate) fn to_utf8<'a>(octets: &'a [u8], limits: &Limits, notes: &mut Notes) -> Result<Cow<'a, str>, ReadError> {
    let (charset, octets) = match octets {
        [0xEF, 0xBB, 0xBF, rest @ ..] => (UTF_8, rest),
        [0xFF, 0xFE, rest @ ..] => (UTF_16LE, rest),
        [0xFE, 0xFF, rest @ ..] => (UTF_16BE, rest),
        [first, 0, ..] if first.is_ascii() && *first != 0 => (UTF_16LE, octets),
        [0, second, ..] if second.is_ascii() && *second != 0 => (UTF_16BE, octets),
        _ => match declared(octets) {
            None => (UTF_8, octets),
            Some(name) => {
                let found = Encoding::for_label_no_replacement(name.as_bytes());
                let found = found.ok_or_else(|| ReadError::Charset { name: cut(name) })?;
                (if found.is_ascii_compatible() { found } else { UTF_8 }, octets)
            }
        },
    };
    let (text, lossy) = charset.decode_without_bom_handling(octets);
    if lossy {
        notes.note("file", DeviationKind::Charset);
    }
    if text.len() > limits.decompressed {
        return Err(ReadError::TooLarge {
            limit: limits.decompressed,
        });
    }
    Ok(text)
}

/// Finds the name of the charset in an XML declaration.
fn declared(octets: &[u8]) -> Option<&str> {
    let start = octets.get(..octets.len().min(DECLARATION))?;
    let start = start.trim_ascii_start().strip_prefix(b"<?xml")?;
    let end = start.windows(2).position(|pair| pair == b"?>")?;
    let declaration = std::str::from_utf8(start.get(..end)?).ok()?;
    let (_, behind) = declaration.split_once("encoding")?;
    let behind = behind.trim_start().strip_prefix('=')?.trim_start();
    let quote = behind.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    behind.get(1..)?.split(quote).next()
}
