//! Says what is right, wrong or weak about a mail domain, and about a message before it is sent.
//!
//! A [`Doctor`] looks at what a domain publishes. Each [`Finding`] says what is there, why it matters, what to publish instead,
//! and who asks for it. Without features the crate opens no socket: it asks the [`Resolver`](posthaste_dns::Resolver) that it is
//! given.
//!
//! ```
//! use posthaste_dns::Zone;
//! use posthaste_doctor::{Code, Doctor};
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let zone = Zone::parse("example.org. TXT \"v=spf1 mx ?all\"\n")?;
//! let diagnosis = Doctor::new(&zone).check(&"example.org".parse()?).await;
//!
//! let finding = diagnosis.findings().iter().find(|finding| finding.code() == Code::SpfNeutralAll).expect("it is weak");
//! let advice = finding.advice().expect("there is a better one").to_string();
//! assert_eq!(advice, "example.org. 3600 IN TXT \"v=spf1 mx ~all\"");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where to look
//!
//! - [`Doctor`]: a domain.
//! - [`preflight()`] and [`preflight_raw`]: a message; [`Context`] says how it will be sent.
//! - [`Diagnosis`], [`Finding`], [`Severity`], [`Advice`], [`Source`]: what comes of it. [`Code`] has the table of all that can be
//!   found.
//! - [`Https`]: how the policy of MTA-STS is fetched; [`Pages`] for tests; `HttpsClient`, with the feature `https`, for the
//!   internet.
//!
//! # Features
//!
//! | feature | adds | pulls in |
//! | --- | --- | --- |
//! | `https` | `HttpsClient`, which fetches the policy of MTA-STS | reqwest |
//! | `serde` | `Serialize` for [`Diagnosis`] and [`Finding`] | serde |
//!
//! # Choices
//!
//! - A lookup that fails is a finding of its own (`dns.failed`), never "there is none".
//! - The work is bounded by count: 20 exchangers, 32 selectors, 32 addresses, 10 report addresses, 100 terms of SPF.
//! - What others published is escaped and cut before it gets into a text.
//!
//! # Standards
//!
//! RFC 5321, 5322, 6376, 7208, 7505, 7672, 8058, 8301, 8460, 8461, 8463, 8601, 9989, 9990; the rules of Gmail, Yahoo and
//! Outlook for bulk senders of 2024 and 2025.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod code;
mod diagnosis;
mod domain;
mod finding;
mod https;
#[cfg(feature = "serde")]
mod json;
mod lookup;
mod preflight;
mod severity;

pub use code::Code;
pub use diagnosis::Diagnosis;
pub use domain::Doctor;
pub use finding::{Advice, Finding};
pub use https::{FetchError, FetchFuture, Https, Pages};
#[cfg(feature = "https")]
pub use https::{HttpsBuilder, HttpsClient};
pub use preflight::{Context, preflight, preflight_raw};
pub use severity::{Severity, Source};

/// The README's example, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
