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
        part_of(limit, fraction)
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
        part_of(limit, self.0)
    }
}

/// Multiplies without the panic of `Duration::mul_f64`, whose rounding can pass the longest duration there is.
fn part_of(limit: Duration, fraction: f64) -> Duration {
    Duration::try_from_secs_f64(limit.as_secs_f64() * fraction).map_or(limit, |part| part.min(limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_the_longest_wait_is_no_longer_than_it() {
        assert_eq!(FixedJitter::new(1.0).up_to(Duration::MAX), Duration::MAX);
        assert_eq!(
            FixedJitter::new(0.5).up_to(Duration::from_secs(3)),
            Duration::from_millis(1500)
        );
        assert!(SystemJitter.up_to(Duration::MAX) <= Duration::MAX);
    }
}
