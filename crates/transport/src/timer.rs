//! Time as a parameter: monotonic time and waiting.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::Instant;

/// What [`Timer::sleep`] returns.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Tells monotonic time and waits.
///
/// Layers and transports take one, so that tests are exact and do not wait.
pub trait Timer: Debug + Send + Sync + 'static {
    /// Returns the time since a fixed moment in the past. It never goes back.
    fn now(&self) -> Duration;

    /// Waits for `duration`.
    fn sleep(&self, duration: Duration) -> Sleep;
}

/// Tells time by tokio's clock, which tests can pause.
#[derive(Clone, Debug)]
pub struct TokioTimer {
    origin: Instant,
}

impl TokioTimer {
    /// Counts from now.
    #[must_use]
    pub fn new() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Default for TokioTimer {
    fn default() -> Self {
        Self::new()
    }
}

impl Timer for TokioTimer {
    fn now(&self) -> Duration {
        Instant::now().saturating_duration_since(self.origin)
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        // Made inside the future, so that it may be called outside a runtime.
        Box::pin(async move { tokio::time::sleep(duration).await })
    }
}

/// Waits for `future`, but no longer than `limit`; `None` is no limit.
///
/// Returns `None` if the limit came first. The future is dropped then.
pub async fn within<F: Future>(timer: &dyn Timer, limit: Option<Duration>, future: F) -> Option<F::Output> {
    let Some(limit) = limit else {
        return Some(future.await);
    };
    let mut future = std::pin::pin!(future);
    let mut sleep = timer.sleep(limit);
    std::future::poll_fn(|context| {
        if let std::task::Poll::Ready(output) = future.as_mut().poll(context) {
            return std::task::Poll::Ready(Some(output));
        }
        sleep.as_mut().poll(context).map(|()| None)
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_limit_ends_what_does_not_end() {
        let timer = TokioTimer::new();
        let limit = Duration::from_secs(60);
        assert_eq!(within(&timer, Some(limit), pending::<()>()).await, None);
        assert!(timer.now() >= limit);
        assert_eq!(within(&timer, Some(limit), ready(1)).await, Some(1));
        assert_eq!(within(&timer, None, ready(2)).await, Some(2));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_done_at_the_limit_counts() {
        assert_eq!(
            within(&TokioTimer::new(), Some(Duration::ZERO), ready(1)).await,
            Some(1)
        );
    }
}
