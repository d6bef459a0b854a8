//! A file that does not exist.

use std::io::{self, Read};

use posthaste::Source;

/// As many bytes as wished, made up as they are read. Nobody ever holds them.
#[derive(Debug)]
pub(crate) struct Generated(pub(crate) u64);

impl Source for Generated {
    fn len(&self) -> u64 {
        self.0
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let page: Vec<u8> = std::iter::from_fn(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            Some(state.to_le_bytes())
        })
        .flatten()
        // Of an odd length, so that no two pieces of a message are alike.
        .take(65_521)
        .collect();
        Ok(Box::new(Repeated { page, at: 0 }.take(self.0)))
    }
}

struct Repeated {
    page: Vec<u8>,
    at: usize,
}

impl Read for Repeated {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let rest = self.page.get(self.at..).unwrap_or_default();
        let count = (&mut &*rest).read(out)?;
        self.at = (self.at + count) % self.page.len();
        Ok(count)
    }
}
