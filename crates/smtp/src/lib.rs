//! SMTP both ways: a client transport, and a server that hands over what it accepted.
//!
//! [`SmtpTransport`] sends messages through one SMTP server and says what became of each recipient; [`server`] takes
//! messages in and leaves the decisions to a handler. Both are built from [`protocol`], which does no I/O. Queues, MX
//! lookups and the fetching of policies are not here.
//!
//! ```
//! use posthaste_smtp::{SmtpTransport, Tls};
//!
//! let relay = SmtpTransport::from_url("smtps://ada:secret@mail.example.org")?;
//! let local = SmtpTransport::builder("localhost").port(2525).tls(Tls::None).build()?;
//! # Ok::<(), posthaste_smtp::ConfigError>(())
//! ```
//!
//! # Where to look
//!
//! - [`SmtpTransport`], [`SmtpConfig`], [`Timeouts`]: the client. Its errors are
//!   [`SendError`](posthaste_transport::SendError)s with an [`SmtpError`] as their source.
//! - [`Preset`]: hosts, ports and ways of known services, by name or domain.
//! - [`Tls`], [`TlsPolicy`], [`TlsRequirement`]: when TLS is used, and what a server must show: [`Dane`] and [`MtaSts`] make such
//!   requirements, a [`CertificateCheck`] of your own judges certificates. The outcome's
//!   [`Security`](posthaste_transport::Security) says what was negotiated, a [`CertificateError`] why not.
//! - [`Mechanism`], [`TokenSource`]: how the client logs in.
//! - [`IpChoice`], [`Proxy`], [`SmtpConfig::bind`], [`SmtpConfig::socket`]: how the client reaches a server; [`Connector`] for
//!   other ways, and for tests in memory.
//! - [`SendmailTransport`]: the sendmail program of this machine.
//! - [`server`]: the server, with an example that sends a message from one to the other.
//! - [`testing`]: a server in two lines, for tests of programs that send mail.
//! - [`protocol`]: replies, commands, EHLO keywords, dot-stuffing and the end of a message, as values.
//!
//! # Features
//!
//! | feature | adds | pulls in |
//! | --- | --- | --- |
//! | `dns` | `SmtpConfig::srv`: the servers of a domain by its SRV records | posthaste-dns |
//!
//! # Standards
//!
//! RFC 5321, with 1870 (SIZE), 2034 (ENHANCEDSTATUSCODES), 2920 (PIPELINING), 3207 (STARTTLS), 3461 (DSN), 4954 (AUTH, with
//! PLAIN and LOGIN), 6152 (8BITMIME), 6531 (SMTPUTF8), 8314 (implicit TLS), 8689 (REQUIRETLS), 3030 (CHUNKING, without
//! BINARYMIME), 9422 (LIMITS), 2033 (LMTP), 7677 (SCRAM-SHA-256), 9266 (its channel binding), 4013 (SASLprep) and 7628
//! (OAUTHBEARER) on both sides; 2195 (CRAM-MD5, off unless asked for), 2852 (DELIVERBY) and 4865 (FUTURERELEASE) on the
//! client's, and 6186 with the feature `dns`; 5803 (stored SCRAM keys) and the PROXY protocol on the server's. TLS is 1.2 or
//! 1.3; 6698, 7671 and 7672 (DANE) and 8461 (MTA-STS) as they apply to a connection, on the client's side.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod client;
mod config;
mod connect;
mod error;
mod mechanism;
mod preset;
pub mod protocol;
mod secret;
mod sendmail;
pub mod server;
pub mod testing;
mod tls;
mod token;

pub use client::{PoolStatus, ScramError, SmtpTransport};
pub use config::{ConfigError, DeliverBy, DeliverByError, SmtpConfig, Timeouts};
pub use connect::{ConnectFuture, Connected, Connector, IpChoice, Proxy, ProxyError, SrvError, Stream};
pub use error::SmtpError;
pub use mechanism::Mechanism;
pub use preset::{Preset, PresetUser};
pub use secret::Secret;
pub use sendmail::{SendmailError, SendmailTransport};
pub use tls::{
    CertificateCheck, CertificateError, Dane, DaneError, DaneVerifier, MtaSts, MtaStsError, Presented, Tls, TlsPolicy,
    TlsPolicyFuture, TlsRequirement, TlsaAnswer, TlsaRecord,
};
pub use token::{TokenFuture, TokenSource};

/// Holds the README's code to what compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
