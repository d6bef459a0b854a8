//! Fetching the policy of MTA-STS.

#[cfg(feature = "https")]
mod client;

use std::{collections::BTreeMap, fmt::Debug, future::Future, pin::Pin};

#[cfg(feature = "https")]
pub use client::{HttpsBuilder, HttpsClient};

/// What [`Https::get`] returns.
pub type FetchFuture<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, FetchError>> + Send + 'a>>;

/// Fetches a page over HTTPS.
///
/// What implements it must check the certificate against the host, follow no redirects, refuse another content type than
/// `text/plain`, read no more than 65536 octets, and give up after a while (RFC 8461 §3.3). With the feature `https`,
/// `HttpsClient` does.
pub trait Https: Debug + Send + Sync {
    /// Gets the body of the page at `url`.
    fn get<'a>(&'a self, url: &'a str) -> FetchFuture<'a>;
}

/// Says why there is no page.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The server answered with another status than 200, a redirect included.
    #[error("the server answered with status {0}")]
    Status(u16),
    /// The page is no plain text.
    #[error("the page has content type `{0}`, not text/plain")]
    ContentType(String),
    /// The page is too long.
    #[error("the page has more than 65536 octets")]
    TooLong,
    /// The server did not answer in time.
    #[error("the server did not answer in time")]
    Timeout,
    /// There is no server, or its certificate is not good, or it went away.
    #[error("no connection: {0}")]
    Connect(String),
    /// The client could not be set up.
    #[error("the client could not be set up: {0}")]
    Setup(String),
}

impl FetchError {
    /// Tells whether it may be otherwise the next time.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Timeout => true,
            Self::Status(status) => *status >= 500,
            Self::Connect(_) | Self::ContentType(_) | Self::TooLong | Self::Setup(_) => false,
        }
    }
}

/// Holds pages in memory, for tests. Where there is none, nobody listens.
#[derive(Clone, Debug, Default)]
pub struct Pages(BTreeMap<String, Result<Vec<u8>, FetchError>>);

impl Pages {
    /// Starts without a page.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a page.
    #[must_use]
    pub fn page(mut self, url: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        self.0.insert(url.into(), Ok(body.into()));
        self
    }

    /// Adds a page that cannot be had.
    #[must_use]
    pub fn failure(mut self, url: impl Into<String>, error: FetchError) -> Self {
        self.0.insert(url.into(), Err(error));
        self
    }
}

impl Https for Pages {
    fn get<'a>(&'a self, url: &'a str) -> FetchFuture<'a> {
        let none = || Err(FetchError::Connect("nobody listens".to_owned()));
        let page = self.0.get(url).cloned().unwrap_or_else(none);
        Box::pin(std::future::ready(page))
    }
}
