//! Where outcomes are remembered.

use std::error::Error;
use std::fmt::{self, Debug};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use crate::Outcome;

/// What the methods of [`OutcomeStore`] return.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Remembers the outcomes of sends by their idempotency keys.
///
/// A key is free, open or settled. [`claim`](Self::claim) makes a free one open, for one caller alone however many ask at once: so
/// that a program that dies under way leaves it open.
pub trait OutcomeStore: Debug + Send + Sync + 'static {
    /// Opens a key that is free, or says what it is.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store does not answer.
    fn claim<'a>(&'a self, key: &'a str, now: SystemTime) -> StoreFuture<'a, Claim>;

    /// Settles a key that the caller claimed.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store does not answer.
    fn settle<'a>(&'a self, key: &'a str, outcome: &'a Outcome, now: SystemTime) -> StoreFuture<'a, ()>;

    /// Frees a key that the caller claimed.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store does not answer.
    fn release<'a>(&'a self, key: &'a str) -> StoreFuture<'a, ()>;
}

/// What a key is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Claim {
    /// It was free, and is the caller's now.
    Mine,
    /// A send with it began, and its end is not known.
    Open,
    /// A send with it was accepted.
    Settled(Box<Outcome>),
}

/// Says that a store does not answer.
#[derive(Debug)]
pub struct StoreError(Box<dyn Error + Send + Sync>);

impl StoreError {
    /// Wraps what the store says.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the store of outcomes does not answer")
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

#[deny(clippy::missing_trait_methods)]
impl<S: OutcomeStore + ?Sized> OutcomeStore for Arc<S> {
    fn claim<'a>(&'a self, key: &'a str, now: SystemTime) -> StoreFuture<'a, Claim> {
        (**self).claim(key, now)
    }

    fn settle<'a>(&'a self, key: &'a str, outcome: &'a Outcome, now: SystemTime) -> StoreFuture<'a, ()> {
        (**self).settle(key, outcome, now)
    }

    fn release<'a>(&'a self, key: &'a str) -> StoreFuture<'a, ()> {
        (**self).release(key)
    }
}
