//! Authenticates mail: signs with DKIM and ARC, and verifies SPF, DKIM, ARC, iprev and DMARC of what comes in.
//!
//! Everything is evaluated here, by small functions that name the section of the RFC they follow, over a
//! [`Resolver`](posthaste_dns::Resolver) that you pass in. The crate opens no socket, and what time it is,
//! it is told.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::SystemTime;
//! use posthaste_auth::dkim::{DkimResult, Signer, SigningKey, verify};
//! use posthaste_dns::Zone;
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let key = SigningKey::generate_ed25519()?;
//! let zone = Zone::parse(&format!("s1._domainkey.example.org. TXT \"{}\"\n", key.dns_record()))?;
//! let signer = Signer::builder("example.org".parse()?).key("s1".parse()?, key).build()?;
//!
//! let message = "From: ada@example.org\r\nSubject: Hello\r\n\r\nFirst line\r\n";
//! let now = SystemTime::now();
//! let signed = signer.sign([message.as_bytes()], now)? + message;
//!
//! let verdicts = verify(signed.as_bytes(), &zone, now).await;
//! assert_eq!(verdicts[0].result(), DkimResult::Pass);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where to look
//!
//! - [`Authenticator`]: one call for a message that came in. Its [`AuthReport`] says what came of every method, why, and what the
//!   DNS was asked; it writes Authentication-Results.
//! - [`dkim`]: keys, signers, [`dkim::verify`], and a [cache of keys](dkim::KeyCache).
//! - [`spf`]: whether a host may send for a domain, by [`spf::check_host`]; Received-SPF; records read and written.
//! - [`dmarc`]: what a domain wants done and who speaks for it, by [`dmarc::evaluate`]; policy records read and written; whether
//!   a stranger wants reports, by [`dmarc::report_consent`].
//! - [`arc`]: what those found who passed a message on, by [`arc::validate`]; sealing.
//! - [`iprev`]: whether an address has a name that leads back to it.
//! - [`authres`]: Authentication-Results of others, and [forged ones](authres::strip).
//! - [`SesVerdict`]: what Amazon SES would say.
//!
//! # Features
//!
//! | feature | adds | pulls in |
//! | --- | --- | --- |
//! | `serde` | `Serialize` for reports and verdicts, in the shape that README.md shows | serde |
//!
//! # Choices
//!
//! - A failure of DNS is a temporary error, never a fail and never "there is none".
//! - Work is bounded by count, not by time: ten signatures, ten SPF lookups, ten names of an address, fifty ARC sets.
//! - DMARC evaluates a message with several From fields, several author domains or none as a permanent error.
//! - What ARC and iprev say changes nothing about DMARC's result: whom to believe is local policy.
//!
//! # Standards
//!
//! RFC 6376, 8301, 8463 (DKIM), 7208 (SPF), 9989 and 7489 (DMARC), 8617 (ARC), 8601 (Authentication-Results, iprev), 8616
//! (internationalised mail).
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod arc;
mod authenticator;
pub mod authres;
pub mod dkim;
pub mod dmarc;
pub mod iprev;
#[cfg(feature = "serde")]
mod json;
mod ses;
pub mod spf;
mod structured;

pub use authenticator::{AuthReport, Authenticator, AuthorError, Check, Connection, Lookups, SesReceipt, Tls};
pub use ses::SesVerdict;

/// The README's example, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
