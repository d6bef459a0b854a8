//! Signing.

mod builder;
mod error;
mod field;
mod header_names;
mod identity;
mod join;
mod signer;

pub use builder::{SignerBuilder, SignerError};
pub use error::SignError;
pub use signer::{SignFuture, Signer};
