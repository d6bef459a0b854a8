//! A list in PostgreSQL.

use std::str::FromStr;
use std::sync::Arc;
use std::time::SystemTime;

use posthaste_address::EmailAddress;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool};

use super::row::{Question, Row, Wanted, keys, placed};
use super::work::work;
use super::{SqlSettings, VERSION};
use crate::{
    Entry, Filter, ListError, ListErrorKind, ListFuture, Lookup, Page, Reason, Reasons, Scope, SuppressionList, moment,
};

/// Keeps a list in PostgreSQL, from version 12 on. Clones share the connections.
///
/// It makes its tables itself, `posthaste_suppression` and `posthaste_suppression_schema`, in the first schema of the search path.
/// Look-ups, writes and removals of many addresses are one statement each, so one round trip on a connection that has met the
/// statement before. TLS is as the URL says (`sslmode=verify-full` for a server that is not your own machine).
///
/// # Examples
///
/// ```no_run
/// use posthaste_suppression::{PostgresSuppressionList, SqlSettings};
///
/// # async fn example() -> Result<(), posthaste_suppression::ListError> {
/// let list = PostgresSuppressionList::connect(
///     "postgres://mailer:secret@db.example.org/mail?sslmode=verify-full",
///     SqlSettings::default(),
/// )
/// .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct PostgresSuppressionList {
    pool: PgPool,
    settings: Arc<SqlSettings>,
}

/// Guards the making of the tables: "posthast" as a number.
const LOCK: i64 = 0x706f_7374_6861_7374;

impl PostgresSuppressionList {
    /// Connects to the database that a URL names, and makes or checks the tables.
    ///
    /// # Errors
    ///
    /// [`ListErrorKind::Config`] if the URL is none, or names a user or a database that the server does not know;
    /// [`ListErrorKind::Schema`] if the tables are of a later version; otherwise if the server does not answer.
    pub async fn connect(url: &str, settings: SqlSettings) -> Result<Self, ListError> {
        // What the parser says may quote the URL, and the URL has the password.
        let options = PgConnectOptions::from_str(url)
            .map_err(|_| ListError::new(ListErrorKind::Config, "not a URL of a PostgreSQL database"))?
            .application_name("posthaste-suppression")
            .disable_statement_logging();
        let pool = PgPoolOptions::new()
            .max_connections(settings.connections)
            .acquire_timeout(settings.timeout)
            .test_before_acquire(false)
            .connect_lazy_with(options);
        let list = Self {
            pool,
            settings: Arc::new(settings),
        };
        let version = work!(&list.pool, list.settings, connection => prepare(connection).await)?;
        match version {
            VERSION => Ok(list),
            other => Err(ListError::new(
                ListErrorKind::Schema,
                format!("version {other} was found, {VERSION} is known"),
            )),
        }
    }

    async fn find_all(&self, lookup: &Lookup<'_>) -> Result<Vec<Option<Entry>>, ListError> {
        let question = Question::new(lookup, &self.settings.rules);
        if question.is_idle() {
            return question.answers(&[]);
        }
        let rows = work!(&self.pool, self.settings, connection => {
            sqlx::query_as::<_, Row>(
                "SELECT key, scope, reason, address, created, expiry, source, detail FROM posthaste_suppression \
                 WHERE key = ANY($1) AND scope = ANY($2) AND reason = ANY($3) AND (expiry IS NULL OR expiry > $4)",
            )
            .bind(&question.keys)
            .bind(&question.scopes)
            .bind(&question.reasons)
            .bind(question.now)
            .fetch_all(connection)
            .await
        })?;
        question.answers(&rows)
    }

    async fn put_all(&self, entries: &[Entry]) -> Result<(), ListError> {
        let placed = placed(entries, &self.settings.rules);
        if placed.is_empty() {
            return Ok(());
        }
        let keys: Vec<&str> = placed.keys().map(|(key, ..)| key.as_str()).collect();
        let column = |of: fn(&Entry) -> &str| placed.values().map(|entry| of(entry)).collect::<Vec<&str>>();
        let scopes = column(|entry| entry.scope().as_str());
        let reasons = column(|entry| entry.reason().as_str());
        let sources = column(Entry::source);
        let details = column(Entry::detail);
        let addresses: Vec<String> = placed.values().map(|entry| entry.address().to_string()).collect();
        let created: Vec<i64> = placed
            .values()
            .map(|entry| moment::to_micros(entry.created()))
            .collect();
        let expiries: Vec<Option<i64>> = placed
            .values()
            .map(|entry| entry.expiry().map(moment::to_micros))
            .collect();
        work!(&self.pool, self.settings, connection => {
            sqlx::query(
                "INSERT INTO posthaste_suppression (key, scope, reason, address, created, expiry, source, detail) \
                 SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], \
                 $7::text[], $8::text[]) \
                 ON CONFLICT (key, scope, reason) DO UPDATE SET address = EXCLUDED.address, created = EXCLUDED.created, \
                 expiry = EXCLUDED.expiry, source = EXCLUDED.source, detail = EXCLUDED.detail",
            )
            .bind(&keys)
            .bind(&scopes)
            .bind(&reasons)
            .bind(&addresses)
            .bind(&created)
            .bind(&expiries)
            .bind(&sources)
            .bind(&details)
            .execute(connection)
            .await
        })?;
        Ok(())
    }

    async fn remove_all(&self, addresses: &[EmailAddress], scope: &Scope, reasons: Reasons) -> Result<u64, ListError> {
        let keys = keys(addresses, &self.settings.rules);
        let reasons: Vec<&str> = reasons.iter().map(Reason::as_str).collect();
        if keys.is_empty() || reasons.is_empty() {
            return Ok(0);
        }
        let done = work!(&self.pool, self.settings, connection => {
            sqlx::query("DELETE FROM posthaste_suppression WHERE key = ANY($1) AND scope = $2 AND reason = ANY($3)")
                .bind(&keys)
                .bind(scope.as_str())
                .bind(&reasons)
                .execute(connection)
                .await
        })?;
        Ok(done.rows_affected())
    }

    async fn page(&self, filter: &Filter) -> Result<Page, ListError> {
        let wanted = Wanted::new(filter);
        let rows = work!(&self.pool, self.settings, connection => {
            sqlx::query_as::<_, Row>(
                "SELECT key, scope, reason, address, created, expiry, source, detail FROM posthaste_suppression \
                 WHERE (key, scope, reason) > ($1, $2, $3) AND ($4::text IS NULL OR scope = $4) AND reason = ANY($5) \
                 AND created >= $6 AND created < $7 AND ($8::bigint IS NULL OR expiry IS NULL OR expiry > $8) \
                 ORDER BY key, scope, reason LIMIT $9",
            )
            .bind(wanted.key)
            .bind(wanted.after_scope)
            .bind(wanted.after_reason)
            .bind(wanted.scope)
            .bind(&wanted.reasons)
            .bind(wanted.from)
            .bind(wanted.before)
            .bind(wanted.active)
            .bind(wanted.limit)
            .fetch_all(connection)
            .await
        })?;
        wanted.page(rows)
    }

    async fn forget(&self, now: SystemTime) -> Result<u64, ListError> {
        let done = work!(&self.pool, self.settings, connection => {
            sqlx::query("DELETE FROM posthaste_suppression WHERE expiry <= $1")
                .bind(moment::to_micros(now))
                .execute(connection)
                .await
        })?;
        Ok(done.rows_affected())
    }
}

/// Makes the tables if they are not there, and returns their version. Several programs may begin at once.
async fn prepare(connection: &mut PgConnection) -> Result<i32, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(LOCK)
        .execute(&mut *transaction)
        .await?;
    sqlx::raw_sql("CREATE TABLE IF NOT EXISTS posthaste_suppression_schema (version integer NOT NULL)")
        .execute(&mut *transaction)
        .await?;
    let found: Option<i32> = sqlx::query_scalar("SELECT max(version) FROM posthaste_suppression_schema")
        .fetch_one(&mut *transaction)
        .await?;
    if let Some(version) = found {
        return Ok(version);
    }
    sqlx::raw_sql(
        "CREATE TABLE posthaste_suppression (\
             key text COLLATE \"C\" NOT NULL, \
             scope text COLLATE \"C\" NOT NULL, \
             reason text COLLATE \"C\" NOT NULL, \
             address text NOT NULL, \
             created bigint NOT NULL, \
             expiry bigint, \
             source text NOT NULL, \
             detail text NOT NULL, \
             PRIMARY KEY (key, scope, reason)); \
         COMMENT ON TABLE posthaste_suppression IS \
             'Addresses not to write to; created and expiry are microseconds since 1970'; \
         CREATE INDEX posthaste_suppression_expiry ON posthaste_suppression (expiry) WHERE expiry IS NOT NULL",
    )
    .execute(&mut *transaction)
    .await?;
    sqlx::query("INSERT INTO posthaste_suppression_schema (version) VALUES ($1)")
        .bind(VERSION)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(VERSION)
}

#[deny(clippy::missing_trait_methods)]
impl SuppressionList for PostgresSuppressionList {
    fn find<'a>(&'a self, lookup: &'a Lookup<'a>) -> ListFuture<'a, Vec<Option<Entry>>> {
        Box::pin(self.find_all(lookup))
    }

    fn put<'a>(&'a self, entries: &'a [Entry]) -> ListFuture<'a, ()> {
        Box::pin(self.put_all(entries))
    }

    fn remove<'a>(&'a self, addresses: &'a [EmailAddress], scope: &'a Scope, reasons: Reasons) -> ListFuture<'a, u64> {
        Box::pin(self.remove_all(addresses, scope, reasons))
    }

    fn list<'a>(&'a self, filter: &'a Filter) -> ListFuture<'a, Page> {
        Box::pin(self.page(filter))
    }

    fn remove_expired(&self, now: SystemTime) -> ListFuture<'_, u64> {
        Box::pin(self.forget(now))
    }
}
