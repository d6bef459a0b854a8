//! Parses email addresses, domains, mailboxes and envelopes once, into values that are valid ever after.
//!
//! No value of this crate can hold CR, LF or NUL, so none can smuggle a header field or an SMTP command. The crate does no
//! I/O and knows nothing of messages.
//!
//! ```
//! use posthaste_address::{EmailAddress, Mailbox};
//!
//! let mailbox: Mailbox = "Jürgen Groß <juergen@bücher.example>".parse()?;
//! assert_eq!(mailbox.name(), Some("Jürgen Groß"));
//! assert_eq!(mailbox.address().to_string(), "juergen@xn--bcher-kva.example");
//! assert_eq!(mailbox.address().to_unicode(), "juergen@bücher.example");
//! assert!(!mailbox.address().needs_smtputf8());
//!
//! let error = "ada@@example.org".parse::<EmailAddress>().unwrap_err();
//! assert_eq!(error.to_string(), "character not allowed at byte 4");
//! # Ok::<(), posthaste_address::AddressError>(())
//! ```
//!
//! # Where to look
//!
//! - [`EmailAddress`] and [`Domain`]: what SMTP routes by.
//! - [`Mailbox`], [`Group`], [`Address`] and [`AddressList`]: what stands in header fields.
//! - [`Envelope`] and [`Recipient`]: who really gets a message, and what the sender wants to hear of it.
//!
//! # Features
//!
//! | name | what it adds | pulls in |
//! | --- | --- | --- |
//! | `serde` | `Serialize` and `Deserialize`, as strings | serde |
//!
//! # Standards
//!
//! RFC 5321 §4.1.2 and §4.1.3, RFC 5322 §3.4, RFC 6531, RFC 3461, RFC 5890 by way of UTS 46 (non-transitional). Obsolete
//! syntax is read in lists, never written.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod domain;
mod email;
mod envelope;
mod error;
mod list;
mod mailbox;
#[cfg(feature = "serde")]
mod text;

pub use domain::Domain;
pub use email::{EmailAddress, ParseOptions};
pub use envelope::{Envelope, EnvelopeId, Notify, OriginalRecipient, Recipient, ReturnContent};
pub use error::{AddressError, AddressErrorKind, EnvelopeError};
pub use list::AddressList;
pub use mailbox::{Address, Group, Mailbox};
