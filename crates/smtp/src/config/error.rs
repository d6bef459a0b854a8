//! Why settings cannot be used.

use std::error::Error;
use std::io;
use std::path::PathBuf;

/// Why settings of the client or the server cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The text is no URL of the right form.
    #[error("not a usable URL: {0}")]
    Url(&'static str),
    /// A key is not known.
    #[error("unknown key `{key}`; known are {known}")]
    UnknownKey {
        /// The key as it was given.
        key: String,
        /// The keys there are.
        known: String,
    },
    /// A key has a value that it cannot have.
    #[error("`{key}` must be {expected}")]
    Value {
        /// The key.
        key: &'static str,
        /// What it can be.
        expected: &'static str,
    },
    /// A setting that is needed is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A setting cannot be what it is.
    #[error("{setting} is not valid: {reason}")]
    Invalid {
        /// The setting.
        setting: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// A file that a setting names cannot be read.
    #[error("the file {} of {setting} cannot be read", path.display())]
    File {
        /// The setting.
        setting: &'static str,
        /// Where the file should be.
        path: PathBuf,
        /// Why it cannot be read.
        #[source]
        source: io::Error,
    },
    /// A private key is not the one of its certificate.
    #[error("the private key is not the one of the certificate")]
    KeyMismatch,
    /// A certificate or key cannot be read.
    #[error("certificate or key: {0}")]
    Certificate(String),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[source] Box<dyn Error + Send + Sync>),
}
