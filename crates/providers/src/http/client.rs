//! The client that comes with the crate.

use std::error::Error;
use std::fmt;
use std::pin::{Pin, pin};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use posthaste_transport::ContentReader;

use super::{HttpClient, HttpError, HttpFuture, HttpRequest, HttpResponse, MAX_ANSWER, Method, Progress};

/// Sends requests by reqwest over rustls: HTTP/2 where the peer has it, connections kept, no redirects.
///
/// Clones share the connections. Proxies are those of the system's settings (`HTTPS_PROXY` and its kin); a request that asks a
/// service of this machine for keys goes past them.
#[derive(Clone)]
pub struct ReqwestClient {
    usual: reqwest::Client,
    /// Knows no proxy.
    direct: reqwest::Client,
}

impl ReqwestClient {
    /// Makes a client that trusts what the operating system trusts.
    ///
    /// # Errors
    ///
    /// [`ClientError`] if the system's certificates cannot be read.
    pub fn new() -> Result<Self, ClientError> {
        Self::build(Self::builder)
    }

    /// Makes a client that also trusts the certificates in `pem`.
    ///
    /// # Errors
    ///
    /// [`ClientError`] if `pem` holds no certificate, or one that cannot be read.
    pub fn with_root_certificates(pem: &[u8]) -> Result<Self, ClientError> {
        let certificates = reqwest::Certificate::from_pem_bundle(pem).map_err(ClientError::new)?;
        Self::build(|| Self::builder().tls_certs_merge(certificates.clone()))
    }

    fn builder() -> reqwest::ClientBuilder {
        reqwest::Client::builder()
            .user_agent(concat!("posthaste/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            // The layers decide what is repeated: they know what is safe.
            .retry(reqwest::retry::never())
            .connect_timeout(Duration::from_secs(10))
            .pool_idle_timeout(Duration::from_secs(60))
            .tcp_nodelay(true)
    }

    fn build(builder: impl Fn() -> reqwest::ClientBuilder) -> Result<Self, ClientError> {
        Ok(Self {
            usual: builder().build().map_err(ClientError::new)?,
            direct: builder().no_proxy().build().map_err(ClientError::new)?,
        })
    }
}

/// Says why a client could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be made")]
pub struct ClientError(#[source] Box<dyn Error + Send + Sync>);

impl ClientError {
    fn new(source: reqwest::Error) -> Self {
        Self(source.into())
    }
}

impl fmt::Debug for ReqwestClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestClient").finish_non_exhaustive()
    }
}

impl HttpClient for ReqwestClient {
    fn execute(&self, request: HttpRequest) -> HttpFuture<'_> {
        Box::pin(async move {
            let method = match request.method() {
                Method::Get => reqwest::Method::GET,
                Method::Post => reqwest::Method::POST,
                Method::Put => reqwest::Method::PUT,
            };
            if let Some(part) = request.malformed() {
                return Err(HttpError::malformed(part));
            }
            let client = if request.is_direct() { &self.direct } else { &self.usual };
            let mut outgoing = client.request(method, request.url());
            for (name, value) in request.headers() {
                outgoing = outgoing.header(name, value);
            }
            // An empty body is never asked for, so it cannot note that it was.
            if request.body().is_empty() {
                request.progress().begin();
            } else {
                outgoing = outgoing.body(reqwest::Body::wrap(Outgoing::new(&request)));
            }
            let answer = outgoing.send().await.map_err(without_url)?;
            read(answer).await.map_err(without_url)
        })
    }
}

async fn read(mut answer: reqwest::Response) -> Result<HttpResponse, reqwest::Error> {
    let status = answer.status().as_u16();
    let headers: Vec<(String, String)> = answer
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    let mut body = BytesMut::new();
    let mut whole = true;
    while let Some(chunk) = answer.chunk().await? {
        if body.len().saturating_add(chunk.len()) > MAX_ANSWER {
            whole = false;
            break;
        }
        body.extend_from_slice(&chunk);
    }
    let mut response = HttpResponse::new(status, body.freeze());
    for (name, value) in headers {
        response = response.with_header(name, value);
    }
    Ok(if whole { response } else { response.truncated() })
}

/// The URL may hold a secret; everything else may be shown.
fn without_url(error: reqwest::Error) -> HttpError {
    if error.is_builder() {
        return HttpError::malformed("URL or a header field");
    }
    let error = error.without_url();
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(inner) = cause {
        if inner.is::<UnreadableBody>() {
            return HttpError::unreadable(error);
        }
        cause = inner.source();
    }
    HttpError::new(error)
}

/// The body of a request, which notes when it is first asked for: then the connection stands.
struct Outgoing {
    /// Never locked: reqwest asks for what threads may share, and only one of them ever uses it.
    reader: Mutex<ContentReader>,
    progress: Progress,
    left: u64,
}

impl Outgoing {
    fn new(request: &HttpRequest) -> Self {
        Self {
            reader: Mutex::new(ContentReader::new(request.body())),
            progress: request.progress().clone(),
            left: request.body().len(),
        }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = UnreadableBody;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, UnreadableBody>>> {
        self.progress.begin();
        // A read that is dropped loses nothing, so that each poll may make its own.
        let reader = self.reader.get_mut().unwrap_or_else(PoisonError::into_inner);
        let read = pin!(reader.next()).poll(context);
        match read {
            Poll::Pending => Poll::Pending,
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Ready(Some(Ok(chunk))) => {
                self.left = self.left.saturating_sub(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
                Poll::Ready(Some(Ok(Frame::data(chunk))))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(UnreadableBody(error)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the body of the request could not be read")]
struct UnreadableBody(#[source] std::io::Error);
