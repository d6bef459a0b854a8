//! Random requests against a log of admissions and the definition of the limit, nothing cleverer.

use std::time::Duration;

use posthaste_limit::{Clock, Decision, Limit, Limiter, ManualClock, Rate};
use proptest::prelude::*;

const DAY: u128 = 86_400_000_000_000;
/// The documented granularity of the quota.
const BUCKET: u128 = 300_000_000_000;

/// A limit as whole numbers: `permits` in `period` nanoseconds.
#[derive(Clone, Debug)]
struct Rule {
    permits: u32,
    period: u64,
    burst: u32,
    quota: u32,
}

impl Rule {
    fn limit(&self) -> Limit {
        let rate = Rate::new(self.permits, Duration::from_nanos(self.period)).unwrap();
        Limit::at(rate).burst(self.burst).unwrap().per_day(self.quota).unwrap()
    }

    /// The first moment at which the rate allows `n` more: no span that ends there may hold more than
    /// `burst + rate × length`.
    fn rate_allows(&self, log: &[(u128, u32)], n: u32, now: u128) -> u128 {
        let (permits, period) = (u128::from(self.permits), u128::from(self.period));
        let mut first = now;
        let mut sum = u128::from(n);
        for &(moment, count) in log.iter().rev() {
            sum += u128::from(count);
            let over = sum.saturating_sub(u128::from(self.burst));
            first = first.max(moment + (over * period).div_ceil(permits));
        }
        first
    }

    /// The first moment at which the last 24 hours hold at most `quota - n`.
    fn quota_allows(&self, log: &[(u128, u32)], n: u32, now: u128) -> u128 {
        let mut sum = u128::from(n);
        for &(moment, count) in log.iter().rev() {
            sum += u128::from(count);
            if sum > u128::from(self.quota) {
                return now.max(moment + DAY);
            }
        }
        now
    }
}

/// What happens next: time passes, or `n` are wanted, or the last wait is waited.
#[derive(Clone, Debug)]
enum Step {
    Pass(u64),
    Want(u32),
    WaitAndTryAgain,
}

fn rule() -> impl Strategy<Value = Rule> {
    let period = prop_oneof![Just(1_000_000_000), 1..=10_000_000_000_u64, Just(3_600_000_000_000)];
    (1..=200_u32, period, 1..=60_u32, 1..=300_u32).prop_map(|(permits, period, burst, quota)| Rule {
        permits,
        period,
        burst,
        quota,
    })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let span = prop_oneof![
        0..2_000_000_u64,
        0..2_000_000_000_u64,
        0..4_000_000_000_000_u64,
        0..50_000_000_000_000_u64
    ];
    let step = prop_oneof![
        3 => span.prop_map(Step::Pass),
        6 => (0..70_u32).prop_map(Step::Want),
        2 => Just(Step::WaitAndTryAgain),
    ];
    prop::collection::vec(step, 1..200)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn decisions_are_those_of_the_definition(rule in rule(), steps in steps()) {
        let clock = ManualClock::new();
        let limiter = Limiter::<String>::builder(rule.limit()).clock(clock.clone()).build();
        let mut log: Vec<(u128, u32)> = Vec::new();
        let mut refused = None;

        for step in steps {
            let n = match step {
                Step::Pass(nanos) => {
                    refused = None;
                    clock.advance(Duration::from_nanos(nanos));
                    continue;
                }
                Step::Want(n) => n,
                Step::WaitAndTryAgain => {
                    let Some((n, wait)) = refused.take() else { continue };
                    let nanosecond = Duration::from_nanos(1);
                    clock.advance(wait - nanosecond);
                    prop_assert_eq!(limiter.try_acquire("key", n), Decision::Wait(nanosecond), "just before");
                    clock.advance(nanosecond);
                    let now = clock.now().as_nanos();
                    prop_assert_eq!(limiter.try_acquire("key", n), Decision::Admitted, "after the wait");
                    log.push((now, n));
                    continue;
                }
            };
            let now = clock.now().as_nanos();
            let before = limiter.peek("key");
            let decision = limiter.try_acquire("key", n);
            let rate_at = rule.rate_allows(&log, n, now);
            let quota_at = rule.quota_allows(&log, n, now);
            match decision {
                _ if n == 0 => prop_assert_eq!(decision, Decision::Admitted),
                Decision::Admitted => {
                    prop_assert!(rate_at <= now && quota_at <= now, "the definition refuses {n} at {now}");
                    prop_assert!(before.available().unwrap() >= n);
                    log.push((now, n));
                    refused = None;
                }
                Decision::Wait(wait) => {
                    let until = now + wait.as_nanos();
                    prop_assert!(wait > Duration::ZERO);
                    prop_assert!(before.available().unwrap() < n);
                    prop_assert!(until >= rate_at && until >= quota_at, "too short");
                    if until > rate_at {
                        prop_assert!(until <= quota_at + BUCKET, "too long: {until}, quota {quota_at}, rate {rate_at}");
                    }
                    prop_assert_eq!(limiter.peek("key"), before, "a refusal takes nothing");
                    refused = Some((n, wait));
                }
                _ => prop_assert!(n > rule.burst || n > rule.quota),
            }
        }
    }

    #[test]
    fn the_rate_alone_waits_to_the_nanosecond(rule in rule(), wants in prop::collection::vec((0..3_000_000_000_u64, 1..60_u32), 1..100)) {
        let clock = ManualClock::new();
        let rate = Rate::new(rule.permits, Duration::from_nanos(rule.period)).unwrap();
        let limiter = Limiter::<u8>::builder(Limit::at(rate).burst(rule.burst).unwrap()).clock(clock.clone()).build();
        let mut log = Vec::new();
        for (pass, n) in wants {
            clock.advance(Duration::from_nanos(pass));
            let now = clock.now().as_nanos();
            let expected = rule.rate_allows(&log, n, now) - now;
            match limiter.try_acquire(&1, n) {
                Decision::Admitted => {
                    prop_assert_eq!(expected, 0);
                    log.push((now, n));
                }
                Decision::Wait(wait) => prop_assert_eq!(wait.as_nanos(), expected),
                _ => prop_assert!(n > rule.burst),
            }
        }
    }

    #[test]
    fn refunds_never_let_more_through_than_they_bring_back(
        rule in rule(),
        steps in prop::collection::vec((0..40_000_000_000_000_u64, 1..60_u32, 0..40_u32), 1..120),
    ) {
        let clock = ManualClock::new();
        let limiter = Limiter::<u8>::builder(rule.limit()).clock(clock.clone()).build();
        // Admissions count up and refunds count down, each at its moment.
        let mut log: Vec<(u128, i64)> = Vec::new();
        let mut outstanding = 0;
        for (pass, n, back) in steps {
            clock.advance(Duration::from_nanos(pass));
            let now = clock.now().as_nanos();
            if limiter.try_acquire(&1, n).is_admitted() {
                log.push((now, i64::from(n)));
                outstanding += n;
            }
            let back = back.min(outstanding);
            limiter.refund(&1, back);
            log.push((now, -i64::from(back)));
            outstanding -= back;

            for (start, &(from, _)) in log.iter().enumerate() {
                let net: i64 = log[start..].iter().map(|&(_, count)| count).sum();
                let length = (now - from) as f64;
                let by_rate = f64::from(rule.burst) + length * f64::from(rule.permits) / rule.period as f64;
                prop_assert!(net as f64 <= by_rate + 1e-6, "{net} in {length} ns");
                if now - from < DAY {
                    prop_assert!(net <= i64::from(rule.quota), "{net} in a day");
                }
            }
        }
    }
}
