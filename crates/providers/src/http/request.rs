//! A request, ready to be written.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use posthaste_mime::Rope;

use crate::Json;

/// The methods that providers' APIs use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
}

impl Method {
    /// Returns it as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

/// A request: method, URL, header fields, body.
///
/// `Debug` shows neither the query of the URL, nor the values of fields that were set as secret, nor the body.
#[derive(Clone)]
pub struct HttpRequest {
    method: Method,
    url: String,
    headers: Vec<(Cow<'static, str>, String, bool)>,
    body: Rope,
    direct: bool,
    progress: Progress,
}

impl HttpRequest {
    /// Makes a request without header fields and body. `url` has to be a whole URL, its parts percent-encoded.
    #[must_use]
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            headers: Vec::new(),
            body: Rope::new(),
            direct: false,
            progress: Progress::default(),
        }
    }

    /// Makes a `POST` of JSON, with the fields `Content-Type` and `Accept`.
    #[must_use]
    pub fn post_json(url: impl Into<String>, json: &Json) -> Self {
        Self::new(Method::Post, url)
            .with_header("Content-Type", "application/json")
            .with_header("Accept", "application/json")
            .with_body(json.to_rope())
    }

    /// Replaces the method.
    #[must_use]
    pub const fn with_method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// Sets a header field; one that was there is replaced.
    #[must_use]
    pub fn with_header(self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.set(name.into(), value.into(), false)
    }

    /// Sets a header field whose value is never shown.
    #[must_use]
    pub fn with_secret_header(self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.set(name.into(), value.into(), true)
    }

    /// Sets the body.
    #[must_use]
    pub fn with_body(mut self, body: Rope) -> Self {
        self.body = body;
        self
    }

    /// Says that no proxy may see it: it asks a service of this machine or its host for keys.
    #[must_use]
    pub const fn without_proxy(mut self) -> Self {
        self.direct = true;
        self
    }

    /// Returns the method.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.method
    }

    /// Returns the URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Goes through the header fields, in order.
    pub fn headers(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.headers
            .iter()
            .map(|(name, value, _)| (name.as_ref(), value.as_str()))
    }

    /// Returns a header field by its name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers()
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Returns the body.
    #[must_use]
    pub const fn body(&self) -> &Rope {
        &self.body
    }

    /// Tells whether it must go to its host directly, whatever proxy is set.
    #[must_use]
    pub const fn is_direct(&self) -> bool {
        self.direct
    }

    /// Names the first part that cannot be written as HTTP: `URL` (RFC 3986; `http` or `https`, with a host), or a header field whose
    /// name is no token (RFC 9110 §5.1) or whose value holds a control character (§5.5). What it holds is not repeated.
    #[must_use]
    pub fn malformed(&self) -> Option<Cow<'static, str>> {
        let is_url = url::Url::parse(&self.url).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| !host.is_empty())
        });
        if !is_url {
            return Some(Cow::Borrowed("URL"));
        }
        let is_token = |octet: u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet);
        let is_wrong = |name: &str, value: &str| {
            name.is_empty()
                || !name.bytes().all(is_token)
                || value
                    .bytes()
                    .any(|octet| octet == 0x7f || octet < 0x20 && octet != b'\t')
        };
        self.headers
            .iter()
            .find(|(name, value, _)| is_wrong(name, value))
            // A name that is no token may be anything, a key too.
            .map(|(name, ..)| match !name.is_empty() && name.bytes().all(is_token) {
                true => name.clone(),
                false => Cow::Borrowed("name of a header field"),
            })
    }

    /// The same request, of which nothing is with the peer yet.
    pub(crate) fn anew(&self) -> Self {
        Self {
            progress: Progress::default(),
            ..self.clone()
        }
    }

    /// Returns what a client notes its progress in.
    #[must_use]
    pub const fn progress(&self) -> &Progress {
        &self.progress
    }

    fn set(mut self, name: Cow<'static, str>, value: String, secret: bool) -> Self {
        self.headers.retain(|(own, ..)| !own.eq_ignore_ascii_case(&name));
        self.headers.push((name, value, secret));
        self
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers = self
            .headers
            .iter()
            .map(|(name, value, secret)| (name.as_ref(), if *secret { "(secret)" } else { value.as_str() }));
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("url", &self.url.split('?').next().unwrap_or_default())
            .field("headers", &headers.collect::<Vec<_>>())
            .field("body_length", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Notes how far a request got, for whoever stopped waiting for it.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<AtomicBool>);

impl Progress {
    /// Notes that from now on bytes of the request may be with the peer.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Tells whether bytes of the request may be with the peer.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_is_named_and_not_shown() {
        let good = HttpRequest::new(Method::Post, "https://api.example/send").with_header("X-A", "\u{e4} b\tc");
        assert_eq!(good.malformed(), None);
        for (url, name, value, expected) in [
            ("api.example/send", "X-A", "", "URL"),
            ("https://", "X-A", "", "URL"),
            ("ftp://api.example/", "X-A", "", "URL"),
            ("https://api.example:port/", "X-A", "", "URL"),
            ("https://api.example/", "X-A", "a\r\nB: c", "X-A"),
            ("https://api.example/", "X-A", "a\0", "X-A"),
            ("https://api.example/", "X-A", "a\u{7f}", "X-A"),
            ("https://api.example/", "X A", "", "name of a header field"),
            ("https://api.example/", "", "", "name of a header field"),
            ("https://api.example/", "hidden:", "", "name of a header field"),
        ] {
            let request = HttpRequest::new(Method::Post, url).with_header(name, value);
            assert_eq!(request.malformed().as_deref(), Some(expected), "{url} {name:?}");
        }
    }

    #[test]
    fn a_field_stands_once_and_secrets_are_not_shown() {
        let request = HttpRequest::new(Method::Post, "https://api.example/send?key=hidden")
            .with_header("accept", "text/plain")
            .with_header("Accept", "application/json")
            .with_secret_header("Authorization", "Bearer hidden")
            .with_body(Rope::from(b"hidden".to_vec()));
        assert_eq!(request.headers().len(), 2);
        assert_eq!(request.header("ACCEPT"), Some("application/json"));
        let shown = format!("{request:?}");
        assert!(!shown.contains("hidden"), "{shown}");
        assert!(shown.contains("https://api.example/send") && shown.contains("Authorization"));
    }
}
