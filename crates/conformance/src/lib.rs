//! Checks that a transport keeps the contract of [`posthaste_transport::Transport`].
//!
//! One table of sentences ([`cases`]) is true of every transport: what is accepted is received, a hang-up after the final
//! dot is never reported as safe to retry, and so on. The runner picks by what the transport says it can do; nobody picks by
//! hand, so nobody forgets one, and what does not apply is printed as ignored, with the reason. It is meant for tests.
//!
//! ```
//! use std::sync::Arc;
//! use posthaste_conformance::{Answer, Received, Subject};
//! use posthaste_transport::{MemoryTransport, Transport};
//!
//! /// A transport that is its own peer, and can only be told to accept.
//! struct Memory(MemoryTransport);
//!
//! impl Subject for Memory {
//!     fn transport(&self) -> Arc<dyn Transport> {
//!         Arc::new(self.0.clone())
//!     }
//!
//!     fn can(&self, answer: Answer) -> bool {
//!         answer == Answer::Accept
//!     }
//!
//!     fn answer(&self, _: Answer) {}
//!
//!     fn received(&self) -> Vec<Received> {
//!         let received = self.0.sent().into_iter().map(|mail| {
//!             let mail_from = mail.envelope().mail_from().map(ToString::to_string);
//!             let recipients = mail.accepted().iter().map(ToString::to_string).collect::<Vec<_>>();
//!             Received::new(mail_from, recipients, mail.rope().to_bytes().unwrap_or_default())
//!         });
//!         received.collect()
//!     }
//! }
//!
//! // tests/conformance.rs, with `harness = false` in Cargo.toml:
//! // fn main() -> std::process::ExitCode { posthaste_conformance::run(..).exit_code() }
//! let summary = posthaste_conformance::run(|| Box::new(Memory(MemoryTransport::new())));
//! assert_eq!(summary.failed(), 0);
//! ```
//!
//! # Where to look
//!
//! - [`Subject`]: what you write. [`Answer`]: what your peer may be told. [`Received`]: what it took.
//! - [`run`]: runs the suite; [`Summary::exit_code`] is the test's. [`run_cases`] for a selection.
//! - [`FakeSmtp`]: a scriptable SMTP server on loopback, for any test; [`FakeSmtp::with_transport`] makes it a subject.
//!
//! # Standards
//!
//! What is checked rests on RFC 5321 (§4.2.1 replies, §4.5.2 dots, §4.5.5 null sender), RFC 1047 (lost answers), RFC 3461, RFC
//! 6152, RFC 6531 and RFC 8689.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod case;
mod cases;
mod fake_smtp;
mod mail;
mod runner;
mod source;
mod subject;

pub use case::{Case, Failure, Need};
pub use cases::cases;
pub use fake_smtp::{FakeSmtp, OverSmtp, Transaction};
pub use runner::{Summary, run, run_cases};
pub use subject::{Answer, Received, Subject};
