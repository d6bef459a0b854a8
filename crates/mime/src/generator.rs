//! Where dates, Message-IDs and boundaries come from.

use std::collections::hash_map::RandomState;
use std::fmt::Debug;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use posthaste_address::Domain;

/// Tells the time of day.
pub trait Clock: Debug + Send + Sync + 'static {
    /// Returns the present time.
    fn now(&self) -> SystemTime;
}

/// Gives out ids.
///
/// Ids become Message-IDs and MIME boundaries, so nobody must be able to guess one: 128 random bits in production.
pub trait IdSource: Debug + Send + Sync + 'static {
    /// Returns an id that was not returned before.
    fn next_id(&self) -> [u8; 16];
}

/// Supplies what a message needs and its author did not give: its date, its Message-ID, its boundaries.
///
/// Clones share the clock and the id source.
///
/// # Examples
///
/// ```
/// use std::time::SystemTime;
/// use posthaste_mime::{Generator, Message};
///
/// let build = || {
///     Message::builder()
///         .generator(&Generator::fixed(SystemTime::UNIX_EPOCH, 1))
///         .from("ada@example.org".parse().unwrap())
///         .build()
///         .unwrap()
///         .to_bytes()
///         .unwrap()
/// };
/// assert_eq!(build(), build());
/// ```
#[derive(Clone, Debug)]
pub struct Generator {
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    message_id_domain: Option<Domain>,
}

impl Generator {
    /// Makes a generator from a clock and an id source.
    pub fn new(clock: Arc<dyn Clock>, ids: Arc<dyn IdSource>) -> Self {
        Self {
            clock,
            ids,
            message_id_domain: None,
        }
    }

    /// Makes a generator that uses the system's clock and randomness.
    pub fn system() -> Self {
        Self::new(Arc::new(SystemClock), Arc::new(SystemIds))
    }

    /// Makes a generator whose output depends on `now` and `seed` only: for tests and reproducible builds.
    ///
    /// Its ids can be guessed. Do not send mail with it that holds text of others.
    pub fn fixed(now: SystemTime, seed: u64) -> Self {
        Self::new(
            Arc::new(FixedClock(now)),
            Arc::new(SeededIds {
                seed,
                count: AtomicU64::new(0),
            }),
        )
    }

    /// Sets the domain of generated Message-IDs; without it they take the domain of the first author.
    #[must_use]
    pub fn message_id_domain(mut self, domain: Domain) -> Self {
        self.message_id_domain = Some(domain);
        self
    }

    /// Returns the present time, by its clock.
    pub fn now(&self) -> SystemTime {
        self.clock.now()
    }

    pub(crate) fn next_id(&self) -> [u8; 16] {
        self.ids.next_id()
    }

    pub(crate) fn own_domain(&self) -> Option<&Domain> {
        self.message_id_domain.as_ref()
    }
}

impl Default for Generator {
    fn default() -> Self {
        Self::system()
    }
}

#[derive(Debug)]
struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

#[derive(Debug)]
struct FixedClock(SystemTime);

impl Clock for FixedClock {
    fn now(&self) -> SystemTime {
        self.0
    }
}

#[derive(Debug)]
struct SystemIds;

impl IdSource for SystemIds {
    fn next_id(&self) -> [u8; 16] {
        let mut id = [0; 16];
        if getrandom::fill(&mut id).is_err() {
            // No randomness from the system: the keys that the standard library hashes with are the next best.
            let half = || RandomState::new().build_hasher().finish();
            id = (u128::from(half()) << 64 | u128::from(half())).to_le_bytes();
        }
        id
    }
}

#[derive(Debug)]
struct SeededIds {
    seed: u64,
    count: AtomicU64,
}

impl IdSource for SeededIds {
    fn next_id(&self) -> [u8; 16] {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let high = mix(self.seed ^ mix(count));
        let low = mix(high ^ count.wrapping_add(1));
        (u128::from(high) << 64 | u128::from(low)).to_be_bytes()
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// Writes `id` in lower-case hexadecimal.
pub(crate) fn hex(id: [u8; 16]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    id.iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_seeded_ones_repeat() {
        let ids = |generator: &Generator| [generator.next_id(), generator.next_id(), generator.next_id()];
        let first = ids(&Generator::fixed(SystemTime::UNIX_EPOCH, 7));
        assert_eq!(first, ids(&Generator::fixed(SystemTime::UNIX_EPOCH, 7)));
        assert_ne!(first, ids(&Generator::fixed(SystemTime::UNIX_EPOCH, 8)));
        assert_ne!(first[0], first[1]);
        assert_ne!(first[1], first[2]);
        let random = ids(&Generator::system());
        assert_ne!(random[0], random[1]);
    }
}
