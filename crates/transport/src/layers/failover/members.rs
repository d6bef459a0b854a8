//! The members, and a send that goes from one to the next.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::error::FailoverError;
use crate::layers::HealthPolicy;
use crate::layers::health::{Health, Standing};
use crate::layers::retry::{Ledger, Next};
use crate::{
    Capabilities, Disposition, ErrorKind, Fate, Feature, OnUnsupported, Outbound, Outcome, Refusal, SendError,
    SendOptions, Shortfall, Timer, TokioTimer, Transport, TransportInfo, Unsupported, plan,
};

#[derive(Debug)]
pub(super) struct Members {
    name: &'static str,
    all: Vec<Member>,
    health: HealthPolicy,
    kinds: HashSet<ErrorKind>,
    timeout: Option<Duration>,
    duplicates: bool,
    timer: Arc<dyn Timer>,
}

#[derive(Debug)]
struct Member {
    transport: Arc<dyn Transport>,
    health: Health,
}

impl Members {
    pub(super) fn new(name: &'static str, members: impl IntoIterator<Item = Arc<dyn Transport>>) -> Self {
        let health = HealthPolicy::default();
        Self {
            name,
            all: members
                .into_iter()
                .map(|transport| Member {
                    transport,
                    health: Health::new(health.clone()),
                })
                .collect(),
            health,
            kinds: HashSet::from([
                ErrorKind::Unsupported,
                ErrorKind::Unauthorized,
                ErrorKind::Throttled,
                ErrorKind::Unavailable,
                ErrorKind::Timeout,
                ErrorKind::Unknown,
            ]),
            timeout: None,
            duplicates: false,
            timer: Arc::new(TokioTimer::new()),
        }
    }

    pub(super) fn set_health(&mut self, policy: HealthPolicy) {
        for member in &mut self.all {
            member.health = Health::new(policy.clone());
        }
        self.health = policy;
    }

    pub(super) fn set_kinds(&mut self, kinds: HashSet<ErrorKind>) {
        self.kinds = kinds;
    }

    pub(super) fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = Some(timeout);
    }

    pub(super) fn allow_duplicates(&mut self, allow: bool) {
        self.duplicates = allow;
    }

    pub(super) fn set_timer(&mut self, timer: Arc<dyn Timer>) {
        self.timer = timer;
    }

    /// What any member can do, within the widest limits; but no idempotency key, unless there is but one: a repeat may go to
    /// another member, which has never seen the key.
    pub(super) fn info(&self) -> TransportInfo {
        let mut each = self.all.iter().map(|member| *member.transport.info().capabilities());
        let first = each.next().unwrap_or_else(Capabilities::none);
        let all = each.fold(first, |all, next| {
            Feature::ALL
                .iter()
                .filter(|feature| next.supports(**feature))
                .fold(all, |all, feature| all.with(*feature))
                .with_limits_of_either(&next)
        });
        TransportInfo::new(
            self.name,
            match self.all.as_slice() {
                [_] => all,
                _ => all.without(Feature::IdempotencyKey),
            },
        )
    }

    /// Which members are asked, in order: from `first` on, around. Those that are down are left out, unless all are.
    fn order(&self, first: usize) -> Vec<&Member> {
        let now = self.timer.now();
        let (before, from) = self.all.split_at(first.min(self.all.len()));
        let around: Vec<&Member> = from.iter().chain(before).collect();
        let up: Vec<&Member> = around
            .iter()
            .copied()
            .filter(|member| !matches!(member.health.standing(now), Standing::Down(_)))
            .collect();
        if !up.is_empty() {
            return up;
        }
        let rest = |member: &&Member| match member.health.standing(now) {
            Standing::Down(left) => left,
            Standing::Up | Standing::Due => Duration::ZERO,
        };
        around.into_iter().min_by_key(rest).into_iter().collect()
    }

    pub(super) async fn send(
        &self,
        first: usize,
        mail: &Outbound,
        options: &SendOptions,
    ) -> Result<Outcome, SendError> {
        let start = self.timer.now();
        // A member may know the key; that the send may be repeated by it would be a lie.
        let options = &*self.without_key(options)?;
        let mut ledger = Ledger::new(mail);
        let mut current = Cow::Borrowed(mail);
        let mut failures: Vec<SendError> = Vec::new();
        let mut last: Option<Outcome> = None;
        let mut attempts = 0_u32;
        for member in self.order(first) {
            if let Err(error) = plan(&current, options, &member.transport.info()) {
                failures.push(error);
                continue;
            }
            let Some(options) = self.rest_of(options, start) else {
                break;
            };
            let probe = member.health.begin(self.timer.now());
            let result = member.transport.send(&current, &options).await;
            probe.end(&result, self.timer.now());
            let (outcome, error) = match result {
                Ok(outcome) => (Some(outcome), None),
                Err(error) => (error.outcome().cloned(), Some(error)),
            };
            attempts = attempts.saturating_add(
                error
                    .as_ref()
                    .map_or_else(|| outcome.as_ref().map_or(1, Outcome::attempts), SendError::attempts),
            );
            if let Some(outcome) = &outcome {
                ledger.note(outcome);
            }
            let next = self.next(&mut ledger, mail, error.as_ref());
            match error {
                Some(error) => {
                    if error.outcome().is_none() {
                        ledger.note_failure(&error);
                    }
                    failures.push(error);
                    last = None;
                }
                None => last = outcome,
            }
            match next {
                Next::Nobody => break,
                Next::Same => {}
                Next::Narrowed(narrowed) => current = Cow::Owned(narrowed),
            }
        }
        self.finish(ledger, failures, last, attempts)
    }

    /// Returns the options without an idempotency key, if it may go.
    fn without_key<'a>(&self, options: &'a SendOptions) -> Result<Cow<'a, SendOptions>, SendError> {
        let knows = self.all.len() == 1 || options.idempotency_key().is_none();
        match (knows, options.on_unsupported()) {
            (true, _) => Ok(Cow::Borrowed(options)),
            (false, OnUnsupported::Degrade) => Ok(Cow::Owned(options.clone().without_idempotency_key())),
            (false, _) => {
                let missing = Unsupported::new(Feature::IdempotencyKey, Shortfall::Missing);
                Err(SendError::unsupported_features(vec![missing]).with_transport(self.name))
            }
        }
    }

    /// Picks whom the next member is asked for.
    fn next(&self, ledger: &mut Ledger, mail: &Outbound, error: Option<&SendError>) -> Next {
        let for_now = |fate: Option<&Fate>| fate.and_then(Fate::refusal).is_some_and(Refusal::is_transient);
        let Some(error) = error else {
            return ledger.next(mail, for_now);
        };
        match error.disposition() {
            Disposition::NotAccepted if self.kinds.contains(&error.kind()) => {
                let by_recipient = error.outcome().is_some();
                ledger.next(mail, |fate| !by_recipient || fate.is_none() || for_now(fate))
            }
            Disposition::NotAccepted => Next::Nobody,
            _ if self.duplicates => {
                let by_recipient = error.outcome().is_some();
                ledger.next(mail, |fate| {
                    !by_recipient || fate.is_none_or(|fate| *fate == Fate::Unknown) || for_now(fate)
                })
            }
            // What is known to be refused for now may go on; what may have been accepted may not.
            _ => ledger.next(mail, |fate| error.outcome().is_some() && for_now(fate)),
        }
    }

    fn finish(
        &self,
        ledger: Ledger,
        mut failures: Vec<SendError>,
        last: Option<Outcome>,
        attempts: u32,
    ) -> Result<Outcome, SendError> {
        if let Some(outcome) = last {
            // Somebody was accepted at the end; what is unknown from before makes it an error again.
            return ledger
                .finish(Ok(outcome), attempts)
                .map_err(|error| error.with_transport(self.name));
        }
        let Some(decisive) = decisive(&failures) else {
            let detail = if self.all.is_empty() {
                "looking for a member: there is none"
            } else {
                "looking for a member: the deadline came first"
            };
            let kind = if self.all.is_empty() {
                ErrorKind::Invalid
            } else {
                ErrorKind::Timeout
            };
            return Err(SendError::new(kind, Disposition::NotAccepted)
                .with_transport(self.name)
                .with_detail(detail));
        };
        if attempts == 0 && failures.iter().all(|error| error.kind() == ErrorKind::Unsupported) {
            // None was asked. The first says what it lacks.
            return Err(failures.swap_remove(0).with_transport(self.name));
        }
        let Some(error) = failures.get(decisive) else {
            return Err(SendError::new(ErrorKind::Unknown, Disposition::Ambiguous).with_transport(self.name));
        };
        let wait = failures.iter().filter_map(SendError::retry_after).min();
        let mut whole = SendError::new(error.kind(), error.disposition()).with_transport(self.name);
        if let Some(wait) = wait {
            whole = whole.with_retry_after(wait);
        }
        if let Some(outcome) = error.outcome() {
            whole = whole.with_outcome(outcome.clone());
        }
        if let Some(reply) = error.reply() {
            whole = whole.with_reply(reply.clone());
        }
        if let Some(code) = error.code() {
            whole = whole.with_code(code);
        }
        let whole = whole.with_source(FailoverError::new(failures));
        ledger.finish(Err(whole), attempts.max(1))
    }

    /// Returns the options with what is left of the deadline; `None` if nothing is.
    fn rest_of<'a>(&self, options: &'a SendOptions, start: Duration) -> Option<Cow<'a, SendOptions>> {
        let left = match options.deadline() {
            Some(deadline) => {
                let left = deadline.saturating_sub(self.timer.now().saturating_sub(start));
                if left.is_zero() {
                    return None;
                }
                Some(left)
            }
            None => None,
        };
        let least = match (left, self.timeout) {
            (Some(left), Some(timeout)) => Some(left.min(timeout)),
            (left, timeout) => left.or(timeout),
        };
        Some(match least {
            Some(least) => Cow::Owned(options.clone().with_deadline(least)),
            None => Cow::Borrowed(options),
        })
    }
}

/// The failure that speaks for all: one after which something may have been accepted; else the last that says something of the
/// world, and not only that a member cannot do it.
fn decisive(failures: &[SendError]) -> Option<usize> {
    failures
        .iter()
        .rposition(|error| error.disposition() != Disposition::NotAccepted)
        .or_else(|| {
            failures
                .iter()
                .rposition(|error| error.kind() != ErrorKind::Unsupported)
        })
        .or_else(|| failures.len().checked_sub(1))
}
