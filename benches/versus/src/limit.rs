//! One decision of a keyed limiter: posthaste-limit (rate and rolling quota), governor (rate alone).

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
    let (peer_keys, mut turn) = (keys.clone(), 0);
    vec![Race::new(
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
    )]
}
