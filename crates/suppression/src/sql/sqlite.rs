//! A list in a SQLite file.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use posthaste_address::EmailAddress;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection, SqlitePool};

use super::row::{Question, Row, Wanted, keys, placed};
use super::work::work;
use super::{SqlSettings, VERSION};
use crate::{
    Entry, Filter, ListError, ListErrorKind, ListFuture, Lookup, Page, Reason, Reasons, Scope, SuppressionList, moment,
};

/// Keeps a list in a file, which several processes of one machine may share. Clones share the connections.
///
/// It makes the file and its tables itself, `posthaste_suppression` and `posthaste_suppression_schema`; other tables may stand beside
/// them. The file is in WAL mode, and a write is on disk when it is answered. Look-ups, writes and removals of many addresses are
/// one statement each.
///
/// # Examples
///
/// ```no_run
/// use posthaste_suppression::{SqlSettings, SqliteSuppressionList};
///
/// # async fn example() -> Result<(), posthaste_suppression::ListError> {
/// let list = SqliteSuppressionList::open("suppression.db", SqlSettings::default()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SqliteSuppressionList {
    pool: SqlitePool,
    settings: Arc<SqlSettings>,
}

impl SqliteSuppressionList {
    /// Opens or makes a file, and makes or checks the tables.
    ///
    /// # Errors
    ///
    /// [`ListErrorKind::Config`] if there can be no such file; [`ListErrorKind::Schema`] if the tables are of a later version;
    /// otherwise if the file is no database or cannot be read.
    pub async fn open(path: impl AsRef<Path>, settings: SqlSettings) -> Result<Self, ListError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(settings.timeout)
            .disable_statement_logging();
        let pool = SqlitePoolOptions::new()
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
            // The order of a cross join is kept: each key is looked up in the index.
            sqlx::query_as::<_, Row>(
                "SELECT s.key, s.scope, s.reason, s.address, s.created, s.expiry, s.source, s.detail \
                 FROM json_each(?1) AS wanted CROSS JOIN posthaste_suppression AS s ON s.key = wanted.value \
                 WHERE s.scope IN (SELECT value FROM json_each(?2)) AND s.reason IN (SELECT value FROM json_each(?3)) \
                 AND (s.expiry IS NULL OR s.expiry > ?4)",
            )
            .bind(array(&question.keys))
            .bind(array(&question.scopes))
            .bind(array(&question.reasons))
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
        let mut rows = String::from("[");
        for ((key, scope, reason), entry) in &placed {
            rows.push_str(if rows.len() == 1 { "[" } else { ",[" });
            let address = entry.address().to_string();
            let texts = [
                key,
                scope.as_str(),
                reason.as_str(),
                &address,
                entry.source(),
                entry.detail(),
            ];
            for text in texts {
                quote(&mut rows, text);
                rows.push(',');
            }
            let (created, expiry) = (
                moment::to_micros(entry.created()),
                entry.expiry().map(moment::to_micros),
            );
            // Writing to a string never fails.
            let _ = match expiry {
                Some(expiry) => write!(rows, "{created},{expiry}]"),
                None => write!(rows, "{created},null]"),
            };
        }
        rows.push(']');
        work!(&self.pool, self.settings, connection => {
            sqlx::query(
                "INSERT INTO posthaste_suppression (key, scope, reason, address, source, detail, created, expiry) \
                 SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7 \
                 FROM json_each(?1) WHERE true \
                 ON CONFLICT (key, scope, reason) DO UPDATE SET address = excluded.address, created = excluded.created, \
                 expiry = excluded.expiry, source = excluded.source, detail = excluded.detail",
            )
            .bind(rows.as_str())
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
            sqlx::query(
                "DELETE FROM posthaste_suppression WHERE key IN (SELECT value FROM json_each(?1)) AND scope = ?2 \
                 AND reason IN (SELECT value FROM json_each(?3))",
            )
            .bind(array(&keys))
            .bind(scope.as_str())
            .bind(array(&reasons))
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
                 WHERE (key, scope, reason) > (?1, ?2, ?3) AND (?4 IS NULL OR scope = ?4) \
                 AND reason IN (SELECT value FROM json_each(?5)) AND created >= ?6 AND created < ?7 \
                 AND (?8 IS NULL OR expiry IS NULL OR expiry > ?8) ORDER BY key, scope, reason LIMIT ?9",
            )
            .bind(wanted.key)
            .bind(wanted.after_scope)
            .bind(wanted.after_reason)
            .bind(wanted.scope)
            .bind(array(&wanted.reasons))
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
            sqlx::query("DELETE FROM posthaste_suppression WHERE expiry <= ?1")
                .bind(moment::to_micros(now))
                .execute(connection)
                .await
        })?;
        Ok(done.rows_affected())
    }
}

/// Makes the tables if they are not there, and returns their version. Several programs may begin at once.
async fn prepare(connection: &mut SqliteConnection) -> Result<i32, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::raw_sql("CREATE TABLE IF NOT EXISTS posthaste_suppression_schema (version INTEGER NOT NULL) STRICT")
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
             key TEXT NOT NULL, \
             scope TEXT NOT NULL, \
             reason TEXT NOT NULL, \
             address TEXT NOT NULL, \
             created INTEGER NOT NULL, \
             expiry INTEGER, \
             source TEXT NOT NULL, \
             detail TEXT NOT NULL, \
             PRIMARY KEY (key, scope, reason)) STRICT, WITHOUT ROWID; \
         CREATE INDEX posthaste_suppression_expiry ON posthaste_suppression (expiry) WHERE expiry IS NOT NULL",
    )
    .execute(&mut *transaction)
    .await?;
    sqlx::query("INSERT INTO posthaste_suppression_schema (version) VALUES (?1)")
        .bind(VERSION)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(VERSION)
}

/// Texts as a JSON array, which SQLite takes apart again: one parameter for any number of them.
fn array<T: AsRef<str>>(texts: &[T]) -> String {
    let mut array = String::from("[");
    for text in texts {
        if array.len() > 1 {
            array.push(',');
        }
        quote(&mut array, text.as_ref());
    }
    array.push(']');
    array
}

fn quote(into: &mut String, text: &str) {
    into.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => into.extend(['\\', c]),
            // None of these texts can have a control character; if one had, this is how JSON writes it.
            c if c < ' ' => {
                let _ = write!(into, "\\u{:04x}", u32::from(c));
            }
            c => into.push(c),
        }
    }
    into.push('"');
}

#[deny(clippy::missing_trait_methods)]
impl SuppressionList for SqliteSuppressionList {
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
