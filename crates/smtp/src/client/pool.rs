//! The connections that are open at once, and those that are kept between sends.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use posthaste_transport::{Outcome, SendError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::budget::{Budget, Step};
use super::connection::{Connection, Opener};
use super::transaction::Setback;
use crate::config::{PoolConfig, Timeouts};
use crate::error::Failed;

/// How long QUIT is waited for.
const QUIT: Duration = Duration::from_secs(2);

/// The least time between two looks for connections that have grown old.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// As many connections as may be open, each in the hands of one send or kept for the next.
///
/// Who sends holds a permit, and opens a connection only if none is kept: so there are never more than permits.
pub(super) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    config: PoolConfig,
    /// Given out in the order in which they are asked for.
    permits: Arc<Semaphore>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// The one that was used last at the end; it is the first to be used again, so that the others can grow old.
    connections: VecDeque<Connection>,
    /// Whether somebody closes those that grow old.
    watched: bool,
}

/// Counts the connections of an [`SmtpTransport`](crate::SmtpTransport).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStatus {
    /// Connections that wait for a message.
    pub idle: usize,
    /// Sends that have a connection, or are opening or closing one.
    pub busy: usize,
    /// Connections that may be open at once.
    pub limit: usize,
}

/// The right to one connection. It is taken out of the pool for the time of a send, so that a send that is dropped takes its
/// connection with it.
pub(super) struct Lease {
    shared: Arc<Shared>,
    permit: OwnedSemaphorePermit,
}

impl Pool {
    pub(super) fn new(config: PoolConfig) -> Self {
        let permits = Arc::new(Semaphore::new(usize::from(config.connections)));
        Self {
            shared: Arc::new(Shared {
                config,
                permits,
                kept: Mutex::default(),
            }),
        }
    }

    /// Waits for the sends that came before, if as many as may are under way.
    pub(super) async fn lease(&self) -> Lease {
        self.lease_many(1).await
    }

    async fn lease_many(&self, count: u32) -> Lease {
        let permits = Arc::clone(&self.shared.permits);
        let permit = match permits.acquire_many_owned(count).await {
            Ok(permit) => permit,
            // The semaphore is closed by nobody.
            Err(_) => std::future::pending().await,
        };
        Lease {
            shared: Arc::clone(&self.shared),
            permit,
        }
    }

    /// Opens connections until `count` are open, and returns how many that made. It takes its turn among the sends.
    pub(super) async fn warm_up(&self, count: u16, opener: &Arc<Opener>, budget: Budget) -> Result<usize, Failed> {
        let count = count.min(self.shared.config.connections);
        let lease = budget.run(Step::Wait, self.lease_many(count.into())).await?;
        let mut opening = JoinSet::new();
        for _ in self.shared.kept().connections.len()..count.into() {
            let opener = Arc::clone(opener);
            opening.spawn(async move { opener.open(&budget).await });
        }
        let (mut opened, mut failed) = (0, None);
        while let Some(result) = opening.join_next().await {
            match result {
                Ok(Ok(connection)) => {
                    opened += 1;
                    self.shared.keep(connection);
                }
                Ok(Err(error)) => failed = Some(error),
                Err(ended) => {
                    if let Ok(panic) = ended.try_into_panic() {
                        std::panic::resume_unwind(panic);
                    }
                }
            }
        }
        drop(lease);
        failed.map_or(Ok(opened), Err)
    }

    /// Waits for the sends that were begun, and says goodbye on every connection.
    pub(super) async fn close(&self) {
        let lease = self.lease_many(self.shared.config.connections.into()).await;
        let connections = std::mem::take(&mut self.shared.kept().connections);
        let mut goodbyes: JoinSet<()> = connections.into_iter().map(quit).collect();
        while goodbyes.join_next().await.is_some() {}
        drop(lease);
    }

    pub(super) fn status(&self) -> PoolStatus {
        let idle = self.shared.kept().connections.len();
        let limit = usize::from(self.shared.config.connections);
        PoolStatus {
            idle,
            busy: limit.saturating_sub(self.shared.permits.available_permits()),
            limit,
        }
    }
}

impl Lease {
    /// Takes a kept connection that is fresh enough and still open, if there is one.
    pub(super) async fn take_kept(&mut self) -> Option<Connection> {
        loop {
            let mut connection = self.shared.kept().connections.pop_back()?;
            if self.shared.config.expiry(&connection) <= Instant::now() {
                // Its place is needed: the goodbye cannot wait.
                quit(connection).await;
            } else if connection.wire.is_quiet().await {
                connection.reused = true;
                return Some(connection);
            }
        }
    }

    /// Keeps `connection` for the next send, unless `result` says that it is of no more use.
    pub(super) fn put_back(
        self,
        mut connection: Connection,
        result: Result<Outcome, Setback>,
    ) -> Result<Outcome, SendError> {
        let (keep, result) = match result {
            Ok(outcome) => (true, Ok(outcome)),
            Err(setback) => (setback.keep, Err(setback.error)),
        };
        connection.transactions = connection.transactions.saturating_add(1);
        connection.last_used = Instant::now();
        let config = &self.shared.config;
        if !keep {
            return result;
        }
        if connection.transactions >= config.messages || config.expiry(&connection) <= connection.last_used {
            // The permit goes along: its place is free when it is closed.
            let permit = self.permit;
            tokio::spawn(async move {
                quit(connection).await;
                drop(permit);
            });
        } else {
            self.shared.keep(connection);
        }
        result
    }
}

impl PoolConfig {
    /// When a connection that is not used meanwhile is to be closed.
    fn expiry(&self, connection: &Connection) -> Instant {
        let after = |start: Instant, time: Duration| start.checked_add(time);
        let idle = after(connection.last_used, self.idle);
        let lifetime = after(connection.opened, self.lifetime);
        let expiry = idle.into_iter().chain(lifetime).min();
        // What no clock reaches is a day.
        expiry.unwrap_or_else(|| Instant::now() + Duration::from_secs(24 * 3600))
    }
}

impl Shared {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(self: &Arc<Self>, connection: Connection) {
        let mut kept = self.kept();
        kept.connections.push_back(connection);
        if !kept.watched {
            kept.watched = true;
            let watch = Watch {
                shared: Arc::downgrade(self),
                done: false,
            };
            tokio::spawn(watch.run());
        }
    }

    /// Takes out the connections that have grown old, each with the permit that its goodbye needs, and says when to look
    /// again.
    fn expired(&self) -> (Vec<(Connection, OwnedSemaphorePermit)>, Option<Instant>) {
        let now = Instant::now();
        let mut old = Vec::new();
        let mut kept = self.kept();
        let mut fresh = VecDeque::with_capacity(kept.connections.len());
        for connection in std::mem::take(&mut kept.connections) {
            let is_old = self.config.expiry(&connection) <= now;
            // Without a permit there is a send that is about to take it.
            match is_old.then(|| Arc::clone(&self.permits).try_acquire_owned()) {
                Some(Ok(permit)) => old.push((connection, permit)),
                _ => fresh.push_back(connection),
            }
        }
        let next = fresh.iter().map(|connection| self.config.expiry(connection)).min();
        kept.connections = fresh;
        kept.watched = next.is_some();
        (old, next.map(|next| next.max(now + LOOK_AGAIN)))
    }
}

/// Closes kept connections when they have grown old. It ends when none is left, or their transport is gone.
struct Watch {
    shared: Weak<Shared>,
    /// Whether it ended because there was nothing left to watch.
    done: bool,
}

impl Watch {
    async fn run(mut self) {
        while let Some(shared) = self.shared.upgrade() {
            let (old, next) = shared.expired();
            self.done = next.is_none();
            drop(shared);
            let goodbyes = old.into_iter().map(async |(connection, permit)| {
                quit(connection).await;
                drop(permit);
            });
            goodbyes.collect::<JoinSet<()>>().join_all().await;
            match next {
                Some(next) => sleep_until(next).await,
                None => return,
            }
        }
    }
}

impl Drop for Watch {
    /// A runtime that ends takes the watch with it; the next one has to have its own.
    fn drop(&mut self) {
        if !self.done
            && let Some(shared) = self.shared.upgrade()
        {
            shared.kept().watched = false;
        }
    }
}

async fn quit(mut connection: Connection) {
    let budget = Budget::new(Timeouts::all(QUIT), Some(QUIT));
    if connection.wire.command(b"QUIT\r\n", Step::Rset, &budget).await.is_ok() {
        // Whatever it answers, or if it does not: there is nothing left to lose.
        let _ = connection.wire.reply(Step::Rset, &budget).await;
    }
}
