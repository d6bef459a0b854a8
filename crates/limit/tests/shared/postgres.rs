//! Limits in a real PostgreSQL, as only it has them.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use posthaste_limit::{Decision, Limit, ManualClock, PostgresLimiter, SharedLimiter, StoreErrorKind};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use testservers::{Case, Postgres, Program, silent_address};

use crate::runtime;

/// The one server of this program; the cases run one by one.
static SERVER: Mutex<Option<Postgres>> = Mutex::new(None);

pub(crate) const NEEDS: &[Program] = &[Program::Postgres];

pub(crate) fn server() -> MutexGuard<'static, Option<Postgres>> {
    SERVER.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn stop() {
    *server() = None;
}

/// The URL of a new and empty database.
pub(crate) fn database() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("case{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let (first, own) = {
        let mut server = server();
        let server = server.get_or_insert_with(Postgres::start);
        (server.url("postgres"), server.url(&name))
    };
    // The caller may be inside a runtime already, so this has a thread of its own.
    let made = std::thread::spawn(move || {
        runtime().block_on(async {
            let mut connection = PgConnection::connect(&first).await.unwrap();
            // The name is made above.
            sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}")))
                .execute(&mut connection)
                .await
                .unwrap();
            connection.close().await.unwrap();
        });
    });
    made.join().unwrap();
    own
}

pub(crate) fn fresh(limit: Limit, clock: Option<ManualClock>) -> PostgresLimiter {
    on(&database(), limit, clock)
}

fn on(url: &str, limit: Limit, clock: Option<ManualClock>) -> PostgresLimiter {
    let builder = PostgresLimiter::builder(url, limit)
        .timeout(Duration::from_secs(20))
        .connections(4);
    match clock {
        Some(clock) => builder.clock(clock),
        None => builder,
    }
    .build()
    .unwrap()
}

pub(crate) fn cases() -> Vec<Case> {
    let all: [(&str, fn()); 6] = [
        (
            "postgres::processes_that_begin_at_once_make_the_tables_once",
            begin_at_once,
        ),
        ("postgres::tables_of_a_later_version_are_left_alone", later_version),
        ("postgres::idle_keys_are_forgotten_when_told", idle),
        ("postgres::a_clock_behind_the_last_one_counts_as_that", behind),
        (
            "postgres::a_server_that_says_nothing_is_waited_for_only_so_long",
            silent,
        ),
        (
            "postgres::a_key_that_another_transaction_holds_is_waited_for_only_so_long",
            held,
        ),
    ];
    all.map(|(name, run)| Case::new(name, NEEDS, run)).into_iter().collect()
}

fn limit() -> Limit {
    Limit::per_second(0.001).unwrap().burst(6).unwrap().per_day(6).unwrap()
}

fn begin_at_once() {
    runtime().block_on(async {
        let url = database();
        let tasks: Vec<_> = (0..6)
            .map(|_| {
                let limiter = on(&url, limit(), None);
                tokio::spawn(async move { limiter.acquire("a", 1).await })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap().unwrap(), Decision::Admitted);
        }
        assert!(matches!(
            on(&url, limit(), None).acquire("a", 1).await.unwrap(),
            Decision::Wait(_)
        ));
    });
}

fn later_version() {
    runtime().block_on(async {
        let url = database();
        assert_eq!(
            on(&url, limit(), None).acquire("a", 1).await.unwrap(),
            Decision::Admitted
        );
        let mut other = PgConnection::connect(&url).await.unwrap();
        sqlx::query("UPDATE posthaste_limit_schema SET version = 2")
            .execute(&mut other)
            .await
            .unwrap();
        let limiter = on(&url, limit(), None);
        for _ in 0..2 {
            let error = limiter.acquire("a", 1).await.unwrap_err();
            assert_eq!(
                (error.kind(), error.is_outage()),
                (StoreErrorKind::Schema, false),
                "{error}"
            );
        }
        sqlx::raw_sql("UPDATE posthaste_limit_schema SET version = 1; DROP FUNCTION posthaste_limit_1")
            .execute(&mut other)
            .await
            .unwrap();
        assert_eq!(
            limiter.acquire("a", 1).await.unwrap_err().kind(),
            StoreErrorKind::Schema
        );
    });
}

fn idle() {
    runtime().block_on(async {
        let clock = ManualClock::new();
        clock.advance(Duration::from_secs(1_000_000));
        let url = database();
        let limiter = on(&url, limit(), Some(clock.clone()));
        for key in ["a", "b", "c"] {
            assert_eq!(limiter.acquire(key, 2).await.unwrap(), Decision::Admitted);
        }
        limiter.refund("b", 2).await.unwrap();
        assert_eq!(limiter.remove_idle().await.unwrap(), 1);
        clock.advance(Duration::from_secs(86_400));
        assert_eq!(limiter.acquire("c", 1).await.unwrap(), Decision::Admitted);
        clock.advance(Duration::from_secs(300));
        assert_eq!(limiter.remove_idle().await.unwrap(), 1);
        assert_eq!(limiter.peek("c").await.unwrap().quota_left(), Some(5));
        let mut other = PgConnection::connect(&url).await.unwrap();
        let buckets: i64 = sqlx::query_scalar("SELECT count(*) FROM posthaste_limit_bucket")
            .fetch_one(&mut other)
            .await
            .unwrap();
        assert!(buckets <= 2, "{buckets}");
    });
}

fn behind() {
    let (late, early) = (ManualClock::new(), ManualClock::new());
    late.advance(Duration::from_secs(1000));
    let url = database();
    runtime().block_on(async {
        let (late, early) = (
            on(&url, limit(), Some(late)),
            on(&url, Limit::per_second(0.001).unwrap(), Some(early)),
        );
        late.set_limit("a".to_owned(), Limit::per_second(0.001).unwrap());
        assert_eq!(late.acquire("a", 1).await.unwrap(), Decision::Admitted);
        // 1000 s until it is ready, and 1000 s until the clock is where it was.
        assert_eq!(
            early.acquire("a", 1).await.unwrap(),
            Decision::Wait(Duration::from_secs(2000))
        );
    });
}

fn silent() {
    let (_listener, address) = silent_address();
    runtime().block_on(async {
        let limiter = PostgresLimiter::builder(&format!("postgres://u:hunter2@{address}/x"), limit())
            .timeout(Duration::from_millis(30))
            .build()
            .unwrap();
        let error = limiter.acquire("a", 1).await.unwrap_err();
        assert_eq!((error.kind(), error.is_outage()), (StoreErrorKind::TimedOut, true));
        assert!(!format!("{limiter:?} {error:?}").contains("hunter2"));
        let error = PostgresLimiter::new("postgres://u:hunter2@[::1/x", limit()).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Config);
        assert!(!format!("{error:?}").contains("hunter2"));
    });
}

fn held() {
    runtime().block_on(async {
        let url = database();
        let patient = on(&url, limit(), None);
        let hasty = PostgresLimiter::builder(&url, limit())
            .timeout(Duration::from_millis(200))
            .build()
            .unwrap();
        assert_eq!(patient.acquire("a", 1).await.unwrap(), Decision::Admitted);
        assert_eq!(hasty.acquire("b", 1).await.unwrap(), Decision::Admitted);
        let mut other = PgConnection::connect(&url).await.unwrap();
        let mut transaction = other.begin().await.unwrap();
        sqlx::query("SELECT 1 FROM posthaste_limit_state WHERE key = 'a' FOR UPDATE")
            .execute(&mut *transaction)
            .await
            .unwrap();
        let error = hasty.acquire("a", 1).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::TimedOut);
        assert_eq!(
            hasty.acquire("b", 1).await.unwrap(),
            Decision::Admitted,
            "other keys go on"
        );
        transaction.rollback().await.unwrap();
        assert_eq!(patient.acquire("a", 1).await.unwrap(), Decision::Admitted);
    });
}
