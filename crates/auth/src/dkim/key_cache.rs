//! Public keys, kept as they were read.

use std::collections::HashMap;
use std::fmt;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use super::public_key::{KeyRecordError, PublicKey};

/// A key record as it was read.
pub(crate) type Record = Result<Arc<PublicKey>, KeyRecordError>;

/// Keeps the public keys of key records, so that a record which comes again need not be read again.
///
/// The text of the record is what keys are found by: one that changes in the DNS is read anew, and nothing here can get stale.
/// Verifying with an RSA key for the first time costs about as much again as each time later. It may be shared between threads.
///
/// At most twice [`new`](Self::new)'s capacity is kept; those that were not asked for longest go first. Records longer than 4096
/// octets are not kept.
///
/// # Examples
///
/// ```
/// use posthaste_auth::dkim::{KeyCache, Limits, verify_cached};
/// use posthaste_dns::Resolver;
///
/// # async fn example(messages: &[&[u8]], resolver: &dyn Resolver, now: std::time::SystemTime) {
/// let keys = KeyCache::new(1000);
/// for message in messages {
///     let verdicts = verify_cached(message, resolver, now, &Limits::default(), &keys).await;
///     println!("{} signatures", verdicts.len());
/// }
/// # }
/// ```
pub struct KeyCache {
    capacity: usize,
    generations: Mutex<Generations>,
}

/// What was asked for lately, and what was before that.
#[derive(Default)]
struct Generations {
    young: HashMap<Box<str>, Record>,
    old: HashMap<Box<str>, Record>,
}

/// Longest record that is kept, in octets.
const LONGEST: usize = 4096;

impl KeyCache {
    /// Makes an empty cache for `capacity` records and some more; zero keeps nothing.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            generations: Mutex::default(),
        }
    }

    /// Counts the records that are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        let generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        generations.young.len() + generations.old.len()
    }

    /// Tells whether nothing is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads a record, or finds what was read before.
    pub(crate) fn read(&self, record: &str) -> Record {
        if self.capacity == 0 || record.len() > LONGEST {
            return PublicKey::parse(record).map(Arc::new);
        }
        {
            let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = generations.young.get(record) {
                return known.clone();
            }
            if let Some((text, known)) = generations.old.remove_entry(record) {
                generations.keep(text, known.clone(), self.capacity);
                return known;
            }
        }
        let read = PublicKey::parse(record).map(Arc::new);
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        generations.keep(record.into(), read.clone(), self.capacity);
        read
    }
}

impl Generations {
    fn keep(&mut self, text: Box<str>, record: Record, capacity: usize) {
        if self.young.len() >= capacity {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(text, record);
    }
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyCache")
            .field("capacity", &self.capacity)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dkim::SigningKey;

    #[test]
    fn keeps_what_is_asked_for_and_not_too_much() {
        let record = SigningKey::generate_ed25519().unwrap().dns_record();
        let cache = KeyCache::new(10);
        let first = cache.read(&record).unwrap();
        for number in 0..1000 {
            assert_eq!(
                cache.read(&format!("v=DKIM1; p=; n={number}")).unwrap_err(),
                KeyRecordError::Revoked
            );
            assert!(Arc::ptr_eq(&first, &cache.read(&record).unwrap()));
            assert!(cache.len() <= 20);
        }
        let long = format!("{record}; n={}", "x".repeat(LONGEST));
        let before = cache.len();
        assert!(cache.read(&long).is_ok());
        assert_eq!(cache.len(), before);
        assert!(KeyCache::new(0).read(&record).is_ok());
    }
}
