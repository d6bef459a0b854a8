//! Many keys: borrowed look-ups, eviction, floods.

use std::time::Duration;

use posthaste_limit::{Decision, Limit, Limiter, ManualClock};

fn limit() -> Limit {
    Limit::per_second(1).unwrap().burst(3).unwrap().per_day(5).unwrap()
}

#[test]
fn any_key_will_do() {
    let by_domain = Limiter::<String>::new(limit());
    assert!(by_domain.try_acquire("example.org", 1).is_admitted());
    assert!(by_domain.try_acquire(&"example.org".to_owned(), 1).is_admitted());
    let by_pair = Limiter::<(u32, &'static str)>::new(limit());
    assert!(by_pair.try_acquire(&(7, "eu"), 1).is_admitted());
    let by_bytes = Limiter::<Vec<u8>>::new(limit());
    assert!(by_bytes.try_acquire(b"raw".as_slice(), 1).is_admitted());
    let only = Limiter::<()>::new(limit());
    assert!(only.try_acquire(&(), 3).is_admitted());
    assert!(!only.try_acquire(&(), 1).is_admitted());
}

#[test]
fn looking_and_failing_leave_no_key_behind() {
    let limiter = Limiter::<String>::new(limit());
    let _ = limiter.peek("a");
    let _ = limiter.limit("b");
    let _ = limiter.snapshot("c");
    limiter.refund("d", 1);
    limiter.clear_limit("e");
    assert_eq!(limiter.try_acquire("f", 4), Decision::Never);
    assert!(limiter.try_acquire("g", 0).is_admitted());
    assert!(limiter.is_empty());
}

#[test]
fn idle_keys_are_dropped_and_busy_ones_kept() {
    let clock = ManualClock::new();
    let limiter = Limiter::<u32>::builder(limit()).clock(clock.clone()).build();
    for key in 0..100 {
        assert!(limiter.try_acquire(&key, 1).is_admitted());
    }
    clock.advance(Duration::from_secs(24 * 3600));
    assert!(limiter.try_acquire(&7, 1).is_admitted());
    limiter.set_limit(8, limit());
    limiter.retain_active();
    assert_eq!(limiter.len(), 100, "a day old is not yet forgotten");
    clock.advance(Duration::from_secs(300));
    limiter.retain_active();
    assert_eq!(limiter.len(), 2, "one busy, one with a limit of its own");
    assert_eq!(limiter.peek(&7).quota_left(), Some(4));
}

#[test]
fn a_flood_of_keys_is_bounded_and_forgets_nobody() {
    let clock = ManualClock::new();
    let limiter = Limiter::<u32>::builder(limit())
        .clock(clock.clone())
        .max_keys(100)
        .build();
    assert!(limiter.try_acquire(&0, 3).is_admitted());
    for key in 1..100_000 {
        let _ = limiter.try_acquire(&key, 1);
    }
    assert_eq!(limiter.len(), 100);
    clock.advance(Duration::from_secs(60));
    for key in 100_000..200_000 {
        let _ = limiter.try_acquire(&key, 1);
    }
    assert_eq!(limiter.len(), 100);
    assert_eq!(
        limiter.peek(&0).quota_left(),
        Some(2),
        "an early key still has its own account"
    );
}

#[test]
fn newcomers_to_a_full_table_share_one_allowance() {
    let limiter = Limiter::<u32>::builder(limit())
        .clock(ManualClock::new())
        .max_keys(2)
        .build();
    assert!(limiter.try_acquire(&1, 1).is_admitted());
    assert!(limiter.try_acquire(&2, 1).is_admitted());
    assert!(limiter.try_acquire(&3, 2).is_admitted());
    assert!(limiter.try_acquire(&4, 1).is_admitted());
    assert_eq!(limiter.try_acquire(&5, 1), Decision::Wait(Duration::from_secs(1)));
    assert!(
        limiter.try_acquire(&1, 2).is_admitted(),
        "those with a place are not held up"
    );
    limiter.set_limit(6, limit());
    assert_eq!(limiter.len(), 3, "a limit of its own always has a place");
}

#[test]
fn a_key_that_shared_gets_no_second_allowance() {
    let clock = ManualClock::new();
    let limiter = Limiter::<u32>::builder(limit())
        .clock(clock.clone())
        .max_keys(1)
        .build();
    assert!(limiter.try_acquire(&1, 1).is_admitted());
    clock.advance(Duration::from_secs(3600));
    assert!(limiter.try_acquire(&2, 3).is_admitted());
    clock.advance(Duration::from_secs(10));
    assert!(limiter.try_acquire(&2, 2).is_admitted());
    clock.advance(Duration::from_secs(23 * 3600 + 300));
    assert!(
        !limiter.try_acquire(&2, 1).is_admitted(),
        "the first key's place is free, but 5 were used within the day"
    );
    assert_eq!(limiter.peek(&2).quota_left(), Some(0));
    clock.advance(Duration::from_secs(3600));
    assert!(limiter.try_acquire(&2, 3).is_admitted());
}

#[test]
fn no_room_at_all_is_one_allowance_for_everybody() {
    let limiter = Limiter::<u32>::builder(limit())
        .clock(ManualClock::new())
        .max_keys(0)
        .build();
    assert!(limiter.try_acquire(&1, 3).is_admitted());
    assert!(!limiter.try_acquire(&2, 1).is_admitted());
    assert!(limiter.is_empty());
}

#[test]
fn room_comes_back_when_the_busy_go_idle() {
    let clock = ManualClock::new();
    let limit = Limit::per_second(1).unwrap();
    let limiter = Limiter::<u32>::builder(limit).clock(clock.clone()).max_keys(64).build();
    for round in 0..10 {
        for key in 0..64 {
            assert!(
                limiter.try_acquire(&(round * 64 + key), 1).is_admitted(),
                "round {round}"
            );
        }
        clock.advance(Duration::from_secs(1));
    }
    assert_eq!(limiter.len(), 64);
}
