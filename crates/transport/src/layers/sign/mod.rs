//! Puts DKIM signatures in front of a message (RFC 6376).
//!
//! Right: the signature outermost, so that a message is signed once however often it is tried, and nothing changes it after.
//!
//! ```text
//! smtp.layer(Retry::new(policy)).layer(Sign::new(signer))
//! ```
//!
//! Wrong: the signature inside the retry, where every attempt costs a private-key operation, or outside a layer that edits
//! the message, where the signature breaks.
//!
//! ```text
//! smtp.layer(Sign::new(signer)).layer(Retry::new(policy))
//! ```

mod hashing;
mod layer;
mod transport;

pub use layer::Sign;
pub use transport::Signed;

#[cfg(test)]
mod tests;
