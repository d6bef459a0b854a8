//! Composes the posthaste crates: a transport from a URL, layers in the right order around it, and one call to send.
//!
//! This crate has no logic of its own beyond composition. What you see here is re-exported from crates that can each be
//! used alone; take one of them instead if it is all you need.
//!
//! ```
//! use posthaste::{Mailer, Message, RetryPolicy};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mailer = Mailer::builder(posthaste::connect("memory://")?).retry(RetryPolicy::default()).build();
//! let message = Message::builder()
//!     .from("Ada <ada@example.org>".parse()?)
//!     .to("bob@example.net".parse()?)
//!     .subject("Hello")
//!     .text("First line")
//!     .build()?;
//! let outcome = mailer.send(message).await?;
//! assert!(outcome.is_complete());
//! # Ok(())
//! # }
//! ```
//!
//! # Where to look
//!
//! - [`connect`] and [`Registry`]: URLs to transports.
//! - [`Mailer`]: a transport with the layers that most programs want, in the order that is right.
//! - [`Message`]: what to send. [`Envelope`], [`Outbound`] and [`SendOptions`]: to whom really, and how.
//! - [`Outcome`] and [`SendError`]: what became of it, for each recipient, and whether it may be sent again.
//! - [`guide`]: longer texts, whose code is compiled.
//! - `Campaign`: one template and one message for many.
//! - The modules [`address`], [`mime`], [`transport`], `auth`, `campaign`, `dns`, `doctor`, `events`, `limit`,
//!   `providers`, `publish`, `report`, `smtp`, `suppression` and `template`: each crate whole.
//!
//! # Features
//!
//! | name | what it adds | pulls in |
//! | --- | --- | --- |
//! | `smtp` (default) | `smtp://` and `smtps://` URLs, the SMTP client and server | tokio-rustls, rustls-platform-verifier |
//! | `sign` (default) | [`MailerBuilder::sign`], DKIM, SPF, DMARC | aws-lc-rs |
//! | `template` (default) | [`Template`] | serde_json |
//! | `campaign` (default) | `Campaign`, bulk mail; needs `sign` and `template` | futures-util |
//! | `limit` (default) | [`MailerBuilder::limit`] | - |
//! | `dns` | the production DNS resolver | hickory-resolver |
//! | `doctor` | `doctor` and `publish`: the records of a domain, written and examined | - |
//! | `events` | `events`: webhooks of providers; bounces, complaints and automatic replies that came by mail | aws-lc-rs, quick-xml, flate2 |
//! | `providers` | `providers`: SendGrid, Postmark and others, and their URLs | reqwest |
//! | `report` | `report`: DMARC aggregate, failure and TLS reports | quick-xml, serde_json, flate2 |
//! | `suppression` | `suppression`: addresses that must not be written to, and the layer that asks for them | - |
//! | `metrics` | the layers `Measure` and `Trace` | metrics, tracing |
//! | `redis` | `limit::RedisLimiter`: limits that many processes share | redis |
//! | `postgres` | `limit::PostgresLimiter`, `suppression::PostgresSuppressionList` | sqlx |
//! | `sqlite` | `suppression::SqliteSuppressionList` | sqlx, SQLite |
//! | `serde` | `Serialize` of addresses, events, findings, limits and reports, `Deserialize` of some | serde |
//! | `axum` | `events`, and its extractor of verified webhooks | axum |
//! | `tower` | `transport::TowerService`: a transport as a `tower::Service` | tower |
//! | `full` | all of these but `redis`, `postgres` and `sqlite` | |
#![cfg_attr(docsrs, feature(doc_cfg))]

mod compose;
mod connect;
pub mod guide;
mod mailer;

pub use connect::{ConnectError, Registry, connect};
pub use mailer::{Mailer, MailerBuilder};

pub use posthaste_address as address;
#[cfg(feature = "sign")]
pub use posthaste_auth as auth;
#[cfg(feature = "sign")]
pub use posthaste_auth::dkim;
#[cfg(feature = "campaign")]
pub use posthaste_campaign as campaign;
#[cfg(any(feature = "dns", feature = "sign"))]
pub use posthaste_dns as dns;
#[cfg(feature = "doctor")]
pub use posthaste_doctor as doctor;
#[cfg(feature = "events")]
pub use posthaste_events as events;
#[cfg(feature = "limit")]
pub use posthaste_limit as limit;
pub use posthaste_mime as mime;
#[cfg(feature = "providers")]
pub use posthaste_providers as providers;
#[cfg(feature = "doctor")]
pub use posthaste_publish as publish;
#[cfg(feature = "report")]
pub use posthaste_report as report;
#[cfg(feature = "smtp")]
pub use posthaste_smtp as smtp;
#[cfg(feature = "suppression")]
pub use posthaste_suppression as suppression;
#[cfg(feature = "template")]
pub use posthaste_template as template;
pub use posthaste_transport as transport;

pub use posthaste_address::{Domain, EmailAddress, Envelope, Group, Mailbox, Recipient};
#[cfg(feature = "campaign")]
pub use posthaste_campaign::Campaign;
#[cfg(feature = "limit")]
pub use posthaste_limit::Limit;
pub use posthaste_mime::{
    Attachment, ContentId, ContentType, FileSource, Generator, HeaderName, HeaderValue, Message, MessageBuilder,
    MessageId, Source,
};
#[cfg(feature = "template")]
pub use posthaste_template::Template;
pub use posthaste_transport::layers::RetryPolicy;
pub use posthaste_transport::{
    Disposition, FileTransport, MemoryTransport, OnUnsupported, Outbound, Outcome, Reply, Retry, SendError,
    SendOptions, Transport, TransportExt,
};

#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
mod readme {}
