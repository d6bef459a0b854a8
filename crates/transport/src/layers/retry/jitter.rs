//! Randomness that keeps many senders from trying again at the same moment.

use std::fmt::Debug;
use std::time::Duration;

/// Picks how long to wait, up to a limit.
pub trait Jitter: Debug + Send + Sync + 'static {
    /// Returns a duration from zero to `limit`.
    fn up_to(&self, limit: Duration) -> Duration;
}

/// Picks evenly, by the operating system's randomness; the limit itself if there is none.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemJitter;

impl Jitter for SystemJitter {
    fn up_to(&self, limit: Duration) -> Duration {
        let fraction = getrandom::u32().map_or(1.0, |random| f64::from(random) / f64::from(u32::MAX));
        limit.mul_f64(fraction)
    }
}

/// Always picks the same fraction of the limit, for tests.
#[derive(Clone, Copy, Debug)]
pub struct FixedJitter(f64);

impl FixedJitter {
    /// Picks `fraction` of each limit; it is held to between 0 and 1.
    #[must_use]
    pub const fn new(fraction: f64) -> Self {
        // `clamp` hands NaN through, which would panic later.
        Self(if fraction.is_nan() {
            1.0
        } else {
            fraction.clamp(0.0, 1.0)
        })
    }
}

impl Jitter for FixedJitter {
    fn up_to(&self, limit: Duration) -> Duration {
        limit.mul_f64(self.0)
    }
}
