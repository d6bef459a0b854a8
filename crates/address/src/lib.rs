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
//! - [`ParseOptions`]: address literals such as `user@[192.0.2.1]`, refused unless asked for; what a sign-up form may refuse.
//! - [`KeyRules`] and [`AddressKey`]: when two addresses count as one, for suppression lists and for finding duplicates.
//! - [`LenientList`]: what people type into a field for recipients, with what is wrong in it.
//! - [`Envelope`] and [`Recipient`]: who really gets a message, and what the sender wants to hear of it.
//!
//! # Features
//!
//! | name | what it adds | pulls in |
//! | --- | --- | --- |
//! | `serde` | `Serialize` and `Deserialize`: as strings, read with `FromStr`, so that address literals are refused (but in keys); [`Envelope`] and [`Recipient`] as maps | serde |
//!
//! # Standards
//!
//! RFC 5321 §4.1.2 and §4.1.3, RFC 5322 §3.4, RFC 6531, RFC 6532, RFC 3461, RFC 6533, RFC 8689, and RFC 5890 by way of
//! UTS 46 (non-transitional). Obsolete syntax is read in header fields, never written. Decided here:
//!
//! - Local parts are put into NFC, as RFC 6532 §3.1 recommends; any letters, symbols and punctuation of Unicode may stand in
//!   them, but no white space, no invisible or direction-changing character, no private use.
//! - U-labels must be valid; what is ASCII already is kept, an `xn--` label that IDNA would refuse included (behind an `@` it
//!   must be Punycode), as is a top-level label with digits. Whether a name exists is for DNS to say.
//! - An IPv6 literal may shorten a single group with `::`, as RFC 4291 does; it is written as RFC 5952 has it.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod delivery_status;
mod domain;
mod email;
mod envelope;
mod error;
mod group;
mod key;
mod lenient;
mod list;
mod local_part;
mod mailbox;
mod plain;
mod scanner;
#[cfg(feature = "serde")]
mod text;

pub use delivery_status::{EnvelopeId, Notify, OriginalRecipient, ReturnContent};
pub use domain::Domain;
pub use email::{EmailAddress, ParseOptions};
pub use envelope::{Envelope, Recipient};
pub use error::{AddressError, AddressErrorKind, EnvelopeError};
pub use group::{Address, Group};
pub use key::{AddressKey, KeyRules};
pub use lenient::{LenientList, Unreadable};
pub use list::AddressList;
pub use mailbox::Mailbox;

/// The README's example, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
