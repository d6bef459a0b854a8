use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Tells the time that has passed since an origin of its own choosing.
///
/// The time must never run backwards. Where two threads read it at nearly the same moment, a limiter takes the later
/// reading for both.
pub trait Clock: Debug + Send + Sync + 'static {
    /// Returns the time since the origin.
    fn now(&self) -> Duration;
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Duration {
        (**self).now()
    }
}

/// Reads the operating system's monotonic clock; its origin is the moment it was made.
///
/// On some systems that clock stands still while the machine is suspended. A limiter then waits longer than it had to; it
/// never admits more.
#[derive(Clone, Debug)]
pub struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    /// Starts a clock at zero.
    #[must_use]
    pub fn new() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.origin.elapsed()
    }
}

/// Reads the processor's counter of cycles where that can be trusted, and the operating system's clock elsewhere; its origin is the
/// moment it was made.
///
/// A decision by it takes about two thirds of the time of one by [`SystemClock`]. The price: the first clock of a process compares the
/// counter with the system's clock for up to a fifth of a second, and what it found holds from then on, so that its seconds may be some
/// millionths longer or shorter; and where a virtual machine moves to another processor, it is the hypervisor that must keep the counter's
/// pace.
///
/// # Examples
///
/// ```
/// use posthaste_limit::{Limit, Limiter, QuantaClock};
///
/// let limiter = Limiter::<String>::builder(Limit::per_second(14)?).clock(QuantaClock::new()).build();
/// assert!(limiter.try_acquire("tenant-7", 1).is_admitted());
/// # Ok::<(), posthaste_limit::LimitError>(())
/// ```
#[cfg(feature = "quanta")]
#[cfg_attr(docsrs, doc(cfg(feature = "quanta")))]
#[derive(Clone, Debug)]
pub struct QuantaClock {
    counter: quanta::Clock,
    origin: quanta::Instant,
}

#[cfg(feature = "quanta")]
impl QuantaClock {
    /// Starts a clock at zero.
    #[must_use]
    pub fn new() -> Self {
        let counter = quanta::Clock::new();
        let origin = counter.now();
        Self { counter, origin }
    }
}

#[cfg(feature = "quanta")]
impl Default for QuantaClock {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(feature = "quanta")]
impl Clock for QuantaClock {
    fn now(&self) -> Duration {
        self.counter.now().saturating_duration_since(self.origin)
    }
}

/// Stands still until told to move on. Clones show the same time.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use posthaste_limit::{Clock, ManualClock};
///
/// let clock = ManualClock::new();
/// clock.advance(Duration::from_secs(90));
/// assert_eq!(clock.clone().now(), Duration::from_secs(90));
/// ```
#[derive(Clone, Debug, Default)]
pub struct ManualClock {
    nanos: Arc<AtomicU64>,
}

impl ManualClock {
    /// Starts a clock at zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the time on; it stops at the end of its range, some 584 years out.
    pub fn advance(&self, by: Duration) {
        let by = saturating_nanos(by);
        // The closure never returns `None`, so the update always happens.
        let _ = self.nanos.fetch_update(Ordering::AcqRel, Ordering::Acquire, |nanos| {
            Some(nanos.saturating_add(by))
        });
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Duration {
        Duration::from_nanos(self.nanos.load(Ordering::Acquire))
    }
}

/// The whole duration in nanoseconds, or the largest number there is.
pub(crate) fn saturating_nanos(duration: Duration) -> u64 {
    duration
        .as_secs()
        .saturating_mul(1_000_000_000)
        .saturating_add(u64::from(duration.subsec_nanos()))
}
