use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash};

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::decision::{Allowance, Decision};
use crate::limit::Limit;
use crate::state::State;

/// How long a full shard in which nearly every key is busy waits before it looks for idle ones again.
const SWEEP_PAUSE: u64 = 1_000_000_000;

/// One lock's share of a limiter's keys.
///
/// The table finds keys by hashes that the limiter has computed, so that a key is hashed once for shard and slot together.
/// Aligned to a cache line, so that two locks never share one.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct Shard<K> {
    entries: HashTable<Entry<K>>,
    default: Limit,
    /// What keys without an entry have used since the shard was last full; where a new entry starts from.
    ///
    /// An evicted key is idle and so starts afresh, but a key that was admitted here because there was no room must not
    /// get a second allowance with its own entry later.
    overflow: State,
    /// How many keys without a limit of their own may have an entry.
    room: usize,
    /// How many entries have a limit of their own; these are the operator's, and stay.
    own_limits: usize,
    next_sweep: u64,
}

#[derive(Debug)]
struct Entry<K> {
    key: K,
    /// Set for this key alone. Boxed: few keys have one.
    limit: Option<Box<Limit>>,
    state: State,
}

/// A key and its hash.
#[derive(Debug)]
pub(crate) struct Hashed<'a, Q: ?Sized> {
    pub(crate) key: &'a Q,
    pub(crate) hash: u64,
}

impl<Q: ?Sized> Clone for Hashed<'_, Q> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Q: ?Sized> Copy for Hashed<'_, Q> {}

impl<K: Hash + Eq> Shard<K> {
    pub(crate) fn new(default: Limit, room: usize) -> Self {
        Self {
            entries: HashTable::new(),
            default,
            overflow: State::default(),
            room,
            own_limits: 0,
            next_sweep: 0,
        }
    }

    pub(crate) fn acquire<Q>(&mut self, at: Hashed<'_, Q>, n: u32, now: u64, hasher: &DefaultHashBuilder) -> Decision
    where
        K: Borrow<Q>,
        Q: Eq + ToOwned<Owned = K> + ?Sized,
    {
        if let Some(entry) = self.entries.find_mut(at.hash, |entry| entry.key.borrow() == at.key) {
            return entry
                .state
                .acquire(entry.limit.as_deref().unwrap_or(&self.default), n, now);
        }
        if self.is_full(now) {
            return self.overflow.acquire(&self.default, n, now);
        }
        let mut state = self.newcomer(now);
        let decision = state.acquire(&self.default, n, now);
        if n > 0 && decision.is_admitted() {
            let entry = Entry {
                key: at.key.to_owned(),
                limit: None,
                state,
            };
            self.entries
                .insert_unique(at.hash, entry, |entry| hasher.hash_one(&entry.key));
        }
        decision
    }

    pub(crate) fn refund<Q>(&mut self, at: Hashed<'_, Q>, n: u32, now: u64)
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        if let Some(entry) = self.entries.find_mut(at.hash, |entry| entry.key.borrow() == at.key) {
            entry
                .state
                .refund(entry.limit.as_deref().unwrap_or(&self.default), n, now);
        }
    }

    pub(crate) fn peek<Q>(&mut self, at: Hashed<'_, Q>, now: u64) -> Allowance
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        match self.entries.find_mut(at.hash, |entry| entry.key.borrow() == at.key) {
            Some(entry) => entry.state.peek(entry.limit.as_deref().unwrap_or(&self.default), now),
            None => self.overflow.peek(&self.default, now),
        }
    }

    pub(crate) fn limit<Q>(&self, at: Hashed<'_, Q>) -> Limit
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let entry = self.entries.find(at.hash, |entry| entry.key.borrow() == at.key);
        entry
            .and_then(|entry| entry.limit.as_deref())
            .copied()
            .unwrap_or(self.default)
    }

    pub(crate) fn set_limit(&mut self, key: K, hash: u64, limit: Limit, now: u64, hasher: &DefaultHashBuilder) {
        let found = self.entries.find_mut(hash, |entry| entry.key == key);
        if let Some(entry) = found {
            entry
                .state
                .change(entry.limit.as_deref().unwrap_or(&self.default), &limit, now);
            if entry.limit.replace(Box::new(limit)).is_none() {
                self.own_limits += 1;
            }
            return;
        }
        let mut state = self.newcomer(now);
        state.change(&self.default, &limit, now);
        let entry = Entry {
            key,
            limit: Some(Box::new(limit)),
            state,
        };
        self.entries
            .insert_unique(hash, entry, |entry| hasher.hash_one(&entry.key));
        self.own_limits += 1;
    }

    pub(crate) fn clear_limit<Q>(&mut self, at: Hashed<'_, Q>, now: u64)
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        if let Some(entry) = self.entries.find_mut(at.hash, |entry| entry.key.borrow() == at.key)
            && let Some(own) = entry.limit.take()
        {
            entry.state.change(&own, &self.default, now);
            self.own_limits -= 1;
        }
    }

    pub(crate) fn set_default(&mut self, limit: Limit, now: u64) {
        for entry in self.entries.iter_mut().filter(|entry| entry.limit.is_none()) {
            entry.state.change(&self.default, &limit, now);
        }
        self.overflow.change(&self.default, &limit, now);
        self.default = limit;
    }

    /// Lets `act` see the state of every key that has one.
    pub(crate) fn for_each(&mut self, mut act: impl FnMut(&K, &Limit, &mut State)) {
        for entry in &mut self.entries {
            act(
                &entry.key,
                entry.limit.as_deref().unwrap_or(&self.default),
                &mut entry.state,
            );
        }
    }

    /// Lets `act` see the state of one key, if it has one.
    pub(crate) fn with<Q, R>(&mut self, at: Hashed<'_, Q>, act: impl FnOnce(&Limit, &mut State) -> R) -> Option<R>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let entry = self.entries.find_mut(at.hash, |entry| entry.key.borrow() == at.key)?;
        Some(act(entry.limit.as_deref().unwrap_or(&self.default), &mut entry.state))
    }

    /// Lets `act` change the state of one key; a key without one gets one, or the shared one if there is no room.
    pub(crate) fn with_or_insert(
        &mut self,
        key: K,
        hash: u64,
        now: u64,
        hasher: &DefaultHashBuilder,
        act: impl FnOnce(&Limit, &mut State),
    ) {
        if let Some(entry) = self.entries.find_mut(hash, |entry| entry.key == key) {
            return act(entry.limit.as_deref().unwrap_or(&self.default), &mut entry.state);
        }
        if self.is_full(now) {
            return act(&self.default, &mut self.overflow);
        }
        let mut state = self.newcomer(now);
        act(&self.default, &mut state);
        let entry = Entry {
            key,
            limit: None,
            state,
        };
        self.entries
            .insert_unique(hash, entry, |entry| hasher.hash_one(&entry.key));
    }

    /// Drops the keys that are back at their full allowance, and gives memory back.
    pub(crate) fn retain_active(&mut self, now: u64, hasher: &DefaultHashBuilder) {
        self.sweep(now);
        self.entries.shrink_to_fit(|entry| hasher.hash_one(&entry.key));
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    fn newcomer(&self, now: u64) -> State {
        match self.overflow.is_idle(&self.default, now) {
            true => State::default(),
            false => self.overflow.clone(),
        }
    }

    /// Whether there is no room for another key, after looking for idle ones if that was not done just now.
    fn is_full(&mut self, now: u64) -> bool {
        if self.entries.len() - self.own_limits < self.room {
            return false;
        }
        if now < self.next_sweep {
            return true;
        }
        let before = self.entries.len();
        self.sweep(now);
        // A sweep that freed an eighth is paid for by as many insertions; one that did not must not be repeated at once.
        if before - self.entries.len() < self.room / 8 {
            self.next_sweep = now.saturating_add(SWEEP_PAUSE);
        }
        self.entries.len() - self.own_limits >= self.room
    }

    fn sweep(&mut self, now: u64) {
        let default = &self.default;
        self.entries
            .retain(|entry| entry.limit.is_some() || !entry.state.is_idle(default, now));
        if self.overflow.is_idle(default, now) {
            self.overflow = State::default();
        }
    }
}
