//! The transport that the layer makes.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::merge::{Ledger, Next};
use super::{Jitter, RetryPolicy};
use crate::{
    Fate, Feature, Outbound, Outcome, Retry, SendError, SendFuture, SendOptions, Timer, Transport, TransportInfo,
};

/// A transport that tries again; made by [`layers::Retry`](super::Retry).
#[derive(Debug)]
pub struct Retrying<T> {
    inner: T,
    policy: RetryPolicy,
    timer: Arc<dyn Timer>,
    jitter: Arc<dyn Jitter>,
}

impl<T> Retrying<T> {
    pub(super) const fn new(inner: T, policy: RetryPolicy, timer: Arc<dyn Timer>, jitter: Arc<dyn Jitter>) -> Self {
        Self {
            inner,
            policy,
            timer,
            jitter,
        }
    }

    /// Returns the transport inside.
    pub const fn get_ref(&self) -> &T {
        &self.inner
    }

    /// Unwraps the transport inside.
    pub fn into_inner(self) -> T {
        self.inner
    }
}

impl<T: Transport> Retrying<T> {
    async fn send_by_policy(&self, mail: &Outbound, options: &SendOptions) -> Result<Outcome, SendError> {
        let start = self.timer.now();
        let keyed = self.is_keyed(options);
        let mut ledger = Ledger::new(mail);
        let mut current = Cow::Borrowed(mail);
        let mut attempts = 0_u32;
        loop {
            attempts = attempts.saturating_add(1);
            let last = self.inner.send(&current, &self.rest_of(options, start)).await;
            let outcome = match &last {
                Ok(outcome) => Some(outcome),
                Err(error) => error.outcome(),
            };
            if let Some(outcome) = outcome {
                ledger.note(outcome);
            }
            if attempts >= self.policy.attempts().get() {
                return ledger.finish(last, attempts);
            }
            let Some(delay) = self.delay(&last, attempts, options, start) else {
                return ledger.finish(last, attempts);
            };
            match self.next(&mut ledger, mail, &last, keyed) {
                Next::Nobody => return ledger.finish(last, attempts),
                Next::Same => {}
                Next::Narrowed(narrowed) => current = Cow::Owned(narrowed),
            }
            self.timer.sleep(delay).await;
        }
    }

    /// Says whether the provider recognises a repeat.
    fn is_keyed(&self, options: &SendOptions) -> bool {
        options.idempotency_key().is_some() && self.inner.info().capabilities().supports(Feature::IdempotencyKey)
    }

    /// Picks whom the next attempt is for.
    fn next(&self, ledger: &mut Ledger, mail: &Outbound, last: &Result<Outcome, SendError>, keyed: bool) -> Next {
        let refused_for_now =
            |fate: Option<&Fate>| fate.and_then(Fate::refusal).is_some_and(crate::Refusal::is_transient);
        match last {
            Ok(_) if keyed => Next::Nobody,
            Ok(_) => ledger.next(mail, refused_for_now),
            Err(error) => match error.retry() {
                Retry::Never => Next::Nobody,
                Retry::Safe | Retry::MayDuplicate if keyed => Next::Same,
                Retry::Safe => ledger.next(mail, |fate| {
                    error.outcome().is_none() || fate.is_none() || refused_for_now(fate)
                }),
                Retry::MayDuplicate if self.policy.duplicates_allowed() => ledger.next(mail, |fate| {
                    error.outcome().is_none() || fate.is_none_or(|fate| *fate == Fate::Unknown) || refused_for_now(fate)
                }),
                Retry::MayDuplicate => Next::Nobody,
            },
        }
    }

    /// Returns how long to wait; `None` if that is longer than the policy or the deadline allow.
    fn delay(
        &self,
        last: &Result<Outcome, SendError>,
        attempts: u32,
        options: &SendOptions,
        start: Duration,
    ) -> Option<Duration> {
        let asked = last.as_ref().err().and_then(SendError::retry_after).unwrap_or_default();
        if asked > self.policy.max_delay() {
            return None;
        }
        let delay = self.jitter.up_to(self.policy.backoff(attempts)).max(asked);
        match options.deadline() {
            Some(deadline) => {
                let left = deadline.saturating_sub(self.timer.now().saturating_sub(start));
                (delay < left).then_some(delay)
            }
            None => Some(delay),
        }
    }

    /// Returns the options with what is left of the deadline.
    fn rest_of<'a>(&self, options: &'a SendOptions, start: Duration) -> Cow<'a, SendOptions> {
        match options.deadline() {
            Some(deadline) => {
                let left = deadline.saturating_sub(self.timer.now().saturating_sub(start));
                Cow::Owned(options.clone().with_deadline(left))
            }
            None => Cow::Borrowed(options),
        }
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: Transport> Transport for Retrying<T> {
    fn info(&self) -> TransportInfo {
        self.inner.info()
    }

    fn send<'a>(&'a self, mail: &'a Outbound, options: &'a SendOptions) -> SendFuture<'a> {
        Box::pin(self.send_by_policy(mail, options))
    }
}
