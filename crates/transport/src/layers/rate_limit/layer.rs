//! The value that is configured.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use posthaste_limit::{Limiter, SharedLimiter};

use super::RateLimited;
use super::counter::Counter;
use crate::{Layer, Timer, TokioTimer, Transport};

/// Waits until a rate and a quota allow a send. Clones share the limiter, and so do transports made with it.
///
/// A message counts once for each recipient, as providers count. A send that cannot be admitted before its deadline fails
/// with [`Throttled`](crate::ErrorKind::Throttled), nothing accepted, and the wait in
/// [`SendError::retry_after`](crate::SendError::retry_after); one with more recipients than the limit ever admits at once
/// fails with [`Invalid`](crate::ErrorKind::Invalid). A send that fails before any I/O is not counted.
///
/// Right: `transport.layer(RateLimit::new(..)).layer(Retry::new(..))`, where each attempt counts. Wrong: the other way round,
/// where three attempts count as one.
///
/// # Examples
///
/// ```
/// use posthaste_limit::{Limit, Limiter};
/// use posthaste_transport::layers::RateLimit;
/// use posthaste_transport::{MemoryTransport, TransportExt};
///
/// let limiter = Limiter::new(Limit::per_second(14)?.per_day(50_000)?);
/// let transport = MemoryTransport::new().layer(RateLimit::new(limiter, "ses".to_owned()));
/// # Ok::<(), posthaste_limit::LimitError>(())
/// ```
#[derive(Debug)]
pub struct RateLimit<K> {
    counter: Counter<K>,
    timer: Arc<dyn Timer>,
}

impl<K> RateLimit<K> {
    /// Asks `limiter` about `key`.
    #[must_use]
    pub fn new(limiter: Limiter<K>, key: K) -> Self {
        Self {
            counter: Counter::Own(limiter, key),
            timer: Arc::new(TokioTimer::new()),
        }
    }

    /// Replaces the timer that it waits by. The limiter has a clock of its own.
    #[must_use]
    pub fn with_timer(mut self, timer: Arc<dyn Timer>) -> Self {
        self.timer = timer;
        self
    }
}

impl RateLimit<String> {
    /// Asks a limiter that other processes share about `key`.
    ///
    /// While its store does not answer, a send fails with [`Unavailable`](crate::ErrorKind::Unavailable), nothing accepted; see
    /// [`SharedLimiterExt::on_outage`](posthaste_limit::SharedLimiterExt::on_outage) for other choices. What else is wrong with the
    /// store fails with [`Invalid`](crate::ErrorKind::Invalid).
    ///
    /// # Examples
    ///
    /// ```
    /// use posthaste_limit::{OnOutage, SharedLimiter, SharedLimiterExt};
    /// use posthaste_transport::layers::RateLimit;
    /// use posthaste_transport::{MemoryTransport, TransportExt};
    ///
    /// # fn example(limiter: impl SharedLimiter) {
    /// // limiter: RedisLimiter::new("redis://127.0.0.1/", Limit::per_second(14)?)?
    /// let limiter = limiter.on_outage(OnOutage::Admit);
    /// let transport = MemoryTransport::new().layer(RateLimit::shared(limiter, "ses"));
    /// # }
    /// ```
    #[must_use]
    pub fn shared(limiter: impl SharedLimiter, key: impl Into<String>) -> Self {
        Self {
            counter: Counter::Shared(Arc::new(limiter), key.into()),
            timer: Arc::new(TokioTimer::new()),
        }
    }
}

impl<K: Clone> Clone for RateLimit<K> {
    fn clone(&self) -> Self {
        Self {
            counter: self.counter.clone(),
            timer: Arc::clone(&self.timer),
        }
    }
}

impl<K, T> Layer<T> for RateLimit<K>
where
    K: Hash + Eq + Clone + Debug + Send + Sync + 'static,
    T: Transport,
{
    type Transport = RateLimited<K, T>;

    fn layer(&self, inner: T) -> Self::Transport {
        RateLimited::new(inner, self.counter.clone(), Arc::clone(&self.timer))
    }
}
