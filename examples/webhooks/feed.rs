//! From events to the list of addresses not to write to.

use std::collections::HashSet;
use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use posthaste_events::event::Event;
use posthaste_events::suppression::feed;
use posthaste_suppression::{Entry, FeedPolicy, Filter, MemorySuppressionList, Scope, SuppressionList};

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
        let mut new = Vec::new();
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
                new.push(event);
            }
        }
        feed(&self.list, &self.policy, &Scope::global(), &new, SystemTime::now()).await?;
        // Not before: what could not be kept comes again.
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(new.into_iter().map(|event| event.id));
        Ok(())
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
