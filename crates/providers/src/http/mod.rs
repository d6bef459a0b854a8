//! HTTP as values, and the one trait that does the I/O.

#[cfg(feature = "client")]
mod client;
mod request;
mod response;
mod retry_after;

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

#[cfg(feature = "client")]
#[cfg_attr(docsrs, doc(cfg(feature = "client")))]
pub use client::{ClientError, ReqwestClient};
pub use request::{HttpRequest, Method, Progress};
pub use response::HttpResponse;

/// Most bytes of an answer that are kept. Answers of providers are a few hundred bytes.
#[cfg(feature = "client")]
pub(crate) const MAX_ANSWER: usize = 1 << 20;

/// What [`HttpClient::execute`] returns.
pub type HttpFuture<'a> = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'a>>;

/// Exchanges one request for its answer.
///
/// It keeps connections, follows no redirect, repeats nothing, gives no request to a proxy that is to go
/// [without](HttpRequest::is_direct), and calls [`Progress::begin`] before it writes the first
/// byte: what is certain about a request that failed hangs on that. It reads at most 1 MiB of the answer, and says in
/// [`HttpResponse`] if there was more.
pub trait HttpClient: fmt::Debug + Send + Sync + 'static {
    /// Sends `request`.
    ///
    /// # Errors
    ///
    /// [`HttpError`] if there is no answer. An answer with a status that refuses is an answer.
    fn execute(&self, request: HttpRequest) -> HttpFuture<'_>;
}

/// Says why there is no answer.
#[derive(Debug)]
pub struct HttpError {
    reading: bool,
    malformed: Option<Cow<'static, str>>,
    source: Box<dyn Error + Send + Sync>,
}

impl HttpError {
    /// Says that the peer could not be reached, or that the exchange broke off.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            reading: false,
            malformed: None,
            source: source.into(),
        }
    }

    /// Says that the body of the request could not be read, so that it was never whole.
    pub fn unreadable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            reading: true,
            malformed: None,
            source: source.into(),
        }
    }

    /// Says that the request cannot be written as HTTP, and which part of it: see [`HttpRequest::malformed`]. Nothing was sent.
    pub fn malformed(part: impl Into<Cow<'static, str>>) -> Self {
        Self {
            reading: false,
            malformed: Some(part.into()),
            source: "it holds what HTTP cannot carry".into(),
        }
    }

    /// Returns the part of the request that cannot be written, if that is why nothing was sent.
    #[must_use]
    pub fn malformed_part(&self) -> Option<&str> {
        self.malformed.as_deref()
    }

    /// Tells whether it was our side: the body of the request could not be read.
    #[must_use]
    pub const fn is_unreadable(&self) -> bool {
        self.reading
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.malformed {
            Some(part) => write!(f, "the request cannot be written: {part}"),
            None if self.reading => f.write_str("the body of the request could not be read"),
            None => f.write_str("no answer"),
        }
    }
}

impl Error for HttpError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

#[deny(clippy::missing_trait_methods)]
impl<C: HttpClient + ?Sized> HttpClient for std::sync::Arc<C> {
    fn execute(&self, request: HttpRequest) -> HttpFuture<'_> {
        (**self).execute(request)
    }
}
