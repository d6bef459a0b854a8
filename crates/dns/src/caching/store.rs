//! Answers by question, within bounds.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use super::Outcome;
use crate::{Answer, Record, RecordType};

/// A question.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// Lower case, no final dot.
    pub(super) name: String,
    pub(super) kind: RecordType,
}

/// Keeps outcomes until they expire or others need the room.
///
/// Room is made by second chance: a hand goes round the slots, takes away what expired or was not asked for since it
/// last came by, and lets the rest pass once.
pub(super) struct Store {
    slots: Vec<Option<Slot>>,
    index: HashMap<Key, usize>,
    free: Vec<usize>,
    hand: usize,
    octets: usize,
    evicted: u64,
    max_entries: usize,
    max_octets: usize,
}

struct Slot {
    key: Key,
    outcome: Arc<Outcome>,
    expires: Instant,
    octets: usize,
    /// Whether it was asked for since the hand came by.
    used: bool,
}

impl Store {
    pub(super) fn new(max_entries: usize, max_octets: usize) -> Self {
        Self {
            slots: Vec::new(),
            index: HashMap::new(),
            free: Vec::new(),
            hand: 0,
            octets: 0,
            evicted: 0,
            max_entries,
            max_octets,
        }
    }

    /// Adds an outcome, or puts it in the place of an older one. One that would take a quarter of the room is not kept.
    pub(super) fn insert(&mut self, key: Key, outcome: Arc<Outcome>, expires: Instant, now: Instant) {
        self.remove(&key);
        let octets = weigh(&key, &outcome);
        if self.max_entries == 0 || octets > self.max_octets / 4 {
            return;
        }
        while self.len() >= self.max_entries || self.octets + octets > self.max_octets {
            self.evict(now);
        }
        let slot = Slot {
            key: key.clone(),
            outcome,
            expires,
            octets,
            used: false,
        };
        let place = match self.free.pop() {
            Some(place) => place,
            None => {
                self.slots.push(None);
                self.slots.len() - 1
            }
        };
        if let Some(empty) = self.slots.get_mut(place) {
            *empty = Some(slot);
            self.octets += octets;
            self.index.insert(key, place);
        }
    }

    /// Finds an outcome that has not expired, and for how long it will not.
    pub(super) fn get(&mut self, key: &Key, now: Instant) -> Option<(Arc<Outcome>, Duration)> {
        let place = *self.index.get(key)?;
        let slot = self.slots.get_mut(place)?.as_mut()?;
        let left = slot
            .expires
            .checked_duration_since(now)
            .filter(|left| !left.is_zero())?;
        slot.used = true;
        Some((Arc::clone(&slot.outcome), left))
    }

    pub(super) fn remove(&mut self, key: &Key) {
        if let Some(place) = self.index.remove(key)
            && let Some(slot) = self.slots.get_mut(place).and_then(Option::take)
        {
            self.octets -= slot.octets;
            self.free.push(place);
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self {
            evicted: self.evicted,
            ..Self::new(self.max_entries, self.max_octets)
        };
    }

    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    pub(super) fn octets(&self) -> usize {
        self.octets
    }

    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Takes one entry away. The hand goes round at most twice: the first time, every slot loses its second chance.
    fn evict(&mut self, now: Instant) {
        for _ in 0..=2 * self.slots.len() {
            let place = self.hand;
            self.hand = (place + 1) % self.slots.len().max(1);
            let Some(Some(slot)) = self.slots.get_mut(place) else {
                continue;
            };
            let expired = slot.expires <= now;
            if !expired && slot.used {
                slot.used = false;
                continue;
            }
            let key = slot.key.clone();
            self.remove(&key);
            self.evicted += u64::from(!expired);
            return;
        }
    }
}

/// Estimates the memory that an entry takes.
fn weigh(key: &Key, outcome: &Outcome) -> usize {
    const SLOT: usize = 128 + size_of::<Slot>() + 2 * size_of::<Key>() + size_of::<Outcome>();
    let data = outcome.as_ref().map_or(0, |answer: &Answer| {
        let names = answer.canonical_name().map_or(0, str::len);
        answer.records().iter().map(weigh_record).sum::<usize>() + names
    });
    SLOT + 2 * key.name.len() + data
}

fn weigh_record(record: &Record) -> usize {
    let beyond = match record {
        Record::A(_) | Record::Aaaa(_) => 0,
        Record::Mx { exchange: name, .. } | Record::Ptr(name) | Record::Cname(name) | Record::Ns(name) => name.len(),
        Record::Txt(text) => text.as_bytes().len() + text.segments().count() * size_of::<usize>(),
        Record::Srv(place) => place.target.len(),
        Record::Tlsa(tlsa) => tlsa.data.len(),
        Record::Soa { primary, mailbox, .. } => primary.len() + mailbox.len(),
    };
    size_of::<Record>() + beyond
}
