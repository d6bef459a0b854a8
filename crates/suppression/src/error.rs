//! Why a list did not answer.

use std::error::Error;
use std::fmt;

/// Says why a list did not answer. `Display` is one line without the source, and never names an address or a password.
pub struct ListError(Box<Inner>);

struct Inner {
    kind: ListErrorKind,
    detail: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What kind of trouble a list is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ListErrorKind {
    /// The store cannot be reached, or broke off. What was to be written may have been.
    Unavailable,
    /// The store did not answer in time. What was to be written may have been.
    TimedOut,
    /// The store is as full as it may become.
    Full,
    /// The store is of a later version of this crate, or its tables are something else.
    Schema,
    /// Something in the store cannot be read: nobody but this crate should write there.
    Corrupt,
    /// The place to go on from is none that a list gave out.
    Cursor,
    /// The settings are wrong.
    Config,
    /// The store refused, for a reason of its own.
    Refused,
}

impl ListError {
    /// Makes an error of a kind, and of what was being done.
    #[must_use]
    pub fn new(kind: ListErrorKind, detail: impl Into<String>) -> Self {
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
    pub const fn kind(&self) -> ListErrorKind {
        self.0.kind
    }

    /// Returns whether asking again later may help.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(self.0.kind, ListErrorKind::Unavailable | ListErrorKind::TimedOut)
    }
}

impl fmt::Display for ListErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unavailable => "unavailable",
            Self::TimedOut => "no answer in time",
            Self::Full => "full",
            Self::Schema => "not the tables of this version",
            Self::Corrupt => "unreadable entry",
            Self::Cursor => "not a place to go on from",
            Self::Config => "wrong settings",
            Self::Refused => "refused",
        })
    }
}

impl fmt::Display for ListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "suppression list: {}", self.0.kind)?;
        match self.0.detail.as_str() {
            "" => Ok(()),
            detail => write!(f, ": {detail}"),
        }
    }
}

impl fmt::Debug for ListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListError")
            .field("kind", &self.0.kind)
            .field("detail", &self.0.detail)
            .field("source", &self.0.source)
            .finish()
    }
}

impl Error for ListError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
