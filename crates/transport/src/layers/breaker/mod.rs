//! Asks nothing of a transport that is down.
//!
//! Right: the breaker inside the retry, so that what waits and tries again finds out when the peer is back.
//!
//! ```text
//! smtp.layer(CircuitBreaker::default()).layer(Retry::new(policy))
//! ```
//!
//! Wrong: the breaker around the retry. It counts one failure where there were three.
//!
//! ```text
//! smtp.layer(Retry::new(policy)).layer(CircuitBreaker::default())
//! ```

use std::sync::Arc;

use super::HealthPolicy;
use super::health::Health;
use crate::{
    Disposition, ErrorKind, Layer, Outbound, Outcome, SendError, SendFuture, SendOptions, Timer, TokioTimer, Transport,
    TransportInfo,
};

/// Fails at once, as [`Unavailable`](ErrorKind::Unavailable) with the time to wait, while a transport counts as down by its
/// [`HealthPolicy`].
///
/// [`Failover`](super::Failover) and [`RoundRobin`](super::RoundRobin) have this built in.
///
/// # Examples
///
/// ```
/// use posthaste_transport::layers::CircuitBreaker;
/// use posthaste_transport::{MemoryTransport, Transport, TransportExt};
///
/// let transport = MemoryTransport::new().layer(CircuitBreaker::default());
/// assert_eq!(transport.info().name(), "memory");
/// ```
#[derive(Clone, Debug)]
pub struct CircuitBreaker {
    policy: HealthPolicy,
    timer: Arc<dyn Timer>,
}

impl CircuitBreaker {
    /// Breaks by `policy`.
    #[must_use]
    pub fn new(policy: HealthPolicy) -> Self {
        Self {
            policy,
            timer: Arc::new(TokioTimer::new()),
        }
    }

    /// Replaces the timer that it tells time by.
    #[must_use]
    pub fn with_timer(mut self, timer: Arc<dyn Timer>) -> Self {
        self.timer = timer;
        self
    }
}

impl Default for CircuitBreaker {
    fn default() -> Self {
        Self::new(HealthPolicy::default())
    }
}

impl<T: Transport> Layer<T> for CircuitBreaker {
    type Transport = Breaking<T>;

    fn layer(&self, inner: T) -> Self::Transport {
        Breaking {
            inner,
            health: Health::new(self.policy.clone()),
            timer: Arc::clone(&self.timer),
        }
    }
}

/// A transport that is not asked while it is down; made by [`CircuitBreaker`].
#[derive(Debug)]
pub struct Breaking<T> {
    inner: T,
    health: Health,
    timer: Arc<dyn Timer>,
}

impl<T> Breaking<T> {
    /// Returns the transport inside.
    pub const fn get_ref(&self) -> &T {
        &self.inner
    }
}

impl<T: Transport> Breaking<T> {
    async fn ask(&self, mail: &Outbound, options: &SendOptions) -> Result<Outcome, SendError> {
        let now = self.timer.now();
        let probe = self.health.try_begin(now).map_err(|left| {
            SendError::new(ErrorKind::Unavailable, Disposition::NotAccepted)
                .with_transport(self.inner.info().name().to_owned())
                .with_detail("waiting for it to come back: it failed too often")
                .with_retry_after(left)
        })?;
        let result = self.inner.send(mail, options).await;
        probe.end(&result, self.timer.now());
        result
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: Transport> Transport for Breaking<T> {
    fn info(&self) -> TransportInfo {
        self.inner.info()
    }

    fn send<'a>(&'a self, mail: &'a Outbound, options: &'a SendOptions) -> SendFuture<'a> {
        Box::pin(self.ask(mail, options))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::testing::{Stopwatch, mail};
    use crate::{MemoryTransport, Scripted, TransportExt};

    #[tokio::test]
    async fn while_it_is_down_nothing_is_asked_and_then_one_send_finds_out() {
        let memory = MemoryTransport::new();
        let fail = || Scripted::Fail(SendError::new(ErrorKind::Unavailable, Disposition::NotAccepted));
        (0..2).for_each(|_| memory.answer(fail()));
        let watch = Stopwatch::default();
        let policy = HealthPolicy::default()
            .with_failures(2)
            .with_rest(Duration::from_secs(10));
        let breaker = CircuitBreaker::new(policy).with_timer(Arc::new(watch.clone()));
        let transport = memory.clone().layer(breaker);
        let mail = mail(&["bob@example.net"]);
        let options = SendOptions::new();
        for _ in 0..2 {
            let error = transport.send(&mail, &options).await.unwrap_err();
            assert_eq!(error.retry_after(), None);
        }
        let error = transport.send(&mail, &options).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.disposition(), error.retry_after()),
            (
                ErrorKind::Unavailable,
                Disposition::NotAccepted,
                Some(Duration::from_secs(10))
            )
        );
        assert_eq!(memory.sent().len(), 0);
        watch.advance(Duration::from_secs(10));
        assert!(transport.send(&mail, &options).await.is_ok());
        assert!(transport.send(&mail, &options).await.is_ok());
        assert_eq!(memory.sent().len(), 2);
    }

    #[tokio::test]
    async fn a_send_that_is_dropped_while_it_finds_out_makes_room_for_the_next() {
        let memory = MemoryTransport::new();
        memory.answer(Scripted::Fail(SendError::new(
            ErrorKind::Unavailable,
            Disposition::NotAccepted,
        )));
        memory.answer(Scripted::Hang(Disposition::NotAccepted));
        let watch = Stopwatch::default();
        let rest = Duration::from_secs(10);
        let policy = HealthPolicy::default().with_failures(1).with_rest(rest);
        let breaker = CircuitBreaker::new(policy).with_timer(Arc::new(watch.clone()));
        let transport = memory.clone().layer(breaker);
        let (mail, options) = (mail(&["bob@example.net"]), SendOptions::new());
        assert!(transport.send(&mail, &options).await.is_err());
        watch.advance(rest);
        let mut first = transport.send(&mail, &options);
        let poll = std::future::poll_fn(|cx| std::task::Poll::Ready(first.as_mut().poll(cx).is_pending()));
        assert!(poll.await, "it hangs");
        let error = transport.send(&mail, &options).await.unwrap_err();
        assert_eq!((error.kind(), memory.attempts()), (ErrorKind::Unavailable, 2));
        drop(first);
        assert!(transport.send(&mail, &options).await.is_ok());
    }
}
