//! A message to more recipients than a server takes at once (LIMITS, RFC 9422).

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use posthaste_address::{Domain, EmailAddress};
use posthaste_transport::{
    Disposition, Fate, Outbound, Outcome, RecipientOutcome, Refusal, Retry, Security, SendError,
};

use super::budget::Budget;
use super::job::Job;
use super::overlap::Courier;
use super::transaction::Setback;
use crate::error::NAME;

/// How many recipients one transaction may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) recipients: usize,
    pub(super) domains: usize,
}

impl Room {
    /// How many recipients of `mail` go into each transaction, in their order.
    fn batches(self, mail: &Outbound) -> Vec<usize> {
        let (mut batches, mut count) = (Vec::new(), 0);
        let mut domains: HashSet<&Domain> = HashSet::new();
        for recipient in mail.envelope().recipients() {
            let domain = recipient.address().domain();
            let fits = count < self.recipients && (domains.contains(domain) || domains.len() < self.domains);
            if !fits && count > 0 {
                batches.push(count);
                count = 0;
                domains.clear();
            }
            domains.insert(domain);
            count += 1;
        }
        batches.push(count);
        batches
    }

    /// Whether one transaction is enough.
    pub(super) fn holds(self, mail: &Outbound) -> bool {
        mail.envelope().recipients().len() <= self.recipients.min(self.domains) || self.batches(mail).len() <= 1
    }

    /// The same message to as many recipients as go into one transaction, several times.
    fn split(self, job: &Job) -> Vec<Arc<Job>> {
        let mut from = 0;
        let batches = self.batches(&job.mail).into_iter().filter_map(|count| {
            let range = from..from + count;
            from += count;
            let mut number = 0;
            let narrowed = job.mail.narrowed(|_| {
                let keep = range.contains(&number);
                number += 1;
                keep
            });
            Some(Arc::new(job.to(narrowed?)))
        });
        batches.collect()
    }
}

/// Sends a message in as many transactions as the server wants, and puts together what became of it.
pub(super) async fn deliver(courier: &Courier<'_>, job: Arc<Job>, budget: Budget) -> Result<Outcome, SendError> {
    let room = match courier.deliver(&job, budget).await {
        Ok(outcome) => return Ok(outcome),
        Err(Setback { room: Some(room), .. }) => room,
        Err(setback) => return Err(setback.error),
    };
    let mut fates: Vec<RecipientOutcome> = Vec::new();
    let (mut reply, mut id, mut stopped) = (None, None, false);
    let mut security: Option<Security> = None;
    let mut note = |outcome: &Outcome| {
        if let Some(now) = outcome.security().cloned() {
            security = Some(match security.take() {
                Some(before) => before.weaker(now),
                None => now,
            });
        }
    };
    let mut jobs: VecDeque<Arc<Job>> = room.split(&job).into();
    while let Some(part) = jobs.pop_front() {
        let rest = |fate: &Fate| -> Vec<RecipientOutcome> {
            let fate = |address: &EmailAddress| RecipientOutcome::new(address.clone(), fate.clone());
            part.mail
                .envelope()
                .recipients()
                .iter()
                .map(|to| fate(to.address()))
                .collect()
        };
        if stopped {
            fates.extend(rest(&Fate::Refused(Refusal::transient())));
            continue;
        }
        let error = match courier.deliver(&part, budget).await {
            Ok(outcome) => {
                note(&outcome);
                fates.extend_from_slice(outcome.recipients());
                reply = reply.or_else(|| outcome.reply().cloned());
                id = id.or_else(|| outcome.provider_id().map(str::to_owned));
                continue;
            }
            Err(Setback { room: Some(less), .. }) if less.batches(&part.mail).len() > 1 => {
                // Another server behind the same name, with other limits.
                jobs.extend(less.split(&part));
                jobs.rotate_right(less.batches(&part.mail).len());
                continue;
            }
            Err(setback) => setback.error,
        };
        if let Some(outcome) = error.outcome() {
            note(outcome);
            fates.extend_from_slice(outcome.recipients());
            reply = reply.or_else(|| error.reply().cloned());
            stopped = outcome.unknown().next().is_some();
            continue;
        }
        if fates.is_empty() {
            return Err(error);
        }
        // What kept this part from being sent would meet the others too.
        stopped = true;
        let refusal = match error.retry() {
            Retry::Never => Refusal::permanent(),
            _ => Refusal::transient(),
        };
        fates.extend(rest(&match error.disposition() {
            Disposition::NotAccepted => Fate::Refused(refusal),
            _ => Fate::Unknown,
        }));
    }
    let mut outcome = Outcome::new(fates);
    if let Some(id) = job.mail.message_id() {
        outcome = outcome.with_message_id(id);
    }
    if let Some(id) = id {
        outcome = outcome.with_provider_id(id);
    }
    if let Some(security) = security {
        outcome = outcome.with_security(security);
    }
    if let Some(reply) = reply {
        outcome = outcome.with_reply(reply);
    }
    outcome.settle(NAME)
}
