//! What holds while a server is down is the caller's choice, and ends when it is back.

use std::time::Duration;

use posthaste_limit::{
    Decision, Limit, Limiter, OnOutage, PostgresLimiter, RedisLimiter, SharedLimiter, SharedLimiterExt, StoreErrorKind,
};
use testservers::Case;

use crate::{postgres, redis, runtime};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new(
            "redis::an_outage_is_what_the_caller_chose_and_ends_by_itself",
            redis::NEEDS,
            || {
                let builder = RedisLimiter::builder(&redis::url(), limit()).prefix(redis::fresh_prefix());
                let (hasty, patient) = (
                    builder.clone().timeout(Duration::from_millis(500)).build().unwrap(),
                    redis::build(builder, None),
                );
                outage(
                    &hasty,
                    &patient,
                    || redis::server().as_mut().unwrap().stop(),
                    || redis::server().as_mut().unwrap().start_again(),
                );
            },
        ),
        Case::new(
            "postgres::an_outage_is_what_the_caller_chose_and_ends_by_itself",
            postgres::NEEDS,
            || {
                let url = postgres::database();
                // The pools belong to the runtime that they are made in.
                let runtime = runtime();
                let _guard = runtime.enter();
                let limiter = |timeout| {
                    PostgresLimiter::builder(&url, limit())
                        .timeout(timeout)
                        .build()
                        .unwrap()
                };
                outage_in(
                    &runtime,
                    &limiter(Duration::from_millis(500)),
                    &limiter(Duration::from_secs(20)),
                    || postgres::server().as_mut().unwrap().stop(),
                    || postgres::server().as_mut().unwrap().start_again(),
                );
            },
        ),
    ]
}

fn limit() -> Limit {
    Limit::per_second(0.001)
        .unwrap()
        .burst(3)
        .unwrap()
        .per_day(100)
        .unwrap()
}

fn outage<L: SharedLimiter + Clone>(hasty: &L, patient: &L, stop: impl Fn(), start: impl Fn()) {
    outage_in(&runtime(), hasty, patient, stop, start);
}

fn outage_in<L: SharedLimiter + Clone>(
    runtime: &tokio::runtime::Runtime,
    hasty: &L,
    patient: &L,
    stop: impl Fn(),
    start: impl Fn(),
) {
    let closed = hasty.clone().on_outage(OnOutage::default());
    let open = hasty.clone().on_outage(OnOutage::Admit);
    let share = Limiter::new(Limit::per_second(0.001).unwrap().burst(1).unwrap());
    let local = hasty.clone().on_outage(OnOutage::Local(share));
    runtime.block_on(async {
        for limiter in [&closed, &open, &local] {
            assert_eq!(limiter.acquire("a", 1).await.unwrap(), Decision::Admitted);
        }
        for limiter in [&closed, &open, &local] {
            assert!(matches!(limiter.acquire("a", 1).await.unwrap(), Decision::Wait(_)));
        }
        // Known before the outage, and asked again only behind it.
        assert_eq!(patient.acquire("b", 1).await.unwrap(), Decision::Admitted);

        stop();
        for _ in 0..2 {
            let error = closed.acquire("a", 1).await.unwrap_err();
            assert!(error.is_outage(), "{error:?}");
            assert_eq!(open.acquire("a", 1).await.unwrap(), Decision::Admitted);
            assert_eq!(open.peek("a").await.unwrap().available(), None);
        }
        assert_eq!(local.acquire("a", 1).await.unwrap(), Decision::Admitted);
        assert!(matches!(local.acquire("a", 1).await.unwrap(), Decision::Wait(_)));
        assert_eq!(open.acquire("c", 2).await.unwrap(), Decision::Admitted);
        local.refund("a", 1).await.unwrap();
        assert_eq!(local.peek("a").await.unwrap().rate_left(), Some(1));
        // More than it admitted alone is the store's.
        assert_eq!(local.acquire("d", 1).await.unwrap(), Decision::Admitted);
        local.refund("d", 5).await.unwrap();
        assert_eq!(local.acquire("d", 1).await.unwrap(), Decision::Admitted);
        assert!(closed.refund("a", 1).await.is_err() && closed.peek("a").await.is_err());
        // What is no outage stays an error.
        let error = open.acquire("a\0", 1).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Key);

        start();
        assert_eq!(patient.acquire("b", 1).await.unwrap(), Decision::Admitted);
        let again = patient.clone().on_outage(OnOutage::Refuse);
        assert!(again.acquire("c", 3).await.unwrap().is_admitted());
        assert!(matches!(again.acquire("c", 1).await.unwrap(), Decision::Wait(_)));
        assert!(again.get_ref().peek("c").await.is_ok());
        // What the store never counted is not given back to it.
        open.refund("c", 2).await.unwrap();
        assert_eq!(patient.peek("c").await.unwrap().rate_left(), Some(0));
        open.refund("c", 1).await.unwrap();
        assert_eq!(patient.peek("c").await.unwrap().rate_left(), Some(1));
    });
}
