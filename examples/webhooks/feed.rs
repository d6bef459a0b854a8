//! From events to the list of addresses not to write to.

use std::collections::HashSet;
use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use posthaste_events::bounce::Permanence;
use posthaste_events::event::{Event, EventKind};
use posthaste_suppression::{Entry, FeedPolicy, Filter, MemorySuppressionList, Reason, Scope, SuppressionList};

/// The list, what gets on it, and which events came before.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    list: MemorySuppressionList,
    policy: FeedPolicy,
    seen: Mutex<HashSet<String>>,
}

impl Feed {
    /// Puts addresses on the list that events say are not to be written to.
    pub(crate) async fn take(&self, events: Vec<Event>) -> Result<(), Box<dyn Error>> {
        let (mut entries, mut new) = (Vec::new(), Vec::new());
        for event in events {
            // Providers deliver again: the id is the same then. A real program keeps it in its database, for some days.
            let is_new = !self
                .seen
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .contains(&event.id);
            let words = if is_new { "" } else { ", which came before" };
            let recipient = event.recipient.as_deref().unwrap_or("somebody");
            println!("  {} {} {recipient}{words}", event.provider, event.kind);
            if is_new {
                entries.extend(self.entry(&event));
                new.push(event.id);
            }
        }
        self.list.put(&entries).await?;
        // Not before: what could not be kept comes again.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).extend(new);
        Ok(())
    }

    fn entry(&self, event: &Event) -> Option<Entry> {
        let reason = match event.kind {
            EventKind::Bounced(Permanence::Hard) => Reason::Bounce,
            EventKind::Complained => Reason::Complaint,
            EventKind::Unsubscribed => Reason::Unsubscribe,
            _ => return None,
        };
        // Whom the provider only guesses at is not taken off the list of recipients for it.
        let address = event
            .recipient
            .as_deref()
            .filter(|_| !event.recipient_is_guess)?
            .parse()
            .ok()?;
        let at = event.time.unwrap_or_else(SystemTime::now);
        let entry = self.policy.entry(reason, address, &Scope::global(), at)?;
        let detail = event.diagnostic.as_deref().or(event.description.as_deref());
        Some(
            entry
                .with_source(event.provider)
                .with_detail(detail.unwrap_or_default()),
        )
    }

    /// Writes a line for each address on the list.
    pub(crate) async fn list(&self) -> Result<Vec<String>, Box<dyn Error>> {
        let page = self.list.list(&Filter::default()).await?;
        let line = |entry: &Entry| {
            let (address, reason) = (entry.address(), entry.reason());
            format!("{address}: {reason}, says {}: {}", entry.source(), entry.detail())
        };
        Ok(page.entries.iter().map(line).collect())
    }
}
