//! Limits in Valkey or Redis.

mod coarse;
mod link;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ::redis::Script;

use self::coarse::coarse;
use self::link::Link;
use super::limits::{Limits, Step, Terms, allowance, decision};
use super::{SharedFuture, SharedLimiter, StoreError};
use crate::{Allowance, Clock, Decision, Limit};

/// Holds keys to limits that many processes share through Valkey or Redis, from version 5 on. Clones share the connection.
///
/// A decision is one script and one round trip, by the server's clock; concurrent calls share one connection and go out together. The
/// script is sent by its hash, and whole only to a server that does not know it. Each key's state is one hash, named with a hash tag
/// (`posthaste:limit:{key}`), so a key is in one slot of a cluster, but the client asks one server: a proxy of the cluster's, or one that has all
/// slots. A key goes away by itself when the key is back at its full allowance.
///
/// Limits are told to each process as with [`Limiter`](crate::Limiter), and kept there: all that share a key should say the same. What was used stays
/// used when they change. The rate is decided in whole microseconds and never admits more than it says;
/// it is exact unless it has so many digits, and its burst is so wide, that a double cannot hold their product; the quota counts in
/// the same five-minute buckets as that of [`Limiter`](crate::Limiter).
///
/// # Examples
///
/// ```no_run
/// use posthaste_limit::{Decision, Limit, OnOutage, RedisLimiter, SharedLimiter, SharedLimiterExt};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let limiter = RedisLimiter::new("redis://127.0.0.1/", Limit::per_second(14)?.per_day(50_000)?)?;
/// limiter.set_limit("gold".to_owned(), Limit::per_second(100)?);
/// let limiter = limiter.on_outage(OnOutage::Refuse);
/// match limiter.acquire("tenant-7", 1).await? {
///     Decision::Admitted => { /* send */ }
///     other => println!("again in {:?}", other.wait()),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisLimiter {
    shared: Arc<Shared>,
}

struct Shared {
    link: Link,
    limits: Limits,
    prefix: String,
    script: Script,
}

impl RedisLimiter {
    /// Makes a limiter that holds every key to `limit`. It connects when it is first asked.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Config`](crate::StoreErrorKind::Config) if `url` is none of `redis://`, `valkey://` or `redis+unix://`.
    pub fn new(url: &str, limit: Limit) -> Result<Self, StoreError> {
        Self::builder(url, limit).build()
    }

    /// Starts a limiter with other settings.
    pub fn builder(url: &str, limit: Limit) -> RedisLimiterBuilder {
        RedisLimiterBuilder {
            url: url.to_owned(),
            limit,
            prefix: "posthaste:limit:".to_owned(),
            timeout: Duration::from_secs(1),
            clock: None,
        }
    }

    /// Returns the limit that `key` is held to.
    pub fn limit(&self, key: &str) -> Limit {
        self.shared.limits.of(key)
    }

    /// Holds `key` to a limit of its own from now on, in this process; what was used stays used.
    pub fn set_limit(&self, key: String, limit: Limit) {
        self.shared.limits.set(key, limit);
    }

    /// Holds `key` to the default limit again.
    pub fn clear_limit(&self, key: &str) {
        self.shared.limits.clear(key);
    }

    /// Changes the limit of all keys that have none of their own, in this process.
    pub fn set_default_limit(&self, limit: Limit) {
        self.shared.limits.set_default(limit);
    }

    async fn run<T: ::redis::FromRedisValue>(
        &self,
        what: &'static str,
        key: &str,
        n: u32,
        terms: Terms,
    ) -> Result<T, StoreError> {
        let terms = coarse(terms);
        let Shared {
            link, prefix, script, ..
        } = &*self.shared;
        let mut invocation = script.key(format!("{prefix}{{{key}}}"));
        invocation
            .arg(what)
            .arg(n)
            .arg(terms.permits)
            .arg(terms.period)
            .arg(terms.burst)
            .arg(terms.quota);
        match terms.now {
            Some(now) => invocation.arg(now),
            None => invocation.arg(""),
        };
        link.invoke(&invocation).await
    }
}

impl fmt::Debug for RedisLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisLimiter")
            .field("limits", &self.shared.limits)
            .field("prefix", &self.shared.prefix)
            .finish_non_exhaustive()
    }
}

#[deny(clippy::missing_trait_methods)]
impl SharedLimiter for RedisLimiter {
    fn acquire<'a>(&'a self, key: &'a str, n: u32) -> SharedFuture<'a, Decision> {
        Box::pin(async move {
            match self.shared.limits.step(key, n)? {
                Step::Known(decision) => Ok(decision),
                Step::Ask(terms) => self.run("take", key, n, terms).await.map(decision),
            }
        })
    }

    fn refund<'a>(&'a self, key: &'a str, n: u32) -> SharedFuture<'a, ()> {
        Box::pin(async move {
            match self.shared.limits.look(key)? {
                Some(terms) if n > 0 => self.run::<i64>("give", key, n, terms).await.map(|_| ()),
                _ => Ok(()),
            }
        })
    }

    fn peek<'a>(&'a self, key: &'a str) -> SharedFuture<'a, Allowance> {
        Box::pin(async move {
            match self.shared.limits.look(key)? {
                None => Ok(Allowance::boundless()),
                Some(terms) => {
                    let (rate, quota, next, full) = self.run("look", key, 1, terms).await?;
                    Ok(allowance([rate, quota, next, full], &self.limit(key)))
                }
            }
        })
    }
}

/// Sets up a [`RedisLimiter`].
#[derive(Clone)]
#[must_use]
pub struct RedisLimiterBuilder {
    url: String,
    limit: Limit,
    prefix: String,
    timeout: Duration,
    clock: Option<Arc<dyn Clock>>,
}

impl RedisLimiterBuilder {
    /// Sets what stands in front of each key in the store; `posthaste:limit:` unless set.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets how long one call may take, connecting included; a second unless set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets a clock in the place of the server's, for tests; all that share a key must share it.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Makes the limiter. It connects when it is first asked.
    ///
    /// # Errors
    ///
    /// As [`RedisLimiter::new`].
    pub fn build(self) -> Result<RedisLimiter, StoreError> {
        Ok(RedisLimiter {
            shared: Arc::new(Shared {
                link: Link::new(&self.url, self.timeout)?,
                limits: Limits::new(self.limit, self.clock),
                prefix: self.prefix,
                script: Script::new(include_str!("limit.lua")),
            }),
        })
    }
}

impl fmt::Debug for RedisLimiterBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may have a password.
        f.debug_struct("RedisLimiterBuilder")
            .field("limit", &self.limit)
            .field("prefix", &self.prefix)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
