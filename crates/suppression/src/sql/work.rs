//! One piece of work on a connection: bounded in time, done again where a connection turns out to be dead.

use std::ops::{Deref, DerefMut};

use sqlx::pool::PoolConnection;
use sqlx::{Database, Error, Pool};

use crate::{ListError, ListErrorKind};

/// A connection that goes back to its pool only if the work on it came to its end: one that was given up halfway is closed.
pub(super) struct Lease<DB: Database> {
    connection: PoolConnection<DB>,
    is_whole: bool,
}

impl<DB: Database> Lease<DB> {
    pub(super) async fn take(pool: &Pool<DB>) -> Result<Self, Error> {
        Ok(Self {
            connection: pool.acquire().await?,
            is_whole: false,
        })
    }

    pub(super) fn settle<T>(&mut self, result: &Result<T, Error>) {
        self.is_whole = !result.as_ref().is_err_and(is_broken);
    }
}

impl<DB: Database> Deref for Lease<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &Self::Target {
        &self.connection
    }
}

impl<DB: Database> DerefMut for Lease<DB> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.connection
    }
}

impl<DB: Database> Drop for Lease<DB> {
    fn drop(&mut self) {
        if !self.is_whole {
            self.connection.close_on_drop();
        }
    }
}

/// Does `$work` on a connection of `$pool`, within `$timeout` altogether. All work of a list may be done twice, so it is done again if
/// the connection was dead already, or if two transactions stood in each other's way.
macro_rules! work {
    ($pool:expr, $settings:expr, $connection:ident => $work:expr) => {{
        let until = tokio::time::Instant::now() + $settings.timeout;
        let mut more = $settings.connections;
        loop {
            let once = async {
                let mut lease = $crate::sql::work::Lease::take($pool).await?;
                let $connection = &mut *lease;
                let result = $work;
                lease.settle(&result);
                result
            };
            match tokio::time::timeout_at(until, once).await {
                Ok(Ok(value)) => break Ok(value),
                Ok(Err(error)) if more > 0 && $crate::sql::work::may_do_again(&error) => more -= 1,
                Ok(Err(error)) => break Err($crate::sql::work::told(error)),
                Err(_) => break Err($crate::ListError::new($crate::ListErrorKind::TimedOut, "")),
            }
        }
    }};
}

pub(super) use work;

/// Whether the connection is of no more use.
fn is_broken(error: &Error) -> bool {
    matches!(
        error,
        Error::Io(_) | Error::Tls(_) | Error::Protocol(_) | Error::WorkerCrashed
    ) || is_farewell(error)
}

/// Whether the server says that it closes the connection: an administrator, a crash or a shutdown (PostgreSQL's 57P01 to 57P03).
fn is_farewell(error: &Error) -> bool {
    code(error).is_some_and(|code| code.starts_with("57P0"))
}

pub(super) fn may_do_again(error: &Error) -> bool {
    // A serialization failure, or a deadlock.
    is_broken(error) || code(error).is_some_and(|code| matches!(code.as_str(), "40001" | "40P01"))
}

fn code(error: &Error) -> Option<String> {
    let code = error.as_database_error()?.code()?;
    Some(code.into_owned())
}

/// What an error is for those outside. What the database says may quote an address or a password, so it is not passed on whole.
pub(super) fn told(error: Error) -> ListError {
    let kind = match &error {
        Error::Io(_) | Error::Tls(_) | Error::Protocol(_) | Error::PoolClosed | Error::WorkerCrashed => {
            ListErrorKind::Unavailable
        }
        Error::PoolTimedOut => ListErrorKind::TimedOut,
        Error::Configuration(_) | Error::InvalidArgument(_) => ListErrorKind::Config,
        Error::ColumnDecode { .. } | Error::Decode(_) => ListErrorKind::Corrupt,
        Error::Database(database) => match database.code().as_deref() {
            // SQLite's SQLITE_BUSY, SQLITE_FULL and SQLITE_CANTOPEN; the rest are PostgreSQL's classes.
            Some("5") => ListErrorKind::TimedOut,
            Some("13") => ListErrorKind::Full,
            Some("14") => ListErrorKind::Config,
            Some(code) if code.starts_with("08") || code.starts_with("57P") || code.starts_with("53") => {
                ListErrorKind::Unavailable
            }
            Some(code) if code.starts_with("28") || code.starts_with("3D") => ListErrorKind::Config,
            _ => ListErrorKind::Refused,
        },
        _ => ListErrorKind::Refused,
    };
    match error {
        Error::Io(source) => ListError::new(kind, "").with_source(source),
        Error::Database(database) => ListError::new(
            kind,
            format!("the database says {}", database.code().unwrap_or_default()),
        ),
        _ => ListError::new(kind, ""),
    }
}
