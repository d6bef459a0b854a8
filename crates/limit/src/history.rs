use std::collections::VecDeque;

/// The length of a bucket: five minutes, in nanoseconds.
const BUCKET: u64 = 300 * 1_000_000_000;
/// How many buckets make 24 hours.
const DAY: u32 = 288;

/// What was admitted in the last 24 hours, counted in five-minute buckets.
///
/// Only buckets that hold something are kept, oldest first: one for a key that was used once, at most 289 for a busy one.
/// A bucket counts until everything that it may hold is at least 24 hours old.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    total: u64,
    buckets: VecDeque<Bucket>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    index: u32,
    count: u32,
}

impl History {
    /// Forgets what is too old to count at `now`.
    #[inline]
    pub(crate) fn expire(&mut self, now: u64) {
        let today = index(now);
        while let Some(oldest) = self.buckets.front() {
            if oldest.index.saturating_add(DAY) >= today {
                break;
            }
            self.total -= u64::from(oldest.count);
            self.buckets.pop_front();
        }
    }

    /// How many count, as of the last [`Self::expire`].
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Whether nothing counts any more at `now`.
    pub(crate) fn is_spent(&self, now: u64) -> bool {
        self.buckets
            .back()
            .is_none_or(|newest| newest.index.saturating_add(DAY) < index(now))
    }

    /// Counts `n` more at `now`, which must not be before any earlier `now`.
    #[inline]
    pub(crate) fn record(&mut self, n: u32, now: u64) {
        let index = index(now);
        self.total += u64::from(n);
        if let Some(newest) = self.buckets.back_mut()
            && newest.index == index
            && let Some(count) = newest.count.checked_add(n)
        {
            newest.count = count;
            return;
        }
        if self.buckets.len() == self.buckets.capacity() {
            let more = self.buckets.len().clamp(2, 64);
            self.buckets.reserve_exact(more);
        }
        self.buckets.push_back(Bucket { index, count: n });
    }

    /// Takes `n` back, or as many as there are, the oldest first: what stays counts for longer, never for less long.
    pub(crate) fn take_back(&mut self, n: u32) {
        let mut left = n;
        while left > 0
            && let Some(oldest) = self.buckets.front_mut()
        {
            let taken = left.min(oldest.count);
            left -= taken;
            oldest.count -= taken;
            self.total -= u64::from(taken);
            if oldest.count == 0 {
                self.buckets.pop_front();
            }
        }
    }

    /// The moment at which at least `n` of those that count will have been forgotten.
    pub(crate) fn frees(&self, n: u64) -> u64 {
        let mut freed = 0;
        let mut last = 0;
        for bucket in &self.buckets {
            if freed >= n {
                break;
            }
            freed += u64::from(bucket.count);
            last = forgotten(bucket.index);
        }
        last
    }

    /// Each bucket's newest possible moment, not after `now`, and its count; oldest first.
    pub(crate) fn newest_moments(&self, now: u64) -> impl Iterator<Item = (u64, u32)> + '_ {
        self.buckets.iter().map(move |bucket| {
            (
                (u64::from(bucket.index) + 1).saturating_mul(BUCKET).min(now),
                bucket.count,
            )
        })
    }

    /// Adds what another history counted.
    pub(crate) fn merge(&mut self, moments: impl Iterator<Item = (u64, u32)>) {
        let mut all: Vec<Bucket> = self.buckets.drain(..).collect();
        all.extend(moments.map(|(moment, count)| Bucket {
            index: index(moment),
            count,
        }));
        all.sort_by_key(|bucket| bucket.index);
        self.total = 0;
        for bucket in all {
            self.record(bucket.count, u64::from(bucket.index) * BUCKET);
        }
    }
}

/// The bucket that a moment falls into. No moment reaches the end of `u32`: that would be 40 000 years.
fn index(now: u64) -> u32 {
    u32::try_from(now / BUCKET).unwrap_or(u32::MAX)
}

/// The first moment at which a bucket no longer counts.
fn forgotten(index: u32) -> u64 {
    (u64::from(index) + u64::from(DAY) + 1).saturating_mul(BUCKET)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 12 * BUCKET;

    #[test]
    fn a_bucket_is_forgotten_when_its_last_moment_is_a_day_old() {
        let mut history = History::default();
        history.record(3, BUCKET - 1);
        assert_eq!(history.frees(1), 24 * HOUR + BUCKET);
        for (now, total) in [(0, 3), (24 * HOUR + BUCKET - 1, 3), (24 * HOUR + BUCKET, 0)] {
            history.expire(now);
            assert_eq!(history.total(), total, "at {now}");
            assert_eq!(history.is_spent(now), total == 0, "at {now}");
        }
    }

    #[test]
    fn a_refund_takes_the_oldest_first() {
        let mut history = History::default();
        history.record(2, 0);
        history.record(2, 10 * HOUR);
        history.take_back(3);
        assert_eq!(history.total(), 1);
        assert_eq!(history.frees(1), 34 * HOUR + BUCKET);
        history.take_back(9);
        assert_eq!(history.total(), 0);
    }

    #[test]
    fn a_busy_day_keeps_a_bounded_number_of_buckets() {
        let mut history = History::default();
        for minute in 0..10_000 {
            let now = minute * BUCKET / 5;
            history.expire(now);
            history.record(1, now);
        }
        assert!(history.buckets.len() <= 289, "{}", history.buckets.len());
        assert!(history.buckets.capacity() <= 512, "{}", history.buckets.capacity());
    }

    #[test]
    fn merging_keeps_order_and_total() {
        let mut history = History::default();
        history.record(5, 3 * HOUR);
        history.merge([(HOUR, 1), (3 * HOUR, 2), (4 * HOUR, 4)].into_iter());
        assert_eq!(history.total(), 12);
        assert_eq!(history.frees(1), 25 * HOUR + BUCKET);
        assert_eq!(history.frees(2), 27 * HOUR + BUCKET);
        assert_eq!(history.frees(9), 28 * HOUR + BUCKET);
    }
}
