//! An extractor for axum: a handler gets what was verified, and nothing else comes to it.
//!
//! ```
//! use axum::{Router, routing::any};
//! use posthaste_events::webhook::axum::Webhook;
//! use posthaste_events::webhook::{Access, Postmark, Receiver};
//!
//! async fn postmark(webhook: Webhook) {
//!     for event in webhook.parsed.events {
//!         println!("{} {:?}", event.kind, event.recipient);
//!     }
//! }
//!
//! let receiver = Receiver::new(Postmark::new()).access(Access::basic("hooks", "a long password"));
//! let app: Router = Router::new().route("/hooks/postmark", any(postmark)).with_state(receiver);
//! ```
//!
//! Route all methods there: some providers ask with GET, HEAD or OPTIONS whether somebody is there, and are answered without the handler.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::time::SystemTime;

use axum::body::{Body, BodyDataStream};
use axum::extract::{FromRef, FromRequest, OriginalUri};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use http::{HeaderValue, StatusCode, header};

use super::{Control, ParseError, Parsed, Receiver, Request, Verified, VerifyError};

/// A request that was verified and read, as argument of a handler.
///
/// `R` is taken from the state: a [`Receiver`], or a type of your own that leads to one, where an application has several providers.
#[derive(Debug)]
#[non_exhaustive]
pub struct Webhook<R = Receiver> {
    /// What it said.
    pub parsed: Parsed,
    /// The request, and how it is known whose it is.
    pub verified: Verified,
    /// Whose it was to check it.
    pub receiver: R,
}

impl<S, R> FromRequest<S> for Webhook<R>
where
    S: Send + Sync,
    R: FromRef<S> + AsRef<Receiver> + Send + Sync,
{
    type Rejection = Rejection;

    async fn from_request(request: axum::extract::Request, state: &S) -> Result<Self, Rejection> {
        let own = R::from_ref(state);
        let receiver = own.as_ref();
        let (head, body) = request.into_parts();
        // Below a nested router the URI has lost its beginning.
        let original = head.extensions.get::<OriginalUri>().map(|OriginalUri(uri)| uri);
        let uri = original.unwrap_or(&head.uri);
        let host = head.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = uri.authority().map(|authority| authority.as_str()).or(host);
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let url = receiver.url(host.unwrap_or_default(), path);
        let mut request = Request::new(head.method.as_str(), url, Bytes::new());
        for (name, value) in &head.headers {
            request = request.header(name.as_str(), Bytes::copy_from_slice(value.as_bytes()));
        }
        // Whom nobody let in makes nobody hold megabytes.
        receiver.admit(&request)?;
        let request = request.with_body(read(body, receiver.bounds().body).await?);
        let verified = receiver.receive(request, SystemTime::now()).await?;
        let parsed = verified.parse()?;
        match parsed.control {
            Some(control @ (Control::Ping | Control::Reply { .. }))
                if parsed.events.is_empty() && parsed.inbound.is_empty() && parsed.problems.is_empty() =>
            {
                Err(Rejection::Answered(control))
            }
            control => Ok(Self {
                parsed: Parsed { control, ..parsed },
                verified,
                receiver: own,
            }),
        }
    }
}

/// What is answered without the handler.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejection {
    /// The request is not known for one of the provider.
    Verify(VerifyError),
    /// The request is one of the provider and cannot be read.
    Parse(ParseError),
    /// The body did not come whole.
    Body,
    /// Nothing is wrong: the provider asked whether somebody is there, and is answered.
    Answered(Control),
}

impl Rejection {
    /// Returns the status that is answered.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Verify(error) => error.status(),
            Self::Parse(error) => error.status(),
            Self::Body => 400,
            Self::Answered(_) => 200,
        }
    }
}

impl From<VerifyError> for Rejection {
    fn from(error: VerifyError) -> Self {
        Self::Verify(error)
    }
}

impl From<ParseError> for Rejection {
    fn from(error: ParseError) -> Self {
        Self::Parse(error)
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verify(error) => error.fmt(f),
            Self::Parse(error) => error.fmt(f),
            Self::Body => f.write_str("the body did not come whole"),
            Self::Answered(_) => f.write_str("the provider asked whether somebody is there"),
        }
    }
}

impl std::error::Error for Rejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Verify(error) => error.source(),
            Self::Parse(error) => error.source(),
            Self::Body | Self::Answered(_) => None,
        }
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        if let Self::Answered(control) = self {
            return answer(control);
        }
        let status = StatusCode::from_u16(self.status()).unwrap_or(StatusCode::BAD_REQUEST);
        // Who checks what is no business of strangers: the words are for the server's own log.
        let mut response = status.into_response();
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Basic realm=\"webhooks\", charset=\"UTF-8\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

fn answer(control: Control) -> Response {
    let Control::Reply { headers, body } = control else {
        return StatusCode::OK.into_response();
    };
    let mut response = Response::new(Body::from(body));
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (header::HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

impl AsRef<Self> for Receiver {
    fn as_ref(&self) -> &Self {
        self
    }
}

/// Reads a body, and stops when it is longer than it may be.
async fn read(body: Body, limit: usize) -> Result<Bytes, Rejection> {
    let too_large = |size: usize| Rejection::Verify(VerifyError::TooLarge { size, limit });
    let announced = http_body_size(&body);
    if announced > limit {
        return Err(too_large(announced));
    }
    let mut stream: BodyDataStream = body.into_data_stream();
    let mut whole = BytesMut::new();
    while let Some(piece) = poll_fn(|context| Pin::new(&mut stream).poll_next(context)).await {
        let piece = piece.map_err(|_| Rejection::Body)?;
        let size = whole.len().saturating_add(piece.len());
        if size > limit {
            return Err(too_large(size));
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

/// Returns how long a body will be at least.
fn http_body_size(body: &Body) -> usize {
    let lower = axum::body::HttpBody::size_hint(body).lower();
    usize::try_from(lower).unwrap_or(usize::MAX)
}
