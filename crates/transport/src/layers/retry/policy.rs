//! How often, and how long in between.

use std::num::NonZeroU32;
use std::time::Duration;

/// Says how often to try, and how long to wait in between.
///
/// The wait before attempt *n* + 1 is a random part of `base_delay` × 2ⁿ⁻¹, at most `max_delay` ("full jitter"). A longer
/// wait that the peer asks for is kept to; if it is longer than `max_delay`, or would pass the send's deadline, the send
/// ends instead, and the caller reads it from [`SendError::retry_after`](crate::SendError::retry_after).
///
/// # Examples
///
/// ```
/// use std::num::NonZeroU32;
/// use std::time::Duration;
/// use posthaste_transport::layers::RetryPolicy;
///
/// let policy = RetryPolicy::default()
///     .with_attempts(NonZeroU32::new(5).ok_or("not zero")?)
///     .with_base_delay(Duration::from_millis(200));
/// assert_eq!(policy.backoff(3), Duration::from_millis(800));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    attempts: NonZeroU32,
    base_delay: Duration,
    max_delay: Duration,
    allow_duplicates: bool,
}

impl RetryPolicy {
    /// Sets how often to try in all; 3 by default.
    #[must_use]
    pub const fn with_attempts(mut self, attempts: NonZeroU32) -> Self {
        self.attempts = attempts;
        self
    }

    /// Sets the longest wait before the second attempt; half a second by default.
    #[must_use]
    pub const fn with_base_delay(mut self, delay: Duration) -> Self {
        self.base_delay = delay;
        self
    }

    /// Sets the longest wait before any attempt; one minute by default.
    #[must_use]
    pub const fn with_max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = delay;
        self
    }

    /// Consents to repeating a send that may have been accepted, so that a recipient may get it twice. Off by default.
    ///
    /// Without consent, such a send is repeated only if it has an idempotency key and the transport honours it.
    #[must_use]
    pub const fn with_duplicates_allowed(mut self, allowed: bool) -> Self {
        self.allow_duplicates = allowed;
        self
    }

    /// Returns how often to try in all.
    #[must_use]
    pub const fn attempts(&self) -> NonZeroU32 {
        self.attempts
    }

    /// Returns the longest wait before any attempt.
    #[must_use]
    pub const fn max_delay(&self) -> Duration {
        self.max_delay
    }

    /// Says whether duplicates were consented to.
    #[must_use]
    pub const fn duplicates_allowed(&self) -> bool {
        self.allow_duplicates
    }

    /// Returns the longest wait after that many attempts, before jitter.
    #[must_use]
    pub fn backoff(&self, attempts: u32) -> Duration {
        let doublings = attempts.saturating_sub(1).min(31);
        self.base_delay.saturating_mul(1 << doublings).min(self.max_delay)
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: NonZeroU32::MIN.saturating_add(2),
            base_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(60),
            allow_duplicates: false,
        }
    }
}
