//! What a report is packed in: gzip, zip, a charset.

mod charset;
mod deflate;
mod gzip;
mod zip;

use std::borrow::Cow;

pub(crate) use charset::to_utf8;
pub(crate) use gzip::compress;

use crate::deviation::{DeviationKind, Notes};
use crate::{Limits, ReadError};

/// What the first octets of a file say that it is; its name is never asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    /// Gzip (RFC 1952 §2.3.1).
    Gzip,
    /// Zip, even an empty archive.
    Zip,
    /// Neither.
    Plain,
}

impl Packing {
    pub(crate) fn of(octets: &[u8]) -> Self {
        match octets {
            [0x1F, 0x8B, ..] => Self::Gzip,
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Self::Zip,
            _ => Self::Plain,
        }
    }
}

/// Unpacks a report, or returns it as it is if it is not packed.
pub(crate) fn open<'a>(octets: &'a [u8], limits: &Limits, notes: &mut Notes) -> Result<Cow<'a, [u8]>, ReadError> {
    if octets.len() > limits.input {
        return Err(ReadError::InputTooLarge { limit: limits.input });
    }
    let opened = match Packing::of(octets) {
        Packing::Plain => Cow::Borrowed(octets),
        packing => {
            let (opened, trailing) = match packing {
                Packing::Zip => (zip::open(octets, limits)?, false),
                _ => gzip::open(octets, limits)?,
            };
            if Packing::of(&opened) != Packing::Plain {
                return Err(ReadError::Nested);
            }
            if trailing {
                notes.note("file", DeviationKind::Trailing);
            }
            Cow::Owned(opened)
        }
    };
    if opened.len() > limits.decompressed {
        return Err(ReadError::TooLarge {
            limit: limits.decompressed,
        });
    }
    Ok(opened)
}

#[cfg(test)]
mod tests;
