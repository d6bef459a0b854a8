//! Waits until a rate and a quota allow a send.
//!
//! Right: the limit next to the transport, inside the retry, so that every attempt counts.
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

mod counter;
mod layer;
mod transport;

pub use layer::RateLimit;
pub use transport::RateLimited;

#[cfg(test)]
mod tests;
