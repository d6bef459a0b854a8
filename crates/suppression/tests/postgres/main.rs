//! The list in a real PostgreSQL, by the same suite as the others, and when the server goes away.
//!
//! `cargo xtask test` says where the program is; without it these tests are left out.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests say plainly what they expect"
)]

#[path = "../it/suite.rs"]
mod suite;

use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use posthaste_suppression::{
    Entry, Filter, ListErrorKind, Lookup, PostgresSuppressionList, Reason, SqlSettings, SuppressionList,
};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use suite::List;
use testservers::{Case, Postgres, Program, silent_address};
use tokio::runtime::Runtime;

/// The one server of this program; the cases run one by one.
static SERVER: Mutex<Option<Postgres>> = Mutex::new(None);

const NEEDS: &[Program] = &[Program::Postgres];

fn main() -> ExitCode {
    let mut cases = suite_cases();
    let own: [(&str, fn()); 6] = [
        ("programs_that_begin_at_once_make_the_tables_once", begin_at_once),
        ("tables_of_a_later_version_are_left_alone", later_version),
        (
            "a_database_that_is_not_there_is_said_and_no_password_shown",
            no_database,
        ),
        ("a_server_that_says_nothing_is_waited_for_only_so_long", silent_server),
        (
            "a_stopped_server_is_an_error_and_found_again_when_it_is_back",
            stopped_server,
        ),
        ("a_call_that_is_dropped_halfway_does_no_harm", dropped_call),
    ];
    cases.extend(own.map(|(name, run)| Case::new(name, NEEDS, run)));
    let code = testservers::run(&cases);
    *server() = None;
    code
}

/// Makes a case of each in the suite.
macro_rules! suite_cases {
    ($list:path: $($case:ident)+) => {
        fn suite_cases() -> Vec<Case> {
            vec![$(Case::new(stringify!($case), NEEDS, || runtime().block_on(async { suite::$case($list().await).await }))),+]
        }
    };
}

suite::each!(suite_cases list);

fn runtime() -> Runtime {
    Runtime::new().unwrap()
}

fn server() -> MutexGuard<'static, Option<Postgres>> {
    SERVER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The URL of a new and empty database.
async fn database() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("case{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let (first, own) = {
        let mut server = server();
        let server = server.get_or_insert_with(Postgres::start);
        (server.url("postgres"), server.url(&name))
    };
    let mut connection = PgConnection::connect(&first).await.unwrap();
    // The name is made above.
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    own
}

fn settings() -> SqlSettings {
    SqlSettings::default()
        .with_timeout(Duration::from_secs(20))
        .with_connections(4)
}

async fn connect() -> PostgresSuppressionList {
    PostgresSuppressionList::connect(&database().await, settings())
        .await
        .unwrap()
}

async fn list() -> List {
    Arc::new(connect().await)
}

fn bounce(text: &str) -> Entry {
    Entry::new(text.parse().unwrap(), Reason::Bounce, SystemTime::UNIX_EPOCH)
}

fn begin_at_once() {
    runtime().block_on(async {
        let url = database().await;
        let tasks: Vec<_> = (0..6)
            .map(|_| {
                let url = url.clone();
                tokio::spawn(async move { PostgresSuppressionList::connect(&url, settings()).await })
            })
            .collect();
        for task in tasks {
            let list = task.await.unwrap().unwrap();
            list.put(&[bounce("bob@example.net")]).await.unwrap();
            assert_eq!(list.list(&Filter::default()).await.unwrap().entries.len(), 1);
        }
    });
}

fn later_version() {
    runtime().block_on(async {
        let url = database().await;
        drop(PostgresSuppressionList::connect(&url, settings()).await.unwrap());
        let mut other = PgConnection::connect(&url).await.unwrap();
        sqlx::query("UPDATE posthaste_suppression_schema SET version = 2")
            .execute(&mut other)
            .await
            .unwrap();
        let error = PostgresSuppressionList::connect(&url, settings()).await.unwrap_err();
        assert_eq!(error.kind(), ListErrorKind::Schema);
        assert_eq!(
            error.to_string(),
            "suppression list: not the tables of this version: version 2 was found, 1 is known"
        );
    });
}

fn no_database() {
    runtime().block_on(async {
        let url = database().await.replace("posthaste@", "posthaste:hunter2@") + "no";
        let error = PostgresSuppressionList::connect(&url, settings()).await.unwrap_err();
        assert_eq!((error.kind(), error.is_temporary()), (ListErrorKind::Config, false));
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        let error = PostgresSuppressionList::connect("postgres://u:hunter2@[::1/x", settings())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ListErrorKind::Config);
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        let list = PostgresSuppressionList::connect(&url.replace("no", ""), settings()).await;
        assert!(!format!("{list:?}").contains("hunter2"));
    });
}

fn silent_server() {
    runtime().block_on(async {
        let (_listener, address) = silent_address();
        let settings = settings().with_timeout(Duration::from_millis(50));
        let error = PostgresSuppressionList::connect(&format!("postgres://u@{address}/x"), settings)
            .await
            .unwrap_err();
        assert_eq!((error.kind(), error.is_temporary()), (ListErrorKind::TimedOut, true));
    });
}

fn stopped_server() {
    runtime().block_on(async {
        let url = database().await;
        let patient = PostgresSuppressionList::connect(&url, settings()).await.unwrap();
        let hasty = settings().with_timeout(Duration::from_millis(200));
        let hasty = PostgresSuppressionList::connect(&url, hasty).await.unwrap();
        patient.put(&[bounce("bob@example.net")]).await.unwrap();

        server().as_mut().unwrap().stop();
        let bob = "bob@example.net".parse().unwrap();
        let addresses = [&bob];
        let lookup = Lookup::new(&addresses, SystemTime::UNIX_EPOCH);
        for _ in 0..3 {
            let error = hasty.find(&lookup).await.unwrap_err();
            assert!(error.is_temporary(), "{error:?}");
        }
        let error = hasty.put(&[bounce("zoe@example.net")]).await.unwrap_err();
        assert!(error.is_temporary(), "{error:?}");

        // The patient one, whose connections are dead without its knowing, is asked when the server is back.
        server().as_mut().unwrap().start_again();
        assert!(patient.find(&lookup).await.unwrap()[0].is_some());
        patient.put(&[bounce("zoe@example.net")]).await.unwrap();
        assert_eq!(patient.list(&Filter::default()).await.unwrap().entries.len(), 2);
    });
}

fn dropped_call() {
    runtime().block_on(async {
        let list = connect().await;
        let bob = "bob@example.net".parse().unwrap();
        let addresses = [&bob];
        list.put(&[bounce("bob@example.net")]).await.unwrap();
        let lookup = Lookup::new(&addresses, SystemTime::UNIX_EPOCH);
        for _ in 0..20 {
            // Polled once, which sends the question, and dropped before the answer.
            let mut find = list.find(&lookup);
            let polled = std::future::poll_fn(|context| std::task::Poll::Ready(find.as_mut().poll(context)));
            drop(polled.await);
            drop(find);
            assert!(list.find(&lookup).await.unwrap()[0].is_some());
        }
    });
}
