//! What holds while a store does not answer.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use crate::{Allowance, Decision, Limiter, SharedFuture, SharedLimiter};

/// Says what holds while a store cannot be reached or does not answer in time.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum OnOutage {
    /// Nothing is admitted: the caller gets the error. Without the store nobody can say whether the limit is kept.
    #[default]
    Refuse,
    /// Everything is admitted and nothing counted. The limit may be exceeded.
    Admit,
    /// Each process holds its keys to limits of its own, say its share of the whole. With `p` processes at most `p` times those
    /// limits are admitted on top of what the store had admitted.
    Local(Limiter<String>),
}

/// A limiter that knows what to do while its store does not answer; made by
/// [`SharedLimiterExt::on_outage`](crate::SharedLimiterExt::on_outage).
///
/// Only an [outage](crate::StoreError::is_outage) is answered so: wrong settings, a key that cannot be and a store that refuses stay
/// errors. Each call asks the store first, so an outage ends with the first answer; it costs each call the store's time-out where the
/// store is silent, and next to nothing where it refuses connections.
///
/// What was admitted without the store is not given back to it: refunds make up for that first, so the store never counts less than it
/// admitted. For that, the names of keys that were admitted so are kept until as much is refunded; clones share them.
///
/// # Examples
///
/// ```
/// use posthaste_limit::{Limit, Limiter, OnOutage, SharedLimiter, SharedLimiterExt};
///
/// # fn example(shared: impl SharedLimiter) -> Result<(), posthaste_limit::LimitError> {
/// // Four processes share 40 a second; while the store is down each keeps to 10.
/// let own = Limiter::new(Limit::per_second(10)?);
/// let limiter = shared.on_outage(OnOutage::Local(own));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct WithOutage<L> {
    inner: L,
    choice: OnOutage,
    alone: Arc<Alone>,
}

impl<L> WithOutage<L> {
    pub(super) fn new(inner: L, choice: OnOutage) -> Self {
        Self {
            inner,
            choice,
            alone: Arc::default(),
        }
    }

    /// Returns the limiter inside.
    pub const fn get_ref(&self) -> &L {
        &self.inner
    }
}

#[deny(clippy::missing_trait_methods)]
impl<L: SharedLimiter> SharedLimiter for WithOutage<L> {
    fn acquire<'a>(&'a self, key: &'a str, n: u32) -> SharedFuture<'a, Decision> {
        Box::pin(async move {
            match self.inner.acquire(key, n).await {
                Err(error) if error.is_outage() => match &self.choice {
                    OnOutage::Refuse => Err(error),
                    OnOutage::Admit => {
                        self.alone.add(key, n);
                        Ok(Decision::Admitted)
                    }
                    OnOutage::Local(own) => {
                        let decision = own.try_acquire(key, n);
                        if decision.is_admitted() {
                            self.alone.add(key, n);
                        }
                        Ok(decision)
                    }
                },
                result => result,
            }
        })
    }

    fn refund<'a>(&'a self, key: &'a str, n: u32) -> SharedFuture<'a, ()> {
        Box::pin(async move {
            let alone = self.alone.take(key, n);
            if let OnOutage::Local(own) = &self.choice
                && alone > 0
            {
                own.refund(key, alone);
            }
            let counted = n - alone;
            if counted == 0 {
                return Ok(());
            }
            match self.inner.refund(key, counted).await {
                // It stays counted, which is on the safe side.
                Err(error) if error.is_outage() && !matches!(self.choice, OnOutage::Refuse) => Ok(()),
                result => result,
            }
        })
    }

    fn peek<'a>(&'a self, key: &'a str) -> SharedFuture<'a, Allowance> {
        Box::pin(async move {
            match self.inner.peek(key).await {
                Err(error) if error.is_outage() => match &self.choice {
                    OnOutage::Refuse => Err(error),
                    OnOutage::Admit => Ok(Allowance::boundless()),
                    OnOutage::Local(own) => Ok(own.peek(key)),
                },
                result => result,
            }
        })
    }
}

/// How much each key was admitted without the store, and has not given back.
#[derive(Debug, Default)]
struct Alone {
    admitted: Mutex<HashMap<String, u64>>,
}

impl Alone {
    fn add(&self, key: &str, n: u32) {
        let mut admitted = self.admitted.lock().unwrap_or_else(PoisonError::into_inner);
        let of_key = admitted.entry(key.to_owned()).or_default();
        *of_key = of_key.saturating_add(u64::from(n));
    }

    /// Takes up to `n` of what a key was admitted; returns how much.
    fn take(&self, key: &str, n: u32) -> u32 {
        let mut admitted = self.admitted.lock().unwrap_or_else(PoisonError::into_inner);
        if admitted.is_empty() {
            return 0;
        }
        let Entry::Occupied(mut of_key) = admitted.entry(key.to_owned()) else {
            return 0;
        };
        let taken = u32::try_from(*of_key.get()).unwrap_or(u32::MAX).min(n);
        *of_key.get_mut() -= u64::from(taken);
        if *of_key.get() == 0 {
            of_key.remove();
        }
        taken
    }
}
