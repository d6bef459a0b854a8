//! Messages as they are received: read and edited without touching the rest.

mod addresses;
mod base64;
mod charset;
mod date;
mod error;
mod field;
mod header;
mod lines;
mod message;
mod options;
mod parameters;
mod part;
mod quoted_printable;
mod walk;
mod words;

pub use addresses::RawRecipients;
pub use error::{RawDefect, RawError, RawFieldError};
pub use field::RawField;
pub use message::RawMessage;
pub use options::{JunkLines, RawOptions};
pub use parameters::Parameters;
pub use part::{RawPart, TransferEncoding};
