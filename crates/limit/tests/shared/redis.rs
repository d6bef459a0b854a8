//! Limits in a real Redis, as only it has them.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use posthaste_limit::{Decision, Limit, ManualClock, RedisLimiter, RedisLimiterBuilder, SharedLimiter, StoreErrorKind};
use testservers::{Case, Program, Redis, silent_address};

use crate::runtime;

/// The one server of this program; the cases run one by one.
static SERVER: Mutex<Option<Redis>> = Mutex::new(None);

pub(crate) const NEEDS: &[Program] = &[Program::Redis];

pub(crate) fn server() -> MutexGuard<'static, Option<Redis>> {
    SERVER.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn url() -> String {
    server().get_or_insert_with(Redis::start).url()
}

pub(crate) fn stop() {
    *server() = None;
}

pub(crate) fn fresh_prefix() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("case{}:", COUNT.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn build(builder: RedisLimiterBuilder, clock: Option<ManualClock>) -> RedisLimiter {
    let builder = builder.timeout(Duration::from_secs(20));
    match clock {
        Some(clock) => builder.clock(clock),
        None => builder,
    }
    .build()
    .unwrap()
}

pub(crate) fn cases() -> Vec<Case> {
    let all: [(&str, fn()); 7] = [
        (
            "redis::a_server_that_forgot_the_script_is_sent_it_again",
            forgotten_script,
        ),
        (
            "redis::keys_are_named_with_a_hash_tag_and_go_away_by_themselves",
            keys_expire,
        ),
        ("redis::a_key_of_another_kind_is_an_error_and_no_outage", another_kind),
        ("redis::a_clock_behind_the_last_one_counts_as_that", behind),
        ("redis::a_server_that_says_nothing_is_waited_for_only_so_long", silent),
        (
            "redis::a_server_that_stands_still_is_an_outage_and_goes_on_when_it_does",
            paused,
        ),
        (
            "redis::settings_that_cannot_be_are_said_and_no_password_shown",
            settings,
        ),
    ];
    all.map(|(name, run)| Case::new(name, NEEDS, run)).into_iter().collect()
}

fn limit() -> Limit {
    Limit::per_second(0.001).unwrap().burst(3).unwrap().per_day(5).unwrap()
}

fn forgotten_script() {
    let limiter = build(RedisLimiter::builder(&url(), limit()).prefix(fresh_prefix()), None);
    runtime().block_on(async {
        for _ in 0..3 {
            assert_eq!(limiter.acquire("a", 1).await.unwrap(), Decision::Admitted);
            assert_eq!(server().as_ref().unwrap().ask("SCRIPT FLUSH"), "+OK\r\n");
        }
        assert!(matches!(limiter.acquire("a", 1).await.unwrap(), Decision::Wait(_)));
    });
}

fn keys_expire() {
    let limiter = build(RedisLimiter::builder(&url(), limit()).prefix("expiry:"), None);
    limiter.set_limit("quick".to_owned(), Limit::per_second(1000).unwrap());
    runtime().block_on(async {
        assert_eq!(limiter.acquire("slow", 3).await.unwrap(), Decision::Admitted);
        assert_eq!(limiter.acquire("quick", 1).await.unwrap(), Decision::Admitted);
        assert!(limiter.peek("unused").await.unwrap().available().is_some());
        limiter.refund("unused", 1).await.unwrap();
    });
    let server = server();
    let server = server.as_ref().unwrap();
    let rest = |key: &str| -> i64 {
        let answer = server.ask(&format!("PTTL {key}"));
        answer.trim_end().trim_start_matches(':').parse().unwrap()
    };
    let day = 86_400_000;
    assert!(
        (day..day + 400_000).contains(&rest("expiry:{slow}")),
        "the quota lasts longest"
    );
    assert!((1..=1100).contains(&rest("expiry:{quick}")));
    assert_eq!(rest("expiry:{unused}"), -2, "looking leaves nothing behind");
}

fn another_kind() {
    let limiter = build(RedisLimiter::builder(&url(), limit()).prefix("other:"), None);
    assert_eq!(server().as_ref().unwrap().ask("SET other:{a} x"), "+OK\r\n");
    runtime().block_on(async {
        let error = limiter.acquire("a", 1).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.is_outage()),
            (StoreErrorKind::Refused, false),
            "{error}"
        );
        assert_eq!(limiter.acquire("b", 1).await.unwrap(), Decision::Admitted);
    });
}

fn behind() {
    let (late, early) = (ManualClock::new(), ManualClock::new());
    late.advance(Duration::from_secs(1000));
    let prefix = fresh_prefix();
    let limiter = |clock| build(RedisLimiter::builder(&url(), limit()).prefix(&prefix), Some(clock));
    let (late, early) = (limiter(late), limiter(early));
    runtime().block_on(async {
        assert_eq!(late.acquire("a", 3).await.unwrap(), Decision::Admitted);
        // 1000 s until it is ready, and 1000 s until the clock is where it was.
        assert_eq!(
            early.acquire("a", 1).await.unwrap(),
            Decision::Wait(Duration::from_secs(2000))
        );
    });
}

fn silent() {
    let (_listener, address) = silent_address();
    let limiter = RedisLimiter::builder(&format!("redis://{address}/"), limit())
        .timeout(Duration::from_millis(30))
        .build()
        .unwrap();
    runtime().block_on(async {
        for _ in 0..2 {
            let error = limiter.acquire("a", 1).await.unwrap_err();
            assert_eq!((error.kind(), error.is_outage()), (StoreErrorKind::TimedOut, true));
        }
    });
}

fn paused() {
    let builder = RedisLimiter::builder(&url(), limit()).prefix(fresh_prefix());
    let hasty = builder.clone().timeout(Duration::from_millis(50)).build().unwrap();
    let patient = build(builder, None);
    runtime().block_on(async {
        assert_eq!(patient.acquire("a", 1).await.unwrap(), Decision::Admitted);
        server().as_ref().unwrap().pause();
        for _ in 0..3 {
            let error = hasty.peek("a").await.unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::TimedOut);
        }
        server().as_ref().unwrap().resume();
        assert_eq!(patient.acquire("a", 1).await.unwrap(), Decision::Admitted);
        assert_eq!(patient.peek("a").await.unwrap().rate_left(), Some(1));
    });
}

fn settings() {
    for url in [
        "",
        "http://example.org",
        "redis://u:hunter2@/x",
        "redis://u:hunter2@[::1/0",
    ] {
        let error = RedisLimiter::new(url, limit()).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Config, "{url}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
    let secret = url().replace("redis://", "redis://user:hunter2@");
    let builder = RedisLimiter::builder(&secret, limit());
    assert!(!format!("{builder:?}").contains("hunter2"));
    let limiter = build(builder, None);
    assert!(!format!("{limiter:?}").contains("hunter2"));
    runtime().block_on(async {
        let error = limiter.acquire("a", 1).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.is_outage()),
            (StoreErrorKind::Config, false),
            "{error:?}"
        );
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    });
}
