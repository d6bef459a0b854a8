//! Decisions of a keyed limiter, alone and from two threads: posthaste-limit (rate and rolling quota), governor (rate alone). Each by the
//! processor's counter, which is what governor reads unless told otherwise, and by the system's clock.

use std::num::NonZeroU32;

use governor::clock::MonotonicClock;
use governor::{Quota, RateLimiter};
use posthaste_limit::{Clock, Limit, Limiter, QuantaClock, SystemClock};

use crate::race::{Race, Runner};

const KEYS: usize = 1024;

/// Decides for the key of a number.
type Decide = Box<dyn Fn(usize) + Sync>;

pub fn races() -> Vec<Race> {
    let one = |name, decide: Decide| {
        let mut turn = 0;
        Runner::new(name, move || {
            turn = (turn + 1) % KEYS;
            decide(turn);
            1
        })
    };
    let two = |name, decide: Decide| Runner::new(name, move || in_two_threads(&decide));
    vec![
        Race::new(
            "one decision of a keyed limiter, 1024 keys, the processor's counter",
            vec![
                one(
                    "posthaste-limit, rate and rolling 24-hour quota",
                    ours(QuantaClock::new(), true),
                ),
                one("posthaste-limit, rate alone", ours(QuantaClock::new(), false)),
                one("governor 0.10, rate alone (it has no quota)", governor()),
            ],
        ),
        Race::new(
            "one decision of a keyed limiter, 1024 keys, the system's clock",
            vec![
                one(
                    "posthaste-limit, rate and rolling 24-hour quota",
                    ours(SystemClock::new(), true),
                ),
                one("posthaste-limit, rate alone", ours(SystemClock::new(), false)),
                one(
                    "governor 0.10, rate alone (it has no quota)",
                    governor_by_system_clock(),
                ),
            ],
        ),
        Race::new(
            "20 000 decisions of a keyed limiter in each of two threads, 1024 keys, the processor's counter",
            vec![
                two(
                    "posthaste-limit, rate and rolling 24-hour quota",
                    ours(QuantaClock::new(), true),
                ),
                two("governor 0.10, rate alone (it has no quota)", governor()),
            ],
        ),
        Race::new(
            "20 000 decisions of a keyed limiter in each of two threads, 1024 keys, the system's clock",
            vec![
                two(
                    "posthaste-limit, rate and rolling 24-hour quota",
                    ours(SystemClock::new(), true),
                ),
                two(
                    "governor 0.10, rate alone (it has no quota)",
                    governor_by_system_clock(),
                ),
            ],
        ),
    ]
}

fn keys() -> Vec<String> {
    (0..KEYS).map(|n| format!("tenant-{n:04}.example.org")).collect()
}

fn ours(clock: impl Clock, has_quota: bool) -> Decide {
    let rate = Limit::per_second(1e9)
        .and_then(|limit| limit.burst(u32::MAX))
        .expect("a limit");
    let limit = if has_quota {
        rate.per_day(u32::MAX).expect("a quota")
    } else {
        rate
    };
    let (limiter, keys) = (Limiter::<String>::builder(limit).clock(clock).build(), keys());
    Box::new(move |key| assert!(limiter.try_acquire(keys[key].as_str(), 1).is_admitted()))
}

fn governor() -> Decide {
    let (limiter, keys) = (RateLimiter::keyed(Quota::per_second(NonZeroU32::MAX)), keys());
    Box::new(move |key| assert!(limiter.check_key(&keys[key]).is_ok()))
}

fn governor_by_system_clock() -> Decide {
    let limiter = RateLimiter::dashmap_with_clock(Quota::per_second(NonZeroU32::MAX), MonotonicClock);
    let keys = keys();
    Box::new(move |key| assert!(limiter.check_key(&keys[key]).is_ok()))
}

/// Decides 20 000 times in each of two threads.
fn in_two_threads(decide: &Decide) -> usize {
    let run = || (0..20_000).for_each(|turn: usize| decide(turn % KEYS));
    std::thread::scope(|scope| {
        scope.spawn(run);
        run();
    });
    40_000
}
