//! Asks the DNS the questions that mail asks, through one trait.
//!
//! [`Resolver`] is the parameter that SPF, DKIM, DMARC and delivery take. In production it is [`HickoryResolver`]; in
//! tests it is a [`Zone`], written like a master file and served from memory. Answers keep what mail needs to decide:
//! "no such name" apart from "no such record" apart from "try again later", the time to live, and the DNSSEC status.
//! This crate knows nothing of mail.
//!
//! ```
//! use posthaste_dns::{LookupError, Resolver, ResolverExt, Zone};
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let zone = Zone::parse(
//!     "$ORIGIN example.org.\n\
//!      @     300 IN MX  10 mail\n\
//!      @     300 IN TXT \"v=spf1 mx \" \"-all\"\n\
//!      mail  300 IN A   192.0.2.25\n",
//! )?;
//! let resolver: &dyn Resolver = &zone;
//!
//! assert_eq!(resolver.txt("example.org").await?[0].as_bytes(), b"v=spf1 mx -all");
//! assert_eq!(resolver.mx("Example.ORG.").await?, [(10, "mail.example.org".to_owned())]);
//! assert!(matches!(resolver.aaaa("mail.example.org").await, Err(LookupError::NoData(_))));
//! assert!(matches!(resolver.a("www.example.org").await, Err(LookupError::NxDomain(_))));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where to look
//!
//! - [`Resolver`] and [`ResolverExt`]: the trait to take as a parameter, and the short way to call it.
//! - [`Answer`], [`Record`], [`Dnssec`]: what comes back; [`Srv::order`] for services. [`LookupError`]: why nothing did, and [`Negative`]: for how long
//!   there is nothing.
//! - [`CachingResolver`]: keeps answers, and asks once where many wait.
//! - [`Recorder`]: keeps what was asked and answered, as evidence.
//! - [`Zone`]: a zone in memory, with wildcards, CNAME chains, injected failures, DNSSEC statuses and a query counter.
//! - [`HickoryResolver`]: the network, and [`Upstream`]: how to reach it.
//!
//! # Features
//!
//! | feature | adds | pulls in |
//! | --- | --- | --- |
//! | `hickory` (default) | [`HickoryResolver`], [`Upstream`] | hickory-resolver, rustls, tokio |
//!
//! # Standards
//!
//! RFC 1034 and 1035 (names, master files), 2308 (negative answers), 9520 (failures), 4035 §4.3 (DNSSEC states), 4592
//! (wildcards), 2782 (SRV), 6698 (TLSA), 7858 (DNS over TLS), 8020 (what NXDOMAIN means), 8484 (DNS over HTTPS).
#![cfg_attr(docsrs, feature(doc_cfg))]

mod answer;
mod caching;
mod error;
#[cfg(feature = "hickory")]
mod hickory;
mod name;
mod record;
mod recorder;
mod resolver;
mod srv;
mod zone;

pub use answer::{Answer, Dnssec};
pub use caching::{CacheStats, CachingBuilder, CachingResolver};
pub use error::{LookupError, Negative, NetworkError};
#[cfg(feature = "hickory")]
pub use hickory::{HickoryBuilder, HickoryResolver, SetupError, SetupErrorKind, Upstream, UpstreamError};
pub use record::{Record, RecordType, Tlsa, Txt};
pub use recorder::{Query, Recorder};
pub use resolver::{LookupFuture, Resolver, ResolverExt, reverse_name};
pub use srv::Srv;
pub use zone::{Zone, ZoneError, ZoneErrorKind};

#[cfg(all(doctest, feature = "hickory"))]
#[doc = include_str!("../README.md")]
struct Readme;
