use std::time::Duration;

use crate::clock::saturating_nanos;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// A steady rate, kept as an exact fraction: so many permits in so many nanoseconds.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use posthaste_limit::Rate;
///
/// assert_eq!(Rate::per_second(0.5)?, Rate::new(1, Duration::from_secs(2))?);
/// assert!(Rate::per_second(f64::NAN).is_err());
/// # Ok::<(), posthaste_limit::LimitError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    // Both at least 1 and without a common factor, so that equal rates are equal.
    permits: u64,
    period: u64,
}

impl Rate {
    /// Makes a rate of `permits` in every `period`.
    ///
    /// # Errors
    ///
    /// Zero permits or a period of zero are refused, and so is a period above 584 years.
    pub fn new(permits: u32, period: Duration) -> Result<Self, LimitError> {
        if permits == 0 {
            return Err(LimitError::ZeroPermits);
        }
        let nanos = u64::try_from(period.as_nanos()).map_err(|_| LimitError::PeriodTooLong { period })?;
        if nanos == 0 {
            return Err(LimitError::ZeroPeriod);
        }
        Ok(Self::reduced(u64::from(permits), nanos))
    }

    /// Makes a rate per second; whole numbers and fractions are both taken, to a billionth.
    ///
    /// # Errors
    ///
    /// What is not a number, not above zero, less than one in a billion seconds or more than a billion in one second is refused.
    pub fn per_second(rate: impl Into<f64>) -> Result<Self, LimitError> {
        let rate = rate.into();
        let scaled = (rate * 1e9).round();
        if rate.is_nan() || rate <= 0.0 {
            return Err(LimitError::RateNotPositive { rate });
        }
        if !(1.0..=1e18).contains(&scaled) {
            return Err(LimitError::RateOutOfRange { rate });
        }
        // Between 1 and 10^18, so nothing is lost.
        Ok(Self::reduced(scaled as u64, NANOS_PER_SECOND * NANOS_PER_SECOND))
    }

    /// Returns the rate per second, rounded to what a float can hold.
    #[must_use]
    pub fn as_per_second(&self) -> f64 {
        self.permits as f64 * 1e9 / self.period as f64
    }

    pub(crate) fn permits(&self) -> u128 {
        u128::from(self.permits)
    }

    pub(crate) fn period(&self) -> u128 {
        u128::from(self.period)
    }

    /// The same rate for a clock that counts microseconds: so many permits in so many of them, without a common factor.
    #[cfg(any(feature = "postgres", feature = "redis"))]
    pub(crate) fn in_micros(&self) -> (i64, i64) {
        let permits = self.permits.saturating_mul(1000);
        let Self { permits, period } = Self::reduced(permits, self.period);
        // At most 10^9 × 1000 permits, and a period within 584 years in nanoseconds.
        (
            i64::try_from(permits).unwrap_or(i64::MAX),
            i64::try_from(period).unwrap_or(i64::MAX),
        )
    }

    fn reduced(permits: u64, period: u64) -> Self {
        let (mut a, mut b) = (permits, period);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        Self {
            permits: permits / a,
            period: period / a,
        }
    }

    /// What one second brings, rounded up: the burst where none is asked for.
    fn one_second(&self) -> u32 {
        let whole = (self.permits() * u128::from(NANOS_PER_SECOND)).div_ceil(self.period());
        u32::try_from(whole).unwrap_or(u32::MAX)
    }
}

/// What is allowed: a rate with a burst, a quota in any 24 hours, both or neither.
///
/// # Examples
///
/// ```
/// use posthaste_limit::{Limit, LimitError};
///
/// let account = Limit::per_second(14)?.burst(20)?.per_day(50_000)?;
/// let trickle = Limit::per_second(0.1)?;
/// let daily = Limit::unlimited().per_day(200)?;
/// assert_eq!(Limit::per_second(14)?.burst(0), Err(LimitError::ZeroBurst));
/// # let _ = (account, trickle, daily);
/// # Ok::<(), LimitError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct Limit {
    rate: Option<Rate>,
    burst: u32,
    quota: Option<u32>,
}

impl Limit {
    /// Makes a limit that admits everything: the start for a quota without a rate.
    pub const fn unlimited() -> Self {
        Self {
            rate: None,
            burst: 0,
            quota: None,
        }
    }

    /// Makes a limit of `rate` per second, with a burst of what one second brings, rounded up.
    ///
    /// # Errors
    ///
    /// As [`Rate::per_second`].
    pub fn per_second(rate: impl Into<f64>) -> Result<Self, LimitError> {
        Rate::per_second(rate).map(Self::at)
    }

    /// Makes a limit of `rate`, with a burst of what one second brings, rounded up.
    pub fn at(rate: Rate) -> Self {
        Self {
            rate: Some(rate),
            burst: rate.one_second(),
            quota: None,
        }
    }

    /// Sets how many the rate admits at once after a rest. A request for more than this is never admitted.
    ///
    /// # Errors
    ///
    /// A burst of zero is refused, and so is a burst without a rate.
    pub fn burst(self, burst: u32) -> Result<Self, LimitError> {
        match (self.rate, burst) {
            (None, _) => Err(LimitError::BurstWithoutRate),
            (_, 0) => Err(LimitError::ZeroBurst),
            _ => Ok(Self { burst, ..self }),
        }
    }

    /// Sets how many are admitted in any 24 hours. A request for more than this is never admitted.
    ///
    /// # Errors
    ///
    /// A quota of zero is refused.
    pub fn per_day(self, quota: u32) -> Result<Self, LimitError> {
        if quota == 0 {
            return Err(LimitError::ZeroQuota);
        }
        Ok(Self {
            quota: Some(quota),
            ..self
        })
    }

    /// Returns the rate, if there is one.
    #[must_use]
    pub fn rate(&self) -> Option<Rate> {
        self.rate
    }

    /// Returns the burst, if there is a rate.
    #[must_use]
    pub fn max_burst(&self) -> Option<u32> {
        self.rate.map(|_| self.burst)
    }

    /// Returns how many are admitted in any 24 hours, if that is limited.
    #[must_use]
    pub fn quota(&self) -> Option<u32> {
        self.quota
    }

    /// The rate and its burst, where there is a rate.
    pub(crate) fn pace(&self) -> Option<(Rate, u32)> {
        self.rate.map(|rate| (rate, self.burst))
    }
}

/// Why a limit cannot be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitError {
    /// The rate is zero, negative or not a number.
    #[error("a rate must be above zero, not {rate}")]
    RateNotPositive {
        /// The rate that was asked for.
        rate: f64,
    },
    /// The rate is too small or too large to be kept exactly.
    #[error("a rate must be between one in a billion seconds and a billion in one second, not {rate} per second")]
    RateOutOfRange {
        /// The rate that was asked for.
        rate: f64,
    },
    /// The period of a rate is zero.
    #[error("the period of a rate must be above zero")]
    ZeroPeriod,
    /// The period of a rate is longer than a clock runs.
    #[error("the period of a rate must be below 584 years, not {} s", period.as_secs())]
    PeriodTooLong {
        /// The period that was asked for.
        period: Duration,
    },
    /// A rate of no permits at all.
    #[error("the permits of a rate must be at least 1")]
    ZeroPermits,
    /// A burst of zero, which would admit nothing.
    #[error("a burst must be at least 1")]
    ZeroBurst,
    /// A burst without a rate that refills it.
    #[error("a burst needs a rate")]
    BurstWithoutRate,
    /// A quota of zero, which would admit nothing.
    #[error("a daily quota must be at least 1")]
    ZeroQuota,
}

/// A moment as a limiter counts it: nanoseconds, from two days before the clock's origin, so that what a snapshot
/// remembers from before a restart has a place.
pub(crate) fn moment(since_origin: Duration) -> u64 {
    const TWO_DAYS: u64 = 2 * 86_400 * NANOS_PER_SECOND;
    saturating_nanos(since_origin).saturating_add(TWO_DAYS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_reduced_fractions() {
        for (rate, permits, period) in [
            (14.0, 7, 500_000_000),
            (0.1, 1, 10_000_000_000),
            (1e9, 1, 1),
            (1e-9, 1, 1_000_000_000_000_000_000),
        ] {
            assert_eq!(Rate::per_second(rate), Ok(Rate { permits, period }), "{rate}");
        }
    }

    #[test]
    fn rates_that_mean_nothing_are_refused() {
        for rate in [0.0, -1.0, -0.0, f64::NEG_INFINITY] {
            assert_eq!(Rate::per_second(rate), Err(LimitError::RateNotPositive { rate }));
        }
        assert!(matches!(
            Rate::per_second(f64::NAN),
            Err(LimitError::RateNotPositive { .. })
        ));
        for rate in [f64::INFINITY, 1e-10, 1.1e9] {
            assert_eq!(Rate::per_second(rate), Err(LimitError::RateOutOfRange { rate }));
        }
        assert_eq!(Rate::new(0, Duration::from_secs(1)), Err(LimitError::ZeroPermits));
        assert_eq!(Rate::new(1, Duration::ZERO), Err(LimitError::ZeroPeriod));
        assert_eq!(
            Rate::new(1, Duration::MAX),
            Err(LimitError::PeriodTooLong { period: Duration::MAX })
        );
    }

    #[test]
    fn a_burst_is_one_second_unless_said() {
        for (rate, burst) in [(14.0, 14), (0.2, 1), (2.5, 3), (1e9, 1_000_000_000)] {
            assert_eq!(Limit::per_second(rate).unwrap().max_burst(), Some(burst), "{rate}");
        }
        assert_eq!(Limit::unlimited().burst(3), Err(LimitError::BurstWithoutRate));
        assert_eq!(Limit::unlimited().per_day(0), Err(LimitError::ZeroQuota));
    }

    #[test]
    fn errors_name_the_field_and_the_value() {
        let texts = [
            Rate::per_second(-2.5).unwrap_err().to_string(),
            Limit::per_second(1).unwrap().burst(0).unwrap_err().to_string(),
            Limit::unlimited().per_day(0).unwrap_err().to_string(),
        ];
        assert_eq!(
            texts,
            [
                "a rate must be above zero, not -2.5",
                "a burst must be at least 1",
                "a daily quota must be at least 1"
            ]
        );
    }
}
