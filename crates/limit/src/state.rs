use std::time::Duration;

use crate::decision::{Allowance, Decision};
use crate::history::History;
use crate::limit::{Limit, Rate};

/// What one key has used. Moments are those of [`crate::limit::moment`].
///
/// The rate is GCRA in whole numbers. Debt is counted in units so small that both a permit and a nanosecond are whole: a
/// permit costs `period` units, and every nanosecond pays `permits` units back. A burst of `n` is a debt of at most
/// `n × period`.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    /// The units owed at `updated`; zero where the limit has no rate.
    debt: u128,
    updated: u64,
    history: History,
}

/// What a request would leave behind.
struct Assessment {
    decision: Decision,
    debt: u128,
    now: u64,
}

impl State {
    /// Admits `n` at `now` and counts them, or says why not and counts nothing.
    pub(crate) fn acquire(&mut self, limit: &Limit, n: u32, now: u64) -> Decision {
        let assessment = self.assess(limit, n, now);
        if n > 0 && assessment.decision == Decision::Admitted {
            self.debt = assessment.debt;
            self.updated = assessment.now;
            if limit.quota().is_some() {
                self.history.record(n, assessment.now);
            }
        }
        assessment.decision
    }

    /// Gives `n` back: to the rate up to a full burst, to the quota the oldest first.
    pub(crate) fn refund(&mut self, limit: &Limit, n: u32, now: u64) {
        let now = now.max(self.updated);
        if let Some((rate, _)) = limit.pace() {
            self.debt = self.debt_at(rate, now).saturating_sub(u128::from(n) * rate.period());
        }
        self.updated = now;
        self.history.expire(now);
        self.history.take_back(n);
    }

    /// Shows what is left at `now`.
    pub(crate) fn peek(&mut self, limit: &Limit, now: u64) -> Allowance {
        let next_in = self.assess(limit, 1, now).decision.wait().unwrap_or(Duration::MAX);
        let at = now.max(self.updated);
        self.history.expire(at);
        let mut full = u128::from(now);
        let rate_left = limit.pace().map(|(rate, burst)| {
            let debt = self.debt_at(rate, at);
            if debt > 0 {
                full = u128::from(at) + debt.div_ceil(rate.permits());
            }
            let left = (u128::from(burst) * rate.period()).saturating_sub(debt) / rate.period();
            u32::try_from(left).unwrap_or(burst)
        });
        let quota_left = limit.quota().map(|quota| {
            full = full.max(u128::from(self.history.frees(u64::MAX)));
            u32::try_from(u64::from(quota).saturating_sub(self.history.total())).unwrap_or(quota)
        });
        Allowance {
            rate_left,
            quota_left,
            next_in,
            full_in: span(u128::from(now), full),
        }
    }

    /// Whether a fresh state would decide the same from `now` on.
    pub(crate) fn is_idle(&self, limit: &Limit, now: u64) -> bool {
        let now = now.max(self.updated);
        limit.pace().is_none_or(|(rate, _)| self.debt_at(rate, now) == 0) && self.history.is_spent(now)
    }

    /// Carries what is owed under one limit over to another: permits owed stay owed.
    pub(crate) fn change(&mut self, old: &Limit, new: &Limit, now: u64) {
        let now = now.max(self.updated);
        self.debt = match (old.pace(), new.pace()) {
            (Some((old, _)), Some((new, _))) => {
                let debt = self.debt_at(old, now);
                let whole = (debt / old.period()).min(u128::from(u32::MAX));
                whole * new.period() + (debt % old.period() * new.period()).div_ceil(old.period())
            }
            _ => 0,
        };
        self.updated = now;
    }

    /// The permits owed at `now`, rounded up, and the quota's counts with their newest possible moments.
    pub(crate) fn export(&mut self, limit: &Limit, now: u64) -> (u32, Vec<(u64, u32)>) {
        let now = now.max(self.updated);
        self.history.expire(now);
        let owed = limit
            .pace()
            .map_or(0, |(rate, _)| self.debt_at(rate, now).div_ceil(rate.period()));
        (
            u32::try_from(owed).unwrap_or(u32::MAX),
            self.history.newest_moments(now).collect(),
        )
    }

    /// Adds permits that were owed at the moment `then`, and the quota's counts, to what there is.
    pub(crate) fn import(
        &mut self,
        limit: &Limit,
        owed: u32,
        elapsed: u64,
        moments: impl Iterator<Item = (u64, u32)>,
        now: u64,
    ) {
        let now = now.max(self.updated);
        if let Some((rate, _)) = limit.pace() {
            let paid = u128::from(elapsed) * rate.permits();
            let still = (u128::from(owed) * rate.period()).saturating_sub(paid);
            // No more than a few bursts can be owed at all; the bound keeps a made-up snapshot from owing for ages.
            let most = u128::from(u32::MAX) * rate.period();
            self.debt = self.debt_at(rate, now).saturating_add(still).min(most);
        }
        self.updated = now;
        self.history.merge(moments);
        self.history.expire(now);
    }

    #[inline]
    fn assess(&mut self, limit: &Limit, n: u32, now: u64) -> Assessment {
        // Another thread may have read the clock later and come first.
        let at = now.max(self.updated);
        let mut debt = 0;
        let mut ready = u128::from(at);
        if n == 0 {
            return Assessment {
                decision: Decision::Admitted,
                debt: self.debt,
                now: at,
            };
        }
        if let Some((rate, burst)) = limit.pace() {
            if n > burst {
                return Assessment {
                    decision: Decision::Never,
                    debt,
                    now: at,
                };
            }
            debt = self.debt_at(rate, at) + u128::from(n) * rate.period();
            let most = u128::from(burst) * rate.period();
            if debt > most {
                ready += (debt - most).div_ceil(rate.permits());
            }
        }
        if let Some(quota) = limit.quota() {
            if n > quota {
                return Assessment {
                    decision: Decision::Never,
                    debt,
                    now: at,
                };
            }
            self.history.expire(at);
            let after = self.history.total() + u64::from(n);
            if after > u64::from(quota) {
                ready = ready.max(u128::from(self.history.frees(after - u64::from(quota))));
            }
        }
        let decision = match ready > u128::from(at) {
            true => Decision::Wait(span(u128::from(now), ready)),
            false => Decision::Admitted,
        };
        Assessment {
            decision,
            debt,
            now: at,
        }
    }

    #[inline]
    fn debt_at(&self, rate: Rate, now: u64) -> u128 {
        self.debt
            .saturating_sub(u128::from(now - self.updated) * rate.permits())
    }
}

/// The time from one moment to another that may be centuries away.
fn span(from: u128, to: u128) -> Duration {
    const SECOND: u128 = 1_000_000_000;
    let nanos = to.saturating_sub(from);
    match (u64::try_from(nanos / SECOND), u32::try_from(nanos % SECOND)) {
        (Ok(seconds), Ok(rest)) => Duration::new(seconds, rest),
        _ => Duration::MAX,
    }
}
