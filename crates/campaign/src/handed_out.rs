//! How far a run has come.

use std::collections::BTreeSet;

/// Knows up to where everything was handed out, in whatever order.
#[derive(Debug)]
pub(crate) struct HandedOut {
    next: u64,
    beyond: BTreeSet<u64>,
}

impl HandedOut {
    /// Begins before the entry at `position`.
    pub(crate) fn from(position: u64) -> Self {
        Self {
            next: position,
            beyond: BTreeSet::new(),
        }
    }

    /// Returns the first position that was not handed out.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    pub(crate) fn add(&mut self, position: u64) {
        self.beyond.insert(position);
        while self.beyond.remove(&self.next) {
            self.next += 1;
        }
    }
}
