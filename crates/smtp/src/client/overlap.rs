//! Sends that share connections: each has its turn, or goes out behind the message of another.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::budget::{Budget, Step};
use super::connection::{Connection, Opener};
use super::job::Job;
use super::line::Line;
use super::pool::{Errand, Lease, Pool, Turn};
use super::transaction::{Ended, Interest, Transaction, WhoWaits, not_heard_of};
use crate::error::{Failed, SmtpError};

/// Delivers messages over the connections of a pool.
///
/// A send that gets a permit talks to the server itself. When another one waits while the reply to its message is awaited, the
/// connection is given to a task, which sends the messages that wait behind it, until there are no more: so none depends on
/// how often the future of another is polled.
pub(super) struct Courier<'a> {
    pub(super) pool: &'a Pool,
    pub(super) opener: &'a Opener,
    /// Whether messages may go out behind others.
    pub(super) overlaps: bool,
}

/// Says that nobody waits any more when it is dropped.
struct Waiter(Interest);

impl Drop for Waiter {
    fn drop(&mut self) {
        self.0.give_up();
    }
}

impl Courier<'_> {
    /// Sends a message.
    pub(super) async fn deliver(&self, job: &Arc<Job>, budget: Budget) -> Ended {
        let mut overlaps = self.overlaps;
        loop {
            let waiter = Waiter(Interest::default());
            let errand = || Errand {
                job: Arc::clone(job),
                budget,
                interest: waiter.0.clone(),
            };
            let mut place = self.pool.queue(overlaps.then(errand));
            let lease = match budget.run(Step::Wait, place.turn()).await {
                Ok(Some(Turn::Go(lease))) => lease,
                Ok(Some(Turn::Sent(ended))) => match *ended {
                    // Nobody has more than one other's failure to suffer from.
                    Err(setback) if setback.try_fresh && overlaps => {
                        tracing::debug!("the smtp connection ended before a message that waited for it");
                        overlaps = false;
                        continue;
                    }
                    ended => return ended,
                },
                Ok(None) if waiter.0.give_up() && overlaps => {
                    overlaps = false;
                    continue;
                }
                Ok(None) => return Err(not_heard_of(job, SmtpError::Closed).into()),
                Err(failed) if waiter.0.give_up() => return Err(failed.not_accepted().into()),
                Err(failed) => return Err(not_heard_of(job, failed.error).into()),
            };
            drop(place);
            match self.send(job, budget, &waiter.0, lease).await {
                Err(setback) if setback.try_fresh && overlaps => overlaps = false,
                ended => return ended,
            }
        }
    }

    /// Sends a message with a permit of its own: over a connection that was kept, and over a fresh one if that was stale.
    async fn send(&self, job: &Arc<Job>, budget: Budget, interest: &Interest, mut lease: Lease) -> Ended {
        // The goodbyes on those that have grown old are part of the send.
        let kept = budget.run(Step::Wait, lease.take_kept()).await;
        let mut kept = kept.map_err(Failed::not_accepted)?;
        loop {
            let was_kept = kept.is_some();
            let connection = match kept.take() {
                Some(connection) => connection,
                None => Box::pin(self.opener.open(&budget))
                    .await
                    .map_err(Failed::not_accepted)?,
            };
            let errand = Errand {
                job: Arc::clone(job),
                budget,
                interest: interest.clone(),
            };
            match self.converse(errand, lease, connection).await {
                (Err(setback), Some(left)) if was_kept && setback.try_fresh => {
                    tracing::debug!("the kept smtp connection was stale");
                    lease = left;
                }
                (ended, _) => return ended,
            }
        }
    }

    /// Sends a message over `connection`, and returns the permit if the connection is of no more use.
    async fn converse(&self, errand: Errand, lease: Lease, mut connection: Box<Connection>) -> (Ended, Option<Lease>) {
        let (job, budget) = (Arc::clone(&errand.job), errand.budget);
        connection.transactions = connection.transactions.saturating_add(1);
        let mut line = Line::new(connection);
        line.send(Transaction::errand(errand, WhoWaits::Driver)).await;
        while !line.is_settled() {
            let others_may = self.overlaps && line.has_room() && lease.may_carry(&line.connection);
            if others_may && lease.has_errand() {
                let (waiter, turn) = oneshot::channel();
                line.detach(waiter);
                tokio::spawn(drive(line, lease));
                // The phases have their deadlines with who drives the connection.
                let sent = match budget.run(Step::Wait, turn).await {
                    Ok(Ok(Turn::Sent(ended))) => *ended,
                    Ok(_) => Err(not_heard_of(&job, SmtpError::Closed).into()),
                    Err(failed) => Err(not_heard_of(&job, failed.error).into()),
                };
                return (sent, None);
            }
            tokio::select! {
                biased;
                () = line.settle_first() => {}
                () = lease.arrival(), if others_may => {}
            }
        }
        let unheard = || Err(not_heard_of(&job, SmtpError::Closed).into());
        let ended = line.take_own().unwrap_or_else(unheard);
        match line.usable {
            true => {
                lease.put_back(line.connection);
                (ended, None)
            }
            false => (ended, Some(lease)),
        }
    }
}

/// Sends the messages that wait behind those that are under way, until none is left.
async fn drive(mut line: Line, lease: Lease) {
    let mut has_yielded = false;
    loop {
        let may_take = line.has_room() && lease.may_carry(&line.connection);
        if may_take && let Some(transaction) = lease.take_errand() {
            line.connection.transactions = line.connection.transactions.saturating_add(1);
            line.send(transaction).await;
            has_yielded = false;
            continue;
        }
        if may_take && !has_yielded {
            // Who was just answered may bring the next message, and its commands go along with what is to be written.
            has_yielded = true;
            tokio::task::yield_now().await;
            continue;
        }
        if line.is_settled() {
            break;
        }
        tokio::select! {
            biased;
            () = line.settle_first() => {}
            () = lease.arrival(), if may_take => {}
        }
    }
    if line.usable {
        lease.put_back(line.connection);
    }
}
