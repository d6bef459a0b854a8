//! Limits in PostgreSQL.

mod work;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool};
use tokio::sync::OnceCell;

use self::work::work;
use super::limits::{Limits, Step, Terms, allowance, decision};
use super::{SharedFuture, SharedLimiter, StoreError, StoreErrorKind};
use crate::{Allowance, Clock, Decision, Limit};

/// The version of the tables that this code works with.
const VERSION: i32 = 1;

/// Guards the making of the tables: "posthast" as a number, and one more.
const LOCK: i64 = 0x706f_7374_6861_7375;

/// Holds keys to limits that many processes share through PostgreSQL, from version 12 on. Clones share the connections.
///
/// A decision is one statement and one round trip, under the lock of the key's row, by the server's clock. It makes its tables and
/// its function itself, `posthaste_limit_…`, in the first schema of the search path. It does not wait for the disk: a crash of
/// the server may forget the last moments.
///
/// Limits are told to each process as with [`Limiter`](crate::Limiter), and kept there: all that share a key should say the same. What was used stays
/// used when they change. The rate is exact to the microsecond; the quota counts in the same five-minute buckets as that of
/// [`Limiter`](crate::Limiter). Keys that are back at their full allowance stay in the table until [`Self::remove_idle`].
///
/// # Examples
///
/// ```no_run
/// use posthaste_limit::{Limit, PostgresLimiter, SharedLimiter};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let limiter = PostgresLimiter::new("postgres://mailer@localhost/mail", Limit::per_second(14)?.per_day(50_000)?)?;
/// println!("{:?}", limiter.acquire("tenant-7", 1).await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PostgresLimiter {
    shared: Arc<Shared>,
}

struct Shared {
    pool: PgPool,
    settings: Settings,
    limits: Limits,
    /// Set once the tables are known to be there.
    prepared: OnceCell<()>,
}

#[derive(Clone, Copy)]
struct Settings {
    timeout: Duration,
    connections: u32,
}

impl PostgresLimiter {
    /// Makes a limiter that holds every key to `limit`. It connects, and makes its tables, when it is first asked.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Config`] if `url` is none of a PostgreSQL database.
    pub fn new(url: &str, limit: Limit) -> Result<Self, StoreError> {
        Self::builder(url, limit).build()
    }

    /// Starts a limiter with other settings.
    pub fn builder(url: &str, limit: Limit) -> PostgresLimiterBuilder {
        PostgresLimiterBuilder {
            url: url.to_owned(),
            limit,
            timeout: Duration::from_secs(1),
            connections: 10,
            clock: None,
        }
    }

    /// Returns the limit that `key` is held to.
    pub fn limit(&self, key: &str) -> Limit {
        self.shared.limits.of(key)
    }

    /// Holds `key` to a limit of its own from now on, in this process; what was used stays used.
    pub fn set_limit(&self, key: String, limit: Limit) {
        self.shared.limits.set(key, limit);
    }

    /// Holds `key` to the default limit again.
    pub fn clear_limit(&self, key: &str) {
        self.shared.limits.clear(key);
    }

    /// Changes the limit of all keys that have none of their own, in this process.
    pub fn set_default_limit(&self, limit: Limit) {
        self.shared.limits.set_default(limit);
    }

    /// Forgets the keys that are back at their full allowance, and returns how many there were. Nothing changes for them; once an
    /// hour or a day keeps the table small.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database does not answer.
    pub async fn remove_idle(&self) -> Result<u64, StoreError> {
        let shared = &*self.shared;
        let now = shared.limits.now();
        let done = work!(shared, connection => {
            sqlx::query(
                "DELETE FROM posthaste_limit_state \
                 WHERE whole <= coalesce($1, floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint)",
            )
            .bind(now)
            .execute(connection)
            .await
        })?;
        Ok(done.rows_affected())
    }

    async fn run(&self, what: &'static str, key: &str, n: u32, terms: Terms) -> Result<Vec<i64>, StoreError> {
        let shared = &*self.shared;
        work!(shared, connection => {
            sqlx::query_scalar::<_, Vec<i64>>(
                "SELECT posthaste_limit_1($1, $2, $3, $4::bigint::numeric, $5::bigint::numeric, $6::bigint::numeric, $7, $8)",
            )
            .bind(what)
            .bind(key)
            .bind(i64::from(n))
            .bind(terms.permits)
            .bind(terms.period)
            .bind(terms.burst)
            .bind(terms.quota)
            .bind(terms.now)
            .fetch_one(connection)
            .await
        })
    }
}

/// Makes the tables if they are not there. Several processes may begin at once.
async fn prepare(connection: &mut PgConnection) -> Result<i32, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(LOCK)
        .execute(&mut *transaction)
        .await?;
    sqlx::raw_sql("CREATE TABLE IF NOT EXISTS posthaste_limit_schema (version integer NOT NULL)")
        .execute(&mut *transaction)
        .await?;
    let found: Option<i32> = sqlx::query_scalar("SELECT max(version) FROM posthaste_limit_schema")
        .fetch_one(&mut *transaction)
        .await?;
    if let Some(version) = found {
        return Ok(version);
    }
    sqlx::raw_sql(include_str!("schema.sql"))
        .execute(&mut *transaction)
        .await?;
    sqlx::query("INSERT INTO posthaste_limit_schema (version) VALUES ($1)")
        .bind(VERSION)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(VERSION)
}

fn single(answer: &[i64]) -> Result<i64, StoreError> {
    match answer {
        [value] => Ok(*value),
        _ => Err(StoreError::new(StoreErrorKind::Schema, "the function is another one")),
    }
}

impl fmt::Debug for PostgresLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresLimiter")
            .field("limits", &self.shared.limits)
            .finish_non_exhaustive()
    }
}

#[deny(clippy::missing_trait_methods)]
impl SharedLimiter for PostgresLimiter {
    fn acquire<'a>(&'a self, key: &'a str, n: u32) -> SharedFuture<'a, Decision> {
        Box::pin(async move {
            match self.shared.limits.step(key, n)? {
                Step::Known(decision) => Ok(decision),
                Step::Ask(terms) => single(&self.run("take", key, n, terms).await?).map(decision),
            }
        })
    }

    fn refund<'a>(&'a self, key: &'a str, n: u32) -> SharedFuture<'a, ()> {
        Box::pin(async move {
            match self.shared.limits.look(key)? {
                Some(terms) if n > 0 => single(&self.run("give", key, n, terms).await?).map(|_| ()),
                _ => Ok(()),
            }
        })
    }

    fn peek<'a>(&'a self, key: &'a str) -> SharedFuture<'a, Allowance> {
        Box::pin(async move {
            match self.shared.limits.look(key)? {
                None => Ok(Allowance::boundless()),
                Some(terms) => match <[i64; 4]>::try_from(self.run("look", key, 1, terms).await?) {
                    Ok(answer) => Ok(allowance(answer, &self.limit(key))),
                    Err(_) => Err(StoreError::new(StoreErrorKind::Schema, "the function is another one")),
                },
            }
        })
    }
}

/// Sets up a [`PostgresLimiter`].
#[derive(Clone)]
#[must_use]
pub struct PostgresLimiterBuilder {
    url: String,
    limit: Limit,
    timeout: Duration,
    connections: u32,
    clock: Option<Arc<dyn Clock>>,
}

impl PostgresLimiterBuilder {
    /// Sets how long one call may take, waiting for a connection or for another process included; a second unless set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how many connections there may be; ten unless set, and at least one.
    pub fn connections(mut self, connections: u32) -> Self {
        self.connections = connections.max(1);
        self
    }

    /// Sets a clock in the place of the server's, for tests; all that share a key must share it.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Makes the limiter. It connects, and makes its tables, when it is first asked.
    ///
    /// # Errors
    ///
    /// As [`PostgresLimiter::new`].
    pub fn build(self) -> Result<PostgresLimiter, StoreError> {
        // What the parser says may quote the URL, and the URL may have a password.
        let options = PgConnectOptions::from_str(&self.url)
            .map_err(|_| StoreError::new(StoreErrorKind::Config, "not a URL of a PostgreSQL database"))?
            .application_name("posthaste-limit")
            .disable_statement_logging();
        let pool = PgPoolOptions::new()
            .max_connections(self.connections)
            .acquire_timeout(self.timeout)
            .test_before_acquire(false);
        Ok(PostgresLimiter {
            shared: Arc::new(Shared {
                pool: pool.connect_lazy_with(options),
                settings: Settings {
                    timeout: self.timeout,
                    connections: self.connections,
                },
                limits: Limits::new(self.limit, self.clock),
                prepared: OnceCell::new(),
            }),
        })
    }
}

impl fmt::Debug for PostgresLimiterBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may have a password.
        f.debug_struct("PostgresLimiterBuilder")
            .field("limit", &self.limit)
            .field("timeout", &self.timeout)
            .field("connections", &self.connections)
            .finish_non_exhaustive()
    }
}
