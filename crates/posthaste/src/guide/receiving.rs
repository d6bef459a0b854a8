//! Who really sent a mail that came in, asked before it is accepted.
//!
//! An [`Authenticator`](crate::auth::Authenticator) takes what is known of the connection and the octets of the message, and says
//! what SPF, DKIM, ARC and DMARC make of it. Refuse while the client is there: it tells the sender, and nothing bounces.
//!
//! ```
//! use std::net::{IpAddr, Ipv4Addr};
//! use std::sync::Arc;
//! use std::time::SystemTime;
//!
//! use posthaste::address::Recipient;
//! use posthaste::auth::dmarc::{DmarcResult, Policy};
//! use posthaste::auth::{Authenticator, Connection, authres};
//! use posthaste::dns::Zone;
//! use posthaste::smtp::server::{Handler, HandlerFuture, Incoming, Server, Session, Verdict};
//! use posthaste::{Mailer, Message};
//!
//! const NAME: &str = "mx.example.net";
//!
//! struct Gate(Authenticator);
//!
//! impl Gate {
//!     async fn judge(&self, incoming: &Incoming) -> Verdict {
//!         // Fields that claim to come from here were written by somebody else.
//!         let message = authres::strip(incoming.content(), NAME);
//!         let ip = incoming.peer_ip().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
//!         let mail_from = incoming.envelope().mail_from().cloned();
//!         let connection = Connection::new(ip, incoming.helo().unwrap_or_default(), mail_from);
//!
//!         let report = self.0.authenticate(&connection, &message, SystemTime::now()).await;
//!         match (report.dmarc().result(), report.dmarc().disposition()) {
//!             (DmarcResult::TempError, _) => Verdict::defer(451, (7, 24), "the DNS does not answer"),
//!             (DmarcResult::Fail, Policy::Reject) => Verdict::refuse(550, (7, 26), "the From domain asks to refuse this"),
//!             _ => {
//!                 let field = report.authentication_results(NAME); // goes in front of the message
//!                 assert!(field.starts_with("Authentication-Results: mx.example.net"));
//!                 Verdict::accept() // once it is stored
//!             }
//!         }
//!     }
//! }
//!
//! impl Handler for Gate {
//!     fn rcpt<'a>(&'a self, _: &'a Session, recipient: &'a Recipient) -> HandlerFuture<'a, Verdict> {
//!         let ours = recipient.address().domain().as_str() == "example.net";
//!         Box::pin(async move { if ours { Verdict::accept() } else { Verdict::relay_denied() } })
//!     }
//!
//!     fn data<'a>(&'a self, _: &'a Session, incoming: Incoming) -> HandlerFuture<'a, Verdict> {
//!         Box::pin(async move { self.judge(&incoming).await })
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let zone = Zone::parse(concat!(
//!     "example.org.        TXT \"v=spf1 ip4:127.0.0.1 -all\"\n",
//!     "_dmarc.example.org. TXT \"v=DMARC1; p=reject\"\n",
//!     "bank.example.        TXT \"v=spf1 -all\"\n",
//!     "_dmarc.bank.example. TXT \"v=DMARC1; p=reject\"\n",
//! ))?; // in production a HickoryResolver
//! let server = Server::builder(Gate(Authenticator::new(Arc::new(zone)))).hostname(NAME).bind("127.0.0.1:0").await?;
//! let mailer = Mailer::builder(posthaste::connect(&format!("smtp://{}?tls=none", server.local_addr()))?).build();
//! let serving = tokio::spawn(server.serve_until(std::future::pending()));
//!
//! let from = |author: &str| -> Result<Message, Box<dyn std::error::Error>> {
//!     let to = "bob@example.net".parse()?;
//!     Ok(Message::builder().from(author.parse()?).to(to).subject("Hello").text("First line").build()?)
//! };
//! assert!(mailer.send(from("ada@example.org")?).await?.is_complete());
//! assert!(mailer.send(from("teller@bank.example")?).await.is_err());
//! # serving.abort();
//! # Ok(())
//! # }
//! ```
//!
//! [`AuthReport`](crate::auth::AuthReport) says more than the result: each signature with its reason, how each authenticated
//! domain stands to that of From, which tag of the record decides, and what the DNS was asked. `cargo run --example verify` prints
//! it for a file. Wrap the call in your runtime's time-out: its work is bounded by count, not by time.
