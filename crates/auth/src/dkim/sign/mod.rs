//! Signing.

mod builder;
mod error;
mod field;
mod header_names;
mod identity;
mod join;
mod signer;

pub use builder::{SignerBuilder, SignerError};
pub(crate) use builder::{check_names, check_record};
pub use error::SignError;
pub(crate) use header_names::HeaderNames;
pub(crate) use identity::Key;
pub(crate) use signer::{LATEST, check_header, is_plausible};
pub use signer::{SignFuture, Signer};
