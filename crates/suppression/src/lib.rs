//! Keeps the addresses that must not be written to: why, for which mail, since and until when.
//!
//! A message to an address that bounced, or whose owner complained or asked for no more, costs reputation and may break the
//! law. This crate keeps those addresses in memory, SQLite or PostgreSQL behind one trait, answers for a whole message in one
//! round trip, and reads and writes them as CSV. It sends nothing and reads no events: what happened is told to it.
//!
//! ```
//! use std::time::SystemTime;
//!
//! use posthaste_suppression::{Entry, Lookup, MemorySuppressionList, Reason, Scope, SuppressionList};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (list, now) = (MemorySuppressionList::new(), SystemTime::now());
//! let newsletter = Scope::named("newsletter")?;
//! list.put(&[
//!     Entry::new("bob@example.net".parse()?, Reason::Bounce, now).with_detail("550 5.1.1 no such user"),
//!     Entry::new("zoe@example.net".parse()?, Reason::Unsubscribe, now).with_scope(newsletter.clone()),
//! ])
//! .await?;
//!
//! let (bob, zoe) = ("Bob@Example.NET".parse()?, "zoe@example.net".parse()?);
//! let addresses = [&bob, &zoe];
//! let receipt = list.find(&Lookup::new(&addresses, now)).await?;
//! assert!(receipt[0].is_some() && receipt[1].is_none());
//! let letter = list.find(&Lookup::new(&addresses, now).in_scopes([newsletter])).await?;
//! assert!(letter[0].is_some() && letter[1].is_some());
//! # Ok(())
//! # }
//! ```
//!
//! # Where to look
//!
//! - [`SuppressionList`]: the trait; [`Lookup`] and [`Filter`]: what it is asked.
//! - [`Entry`]: an address with its [`Reason`], [`Scope`] and expiry.
//! - [`MemorySuppressionList`]: the list in memory; `SqliteSuppressionList` and `PostgresSuppressionList`: in a database.
//! - [`CsvReader`] and [`CsvWriter`]: lists as files, those of providers included.
//! - [`FeedPolicy`]: which bounces, complaints and wishes become entries, for which mail and how long.
//!
//! # When two addresses are one
//!
//! By [`KeyRules`](posthaste_address::KeyRules), which a list is made with: unless told otherwise the case of the local part
//! makes no difference, and domains are compared as A-labels without regard to case, as Amazon SES does. Looser rules (subaddresses, dots at
//! Gmail) find more, and err on the side of not sending. A store is good for the rules that it was filled with.
//!
//! # Features
//!
//! | name | adds | pulls in |
//! | --- | --- | --- |
//! | `sqlite` | `SqliteSuppressionList` | sqlx, tokio, SQLite (compiled from C) |
//! | `postgres` | `PostgresSuppressionList` | sqlx, tokio, rustls, aws-lc-rs |
//!
//! # Standards
//!
//! RFC 4180 (CSV) and RFC 3339 (times in it). Line ends of all kinds and a byte order mark are read too.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod csv;
mod cursor;
mod entry;
mod error;
mod feed;
mod list;
mod memory;
mod moment;
mod reason;
mod scope;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod sql;

pub use csv::{CsvError, CsvErrorKind, CsvReader, CsvWriter, ExportError, ImportError, Imported};
pub use cursor::Cursor;
pub use entry::Entry;
pub use error::{ListError, ListErrorKind};
pub use feed::FeedPolicy;
pub use list::{Filter, ListFuture, Lookup, Page, SuppressionList, SuppressionListExt};
pub use memory::MemorySuppressionList;
pub use reason::{Reason, Reasons, UnknownReason};
pub use scope::{Scope, ScopeError};
#[cfg(feature = "postgres")]
#[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
pub use sql::PostgresSuppressionList;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "postgres", feature = "sqlite"))))]
pub use sql::SqlSettings;
#[cfg(feature = "sqlite")]
#[cfg_attr(docsrs, doc(cfg(feature = "sqlite")))]
pub use sql::SqliteSuppressionList;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
