//! Limits that change at run time, refunds, and what `peek` shows.

use std::time::Duration;

use posthaste_limit::{Decision, Limit, Limiter, ManualClock, Throttle};

fn limiter(limit: Limit) -> (Limiter<String>, ManualClock) {
    let clock = ManualClock::new();
    (Limiter::builder(limit).clock(clock.clone()).build(), clock)
}

fn rate(rate: f64, burst: u32) -> Limit {
    Limit::per_second(rate).unwrap().burst(burst).unwrap()
}

#[test]
fn rate_and_quota_are_taken_together_or_not_at_all() {
    let (limiter, clock) = limiter(rate(1.0, 5).per_day(7).unwrap());
    assert_eq!(limiter.try_acquire("a", 5), Decision::Admitted);
    clock.advance(Duration::from_secs(5));
    assert!(
        matches!(limiter.try_acquire("a", 3), Decision::Wait(_)),
        "the quota has 2 left"
    );
    let left = limiter.peek("a");
    assert_eq!(
        (left.rate_left(), left.quota_left(), left.available()),
        (Some(5), Some(2), Some(2))
    );
    assert_eq!(limiter.try_acquire("a", 2), Decision::Admitted);
}

#[test]
fn more_than_the_burst_or_the_quota_is_never_admitted() {
    let (limiter, _) = limiter(rate(100.0, 10).per_day(8).unwrap());
    assert_eq!(limiter.try_acquire("a", 11), Decision::Never);
    assert_eq!(limiter.try_acquire("a", 9), Decision::Never);
    assert_eq!(limiter.try_acquire("a", 8), Decision::Admitted);
    assert!(limiter.try_acquire("b", 0).is_admitted());
}

#[test]
fn no_limit_admits_everything() {
    let (limiter, _) = limiter(Limit::unlimited());
    assert_eq!(limiter.try_acquire("a", u32::MAX), Decision::Admitted);
    assert_eq!(limiter.try_acquire("a", u32::MAX), Decision::Admitted);
    assert_eq!(limiter.peek("a").available(), None);
}

#[test]
fn the_longest_wait_of_the_slowest_rate_is_exact() {
    let (limiter, _) = limiter(rate(1e-9, 1));
    assert_eq!(limiter.try_acquire("a", 1), Decision::Admitted);
    assert_eq!(
        limiter.try_acquire("a", 1),
        Decision::Wait(Duration::from_secs(1_000_000_000))
    );
}

#[test]
fn peek_says_when_the_next_comes_and_when_all_are_back() {
    let (limiter, clock) = limiter(rate(4.0, 8).per_day(100).unwrap());
    assert_eq!(limiter.peek("a").full_in(), Duration::ZERO);
    assert!(limiter.try_acquire("a", 8).is_admitted());
    clock.advance(Duration::from_millis(100));
    let left = limiter.peek("a");
    assert_eq!(left.rate_left(), Some(0));
    assert_eq!(left.next_in(), Duration::from_millis(150));
    assert_eq!(
        left.full_in(),
        Duration::from_secs(24 * 3600 + 300) - Duration::from_millis(100)
    );
    clock.advance(left.full_in());
    let left = limiter.peek("a");
    assert_eq!(
        (left.rate_left(), left.quota_left(), left.full_in()),
        (Some(8), Some(100), Duration::ZERO)
    );
}

#[test]
fn a_new_rate_takes_over_what_is_owed() {
    let (limiter, _) = limiter(rate(1.0, 10));
    assert!(limiter.try_acquire("a", 10).is_admitted());
    limiter.set_limit("a".to_owned(), rate(10.0, 10));
    assert_eq!(limiter.try_acquire("a", 5), Decision::Wait(Duration::from_millis(500)));
    limiter.set_limit("a".to_owned(), rate(10.0, 2));
    assert_eq!(limiter.try_acquire("a", 1), Decision::Wait(Duration::from_millis(900)));
    limiter.clear_limit("a");
    assert_eq!(limiter.limit("a"), rate(1.0, 10));
    assert_eq!(limiter.try_acquire("a", 1), Decision::Wait(Duration::from_secs(1)));
}

#[test]
fn a_new_quota_counts_the_day_that_was() {
    let (limiter, clock) = limiter(Limit::unlimited().per_day(100).unwrap());
    assert!(limiter.try_acquire("a", 60).is_admitted());
    limiter.set_default_limit(Limit::unlimited().per_day(50).unwrap());
    assert_eq!(limiter.peek("a").quota_left(), Some(0));
    assert!(!limiter.try_acquire("a", 1).is_admitted());
    clock.advance(Duration::from_secs(24 * 3600 + 300));
    assert!(limiter.try_acquire("a", 50).is_admitted());
}

#[test]
fn a_new_default_leaves_keys_with_their_own_alone() {
    let (limiter, _) = limiter(rate(1.0, 1));
    limiter.set_limit("own".to_owned(), rate(1.0, 7));
    assert!(limiter.try_acquire("other", 1).is_admitted());
    limiter.set_default_limit(rate(2.0, 3));
    assert_eq!(limiter.limit("own"), rate(1.0, 7));
    assert_eq!(limiter.peek("own").rate_left(), Some(7));
    assert_eq!(limiter.peek("other").rate_left(), Some(2));
    assert_eq!(limiter.peek("new").rate_left(), Some(3));
}

#[test]
fn a_refund_brings_back_rate_and_quota() {
    let (limiter, clock) = limiter(rate(1.0, 4).per_day(4).unwrap());
    assert!(limiter.try_acquire("a", 4).is_admitted());
    limiter.refund("a", 3);
    assert_eq!(limiter.peek("a").available(), Some(3));
    limiter.refund("a", 100);
    assert_eq!(
        limiter.peek("a").available(),
        Some(4),
        "never more than a full allowance"
    );
    clock.advance(Duration::from_secs(100));
    limiter.refund("a", 1);
    limiter.refund("unknown", 1);
    assert_eq!(limiter.peek("a").available(), Some(4));
    assert_eq!(limiter.peek("unknown").available(), Some(4));
}

#[test]
fn clones_share_what_is_left() {
    let (limiter, _) = limiter(rate(1.0, 2));
    let other = limiter.clone();
    assert!(limiter.try_acquire("a", 1).is_admitted());
    assert!(other.try_acquire("a", 1).is_admitted());
    assert!(!limiter.try_acquire("a", 1).is_admitted());
}

#[test]
fn a_throttle_is_a_limiter_without_keys() {
    let clock = ManualClock::new();
    let throttle = Throttle::with_clock(rate(2.0, 2).per_day(3).unwrap(), clock.clone());
    assert!(throttle.clone().try_acquire(2).is_admitted());
    assert_eq!(throttle.try_acquire(1), Decision::Wait(Duration::from_millis(500)));
    clock.advance(Duration::from_millis(500));
    assert!(throttle.try_acquire(1).is_admitted());
    assert_eq!(throttle.peek().quota_left(), Some(0));
    throttle.refund(1);
    assert_eq!(throttle.peek().quota_left(), Some(1));
    throttle.set_limit(Limit::unlimited());
    assert!(throttle.try_acquire(1000).is_admitted());
    assert_eq!(throttle.limit(), Limit::unlimited());
}

#[test]
fn an_old_reading_of_the_clock_counts_as_the_latest() {
    let (limiter, _) = limiter(rate(1.0, 1));
    let second = Duration::from_secs(1);
    assert!(limiter.try_acquire_at("a", 1, 10 * second).is_admitted());
    assert_eq!(limiter.try_acquire_at("a", 1, 4 * second), Decision::Wait(7 * second));
    assert!(limiter.try_acquire_at("a", 1, 11 * second).is_admitted());
}
