//! What a lookup that found something gives back.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use crate::{Record, RecordType, Srv, Tlsa, Txt};

/// Tells how far DNSSEC vouches for an answer (RFC 4035 §4.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dnssec {
    /// A chain of signatures leads from a trust anchor to the answer.
    Secure,
    /// The answer's zone is provably unsigned.
    Insecure,
    /// The answer should have been signed properly and is not. A resolver reports this as
    /// [`LookupError::Bogus`](crate::LookupError::Bogus); the state is here so that the set is complete.
    Bogus,
    /// Nobody checked, or nothing could be concluded.
    #[default]
    Indeterminate,
}

impl Dnssec {
    /// Gives the status that both together deserve.
    pub(crate) fn least(self, other: Self) -> Self {
        let rank = |status| match status {
            Self::Bogus => 0,
            Self::Indeterminate => 1,
            Self::Insecure => 2,
            Self::Secure => 3,
        };
        if rank(self) <= rank(other) { self } else { other }
    }
}

/// Holds the records that answer one question, all of the type that was asked for.
///
/// Aliases (CNAME) were followed on the way; [`canonical_name`](Self::canonical_name) says where they led. An answer is
/// never empty: nothing found is a [`LookupError`](crate::LookupError).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    records: Vec<Record>,
    ttl: Duration,
    dnssec: Dnssec,
    canonical_name: Option<String>,
}

impl Answer {
    /// Makes an answer from its records and the time for which it may be cached.
    pub fn new(records: Vec<Record>, ttl: Duration) -> Self {
        Self {
            records,
            ttl,
            dnssec: Dnssec::default(),
            canonical_name: None,
        }
    }

    /// Sets what DNSSEC says of this answer.
    #[must_use]
    pub fn with_dnssec(mut self, dnssec: Dnssec) -> Self {
        self.dnssec = dnssec;
        self
    }

    /// Sets the time for which it may be cached.
    #[must_use]
    pub fn with_ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    pub(crate) fn set_ttl(&mut self, ttl: Duration) {
        self.ttl = ttl;
    }

    /// Sets the name that the records belong to, when it is not the one that was asked for.
    #[must_use]
    pub fn with_canonical_name(mut self, name: impl Into<String>) -> Self {
        self.canonical_name = Some(name.into());
        self
    }

    /// Gives the records, in the order in which they came.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Gives the records and forgets the rest.
    pub fn into_records(self) -> Vec<Record> {
        self.records
    }

    /// Tells for how long the answer may be cached: the shortest time to live of its records.
    pub fn ttl(&self) -> Duration {
        self.ttl
    }

    /// Tells what DNSSEC says of this answer.
    pub fn dnssec(&self) -> Dnssec {
        self.dnssec
    }

    /// Gives the name at the end of the chain of aliases, if the name that was asked for is an alias.
    pub fn canonical_name(&self) -> Option<&str> {
        self.canonical_name.as_deref()
    }

    /// Visits the IPv4 addresses.
    pub fn a(&self) -> impl Iterator<Item = Ipv4Addr> + '_ {
        self.records.iter().filter_map(|record| match record {
            Record::A(address) => Some(*address),
            _ => None,
        })
    }

    /// Visits the IPv6 addresses.
    pub fn aaaa(&self) -> impl Iterator<Item = Ipv6Addr> + '_ {
        self.records.iter().filter_map(|record| match record {
            Record::Aaaa(address) => Some(*address),
            _ => None,
        })
    }

    /// Visits the mail exchangers: preference and name.
    pub fn mx(&self) -> impl Iterator<Item = (u16, &str)> + '_ {
        self.records.iter().filter_map(|record| match record {
            Record::Mx { preference, exchange } => Some((*preference, exchange.as_str())),
            _ => None,
        })
    }

    /// Visits the places of a service, as they come: [`Srv::order`] puts them in order.
    pub fn srv(&self) -> impl Iterator<Item = &Srv> + '_ {
        self.records.iter().filter_map(|record| match record {
            Record::Srv(place) => Some(place),
            _ => None,
        })
    }

    /// Visits the texts.
    pub fn txt(&self) -> impl Iterator<Item = &Txt> + '_ {
        self.records.iter().filter_map(|record| match record {
            Record::Txt(text) => Some(text),
            _ => None,
        })
    }

    /// Visits the names that pointers point to.
    pub fn ptr(&self) -> impl Iterator<Item = &str> + '_ {
        self.records.iter().filter_map(|record| match record {
            Record::Ptr(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Visits the TLSA records.
    pub fn tlsa(&self) -> impl Iterator<Item = &Tlsa> + '_ {
        self.records.iter().filter_map(|record| match record {
            Record::Tlsa(tlsa) => Some(tlsa),
            _ => None,
        })
    }

    /// Tells whether every record is of type `kind`, as a resolver promises.
    pub fn is_of(&self, kind: RecordType) -> bool {
        self.records.iter().all(|record| record.kind() == kind)
    }
}
