//! The value that is configured.

use std::sync::Arc;

use super::{Jitter, RetryPolicy, Retrying, SystemJitter};
use crate::{Layer, Timer, TokioTimer, Transport};

/// Tries again what is safe to try again.
///
/// - A failed send is repeated if [`SendError::retry`](crate::SendError::retry) is [`Safe`](crate::Retry::Safe). One that may
///   have been accepted is repeated only with an idempotency key that the transport honours, or with
///   [`RetryPolicy::with_duplicates_allowed`].
/// - Recipients that were refused for now, while others were accepted or refused for good, are tried again alone; the
///   outcomes are merged, so every recipient of the envelope has one fate, and nobody who was accepted is sent to twice.
///   With an idempotency key the request is never narrowed, for the provider would take it for the one that it knows;
///   refusals for now then stay in the outcome.
/// - Each attempt has the rest of the send's deadline, and counts in [`Outcome::attempts`](crate::Outcome::attempts).
///
/// Right: `transport.layer(RateLimit::new(..)).layer(Retry::new(..))`, where each attempt counts against the rate. Wrong: the
/// other way round, where three attempts count as one.
///
/// # Examples
///
/// ```
/// use posthaste_transport::layers::{Retry, RetryPolicy};
/// use posthaste_transport::{MemoryTransport, Transport, TransportExt};
///
/// let transport = MemoryTransport::new().layer(Retry::new(RetryPolicy::default()));
/// assert_eq!(transport.info().name(), "memory");
/// ```
#[derive(Clone, Debug)]
pub struct Retry {
    policy: RetryPolicy,
    timer: Arc<dyn Timer>,
    jitter: Arc<dyn Jitter>,
}

impl Retry {
    /// Tries again by `policy`.
    #[must_use]
    pub fn new(policy: RetryPolicy) -> Self {
        Self {
            policy,
            timer: Arc::new(TokioTimer::new()),
            jitter: Arc::new(SystemJitter),
        }
    }

    /// Replaces the timer that it waits by.
    #[must_use]
    pub fn with_timer(mut self, timer: Arc<dyn Timer>) -> Self {
        self.timer = timer;
        self
    }

    /// Replaces the randomness of the waits.
    #[must_use]
    pub fn with_jitter(mut self, jitter: Arc<dyn Jitter>) -> Self {
        self.jitter = jitter;
        self
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self::new(RetryPolicy::default())
    }
}

impl<T: Transport> Layer<T> for Retry {
    type Transport = Retrying<T>;

    fn layer(&self, inner: T) -> Self::Transport {
        Retrying::new(
            inner,
            self.policy.clone(),
            Arc::clone(&self.timer),
            Arc::clone(&self.jitter),
        )
    }
}
