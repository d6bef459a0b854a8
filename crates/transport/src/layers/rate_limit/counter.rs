//! Where the counts are.

use std::hash::Hash;
use std::sync::Arc;

use posthaste_limit::{Decision, Limiter, SharedLimiter, StoreError};

/// Counts for one key: in this process, or in a store that many share.
#[derive(Clone, Debug)]
pub(super) enum Counter<K> {
    Own(Limiter<K>, K),
    Shared(Arc<dyn SharedLimiter>, String),
}

impl<K: Hash + Eq + Clone> Counter<K> {
    pub(super) async fn acquire(&self, n: u32) -> Result<Decision, StoreError> {
        match self {
            Self::Own(limiter, key) => Ok(limiter.try_acquire(key, n)),
            Self::Shared(limiter, key) => limiter.acquire(key, n).await,
        }
    }

    /// Gives back what was not used. If the store does not take it, it stays counted: that errs on the safe side.
    pub(super) async fn refund(&self, n: u32) {
        match self {
            Self::Own(limiter, key) => limiter.refund(key, n),
            Self::Shared(limiter, key) => {
                let _ = limiter.refund(key, n).await;
            }
        }
    }
}
