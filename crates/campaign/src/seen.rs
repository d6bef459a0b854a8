//! Whom a run has written to.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use posthaste_address::{EmailAddress, KeyRules};

/// Remembers addresses by a fingerprint of 128 bits, keyed at random: 16 octets each, and some for the table.
///
/// Two of a billion addresses are taken for the same with a chance below 1 in 10^20.
#[derive(Debug)]
pub(crate) struct Seen {
    rules: KeyRules,
    keys: (RandomState, RandomState),
    fingerprints: HashSet<(u64, u64)>,
}

impl Seen {
    pub(crate) fn new(rules: KeyRules) -> Self {
        Self {
            rules,
            keys: Default::default(),
            fingerprints: HashSet::new(),
        }
    }

    /// Remembers `address`; false if it was known.
    pub(crate) fn insert(&mut self, address: &EmailAddress) -> bool {
        let key = address.key(&self.rules);
        self.fingerprints
            .insert((self.keys.0.hash_one(&key), self.keys.1.hash_one(&key)))
    }
}
