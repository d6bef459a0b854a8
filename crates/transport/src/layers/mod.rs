//! Transports around transports.
//!
//! | layer | what it adds | feature |
//! | --- | --- | --- |
//! | [`Retry`] | tries again what is safe to try again | |
//! | [`Failover`], [`RoundRobin`] | several transports as one, in order or by turns | |
//! | [`CircuitBreaker`] | asks nothing of a transport that is down | |
//! | [`ConcurrencyLimit`] | holds how many sends are under way at once | |
//! | [`Redirect`] | sends everything to somebody else, for staging | |
//! | [`DryRun`] | does all but the sending | |
//! | [`Preview`] | writes each mail as a page that a browser shows | |
//! | [`Capture`] | keeps the last sends that passed | |
//! | [`Idempotency`] | sends once for a key, whatever is behind | |
//! | `Trace` | makes a span of each send | `tracing` |
//! | `Measure` | counts sends and takes their time | `metrics` |
//! | `Suppress` | leaves out whom a suppression list names | `suppression` |
//! | `RateLimit` | waits until a rate and a quota allow a send | `limit` |
//! | `Sign` | puts DKIM signatures in front of a message | `sign` |
//!
//! The layer added last sees a send first. From outside in, this order does what most senders want: retry, then limit (so
//! that each attempt counts), then the transport; sign outermost, so that a message is signed once and not once an
//! attempt:
//!
//! ```
//! # #[cfg(all(feature = "limit", feature = "sign"))]
//! # fn stack(
//! #     smtp: posthaste_transport::MemoryTransport,
//! #     limiter: posthaste_limit::Limiter<String>,
//! #     signer: posthaste_auth::dkim::Signer,
//! # ) {
//! use posthaste_transport::TransportExt;
//! use posthaste_transport::layers::{RateLimit, Retry, RetryPolicy, Sign};
//!
//! let transport = smtp
//!     .layer(RateLimit::new(limiter, "relay".to_owned()))
//!     .layer(Retry::new(RetryPolicy::default()))
//!     .layer(Sign::new(signer));
//! # }
//! ```

mod breaker;
mod capture;
mod concurrency;
mod dry_run;
mod failover;
mod health;
mod idempotency;
#[cfg(feature = "metrics")]
mod measure;
mod preview;
#[cfg(feature = "limit")]
mod rate_limit;
mod redirect;
mod retry;
#[cfg(feature = "sign")]
mod sign;
#[cfg(feature = "suppression")]
mod suppress;
#[cfg(feature = "tracing")]
mod trace;

pub use breaker::{Breaking, CircuitBreaker};
pub use capture::{Capture, Capturing, Passed};
pub use concurrency::{ConcurrencyLimit, ConcurrencyLimited};
pub use dry_run::{DryRun, DryRunning};
pub use failover::{Failover, FailoverError, RoundRobin};
pub use health::HealthPolicy;
pub use idempotency::{Claim, Idempotency, Idempotent, MemoryOutcomes, OutcomeStore, StoreError, StoreFuture};
#[cfg(feature = "metrics")]
#[cfg_attr(docsrs, doc(cfg(feature = "metrics")))]
pub use measure::{Measure, Measured};
pub use preview::{Preview, Previewing};
#[cfg(feature = "limit")]
#[cfg_attr(docsrs, doc(cfg(feature = "limit")))]
pub use rate_limit::{RateLimit, RateLimited};
pub use redirect::{Redirect, Redirecting};
pub use retry::{FixedJitter, Jitter, Retry, RetryPolicy, Retrying, SystemJitter};
#[cfg(feature = "sign")]
#[cfg_attr(docsrs, doc(cfg(feature = "sign")))]
pub use sign::{Sign, Signed};
#[cfg(feature = "suppression")]
#[cfg_attr(docsrs, doc(cfg(feature = "suppression")))]
pub use suppress::{Suppress, Suppressing};
#[cfg(feature = "tracing")]
#[cfg_attr(docsrs, doc(cfg(feature = "tracing")))]
pub use trace::{Trace, Traced};
