//! How old a request may be.

use std::time::{Duration, SystemTime};

use super::VerifyError;

/// How long ago, and how far in the future, a request may have been signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    past: Duration,
    future: Duration,
    is_unbounded: bool,
}

impl Window {
    /// Five minutes both ways, as Standard Webhooks has it.
    pub const FIVE_MINUTES: Self = Self::new(Duration::from_secs(300), Duration::from_secs(300));
    /// Takes all times. Then a request that was caught once is taken for ever, if nothing remembers it.
    pub const UNBOUNDED: Self = Self {
        past: Duration::MAX,
        future: Duration::MAX,
        is_unbounded: true,
    };

    /// Takes how old a request may be, and by how much the other clock may be ahead.
    #[must_use]
    pub const fn new(past: Duration, future: Duration) -> Self {
        Self {
            past,
            future,
            is_unbounded: false,
        }
    }

    pub(super) fn is_unbounded(self) -> bool {
        self.is_unbounded
    }

    /// Checks when a request was signed.
    pub(super) fn check(self, signed: SystemTime, now: SystemTime) -> Result<(), VerifyError> {
        if self.is_unbounded {
            return Ok(());
        }
        match now.duration_since(signed) {
            Ok(age) if age > self.past => Err(VerifyError::TooOld { age }),
            Ok(_) => Ok(()),
            Err(ahead) if ahead.duration() > self.future => Err(VerifyError::InFuture { by: ahead.duration() }),
            Err(_) => Ok(()),
        }
    }

    /// Returns until when a request that was signed then is taken.
    pub(super) fn end(self, signed: SystemTime) -> Option<SystemTime> {
        signed.checked_add(self.past)
    }
}
