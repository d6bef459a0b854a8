//! Gzip (RFC 1952): one member.

use std::io::Write;

use flate2::{Compression, Crc, GzBuilder};

use super::deflate::{Inflated, inflate};
use crate::{Limits, ReadError};

const HEADER_CRC: u8 = 2;
const EXTRA: u8 = 4;
const NAME: u8 = 8;
const COMMENT: u8 = 16;
const RESERVED: u8 = 0xE0;

const SHORT: ReadError = ReadError::Corrupt { what: "ends too early" };

/// Unpacks one member; tells whether something that means nothing stands behind it.
///
/// A second member is refused: RFC 1952 §2.2 would have the two read as one, readers in the wild take the first alone, and
/// no report needs it. Zeros and white space behind the member are padding; anything else is noted and not looked at.
pub(super) fn open(file: &[u8], limits: &Limits) -> Result<(Vec<u8>, bool), ReadError> {
    let data = behind_header(file)?;
    let Inflated { octets, consumed } = inflate(data, file.len(), limits)?;
    let (trailer, rest) = data
        .get(consumed..)
        .and_then(|data| data.split_first_chunk::<8>())
        .ok_or(SHORT)?;
    let [c0, c1, c2, c3, l0, l1, l2, l3] = *trailer;
    let mut crc = Crc::new();
    crc.update(&octets);
    if crc.sum() != u32::from_le_bytes([c0, c1, c2, c3]) {
        return Err(ReadError::Corrupt {
            what: "the checksum is another",
        });
    }
    if Some(u32::from_le_bytes([l0, l1, l2, l3])) != u32::try_from(octets.len()).ok() {
        return Err(ReadError::Corrupt {
            what: "the length is another",
        });
    }
    if rest.starts_with(&[0x1F, 0x8B]) {
        return Err(ReadError::GzipMembers);
    }
    let is_padding = |octet: &u8| matches!(octet, 0 | b' ' | b'\t' | b'\r' | b'\n');
    Ok((octets, !rest.iter().all(is_padding)))
}

/// Skips the header (RFC 1952 §2.3); what it says of names and times is not needed.
fn behind_header(file: &[u8]) -> Result<&[u8], ReadError> {
    let (header, mut rest) = file.split_first_chunk::<10>().ok_or(SHORT)?;
    let [_, _, method, flags, ..] = *header;
    if method != 8 {
        return Err(ReadError::Corrupt {
            what: "gzip has no method but deflate",
        });
    }
    if flags & RESERVED != 0 {
        return Err(ReadError::Corrupt {
            what: "gzip flags are set that mean nothing",
        });
    }
    if flags & EXTRA != 0 {
        let (length, behind) = rest.split_first_chunk::<2>().ok_or(SHORT)?;
        rest = behind.get(usize::from(u16::from_le_bytes(*length))..).ok_or(SHORT)?;
    }
    for flag in [NAME, COMMENT] {
        if flags & flag != 0 {
            let end = rest.iter().position(|octet| *octet == 0).ok_or(SHORT)?;
            rest = rest.get(end + 1..).ok_or(SHORT)?;
        }
    }
    if flags & HEADER_CRC != 0 {
        rest = rest.get(2..).ok_or(SHORT)?;
    }
    Ok(rest)
}

/// Packs octets; the same octets always give the same file.
pub(crate) fn compress(octets: &[u8]) -> Vec<u8> {
    let packed = GzBuilder::new()
        .mtime(0)
        .operating_system(255)
        .write(Vec::with_capacity(octets.len() / 8), Compression::default());
    let write = |mut packed: flate2::write::GzEncoder<Vec<u8>>| {
        packed.write_all(octets)?;
        packed.finish()
    };
    // Writing to a vector cannot fail.
    write(packed).unwrap_or_default()
}
