//! Every DNS record that a domain needs to send and receive mail, as typed values.
//!
//! Say in a [`Setup`] what the domain does; its [`Publication`] has the records as values, as the text of a zone file, as
//! JSON, and as a table to copy from into a DNS console. It also has [`Warning`]s: what is not wise, and what does not go
//! together with records that are there. This crate publishes nothing itself, and looks nothing up unless it is given a
//! [`Resolver`](posthaste_dns::Resolver).
//!
//! ```
//! use std::time::Duration;
//! use posthaste_auth::{dkim::SigningKey, dmarc};
//! use posthaste_publish::{Setup, mta_sts, spf, tls_rpt};
//!
//! let key = SigningKey::generate_ed25519()?; // in production, also an RSA key
//! let reports = dmarc::ReportAddress::new("dmarc@example.org")?;
//! let policy = mta_sts::Policy::new(mta_sts::Mode::Testing, Duration::from_secs(604_800));
//!
//! let publication = Setup::new("example.org".parse()?)
//!     .mx(10, "mx1.example.org".parse()?)
//!     .spf(spf::Builder::new().mx().ip4([192, 0, 2, 0].into(), 28).all(spf::Qualifier::SoftFail))
//!     .dkim("e2026".parse()?, &key)
//!     .dmarc(dmarc::Record::builder(dmarc::Policy::Reject).aggregate_reports_to(reports).build())
//!     .mta_sts(mta_sts::Record::new("20261123")?, policy.mx("mx1.example.org".parse()?))
//!     .policy_host("www.example.org".parse()?)
//!     .tls_rpt(tls_rpt::Record::new(["mailto:tls@example.org".parse()?]))
//!     .build()?;
//!
//! print!("{}", publication.to_zone_file()); // or to_json, or to_table
//! for warning in publication.warnings() {
//!     eprintln!("{}: {warning}", warning.code());
//! }
//! assert_eq!(publication.records().len(), 7);
//! assert_eq!(publication.warnings().len(), 1); // there is no RSA key
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where to look
//!
//! - [`Setup`], [`Publication`], [`ZoneRecord`], [`Warning`]: from choices to records. [`Setup::parked`] is for domains
//!   without mail.
//! - [`DkimKey`], [`HostedDkim`], [`MailFrom`]: keys, keys that an operator keeps, and where bounces go.
//! - [`mod@spf`]: what a record costs ([`spf::Budget`]), and one that costs less ([`spf::flatten()`]).
//! - [`mta_sts`], [`tls_rpt`], [`bimi`]: records and policies, read and written.
//! - Elsewhere, in `posthaste-auth`: `spf::Builder` and `dmarc::Record` for SPF and DMARC, `dkim::SigningKey` for keys.
//!
//! # Standards
//!
//! RFC 1035 and 2181 (records), 6376, 8301 and 8463 (DKIM), 7208 (SPF), 9989 and 9990 (DMARC), 8461 (MTA-STS), 8460
//! (TLS-RPT), 7505 (null MX), draft-brand-indicators-for-message-identification (BIMI).
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod bimi;
mod check;
mod dkim;
mod fields;
mod json;
pub mod mta_sts;
mod publication;
mod records;
mod setup;
pub mod spf;
pub mod tls_rpt;
mod warning;
mod zone_record;

pub use dkim::{DkimKey, HostedDkim};
pub use publication::{Preview, Publication};
pub use setup::{MailFrom, Setup, SetupError};
pub use warning::Warning;
pub use zone_record::{ZoneRecord, ZoneRecordError};

/// The README's example, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
