//! Why every member failed.

use std::fmt;

use crate::SendError;

/// What each member said that was asked: the source of the error of a failover or a round robin.
#[derive(Debug)]
pub struct FailoverError {
    failures: Vec<SendError>,
}

impl FailoverError {
    pub(super) const fn new(failures: Vec<SendError>) -> Self {
        Self { failures }
    }

    /// Returns the error of each member that was asked, in the order in which they were.
    #[must_use]
    pub fn failures(&self) -> &[SendError] {
        &self.failures
    }
}

impl fmt::Display for FailoverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, failure) in self.failures.iter().enumerate() {
            let between = if index == 0 { "" } else { "; " };
            write!(f, "{between}{failure}")?;
        }
        Ok(())
    }
}

impl std::error::Error for FailoverError {
    /// The last one's.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.failures.last().and_then(std::error::Error::source)
    }
}
