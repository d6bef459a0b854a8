//! A list in memory.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::SystemTime;

use posthaste_address::{AddressKey, EmailAddress, KeyRules};

use crate::{
    Cursor, Entry, Filter, ListError, ListErrorKind, ListFuture, Lookup, Page, Reason, Reasons, Scope, SuppressionList,
};

/// How many entries a list keeps unless told otherwise.
const MAX_ENTRIES: usize = 10_000_000;

/// Keeps a list in memory. Clones share one list.
///
/// For tests, and for one process that reads its list from a file at its start. An entry takes some 300 octets.
///
/// # Examples
///
/// ```
/// use std::time::SystemTime;
///
/// use posthaste_suppression::{Entry, MemorySuppressionList, Reason, SuppressionList, SuppressionListExt};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let (list, now) = (MemorySuppressionList::new(), SystemTime::now());
/// list.put(&[Entry::new("bob@example.net".parse()?, Reason::Complaint, now)]).await?;
///
/// let found = list.find_one(&"BOB@Example.NET".parse()?, &[], now).await?;
/// assert_eq!(found.map(|entry| entry.reason()), Some(Reason::Complaint));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct MemorySuppressionList {
    entries: Arc<RwLock<Entries>>,
    rules: Arc<KeyRules>,
    max_entries: usize,
}

/// The place of an entry. The order is that of the texts, which is what SQL stores sort by.
type Place = (AddressKey, Scope, Reason);

type Entries = BTreeMap<Place, Entry>;

impl MemorySuppressionList {
    /// Makes an empty list that compares by the default [`KeyRules`].
    #[must_use]
    pub fn new() -> Self {
        Self::with_rules(KeyRules::default())
    }

    /// Makes an empty list that compares by other rules.
    #[must_use]
    pub fn with_rules(rules: KeyRules) -> Self {
        Self {
            entries: Arc::default(),
            rules: Arc::new(rules),
            max_entries: MAX_ENTRIES,
        }
    }

    /// Sets how many entries there may be; ten million unless set.
    #[must_use]
    pub const fn with_max_entries(mut self, max_entries: usize) -> Self {
        self.max_entries = max_entries;
        self
    }

    /// Returns how many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read().len()
    }

    /// Returns whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.read().is_empty()
    }

    fn find_all(&self, lookup: &Lookup<'_>) -> Vec<Option<Entry>> {
        let entries = self.read();
        lookup
            .addresses()
            .iter()
            .map(|address| {
                let key = self.rules.key(address);
                let mut best: Option<&Entry> = None;
                let first = (key.clone(), Scope::global(), Reason::Bounce);
                for ((of, scope, reason), entry) in entries.range(first..) {
                    if *of != key {
                        break;
                    }
                    let counts = lookup.reasons().contains(*reason)
                        && lookup.scopes().binary_search(scope).is_ok()
                        && entry.is_active(lookup.now());
                    if counts && best.is_none_or(|best| entry.tells_more_than(best)) {
                        best = Some(entry);
                    }
                }
                best.cloned()
            })
            .collect()
    }

    fn put_all(&self, new: &[Entry]) -> Result<(), ListError> {
        let places: BTreeMap<Place, &Entry> = new
            .iter()
            .map(|entry| {
                let key = self.rules.key(&entry.address);
                ((key, entry.scope.clone(), entry.reason), entry)
            })
            .collect();
        let mut entries = self.write();
        let added = places.keys().filter(|place| !entries.contains_key(*place)).count();
        if entries.len() + added > self.max_entries {
            let most = format!("{} entries are the most", self.max_entries);
            return Err(ListError::new(ListErrorKind::Full, most));
        }
        entries.extend(places.into_iter().map(|(place, entry)| (place, entry.clone())));
        Ok(())
    }

    fn remove_all(&self, addresses: &[EmailAddress], scope: &Scope, reasons: Reasons) -> u64 {
        let mut entries = self.write();
        let mut removed = 0;
        for address in addresses {
            let key = self.rules.key(address);
            for reason in reasons.iter() {
                let place = (key.clone(), scope.clone(), reason);
                removed += u64::from(entries.remove(&place).is_some());
            }
        }
        removed
    }

    fn page(&self, filter: &Filter) -> Page {
        let from = match filter.cursor() {
            None => Bound::Unbounded,
            Some(cursor) => Bound::Excluded((cursor.key().clone(), cursor.scope().clone(), cursor.reason())),
        };
        let entries = self.read();
        let mut found = entries
            .range((from, Bound::Unbounded))
            .filter(|(_, entry)| filter.lets_through(entry));
        let mut page = Page::default();
        let mut last = None;
        for (place, entry) in found.by_ref().take(filter.limit() as usize) {
            page.entries.push(entry.clone());
            last = Some(place);
        }
        page.next = found
            .next()
            .and(last)
            .map(|(key, scope, reason)| Cursor::new(key.clone(), scope.clone(), *reason));
        page
    }

    // Nothing under the lock runs foreign code, so nothing under it panics.
    fn read(&self) -> RwLockReadGuard<'_, Entries> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Entries> {
        self.entries.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemorySuppressionList {
    fn default() -> Self {
        Self::new()
    }
}

#[deny(clippy::missing_trait_methods)]
impl SuppressionList for MemorySuppressionList {
    fn find<'a>(&'a self, lookup: &'a Lookup<'a>) -> ListFuture<'a, Vec<Option<Entry>>> {
        Box::pin(async move { Ok(self.find_all(lookup)) })
    }

    fn put<'a>(&'a self, entries: &'a [Entry]) -> ListFuture<'a, ()> {
        Box::pin(async move { self.put_all(entries) })
    }

    fn remove<'a>(&'a self, addresses: &'a [EmailAddress], scope: &'a Scope, reasons: Reasons) -> ListFuture<'a, u64> {
        Box::pin(async move { Ok(self.remove_all(addresses, scope, reasons)) })
    }

    fn list<'a>(&'a self, filter: &'a Filter) -> ListFuture<'a, Page> {
        Box::pin(async move { Ok(self.page(filter)) })
    }

    fn remove_expired(&self, now: SystemTime) -> ListFuture<'_, u64> {
        Box::pin(async move {
            let mut entries = self.write();
            let before = entries.len();
            entries.retain(|_, entry| entry.is_active(now));
            Ok(u64::try_from(before - entries.len()).unwrap_or(u64::MAX))
        })
    }
}
