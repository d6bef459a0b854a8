//! One send for one key, whatever is behind.
//!
//! Right: the idempotency outermost, so that a repeat costs nothing and finds the outcome of the whole stack.
//!
//! ```text
//! Failover::new([ses, smtp]).layer(Idempotency::in_memory())
//! ```
//!
//! Wrong: the idempotency inside a retry without a key of the provider's. What is open stays open, and the retry asks in vain.
//!
//! ```text
//! smtp.layer(Idempotency::in_memory()).layer(Retry::new(policy))
//! ```

mod memory;
mod store;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, Weak};

use posthaste_mime::Clock;
use tokio::sync::Mutex;

pub use memory::MemoryOutcomes;
pub use store::{Claim, OutcomeStore, StoreError, StoreFuture};

use crate::clock::SystemClock;
use crate::{
    Disposition, ErrorKind, Feature, Layer, Outbound, Outcome, SendError, SendFuture, SendOptions, Timer, TokioTimer,
    Transport, TransportInfo, within,
};

/// Sends once for each [idempotency key](SendOptions::idempotency_key), and gives a repeat the outcome of the first send.
///
/// - A repeat while the first send is under way waits for its end.
/// - A send that was certainly not accepted leaves the key free: a repeat is a new send.
/// - A send that may have been accepted, or whose program died under way, is open for as long as the store remembers: a repeat is told
///   so, and nothing is sent.
/// - A key names one message to certain recipients; that it is used for another is not noticed.
///
/// A transport that knows keys itself is given the key as well; for one that does not, this layer is all there is: it keeps
/// apart the repeats that come through the same store.
///
/// # Examples
///
/// ```
/// use posthaste_transport::layers::Idempotency;
/// use posthaste_transport::{Feature, MemoryTransport, Transport, TransportExt};
///
/// let transport = MemoryTransport::new().layer(Idempotency::in_memory());
/// assert!(transport.info().capabilities().supports(Feature::IdempotencyKey));
/// ```
#[derive(Clone, Debug)]
pub struct Idempotency {
    store: Arc<dyn OutcomeStore>,
    clock: Arc<dyn Clock>,
    timer: Arc<dyn Timer>,
}

impl Idempotency {
    /// Remembers outcomes in `store`.
    pub fn new(store: impl OutcomeStore) -> Self {
        Self {
            store: Arc::new(store),
            clock: Arc::new(SystemClock),
            timer: Arc::new(TokioTimer::new()),
        }
    }

    /// Remembers outcomes in memory, for a day, 100 000 at most.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::new(MemoryOutcomes::new())
    }

    /// Replaces the clock by which the store forgets.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Replaces the timer that deadlines are told by.
    #[must_use]
    pub fn with_timer(mut self, timer: Arc<dyn Timer>) -> Self {
        self.timer = timer;
        self
    }
}

impl<T: Transport> Layer<T> for Idempotency {
    type Transport = Idempotent<T>;

    fn layer(&self, inner: T) -> Self::Transport {
        Idempotent {
            inner,
            settings: self.clone(),
            under_way: std::sync::Mutex::default(),
        }
    }
}

/// A transport that sends once for a key; made by [`Idempotency`].
#[derive(Debug)]
pub struct Idempotent<T> {
    inner: T,
    settings: Idempotency,
    /// The keys of sends under way here, whose repeats wait.
    under_way: std::sync::Mutex<HashMap<String, Weak<Mutex<()>>>>,
}

impl<T: Transport> Idempotent<T> {
    async fn send_once(&self, mail: &Outbound, options: &SendOptions) -> Result<Outcome, SendError> {
        let Some(key) = options.idempotency_key() else {
            return self.inner.send(mail, options).await;
        };
        let began = self.settings.timer.now();
        let name = self.info().name().to_owned();
        let gate = self.gate(key);
        let turn = within(&*self.settings.timer, options.deadline(), gate.lock()).await;
        let Some(_turn) = turn else {
            return Err(SendError::new(ErrorKind::Timeout, Disposition::NotAccepted)
                .with_transport(name)
                .with_detail("waiting for a send with the same idempotency key"));
        };
        let store = &self.settings.store;
        let failed = |error: StoreError, disposition| {
            SendError::new(ErrorKind::Unavailable, disposition)
                .with_transport(name.clone())
                .with_detail("remembering the outcome")
                .with_source(error)
        };
        match store.claim(key, self.settings.clock.now()).await {
            Ok(Claim::Mine) => {}
            Ok(Claim::Settled(outcome)) => return Ok(*outcome),
            Ok(Claim::Open) => {
                return Err(SendError::new(ErrorKind::Unknown, Disposition::Ambiguous)
                    .with_transport(name)
                    .with_detail("looking up the idempotency key: a send with it began, and its end is not known"));
            }
            Err(error) => return Err(failed(error, Disposition::NotAccepted)),
        }
        let result = self.inner.send(mail, &self.passed_on(options, began)).await;
        match &result {
            Ok(outcome) => {
                // If that fails the key stays open, and a repeat is told so: better than a second mail.
                let _ = store.settle(key, outcome, self.settings.clock.now()).await;
            }
            Err(error) if error.disposition() == Disposition::NotAccepted => {
                let _ = store.release(key).await;
            }
            Err(_) => {}
        }
        result
    }

    /// The options for what is inside: with what is left of the deadline, and the key only where it is known.
    fn passed_on(&self, options: &SendOptions, began: std::time::Duration) -> SendOptions {
        let mut options = options.clone();
        if let Some(deadline) = options.deadline() {
            let spent = self.settings.timer.now().saturating_sub(began);
            options = options.with_deadline(deadline.saturating_sub(spent));
        }
        let known = self.inner.info().capabilities().supports(Feature::IdempotencyKey);
        if known {
            options
        } else {
            options.without_idempotency_key()
        }
    }

    /// What those wait at who have the same key.
    fn gate(&self, key: &str) -> Arc<Mutex<()>> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gate) = under_way.get(key).and_then(Weak::upgrade) {
            return gate;
        }
        under_way.retain(|_, gate| gate.strong_count() > 0);
        let gate = Arc::new(Mutex::new(()));
        under_way.insert(key.to_owned(), Arc::downgrade(&gate));
        gate
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: Transport> Transport for Idempotent<T> {
    fn info(&self) -> TransportInfo {
        let info = self.inner.info();
        let capabilities = info.capabilities().with(Feature::IdempotencyKey);
        info.with_capabilities(capabilities)
    }

    fn send<'a>(&'a self, mail: &'a Outbound, options: &'a SendOptions) -> SendFuture<'a> {
        Box::pin(self.send_once(mail, options))
    }
}

#[cfg(test)]
mod tests;
