//! Outcomes in memory.

use std::collections::{HashMap, VecDeque};
use std::future::ready;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use super::{Claim, OutcomeStore, StoreError, StoreFuture};
use crate::Outcome;

/// Remembers outcomes for as long as the program runs, up to a time and a number.
#[derive(Debug)]
pub struct MemoryOutcomes {
    keep: Duration,
    most: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The outcome, or none while it is open; and since when.
    keys: HashMap<String, (Option<Outcome>, SystemTime)>,
    /// In the order in which they were claimed; a key that was freed and claimed again stands here twice.
    order: VecDeque<(String, SystemTime)>,
}

impl Default for MemoryOutcomes {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryOutcomes {
    /// Remembers 100 000 keys for a day.
    #[must_use]
    pub fn new() -> Self {
        Self {
            keep: Duration::from_hours(24),
            most: 100_000,
            state: Mutex::default(),
        }
    }

    /// Sets how long a key is remembered, from its claim on.
    #[must_use]
    pub const fn with_time(mut self, keep: Duration) -> Self {
        self.keep = keep;
        self
    }

    /// Sets how many keys are remembered. When there is no room, and none has had its time, a claim is refused: to forget one early
    /// could mean a second mail.
    #[must_use]
    pub const fn with_room(mut self, keys: usize) -> Self {
        self.most = keys;
        self
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn claim_now(&self, key: &str, now: SystemTime) -> Result<Claim, StoreError> {
        let mut state = self.lock();
        let state = &mut *state;
        let is_over = |since: SystemTime| now.duration_since(since).is_ok_and(|age| age >= self.keep);
        while let Some((oldest, since)) = state.order.front() {
            let current = state.keys.get(oldest).map(|(_, since)| *since);
            if current == Some(*since) && !is_over(*since) {
                break;
            }
            if current == Some(*since) {
                state.keys.remove(oldest);
            }
            state.order.pop_front();
        }
        if let Some((outcome, _)) = state.keys.get(key) {
            return Ok(match outcome {
                Some(outcome) => Claim::Settled(Box::new(outcome.clone())),
                None => Claim::Open,
            });
        }
        if state.keys.len() >= self.most {
            return Err(StoreError::new("it has no room for another key"));
        }
        // Keys that are freed and claimed again and again, as those of sends that are retried, leave no more behind than this.
        if state.order.len() > state.keys.len().saturating_mul(2).saturating_add(64) {
            let mut live: Vec<_> = state
                .keys
                .iter()
                .map(|(key, (_, since))| (key.clone(), *since))
                .collect();
            live.sort_by_key(|(_, since)| *since);
            state.order = live.into();
        }
        state.keys.insert(key.to_owned(), (None, now));
        state.order.push_back((key.to_owned(), now));
        Ok(Claim::Mine)
    }
}

impl OutcomeStore for MemoryOutcomes {
    fn claim<'a>(&'a self, key: &'a str, now: SystemTime) -> StoreFuture<'a, Claim> {
        Box::pin(ready(self.claim_now(key, now)))
    }

    fn settle<'a>(&'a self, key: &'a str, outcome: &'a Outcome, _: SystemTime) -> StoreFuture<'a, ()> {
        if let Some((settled, _)) = self.lock().keys.get_mut(key) {
            *settled = Some(outcome.clone());
        }
        Box::pin(ready(Ok(())))
    }

    fn release<'a>(&'a self, key: &'a str) -> StoreFuture<'a, ()> {
        self.lock().keys.remove(key);
        Box::pin(ready(Ok(())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keys_that_are_freed_and_claimed_again_take_no_more_room() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let store = MemoryOutcomes::new()
            .with_time(Duration::from_secs(20_000))
            .with_room(2);
        assert_eq!(store.claim("old", at(0)).await.unwrap(), Claim::Mine);
        for seconds in 0..10_000 {
            assert_eq!(store.claim("again", at(seconds / 2)).await.unwrap(), Claim::Mine);
            store.release("again").await.unwrap();
        }
        assert!(store.lock().order.len() < 100);
        assert_eq!(store.claim("old", at(19_999)).await.unwrap(), Claim::Open);
        assert_eq!(store.claim("old", at(20_000)).await.unwrap(), Claim::Mine);
    }
}
