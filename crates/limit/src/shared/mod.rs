//! Limits that may be shared by many processes.

mod error;
#[cfg(any(feature = "postgres", feature = "redis"))]
mod limits;
mod outage;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

pub use error::{StoreError, StoreErrorKind};
pub use outage::{OnOutage, WithOutage};
#[cfg(feature = "postgres")]
pub use postgres::{PostgresLimiter, PostgresLimiterBuilder};
#[cfg(feature = "redis")]
pub use redis::{RedisLimiter, RedisLimiterBuilder};

use crate::{Allowance, Decision, Limiter};

/// What the methods of [`SharedLimiter`] return: a boxed future that may move between threads.
pub type SharedFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Holds every key to a limit, wherever the counts are kept.
///
/// The contract, which one suite checks for [`Limiter`] and for every store of this crate:
///
/// - Rate and quota are taken together or not at all, in one step, whoever else is asking.
/// - What was used is counted for all that share the store.
/// - A call that fails may have been counted or not; it was never counted for less than it admitted.
///
/// It has no default methods, so that a wrapper cannot forget to forward one.
pub trait SharedLimiter: Debug + Send + Sync + 'static {
    /// Admits `n` for `key` now and counts them, or says how long to wait and counts nothing; as [`Limiter::try_acquire`].
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store does not answer. See [`SharedLimiterExt::on_outage`] for what to do then.
    fn acquire<'a>(&'a self, key: &'a str, n: u32) -> SharedFuture<'a, Decision>;

    /// Gives back `n` that were admitted for `key` and not used; as [`Limiter::refund`].
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store does not answer.
    fn refund<'a>(&'a self, key: &'a str, n: u32) -> SharedFuture<'a, ()>;

    /// Shows what `key` has left, and takes nothing; as [`Limiter::peek`].
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store does not answer.
    fn peek<'a>(&'a self, key: &'a str) -> SharedFuture<'a, Allowance>;
}

/// One process's limits, which never fail.
#[deny(clippy::missing_trait_methods)]
impl SharedLimiter for Limiter<String> {
    fn acquire<'a>(&'a self, key: &'a str, n: u32) -> SharedFuture<'a, Decision> {
        Box::pin(async move { Ok(self.try_acquire(key, n)) })
    }

    fn refund<'a>(&'a self, key: &'a str, n: u32) -> SharedFuture<'a, ()> {
        Box::pin(async move {
            Self::refund(self, key, n);
            Ok(())
        })
    }

    fn peek<'a>(&'a self, key: &'a str) -> SharedFuture<'a, Allowance> {
        Box::pin(async move { Ok(Self::peek(self, key)) })
    }
}

macro_rules! forward {
    ($($pointer:ident)+) => {$(
        #[deny(clippy::missing_trait_methods)]
        impl<L: SharedLimiter + ?Sized> SharedLimiter for $pointer<L> {
            fn acquire<'a>(&'a self, key: &'a str, n: u32) -> SharedFuture<'a, Decision> {
                (**self).acquire(key, n)
            }

            fn refund<'a>(&'a self, key: &'a str, n: u32) -> SharedFuture<'a, ()> {
                (**self).refund(key, n)
            }

            fn peek<'a>(&'a self, key: &'a str) -> SharedFuture<'a, Allowance> {
                (**self).peek(key)
            }
        }
    )+};
}

forward!(Arc Box);

/// Conveniences for callers; implemented for every [`SharedLimiter`].
pub trait SharedLimiterExt: SharedLimiter {
    /// Says what holds while the store does not answer.
    fn on_outage(self, choice: OnOutage) -> WithOutage<Self>
    where
        Self: Sized,
    {
        WithOutage::new(self, choice)
    }
}

impl<L: SharedLimiter + ?Sized> SharedLimiterExt for L {}
