//! Keeps a record of what passes.
//!
//! Right: where you want to look. Outermost it shows what your program sends, innermost what the peer is given.
//!
//! ```text
//! smtp.layer(Capture::new(100)).layer(Retry::new(policy))
//! ```
//!
//! Wrong: innermost, and then counting messages. A message that was tried three times passes three times.
//!
//! ```text
//! assert_eq!(capture.passed().len(), messages);
//! ```

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{
    Disposition, ErrorKind, Layer, Outbound, Outcome, SendError, SendFuture, SendOptions, Transport, TransportInfo,
};

#[cfg(test)]
mod tests;

/// Keeps the last sends that pass, and what became of them. Clones share what they keep.
///
/// What it keeps holds whole messages: it is for tests and for looking, not for logs.
///
/// # Examples
///
/// ```
/// use posthaste_transport::layers::Capture;
/// use posthaste_transport::{MemoryTransport, TransportExt};
///
/// let capture = Capture::new(100);
/// let transport = MemoryTransport::new().layer(capture.clone());
/// assert!(capture.passed().is_empty());
/// ```
#[derive(Clone, Debug)]
pub struct Capture {
    kept: Arc<Mutex<Kept>>,
    most: usize,
}

#[derive(Debug, Default)]
struct Kept {
    /// How many went before the first that is kept.
    gone: u64,
    passed: VecDeque<Passed>,
}

impl Capture {
    /// Keeps that many sends; the oldest makes room.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            kept: Arc::default(),
            most: most.max(1),
        }
    }

    /// Returns what passed, oldest first.
    #[must_use]
    pub fn passed(&self) -> Vec<Passed> {
        self.kept().passed.iter().cloned().collect()
    }

    /// Forgets what passed.
    pub fn clear(&self) {
        let mut kept = self.kept();
        kept.gone = kept
            .gone
            .saturating_add(u64::try_from(kept.passed.len()).unwrap_or(u64::MAX));
        kept.passed.clear();
    }

    /// Notes that a send began, and returns its number.
    fn begin(&self, mail: &Outbound, options: &SendOptions) -> u64 {
        let mut kept = self.kept();
        if kept.passed.len() >= self.most {
            kept.passed.pop_front();
            kept.gone = kept.gone.saturating_add(1);
        }
        kept.passed.push_back(Passed {
            mail: mail.clone(),
            options: options.clone(),
            end: End::None,
        });
        kept.gone
            .saturating_add(u64::try_from(kept.passed.len()).unwrap_or(u64::MAX) - 1)
    }

    fn end(&self, number: u64, result: &Result<Outcome, SendError>) {
        let mut kept = self.kept();
        let place = number
            .checked_sub(kept.gone)
            .and_then(|place| usize::try_from(place).ok());
        if let Some(passed) = place.and_then(|place| kept.passed.get_mut(place)) {
            passed.end = match result {
                Ok(outcome) => End::Outcome(outcome.clone()),
                Err(error) => End::Error(error.kind(), error.disposition(), error.outcome().cloned()),
            };
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One send that passed a [`Capture`].
#[derive(Clone, Debug)]
pub struct Passed {
    mail: Outbound,
    options: SendOptions,
    end: End,
}

#[derive(Clone, Debug)]
enum End {
    None,
    Outcome(Outcome),
    Error(ErrorKind, Disposition, Option<Outcome>),
}

impl Passed {
    /// Returns envelope and content.
    #[must_use]
    pub const fn mail(&self) -> &Outbound {
        &self.mail
    }

    /// Returns the options.
    #[must_use]
    pub const fn options(&self) -> &SendOptions {
        &self.options
    }

    /// Says whether it ended; one that was dropped never does.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        !matches!(self.end, End::None)
    }

    /// Returns the fate of each recipient, when it is known.
    #[must_use]
    pub const fn outcome(&self) -> Option<&Outcome> {
        match &self.end {
            End::Outcome(outcome) | End::Error(_, _, Some(outcome)) => Some(outcome),
            _ => None,
        }
    }

    /// Returns how it failed, if it did.
    #[must_use]
    pub const fn error(&self) -> Option<(ErrorKind, Disposition)> {
        match &self.end {
            End::Error(kind, disposition, _) => Some((*kind, *disposition)),
            _ => None,
        }
    }
}

impl<T: Transport> Layer<T> for Capture {
    type Transport = Capturing<T>;

    fn layer(&self, inner: T) -> Self::Transport {
        Capturing {
            inner,
            capture: self.clone(),
        }
    }
}

/// A transport whose sends are kept; made by [`Capture`].
#[derive(Debug)]
pub struct Capturing<T> {
    inner: T,
    capture: Capture,
}

impl<T> Capturing<T> {
    /// Returns the transport inside.
    pub const fn get_ref(&self) -> &T {
        &self.inner
    }

    /// Unwraps the transport inside.
    pub fn into_inner(self) -> T {
        self.inner
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: Transport> Transport for Capturing<T> {
    fn info(&self) -> TransportInfo {
        self.inner.info()
    }

    fn send<'a>(&'a self, mail: &'a Outbound, options: &'a SendOptions) -> SendFuture<'a> {
        Box::pin(async move {
            let number = self.capture.begin(mail, options);
            let result = self.inner.send(mail, options).await;
            self.capture.end(number, &result);
            result
        })
    }
}
