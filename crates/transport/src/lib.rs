//! The trait that every way of sending email meets at, and what a send can answer.
//!
//! This crate knows no provider and opens no connection. It says what a transport is, what it can do, what becomes of each
//! recipient, and whether a failed send may be repeated; and it brings layers that work around any transport. SMTP is in
//! [`posthaste-smtp`], the suite that checks a transport in [`posthaste-conformance`].
//!
//! ```
//! use posthaste_mime::Message;
//! use posthaste_transport::layers::{Retry, RetryPolicy};
//! use posthaste_transport::{MemoryTransport, TransportExt};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
//! let memory = MemoryTransport::new();
//! let transport = memory.clone().layer(Retry::new(RetryPolicy::default()));
//!
//! let message = Message::builder()
//!     .from("Ada <ada@example.org>".parse()?)
//!     .to("bob@example.net".parse()?)
//!     .subject("Hello")
//!     .text("First line")
//!     .build()?;
//! let outcome = transport.send_message(message).await?;
//!
//! assert!(outcome.is_complete());
//! assert_eq!(memory.sent().len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where to look
//!
//! - [`guide`]: how to write a transport, with a whole one, and how to have it checked.
//! - [`Transport`], [`TransportExt`], [`Layer`]: the contract, and [`layers`] that keep it.
//! - [`Outbound`] and [`SendOptions`]: what is sent, and how.
//! - [`Capabilities`] and [`plan()`]: what a transport can do, compared with what a send needs, before any I/O.
//! - [`Outcome`]: each recipient's fate. [`SendError`]: why it failed, and [`SendError::retry`].
//!   [`RateInfo`]: what is left of a limit on calls, where a provider says it.
//! - [`Security`], [`TlsInfo`]: how the connection was protected that took a message.
//! - [`ContentReader`]: a message's bytes, streamed attachments included, without blocking.
//! - [`MemoryTransport`] for tests, [`FileTransport`] for a Maildir.
//!
//! # Features
//!
//! | feature | what it adds | what it pulls in |
//! | --- | --- | --- |
//! | `limit` | [`layers`]`::RateLimit` | posthaste-limit |
//! | `sign` | [`layers`]`::Sign` | posthaste-auth, and with it aws-lc-rs |
//! | `tower` | `TowerService`: any transport as a `tower::Service` | tower |
//!
//! # Standards
//!
//! Replies: RFC 5321 §4.2, RFC 2034, RFC 3463. The window in which an answer can be lost: RFC 1047. Delivery wishes that an
//! envelope can carry: RFC 3461, RFC 6531, RFC 8689.
//!
//! [`posthaste-smtp`]: https://docs.rs/posthaste-smtp
//! [`posthaste-conformance`]: https://docs.rs/posthaste-conformance
#![cfg_attr(docsrs, feature(doc_cfg))]

mod capabilities;
mod clock;
mod error;
mod file;
pub mod guide;
mod info;
pub mod layers;
mod memory;
mod options;
mod outbound;
mod outcome;
mod plan;
mod rate;
mod reader;
mod reply;
mod security;
#[cfg(test)]
mod testing;
mod timer;
#[cfg(feature = "tower")]
mod tower;
mod transport;

pub use capabilities::{Capabilities, Feature, TagCharset};
pub use error::{Disposition, ErrorKind, Retry, SendError};
pub use file::FileTransport;
pub use info::TransportInfo;
pub use memory::{Captured, MemoryTransport, Scripted};
pub use options::{OnUnsupported, OptionError, OptionProblem, SendOptions};
pub use outbound::Outbound;
pub use outcome::{Fate, Outcome, RecipientOutcome, Refusal};
pub use plan::{Content, Plan, Shortfall, Unsupported, plan};
pub use rate::RateInfo;
pub use reader::ContentReader;
pub use reply::{EnhancedStatus, EnhancedStatusError, Reply};
pub use security::{PeerAuthentication, Security, TlsInfo, TlsVersion, TlsVersionError};
pub use timer::{Sleep, Timer, TokioTimer, within};
#[cfg(feature = "tower")]
#[cfg_attr(docsrs, doc(cfg(feature = "tower")))]
pub use tower::TowerService;
pub use transport::{Layer, SendFuture, Transport, TransportExt};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
