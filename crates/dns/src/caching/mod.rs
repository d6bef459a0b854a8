//! A resolver that keeps answers for as long as they say.

mod builder;
mod store;

use std::{
    collections::HashMap,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

pub use builder::CachingBuilder;
use futures_util::future::{FutureExt, Shared, WeakShared};

use self::store::{Key, Store};
use crate::{Answer, LookupError, LookupFuture, RecordType, Resolver, name::normalise};

type Outcome = Result<Answer, LookupError>;
type Lookup = Shared<Pin<Box<dyn Future<Output = Outcome> + Send>>>;

/// Keeps the answers of another resolver for as long as they may be kept. Clones share what is kept.
///
/// - What is there is kept for its time to live, and what is not for that of the SOA record (RFC 2308 §5), both within
///   bounds that can be set. The time to live that is handed out counts down. "There is none" without an SOA record is
///   not kept.
/// - A failure is kept for one second unless told (RFC 9520 §3.2), so that a broken domain is not asked at full speed.
/// - Those who ask the same question at the same time share one lookup. It goes on as long as one of them waits.
/// - Entries and their octets are bounded. What expired or was not asked for lately makes room.
/// - Names compare without case. The DNSSEC status stays with the answer.
///
/// `HickoryResolver` has one in it already. To set up more of it than the size, give that none of its own
/// (`cache_size(0)`) and put this in front.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use posthaste_dns::{CachingResolver, ResolverExt, Zone};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let zone = Arc::new(Zone::parse("example.org. 300 TXT \"v=spf1 -all\"")?);
/// let resolver = CachingResolver::new(zone.clone());
///
/// resolver.txt("example.org").await?;
/// resolver.txt("Example.ORG.").await?;
/// assert_eq!(zone.queries(), 1);
/// assert_eq!(resolver.stats().hits, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct CachingResolver {
    cache: Arc<Cache>,
}

/// Counts what a [`CachingResolver`] did and holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStats {
    /// Questions answered from what was kept.
    pub hits: u64,
    /// Questions that were passed on.
    pub misses: u64,
    /// Questions that waited for the answer to the same question of somebody else.
    pub shared: u64,
    /// Answers that made room before they expired.
    pub evicted: u64,
    /// Answers held, expired ones included.
    pub entries: usize,
    /// About how much memory they take.
    pub octets: usize,
}

/// What the clones share.
struct Cache {
    inner: Arc<dyn Resolver>,
    clock: Box<dyn Fn() -> Instant + Send + Sync>,
    min_ttl: Duration,
    max_ttl: Duration,
    max_negative_ttl: Duration,
    failure_ttl: Duration,
    state: Mutex<State>,
}

struct State {
    store: Store,
    flights: HashMap<Key, Flight>,
    /// Numbers the flights, so that one that was given up takes nothing away from the next.
    number: u64,
    hits: u64,
    misses: u64,
    shared: u64,
}

/// A lookup under way. Only those who wait for it keep it alive.
struct Flight {
    number: u64,
    lookup: WeakShared<Pin<Box<dyn Future<Output = Outcome> + Send>>>,
}

/// Takes a flight off the list when it ends, however it ends.
struct Landing {
    cache: Arc<Cache>,
    key: Key,
    number: u64,
}

enum Begun {
    Kept(Arc<Outcome>, Duration),
    Asked(Lookup),
}

impl CachingResolver {
    /// Keeps the answers of `inner`, with the defaults of [`builder`](Self::builder).
    pub fn new(inner: impl Resolver + 'static) -> Self {
        Self::builder(inner).build()
    }

    /// Starts a configuration of a cache in front of `inner`.
    pub fn builder(inner: impl Resolver + 'static) -> CachingBuilder {
        CachingBuilder::new(Arc::new(inner))
    }

    /// Tells what was done so far, and what is held.
    pub fn stats(&self) -> CacheStats {
        let state = self.cache.state();
        CacheStats {
            hits: state.hits,
            misses: state.misses,
            shared: state.shared,
            evicted: state.store.evicted(),
            entries: state.store.len(),
            octets: state.store.octets(),
        }
    }

    /// Forgets every answer. Lookups under way still answer those who wait, and are not kept.
    pub fn clear(&self) {
        let mut state = self.cache.state();
        state.store.clear();
        state.flights.clear();
    }

    /// Forgets the answer to one question, as after a change to one's own zone.
    pub fn forget(&self, name: &str, kind: RecordType) {
        let Ok(name) = normalise(name) else { return };
        let key = Key { name, kind };
        let mut state = self.cache.state();
        state.store.remove(&key);
        state.flights.remove(&key);
    }
}

impl Cache {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds the answer, or somebody who is asking, or asks.
    fn begin(self: &Arc<Self>, name: &str, kind: RecordType) -> Result<Begun, LookupError> {
        let key = Key {
            name: normalise(name)?,
            kind,
        };
        let now = (self.clock)();
        let mut state = self.state();
        if let Some((outcome, left)) = state.store.get(&key, now) {
            state.hits += 1;
            return Ok(Begun::Kept(outcome, left));
        }
        if let Some(lookup) = state.flights.get(&key).and_then(|flight| flight.lookup.upgrade()) {
            state.shared += 1;
            return Ok(Begun::Asked(lookup));
        }
        state.misses += 1;
        state.number += 1;
        let landing = Landing {
            cache: Arc::clone(self),
            key: key.clone(),
            number: state.number,
        };
        let lookup = landing.fly().boxed().shared();
        if let Some(weak) = lookup.downgrade() {
            let flight = Flight {
                number: state.number,
                lookup: weak,
            };
            state.flights.insert(key, flight);
        }
        Ok(Begun::Asked(lookup))
    }

    /// Sets the time to live to what is left of it here. Gives it back when the outcome may be kept.
    fn clamp(&self, outcome: &mut Outcome) -> Option<Duration> {
        let ttl = match outcome {
            Ok(answer) => {
                let ttl = answer.ttl().max(self.min_ttl).min(self.max_ttl);
                answer.set_ttl(ttl);
                ttl
            }
            Err(LookupError::NxDomain(negative) | LookupError::NoData(negative)) => {
                let ttl = negative.ttl?.max(self.min_ttl).min(self.max_negative_ttl);
                negative.ttl = Some(ttl);
                ttl
            }
            Err(LookupError::InvalidName) => return None,
            Err(_) => self.failure_ttl,
        };
        (ttl > Duration::ZERO).then_some(ttl)
    }
}

impl Landing {
    /// Asks, and keeps what comes of it.
    async fn fly(self) -> Outcome {
        let mut outcome = self.cache.inner.lookup(&self.key.name, self.key.kind).await;
        let ttl = self.cache.clamp(&mut outcome);
        let now = (self.cache.clock)();
        if let Some(expires) = ttl.and_then(|ttl| now.checked_add(ttl)) {
            let kept = Arc::new(outcome.clone());
            let mut state = self.cache.state();
            // Not one that was told to forget meanwhile. The flight ends under the same lock, so that whoever comes
            // next finds either it or its answer.
            if state.end(&self.key, self.number) {
                state.store.insert(self.key.clone(), kept, expires, now);
            }
        }
        outcome
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.cache.state().end(&self.key, self.number);
    }
}

impl State {
    /// Takes a flight off the list. Tells whether it was there.
    fn end(&mut self, key: &Key, number: u64) -> bool {
        let there = self.flights.get(key).is_some_and(|flight| flight.number == number);
        if there {
            self.flights.remove(key);
        }
        there
    }
}

#[deny(clippy::missing_trait_methods)]
impl Resolver for CachingResolver {
    fn lookup<'a>(&'a self, name: &'a str, kind: RecordType) -> LookupFuture<'a> {
        Box::pin(async move {
            match self.cache.begin(name, kind)? {
                Begun::Kept(outcome, left) => count_down((*outcome).clone(), left),
                Begun::Asked(lookup) => lookup.await,
            }
        })
    }
}

/// Says in an outcome for how long it will still be kept.
fn count_down(mut outcome: Outcome, left: Duration) -> Outcome {
    match &mut outcome {
        Ok(answer) => answer.set_ttl(left),
        Err(LookupError::NxDomain(negative) | LookupError::NoData(negative)) => negative.ttl = Some(left),
        Err(_) => {}
    }
    outcome
}

impl fmt::Debug for CachingResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachingResolver")
            .field("inner", &self.cache.inner)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
