//! What is wrong with a description.

use std::borrow::Cow;

/// Says what is wrong with the description of a provider, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DescriptionError {
    /// It is no TOML, lacks a key, or has one that nothing is known of.
    #[error("line {line}: {reason}")]
    Syntax {
        /// Number of the line, from 1.
        line: usize,
        /// Why.
        reason: String,
    },
    /// A value cannot be what it is.
    #[error("{key} {reason}")]
    Value {
        /// The key, with those that it stands under.
        key: String,
        /// Why; it follows the key in a sentence.
        reason: Cow<'static, str>,
    },
    /// The file cannot be read.
    #[error("the description cannot be read: {0}")]
    File(std::io::ErrorKind),
}

impl DescriptionError {
    pub(super) fn at(key: impl Into<String>, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Value {
            key: key.into(),
            reason: reason.into(),
        }
    }

    pub(super) fn syntax(text: &str, error: &toml::de::Error) -> Self {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        Self::Syntax {
            line: before.bytes().filter(|&byte| byte == b'\n').count() + 1,
            reason: error.message().to_owned(),
        }
    }
}
