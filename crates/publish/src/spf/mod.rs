//! What an SPF record costs those who check it, and how to make it cost less (RFC 7208 §4.6.4).
//!
//! Records themselves are written with [`Builder`] from `posthaste-auth`. [`Budget`] counts the lookups of a record and of
//! everything it leads to; [`flatten`] puts networks in the place of names.
//!
//! ```
//! use posthaste_dns::Zone;
//! use posthaste_publish::spf::{Budget, Builder, Qualifier, flatten};
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let zone = Zone::parse(
//!     "spf.example.net.  300 TXT \"v=spf1 a:out.example.net ip4:192.0.2.0/25 -all\"\n\
//!      out.example.net.  300 A   192.0.2.128\n\
//!      out.example.net.  300 AAAA 2001:db8::25\n",
//! )?;
//! let domain = "example.org".parse()?;
//! let record = Builder::new().include("spf.example.net").all(Qualifier::Fail);
//! assert_eq!(Budget::of(&record, &domain, &zone).await.lookups(), 2);
//!
//! let flat = flatten(&record, &domain, &zone).await?;
//! assert_eq!(flat.record().build()?, "v=spf1 ip4:192.0.2.0/25 ip4:192.0.2.128 ip6:2001:db8::25 -all");
//! assert_eq!(flat.ttl().as_secs(), 300); // look again by then
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A flattened record is a copy: when those whose names were in it move, it is wrong until it is made again. That is why
//! nothing here flattens without being asked.

mod addresses;
mod budget;
mod flatten;
mod split;

pub use budget::{Budget, Cost};
pub use flatten::{Flattened, Kept, KeptReason, flatten};
#[doc(no_inline)]
pub use posthaste_auth::spf::{Builder, Mechanism, Problem, Qualifier, Term};

use posthaste_auth::spf::Record;
use posthaste_dns::{Answer, LookupError, RecordType, Resolver};

/// How many terms may ask the DNS in one check (RFC 7208 §4.6.4).
pub const MAX_LOOKUPS: usize = 10;

/// How many of them may find nothing (§4.6.4).
pub const MAX_VOID_LOOKUPS: usize = 2;

/// How many hosts one `mx` may lead to (§4.6.4).
const MAX_EXCHANGERS: usize = 10;

/// How deep records may lead to each other here. A chain of as many is over the limit of lookups anyway.
const MAX_DEPTH: usize = MAX_LOOKUPS + 1;

/// How many terms that ask the DNS are followed before giving up: ten times what any check follows.
const MOST_FOLLOWED: usize = 100;

/// What a domain publishes, in terms, with the answer's time to live.
async fn published(domain: &str, resolver: &dyn Resolver) -> Result<Option<(Builder, std::time::Duration)>, Problem> {
    let Some(answer) = found(domain, resolver.lookup(domain, RecordType::Txt).await)? else {
        return Ok(None);
    };
    let mut records = answer
        .txt()
        .map(|text| text.as_bytes())
        .filter(|text| Record::is_spf(text));
    let wrong = |error| Problem::Record {
        domain: domain.to_owned(),
        error,
    };
    match (records.next(), records.next()) {
        (None, _) => Ok(None),
        (Some(_), Some(_)) => Err(Problem::SeveralRecords {
            domain: domain.to_owned(),
        }),
        (Some(text), None) => {
            Record::parse(text).map_err(wrong)?;
            let builder = Builder::from_record(&String::from_utf8_lossy(text)).map_err(wrong)?;
            Ok(Some((builder, answer.ttl())))
        }
    }
}

/// Tells apart what is not there from what could not be had.
fn found(name: &str, answer: Result<Answer, LookupError>) -> Result<Option<Answer>, Problem> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is_temporary() => Err(Problem::Lookup {
            name: name.to_owned(),
            error,
        }),
        Err(_) => Ok(None),
    }
}

/// What holds of a record's terms in a check: those behind an `all` are never reached, and a `redirect` beside one has no
/// effect (§5.1, §6.1).
fn effective(record: &Builder) -> impl Iterator<Item = &Term> {
    let is_all = |term: &&Term| term.mechanism() == Some(&Mechanism::All);
    let end = record
        .terms()
        .iter()
        .position(|term| is_all(&term))
        .map_or(usize::MAX, |at| at + 1);
    let ends = end != usize::MAX;
    let mechanisms = record
        .terms()
        .iter()
        .take(end)
        .filter(|term| term.mechanism().is_some());
    let redirect = record
        .terms()
        .iter()
        .filter(move |term| !ends && matches!(term, Term::Redirect(_)));
    mechanisms.chain(redirect)
}
