//! Networks in the place of names.

use std::{fmt, future::Future, pin::Pin, time::Duration};

use posthaste_address::Domain;
use posthaste_dns::{RecordType, Resolver};

use super::{
    Builder, MAX_DEPTH, MAX_EXCHANGERS, MOST_FOLLOWED, Mechanism, Problem, Qualifier, Term, addresses::Addresses,
    effective, found, published, split,
};

/// More networks than this, one include may not stand for: it is kept instead.
const MOST_NETWORKS: usize = 1000;

/// More terms than this are not published: at twenty in a record, two hundred records.
const MOST_TERMS: usize = 4000;

/// Puts networks in the place of the names in a record: `a`, `mx`, `include` and `redirect` become `ip4` and `ip6`.
///
/// Hosts get the results that they got before, by the same qualifiers. What depends on the message or the client is kept
/// as it is: `exists`, `ptr`, names with macros, and an `include` or `redirect` that leads to such. Networks that overlap or
/// touch are joined, those that an earlier term decides about left out.
///
/// # Errors
///
/// [`Problem`], when something that the record leads to cannot be had now, or is wrong: a copy of half of it would refuse
/// the other half's mail.
pub async fn flatten(record: &Builder, domain: &Domain, resolver: &dyn Resolver) -> Result<Flattened, Problem> {
    let mut walk = Walk {
        resolver,
        followed: 0,
        ttl: Duration::MAX,
        kept: Vec::new(),
        path: vec![domain.as_str().to_owned()],
    };
    let pieces = walk.record(record, domain.as_str().to_owned()).await?;
    let modifiers = record
        .terms()
        .iter()
        .filter(|term| matches!(term, Term::Modifier { .. }));
    let flat: Builder = assemble(&pieces)?.into_iter().chain(modifiers.cloned()).collect();
    let (record, parts) = split::split(&flat, domain.as_str(), Flattened::MAX_OCTETS);
    // What was kept elsewhere keeps the term that leads there, and that one is here.
    let is_here = |kept: &Kept| kept.domain == domain.as_str();
    Ok(Flattened {
        record,
        parts,
        kept: walk.kept.into_iter().filter(is_here).collect(),
        ttl: walk.ttl,
    })
}

/// Holds a record without names, or with few.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flattened {
    record: Builder,
    parts: Vec<(String, Builder)>,
    kept: Vec<Kept>,
    ttl: Duration,
}

impl Flattened {
    /// The longest record that is written without cutting it in parts, in octets: with all else in it, an answer with one
    /// such text fits the 512 octets of plain DNS over UDP (RFC 7208 §3.4).
    pub const MAX_OCTETS: usize = 450;

    /// Gives the record for the domain.
    pub fn record(&self) -> &Builder {
        &self.record
    }

    /// Gives the records that it includes because it would be too long without, with the names for them: `_spf1.` and the
    /// domain, and so on.
    pub fn parts(&self) -> &[(String, Builder)] {
        &self.parts
    }

    /// Gives the terms that could not be replaced.
    pub fn kept(&self) -> &[Kept] {
        &self.kept
    }

    /// Tells after how long the copy may be wrong: the shortest time to live of what was looked up. Make it again by then,
    /// and publish it with no longer one. It is [`Duration::MAX`] when nothing was looked up.
    pub fn ttl(&self) -> Duration {
        self.ttl
    }
}

/// Is a term that still asks the DNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    domain: String,
    term: Term,
    reason: KeptReason,
}

impl Kept {
    /// Gives the term.
    pub fn term(&self) -> &Term {
        &self.term
    }

    /// Tells why it is kept.
    pub fn reason(&self) -> KeptReason {
        self.reason
    }
}

/// Tells why a term cannot be replaced by networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum KeptReason {
    /// It has macros: what it means depends on the message.
    #[error("it has macros")]
    Macros,
    /// It is an `exists`.
    #[error("it is an `exists`")]
    Exists,
    /// It is a `ptr`.
    #[error("it is a `ptr`")]
    Ptr,
    /// It leads to a record with something that must be kept.
    #[error("it leads to what cannot be replaced")]
    Contains,
    /// It stands for more networks than a record has room for.
    #[error("it stands for too many networks")]
    Networks,
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is kept: {}", self.term, self.reason)
    }
}

/// A term, looked up.
enum Piece {
    Addresses(Qualifier, Addresses),
    All(Qualifier),
    Kept(Term),
    /// Of the record that decides.
    Explanation(Term),
}

struct Walk<'a> {
    resolver: &'a dyn Resolver,
    followed: usize,
    ttl: Duration,
    kept: Vec<Kept>,
    /// The domains whose records lead to the current one, that one last.
    path: Vec<String>,
}

type Pieces<'w> = Pin<Box<dyn Future<Output = Result<Vec<Piece>, Problem>> + Send + 'w>>;

impl Walk<'_> {
    /// Goes no deeper than [`MAX_DEPTH`], and through no more than [`MOST_FOLLOWED`] terms.
    fn record<'w>(&'w mut self, record: &'w Builder, domain: String) -> Pieces<'w> {
        Box::pin(async move {
            let mut pieces = Vec::new();
            let mut redirected = false;
            for term in effective(record) {
                if term.asks_dns() {
                    self.followed += 1;
                    if self.followed > MOST_FOLLOWED {
                        return Err(Problem::Lookups);
                    }
                }
                match term {
                    Term::Directive(qualifier, Mechanism::All) => pieces.push(Piece::All(*qualifier)),
                    Term::Directive(qualifier, mechanism) => match self.addresses(mechanism, &domain).await? {
                        Ok(addresses) => pieces.push(Piece::Addresses(*qualifier, addresses)),
                        Err(reason) => pieces.push(self.keep(&domain, term, reason)),
                    },
                    Term::Redirect(target) => match self.lead_to(target).await? {
                        Ok(further) => {
                            redirected = true;
                            pieces.extend(further);
                        }
                        Err(reason) => pieces.push(self.keep(&domain, term, reason)),
                    },
                    _ => {}
                }
            }
            // RFC 7208 §6.2: the text for the refused is that of the record which a redirect leads to.
            let explanation = record.terms().iter().find(|term| matches!(term, Term::Explanation(_)));
            if let Some(term) = explanation.filter(|_| !redirected) {
                pieces.push(Piece::Explanation(term.clone()));
            }
            Ok(pieces)
        })
    }

    fn keep(&mut self, domain: &str, term: &Term, reason: KeptReason) -> Piece {
        self.kept.push(Kept {
            domain: domain.to_owned(),
            term: term.clone(),
            reason,
        });
        Piece::Kept(term.clone())
    }

    async fn addresses(
        &mut self,
        mechanism: &Mechanism,
        domain: &str,
    ) -> Result<Result<Addresses, KeptReason>, Problem> {
        let mut addresses = Addresses::default();
        match mechanism {
            Mechanism::Ip4(network, prefix) => addresses.add_v4(*network, *prefix),
            Mechanism::Ip6(network, prefix) => addresses.add_v6(*network, *prefix),
            Mechanism::A {
                domain: target,
                ip4_prefix,
                ip6_prefix,
            } => {
                let target = target.as_deref().unwrap_or(domain);
                if target.contains('%') {
                    return Ok(Err(KeptReason::Macros));
                }
                self.hosts(target, *ip4_prefix, *ip6_prefix, &mut addresses).await?;
            }
            Mechanism::Mx {
                domain: target,
                ip4_prefix,
                ip6_prefix,
            } => {
                let target = target.as_deref().unwrap_or(domain);
                if target.contains('%') {
                    return Ok(Err(KeptReason::Macros));
                }
                let answer = self.ask(target, RecordType::Mx).await?;
                let exchangers: Vec<&str> = answer
                    .iter()
                    .flat_map(|answer| answer.mx())
                    .map(|(_, host)| host)
                    .collect();
                if exchangers.len() > MAX_EXCHANGERS {
                    return Err(Problem::Exchangers {
                        domain: target.to_owned(),
                    });
                }
                for host in exchangers {
                    self.hosts(host, *ip4_prefix, *ip6_prefix, &mut addresses).await?;
                }
            }
            Mechanism::Include(target) => {
                return Ok(match self.lead_to(target).await? {
                    Ok(pieces) => passing(&pieces),
                    Err(reason) => Err(reason),
                });
            }
            Mechanism::Exists(_) => return Ok(Err(KeptReason::Exists)),
            _ => return Ok(Err(KeptReason::Ptr)),
        }
        Ok(Ok(addresses))
    }

    /// Follows an `include` or a `redirect`, unless it leads to what must be kept.
    async fn lead_to(&mut self, target: &str) -> Result<Result<Vec<Piece>, KeptReason>, Problem> {
        if target.contains('%') {
            return Ok(Err(KeptReason::Macros));
        }
        let target = target.strip_suffix('.').unwrap_or(target).to_ascii_lowercase();
        if self.path.contains(&target) || self.path.len() >= MAX_DEPTH {
            return Err(Problem::Lookups);
        }
        let Some((record, ttl)) = published(&target, self.resolver).await? else {
            return Err(Problem::NoRecord { domain: target });
        };
        self.ttl = self.ttl.min(ttl);
        self.path.push(target.clone());
        let pieces = self.record(&record, target).await?;
        self.path.pop();
        let keeps = pieces.iter().any(|piece| matches!(piece, Piece::Kept(_)));
        Ok(if keeps { Err(KeptReason::Contains) } else { Ok(pieces) })
    }

    /// Adds the addresses of a host, or the networks around them.
    async fn hosts(
        &mut self,
        host: &str,
        ip4_prefix: u8,
        ip6_prefix: u8,
        addresses: &mut Addresses,
    ) -> Result<(), Problem> {
        for kind in [RecordType::A, RecordType::Aaaa] {
            if let Some(answer) = self.ask(host, kind).await? {
                let found = answer.a().map(Into::into).chain(answer.aaaa().map(Into::into));
                found.for_each(|address| addresses.add_ip(address, ip4_prefix, ip6_prefix));
            }
        }
        Ok(())
    }

    async fn ask(&mut self, name: &str, kind: RecordType) -> Result<Option<posthaste_dns::Answer>, Problem> {
        let answer = found(name, self.resolver.lookup(name, kind).await)?;
        if let Some(answer) = &answer {
            self.ttl = self.ttl.min(answer.ttl());
        }
        Ok(answer)
    }
}

/// RFC 7208 §5.2: an include matches the hosts for which the included record says pass; which is decided by the first of
/// its terms that matches.
fn passing(pieces: &[Piece]) -> Result<Addresses, KeptReason> {
    let mut passing = Addresses::default();
    let mut decided = Addresses::default();
    for piece in pieces {
        let everything;
        let (qualifier, addresses) = match piece {
            Piece::Addresses(qualifier, addresses) => (qualifier, addresses),
            Piece::All(qualifier) => {
                everything = Addresses::all();
                (qualifier, &everything)
            }
            Piece::Kept(_) => return Err(KeptReason::Contains),
            Piece::Explanation(_) => continue,
        };
        if *qualifier == Qualifier::Pass {
            passing.union(&addresses.without(&decided));
        }
        decided.union(addresses);
        if decided.stretches() > MOST_NETWORKS {
            return Err(KeptReason::Networks);
        }
    }
    if passing.networks().nth(MOST_NETWORKS).is_some() {
        return Err(KeptReason::Networks);
    }
    Ok(passing)
}

/// Writes the pieces as a record: neighbours of one qualifier are joined, and what is decided already left out.
fn assemble(pieces: &[Piece]) -> Result<Vec<Term>, Problem> {
    let mut terms = Vec::new();
    let mut decided = Addresses::default();
    let mut pieces = pieces.iter().peekable();
    while let Some(piece) = pieces.next() {
        match piece {
            Piece::Addresses(qualifier, addresses) => {
                let mut joined = addresses.clone();
                while let Some(Piece::Addresses(_, more)) =
                    pieces.next_if(|next| matches!(next, Piece::Addresses(other, _) if other == qualifier))
                {
                    joined.union(more);
                }
                for network in joined.networks() {
                    if !Addresses::of(&network).without(&decided).is_empty() {
                        terms.push(Term::Directive(*qualifier, network));
                    }
                    if terms.len() > MOST_TERMS {
                        return Err(Problem::Lookups);
                    }
                }
                decided.union(&joined);
            }
            Piece::All(qualifier) => {
                terms.push(Term::Directive(*qualifier, Mechanism::All));
                // Nothing behind it is ever reached.
                if let Some(Piece::Explanation(term)) = pieces.find(|piece| matches!(piece, Piece::Explanation(_))) {
                    terms.push(term.clone());
                }
                break;
            }
            Piece::Kept(term) | Piece::Explanation(term) => terms.push(term.clone()),
        }
    }
    Ok(terms)
}
