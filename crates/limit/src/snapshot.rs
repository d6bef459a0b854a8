use std::time::Duration;

use crate::clock::saturating_nanos;
use crate::limit::Limit;
use crate::state::State;

const SECOND: u64 = 1_000_000_000;

/// What one key had used at one moment, in terms that survive a restart.
///
/// Everything is rounded to the safe side: a restored key has used at least as much as it had, at least as lately.
/// With the feature `serde` it can be written and read back in any format.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Snapshot {
    /// Permits that the rate had admitted and not yet earned back.
    owed: u32,
    /// Seconds since the admissions, at the least, and their number; the oldest first.
    admitted: Vec<(u64, u32)>,
}

impl Snapshot {
    pub(crate) fn take(state: &mut State, limit: &Limit, now: u64) -> Self {
        let (owed, moments) = state.export(limit, now);
        let age = |moment: u64| now.saturating_sub(moment) / SECOND;
        Self {
            owed,
            admitted: moments
                .into_iter()
                .map(|(moment, count)| (age(moment), count))
                .collect(),
        }
    }

    pub(crate) fn give(&self, state: &mut State, limit: &Limit, age: Duration, now: u64) {
        let elapsed = saturating_nanos(age);
        let moments = self.admitted.iter().map(|&(seconds, count)| {
            let ago = seconds.saturating_mul(SECOND).saturating_add(elapsed);
            (now.saturating_sub(ago), count)
        });
        state.import(limit, self.owed, elapsed, moments, now);
    }

    /// Returns whether nothing was used.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.owed == 0 && self.admitted.is_empty()
    }
}
