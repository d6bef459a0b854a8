//! A zone in memory.

mod error;
mod faults;
mod lexer;
mod parser;
mod print;

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

pub use error::{ZoneError, ZoneErrorKind};

use crate::{
    Answer, Dnssec, LookupError, LookupFuture, Negative, Record, RecordType, Resolver, Srv,
    name::{MAX_ALIASES, normalise, parent},
};

/// The time to live of a record for which nothing says otherwise.
const DEFAULT_TTL: Duration = Duration::from_secs(3600);

/// Answers from records in memory: a [`Resolver`] for tests, demonstrations and hosts without a network.
///
/// A zone may hold names of any number of domains and behaves as the DNS would: a name that only has names below it
/// exists and has no data (RFC 8020), `*` labels answer for names that do not exist (RFC 4592), aliases are followed.
/// It can be told to [fail](Self::fail) and what [DNSSEC](Self::set_dnssec) says of its names, and it [counts](Self::queries) what it is asked.
///
/// # Examples
///
/// ```
/// use posthaste_dns::{LookupError, Record, RecordType, ResolverExt, Zone};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let mut zone = Zone::new();
/// zone.insert("example.org", Record::txt("v=spf1 -all"))?;
/// zone.fail("example.org", RecordType::Mx, LookupError::Timeout)?;
///
/// assert_eq!(zone.txt("example.org").await?.len(), 1);
/// assert_eq!(zone.mx("example.org").await, Err(LookupError::Timeout));
/// assert_eq!(zone.queries(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Zone {
    /// Every name that exists, the empty ones between others included.
    nodes: BTreeMap<String, Node>,
    /// What DNSSEC says of a name and of those below it; no type means any.
    statuses: BTreeMap<String, Vec<(Option<RecordType>, Dnssec)>>,
    dnssec: Dnssec,
    queries: AtomicU64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Node {
    records: Vec<(Record, Duration)>,
    /// What to answer instead; no type means any.
    failures: Vec<(Option<RecordType>, LookupError)>,
}

impl Node {
    fn failure(&self, kind: RecordType) -> Option<&LookupError> {
        self.failures
            .iter()
            .rev()
            .find(|(of, _)| of.is_none_or(|of| of == kind))
            .map(|(_, error)| error)
    }

    fn of_kind(&self, kind: RecordType) -> impl Iterator<Item = &(Record, Duration)> {
        self.records.iter().filter(move |(record, _)| record.kind() == kind)
    }

    fn alias(&self) -> Option<(&str, Duration)> {
        self.records.iter().find_map(|(record, ttl)| match record {
            Record::Cname(target) => Some((target.as_str(), *ttl)),
            _ => None,
        })
    }
}

impl Zone {
    /// Makes an empty zone, in which no name exists.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a zone from the text of a master file (RFC 1035 §5).
    ///
    /// Understood are `$ORIGIN`, `$TTL` (RFC 2308 §4), comments, parentheses, quoted strings and `\` escapes, `@`, a
    /// blank owner for "as above", times to live as numbers or as `1h30m`, and the types of [`RecordType`]. Until
    /// `$ORIGIN` says otherwise, names are relative to the root, so that their final dot may be left out. A record
    /// without a time to live has that of `$TTL`, else the one stated last, else the SOA record's minimum, else an hour.
    ///
    /// Two directives are our own, for tests. `NAME` is a name as anywhere else, `TYPE` one of [`RecordType`] and may be
    /// left out for all of them.
    ///
    /// | directive | does as | words |
    /// | --- | --- | --- |
    /// | `$FAIL NAME [TYPE] WORD` | [`fail`](Self::fail) | `nxdomain` `nodata` `servfail` `refused` `timeout` `truncated` `bogus` |
    /// | `$DNSSEC NAME [TYPE] WORD` | [`set_dnssec`](Self::set_dnssec) | `secure` `insecure` `bogus` `indeterminate` |
    ///
    /// ```
    /// use posthaste_dns::{Dnssec, LookupError, RecordType, Zone};
    ///
    /// let zone = Zone::parse(
    ///     "$ORIGIN example.org.\n\
    ///      mail  A 192.0.2.25\n\
    ///      $DNSSEC @ secure\n\
    ///      $FAIL _dmarc TXT servfail\n",
    /// )?;
    /// assert_eq!(zone.answer("_dmarc.example.org", RecordType::Txt), Err(LookupError::ServFail));
    /// assert_eq!(zone.answer("mail.example.org", RecordType::A).unwrap().dnssec(), Dnssec::Secure);
    /// # Ok::<(), posthaste_dns::ZoneError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ZoneError`] with the line and column of the first thing that is not understood: a class other than `IN`, a
    /// type that is not served here (`CAA`, `NAPTR`), `$INCLUDE`, or a mistake.
    pub fn parse(text: &str) -> Result<Self, ZoneError> {
        parser::parse(text, parser::Unknown::Refuse)
    }

    /// Reads a zone as [`parse`](Self::parse) does, and leaves out records of types that are not served here: for the
    /// master files that name servers have, with `NAPTR`, `CAA` and `RRSIG` in them. Their names exist.
    ///
    /// # Errors
    ///
    /// As for [`parse`](Self::parse), less those types.
    pub fn parse_known(text: &str) -> Result<Self, ZoneError> {
        parser::parse(text, parser::Unknown::Skip)
    }

    /// Adds one record at `name`, to live for an hour. A first label `*` makes it a wildcard.
    ///
    /// # Errors
    ///
    /// [`ZoneErrorKind::Name`] when `name`, or a name in the record, is no domain name.
    pub fn insert(&mut self, name: &str, record: Record) -> Result<(), ZoneError> {
        self.insert_with_ttl(name, record, DEFAULT_TTL)
    }

    /// Adds one record at `name`, to live for `ttl`. A record that is there already is not added again.
    ///
    /// # Errors
    ///
    /// As for [`insert`](Self::insert).
    pub fn insert_with_ttl(&mut self, name: &str, record: Record, ttl: Duration) -> Result<(), ZoneError> {
        let record = normalise_data(record)?;
        let node = self.node(name)?;
        if !node.records.iter().any(|(known, _)| *known == record) {
            node.records.push((record, ttl));
        }
        Ok(())
    }

    /// Makes questions about `name` fail with `error`: those for one type, or with `None` all of them.
    ///
    /// The name then exists, and what was injected last wins. A failure at `*.example.org` strikes the names for
    /// which the wildcard answers.
    ///
    /// # Errors
    ///
    /// [`ZoneErrorKind::Name`] when `name` is no domain name.
    pub fn fail(
        &mut self,
        name: &str,
        kind: impl Into<Option<RecordType>>,
        error: LookupError,
    ) -> Result<(), ZoneError> {
        let kind = kind.into();
        self.node(name)?.failures.push((kind, error));
        Ok(())
    }

    /// Makes answers about `name` and the names below it claim this DNSSEC status: those of one type, or with `None`
    /// all of them. With [`Dnssec::Bogus`] there is no answer but [`LookupError::Bogus`].
    ///
    /// The status of the nearest name counts; at one name, that of the type before that of all, and the last one set.
    /// Where an alias leads, the least of the way counts.
    ///
    /// # Errors
    ///
    /// [`ZoneErrorKind::Name`] when `name` is no domain name.
    pub fn set_dnssec(
        &mut self,
        name: &str,
        kind: impl Into<Option<RecordType>>,
        status: Dnssec,
    ) -> Result<(), ZoneError> {
        let kind = kind.into();
        let name = normalise(name).map_err(|_| ZoneError::name(name))?;
        let statuses = self.statuses.entry(name).or_default();
        statuses.retain(|(of, _)| *of != kind);
        statuses.push((kind, status));
        Ok(())
    }

    /// Makes every answer claim this DNSSEC status, if nothing else was [set](Self::set_dnssec) for its name. A new zone
    /// claims none.
    #[must_use]
    pub fn with_dnssec(mut self, dnssec: Dnssec) -> Self {
        self.dnssec = dnssec;
        self
    }

    /// Tells how many questions were asked, aliases followed on the way not counted.
    pub fn queries(&self) -> u64 {
        self.queries.load(Ordering::Relaxed)
    }

    /// Visits all records with their names, in the order of the names.
    pub fn records(&self) -> impl Iterator<Item = (&str, &Record)> {
        self.nodes
            .iter()
            .flat_map(|(name, node)| node.records.iter().map(|(record, _)| (name.as_str(), record)))
    }

    /// Answers one question at once.
    ///
    /// # Errors
    ///
    /// What was injected with [`fail`](Self::fail); otherwise [`LookupError::NxDomain`], [`LookupError::NoData`],
    /// [`LookupError::InvalidName`], or [`LookupError::ServFail`] for a chain of aliases without an end.
    pub fn answer(&self, name: &str, kind: RecordType) -> Result<Answer, LookupError> {
        self.queries.fetch_add(1, Ordering::Relaxed);
        let asked = normalise(name)?;
        let mut current = asked.clone();
        let mut shortest = Duration::MAX;
        let mut least = Dnssec::Secure;
        for _ in 0..=MAX_ALIASES {
            let node = self.find(&current);
            if let Some(error) = node.and_then(|node| node.failure(kind)) {
                return Err(error.clone());
            }
            least = self.status(&current, kind).least(least);
            if least == Dnssec::Bogus {
                return Err(LookupError::Bogus);
            }
            let node = node.ok_or_else(|| LookupError::NxDomain(self.negative(&current, least)))?;
            let found: Vec<&(Record, Duration)> = node.of_kind(kind).collect();
            if !found.is_empty() {
                let ttl = found.iter().map(|(_, ttl)| *ttl).fold(shortest, Duration::min);
                let records = found.into_iter().map(|(record, _)| record.clone()).collect();
                let answer = Answer::new(records, ttl).with_dnssec(least);
                return Ok(if current == asked {
                    answer
                } else {
                    answer.with_canonical_name(current)
                });
            }
            let (target, ttl) = node
                .alias()
                .ok_or_else(|| LookupError::NoData(self.negative(&current, least)))?;
            shortest = shortest.min(ttl);
            current = normalise(target)?;
        }
        Err(LookupError::ServFail)
    }

    /// Tells what a name server would say of there being nothing at `name`: the time to live is the lesser of those
    /// that the zone's SOA record has and names (RFC 2308 §5).
    fn negative(&self, name: &str, dnssec: Dnssec) -> Negative {
        let ttl = std::iter::successors(Some(name), |name| parent(name)).find_map(|name| {
            self.nodes
                .get(name)?
                .records
                .iter()
                .find_map(|(record, ttl)| match record {
                    Record::Soa { minimum, .. } => Some(Duration::from_secs((*minimum).into()).min(*ttl)),
                    _ => None,
                })
        });
        Negative::default().with_ttl(ttl).with_dnssec(dnssec)
    }

    /// Tells what DNSSEC says of records of one type at `name`.
    fn status(&self, name: &str, kind: RecordType) -> Dnssec {
        std::iter::successors(Some(name), |name| parent(name))
            .filter_map(|name| self.statuses.get(name))
            .find_map(|statuses| {
                let of = |wanted| statuses.iter().find(|(of, _)| *of == wanted).map(|(_, status)| *status);
                of(Some(kind)).or_else(|| of(None))
            })
            .unwrap_or(self.dnssec)
    }

    /// Finds the node that speaks for a name: its own, or the wildcard below its closest existing ancestor (RFC 4592
    /// §3.3.1).
    fn find(&self, name: &str) -> Option<&Node> {
        if let Some(node) = self.nodes.get(name) {
            return Some(node);
        }
        let mut ancestor = parent(name);
        while let Some(name) = ancestor {
            if self.nodes.contains_key(name) {
                return self.nodes.get(&format!("*.{name}"));
            }
            ancestor = parent(name);
        }
        self.nodes.get("*")
    }

    /// Makes a name exist, with no records.
    fn exist(&mut self, name: &str) -> Result<(), ZoneError> {
        self.node(name).map(|_| ())
    }

    /// Finds or makes the node of `name`, and makes its ancestors exist.
    fn node(&mut self, name: &str) -> Result<&mut Node, ZoneError> {
        let name = normalise(name).map_err(|_| ZoneError::name(name))?;
        let mut ancestor = parent(&name);
        while let Some(name) = ancestor {
            if self.nodes.contains_key(name) {
                break;
            }
            self.nodes.insert(name.to_owned(), Node::default());
            ancestor = parent(name);
        }
        Ok(self.nodes.entry(name).or_default())
    }
}

/// Brings the names in a record into the form in which answers give them: no final dot, the root as `.`.
fn normalise_data(record: Record) -> Result<Record, ZoneError> {
    let fix = |name: String| {
        if name == "." || name.is_empty() {
            return Ok(".".to_owned());
        }
        normalise(&name).map_err(|_| ZoneError::name(&name))
    };
    Ok(match record {
        Record::Mx { preference, exchange } => Record::Mx {
            preference,
            exchange: fix(exchange)?,
        },
        Record::Ptr(name) => Record::Ptr(fix(name)?),
        Record::Cname(name) => Record::Cname(fix(name)?),
        Record::Ns(name) => Record::Ns(fix(name)?),
        Record::Srv(place) => Record::Srv(Srv {
            target: fix(place.target)?,
            ..place
        }),
        Record::Soa {
            primary,
            mailbox,
            serial,
            refresh,
            retry,
            expire,
            minimum,
        } => Record::Soa {
            primary: fix(primary)?,
            mailbox: fix(mailbox)?,
            serial,
            refresh,
            retry,
            expire,
            minimum,
        },
        other @ (Record::A(_) | Record::Aaaa(_) | Record::Txt(_) | Record::Tlsa(_)) => other,
    })
}

impl Resolver for Zone {
    fn lookup<'a>(&'a self, name: &'a str, kind: RecordType) -> LookupFuture<'a> {
        Box::pin(std::future::ready(self.answer(name, kind)))
    }
}

impl Clone for Zone {
    /// Copies the records and failures. The copy counts its queries from nought.
    fn clone(&self) -> Self {
        Self {
            nodes: self.nodes.clone(),
            statuses: self.statuses.clone(),
            dnssec: self.dnssec,
            queries: AtomicU64::new(0),
        }
    }
}

impl PartialEq for Zone {
    /// Compares what is served, not what was asked.
    fn eq(&self, other: &Self) -> bool {
        self.nodes == other.nodes && self.statuses == other.statuses && self.dnssec == other.dnssec
    }
}

impl Eq for Zone {}

#[cfg(test)]
mod tests;
