//! Webhooks of providers: checked first, and only then read.
//!
//! A [`Receiver`] checks a [`Request`] as its provider wants it, and gives out a [`Verified`] one; that alone can be read. There is no
//! HTTP here: hand in what your server received, and answer what [`Parsed`] or the error says.
//!
//! ```
//! use std::time::{Duration, SystemTime};
//! use posthaste_events::event::EventKind;
//! use posthaste_events::webhook::{Postmark, Access, Receiver, Request};
//!
//! let receiver = Receiver::new(Postmark::new()).access(Access::basic("hooks", "a long password"));
//!
//! let body = r#"{"RecordType":"Delivery","MessageID":"883953f4","Recipient":"bob@example.net","DeliveredAt":"2026-01-02T03:04:05Z"}"#;
//! let request = Request::post("https://example.org/hooks/postmark", body)
//!     .header("Authorization", "Basic aG9va3M6YSBsb25nIHBhc3N3b3Jk");
//!
//! let parsed = receiver.verify(request, SystemTime::now())?.parse()?;
//! assert_eq!(parsed.events[0].kind, EventKind::Delivered);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is checked
//!
//! Signatures over the bytes as they came, in constant time, with each of several keys while they are changed; how old a request is, where
//! a time is signed; that a token is not used for another body ([`ReplayGuard`]). [`Access`] is for providers that sign nothing, and can be
//! asked for besides of all others. Whoever wants to read what nobody checked says why: [`AcceptUnsigned::because`].
//!
//! A provider delivers again what was not answered with 200 in time, and some do it anyway: remember [`Event::id`](crate::event::Event::id)s.

mod access;
#[cfg(feature = "axum")]
pub mod axum;
mod destination;
mod error;
mod form;
mod hash;
pub(crate) mod instant;
mod item;
mod key;
mod parsed;
mod provider;
mod providers;
mod receiver;
mod replay;
mod request;
mod sns;
mod standard;
mod verified;
mod window;

pub use access::Access;
pub use destination::{Destination, DestinationError};
pub use error::{KeyError, ParseError, VerifyError};
pub use form::{Form, FormField};
pub(crate) use hash::hex;
pub(crate) use item::bare_id;
pub use parsed::{Control, Parsed, Problem};
pub use provider::{Evidence, Preparation, Provider};
pub use providers::{
    Azure, Brevo, MailerSend, Mailgun, Mailjet, Mailtrap, Mandrill, Postal, Postmark, Resend, Scaleway, SendGrid, Ses,
    SparkPost, UnisenderGo, ZeptoMail,
};
pub use receiver::{Limits, Receiver};
pub use replay::{Occurrence, RecentKeys, ReplayGuard};
pub use request::Request;
pub use sns::{CertificateError, CertificateFuture, CertificateSource, Sns};
pub use standard::{Signer, SigningSecret, StandardWebhooks};
pub use verified::{AcceptUnsigned, Proof, Verified};
pub use window::Window;
