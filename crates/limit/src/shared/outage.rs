//! What holds while a store does not answer.

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
}

impl<L> WithOutage<L> {
    pub(super) const fn new(inner: L, choice: OnOutage) -> Self {
        Self { inner, choice }
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
                    OnOutage::Admit => Ok(Decision::Admitted),
                    OnOutage::Local(own) => Ok(own.try_acquire(key, n)),
                },
                result => result,
            }
        })
    }

    fn refund<'a>(&'a self, key: &'a str, n: u32) -> SharedFuture<'a, ()> {
        Box::pin(async move {
            match self.inner.refund(key, n).await {
                Err(error) if error.is_outage() => match &self.choice {
                    OnOutage::Refuse => Err(error),
                    OnOutage::Admit => Ok(()),
                    OnOutage::Local(own) => {
                        own.refund(key, n);
                        Ok(())
                    }
                },
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
