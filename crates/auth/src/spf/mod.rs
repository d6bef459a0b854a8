//! Tells whether a host may send for a domain (SPF, RFC 7208).
//!
//! [`check_host`] is the function of that name in the RFC. It asks through a [`Resolver`], never more than the
//! [`Limits`] allow, and says not only what came out but which mechanism decided, what the domain's owner has to say to
//! those who were refused, what went wrong and where.
//!
//! ```
//! use posthaste_auth::spf::{self, Limits, Query};
//! use posthaste_dns::Zone;
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let zone = Zone::parse(
//!     "example.org.      TXT \"v=spf1 ip4:192.0.2.0/24 exp=why.example.org -all\"\n\
//!      why.example.org.  TXT \"%{i} may not send for %{d}\"\n",
//! )?;
//! let query = Query::new("198.51.100.7".parse()?, "mail.example.net", "ada@example.org");
//! let report = spf::check_host(&query, &zone, &Limits::default()).await;
//!
//! assert_eq!(report.result(), spf::Result::Fail);
//! assert_eq!(report.mechanism(), Some("-all"));
//! assert_eq!(report.explanation(), Some("198.51.100.7 may not send for example.org"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What the RFC leaves open
//!
//! - A name that came out of macros and cannot be asked for (§4.8) matches nothing.
//! - Void lookups (§4.6.4) are counted once per term, for the term's own question: that an `mx` host has no AAAA record
//!   is not held against the record.
//! - `exp=` is asked for once, after the result is known, and counts neither as a lookup nor as a void one.
//! - An explanation that is not printable ASCII after expansion, or longer than 4096 octets, is dropped.
//!
//! [`Resolver`]: posthaste_dns::Resolver

mod build;
mod evaluate;
mod expand;
mod macros;
mod mechanism;
mod parse;
mod problem;
mod query;
mod received;
mod record;
mod report;
mod term;

pub use build::{BuildError, Builder};
pub use evaluate::check_host;
pub use problem::{Problem, RecordError, RecordErrorKind};
pub use query::{Limits, Query};
pub use received::ReceivedSpf;
pub use record::Record;
pub use report::{Identity, Report, Result};
pub use term::{Mechanism, Qualifier, Term};

#[cfg(test)]
mod tests;
