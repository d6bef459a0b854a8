//! The value that is configured.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use posthaste_limit::Limiter;

use super::RateLimited;
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
    limiter: Limiter<K>,
    key: K,
    timer: Arc<dyn Timer>,
}

impl<K> RateLimit<K> {
    /// Asks `limiter` about `key`.
    #[must_use]
    pub fn new(limiter: Limiter<K>, key: K) -> Self {
        Self {
            limiter,
            key,
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

impl<K: Clone> Clone for RateLimit<K> {
    fn clone(&self) -> Self {
        Self {
            limiter: self.limiter.clone(),
            key: self.key.clone(),
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
        RateLimited::new(inner, self.limiter.clone(), self.key.clone(), Arc::clone(&self.timer))
    }
}
