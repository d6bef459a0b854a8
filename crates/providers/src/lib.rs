//! Email providers' HTTP APIs behind one send trait.
//!
//! An [`Adapter`] is constant data (a [`Profile`]: name, capabilities, limits) and two pure functions, from mail to an
//! [`HttpRequest`] and from an [`HttpResponse`] to a [`Receipt`]. A [`Provider`] drives any of them, and is a
//! [`Transport`](posthaste_transport::Transport): deadlines, kept connections, `Retry-After`, bounded answers, redaction, and what
//! may be repeated are the same for all.
//!
//! ```
//! # #[cfg(feature = "client")]
//! # async fn send() -> Result<(), Box<dyn std::error::Error>> {
//! use posthaste_mime::Message;
//! use posthaste_providers::{Provider, SendGrid};
//! use posthaste_transport::TransportExt;
//!
//! let sendgrid = Provider::new(SendGrid::new("SG.key")?)?;
//! let message = Message::builder()
//!     .from("ada@example.org".parse()?)
//!     .to("bob@example.net".parse()?)
//!     .subject("Hello")
//!     .text("First line")
//!     .build()?;
//! let outcome = sendgrid.send_message(message).await?;
//! assert!(outcome.is_complete());
//! # Ok(())
//! # }
//! ```
//!
//! # Where to look
//!
//! - The providers: [`SendGrid`], [`Postmark`] and the others, each with what tags, metadata, streams and templates mean there, and the
//!   URL that makes it. [`connect`] makes any by its URL; [`providers`] lists them all.
//! - `Generic` and `Description` (feature `generic`): any other provider, described by a small file of TOML.
//! - [`Batch`], [`BatchTransport`]: stored templates, and data of each recipient's own.
//! - [`Provider`]: the driver and what can be set on it. [`ProviderError`]: what a provider said, behind a `SendError`. [`RateHeaders`]: which
//!   header fields say what is left of a limit on calls; `Outcome::rate` and [`ProviderError::rate`] tell it.
//! - [`Adapter`], [`Submission`], [`Json`], [`Form`], [`Receipt`], [`Fault`]: for an adapter of your own.
//! - [`HttpClient`]: for a client of your own; `ReqwestClient` is the one that comes with the crate (feature `client`).
//!
//! # Standards
//!
//! RFC 9110 (HTTP; §10.2.3 `Retry-After`), 8259 (JSON), 7578 (forms), 4648 (base64).
#![cfg_attr(docsrs, feature(doc_cfg))]

mod adapter;
mod adapters;
mod addresses;
mod attachments;
mod batch;
mod driver;
mod error;
mod form;
mod hex;
mod http;
mod json;
mod moment;
mod oauth2;
mod rate;
mod receipt;
mod registry;
mod secret;
mod settings;
mod submission;
mod words;

pub use adapter::{Adapter, AuthorizeFuture, Context, Profile};
pub use adapters::{
    AmazonSes, AwsCredentials, AwsKeys, Azure, Brevo, Cloudflare, CredentialsError, Gmail, MailerSend, Mailgun,
    Mailjet, Mailtrap, Mandrill, MicrosoftGraph, Postal, Postmark, Resend, Scaleway, SendGrid, SesContent, SparkPost,
    UnisenderGo, ZeptoMail,
};
#[cfg(feature = "generic")]
#[cfg_attr(docsrs, doc(cfg(feature = "generic")))]
pub use adapters::{Description, DescriptionError, Generic};
pub use batch::{Batch, BatchFuture, BatchOutcome, BatchTransport, Personal, Recipients};
pub use driver::Provider;
pub use error::ProviderError;
pub use form::Form;
#[cfg(feature = "client")]
#[cfg_attr(docsrs, doc(cfg(feature = "client")))]
pub use http::{ClientError, ReqwestClient};
pub use http::{HttpClient, HttpError, HttpFuture, HttpRequest, HttpResponse, Method, Progress};
pub use json::Json;
pub use oauth2::{OAuth2, StoreFuture, TokenStore};
pub use rate::RateHeaders;
pub use receipt::{CopyReceipt, Fault, Receipt};
pub use registry::{Entry, FromSettings, connect, providers};
pub use secret::{Secret, SecretError};
pub use settings::{Settings, SettingsError};
pub use submission::{Copy, Submission};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
