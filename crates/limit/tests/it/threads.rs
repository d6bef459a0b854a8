//! Many threads on one limiter, with the clock still or moved by the threads themselves.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use posthaste_limit::{Clock, Limit, Limiter, ManualClock};

const THREADS: usize = 8;

#[test]
fn exactly_the_burst_is_admitted_while_time_stands_still() {
    let limit = Limit::per_second(1)
        .unwrap()
        .burst(1000)
        .unwrap()
        .per_day(1500)
        .unwrap();
    let limiter = Limiter::<String>::builder(limit).clock(ManualClock::new()).build();
    let admitted = [AtomicU32::new(0), AtomicU32::new(0)];
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                start.wait();
                for round in 0..1000 {
                    let key = round % 2;
                    if limiter.try_acquire(["a", "b"][key], 1).is_admitted() {
                        admitted[key].fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(admitted.map(AtomicU32::into_inner), [1000, 1000]);
}

#[test]
fn moving_time_never_admits_more_than_it_brings() {
    let clock = ManualClock::new();
    let limit = Limit::per_second(1000)
        .unwrap()
        .burst(10)
        .unwrap()
        .per_day(3000)
        .unwrap();
    let limiter = Limiter::<u8>::builder(limit).clock(clock.clone()).build();
    let admitted = AtomicU32::new(0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..2000 {
                    clock.advance(Duration::from_micros(100));
                    if limiter.try_acquire(&1, 1).is_admitted() {
                        admitted.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let most = 10 + u32::try_from(clock.now().as_millis()).unwrap();
    let admitted = admitted.into_inner();
    assert!(admitted <= most, "{admitted} in {:?}", clock.now());
    assert_eq!(limiter.peek(&1).quota_left(), Some(3000 - admitted));
}

#[test]
fn refunds_and_admissions_from_many_threads_add_up() {
    let limit = Limit::per_second(1).unwrap().burst(64).unwrap().per_day(64).unwrap();
    let limiter = Limiter::<u8>::builder(limit).clock(ManualClock::new()).build();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..1000 {
                    if limiter.try_acquire(&1, 3).is_admitted() {
                        limiter.refund(&1, 3);
                    }
                }
            });
        }
    });
    assert_eq!(limiter.peek(&1).available(), Some(64));
}
