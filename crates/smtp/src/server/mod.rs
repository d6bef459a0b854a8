//! A server that hands accepted messages to a handler.
//!
//! The server speaks the protocol and keeps to its [`Limits`]; a [`Handler`] decides what is accepted. A message is
//! acknowledged only after [`Handler::data`] returned, or [`Handler::content`], which reads it as it comes: store it first,
//! then accept it. Messages end at CR LF `.` CR LF and
//! at nothing else; one with a bare CR or LF in it is refused and its connection closed.
//!
//! # Where to look
//!
//! - [`Server::submission`], [`Server::relay`], [`Server::mx`], [`Server::lmtp`]: the roles; [`ServerBuilder`] has every setting.
//! - [`Handler`]: the decisions; [`Content`]: a message as it streams in; [`Verdict`]: the reply.
//! - [`Limits`]: what one connection may use; [`Rates`]: what one client may do in a time.
//! - [`Credentials`], [`BearerToken`], [`ScramKeys`]: what a login is checked with; [`Identity`]: who logged in.
//! - [`Network`]: for whom a relay relays, and which load balancers are believed.
//! - [`BoundServer::serve_until`]: serving, and stopping without losing what was begun.
//!
//! # Memory
//!
//! A connection that waits holds no buffers: some 3 KB, 11 KB under TLS. One that sends a message holds at most 64 KiB of it
//! besides what the handler keeps, unless the handler takes it whole: then the size limit holds, and for all connections
//! together [`Limits::memory`].
//!
//! # Examples
//!
//! A server and a client on this machine:
//!
//! ```
//! use posthaste_mime::Message;
//! use posthaste_smtp::server::{Handler, HandlerFuture, Incoming, Server, Session, Verdict};
//! use posthaste_smtp::{SmtpTransport, Tls};
//! use posthaste_address::Recipient;
//! use posthaste_transport::TransportExt;
//!
//! struct Postbox(tokio::sync::mpsc::UnboundedSender<Incoming>);
//!
//! impl Handler for Postbox {
//!     fn rcpt<'a>(&'a self, _: &'a Session, recipient: &'a Recipient) -> HandlerFuture<'a, Verdict> {
//!         let known = recipient.address().domain().as_str() == "example.net";
//!         Box::pin(async move { if known { Verdict::accept() } else { Verdict::relay_denied() } })
//!     }
//!
//!     fn data<'a>(&'a self, _: &'a Session, incoming: Incoming) -> HandlerFuture<'a, Verdict> {
//!         Box::pin(async move {
//!             match self.0.send(incoming) {
//!                 Ok(()) => Verdict::accept_with("queued as 1"),
//!                 Err(_) => Verdict::defer(451, (3, 0), "try again later"),
//!             }
//!         })
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (postbox, mut arrived) = tokio::sync::mpsc::unbounded_channel();
//! let server = Server::builder(Postbox(postbox)).hostname("mx.example.net").bind("127.0.0.1:0").await?;
//! let port = server.local_addr().port();
//! let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
//! let serving = tokio::spawn(server.serve_until(async { stopped.await.unwrap_or_default() }));
//!
//! let transport = SmtpTransport::builder("127.0.0.1").port(port).tls(Tls::None).build()?;
//! let message = Message::builder()
//!     .from("Ada <ada@example.org>".parse()?)
//!     .to("bob@example.net".parse()?)
//!     .subject("Hello")
//!     .text("First line")
//!     .build()?;
//! let outcome = transport.send_message(message).await?;
//! assert_eq!(outcome.provider_id(), Some("1"));
//!
//! let incoming = arrived.recv().await.ok_or("nothing arrived")?;
//! assert_eq!(incoming.envelope().recipients().len(), 1);
//! assert!(incoming.content().starts_with(b"From: Ada"));
//!
//! let _ = stop.send(());
//! serving.await?;
//! # Ok(())
//! # }
//! ```

mod builder;
mod content;
mod conversation;
mod handler;
mod header;
mod identity;
mod incoming;
mod limits;
mod listener;
mod login;
mod network;
mod opening;
mod rates;
mod receive;
mod session;
mod talk;
mod transaction;
mod verdict;
mod visitors;

pub use builder::{BindError, Server, ServerBuilder};
pub use content::{Content, Incomplete};
pub use handler::{Handler, HandlerFuture, Login, StoredLogin};
pub use identity::{Credentials, Identity};
pub use incoming::Incoming;
pub use limits::Limits;
pub use listener::BoundServer;
pub use login::{BearerToken, ScramKeys, ScramKeysError};
pub use network::{Network, NetworkError};
pub use rates::Rates;
pub use session::{Encryption, Session};
pub use verdict::Verdict;
