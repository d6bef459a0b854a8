//! A request as a server received it.

use std::fmt;

use bytes::Bytes;

use super::VerifyError;

/// A request as a server received it, of no HTTP library in particular.
///
/// # Examples
///
/// ```
/// use posthaste_events::webhook::Request;
///
/// let request = Request::post("https://example.org/hooks?key=1", "{}").header("Content-Type", "application/json");
/// assert_eq!(request.media_type().as_deref(), Some("application/json"));
/// ```
#[derive(Clone)]
pub struct Request {
    method: String,
    url: String,
    headers: Vec<(String, Bytes)>,
    body: Bytes,
}

impl Request {
    /// Makes a POST request.
    ///
    /// `url` is the one that the provider was told, as it was told, with scheme, host and query: some sign it. Behind a proxy it is not
    /// what the server sees.
    #[must_use]
    pub fn post(url: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self::new("POST", url, body)
    }

    /// Makes a request of any method.
    #[must_use]
    pub fn new(method: impl Into<String>, url: impl Into<String>, body: impl Into<Bytes>) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// Adds a header field. Repeated names are kept apart.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Bytes>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The same request with a body that came later.
    #[cfg(feature = "axum")]
    pub(super) fn with_body(self, body: Bytes) -> Self {
        Self { body, ..self }
    }

    /// Returns the method.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Returns the URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the body.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Returns the value of a header field; the first of several, and `None` if it is not text.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        let (_, value) = self
            .headers
            .iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok().map(str::trim)
    }

    /// Returns the media type of the body, in lower case and without parameters.
    #[must_use]
    pub fn media_type(&self) -> Option<String> {
        let value = self.field("content-type")?;
        let kind = value.split(';').next().unwrap_or_default().trim();
        (!kind.is_empty()).then(|| kind.to_ascii_lowercase())
    }

    /// Returns a parameter of the URL's query, decoded.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<String> {
        let query = self.url.split_once('?')?.1;
        let query = query.split('#').next().unwrap_or_default();
        let mut pairs = super::form::pairs(query.as_bytes());
        pairs
            .find(|(found, _)| found == name.as_bytes())
            .and_then(|(_, value)| String::from_utf8(value).ok())
    }

    /// Returns a header field on which a signature hangs: there once, and text.
    pub(super) fn required(&self, name: &'static str) -> Result<&str, VerifyError> {
        self.optional(name)?.ok_or(VerifyError::MissingHeader { name })
    }

    /// As [`required`](Self::required), of a field that need not be there.
    pub(super) fn optional(&self, name: &'static str) -> Result<Option<&str>, VerifyError> {
        let mut values = self.values(name);
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(VerifyError::RepeatedHeader { name });
        }
        let text = std::str::from_utf8(value).map_err(|_| VerifyError::Encoding {
            place: name,
            expected: "text",
        })?;
        Ok(Some(text.trim()))
    }

    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Bytes> {
        let named = self
            .headers
            .iter()
            .filter(move |(found, _)| found.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value)
    }
}

/// Shows neither body nor values of header fields nor a query: they hold secrets.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("headers", &names)
            .field("body", &format_args!("{} octets", self.body.len()))
            .finish_non_exhaustive()
    }
}
