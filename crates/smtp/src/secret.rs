//! Passwords that are wiped when dropped and never printed.

use std::fmt;

use zeroize::Zeroizing;

/// A password or other secret. `Debug` prints `[redacted]`; the memory is wiped when it is dropped.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// Returns the secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `other` is the same secret, compared in a time that depends on the lengths only.
    pub fn matches(&self, other: &str) -> bool {
        let (left, right) = (self.0.as_bytes(), other.as_bytes());
        let mut difference = u8::from(left.len() != right.len());
        for (index, byte) in left.iter().enumerate() {
            difference |= byte ^ right.get(index).copied().unwrap_or(!byte);
        }
        std::hint::black_box(difference) == 0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_not_shown_and_compares() {
        let secret = Secret::new("pass");
        assert_eq!(format!("{secret:?}"), "[redacted]");
        assert!(secret.matches("pass"));
        for other in ["", "pas", "pass1", "Pass"] {
            assert!(!secret.matches(other), "{other}");
        }
    }
}
