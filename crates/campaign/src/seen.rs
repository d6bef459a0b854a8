//! Whom a run has written to.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use posthaste_address::EmailAddress;

/// Remembers addresses by a fingerprint of 128 bits, keyed at random: 16 octets each, and some for the table.
///
/// Two of a billion addresses are taken for the same with a chance below 1 in 10^20.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    keys: (RandomState, RandomState),
    fingerprints: HashSet<(u64, u64)>,
}

impl Seen {
    /// Remembers `address`; false if it was known. Local parts that differ in case are the same here: hardly a mail
    /// system tells them apart, and nobody wants a mail twice.
    pub(crate) fn insert(&mut self, address: &EmailAddress) -> bool {
        let local = address.local_part().to_lowercase();
        let whole = (local, address.domain());
        self.fingerprints
            .insert((self.keys.0.hash_one(&whole), self.keys.1.hash_one(&whole)))
    }
}
