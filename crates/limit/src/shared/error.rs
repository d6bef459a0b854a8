//! Why a store did not answer.

use std::error::Error;
use std::fmt;

/// Says why a store did not answer. `Display` is one line without the source, and never names a key or a password.
pub struct StoreError(Box<Inner>);

struct Inner {
    kind: StoreErrorKind,
    detail: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What kind of trouble a store is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The store cannot be reached, or broke off.
    Unavailable,
    /// The store did not answer in time.
    TimedOut,
    /// The store is of a later version of this crate, or what is in it is something else.
    Schema,
    /// A key is longer than 1024 octets or has a NUL.
    Key,
    /// The settings are wrong.
    Config,
    /// The store refused, for a reason of its own.
    Refused,
}

impl StoreError {
    /// Makes an error of a kind, and of what was being done; for those who write a store of their own.
    #[must_use]
    pub fn new(kind: StoreErrorKind, detail: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            detail: detail.into(),
            source: None,
        }))
    }

    /// Sets the error behind it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Returns what kind it is.
    #[must_use]
    pub const fn kind(&self) -> StoreErrorKind {
        self.0.kind
    }

    /// Returns whether the store is down as far as the caller can tell: it cannot be reached, or does not answer in time.
    #[must_use]
    pub const fn is_outage(&self) -> bool {
        matches!(self.0.kind, StoreErrorKind::Unavailable | StoreErrorKind::TimedOut)
    }
}

impl fmt::Display for StoreErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unavailable => "unavailable",
            Self::TimedOut => "no answer in time",
            Self::Schema => "not what this version knows",
            Self::Key => "the key is longer than 1024 octets or has a NUL",
            Self::Config => "wrong settings",
            Self::Refused => "refused",
        })
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "store of limits: {}", self.0.kind)?;
        match self.0.detail.as_str() {
            "" => Ok(()),
            detail => write!(f, ": {detail}"),
        }
    }
}

impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreError")
            .field("kind", &self.0.kind)
            .field("detail", &self.0.detail)
            .field("source", &self.0.source)
            .finish()
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
