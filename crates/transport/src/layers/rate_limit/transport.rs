//! The transport that the layer makes.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use posthaste_limit::Decision;

use super::counter::Counter;
use crate::{
    Disposition, ErrorKind, Outbound, Outcome, SendError, SendFuture, SendOptions, Timer, Transport, TransportInfo,
    within,
};

/// A transport that waits until it may send; made by [`layers::RateLimit`](super::RateLimit).
#[derive(Debug)]
pub struct RateLimited<K, T> {
    inner: T,
    counter: Counter<K>,
    timer: Arc<dyn Timer>,
}

impl<K, T> RateLimited<K, T> {
    pub(super) const fn new(inner: T, counter: Counter<K>, timer: Arc<dyn Timer>) -> Self {
        Self { inner, counter, timer }
    }

    /// Returns the transport inside.
    pub const fn get_ref(&self) -> &T {
        &self.inner
    }

    /// Unwraps the transport inside.
    pub fn into_inner(self) -> T {
        self.inner
    }
}

impl<K, T> RateLimited<K, T>
where
    K: Hash + Eq + Clone + Debug + Send + Sync + 'static,
    T: Transport,
{
    async fn send_when_admitted(&self, mail: &Outbound, options: &SendOptions) -> Result<Outcome, SendError> {
        let start = self.timer.now();
        let recipients = u32::try_from(mail.envelope().recipients().len()).unwrap_or(u32::MAX);
        let left = || {
            options
                .deadline()
                .map(|limit| limit.saturating_sub(self.timer.now().saturating_sub(start)))
        };
        loop {
            let asked = within(&*self.timer, left(), self.counter.acquire(recipients));
            let Some(answer) = asked.await else {
                return Err(self
                    .error(ErrorKind::Timeout)
                    .with_detail("asking the shared rate limit"));
            };
            let decision = answer.map_err(|error| {
                let kind = match error.is_outage() {
                    true => ErrorKind::Unavailable,
                    false => ErrorKind::Invalid,
                };
                self.error(kind)
                    .with_detail("asking the shared rate limit")
                    .with_source(error)
            })?;
            match decision {
                Decision::Admitted => break,
                Decision::Wait(delay) if left().is_none_or(|left| delay < left) => self.timer.sleep(delay).await,
                Decision::Wait(delay) => {
                    return Err(self
                        .error(ErrorKind::Throttled)
                        .with_detail("waiting for the rate limit")
                        .with_retry_after(delay));
                }
                _ => {
                    return Err(self
                        .error(ErrorKind::Invalid)
                        .with_detail("asking the rate limit, which never admits so many recipients at once"));
                }
            }
        }
        let result = match left() {
            Some(left) => self.inner.send(mail, &options.clone().with_deadline(left)).await,
            None => self.inner.send(mail, options).await,
        };
        if let Err(error) = &result
            && matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::Invalid)
            && error.disposition() == Disposition::NotAccepted
        {
            self.counter.refund(recipients).await;
        }
        result
    }

    fn error(&self, kind: ErrorKind) -> SendError {
        SendError::new(kind, Disposition::NotAccepted).with_transport(self.inner.info().name().to_owned())
    }
}

#[deny(clippy::missing_trait_methods)]
impl<K, T> Transport for RateLimited<K, T>
where
    K: Hash + Eq + Clone + Debug + Send + Sync + 'static,
    T: Transport,
{
    fn info(&self) -> TransportInfo {
        self.inner.info()
    }

    fn send<'a>(&'a self, mail: &'a Outbound, options: &'a SendOptions) -> SendFuture<'a> {
        Box::pin(self.send_when_admitted(mail, options))
    }
}
