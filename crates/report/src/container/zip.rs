//! Zip (APPNOTE 6.3): an archive of exactly one member.
//!
//! What the central directory says counts, and the local header must not contradict it; what no report needs is refused.

use flate2::Crc;

use super::deflate::inflate;
use crate::{Limits, ReadError};

const END: &[u8; 4] = b"PK\x05\x06";
const CENTRAL: &[u8; 4] = b"PK\x01\x02";
const LOCAL: &[u8; 4] = b"PK\x03\x04";
/// Octets of the end record, without its comment.
const END_LENGTH: usize = 22;
/// Longest comment behind the end record.
const COMMENT: usize = 0xFFFF;
const ENCRYPTED: u16 = 1;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// Says that the real number stands in a field of zip64.
const ELSEWHERE: u32 = u32::MAX;

const SHORT: ReadError = ReadError::Corrupt { what: "ends too early" };

/// Reads numbers one after the other.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// Begins at `offset`, behind the signature that must stand there.
    fn at(file: &'a [u8], offset: usize, signature: &[u8; 4], what: &'static str) -> Result<Self, ReadError> {
        let fields = file
            .get(offset..)
            .and_then(|fields| fields.strip_prefix(signature.as_slice()));
        fields.map(Self).ok_or(ReadError::Corrupt { what })
    }

    fn skip(&mut self, octets: usize) -> Result<&mut Self, ReadError> {
        self.take(octets)?;
        Ok(self)
    }

    fn take(&mut self, octets: usize) -> Result<&'a [u8], ReadError> {
        let (taken, rest) = self.0.split_at_checked(octets).ok_or(SHORT)?;
        self.0 = rest;
        Ok(taken)
    }

    fn u16(&mut self) -> Result<u16, ReadError> {
        let (number, rest) = self.0.split_first_chunk().ok_or(SHORT)?;
        self.0 = rest;
        Ok(u16::from_le_bytes(*number))
    }

    fn u32(&mut self) -> Result<u32, ReadError> {
        let (number, rest) = self.0.split_first_chunk().ok_or(SHORT)?;
        self.0 = rest;
        Ok(u32::from_le_bytes(*number))
    }
}

/// The one entry of the central directory.
struct Entry<'a> {
    method: u16,
    crc: u32,
    packed: u32,
    unpacked: u32,
    offset: u32,
    name: &'a [u8],
}

/// Unpacks the one member.
pub(super) fn open(file: &[u8], limits: &Limits) -> Result<Vec<u8>, ReadError> {
    let (entry, directory) = entry(file)?;
    let packed = usize::try_from(entry.packed).map_err(|_| SHORT)?;
    // Nothing of the member may stand in the directory.
    let before = file.get(..directory).ok_or(SHORT)?;
    let data = data(before, &entry)?.get(..packed).ok_or(ReadError::Corrupt {
        what: "the member does not fit into the archive",
    })?;
    let unpacked = usize::try_from(entry.unpacked).map_err(|_| SHORT)?;
    if unpacked > limits.decompressed {
        return Err(ReadError::TooLarge {
            limit: limits.decompressed,
        });
    }
    let octets = match entry.method {
        STORED => data.to_vec(),
        _ => {
            let inflated = inflate(data, packed, limits)?;
            if inflated.consumed != packed {
                return Err(ReadError::Corrupt {
                    what: "the member is shorter than its entry says",
                });
            }
            inflated.octets
        }
    };
    if octets.len() != unpacked {
        return Err(ReadError::Corrupt {
            what: "the length is another",
        });
    }
    let mut crc = Crc::new();
    crc.update(&octets);
    if crc.sum() != entry.crc {
        return Err(ReadError::Corrupt {
            what: "the checksum is another",
        });
    }
    Ok(octets)
}

/// Reads the end record and the entry, and where the directory begins.
fn entry(file: &[u8]) -> Result<(Entry<'_>, usize), ReadError> {
    const NO_DIRECTORY: &str = "the archive has no directory";
    let first = file.len().saturating_sub(END_LENGTH + COMMENT);
    let last = file.len().checked_sub(END_LENGTH).ok_or(SHORT)?;
    let end = (first..=last)
        .rev()
        .find(|at| file.get(*at..).is_some_and(|end| end.starts_with(END)))
        .ok_or(ReadError::Corrupt { what: NO_DIRECTORY })?;
    let mut fields = Fields::at(file, end, END, NO_DIRECTORY)?;
    let (disk, start_disk) = (fields.u16()?, fields.u16()?);
    let (here, total) = (fields.u16()?, fields.u16()?);
    let (length, directory) = (fields.u32()?, fields.u32()?);
    if disk == u16::MAX || total == u16::MAX || length == ELSEWHERE || directory == ELSEWHERE {
        return Err(ReadError::ZipFeature { what: "zip64" });
    }
    if disk != 0 || start_disk != 0 || here != total {
        return Err(ReadError::ZipFeature {
            what: "several volumes",
        });
    }
    if total != 1 {
        return Err(ReadError::ZipMembers { found: total });
    }
    let directory = usize::try_from(directory).map_err(|_| SHORT)?;
    let length = usize::try_from(length).map_err(|_| SHORT)?;
    let mut fields = Fields::at(file, directory, CENTRAL, NO_DIRECTORY)?;
    let flags = fields.skip(4)?.u16()?;
    let method = fields.u16()?;
    let (crc, packed, unpacked) = (fields.skip(4)?.u32()?, fields.u32()?, fields.u32()?);
    let (name, extra, comment) = (fields.u16()?, fields.u16()?, fields.u16()?);
    let offset = fields.skip(8)?.u32()?;
    let name = fields.take(usize::from(name))?;
    fields.skip(usize::from(extra))?.skip(usize::from(comment))?;
    if [packed, unpacked, offset].contains(&ELSEWHERE) {
        return Err(ReadError::ZipFeature { what: "zip64" });
    }
    if flags & ENCRYPTED != 0 {
        return Err(ReadError::ZipFeature { what: "encryption" });
    }
    if method != STORED && method != DEFLATED {
        return Err(ReadError::ZipFeature {
            what: "a method other than deflate",
        });
    }
    // The entry fills the directory, and the directory ends where the end record begins: no member hides.
    let entry_end = file.len() - fields.0.len();
    if directory.checked_add(length) != Some(entry_end) || entry_end != end {
        return Err(ReadError::Corrupt {
            what: "the directory holds more than its one entry",
        });
    }
    let entry = Entry {
        method,
        crc,
        packed,
        unpacked,
        offset,
        name,
    };
    Ok((entry, directory))
}

/// Finds the data of the member behind its local header, which must say the same as the entry.
///
/// Sizes and checksum are not compared: writers that do not know them yet write zeros there, or those of zip64.
fn data<'a>(file: &'a [u8], entry: &Entry<'_>) -> Result<&'a [u8], ReadError> {
    const DIFFERENT: &str = "the member's header contradicts its entry";
    let offset = usize::try_from(entry.offset).map_err(|_| SHORT)?;
    let mut fields = Fields::at(file, offset, LOCAL, "the member has no header")?;
    let flags = fields.skip(2)?.u16()?;
    let method = fields.u16()?;
    let (name, extra) = (fields.skip(16)?.u16()?, fields.u16()?);
    let name = fields.take(usize::from(name))?;
    if method != entry.method || name != entry.name || flags & ENCRYPTED != 0 {
        return Err(ReadError::Corrupt { what: DIFFERENT });
    }
    Ok(fields.skip(usize::from(extra))?.0)
}
