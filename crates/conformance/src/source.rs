//! Attachments that are made up as they are read, and what can be wrong with them.

use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};

use posthaste_mime::Source;

/// Bytes that nobody holds; no two pieces of them are alike.
#[derive(Debug)]
pub(crate) struct MadeUp {
    len: u64,
    wrong: Option<Wrong>,
    opened: AtomicU64,
}

/// What a source does that it must not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// It fails after so many bytes.
    FailsAt(u64),
    /// It ends after so many bytes.
    EndsAt(u64),
    /// It gives other bytes each time.
    Varies,
}

impl MadeUp {
    pub(crate) fn new(len: u64, wrong: Option<Wrong>) -> Self {
        Self {
            len,
            wrong,
            opened: AtomicU64::new(0),
        }
    }
}

impl Source for MadeUp {
    fn len(&self) -> u64 {
        self.len
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let opened = self.opened.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(Making {
            at: 0,
            end: self.len,
            wrong: self.wrong,
            seed: if self.wrong == Some(Wrong::Varies) { opened } else { 0 },
        }))
    }
}

struct Making {
    at: u64,
    end: u64,
    wrong: Option<Wrong>,
    seed: u64,
}

impl Read for Making {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let end = match self.wrong {
            Some(Wrong::FailsAt(at)) if self.at >= at => return Err(io::Error::other("the suite's source fails")),
            Some(Wrong::FailsAt(at) | Wrong::EndsAt(at)) => at,
            Some(Wrong::Varies) | None => self.end,
        };
        let mut count = 0;
        for (byte, at) in out.iter_mut().zip(self.at..end) {
            // The top byte of a product with an odd constant: it takes all values, in no short cycle.
            let mixed = at.wrapping_add(self.seed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            *byte = mixed.to_be_bytes().first().copied().unwrap_or_default();
            count += 1;
            self.at = at.saturating_add(1);
        }
        Ok(count)
    }
}
