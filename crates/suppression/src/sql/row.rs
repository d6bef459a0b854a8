//! Entries as rows.

use std::collections::{BTreeMap, HashMap};

use posthaste_address::{EmailAddress, KeyRules, ParseOptions};

use crate::{Cursor, Entry, Filter, ListError, ListErrorKind, Lookup, Page, Reason, Scope, moment};

/// Key, scope, reason, address, created, expiry, source, detail.
pub(super) type Row = (String, String, String, String, i64, Option<i64>, String, String);

/// Reads a row.
fn entry(row: &Row) -> Result<Entry, ListError> {
    let (_, scope, reason, address, created, expiry, source, detail) = row;
    let corrupt = |column| move || ListError::new(ListErrorKind::Corrupt, format!("column `{column}`"));
    let options = ParseOptions::default().domain_literals(true);
    let address = EmailAddress::parse_with(address, &options).map_err(|_| corrupt("address")())?;
    let reason = reason.parse().map_err(|_| corrupt("reason")())?;
    let created = moment::from_micros(*created).ok_or_else(corrupt("created"))?;
    let mut entry = Entry::new(address, reason, created)
        .with_scope(Scope::read(scope).map_err(|_| corrupt("scope")())?)
        .with_source(source)
        .with_detail(detail);
    if let Some(expiry) = expiry {
        entry = entry.with_expiry(moment::from_micros(*expiry).ok_or_else(corrupt("expiry"))?);
    }
    Ok(entry)
}

/// What is asked, in the terms of the tables.
#[derive(Debug)]
pub(super) struct Question<'a> {
    /// The key of each address.
    pub(super) keys: Vec<String>,
    pub(super) scopes: Vec<&'a str>,
    pub(super) reasons: Vec<&'static str>,
    pub(super) now: i64,
}

impl<'a> Question<'a> {
    pub(super) fn new(lookup: &'a Lookup<'_>, rules: &KeyRules) -> Self {
        let key = |address: &&EmailAddress| rules.key(address).as_str().to_owned();
        Self {
            keys: lookup.addresses().iter().map(key).collect(),
            scopes: lookup.scopes().iter().map(Scope::as_str).collect(),
            reasons: lookup.reasons().iter().map(Reason::as_str).collect(),
            now: moment::to_micros(lookup.now()),
        }
    }

    /// Whether no entry can be an answer.
    pub(super) fn is_idle(&self) -> bool {
        self.keys.is_empty() || self.scopes.is_empty() || self.reasons.is_empty()
    }

    /// Finds the answer for each key among the rows.
    pub(super) fn answers(&self, rows: &[Row]) -> Result<Vec<Option<Entry>>, ListError> {
        let mut best: HashMap<&str, Entry> = HashMap::new();
        for row in rows {
            let entry = entry(row)?;
            match best.get(row.0.as_str()) {
                Some(other) if !entry.tells_more_than(other) => {}
                _ => {
                    best.insert(row.0.as_str(), entry);
                }
            }
        }
        Ok(self.keys.iter().map(|key| best.get(key.as_str()).cloned()).collect())
    }
}

/// Entries by their place in the table, each place once: two of a place in one statement are refused by PostgreSQL, and an order
/// that is always the same keeps two writers from waiting for each other.
pub(super) fn placed<'a>(entries: &'a [Entry], rules: &KeyRules) -> BTreeMap<(String, &'a Scope, Reason), &'a Entry> {
    entries
        .iter()
        .map(|entry| {
            let key = rules.key(entry.address()).as_str().to_owned();
            ((key, entry.scope(), entry.reason()), entry)
        })
        .collect()
}

/// The keys of addresses, each once and in order.
pub(super) fn keys(addresses: &[EmailAddress], rules: &KeyRules) -> Vec<String> {
    let mut keys: Vec<String> = addresses
        .iter()
        .map(|address| rules.key(address).as_str().to_owned())
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// A filter, in the terms of the tables.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub(super) key: &'a str,
    pub(super) after_scope: &'a str,
    pub(super) after_reason: &'static str,
    pub(super) scope: Option<&'a str>,
    pub(super) reasons: Vec<&'static str>,
    pub(super) from: i64,
    pub(super) before: i64,
    pub(super) active: Option<i64>,
    /// One more than a page has, which tells whether there is another.
    pub(super) limit: i64,
}

impl<'a> Wanted<'a> {
    pub(super) fn new(filter: &'a Filter) -> Self {
        let cursor = filter.cursor();
        let (from, before) = filter.created();
        Self {
            // No key is empty, so every entry is behind this.
            key: cursor.map_or("", |cursor| cursor.key().as_str()),
            after_scope: cursor.map_or("", |cursor| cursor.scope().as_str()),
            after_reason: cursor.map_or("", |cursor| cursor.reason().as_str()),
            scope: filter.scope().map(Scope::as_str),
            reasons: filter.reasons().iter().map(Reason::as_str).collect(),
            from: from.map_or(0, moment::to_micros),
            before: before.map_or(i64::MAX, moment::to_micros),
            active: filter.active().map(moment::to_micros),
            limit: i64::from(filter.limit()) + 1,
        }
    }

    pub(super) fn page(&self, mut rows: Vec<Row>) -> Result<Page, ListError> {
        let most = usize::try_from(self.limit - 1).unwrap_or(usize::MAX);
        let has_more = rows.len() > most;
        rows.truncate(most);
        let entries = rows.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
        let next = match (has_more, rows.last(), entries.last()) {
            (true, Some(row), Some(last)) => {
                let key = row.0.parse();
                let key = key.map_err(|_| ListError::new(ListErrorKind::Corrupt, "column `key`"))?;
                Some(Cursor::new(key, last.scope().clone(), last.reason()))
            }
            _ => None,
        };
        Ok(Page::new(entries, next))
    }
}
