//! The one timer of a connection.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use tokio::task::unconstrained;
use tokio::time::{Sleep, sleep_until};

use super::budget::{Budget, Deadline, Step};
use crate::error::{Failed, SmtpError};

/// Wakes a task at its deadline. A connection waits for one thing at a time and for most of them not long, so one timer
/// serves all: it is set again only for a deadline before its own, or when it has run out before there was need.
#[derive(Default)]
pub(super) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Says that `deadline`, which is that of `step` and begins now if there is none yet, has passed; the task is woken then.
    pub(super) fn poll(
        &mut self,
        context: &mut Context<'_>,
        step: Step,
        budget: &Budget,
        deadline: &mut Option<Deadline>,
    ) -> Poll<Failed> {
        let Some(end) = deadline.get_or_insert_with(|| budget.deadline(step)).0 else {
            return Poll::Pending;
        };
        let timer = self.0.get_or_insert_with(|| Box::pin(sleep_until(end)));
        if timer.deadline() > end {
            timer.as_mut().reset(end);
        }
        loop {
            // A task that has used up its turn is not to miss its deadline.
            if pin!(unconstrained(timer.as_mut())).poll(context).is_pending() {
                return Poll::Pending;
            }
            if timer.deadline() >= end {
                return Poll::Ready(step.failed(SmtpError::Timeout));
            }
            timer.as_mut().reset(end);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use tokio::time::Instant;

    use super::*;
    use crate::config::Timeouts;

    #[tokio::test(start_paused = true)]
    async fn every_wait_has_its_own_deadline() {
        let mut alarm = Alarm::default();
        // Each is begun before the timer of the one before would run out, or after.
        for seconds in [60, 5, 5, 300, 1, 600] {
            let begun = Instant::now();
            let budget = Budget::new(Timeouts::all(Duration::from_secs(seconds)), None);
            let mut deadline = None;
            let failed = poll_fn(|context| alarm.poll(context, Step::End, &budget, &mut deadline)).await;
            assert!(matches!(failed.error, SmtpError::Timeout));
            assert_eq!(begun.elapsed().as_secs(), seconds);

            // A wait that ends well leaves the timer as it stands.
            let mut deadline = None;
            let pending =
                poll_fn(|context| Poll::Ready(alarm.poll(context, Step::Wait, &budget, &mut deadline).is_pending()));
            assert!(pending.await);
            let mut deadline = None;
            let pending =
                poll_fn(|context| Poll::Ready(alarm.poll(context, Step::End, &budget, &mut deadline).is_pending()));
            assert!(pending.await);
        }
    }
}
