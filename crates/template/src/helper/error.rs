//! Why a helper gave up.

use std::fmt;

use crate::error::Shown;

/// Says why a helper could not do its work.
///
/// It becomes [`RenderError::Helper`](crate::RenderError::Helper), with the place of the call; a
/// [missing](Self::missing) argument becomes a missing variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelperError(HelperErrorKind);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HelperErrorKind {
    Missing(usize),
    TooLong,
    Message(String),
}

impl HelperError {
    /// Says it in words, without the name of the helper. Whatever it quotes from the data can end up in logs.
    pub fn new(message: impl Into<String>) -> Self {
        Self(HelperErrorKind::Message(message.into()))
    }

    /// Says that positional argument `index` (from 0) is missing and cannot be done without.
    pub fn missing(index: usize) -> Self {
        Self(HelperErrorKind::Missing(index))
    }

    /// Says that the result would be longer than [`Arguments::room`](crate::Arguments::room).
    pub fn too_long() -> Self {
        Self(HelperErrorKind::TooLong)
    }

    pub(crate) fn kind(&self) -> &HelperErrorKind {
        &self.0
    }
}

impl fmt::Display for HelperError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            HelperErrorKind::Missing(index) => write!(f, "argument {} is missing", index.saturating_add(1)),
            HelperErrorKind::TooLong => f.write_str("the result is too long"),
            HelperErrorKind::Message(message) => Shown(message).fmt(f),
        }
    }
}

impl std::error::Error for HelperError {}

impl From<String> for HelperError {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

impl From<&str> for HelperError {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}
