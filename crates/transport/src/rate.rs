//! What a peer says of its limit on calls.

use std::time::Duration;

/// Says how much of a limit on calls is left: what a provider's answer said of it, which may be a part.
///
/// Limits differ in what they count (requests, messages, recipients) and over which time: the provider's documents say it.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use posthaste_transport::RateInfo;
///
/// let rate = RateInfo::new().with_limit(600).with_remaining(0).with_reset(Duration::from_secs(12));
/// assert!(rate.is_used_up());
/// assert_eq!(rate.reset(), Some(Duration::from_secs(12)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RateInfo {
    limit: Option<u64>,
    remaining: Option<u64>,
    reset: Option<Duration>,
}

impl RateInfo {
    /// Says nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            limit: None,
            remaining: None,
            reset: None,
        }
    }

    /// Sets how many calls one period allows.
    #[must_use]
    pub const fn with_limit(mut self, calls: u64) -> Self {
        self.limit = Some(calls);
        self
    }

    /// Sets how many calls are left in this period.
    #[must_use]
    pub const fn with_remaining(mut self, calls: u64) -> Self {
        self.remaining = Some(calls);
        self
    }

    /// Sets how long this period lasts, counted from the answer.
    #[must_use]
    pub const fn with_reset(mut self, delay: Duration) -> Self {
        self.reset = Some(delay);
        self
    }

    /// Returns how many calls one period allows.
    #[must_use]
    pub const fn limit(&self) -> Option<u64> {
        self.limit
    }

    /// Returns how many calls are left in this period.
    #[must_use]
    pub const fn remaining(&self) -> Option<u64> {
        self.remaining
    }

    /// Returns how long this period lasts, counted from when the answer came: zero if it is over.
    #[must_use]
    pub const fn reset(&self) -> Option<Duration> {
        self.reset
    }

    /// Tells whether nothing is left.
    #[must_use]
    pub const fn is_used_up(&self) -> bool {
        matches!(self.remaining, Some(0))
    }
}
