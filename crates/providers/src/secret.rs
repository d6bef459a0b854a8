//! Keys that are not shown, and are wiped.

use std::fmt;

use zeroize::Zeroizing;

/// An API key, a token, a password: text that may stand in a header field, is never shown, and is wiped when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

/// Says why a text cannot be a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// It is empty.
    #[error("the key is empty")]
    Empty,
    /// It holds a character that cannot stand in a header field, a space at an end included.
    #[error("the key holds a character that cannot stand in a header field")]
    Character,
}

impl Secret {
    /// Checks and keeps a key.
    ///
    /// # Errors
    ///
    /// [`SecretError`] if it cannot stand in a header field: it is empty, or is not printable ASCII.
    pub fn new(text: impl Into<String>) -> Result<Self, SecretError> {
        let text = Zeroizing::new(text.into());
        if text.is_empty() {
            return Err(SecretError::Empty);
        }
        if text.bytes().any(|byte| !(0x20..0x7f).contains(&byte)) || text.trim() != text.as_str() {
            return Err(SecretError::Character);
        }
        Ok(Self(text))
    }

    /// Returns the text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

impl From<SecretError> for crate::SettingsError {
    fn from(_: SecretError) -> Self {
        Self::Value {
            key: "the key".to_owned(),
            expected: "printable ASCII",
        }
    }
}
