//! The connections that are open at once, and those that are kept between sends.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::budget::{Budget, Step};
use super::connection::{Connection, Opener};
use super::job::Job;
use super::transaction::{Ended, Interest, Transaction, WhoWaits};
use crate::config::{PoolConfig, Timeouts};
use crate::error::Failed;

/// How long QUIT is waited for.
const QUIT: Duration = Duration::from_secs(2);

/// The least time between two looks for connections that have grown old.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// As many connections as may be open, each in the hands of one send or kept for the next.
///
/// Who sends holds a permit, and opens a connection only if none is kept: so there are never more than permits. Who waits for one
/// may instead be sent by somebody else, behind the message that is on its way.
pub(super) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    config: PoolConfig,
    state: Mutex<State>,
    /// Tells those who wait for a reply that a message waits to be sent behind theirs.
    arrived: Notify,
    /// Tells who looks for old connections that one grows old before the next look.
    sooner: Arc<Notify>,
}

struct State {
    /// How many permits nobody holds.
    free: u32,
    /// Served in the order in which they came.
    waiting: VecDeque<Waiting>,
    /// The one that was used last at the end; it is the first to be used again, so that the others can grow old.
    connections: VecDeque<Box<Connection>>,
    /// When somebody looks for those that have grown old, if anybody does.
    next_look: Option<Instant>,
}

/// Somebody who waits for permits.
struct Waiting {
    permits: u32,
    turn: oneshot::Sender<Turn>,
    /// What somebody else may send for them.
    errand: Option<Errand>,
}

/// A message that may be sent by who has a connection.
pub(super) struct Errand {
    pub(super) job: Arc<Job>,
    pub(super) budget: Budget,
    pub(super) interest: Interest,
}

/// What waiting for a permit comes to.
pub(super) enum Turn {
    /// A permit.
    Go(Lease),
    /// Somebody else sent the message.
    Sent(Box<Ended>),
}

/// Counts the connections of an [`SmtpTransport`](crate::SmtpTransport).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStatus {
    /// Connections that wait for a message.
    pub idle: usize,
    /// Connections that have a message, or are being opened or closed.
    pub busy: usize,
    /// Connections that may be open at once.
    pub limit: usize,
}

/// The right to one connection, or several. It is taken out of the pool for the time of a send, so that a send that is dropped
/// takes its connection with it.
pub(super) struct Lease {
    shared: Arc<Shared>,
    permits: u32,
}

/// A place in the queue.
pub(super) enum Place {
    /// Nobody was there before.
    First(Option<Lease>),
    Behind(Queued),
}

impl Place {
    /// Waits for the sends that came before.
    pub(super) async fn turn(&mut self) -> Option<Turn> {
        match self {
            Self::First(lease) => lease.take().map(Turn::Go),
            Self::Behind(queued) => (&mut queued.turn).await.ok(),
        }
    }
}

/// A place behind others. Who leaves it lets the others go on.
pub(super) struct Queued {
    shared: Arc<Shared>,
    turn: oneshot::Receiver<Turn>,
}

impl Drop for Queued {
    fn drop(&mut self) {
        self.turn.close();
        // A turn that came and was not taken gives its permit back by itself.
        self.shared.release(0);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.shared.release(self.permits);
    }
}

impl Pool {
    pub(super) fn new(config: PoolConfig) -> Self {
        Self {
            shared: Arc::new(Shared {
                config,
                state: Mutex::new(State {
                    free: config.connections.into(),
                    waiting: VecDeque::new(),
                    connections: VecDeque::new(),
                    next_look: None,
                }),
                arrived: Notify::new(),
                sooner: Arc::default(),
            }),
        }
    }

    /// Takes a place behind the sends that came before. If as many as may are under way, somebody else may do the errand.
    pub(super) fn queue(&self, errand: Option<Errand>) -> Place {
        self.queue_for(1, errand)
    }

    fn queue_for(&self, permits: u32, errand: Option<Errand>) -> Place {
        let mut state = self.shared.state();
        if let Some(lease) = self.shared.try_lease(&mut state, permits) {
            return Place::First(Some(lease));
        }
        let (sender, turn) = oneshot::channel();
        let is_errand = errand.is_some();
        state.waiting.push_back(Waiting {
            permits,
            turn: sender,
            errand,
        });
        drop(state);
        if self.shared.release(0) && is_errand {
            self.shared.arrived.notify_one();
        }
        Place::Behind(Queued {
            shared: Arc::clone(&self.shared),
            turn,
        })
    }

    async fn lease_many(&self, permits: u32) -> Lease {
        match self.queue_for(permits, None).turn().await {
            Some(Turn::Go(lease)) => lease,
            // It is nobody's errand, and the queue lives as long as the pool.
            _ => std::future::pending().await,
        }
    }

    /// Opens connections until `count` are open, and returns how many that made. It takes its turn among the sends.
    pub(super) async fn warm_up(&self, count: u16, opener: &Arc<Opener>, budget: Budget) -> Result<usize, Failed> {
        let count = count.min(self.shared.config.connections);
        let lease = budget.run(Step::Wait, self.lease_many(count.into())).await?;
        let mut opening = JoinSet::new();
        for _ in self.shared.state().connections.len()..count.into() {
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
        let connections = std::mem::take(&mut self.shared.state().connections);
        let mut goodbyes: JoinSet<()> = connections.into_iter().map(quit).collect();
        while goodbyes.join_next().await.is_some() {}
        drop(lease);
    }

    pub(super) fn status(&self) -> PoolStatus {
        let state = self.shared.state();
        let limit = usize::from(self.shared.config.connections);
        let free = usize::try_from(state.free).unwrap_or(limit);
        PoolStatus {
            idle: state.connections.len(),
            busy: limit.saturating_sub(free),
            limit,
        }
    }
}

impl Lease {
    /// Takes a kept connection that is fresh enough and still open, if there is one.
    pub(super) async fn take_kept(&self) -> Option<Box<Connection>> {
        loop {
            let mut connection = self.shared.state().connections.pop_back()?;
            if self.shared.config.expiry(&connection) <= Instant::now() {
                // Its place is needed: the goodbye cannot wait.
                Box::pin(quit(connection)).await;
            } else if connection.wire.is_quiet().await {
                connection.reused = true;
                return Some(connection);
            }
        }
    }

    /// Whether `connection` may carry another message.
    pub(super) fn may_carry(&self, connection: &Connection) -> bool {
        let lifetime = connection.opened.elapsed() < self.shared.config.lifetime;
        lifetime && connection.transactions < self.most(connection)
    }

    fn most(&self, connection: &Connection) -> u32 {
        self.shared
            .config
            .messages
            .min(connection.extensions.max_messages().unwrap_or(u32::MAX))
    }

    /// Takes the message that waited longest, if it is the next to be served at all.
    pub(super) fn take_errand(&self) -> Option<Box<Transaction>> {
        let mut state = self.shared.state();
        while let Some(first) = state.waiting.front() {
            if !first.turn.is_closed() && first.errand.is_none() {
                return None;
            }
            let Waiting { turn, errand, .. } = state.waiting.pop_front()?;
            if let Some(errand) = errand.filter(|_| !turn.is_closed()) {
                return Some(Transaction::errand(errand, WhoWaits::Other(turn)));
            }
        }
        None
    }

    /// Whether a message waits.
    pub(super) fn has_errand(&self) -> bool {
        let state = self.shared.state();
        state.waiting.front().is_some_and(|first| first.errand.is_some())
    }

    /// Waits until a message may wait.
    pub(super) async fn arrival(&self) {
        self.shared.arrived.notified().await;
    }

    /// Keeps `connection` for the next send, unless it has served for long enough.
    pub(super) fn put_back(self, mut connection: Box<Connection>) {
        let now = Instant::now();
        connection.last_used = now;
        let worn = connection.transactions >= self.most(&connection);
        if worn || self.shared.config.expiry(&connection) <= now {
            // The permit goes along: its place is free when it is closed.
            tokio::spawn(async move {
                quit(connection).await;
                drop(self);
            });
        } else {
            self.shared.keep(connection);
        }
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

impl Drop for Shared {
    /// Nobody has anything left to look for.
    fn drop(&mut self) {
        self.sooner.notify_one();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives permits back, and serves those who wait as far as there are enough. Whether somebody still waits.
    fn release(self: &Arc<Self>, permits: u32) -> bool {
        let mut state = self.state();
        state.free = state.free.saturating_add(permits);
        let mut served = Vec::new();
        while let Some(first) = state.waiting.front() {
            let gone = first.turn.is_closed();
            if !gone && first.permits > state.free {
                break;
            }
            let Some(first) = state.waiting.pop_front() else { break };
            if !gone {
                state.free -= first.permits;
                served.push((first.turn, first.permits));
            }
        }
        let somebody_waits = !state.waiting.is_empty();
        drop(state);
        for (turn, permits) in served {
            let lease = Lease {
                shared: Arc::clone(self),
                permits,
            };
            // If they have just gone, the lease is dropped and serves the next.
            let _ = turn.send(Turn::Go(lease));
        }
        somebody_waits
    }

    /// Takes permits if they are free and nobody waits for them.
    fn try_lease(self: &Arc<Self>, state: &mut State, permits: u32) -> Option<Lease> {
        if !state.waiting.is_empty() {
            return None;
        }
        state.free = state.free.checked_sub(permits)?;
        Some(Lease {
            shared: Arc::clone(self),
            permits,
        })
    }

    fn keep(self: &Arc<Self>, connection: Box<Connection>) {
        let expiry = self.config.expiry(&connection);
        let mut state = self.state();
        state.connections.push_back(connection);
        match state.next_look {
            Some(next) if next <= expiry => {}
            Some(_) => {
                state.next_look = Some(expiry);
                self.sooner.notify_one();
            }
            None => {
                state.next_look = Some(expiry);
                let watch = Watch {
                    shared: Arc::downgrade(self),
                    sooner: Arc::clone(&self.sooner),
                    done: false,
                };
                tokio::spawn(watch.run());
            }
        }
    }

    /// Takes out the connections that have grown old, each with the permit that its goodbye needs, and says when to look
    /// again.
    fn expired(self: &Arc<Self>) -> (Vec<(Box<Connection>, Lease)>, Option<Instant>) {
        let now = Instant::now();
        let mut old = Vec::new();
        let mut state = self.state();
        let mut fresh = VecDeque::with_capacity(state.connections.len());
        for connection in std::mem::take(&mut state.connections) {
            let is_old = self.config.expiry(&connection) <= now;
            // Without a permit there is a send that is about to take it.
            match is_old.then(|| self.try_lease(&mut state, 1)).flatten() {
                Some(lease) => old.push((connection, lease)),
                None => fresh.push_back(connection),
            }
        }
        let next = fresh.iter().map(|connection| self.config.expiry(connection)).min();
        state.connections = fresh;
        let next = next.map(|next| next.max(now + LOOK_AGAIN));
        state.next_look = next;
        (old, next)
    }
}

/// Closes kept connections when they have grown old. It ends when none is left, or their transport is gone.
struct Watch {
    shared: Weak<Shared>,
    sooner: Arc<Notify>,
    /// Whether it ended because there was nothing left to watch.
    done: bool,
}

impl Watch {
    async fn run(mut self) {
        while let Some(shared) = self.shared.upgrade() {
            let (old, next) = shared.expired();
            self.done = next.is_none();
            drop(shared);
            let goodbyes = old.into_iter().map(async |(connection, lease)| {
                quit(connection).await;
                drop(lease);
            });
            goodbyes.collect::<JoinSet<()>>().join_all().await;
            match next {
                Some(next) => tokio::select! {
                    () = sleep_until(next) => {}
                    () = self.sooner.notified() => {}
                },
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
            shared.state().next_look = None;
        }
    }
}

async fn quit(mut connection: Box<Connection>) {
    let budget = Budget::new(Timeouts::all(QUIT), Some(QUIT));
    if connection.wire.command(b"QUIT\r\n", Step::Rset, &budget).await.is_ok() {
        // Whatever it answers, or if it does not: there is nothing left to lose.
        let _ = connection.wire.reply(Step::Rset, &budget).await;
    }
}
