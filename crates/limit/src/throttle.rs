use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::{Clock, SystemClock};
use crate::decision::{Allowance, Decision};
use crate::limit::{Limit, moment};
use crate::state::State;

/// Holds everything to one limit: a [`Limiter`](crate::Limiter) without keys. Clones share one state.
///
/// # Examples
///
/// ```
/// use posthaste_limit::{Decision, Limit, Throttle};
///
/// let throttle = Throttle::new(Limit::per_second(2)?.per_day(200)?);
/// assert_eq!(throttle.try_acquire(2), Decision::Admitted);
/// assert_eq!(throttle.try_acquire(3), Decision::Never);
/// # Ok::<(), posthaste_limit::LimitError>(())
/// ```
#[derive(Clone)]
pub struct Throttle {
    shared: Arc<Shared>,
}

struct Shared {
    held: Mutex<Held>,
    clock: Arc<dyn Clock>,
}

struct Held {
    limit: Limit,
    state: State,
}

impl Throttle {
    /// Makes a throttle by the system's clock.
    #[must_use]
    pub fn new(limit: Limit) -> Self {
        Self::with_clock(limit, SystemClock::new())
    }

    /// Makes a throttle by the clock given.
    #[must_use]
    pub fn with_clock(limit: Limit, clock: impl Clock) -> Self {
        let held = Mutex::new(Held {
            limit,
            state: State::default(),
        });
        Self {
            shared: Arc::new(Shared {
                held,
                clock: Arc::new(clock),
            }),
        }
    }

    /// Admits `n` now and counts them, or says how long to wait and counts nothing.
    pub fn try_acquire(&self, n: u32) -> Decision {
        let now = self.now();
        let Held { limit, state } = &mut *self.held();
        state.acquire(limit, n, now)
    }

    /// Gives back `n` that were admitted and not used, as [`Limiter::refund`](crate::Limiter::refund) does.
    pub fn refund(&self, n: u32) {
        let now = self.now();
        let Held { limit, state } = &mut *self.held();
        state.refund(limit, n, now);
    }

    /// Shows what is left, and takes nothing.
    #[must_use]
    pub fn peek(&self) -> Allowance {
        let now = self.now();
        let Held { limit, state } = &mut *self.held();
        state.peek(limit, now)
    }

    /// Returns the limit.
    pub fn limit(&self) -> Limit {
        self.held().limit
    }

    /// Changes the limit; what was used stays used, as in [`Limiter::set_limit`](crate::Limiter::set_limit).
    pub fn set_limit(&self, new: Limit) {
        let now = self.now();
        let Held { limit, state } = &mut *self.held();
        state.change(limit, &new, now);
        *limit = new;
    }

    fn now(&self) -> u64 {
        moment(self.shared.clock.now())
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // Nothing under the lock runs foreign code, so nothing under it panics.
        self.shared.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Throttle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttle")
            .field("limit", &self.limit())
            .finish_non_exhaustive()
    }
}
