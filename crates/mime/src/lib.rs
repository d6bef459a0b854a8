//! Builds RFC 5322 messages and MIME trees that cannot be injected into, and edits received ones byte for byte.
//!
//! This crate turns typed parts into bytes. It does no I/O and knows no transport; hand the bytes to
//! [`posthaste-transport`] or to any SMTP client. It reads messages as far as passing them on needs it; it is no mail
//! reader.
//!
//! ```
//! use posthaste_mime::{Attachment, ContentType, Message};
//!
//! let message = Message::builder()
//!     .from("Ada <ada@example.org>".parse()?)
//!     .to("bob@example.net".parse()?)
//!     .subject("Hello")
//!     .text("First line")
//!     .attach(Attachment::new("notes.txt", ContentType::parse("text/plain")?, "remember")?)
//!     .build()?;
//! assert!(message.to_bytes()?.starts_with(b"From: Ada <ada@example.org>\r\n"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where to look
//!
//! - [`Message`] and [`MessageBuilder`]: headers, bodies, attachments; [`BuildError`] lists what is wrong.
//! - [`Prototype`]: what many messages have in common, laid out once.
//! - [`Attachment`], [`ContentType`], [`ContentId`], [`FileName`]: parts and their names.
//! - [`HeaderName`], [`HeaderValue`], [`MessageId`], [`ListUnsubscribe`], [`ListCommands`], [`ListId`], [`Precedence`],
//!   [`Importance`], [`FeedbackId`]: headers that cannot hold more than one header.
//! - [`Calendar`]: an invitation. [`Report`]: what makes a message a bounce ([`DeliveryStatus`]), a read receipt
//!   ([`DispositionNotification`]), a complaint ([`FeedbackReport`]) or a TLS report.
//! - [`text_from_html`]: the text alternative of an HTML body. [`Flowed`]: text that readers fit to their window. [`Charset`]:
//!   text for readers that know no UTF-8.
//! - [`RawMessage`], [`RawField`], [`RawPart`]: a received message, to look into and edit; [`RawDefect`] names what readers
//!   take in different ways, [`RawOptions`] holds the limits.
//! - [`Policy`]: what a service takes, Amazon SES for one: sizes, header fields, recipients, file names; asked before a message
//!   is sent.
//! - [`Generator`]: where dates, Message-IDs and boundaries come from; fixed for tests.
//! - [`Rope`]: the bytes, in chunks that messages share.
//! - [`Source`] and [`FileSource`]: attachments that are read when they are needed, so that a large one is never held.
//!
//! # Choices
//!
//! - The builder picks the nesting: `mixed(alternative(text, AMP, related(HTML, inline parts), calendar), attachments)`, each
//!   multipart only where it holds more than one part; `report(body, report, what is returned)` for a report.
//! - Text bodies and the subject are UTF-8 unless another [`Charset`] is asked for, and then a character that it does not have
//!   is an error, never another one or a question mark. Everything else is UTF-8.
//! - Short-lined ASCII goes out as 7bit; other text as quoted-printable or base64, whichever is shorter; text with control
//!   characters as base64. Line breaks of any kind become CRLF. Nothing is ever 8-bit but addresses whose local part is not
//!   ASCII.
//! - The size of a message is known before anything is encoded or read: [`Message::encoded_len`].
//! - Attachments are base64; `message/*` is 7bit or refused (RFC 2046 §5.2.1).
//! - A streamed attachment is always base64, so that all but its bytes is known without reading it; it is read each time the
//!   message is written, and must then give what it gave the first time.
//! - Domains are written as A-labels, local parts as they are (RFC 6532).
//! - Control characters and Unicode line breaks are errors in every header, never removed or replaced.
//! - A text body that does not end with a line break is not given one; transports add it on the wire.
//! - In received messages the first of several equal fields or parameters counts, a line that is no field is kept and
//!   skipped, encoded-words count in names and file names but never in addresses, and nothing that is decoded for display
//!   holds a control character.
//!
//! # Standards
//!
//! RFC 5322, 2045, 2046, 2047, 2183, 2231, 2369, 2387, 2392, 2919, 3464, 3676, 3834, 5546, 5965, 6047, 6522, 6532, 6533, 6591, 7103,
//! 8058, 8098, 8460.
//!
//! [`posthaste-transport`]: https://docs.rs/posthaste-transport
#![cfg_attr(docsrs, feature(doc_cfg))]

mod attachment;
mod body;
mod builder;
mod calendar;
mod charset;
mod check;
mod content;
mod content_type;
mod date;
mod encoded_word;
mod error;
mod file_name;
mod flowed;
mod fold;
mod further;
mod generator;
mod header;
mod html_text;
mod layout;
mod list;
mod message;
mod message_id;
mod parameter;
mod policy;
mod precedence;
mod prototype;
mod raw;
mod readable;
mod report;
mod rope;
mod source;
mod streamed;
mod text;

pub use attachment::Attachment;
pub use builder::MessageBuilder;
pub use calendar::{Calendar, CalendarMethod};
pub use charset::Charset;
pub use content_type::ContentType;
pub use error::{BuildError, BuildProblem, HeaderError};
pub use file_name::FileName;
pub use flowed::Flowed;
pub use generator::{Clock, Generator, IdSource};
pub use header::{HeaderName, HeaderValue};
pub use html_text::text_from_html;
pub use list::{AutoSubmitted, ListCommands, ListId, ListUnsubscribe};
pub use message::Message;
pub use message_id::{ContentId, MessageId};
pub use policy::{Policy, PolicyError, PolicyLimit, PolicyViolation};
pub use precedence::{FeedbackId, Importance, Precedence};
pub use prototype::Prototype;
pub use raw::{
    JunkLines, Parameters, RawDefect, RawError, RawField, RawFieldError, RawMessage, RawOptions, RawPart,
    RawRecipients, TransferEncoding,
};
pub use report::{
    DeliveryAction, DeliveryStatus, Disposition, DispositionNotification, FeedbackReport, FeedbackType,
    RecipientStatus, Report, StatusCode,
};
pub use rope::{Base64Alphabet, Chunks, Rope};
pub use source::{FileSource, Source};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
