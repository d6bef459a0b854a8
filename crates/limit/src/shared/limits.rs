//! The limits that a process applies to what it shares, in the terms of a store.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::{Allowance, Clock, Decision, Limit, StoreError, StoreErrorKind};

/// The longest key, in octets.
const LONGEST_KEY: usize = 1024;

/// Limits by key, and the clock where it is not the store's.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    shared: Arc<RwLock<Held>>,
    clock: Option<Arc<dyn Clock>>,
}

#[derive(Debug)]
struct Held {
    default: Limit,
    own: HashMap<String, Limit>,
}

/// A limit as whole numbers for a store that counts microseconds.
///
/// A permit costs `period` units, and every microsecond pays `permits` of them back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    /// Zero where there is no rate.
    pub(super) permits: i64,
    pub(super) period: i64,
    pub(super) burst: i64,
    /// Zero where there is no quota.
    pub(super) quota: i64,
    /// The caller's clock in microseconds, where the store's is not to be used.
    pub(super) now: Option<i64>,
}

/// What need not be asked, or the terms to ask with.
pub(super) enum Step {
    Known(Decision),
    Ask(Terms),
}

impl Limits {
    pub(super) fn new(default: Limit, clock: Option<Arc<dyn Clock>>) -> Self {
        let own = HashMap::new();
        Self {
            shared: Arc::new(RwLock::new(Held { default, own })),
            clock,
        }
    }

    pub(super) fn of(&self, key: &str) -> Limit {
        let held = self.shared.read().unwrap_or_else(PoisonError::into_inner);
        held.own.get(key).copied().unwrap_or(held.default)
    }

    /// Sets the limit of one key.
    pub(super) fn set(&self, key: String, limit: Limit) {
        let mut held = self.shared.write().unwrap_or_else(PoisonError::into_inner);
        held.own.insert(key, limit);
    }

    pub(super) fn clear(&self, key: &str) {
        let mut held = self.shared.write().unwrap_or_else(PoisonError::into_inner);
        held.own.remove(key);
    }

    pub(super) fn set_default(&self, limit: Limit) {
        let mut held = self.shared.write().unwrap_or_else(PoisonError::into_inner);
        held.default = limit;
    }

    /// Decides what the limit alone decides, and gives the terms for the rest.
    pub(super) fn step(&self, key: &str, n: u32) -> Result<Step, StoreError> {
        let limit = self.of(key);
        let terms = self.terms(key, &limit)?;
        let is_above = |most: Option<u32>| most.is_some_and(|most| n > most);
        Ok(match (limit.rate(), limit.quota()) {
            _ if n == 0 => Step::Known(Decision::Admitted),
            (None, None) => Step::Known(Decision::Admitted),
            _ if is_above(limit.max_burst()) || is_above(limit.quota()) => Step::Known(Decision::Never),
            _ => Step::Ask(terms),
        })
    }

    /// The terms of a key for a look or a refund; `None` if it is not limited.
    pub(super) fn look(&self, key: &str) -> Result<Option<Terms>, StoreError> {
        let limit = self.of(key);
        let terms = self.terms(key, &limit)?;
        Ok((limit.rate().is_some() || limit.quota().is_some()).then_some(terms))
    }

    fn terms(&self, key: &str, limit: &Limit) -> Result<Terms, StoreError> {
        if key.len() > LONGEST_KEY || key.contains('\0') {
            return Err(StoreError::new(StoreErrorKind::Key, ""));
        }
        let (permits, period) = limit.rate().map_or((0, 1), |rate| rate.in_micros());
        Ok(Terms {
            permits,
            period,
            burst: i64::from(limit.max_burst().unwrap_or(0)),
            quota: i64::from(limit.quota().unwrap_or(0)),
            now: self.now(),
        })
    }

    /// The caller's clock, if it is to be used.
    pub(super) fn now(&self) -> Option<i64> {
        let clock = self.clock.as_ref()?;
        Some(i64::try_from(clock.now().as_micros()).unwrap_or(i64::MAX))
    }
}

/// What a store answered to a request: nothing to wait for, or so many microseconds.
pub(super) fn decision(wait: i64) -> Decision {
    match u64::try_from(wait) {
        Ok(wait @ 1..) => Decision::Wait(Duration::from_micros(wait)),
        _ => Decision::Admitted,
    }
}

/// What a store answered to a look: what the rate and the quota have left, and the microseconds until one is admitted and until all is
/// whole again.
pub(super) fn allowance(answer: [i64; 4], limit: &Limit) -> Allowance {
    let [rate, quota, next, full] = answer;
    let count = |left: i64| u32::try_from(left.max(0)).unwrap_or(u32::MAX);
    let span = |micros: i64| Duration::from_micros(u64::try_from(micros).unwrap_or(0));
    Allowance {
        rate_left: limit.rate().map(|_| count(rate)),
        quota_left: limit.quota().map(|_| count(quota)),
        next_in: span(next),
        full_in: span(full),
    }
}
