//! Testing a program that sends mail.
//!
//! Give the program a [`MemoryTransport`](crate::MemoryTransport) and look at what it caught; a clone shares the mailbox.
//! Dates, Message-IDs and boundaries come from a [`Generator`](crate::Generator), so that bytes can be compared.
//!
//! ```
//! use std::time::{Duration, SystemTime};
//! use posthaste::{Generator, Mailer, MemoryTransport, Message};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let caught = MemoryTransport::new();
//! let mailer = Mailer::builder(caught.clone()).build();
//! let noon = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
//! let message = Message::builder()
//!     .from("ada@example.org".parse()?)
//!     .to("bob@example.net".parse()?)
//!     .subject("Hello")
//!     .text("First line")
//!     .generator(&Generator::fixed(noon, 7))
//!     .build()?;
//! mailer.send(message).await?;
//!
//! let sent = caught.sent();
//! assert_eq!(sent[0].envelope().recipients()[0].address().to_string(), "bob@example.net");
//! assert!(sent[0].rope().to_bytes()?.starts_with(b"From: ada@example.org\r\n"));
//! # Ok(())
//! # }
//! ```
//!
//! Behind the `smtp` feature there is a real server in two lines, `smtp::testing::TestServer`: it listens on loopback, keeps what
//! it takes, and refuses, hangs up, stalls or loses its reply when it is told to. `posthaste::connect(&server.url())` gives a
//! transport to it.
//!
//! For a transport of your own, `posthaste-conformance` has a fake SMTP peer that refuses, stalls and hangs up
//! on request, and the suite that every transport here must pass.
