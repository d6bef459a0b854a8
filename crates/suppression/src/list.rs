//! The trait that all lists meet at.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use posthaste_address::EmailAddress;

use crate::{Cursor, Entry, ListError, Reasons, Scope, moment};

/// What the methods of [`SuppressionList`] return: a boxed future that may move between threads.
pub type ListFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, ListError>> + Send + 'a>>;

/// Keeps the addresses that must not be written to.
///
/// The contract, which one suite checks for every list of this crate:
///
/// - An entry is known by its address, scope and reason. Addresses are the same by the list's
///   [`KeyRules`](posthaste_address::KeyRules): unless told otherwise, case makes no difference on either side of the `@`, and
///   U-labels are A-labels.
/// - [`find`](Self::find) answers for every address, in order, in one round trip to the store.
/// - An entry whose [expiry](Entry::expiry) has come counts for nothing, and stays until
///   [`remove_expired`](Self::remove_expired).
/// - A write that fails may have happened or not; done again it does no harm.
/// - One value serves many calls at once.
///
/// It has no default methods, so that a wrapper cannot forget to forward one.
pub trait SuppressionList: Debug + Send + Sync + 'static {
    /// Returns what stands against each address: one answer an address, `None` where nothing does.
    ///
    /// Of several entries that count the weightiest reason is told (complaint, unsubscribe, manual, bounce, invalid), and of
    /// one reason the scope that is first by name, global before all.
    ///
    /// # Errors
    ///
    /// [`ListError`] if the store does not answer. Nothing is known about the addresses then.
    fn find<'a>(&'a self, lookup: &'a Lookup<'a>) -> ListFuture<'a, Vec<Option<Entry>>>;

    /// Adds entries, or puts them in the place of those with the same address, scope and reason. Of two such, the last stays.
    ///
    /// # Errors
    ///
    /// [`ListError`] if the store does not answer or is full; then none was added, or that cannot be known.
    fn put<'a>(&'a self, entries: &'a [Entry]) -> ListFuture<'a, ()>;

    /// Takes the entries of addresses away, of one scope and for some reasons, and returns how many there were.
    ///
    /// # Errors
    ///
    /// [`ListError`] if the store does not answer.
    fn remove<'a>(&'a self, addresses: &'a [EmailAddress], scope: &'a Scope, reasons: Reasons) -> ListFuture<'a, u64>;

    /// Returns the next entries that a filter lets through, in the order of key, scope and reason.
    ///
    /// An entry that was there all the time comes up exactly once; one that is put or removed meanwhile may or may not.
    ///
    /// # Errors
    ///
    /// [`ListError`] if the store does not answer.
    fn list<'a>(&'a self, filter: &'a Filter) -> ListFuture<'a, Page>;

    /// Forgets the entries whose expiry has come, and returns how many there were.
    ///
    /// # Errors
    ///
    /// [`ListError`] if the store does not answer.
    fn remove_expired(&self, now: SystemTime) -> ListFuture<'_, u64>;
}

macro_rules! forward {
    ($($pointer:ident)+) => {$(
        #[deny(clippy::missing_trait_methods)]
        impl<L: SuppressionList + ?Sized> SuppressionList for $pointer<L> {
            fn find<'a>(&'a self, lookup: &'a Lookup<'a>) -> ListFuture<'a, Vec<Option<Entry>>> {
                (**self).find(lookup)
            }

            fn put<'a>(&'a self, entries: &'a [Entry]) -> ListFuture<'a, ()> {
                (**self).put(entries)
            }

            fn remove<'a>(
                &'a self,
                addresses: &'a [EmailAddress],
                scope: &'a Scope,
                reasons: Reasons,
            ) -> ListFuture<'a, u64> {
                (**self).remove(addresses, scope, reasons)
            }

            fn list<'a>(&'a self, filter: &'a Filter) -> ListFuture<'a, Page> {
                (**self).list(filter)
            }

            fn remove_expired(&self, now: SystemTime) -> ListFuture<'_, u64> {
                (**self).remove_expired(now)
            }
        }
    )+};
}

forward!(Arc Box);

/// Conveniences for callers; implemented for every [`SuppressionList`].
pub trait SuppressionListExt: SuppressionList {
    /// Returns what stands against one address, for all mail or in one of `scopes`.
    ///
    /// # Errors
    ///
    /// As [`SuppressionList::find`].
    fn find_one(
        &self,
        address: &EmailAddress,
        scopes: &[Scope],
        now: SystemTime,
    ) -> impl Future<Output = Result<Option<Entry>, ListError>> + Send {
        async move {
            let addresses = [address];
            let lookup = Lookup::new(&addresses, now).in_scopes(scopes.iter().cloned());
            Ok(self.find(&lookup).await?.pop().flatten())
        }
    }
}

impl<L: SuppressionList + ?Sized> SuppressionListExt for L {}

/// Asks what stands against some addresses.
#[derive(Clone, Debug)]
pub struct Lookup<'a> {
    addresses: &'a [&'a EmailAddress],
    scopes: Vec<Scope>,
    reasons: Reasons,
    now: SystemTime,
}

impl<'a> Lookup<'a> {
    /// Asks about entries for all mail, with any reason, at `now`.
    #[must_use]
    pub fn new(addresses: &'a [&'a EmailAddress], now: SystemTime) -> Self {
        Self {
            addresses,
            scopes: vec![Scope::global()],
            reasons: Reasons::all(),
            now,
        }
    }

    /// Asks about some scopes too.
    #[must_use]
    pub fn in_scopes(mut self, scopes: impl IntoIterator<Item = Scope>) -> Self {
        self.scopes.extend(scopes);
        self.scopes.sort_unstable();
        self.scopes.dedup();
        self
    }

    /// Leaves out the entries for all mail, so that only those of [`Self::in_scopes`] count.
    #[must_use]
    pub fn without_global(mut self) -> Self {
        self.scopes.retain(|scope| !scope.is_global());
        self
    }

    /// Counts only entries with one of these reasons.
    #[must_use]
    pub fn for_reasons(mut self, reasons: impl Into<Reasons>) -> Self {
        self.reasons = reasons.into();
        self
    }

    /// Returns the addresses.
    #[must_use]
    pub const fn addresses(&self) -> &'a [&'a EmailAddress] {
        self.addresses
    }

    /// Returns the scopes that count, each once, in the order of their names.
    #[must_use]
    pub fn scopes(&self) -> &[Scope] {
        &self.scopes
    }

    /// Returns the reasons that count.
    #[must_use]
    pub const fn reasons(&self) -> Reasons {
        self.reasons
    }

    /// Returns the moment that is asked about.
    #[must_use]
    pub const fn now(&self) -> SystemTime {
        self.now
    }
}

/// Says which entries to list, and how many at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    scope: Option<Scope>,
    reasons: Reasons,
    created_from: Option<SystemTime>,
    created_before: Option<SystemTime>,
    active_at: Option<SystemTime>,
    limit: u32,
    after: Option<Cursor>,
}

impl Default for Filter {
    /// All entries, a hundred at once, from the first.
    fn default() -> Self {
        Self {
            scope: None,
            reasons: Reasons::all(),
            created_from: None,
            created_before: None,
            active_at: None,
            limit: 100,
            after: None,
        }
    }
}

impl Filter {
    /// The most entries of one page.
    pub const MAX_LIMIT: u32 = 10_000;

    /// Lists only entries of one scope.
    #[must_use]
    pub fn in_scope(mut self, scope: Scope) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Lists only entries with one of these reasons.
    #[must_use]
    pub fn for_reasons(mut self, reasons: impl Into<Reasons>) -> Self {
        self.reasons = reasons.into();
        self
    }

    /// Lists only entries from this moment on.
    #[must_use]
    pub fn created_from(mut self, from: SystemTime) -> Self {
        self.created_from = Some(moment::kept(from));
        self
    }

    /// Lists only entries from before this moment.
    #[must_use]
    pub fn created_before(mut self, before: SystemTime) -> Self {
        self.created_before = Some(moment::kept(before));
        self
    }

    /// Lists only entries that count at this moment.
    #[must_use]
    pub fn active_at(mut self, now: SystemTime) -> Self {
        self.active_at = Some(moment::kept(now));
        self
    }

    /// Sets how many entries a page has: from 1 to [`Self::MAX_LIMIT`], 100 unless set.
    #[must_use]
    pub fn with_limit(mut self, limit: u32) -> Self {
        self.limit = limit.clamp(1, Self::MAX_LIMIT);
        self
    }

    /// Goes on where a page ended.
    #[must_use]
    pub fn after(mut self, cursor: Cursor) -> Self {
        self.after = Some(cursor);
        self
    }

    /// Returns the scope, if only one is wanted.
    #[must_use]
    pub const fn scope(&self) -> Option<&Scope> {
        self.scope.as_ref()
    }

    /// Returns the reasons that are wanted.
    #[must_use]
    pub const fn reasons(&self) -> Reasons {
        self.reasons
    }

    /// Returns the moments that an entry may be from: the first, and the first that is too late.
    #[must_use]
    pub const fn created(&self) -> (Option<SystemTime>, Option<SystemTime>) {
        (self.created_from, self.created_before)
    }

    /// Returns the moment at which an entry must count.
    #[must_use]
    pub const fn active(&self) -> Option<SystemTime> {
        self.active_at
    }

    /// Returns how many entries a page has.
    #[must_use]
    pub const fn limit(&self) -> u32 {
        self.limit
    }

    /// Returns where to go on.
    #[must_use]
    pub const fn cursor(&self) -> Option<&Cursor> {
        self.after.as_ref()
    }

    /// Returns whether an entry is let through.
    #[must_use]
    pub fn lets_through(&self, entry: &Entry) -> bool {
        self.scope.as_ref().is_none_or(|scope| *scope == entry.scope)
            && self.reasons.contains(entry.reason)
            && self.created_from.is_none_or(|from| entry.created >= from)
            && self.created_before.is_none_or(|before| entry.created < before)
            && self.active_at.is_none_or(|now| entry.is_active(now))
    }
}

/// Some entries of a list, and where to go on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page {
    /// The entries, in the order of key, scope and reason.
    pub entries: Vec<Entry>,
    /// Where to go on; `None` behind the last.
    pub next: Option<Cursor>,
}

impl Page {
    /// Makes a page.
    #[must_use]
    pub const fn new(entries: Vec<Entry>, next: Option<Cursor>) -> Self {
        Self { entries, next }
    }
}
