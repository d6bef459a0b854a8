//! Finds the part of a mail that is a report.

use posthaste_mime::{RawMessage, RawPart};

use crate::container::Packing;
use crate::deviation::DeviationKind;
use crate::{Deviations, Limits, ReadError};

/// How many parts that could be a report are tried.
const CANDIDATES: usize = 8;
/// How much of a part is looked at before it is tried.
const START: usize = 4096;

/// Reads the first part that can be read, of those that could be a report.
pub(crate) fn first<T>(
    mail: &RawMessage,
    limits: &Limits,
    may_be: impl Fn(&RawPart, &[u8]) -> bool,
    read: impl Fn(&[u8], &Limits) -> Result<T, ReadError>,
    deviations: impl Fn(&mut T) -> &mut Deviations,
) -> Result<T, ReadError> {
    let (mut found, mut error, mut tried) = (None, None, 0);
    for part in &mail.own_parts()? {
        if part.is_multipart() || part.is_message() || part.content_type() == "text/html" {
            continue;
        }
        if part.decoded_len() > limits.input {
            error.get_or_insert(ReadError::InputTooLarge { limit: limits.input });
            continue;
        }
        let octets = part.decoded();
        if !may_be(part, &octets) {
            continue;
        }
        if let Some(report) = &mut found {
            deviations(report).add(limits, "mail", DeviationKind::Another);
            break;
        }
        match read(&octets, limits) {
            Ok(report) => found = Some(report),
            Err(why) => {
                error.get_or_insert(why);
            }
        }
        tried += 1;
        if tried == CANDIDATES {
            break;
        }
    }
    found.ok_or_else(|| error.unwrap_or(ReadError::NoReport))
}

/// Tells whether a part could be an aggregate report.
pub(crate) fn may_be_xml(part: &RawPart, octets: &[u8]) -> bool {
    if Packing::of(octets) != Packing::Plain {
        return true;
    }
    let start = octets.get(..START).unwrap_or(octets);
    let is_wide = matches!(
        start,
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [b'<', 0, ..] | [0, b'<', ..]
    );
    let text = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start).trim_ascii_start();
    let is_named = || text.windows(8).any(|word| word.eq_ignore_ascii_case(b"feedback"));
    is_wide || text.starts_with(b"<") && (part.content_type().ends_with("xml") || is_named())
}

/// Tells whether a part could be a TLS report.
pub(crate) fn may_be_json(_: &RawPart, octets: &[u8]) -> bool {
    if Packing::of(octets) != Packing::Plain {
        return true;
    }
    let start = octets.get(..START).unwrap_or(octets);
    let is_wide = matches!(
        start,
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [b'{', 0, ..] | [0, b'{', ..]
    );
    let text = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start).trim_ascii_start();
    is_wide || text.starts_with(b"{")
}
