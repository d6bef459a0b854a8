//! Decides whether something may happen now, by a rate per second and a rolling 24-hour quota together.
//!
//! One call either admits `n` or says how long to wait; rate and quota are taken in the same step or not at all, so a
//! refusal costs nothing. The crate knows nothing of mail and never sleeps: waiting is the caller's business, and time is a
//! [`Clock`] that tests can hold still. It opens no sockets but those of the stores that many processes share, behind features.
//!
//! ```
//! use std::time::Duration;
//! use posthaste_limit::{Decision, Limit, Limiter, ManualClock};
//!
//! let clock = ManualClock::new();
//! let limiter = Limiter::<String>::builder(Limit::per_second(14)?.burst(20)?.per_day(50_000)?)
//!     .clock(clock.clone())
//!     .build();
//!
//! assert_eq!(limiter.try_acquire("tenant-7", 20), Decision::Admitted);
//! let Decision::Wait(wait) = limiter.try_acquire("tenant-7", 7) else { unreachable!() };
//! assert_eq!(wait, Duration::from_millis(500));
//!
//! clock.advance(wait);
//! assert_eq!(limiter.try_acquire("tenant-7", 7), Decision::Admitted);
//! assert_eq!(limiter.peek("tenant-7").quota_left(), Some(50_000 - 27));
//! # Ok::<(), posthaste_limit::LimitError>(())
//! ```
//!
//! # Where to look
//!
//! - [`Limit`]: what is allowed: [`Rate`], burst, quota.
//! - [`Limiter`]: one limit for each key, shared by all its clones; [`Throttle`]: the same without keys.
//! - [`Decision`]: the answer; [`Allowance`]: what is left.
//! - [`Clock`]: [`SystemClock`] and [`ManualClock`], and `QuantaClock` for who decides millions of times a second.
//! - [`Snapshot`]: a key's state, to survive a restart.
//! - [`SharedLimiter`]: what [`Limiter`] and the limiters in a store have in common; `RedisLimiter` and `PostgresLimiter`: one
//!   limit for many processes; [`OnOutage`]: what holds while the store is down.
//!
//! # What is guaranteed
//!
//! **The rate is exact.** It is kept as a fraction of whole numbers and decided in whole nanoseconds (GCRA, the generic
//! cell rate algorithm), so 14 per second is 14 per second for ever. In every span of `t` seconds, at most
//! `burst + rate × t` are admitted, and a wait is never a nanosecond longer than that rule asks.
//!
//! **The quota is a true rolling window.** In every span of 24 hours, at most the quota is admitted. Admissions are counted in
//! buckets of five minutes, at most 289 a key, and a bucket is forgotten when the *last* moment that it may hold is
//! 24 hours old. So the count errs on the safe side only: a place in the quota comes free up to five minutes late,
//! never early.
//!
//! **Memory is bounded.** Keys that are back at their full allowance can be dropped without anyone noticing, and are. If
//! more keys than [`max_keys`](LimiterBuilder::max_keys) are busy, the newcomers share one allowance until there is room again;
//! no flood of keys makes the table grow, and none buys a key more than its limit.
//!
//! # Shared by many processes
//!
//! `RedisLimiter` and `PostgresLimiter` keep the counts in a server and decide there, rate and quota in one step and one round trip,
//! by the server's clock. They hold to the same rules, in microseconds, and pass the same tests. Every call is bounded by a
//! time-out; whether nothing, everything or a local share is admitted while the server is down is the caller's choice:
//!
//! ```
//! use posthaste_limit::{Limit, Limiter, OnOutage, SharedLimiter, SharedLimiterExt};
//!
//! async fn send_one(limiter: &impl SharedLimiter) -> Result<(), posthaste_limit::StoreError> {
//!     if limiter.acquire("tenant-7", 1).await?.is_admitted() { /* send */ }
//!     Ok(())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // In one process; in many: RedisLimiter::new("redis://127.0.0.1/", limit)?
//! let limit = Limit::per_second(14)?;
//! let limiter = Limiter::<String>::new(limit).on_outage(OnOutage::Admit);
//! send_one(&limiter).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! | name | adds | dependency |
//! | --- | --- | --- |
//! | `redis` | `RedisLimiter`, for Redis and Valkey | redis, tokio |
//! | `postgres` | `PostgresLimiter` | sqlx, tokio, rustls, aws-lc-rs |
//! | `quanta` | `QuantaClock`, which reads the processor's counter | quanta |
//! | `serde` | `Serialize` and `Deserialize` for [`Snapshot`] | serde |
#![cfg_attr(docsrs, feature(doc_cfg))]

mod clock;
mod decision;
mod history;
mod limit;
mod limiter;
mod shard;
mod shared;
mod snapshot;
mod state;
mod throttle;

#[cfg(feature = "quanta")]
#[cfg_attr(docsrs, doc(cfg(feature = "quanta")))]
pub use clock::QuantaClock;
pub use clock::{Clock, ManualClock, SystemClock};
pub use decision::{Allowance, Decision};
pub use limit::{Limit, LimitError, Rate};
pub use limiter::{Limiter, LimiterBuilder};
pub use shared::{OnOutage, SharedFuture, SharedLimiter, SharedLimiterExt, StoreError, StoreErrorKind, WithOutage};
#[cfg(feature = "postgres")]
#[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
pub use shared::{PostgresLimiter, PostgresLimiterBuilder};
#[cfg(feature = "redis")]
#[cfg_attr(docsrs, doc(cfg(feature = "redis")))]
pub use shared::{RedisLimiter, RedisLimiterBuilder};
pub use snapshot::Snapshot;
pub use throttle::Throttle;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
