use std::borrow::Borrow;
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hashbrown::DefaultHashBuilder;

use crate::clock::{Clock, SystemClock};
use crate::decision::{Allowance, Decision};
use crate::limit::{Limit, moment};
use crate::shard::{Hashed, Shard};
use crate::snapshot::Snapshot;

/// How many keys a limiter keeps unless told otherwise.
const MAX_KEYS: usize = 65_536;
/// The most locks that the keys are spread over, and the fewest keys for which another lock is worth while.
const MAX_SHARDS: usize = 64;
const MIN_ROOM: usize = 1024;

/// Holds every key to a limit. Clones share one state.
///
/// A key is anything with `Hash` and `Eq`: a tenant, a domain, a pair of both. Calls take whatever the key type borrows as,
/// so a `Limiter<String>` is asked with a `&str`, and nothing is allocated for a key that is already known.
///
/// # Keys and memory
///
/// A key that is used for the first time starts with its full allowance. A key that is back at its full allowance may be
/// dropped, which changes nothing that it could notice; that happens when the table is full, and in
/// [`Self::retain_active`]. When [`LimiterBuilder::max_keys`] keys are busy, further keys share one allowance under the
/// default limit, and those that get a place of their own later start from what was left of it: a flood of made-up keys
/// slows down newcomers, but lets no key exceed its limit and forgets none that is in use. Keys
/// [with a limit of their own](Self::set_limit) always have their place.
///
/// # Examples
///
/// ```
/// use posthaste_limit::{Decision, Limit, Limiter};
///
/// let limiter = Limiter::<String>::new(Limit::per_second(5)?);
/// limiter.set_limit("gold".to_owned(), Limit::per_second(100)?);
///
/// match limiter.try_acquire("gold", 1) {
///     Decision::Admitted => { /* send */ }
///     Decision::Wait(wait) => println!("again in {wait:?}"),
///     _ => println!("more at once than the limit ever admits"),
/// }
/// # Ok::<(), posthaste_limit::LimitError>(())
/// ```
pub struct Limiter<K> {
    shared: Arc<Shared<K>>,
}

struct Shared<K> {
    // A power of two.
    shards: Box<[Mutex<Shard<K>>]>,
    // Seeded at random, so that nobody outside knows which keys collide.
    hasher: DefaultHashBuilder,
    clock: Arc<dyn Clock>,
}

impl<K: Hash + Eq> Limiter<K> {
    /// Makes a limiter that holds every key to `limit`, by the system's clock.
    #[must_use]
    pub fn new(limit: Limit) -> Self {
        Self::builder(limit).build()
    }

    /// Starts a limiter with other settings.
    pub fn builder(limit: Limit) -> LimiterBuilder<K> {
        LimiterBuilder {
            limit,
            max_keys: MAX_KEYS,
            clock: None,
            key: PhantomData,
        }
    }

    /// Admits `n` for `key` now and counts them, or says how long to wait and counts nothing.
    ///
    /// `n` = 0 is always admitted.
    pub fn try_acquire<Q>(&self, key: &Q, n: u32) -> Decision
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        // The clock is read last: it makes the processor finish what it has begun, so the hash is better begun before.
        let at = self.hashed(key);
        let now = self.now();
        self.shard(at.hash).acquire(at, n, now, &self.shared.hasher)
    }

    /// Decides as [`Self::try_acquire`], at a reading of the limiter's clock that the caller already has.
    ///
    /// A reading older than one that the key has already seen counts as the later one.
    pub fn try_acquire_at<Q>(&self, key: &Q, n: u32, now: Duration) -> Decision
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        let at = self.hashed(key);
        self.shard(at.hash).acquire(at, n, moment(now), &self.shared.hasher)
    }

    /// Gives back `n` that were admitted for `key` and not used, say because the send failed.
    ///
    /// The rate gets back at most a full burst. The quota gives up its oldest counts first, so what stays counted is counted
    /// for longer rather than for less long. What is admitted *less what is refunded* keeps to the limit in every span of
    /// time; so refund what did not happen, soon, and once. For a key that the limiter does not know this does nothing.
    pub fn refund<Q>(&self, key: &Q, n: u32)
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let (at, now) = (self.hashed(key), self.now());
        self.shard(at.hash).refund(at, n, now);
    }

    /// Shows what `key` has left, and takes nothing.
    #[must_use]
    pub fn peek<Q>(&self, key: &Q) -> Allowance
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let (at, now) = (self.hashed(key), self.now());
        self.shard(at.hash).peek(at, now)
    }

    /// Returns the limit that `key` is held to.
    pub fn limit<Q>(&self, key: &Q) -> Limit
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let at = self.hashed(key);
        self.shard(at.hash).limit(at)
    }

    /// Holds `key` to a limit of its own from now on.
    ///
    /// What it has used stays used: a burst half spent under the old rate is owed under the new one, and the quota's
    /// last 24 hours count against the new quota. Without a quota nothing is counted, so a first quota starts from now.
    pub fn set_limit(&self, key: K, limit: Limit) {
        let (hash, now) = (self.shared.hasher.hash_one(&key), self.now());
        self.shard(hash).set_limit(key, hash, limit, now, &self.shared.hasher);
    }

    /// Holds `key` to the default limit again; what it has used stays used.
    pub fn clear_limit<Q>(&self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let (at, now) = (self.hashed(key), self.now());
        self.shard(at.hash).clear_limit(at, now);
    }

    /// Changes the limit of all keys that have none of their own; what they have used stays used.
    ///
    /// Every key is changed at once, but not all at the same instant: a call for another key may still meet the old limit.
    pub fn set_default_limit(&self, limit: Limit) {
        let now = self.now();
        for shard in &self.shared.shards {
            lock(shard).set_default(limit, now);
        }
    }

    /// Drops the keys that are back at their full allowance, and gives their memory back.
    ///
    /// Never needed to keep within [`LimiterBuilder::max_keys`]; useful after a rush.
    pub fn retain_active(&self) {
        let now = self.now();
        for shard in &self.shared.shards {
            lock(shard).retain_active(now, &self.shared.hasher);
        }
    }

    /// Returns how many keys are known at present.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    /// Returns whether no key is known at present.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes down what `key` has used, to be restored after a restart; `None` if it has its full allowance.
    #[must_use]
    pub fn snapshot<Q>(&self, key: &Q) -> Option<Snapshot>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let (at, now) = (self.hashed(key), self.now());
        let snapshot = self
            .shard(at.hash)
            .with(at, |limit, state| Snapshot::take(state, limit, now))?;
        (!snapshot.is_empty()).then_some(snapshot)
    }

    /// Takes down what every key has used, to be restored after a restart.
    #[must_use]
    pub fn snapshots(&self) -> Vec<(K, Snapshot)>
    where
        K: Clone,
    {
        let now = self.now();
        let mut all = Vec::new();
        for shard in &self.shared.shards {
            lock(shard).for_each(|key, limit, state| {
                let snapshot = Snapshot::take(state, limit, now);
                if !snapshot.is_empty() {
                    all.push((key.clone(), snapshot));
                }
            });
        }
        all
    }

    /// Adds what a snapshot took down to what `key` has used since.
    ///
    /// `age` is the time since the snapshot was taken, by a clock that survives a restart. If in doubt give less: the
    /// key then waits longer, never less long. Limits of single keys are not part of a snapshot; set them first.
    pub fn restore(&self, key: K, snapshot: &Snapshot, age: Duration) {
        let (hash, now) = (self.shared.hasher.hash_one(&key), self.now());
        self.shard(hash)
            .with_or_insert(key, hash, now, &self.shared.hasher, |limit, state| {
                snapshot.give(state, limit, age, now);
            });
    }

    fn now(&self) -> u64 {
        moment(self.shared.clock.now())
    }

    fn hashed<'a, Q: Hash + ?Sized>(&self, key: &'a Q) -> Hashed<'a, Q> {
        Hashed {
            key,
            hash: self.shared.hasher.hash_one(key),
        }
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "the mask keeps the index below the power of two that is the length"
    )]
    fn shard(&self, hash: u64) -> MutexGuard<'_, Shard<K>> {
        // The table takes its slot from the low bits and its tag from the top ones.
        let index = (hash >> 32) as usize & (self.shared.shards.len() - 1);
        lock(&self.shared.shards[index])
    }
}

/// A key whose `Eq` panicked has changed nothing, so what it left behind can be used.
fn lock<K>(shard: &Mutex<Shard<K>>) -> MutexGuard<'_, Shard<K>> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<K> Clone for Limiter<K> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<K> fmt::Debug for Limiter<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter")
            .field("shards", &self.shared.shards.len())
            .field("clock", &self.shared.clock)
            .finish_non_exhaustive()
    }
}

/// Sets up a [`Limiter`].
#[derive(Clone, Debug)]
#[must_use]
pub struct LimiterBuilder<K> {
    limit: Limit,
    max_keys: usize,
    clock: Option<Arc<dyn Clock>>,
    key: PhantomData<fn() -> K>,
}

impl<K: Hash + Eq> LimiterBuilder<K> {
    /// Sets how many keys may be busy at once before newcomers share one allowance; 65 536 unless set.
    ///
    /// Under a rate alone a key is busy for moments; under a quota it is busy until a day after its last use, and newcomers that
    /// inherit a spent quota wait as long. So with a quota, make this larger than the number of keys of a day, and ask only
    /// about keys that mean something: a tenant that exists, not a name that a stranger sent.
    ///
    /// A key takes some 150 bytes and its own text; one with a quota takes up to 2.5 KB more when it is busy all day.
    pub fn max_keys(self, max_keys: usize) -> Self {
        Self { max_keys, ..self }
    }

    /// Sets the clock; the system's monotonic clock unless set.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self {
            clock: Some(Arc::new(clock)),
            ..self
        }
    }

    /// Makes the limiter.
    #[must_use]
    pub fn build(self) -> Limiter<K> {
        let shards = match (self.max_keys / MIN_ROOM).clamp(1, MAX_SHARDS) {
            exact if exact.is_power_of_two() => exact,
            other => other.next_power_of_two() / 2,
        };
        let room = self.max_keys / shards;
        Limiter {
            shared: Arc::new(Shared {
                shards: (0..shards).map(|_| Mutex::new(Shard::new(self.limit, room))).collect(),
                hasher: DefaultHashBuilder::default(),
                clock: self.clock.unwrap_or_else(|| Arc::new(SystemClock::new())),
            }),
        }
    }
}
