//! MTA-STS: a domain says that its mail hosts speak TLS with certificates that hold (RFC 8461).
//!
//! A [`Record`] stands in DNS at `_mta-sts.DOMAIN` and says by its id that there is a [`Policy`], and whether it changed;
//! the policy is a text file at `https://mta-sts.DOMAIN/.well-known/mta-sts.txt`.
//!
//! ```
//! use std::time::Duration;
//! use posthaste_publish::mta_sts::{Mode, Policy, Record};
//!
//! let record: Record = "v=STSv1; id=20261123T1200".parse()?;
//! assert_eq!(record.id(), "20261123T1200");
//!
//! let policy = Policy::new(Mode::Enforce, Duration::from_secs(604_800)).mx("*.example.org".parse()?);
//! assert_eq!(policy.to_string(), "version: STSv1\r\nmode: enforce\r\nmx: *.example.org\r\nmax_age: 604800\r\n");
//! assert!(policy.allows("mx1.example.org") && !policy.allows("example.org"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What the RFC leaves open
//!
//! - An `id` that stands in a record twice counts once: the first, as in policies.
//! - A policy with a `max_age` over the allowed maximum is refused, not corrected.
//! - Empty lines in a policy are passed over.

mod pattern;
mod policy;
mod record;

pub use pattern::{MxPattern, MxPatternError, mx_matches};
pub use policy::{Mode, Policy, PolicyError};
pub use record::{Record, RecordError};

/// Gives the name of the record: `_mta-sts.` and the domain.
pub fn record_name(domain: &str) -> String {
    format!("_mta-sts.{domain}")
}

/// Gives the host that serves the policy: `mta-sts.` and the domain (RFC 8461 §3.3).
pub fn policy_host(domain: &str) -> String {
    format!("mta-sts.{domain}")
}

/// Gives where the policy is (RFC 8461 §3.3).
///
/// # Examples
///
/// ```
/// use posthaste_publish::mta_sts::policy_url;
///
/// assert_eq!(policy_url("example.org"), "https://mta-sts.example.org/.well-known/mta-sts.txt");
/// ```
pub fn policy_url(domain: &str) -> String {
    format!("https://{}/.well-known/mta-sts.txt", policy_host(domain))
}
