//! What stands behind a [`SendError`](posthaste_transport::SendError) of a provider.

use std::fmt;

use posthaste_transport::RateInfo;

/// Most characters of a provider's words that are kept.
const MOST: usize = 500;

/// What a provider said when it refused: the source of the [`SendError`](posthaste_transport::SendError).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderError {
    status: u16,
    code: Option<String>,
    message: Option<String>,
    request_id: Option<String>,
    rate: Option<RateInfo>,
}

impl ProviderError {
    pub(crate) fn new(status: u16, code: Option<&str>, message: Option<&str>, request_id: Option<&str>) -> Self {
        Self {
            status,
            code: code.map(bounded),
            message: message.map(bounded),
            request_id: request_id.map(bounded),
            rate: None,
        }
    }

    pub(crate) const fn with_rate(mut self, rate: Option<RateInfo>) -> Self {
        self.rate = rate;
        self
    }

    /// Returns the HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// Returns the provider's code.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// Returns the provider's words: at most 500 characters, controls replaced. They may repeat an address.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// Returns the id of the request, by which the provider's support finds it.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// Returns what the answer said of the provider's limit on calls, if it said anything.
    #[must_use]
    pub const fn rate(&self) -> Option<&RateInfo> {
        self.rate.as_ref()
    }
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP status {}", self.status)?;
        if let Some(code) = &self.code {
            write!(f, ", {code}")?;
        }
        if let Some(message) = &self.message {
            write!(f, ": {message}")?;
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request {id})")?;
        }
        Ok(())
    }
}

impl std::error::Error for ProviderError {}

fn bounded(text: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') {
                '\u{fffd}'
            } else {
                character
            }
        })
        .take(MOST)
        .collect()
}
