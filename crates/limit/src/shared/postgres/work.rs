//! One statement on a connection: bounded in time, done again where a connection turns out to be dead.

use std::ops::{Deref, DerefMut};

use sqlx::pool::PoolConnection;
use sqlx::{Error, PgConnection, PgPool, Postgres};

use super::{Shared, VERSION, prepare};
use crate::{StoreError, StoreErrorKind};

/// A connection that goes back to its pool only if the work on it came to its end: one that was given up halfway is closed.
pub(super) struct Lease {
    connection: PoolConnection<Postgres>,
    is_whole: bool,
}

/// What went wrong: in the database, or with what is in it.
pub(super) enum Trouble {
    Database(Error),
    Version(i32),
}

impl Lease {
    /// Takes a connection to a database whose tables are there.
    pub(super) async fn take(shared: &Shared) -> Result<Self, Trouble> {
        let mut lease = Self::bare(&shared.pool).await.map_err(Trouble::Database)?;
        let ready = shared.prepared.get_or_try_init(async || {
            let result = prepare(&mut lease).await;
            lease.settle(&result);
            match result.map_err(Trouble::Database)? {
                VERSION => Ok(()),
                other => Err(Trouble::Version(other)),
            }
        });
        ready.await?;
        lease.is_whole = false;
        Ok(lease)
    }

    async fn bare(pool: &PgPool) -> Result<Self, Error> {
        Ok(Self {
            connection: pool.acquire().await?,
            is_whole: false,
        })
    }

    pub(super) fn settle<T>(&mut self, result: &Result<T, Error>) {
        self.is_whole = !result.as_ref().is_err_and(is_broken);
    }
}

impl Deref for Lease {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.is_whole {
            self.connection.close_on_drop();
        }
    }
}

/// Does `$work` on a connection, within the time-out altogether. It is done again if the connection was dead already, or if two
/// transactions stood in each other's way; what was done on a connection that died may then be counted twice.
macro_rules! work {
    ($shared:expr, $connection:ident => $work:expr) => {{
        let until = tokio::time::Instant::now() + $shared.settings.timeout;
        let mut more = $shared.settings.connections;
        loop {
            let once = async {
                let mut lease = $crate::shared::postgres::work::Lease::take($shared).await?;
                let $connection = &mut *lease;
                let result = $work;
                lease.settle(&result);
                result.map_err($crate::shared::postgres::work::Trouble::Database)
            };
            match tokio::time::timeout_at(until, once).await {
                Ok(Ok(value)) => break Ok(value),
                Ok(Err(trouble)) if more > 0 && $crate::shared::postgres::work::may_do_again(&trouble) => more -= 1,
                Ok(Err(trouble)) => break Err($crate::shared::postgres::work::told(trouble)),
                Err(_) => {
                    break Err($crate::StoreError::new($crate::StoreErrorKind::TimedOut, ""));
                }
            }
        }
    }};
}

pub(super) use work;

/// Whether the connection is of no more use; 57P01 to 57P03 are what a server says that goes away.
fn is_broken(error: &Error) -> bool {
    matches!(
        error,
        Error::Io(_) | Error::Tls(_) | Error::Protocol(_) | Error::WorkerCrashed
    ) || code(error).is_some_and(|code| code.starts_with("57P0"))
}

pub(super) fn may_do_again(trouble: &Trouble) -> bool {
    match trouble {
        Trouble::Version(_) => false,
        // A serialization failure, or a deadlock.
        Trouble::Database(error) => {
            is_broken(error) || code(error).is_some_and(|code| matches!(code.as_str(), "40001" | "40P01"))
        }
    }
}

fn code(error: &Error) -> Option<String> {
    let code = error.as_database_error()?.code()?;
    Some(code.into_owned())
}

/// What an error is for those outside. What the database says may quote a key or a password, so it is not passed on whole.
pub(super) fn told(trouble: Trouble) -> StoreError {
    let error = match trouble {
        Trouble::Database(error) => error,
        Trouble::Version(other) => {
            let detail = format!("version {other} was found, {VERSION} is known");
            return StoreError::new(StoreErrorKind::Schema, detail);
        }
    };
    let kind = match &error {
        Error::Io(_) | Error::Tls(_) | Error::Protocol(_) | Error::PoolClosed | Error::WorkerCrashed => {
            StoreErrorKind::Unavailable
        }
        Error::PoolTimedOut => StoreErrorKind::TimedOut,
        Error::Configuration(_) | Error::InvalidArgument(_) => StoreErrorKind::Config,
        Error::Database(database) => match database.code().as_deref() {
            Some(code) if code.starts_with("08") || code.starts_with("57P") || code.starts_with("53") => {
                StoreErrorKind::Unavailable
            }
            Some(code) if code.starts_with("28") || code.starts_with("3D") => StoreErrorKind::Config,
            // No such table or function, or another one.
            Some(code) if code.starts_with("42") => StoreErrorKind::Schema,
            _ => StoreErrorKind::Refused,
        },
        _ => StoreErrorKind::Refused,
    };
    match error {
        Error::Io(source) => StoreError::new(kind, "").with_source(source),
        Error::Database(database) => StoreError::new(
            kind,
            format!("the database says {}", database.code().unwrap_or_default()),
        ),
        _ => StoreError::new(kind, ""),
    }
}
