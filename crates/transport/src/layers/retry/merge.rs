//! What is known about each recipient, over several attempts.

use posthaste_address::EmailAddress;

use crate::{Disposition, Fate, Outbound, Outcome, RecipientOutcome, Refusal, Retry, Security, SendError};

/// The fate of each recipient so far, in the order of the envelope that the caller gave.
#[derive(Debug)]
pub(in crate::layers) struct Ledger {
    entries: Vec<Entry>,
    narrowed: bool,
    last: Option<Outcome>,
    /// The weakest of all attempts that told.
    security: Option<Security>,
}

#[derive(Debug)]
struct Entry {
    address: EmailAddress,
    fate: Option<Fate>,
    /// The id that the message has there where it was accepted for this recipient.
    id: Option<String>,
    /// Whether the attempt under way is for this recipient.
    pending: bool,
}

/// Whom the next attempt is for.
#[derive(Debug)]
pub(in crate::layers) enum Next {
    /// The same recipients as the last one.
    Same,
    /// Fewer.
    Narrowed(Outbound),
    /// Nobody.
    Nobody,
}

impl Ledger {
    pub(in crate::layers) fn new(mail: &Outbound) -> Self {
        let recipients = mail.envelope().recipients().iter();
        let entries = recipients.map(|recipient| Entry {
            address: recipient.address().clone(),
            fate: None,
            id: None,
            pending: true,
        });
        Self {
            entries: entries.collect(),
            narrowed: false,
            last: None,
            security: None,
        }
    }

    /// Notes what an attempt said about the recipients that it was for.
    pub(in crate::layers) fn note(&mut self, outcome: &Outcome) {
        let in_order = self
            .pending()
            .map(|entry| &entry.address)
            .eq(outcome.recipients().iter().map(RecipientOutcome::address));
        let mut fates = outcome.recipients().iter();
        for entry in self.entries.iter_mut().filter(|entry| entry.pending) {
            let fate = if in_order {
                fates.next()
            } else {
                outcome
                    .recipients()
                    .iter()
                    .find(|recipient| recipient.address() == &entry.address)
            };
            if let Some(fate) = fate {
                entry.fate = Some(fate.fate().clone());
                let id = fate.provider_id().or_else(|| outcome.provider_id());
                entry.id = id.filter(|_| *fate.fate() == Fate::Accepted).map(str::to_owned);
            }
        }
        if let Some(security) = outcome.security().cloned() {
            self.security = Some(match self.security.take() {
                Some(before) => before.weaker(security),
                None => security,
            });
        }
        self.last = Some(outcome.clone());
    }

    /// Notes a failure that said nothing about single recipients.
    pub(in crate::layers) fn note_failure(&mut self, error: &SendError) {
        let refusal = if error.retry() == Retry::Never {
            Refusal::permanent()
        } else {
            Refusal::transient()
        };
        let refusal = match error.reply() {
            Some(reply) => refusal.with_reply(reply.clone()),
            None => refusal,
        };
        for entry in self.entries.iter_mut().filter(|entry| entry.pending) {
            match error.disposition() {
                Disposition::NotAccepted => {
                    entry.fate.get_or_insert_with(|| Fate::Refused(refusal.clone()));
                }
                _ => entry.fate = Some(Fate::Unknown),
            }
        }
    }

    /// Picks, of those that the last attempt was for, the ones that `worth` says are worth another.
    pub(in crate::layers) fn next(&mut self, mail: &Outbound, worth: impl Fn(Option<&Fate>) -> bool) -> Next {
        let before = self.pending().count();
        for entry in self.entries.iter_mut().filter(|entry| entry.pending) {
            entry.pending = worth(entry.fate.as_ref());
        }
        let after = self.pending().count();
        if after == 0 {
            return Next::Nobody;
        }
        if after == before {
            return Next::Same;
        }
        self.narrowed = true;
        let mut pending = self.entries.iter().map(|entry| entry.pending);
        match mail.narrowed(|_| pending.next().unwrap_or(false)) {
            Some(narrowed) => Next::Narrowed(narrowed),
            None => Next::Nobody,
        }
    }

    /// Returns what the last attempt makes of the whole.
    pub(in crate::layers) fn finish(
        mut self,
        last: Result<Outcome, SendError>,
        attempts: u32,
    ) -> Result<Outcome, SendError> {
        if !self.narrowed {
            return match last {
                Ok(outcome) => Ok(outcome.with_attempts(attempts)),
                Err(error) => Err(error.with_attempts(attempts)),
            };
        }
        match last {
            Ok(_) => self.merged(attempts).settle(""),
            Err(error) => {
                if error.outcome().is_none() {
                    self.note_failure(&error);
                }
                let merged = self.merged(attempts);
                if merged.unknown().next().is_none() && merged.accepted().next().is_some() {
                    return Ok(merged);
                }
                Err(error.with_merged(merged))
            }
        }
    }

    fn merged(self, attempts: u32) -> Outcome {
        let recipients = self.entries.into_iter().map(|entry| {
            let outcome = RecipientOutcome::new(entry.address, entry.fate.unwrap_or(Fate::Unknown));
            match entry.id {
                Some(id) => outcome.with_provider_id(id),
                None => outcome,
            }
        });
        let mut merged = Outcome::new(recipients).with_attempts(attempts);
        if let Some(last) = self.last {
            if let Some(id) = last.provider_id() {
                merged = merged.with_provider_id(id);
            }
            if let Some(id) = last.request_id() {
                merged = merged.with_request_id(id);
            }
            if let Some(id) = last.message_id() {
                merged = merged.with_message_id(id);
            }
            if let Some(rate) = last.rate() {
                merged = merged.with_rate(*rate);
            }
            if let Some(reply) = last.reply() {
                merged = merged.with_reply(reply.clone());
            }
        }
        if let Some(security) = self.security {
            merged = merged.with_security(security);
        }
        merged
    }

    fn pending(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.pending)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RateInfo;
    use crate::testing::mail;

    #[test]
    fn what_the_last_answer_said_of_a_limit_is_kept() {
        let mail = mail(&["bob@example.net"]);
        let mut ledger = Ledger::new(&mail);
        for remaining in [2, 1] {
            let rate = RateInfo::new().with_remaining(remaining);
            ledger.note(&Outcome::accept_all(&mail).with_rate(rate));
        }
        let merged = ledger.merged(2);
        assert_eq!(merged.rate().and_then(RateInfo::remaining), Some(1));
    }
}
