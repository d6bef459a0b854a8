//! Holds how many sends are under way at once.
//!
//! Right: the limit next to the transport, inside the retry, so that a send that waits to try again holds no place.
//!
//! ```text
//! smtp.layer(ConcurrencyLimit::new(places)).layer(Retry::new(policy))
//! ```
//!
//! Wrong: the limit around the retry. Sends that only wait for their next attempt keep others out.
//!
//! ```text
//! smtp.layer(Retry::new(policy)).layer(ConcurrencyLimit::new(places))
//! ```

use std::num::NonZeroU32;
use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::timer::within;
use crate::{
    Disposition, ErrorKind, Layer, Outbound, Outcome, SendError, SendFuture, SendOptions, Timer, TokioTimer, Transport,
    TransportInfo,
};

#[cfg(test)]
mod tests;

/// Lets so many sends be under way at once; the others wait in the order they came. Clones share the places, and so do transports
/// made with it.
///
/// A send whose deadline comes while it waits fails with [`Timeout`](ErrorKind::Timeout), nothing accepted. The transport inside has
/// the rest of the deadline.
///
/// # Examples
///
/// ```
/// use std::num::NonZeroU32;
/// use posthaste_transport::layers::ConcurrencyLimit;
/// use posthaste_transport::{MemoryTransport, TransportExt};
///
/// let places = NonZeroU32::new(8).ok_or("not zero")?;
/// let transport = MemoryTransport::new().layer(ConcurrencyLimit::new(places));
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Debug)]
pub struct ConcurrencyLimit {
    places: Arc<Semaphore>,
    timer: Arc<dyn Timer>,
}

impl ConcurrencyLimit {
    /// Gives out that many places.
    #[must_use]
    pub fn new(places: NonZeroU32) -> Self {
        let places =
            usize::try_from(places.get()).map_or(Semaphore::MAX_PERMITS, |places| places.min(Semaphore::MAX_PERMITS));
        Self {
            places: Arc::new(Semaphore::new(places)),
            timer: Arc::new(TokioTimer::new()),
        }
    }

    /// Replaces the timer that deadlines are told by.
    #[must_use]
    pub fn with_timer(mut self, timer: Arc<dyn Timer>) -> Self {
        self.timer = timer;
        self
    }
}

impl<T: Transport> Layer<T> for ConcurrencyLimit {
    type Transport = ConcurrencyLimited<T>;

    fn layer(&self, inner: T) -> Self::Transport {
        ConcurrencyLimited {
            inner,
            places: Arc::clone(&self.places),
            timer: Arc::clone(&self.timer),
        }
    }
}

/// A transport with so many sends at once; made by [`ConcurrencyLimit`].
#[derive(Debug)]
pub struct ConcurrencyLimited<T> {
    inner: T,
    places: Arc<Semaphore>,
    timer: Arc<dyn Timer>,
}

impl<T> ConcurrencyLimited<T> {
    /// Returns the transport inside.
    pub const fn get_ref(&self) -> &T {
        &self.inner
    }

    /// Unwraps the transport inside.
    pub fn into_inner(self) -> T {
        self.inner
    }
}

impl<T: Transport> ConcurrencyLimited<T> {
    async fn send_in_a_place(&self, mail: &Outbound, options: &SendOptions) -> Result<Outcome, SendError> {
        let start = self.timer.now();
        // Nobody closes the semaphore, so that there always is a place in the end.
        let _place = within(&*self.timer, options.deadline(), self.places.acquire())
            .await
            .ok_or_else(|| {
                SendError::new(ErrorKind::Timeout, Disposition::NotAccepted)
                    .with_transport(self.inner.info().name().to_owned())
                    .with_detail("waiting for other sends to end")
            })?;
        match options.deadline() {
            Some(deadline) => {
                let left = deadline.saturating_sub(self.timer.now().saturating_sub(start));
                self.inner.send(mail, &options.clone().with_deadline(left)).await
            }
            None => self.inner.send(mail, options).await,
        }
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: Transport> Transport for ConcurrencyLimited<T> {
    fn info(&self) -> TransportInfo {
        self.inner.info()
    }

    fn send<'a>(&'a self, mail: &'a Outbound, options: &'a SendOptions) -> SendFuture<'a> {
        Box::pin(self.send_in_a_place(mail, options))
    }
}
