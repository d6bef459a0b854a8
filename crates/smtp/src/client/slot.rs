//! The one connection that is kept between sends.

use std::time::Duration;

use posthaste_transport::{Outcome, SendError};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

use super::budget::{Budget, Step};
use super::connection::Connection;
use super::transaction::Setback;
use crate::config::Timeouts;

/// How long QUIT is waited for.
const QUIT: Duration = Duration::from_secs(2);

/// A place for one connection.
pub(super) struct Slot {
    kept: Mutex<Option<Connection>>,
    idle: Duration,
}

/// The right to use the place. The connection is taken out of it for the time of a send, so that a send that is
/// dropped takes its connection with it.
pub(super) struct Lease<'a> {
    kept: MutexGuard<'a, Option<Connection>>,
    idle: Duration,
}

impl Slot {
    pub(super) fn new(idle: Duration) -> Self {
        Self {
            kept: Mutex::new(None),
            idle,
        }
    }

    /// Waits for the sends that came before.
    pub(super) async fn lease(&self) -> Lease<'_> {
        Lease {
            kept: self.kept.lock().await,
            idle: self.idle,
        }
    }

    /// Says goodbye on the kept connection.
    pub(super) async fn close(&self) {
        let Some(connection) = self.kept.lock().await.take() else {
            return;
        };
        quit(connection).await;
    }
}

impl Lease<'_> {
    /// Takes the kept connection, if it is fresh enough and still open.
    pub(super) async fn take_kept(&mut self) -> Option<Connection> {
        let mut connection = self.kept.take()?;
        let usable = connection.last_used.elapsed() < self.idle && connection.wire.is_quiet().await;
        usable.then_some(connection)
    }

    /// Keeps `connection` for the next send, unless `result` says that it is of no more use.
    pub(super) fn put_back(
        mut self,
        mut connection: Connection,
        result: Result<Outcome, Setback>,
    ) -> Result<Outcome, SendError> {
        let (keep, result) = match result {
            Ok(outcome) => (true, Ok(outcome)),
            Err(setback) => (setback.keep, Err(setback.error)),
        };
        if keep && !self.idle.is_zero() {
            connection.last_used = Instant::now();
            *self.kept = Some(connection);
        }
        result
    }
}

async fn quit(mut connection: Connection) {
    let budget = Budget::new(Timeouts::all(QUIT), Some(QUIT));
    if connection.wire.command(b"QUIT\r\n", Step::Rset, &budget).await.is_ok() {
        // Whatever it answers, or if it does not: there is nothing left to lose.
        let _ = connection.wire.reply(Step::Rset, &budget).await;
    }
}
