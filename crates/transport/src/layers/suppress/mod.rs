//! Nothing to those who must not be written to.
//!
//! Right: the suppression outside of what costs: a rate, a provider's quota, a signature.
//!
//! ```text
//! http.layer(RateLimit::new(..)).layer(Suppress::new(list))
//! ```
//!
//! Wrong: the suppression inside the rate limit. Mail that nobody gets counts against the rate.
//!
//! ```text
//! http.layer(Suppress::new(list)).layer(RateLimit::new(..))
//! ```

use std::sync::Arc;

use posthaste_address::EmailAddress;
use posthaste_mime::Clock;
use posthaste_suppression::{Lookup, Reasons, Scope, SuppressionList};

use crate::clock::SystemClock;
use crate::{
    Disposition, ErrorKind, Fate, Layer, Outbound, Outcome, RecipientOutcome, Refusal, SendError, SendFuture,
    SendOptions, Transport, TransportInfo,
};

/// Asks a suppression list before each send, and leaves out whom it names.
///
/// In the outcome they are refused for good, with the code `suppressed:REASON`, as `suppressed:complaint`. If it is everybody,
/// nothing is sent. If the list does not answer, nothing is sent either, unless [`send_if_unknown`](Self::send_if_unknown) says so.
///
/// # Examples
///
/// ```
/// use posthaste_suppression::MemorySuppressionList;
/// use posthaste_transport::layers::Suppress;
/// use posthaste_transport::{MemoryTransport, TransportExt};
///
/// let transport = MemoryTransport::new().layer(Suppress::new(MemorySuppressionList::new()));
/// ```
#[derive(Clone, Debug)]
pub struct Suppress {
    list: Arc<dyn SuppressionList>,
    scopes: Vec<Scope>,
    reasons: Reasons,
    open: bool,
    clock: Arc<dyn Clock>,
}

impl Suppress {
    /// Asks `list` for entries for all mail, with any reason.
    pub fn new(list: impl SuppressionList) -> Self {
        Self {
            list: Arc::new(list),
            scopes: Vec::new(),
            reasons: Reasons::all(),
            open: false,
            clock: Arc::new(SystemClock),
        }
    }

    /// Asks about a scope besides, such as a stream or a customer.
    #[must_use]
    pub fn in_scope(mut self, scope: Scope) -> Self {
        self.scopes.push(scope);
        self
    }

    /// Lets only some reasons count: mail that somebody waits for may go to who has unsubscribed.
    #[must_use]
    pub const fn for_reasons(mut self, reasons: Reasons) -> Self {
        self.reasons = reasons;
        self
    }

    /// Says that mail goes out to everybody while the list does not answer. By default none does.
    #[must_use]
    pub const fn send_if_unknown(mut self, open: bool) -> Self {
        self.open = open;
        self
    }

    /// Replaces the clock that expiry is told by.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }
}

impl<T: Transport> Layer<T> for Suppress {
    type Transport = Suppressing<T>;

    fn layer(&self, inner: T) -> Self::Transport {
        Suppressing {
            inner,
            suppress: self.clone(),
        }
    }
}

/// A transport that asks a suppression list; made by [`Suppress`].
#[derive(Debug)]
pub struct Suppressing<T> {
    inner: T,
    suppress: Suppress,
}

impl<T: Transport> Suppressing<T> {
    async fn send_to_others(&self, mail: &Outbound, options: &SendOptions) -> Result<Outcome, SendError> {
        let suppress = &self.suppress;
        let addresses: Vec<&EmailAddress> = mail
            .envelope()
            .recipients()
            .iter()
            .map(|recipient| recipient.address())
            .collect();
        let lookup = Lookup::new(&addresses, suppress.clock.now())
            .in_scopes(suppress.scopes.iter().cloned())
            .for_reasons(suppress.reasons);
        let found = match suppress.list.find(&lookup).await {
            Ok(found) => found,
            Err(_) if suppress.open => Vec::new(),
            Err(error) => {
                return Err(SendError::new(ErrorKind::Unavailable, Disposition::NotAccepted)
                    .with_transport(self.inner.info().name().to_owned())
                    .with_detail("asking the suppression list")
                    .with_source(error));
            }
        };
        let refusals: Vec<Option<Refusal>> = addresses
            .iter()
            .enumerate()
            .map(|(index, _)| {
                let entry = found.get(index)?.as_ref()?;
                let code = format!("suppressed:{}", entry.reason().as_str());
                Some(Refusal::permanent().with_code(code))
            })
            .collect();
        if refusals.iter().all(Option::is_none) {
            return self.inner.send(mail, options).await;
        }
        let mut named = refusals.iter();
        let Some(others) = mail.narrowed(|_| named.next().is_some_and(Option::is_none)) else {
            let outcome = merged(mail, &refusals, &Outcome::accept_all(mail));
            return Err(SendError::from_outcome(ErrorKind::Rejected, outcome)
                .with_transport(self.inner.info().name().to_owned())
                .with_detail("asking the suppression list"));
        };
        match self.inner.send(&others, options).await {
            Ok(outcome) => Ok(merged(mail, &refusals, &outcome)),
            Err(error) => match error.outcome().map(|outcome| merged(mail, &refusals, outcome)) {
                Some(outcome) => Err(error.with_merged(outcome)),
                None => Err(error),
            },
        }
    }
}

/// Puts those who were left out back in their places.
fn merged(mail: &Outbound, refusals: &[Option<Refusal>], outcome: &Outcome) -> Outcome {
    let recipients = mail
        .envelope()
        .recipients()
        .iter()
        .zip(refusals)
        .map(|(recipient, refusal)| {
            let address = recipient.address();
            match refusal {
                Some(refusal) => RecipientOutcome::refused(address.clone(), refusal.clone()),
                None => outcome
                    .recipients()
                    .iter()
                    .find(|one| one.address() == address)
                    .cloned()
                    .unwrap_or_else(|| RecipientOutcome::new(address.clone(), Fate::Unknown)),
            }
        });
    outcome.with_recipients(recipients)
}

#[deny(clippy::missing_trait_methods)]
impl<T: Transport> Transport for Suppressing<T> {
    fn info(&self) -> TransportInfo {
        self.inner.info()
    }

    fn send<'a>(&'a self, mail: &'a Outbound, options: &'a SendOptions) -> SendFuture<'a> {
        Box::pin(self.send_to_others(mail, options))
    }
}

#[cfg(test)]
mod tests;
