//! How a cache is set up.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use super::{Cache, CachingResolver, State, store::Store};
use crate::Resolver;

/// The longest that a failure may be kept (RFC 9520 §3.2).
const MAX_FAILURE_TTL: Duration = Duration::from_secs(300);

/// Configures a [`CachingResolver`].
pub struct CachingBuilder {
    inner: Arc<dyn Resolver>,
    clock: Box<dyn Fn() -> Instant + Send + Sync>,
    entries: usize,
    octets: usize,
    min_ttl: Duration,
    max_ttl: Duration,
    max_negative_ttl: Duration,
    failure_ttl: Duration,
}

impl CachingBuilder {
    pub(super) fn new(inner: Arc<dyn Resolver>) -> Self {
        Self {
            inner,
            clock: Box::new(Instant::now),
            entries: 16_384,
            octets: 32 << 20,
            min_ttl: Duration::ZERO,
            max_ttl: Duration::from_secs(24 * 3600),
            max_negative_ttl: Duration::from_secs(3600),
            failure_ttl: Duration::from_secs(1),
        }
    }

    /// Sets how many answers to keep: 16384 unless told. With none, lookups are still shared.
    #[must_use]
    pub fn entries(mut self, entries: usize) -> Self {
        self.entries = entries;
        self
    }

    /// Sets about how many octets of memory the answers may take: 32 MiB unless told.
    #[must_use]
    pub fn octets(mut self, octets: usize) -> Self {
        self.octets = octets;
        self
    }

    /// Sets the least time for which an answer is kept, whatever it says: none unless told. Keep it to seconds: it
    /// holds on to what its owner wanted gone. Where it exceeds a greatest time, that one counts.
    #[must_use]
    pub fn min_ttl(mut self, ttl: Duration) -> Self {
        self.min_ttl = ttl;
        self
    }

    /// Sets the greatest time for which records are kept: a day unless told.
    #[must_use]
    pub fn max_ttl(mut self, ttl: Duration) -> Self {
        self.max_ttl = ttl;
        self
    }

    /// Sets the greatest time for which "there is none" is kept: an hour unless told (RFC 2308 §5 wants one to three).
    #[must_use]
    pub fn max_negative_ttl(mut self, ttl: Duration) -> Self {
        self.max_negative_ttl = ttl;
        self
    }

    /// Sets for how long a failure is kept: one second unless told, and at most five minutes (RFC 9520 §3.2). With
    /// zero, no failure is kept.
    #[must_use]
    pub fn failure_ttl(mut self, ttl: Duration) -> Self {
        self.failure_ttl = ttl.min(MAX_FAILURE_TTL);
        self
    }

    /// Sets the clock: the system's monotonic one unless told.
    #[must_use]
    pub fn clock(mut self, now: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        self.clock = Box::new(now);
        self
    }

    /// Makes the resolver. Nothing is asked yet.
    pub fn build(self) -> CachingResolver {
        CachingResolver {
            cache: Arc::new(Cache {
                inner: self.inner,
                clock: self.clock,
                min_ttl: self.min_ttl,
                max_ttl: self.max_ttl,
                max_negative_ttl: self.max_negative_ttl,
                failure_ttl: self.failure_ttl,
                state: Mutex::new(State {
                    store: Store::new(self.entries, self.octets),
                    flights: HashMap::new(),
                    number: 0,
                    hits: 0,
                    misses: 0,
                    shared: 0,
                }),
            }),
        }
    }
}

impl fmt::Debug for CachingBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachingBuilder")
            .field("inner", &self.inner)
            .field("entries", &self.entries)
            .field("octets", &self.octets)
            .field("min_ttl", &self.min_ttl)
            .field("max_ttl", &self.max_ttl)
            .field("max_negative_ttl", &self.max_negative_ttl)
            .field("failure_ttl", &self.failure_ttl)
            .finish_non_exhaustive()
    }
}
