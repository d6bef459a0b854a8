//! Snapshots: what was used before a restart is used after it.

use std::time::Duration;

use posthaste_limit::{Decision, Limit, Limiter, ManualClock};

const HOUR: Duration = Duration::from_secs(3600);

fn limit() -> Limit {
    Limit::per_second(1).unwrap().burst(10).unwrap().per_day(20).unwrap()
}

fn start() -> (Limiter<String>, ManualClock) {
    let clock = ManualClock::new();
    (Limiter::builder(limit()).clock(clock.clone()).build(), clock)
}

#[test]
fn a_restored_key_owes_what_it_owed() {
    let (before, clock) = start();
    clock.advance(5 * HOUR);
    assert!(before.try_acquire("a", 10).is_admitted());
    let snapshot = before.snapshot("a").unwrap();

    let (after, clock) = start();
    after.restore("a".to_owned(), &snapshot, Duration::from_secs(4));
    assert_eq!(after.try_acquire("a", 6), Decision::Wait(Duration::from_secs(2)));
    assert_eq!(after.peek("a").quota_left(), Some(10));
    clock.advance(24 * HOUR - Duration::from_secs(5));
    assert_eq!(after.peek("a").quota_left(), Some(10), "not yet a day");
    clock.advance(Duration::from_secs(900));
    assert_eq!(after.peek("a").quota_left(), Some(20), "late by three buckets at most");
}

#[test]
fn a_long_stop_is_rest() {
    let (before, _) = start();
    assert!(before.try_acquire("a", 10).is_admitted());
    let (after, _) = start();
    after.restore("a".to_owned(), &before.snapshot("a").unwrap(), 25 * HOUR);
    assert_eq!(after.peek("a").available(), Some(10));
    assert_eq!(after.peek("a").quota_left(), Some(20));
}

#[test]
fn restoring_adds_to_what_was_used_since() {
    let (before, _) = start();
    assert!(before.try_acquire("a", 4).is_admitted());
    let (after, _) = start();
    assert!(after.try_acquire("a", 3).is_admitted());
    after.restore("a".to_owned(), &before.snapshot("a").unwrap(), Duration::ZERO);
    let left = after.peek("a");
    assert_eq!((left.rate_left(), left.quota_left()), (Some(3), Some(13)));
}

#[test]
fn only_keys_that_used_something_are_taken_down() {
    let (limiter, clock) = start();
    assert!(limiter.try_acquire("old", 1).is_admitted());
    limiter.set_limit("own".to_owned(), limit());
    clock.advance(25 * HOUR);
    assert!(limiter.try_acquire("new", 1).is_admitted());
    let all = limiter.snapshots();
    assert_eq!(all.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["new"]);
    assert_eq!(limiter.snapshot("old"), None);
    assert_eq!(limiter.snapshot("own"), None);
    assert!(!all[0].1.is_empty());
}

#[cfg(feature = "serde")]
#[test]
fn a_snapshot_can_be_written_and_read_back() {
    let (limiter, clock) = start();
    assert!(limiter.try_acquire("a", 3).is_admitted());
    clock.advance(HOUR);
    assert!(limiter.try_acquire("a", 2).is_admitted());
    let snapshot = limiter.snapshot("a").unwrap();
    let written = serde_json::to_string(&snapshot).unwrap();
    assert_eq!(written, r#"{"owed":2,"admitted":[[3300,3],[0,2]]}"#);
    assert_eq!(
        serde_json::from_str::<posthaste_limit::Snapshot>(&written).unwrap(),
        snapshot
    );
}
