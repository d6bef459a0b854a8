//! Deflate (RFC 1951), up to a bound.

use flate2::{Decompress, FlushDecompress, Status};

use crate::{Limits, ReadError};

/// How much is held of a report before anything is known of it.
const FIRST: usize = 64 * 1024;

/// What came out, and how many octets of the input it was.
pub(super) struct Inflated {
    pub(super) octets: Vec<u8>,
    pub(super) consumed: usize,
}

/// Inflates what begins `input`. `packed` is how many octets stand for it, at most.
pub(super) fn inflate(input: &[u8], packed: usize, limits: &Limits) -> Result<Inflated, ReadError> {
    const BROKEN: ReadError = ReadError::Corrupt {
        what: "not deflated data",
    };
    let fair = packed.saturating_mul(limits.ratio).max(FIRST);
    let bound = limits.decompressed.min(fair);
    let mut inflater = Decompress::new(false);
    let mut octets: Vec<u8> = Vec::with_capacity(bound.min(FIRST));
    loop {
        let consumed = usize::try_from(inflater.total_in()).map_err(|_| BROKEN)?;
        let rest = input.get(consumed..).ok_or(BROKEN)?;
        let before = (inflater.total_in(), octets.len());
        if octets.len() == octets.capacity() {
            // One octet more than may be there tells what breaks the bound from what fills it.
            let more = octets
                .capacity()
                .max(FIRST)
                .min((bound + 1).saturating_sub(octets.len()));
            octets.reserve_exact(more);
        }
        let status = inflater
            .decompress_vec(rest, &mut octets, FlushDecompress::None)
            .map_err(|_| BROKEN)?;
        if octets.len() > bound {
            return Err(if bound == limits.decompressed {
                ReadError::TooLarge { limit: bound }
            } else {
                ReadError::Ratio { limit: limits.ratio }
            });
        }
        if status == Status::StreamEnd {
            let consumed = usize::try_from(inflater.total_in()).map_err(|_| BROKEN)?;
            return Ok(Inflated { octets, consumed });
        }
        let stuck = (inflater.total_in(), octets.len()) == before;
        if stuck && octets.len() < octets.capacity() {
            return Err(ReadError::Corrupt { what: "ends too early" });
        }
    }
}
