//! The SMTP protocol as values: parsers and writers that do no I/O.
//!
//! The client and the server of this crate are built from these, and so can be anything else that speaks SMTP: each
//! takes bytes as they come, in pieces of any size, and never holds more than its limit.
//!
//! - [`ReplyParser`] reads replies, [`Extensions`] what an EHLO reply announces;
//! - [`LineReader`] and [`Command`] read commands; [`Mail`] and [`Rcpt`] also write them;
//! - [`DotStuffer`] prepares a message for DATA, [`DataReader`] takes one in, [`DataDecoder`] piece by piece;
//! - [`ChunkDecoder`] takes one that comes by BDAT;
//! - [`ProxyHeader`] is what a load balancer says before the session begins;
//! - [`xtext`] is the encoding of DSN parameters.
//!
//! # Examples
//!
//! ```
//! use posthaste_smtp::protocol::ReplyParser;
//!
//! let mut parser = ReplyParser::new();
//! let (_, none) = parser.advance(b"550-5.7.606 Access denied\r\n550 5.7")?;
//! assert!(none.is_none());
//! let (_, reply) = parser.advance(b".606 banned\r\n")?;
//! let reply = reply.ok_or("incomplete")?;
//! assert_eq!(reply.code(), 550);
//! assert_eq!(reply.enhanced().map(|status| status.to_string()).as_deref(), Some("5.7.606"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod chunk;
mod command;
mod data;
mod encode;
mod extensions;
mod line;
mod parameter;
mod path;
mod proxy;
mod reply;
mod stuffing;
pub mod xtext;

pub use chunk::ChunkDecoder;
pub use command::{AuthInitial, Body, Command, CommandError, ForwardPath, Mail, Rcpt};
pub use data::{ContentFault, DataDecoder, DataReader};
pub use encode::EncodeError;
pub use extensions::Extensions;
pub use line::{LineFault, LineReader};
pub use proxy::{ProxyHeader, ProxyHeaderError, ProxyParse, ProxyTls};
pub use reply::{ReplyError, ReplyParser, WireReply};
pub use stuffing::{ContentError, DotStuffer, StuffedContent};

pub(crate) use encode::{MailLine, rcpt_line, word};
