//! Decisions of a keyed limiter, alone and from two threads: posthaste-limit (rate and rolling quota), governor (rate alone).

use std::num::NonZeroU32;

use governor::{Quota, RateLimiter};
use posthaste_limit::{Limit, Limiter};

use crate::race::{Race, Runner};

const KEYS: usize = 1024;

pub fn races() -> Vec<Race> {
    let keys: Vec<String> = (0..KEYS).map(|n| format!("tenant-{n:04}.example.org")).collect();
    let rate = Limit::per_second(1e9)
        .and_then(|limit| limit.burst(u32::MAX))
        .expect("a limit");
    let both = Limiter::<String>::new(rate.per_day(u32::MAX).expect("a quota"));
    let alone = Limiter::<String>::new(rate);
    let governor = RateLimiter::keyed(Quota::per_second(NonZeroU32::MAX));
    let ours = |name, limiter: Limiter<String>| {
        let (keys, mut turn) = (keys.clone(), 0);
        Runner::new(name, move || {
            turn = (turn + 1) % KEYS;
            let decision = limiter.try_acquire(keys[turn].as_str(), 1);
            assert!(decision.is_admitted());
            1
        })
    };
    let together = Limiter::<String>::new(rate.per_day(u32::MAX).expect("a quota"));
    let contended = RateLimiter::keyed(Quota::per_second(NonZeroU32::MAX));
    let (both_keys, governed_keys) = (keys.clone(), keys.clone());
    let threads = Race::new(
        "20 000 decisions of a keyed limiter in each of two threads, 1024 keys, the system's clock",
        vec![
            Runner::new("posthaste-limit, rate and rolling 24-hour quota", move || {
                in_two_threads(|key| assert!(together.try_acquire(both_keys[key].as_str(), 1).is_admitted()))
            }),
            Runner::new("governor 0.10, rate alone (it has no quota)", move || {
                in_two_threads(|key| assert!(contended.check_key(&governed_keys[key]).is_ok()))
            }),
        ],
    );
    let (peer_keys, mut turn) = (keys.clone(), 0);
    let alone = Race::new(
        "one decision of a keyed limiter, 1024 keys, the system's clock",
        vec![
            ours("posthaste-limit, rate and rolling 24-hour quota", both),
            ours("posthaste-limit, rate alone", alone),
            Runner::new("governor 0.10, rate alone (it has no quota)", move || {
                turn = (turn + 1) % KEYS;
                assert!(governor.check_key(&peer_keys[turn]).is_ok());
                1
            }),
        ],
    );
    vec![alone, threads]
}

/// Decides 20 000 times in each of two threads.
fn in_two_threads(decide: impl Fn(usize) + Sync) -> usize {
    let run = || (0..20_000).for_each(|turn: usize| decide(turn % KEYS));
    std::thread::scope(|scope| {
        scope.spawn(run);
        run();
    });
    40_000
}
