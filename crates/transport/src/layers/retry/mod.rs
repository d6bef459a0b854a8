//! Tries again what is safe to try again.
//!
//! Right: the retry around the limit, so that every attempt counts against the rate.
//!
//! ```text
//! smtp.layer(RateLimit::new(limiter, key)).layer(Retry::new(policy))
//! ```
//!
//! Wrong: the limit around the retry. Three attempts then count as one, and go out faster than the rate allows.
//!
//! ```text
//! smtp.layer(Retry::new(policy)).layer(RateLimit::new(limiter, key))
//! ```

mod jitter;
mod layer;
mod merge;
mod policy;
mod transport;

pub use jitter::{FixedJitter, Jitter, SystemJitter};
pub use layer::Retry;
pub(super) use merge::{Ledger, Next};
pub use policy::RetryPolicy;
pub use transport::Retrying;

#[cfg(test)]
mod tests;
