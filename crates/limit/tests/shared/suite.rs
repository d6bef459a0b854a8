//! What every limiter must do, as sentences. Each case gets limiters that nobody else uses.

use std::sync::Arc;
use std::time::Duration;

use posthaste_limit::{
    Decision, Limit, Limiter, ManualClock, PostgresLimiter, Rate, RedisLimiter, SharedLimiter, StoreErrorKind,
};
use testservers::{Case, Program};

use crate::runtime;

const HOUR: Duration = Duration::from_secs(3600);

/// What the three of them have besides the trait.
pub(crate) trait Subject: SharedLimiter {
    fn set_limit(&self, key: &str, limit: Limit);

    /// Whether keys are bounded.
    fn is_stored(&self) -> bool {
        true
    }

    /// Another value that shares the counts, as another process would have.
    fn another(&self) -> Box<dyn Subject>;
}

impl Subject for Limiter<String> {
    fn set_limit(&self, key: &str, limit: Limit) {
        Self::set_limit(self, key.to_owned(), limit);
    }

    fn is_stored(&self) -> bool {
        false
    }

    fn another(&self) -> Box<dyn Subject> {
        Box::new(self.clone())
    }
}

impl Subject for RedisLimiter {
    fn set_limit(&self, key: &str, limit: Limit) {
        Self::set_limit(self, key.to_owned(), limit);
    }

    fn another(&self) -> Box<dyn Subject> {
        Box::new(self.clone())
    }
}

impl Subject for PostgresLimiter {
    fn set_limit(&self, key: &str, limit: Limit) {
        Self::set_limit(self, key.to_owned(), limit);
    }

    fn another(&self) -> Box<dyn Subject> {
        Box::new(self.clone())
    }
}

type Make = fn(Limit, Option<ManualClock>) -> Box<dyn Subject>;

type Run = fn(Make);

/// The cases, for one kind of limiter.
pub(crate) fn cases(kind: &str, needs: &'static [Program], make: Make) -> Vec<Case> {
    let all: [(&str, Run); 17] = [
        ("the_burst_goes_through_and_then_the_rate", burst_and_rate),
        ("rate_and_quota_are_taken_together_or_not_at_all", together),
        ("more_than_the_burst_or_the_quota_is_never_admitted", never),
        ("nothing_is_always_admitted_and_no_limit_admits_everything", nothing),
        ("fractional_rates_are_exact", fractions),
        ("a_place_in_the_quota_comes_free_after_a_day_and_never_early", rolling),
        ("a_quota_used_all_day_rolls_bucket_by_bucket", all_day),
        ("a_refund_gives_back_the_oldest_first", refunds),
        ("a_refund_for_an_unknown_key_does_nothing", unknown_refund),
        ("keys_do_not_touch_each_other_however_odd", odd_keys),
        ("keys_beyond_bounds_are_refused", key_bounds),
        ("looking_takes_nothing", looking),
        ("what_was_used_stays_used_when_the_limit_changes", changes),
        ("slow_rates_and_wide_bursts_never_admit_too_much", wide),
        ("random_requests_are_decided_as_in_memory", model),
        ("many_tasks_are_admitted_exactly_the_burst", tasks),
        ("the_clock_goes_on_by_itself", own_clock),
    ];
    let case = |(name, run): (&str, Run)| {
        let name = format!("{kind}::{name}");
        Case::new(name, needs, move || run(make))
    };
    all.map(case).into_iter().collect()
}

fn rate(rate: f64, burst: u32) -> Limit {
    Limit::per_second(rate).unwrap().burst(burst).unwrap()
}

/// Asks without a runtime of one's own.
struct Sync {
    subject: Box<dyn Subject>,
    runtime: tokio::runtime::Runtime,
}

impl Sync {
    fn new(make: Make, limit: Limit) -> (Self, ManualClock) {
        let clock = ManualClock::new();
        // Not at the beginning of a bucket, nor of time.
        clock.advance(1000 * HOUR + Duration::from_secs(17));
        let runtime = runtime();
        let subject = {
            let _guard = runtime.enter();
            make(limit, Some(clock.clone()))
        };
        (Self { subject, runtime }, clock)
    }

    fn acquire(&self, key: &str, n: u32) -> Decision {
        self.runtime.block_on(self.subject.acquire(key, n)).unwrap()
    }

    fn refund(&self, key: &str, n: u32) {
        self.runtime.block_on(self.subject.refund(key, n)).unwrap();
    }

    fn peek(&self, key: &str) -> posthaste_limit::Allowance {
        self.runtime.block_on(self.subject.peek(key)).unwrap()
    }
}

fn burst_and_rate(make: Make) {
    let (limiter, clock) = Sync::new(make, rate(14.0, 20));
    assert_eq!(limiter.acquire("a", 20), Decision::Admitted);
    assert_eq!(limiter.acquire("a", 7), Decision::Wait(Duration::from_millis(500)));
    clock.advance(Duration::from_millis(500) - Duration::from_micros(1));
    assert_eq!(limiter.acquire("a", 7), Decision::Wait(Duration::from_micros(1)));
    clock.advance(Duration::from_micros(1));
    assert_eq!(limiter.acquire("a", 7), Decision::Admitted);
    assert!(matches!(limiter.acquire("a", 1), Decision::Wait(_)));
    assert_eq!(limiter.acquire("b", 20), Decision::Admitted);
}

fn together(make: Make) {
    let (limiter, clock) = Sync::new(make, rate(1.0, 5).per_day(7).unwrap());
    assert_eq!(limiter.acquire("a", 5), Decision::Admitted);
    clock.advance(Duration::from_secs(5));
    assert!(matches!(limiter.acquire("a", 3), Decision::Wait(wait) if wait > 23 * HOUR));
    let left = limiter.peek("a");
    assert_eq!(
        (left.rate_left(), left.quota_left(), left.available()),
        (Some(5), Some(2), Some(2))
    );
    assert_eq!(limiter.acquire("a", 2), Decision::Admitted);
}

fn never(make: Make) {
    let (limiter, _) = Sync::new(make, rate(100.0, 10).per_day(8).unwrap());
    assert_eq!(limiter.acquire("a", 11), Decision::Never);
    assert_eq!(limiter.acquire("a", 9), Decision::Never);
    assert_eq!(limiter.acquire("a", 8), Decision::Admitted);
}

fn nothing(make: Make) {
    let (limiter, _) = Sync::new(make, rate(1.0, 1));
    limiter.subject.set_limit("free", Limit::unlimited());
    for _ in 0..3 {
        assert_eq!(limiter.acquire("a", 0), Decision::Admitted);
        assert_eq!(limiter.acquire("free", u32::MAX), Decision::Admitted);
    }
    assert_eq!(limiter.peek("free").available(), None);
    limiter.refund("free", 3);
    assert_eq!(limiter.acquire("a", 1), Decision::Admitted);
}

fn fractions(make: Make) {
    let (limiter, clock) = Sync::new(
        make,
        Limit::at(Rate::new(3, Duration::from_secs(7)).unwrap())
            .burst(1)
            .unwrap(),
    );
    let mut admitted = 0;
    // 1 and then 3 in every 7 seconds, in steps of a tenth of a second: 1 + 300 in 700 s.
    for _ in 0..=7000 {
        admitted += u32::from(limiter.acquire("a", 1).is_admitted());
        clock.advance(Duration::from_millis(100));
        if admitted > 40 {
            break;
        }
    }
    // The k-th after the first comes at the first step at or after k × 7/3 s, and steps make some later.
    let limiter = Sync::new(
        make,
        Limit::at(Rate::new(3, Duration::from_secs(7)).unwrap())
            .burst(3)
            .unwrap(),
    )
    .0;
    assert_eq!(limiter.acquire("a", 3), Decision::Admitted);
    assert_eq!(limiter.acquire("a", 3), Decision::Wait(Duration::from_secs(7)));
    let Decision::Wait(wait) = limiter.acquire("a", 1) else {
        panic!()
    };
    assert!(
        (Duration::from_nanos(2_333_333_333)..=Duration::from_micros(2_333_334)).contains(&wait),
        "{wait:?}"
    );
    assert_eq!(admitted, 41);
}

fn rolling(make: Make) {
    let (limiter, clock) = Sync::new(make, Limit::unlimited().per_day(10).unwrap());
    assert_eq!(limiter.acquire("a", 6), Decision::Admitted);
    clock.advance(2 * HOUR);
    assert_eq!(limiter.acquire("a", 4), Decision::Admitted);
    let Decision::Wait(wait) = limiter.acquire("a", 1) else {
        panic!()
    };
    assert!(
        wait >= 22 * HOUR && wait <= 22 * HOUR + Duration::from_secs(300),
        "{wait:?}"
    );
    let Decision::Wait(longer) = limiter.acquire("a", 7) else {
        panic!()
    };
    assert!(
        longer >= 24 * HOUR && longer <= 24 * HOUR + Duration::from_secs(300),
        "{longer:?}"
    );
    clock.advance(wait - Duration::from_micros(1));
    assert_eq!(limiter.acquire("a", 1), Decision::Wait(Duration::from_micros(1)));
    clock.advance(Duration::from_micros(1));
    assert_eq!(limiter.peek("a").quota_left(), Some(6));
    assert_eq!(limiter.acquire("a", 6), Decision::Admitted);
    assert!(matches!(limiter.acquire("a", 1), Decision::Wait(_)));
    clock.advance(49 * HOUR);
    assert_eq!(limiter.acquire("a", 10), Decision::Admitted);
}

fn all_day(make: Make) {
    let (limiter, clock) = Sync::new(make, Limit::unlimited().per_day(300).unwrap());
    for _ in 0..300 {
        assert_eq!(limiter.acquire("a", 1), Decision::Admitted);
        clock.advance(Duration::from_secs(280));
    }
    // 300 × 280 s are 84 000 s; the first comes free when its bucket is a day old.
    let Decision::Wait(first) = limiter.acquire("a", 1) else {
        panic!()
    };
    assert!(
        first >= Duration::from_secs(2400) && first <= Duration::from_secs(2700),
        "{first:?}"
    );
    let Decision::Wait(all) = limiter.acquire("a", 300) else {
        panic!()
    };
    assert!(
        all >= Duration::from_secs(86_400 - 280) && all <= Duration::from_secs(86_700),
        "{all:?}"
    );
    clock.advance(first);
    let left = limiter.peek("a").quota_left().unwrap();
    assert!((1..=2).contains(&left), "{left}");
    assert_eq!(limiter.acquire("a", left), Decision::Admitted);
    clock.advance(12 * HOUR);
    let left = limiter.peek("a").quota_left().unwrap();
    assert!((150..=160).contains(&left), "{left}");
    assert_eq!(limiter.acquire("a", left), Decision::Admitted);
    assert!(matches!(limiter.acquire("a", 1), Decision::Wait(_)));
}

fn refunds(make: Make) {
    let (limiter, clock) = Sync::new(make, rate(1.0, 10).per_day(10).unwrap());
    assert_eq!(limiter.acquire("a", 4), Decision::Admitted);
    clock.advance(HOUR);
    assert_eq!(limiter.acquire("a", 6), Decision::Admitted);
    limiter.refund("a", 5);
    let left = limiter.peek("a");
    assert_eq!((left.rate_left(), left.quota_left()), (Some(9), Some(5)));
    // What is left in the quota is of the later hour.
    clock.advance(23 * HOUR + Duration::from_secs(600));
    assert_eq!(limiter.peek("a").quota_left(), Some(5));
    clock.advance(HOUR);
    assert_eq!(limiter.peek("a").quota_left(), Some(10));
    limiter.refund("a", 99);
    let left = limiter.peek("a");
    assert_eq!(
        (left.rate_left(), left.quota_left(), left.full_in()),
        (Some(10), Some(10), Duration::ZERO)
    );
}

fn unknown_refund(make: Make) {
    let (limiter, _) = Sync::new(make, rate(1.0, 3).per_day(5).unwrap());
    limiter.refund("a", 2);
    limiter.refund("a", 0);
    assert_eq!(limiter.acquire("a", 3), Decision::Admitted);
    assert!(matches!(limiter.acquire("a", 1), Decision::Wait(_)));
}

fn odd_keys(make: Make) {
    let (limiter, _) = Sync::new(make, rate(1.0, 1));
    let long = "k".repeat(1024);
    let keys = [
        "",
        " ",
        "a",
        "A",
        "{a}",
        "a}",
        "'; DROP TABLE x; --",
        "%_\\",
        "ü",
        "日本語",
        "a\nb",
        &long,
    ];
    for key in keys {
        assert_eq!(limiter.acquire(key, 1), Decision::Admitted, "{key}");
        assert!(matches!(limiter.acquire(key, 1), Decision::Wait(_)), "{key}");
    }
}

fn key_bounds(make: Make) {
    let (limiter, _) = Sync::new(make, rate(1.0, 1));
    if !limiter.subject.is_stored() {
        return;
    }
    for key in ["a\0b".to_owned(), "k".repeat(1025)] {
        let error = limiter.runtime.block_on(limiter.subject.acquire(&key, 1)).unwrap_err();
        assert_eq!((error.kind(), error.is_outage()), (StoreErrorKind::Key, false));
        assert!(limiter.runtime.block_on(limiter.subject.peek(&key)).is_err());
        assert!(limiter.runtime.block_on(limiter.subject.refund(&key, 1)).is_err());
    }
}

fn looking(make: Make) {
    let (limiter, clock) = Sync::new(make, rate(2.0, 4).per_day(9).unwrap());
    for _ in 0..3 {
        let left = limiter.peek("a");
        assert_eq!((left.rate_left(), left.quota_left()), (Some(4), Some(9)));
        assert_eq!((left.next_in(), left.full_in()), (Duration::ZERO, Duration::ZERO));
    }
    assert_eq!(limiter.acquire("a", 4), Decision::Admitted);
    for _ in 0..3 {
        let left = limiter.peek("a");
        assert_eq!((left.rate_left(), left.quota_left()), (Some(0), Some(5)));
        assert_eq!(left.next_in(), Duration::from_millis(500));
        assert!(left.full_in() >= 24 * HOUR && left.full_in() <= 25 * HOUR);
    }
    clock.advance(Duration::from_millis(750));
    let left = limiter.peek("a");
    assert_eq!((left.rate_left(), left.next_in()), (Some(1), Duration::ZERO));
    clock.advance(48 * HOUR);
    assert_eq!(limiter.peek("a").quota_left(), Some(9));
    assert_eq!(limiter.acquire("a", 4), Decision::Admitted);
}

fn changes(make: Make) {
    let (limiter, clock) = Sync::new(make, rate(1.0, 10).per_day(100).unwrap());
    assert_eq!(limiter.acquire("a", 10), Decision::Admitted);
    limiter.subject.set_limit("a", rate(10.0, 20).per_day(15).unwrap());
    let left = limiter.peek("a");
    assert_eq!((left.rate_left(), left.quota_left()), (Some(10), Some(5)));
    assert_eq!(limiter.acquire("a", 5), Decision::Admitted);
    limiter.subject.set_limit("a", rate(1.0 / 3.0, 20).per_day(16).unwrap());
    let left = limiter.peek("a");
    assert_eq!((left.rate_left(), left.quota_left()), (Some(5), Some(1)));
    // Without a rate nothing is owed; without a quota nothing is counted.
    limiter.subject.set_limit("a", Limit::unlimited().per_day(17).unwrap());
    assert_eq!(limiter.acquire("a", 2), Decision::Admitted);
    limiter.subject.set_limit("a", rate(1.0, 2));
    assert_eq!(limiter.acquire("a", 2), Decision::Admitted);
    clock.advance(Duration::from_secs(9));
    assert_eq!(limiter.acquire("a", 2), Decision::Admitted);
    limiter.subject.set_limit("a", rate(1.0, 2).per_day(18).unwrap());
    assert_eq!(limiter.peek("a").quota_left(), Some(1));
}

fn wide(make: Make) {
    // A permit in 30 years, and a rate of nine digits whose debt has more units than a double holds.
    let (limiter, _) = Sync::new(make, rate(1e-9, 1));
    assert_eq!(limiter.acquire("a", 1), Decision::Admitted);
    assert_eq!(
        limiter.acquire("a", 1),
        Decision::Wait(Duration::from_secs(1_000_000_000))
    );
    let (limiter, clock) = Sync::new(make, rate(123_456.789_123_457, u32::MAX));
    assert_eq!(limiter.acquire("a", u32::MAX), Decision::Admitted);
    let (mut asked, mut waited) = (0.0, 0.0);
    for n in [1_u32, 77, 1_000_000] {
        let Decision::Wait(wait) = limiter.acquire("a", n) else {
            panic!()
        };
        asked += f64::from(n);
        waited += wait.as_secs_f64();
        // What one wait was too long, by rounding, the next is shorter; all together never are.
        let exact = asked / 123_456.789_123_457;
        assert!(waited >= exact * 0.999_999_999_999, "{n}: {waited} {exact}");
        assert!(waited <= exact * 1.000_1 + 0.000_1, "{n}: {waited} {exact}");
        clock.advance(wait);
        assert_eq!(limiter.acquire("a", n), Decision::Admitted);
    }
}

/// Random numbers that are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

fn model(make: Make) {
    let limits = [
        rate(14.0, 20).per_day(60).unwrap(),
        rate(0.2, 3),
        Limit::unlimited().per_day(11).unwrap(),
        rate(7.5, 9).per_day(500).unwrap(),
        Limit::at(Rate::new(3, Duration::from_secs(7)).unwrap())
            .burst(4)
            .unwrap()
            .per_day(40)
            .unwrap(),
    ];
    for (seed, limit) in limits.into_iter().enumerate() {
        let (limiter, clock) = Sync::new(make, limit);
        let model = Limiter::<String>::builder(limit).clock(clock.clone()).build();
        let mut dice = Dice(seed as u64 + 77);
        for step in 0..300 {
            let key = ["a", "b"][dice.below(2) as usize];
            match dice.below(10) {
                0..=5 => {
                    let n = dice.below(6) as u32;
                    let expected = match model.try_acquire(key, n) {
                        // Whole microseconds, rounded up.
                        Decision::Wait(wait) => {
                            Decision::Wait(Duration::from_micros(wait.as_nanos().div_ceil(1000) as u64))
                        }
                        other => other,
                    };
                    let found = match limiter.acquire(key, n) {
                        Decision::Wait(wait) => {
                            Decision::Wait(Duration::from_micros(wait.as_nanos().div_ceil(1000) as u64))
                        }
                        other => other,
                    };
                    assert_eq!(found, expected, "limit {seed}, step {step}, {key} {n}");
                }
                6 => {
                    let n = dice.below(4) as u32;
                    model.refund(key, n);
                    limiter.refund(key, n);
                }
                7 => {
                    let (found, expected) = (limiter.peek(key), model.peek(key));
                    assert_eq!(
                        (found.rate_left(), found.quota_left()),
                        (expected.rate_left(), expected.quota_left()),
                        "limit {seed}, step {step}, {key}"
                    );
                    for (found, expected) in [
                        (found.next_in(), expected.next_in()),
                        (found.full_in(), expected.full_in()),
                    ] {
                        assert!(found >= expected, "limit {seed}, step {step}, {key}");
                        assert!(
                            found - expected < Duration::from_micros(1),
                            "limit {seed}, step {step}, {key}"
                        );
                    }
                }
                8 => clock.advance(Duration::from_micros(dice.below(2_000_000))),
                _ => clock.advance(Duration::from_secs(dice.below(20_000))),
            }
        }
    }
}

fn tasks(make: Make) {
    let (limiter, _) = Sync::new(make, rate(1.0, 60).per_day(100).unwrap());
    let Sync { subject, runtime } = limiter;
    let subject: Arc<dyn Subject> = Arc::from(subject);
    let admitted: u32 = runtime.block_on(async {
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let own = subject.another();
                tokio::spawn(async move {
                    let mut admitted = 0;
                    for _ in 0..20 {
                        admitted += u32::from(own.acquire("a", 1).await.unwrap().is_admitted());
                    }
                    admitted
                })
            })
            .collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.await.unwrap();
        }
        sum
    });
    assert_eq!(admitted, 60);
}

fn own_clock(make: Make) {
    let runtime = runtime();
    runtime.block_on(async {
        let slow = Limit::per_second(0.001).unwrap().burst(3).unwrap().per_day(5).unwrap();
        let limiter = make(slow, None);
        assert_eq!(limiter.acquire("a", 3).await.unwrap(), Decision::Admitted);
        let Decision::Wait(wait) = limiter.acquire("a", 1).await.unwrap() else {
            panic!()
        };
        assert!(
            wait <= Duration::from_secs(1000) && wait > Duration::from_secs(900),
            "{wait:?}"
        );
        // A rate so high that the time of a round trip pays it all back.
        limiter.set_limit("fast", Limit::per_second(1e9).unwrap().burst(1).unwrap());
        for _ in 0..5 {
            assert_eq!(limiter.acquire("fast", 1).await.unwrap(), Decision::Admitted);
        }
    });
}
