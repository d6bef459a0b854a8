//! What a provider is: constant data, and two pure functions.

use std::fmt::Debug;
use std::future::{Future, ready};
use std::pin::Pin;
use std::time::SystemTime;

use posthaste_transport::{Capabilities, RateInfo, SendError, TransportInfo};

use crate::{Fault, HttpClient, HttpError, HttpRequest, HttpResponse, RateHeaders, Receipt, Submission};

/// What [`Adapter::authorize`] returns.
pub type AuthorizeFuture<'a> = Pin<Box<dyn Future<Output = Result<HttpRequest, SendError>> + Send + 'a>>;

/// Speaks one provider's API: constant data, and pure functions to and from HTTP as values.
///
/// [`Provider`](crate::Provider) does the rest, the same for all: it plans, sends, waits no longer than it may, reads the
/// answer and says what may be repeated.
pub trait Adapter: Debug + Send + Sync + 'static {
    /// Returns the constant data.
    fn profile(&self) -> &Profile;

    /// Writes a request. Mail that the capabilities rule out never comes here.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](posthaste_transport::ErrorKind::Unsupported) or
    /// [`Invalid`](posthaste_transport::ErrorKind::Invalid) for what no flag says: see [`Submission::refuse`] and
    /// [`Submission::invalid`].
    fn encode(&self, submission: &Submission<'_>) -> Result<HttpRequest, SendError>;

    /// Tells whether an answer says what became of the copies, so that [`decode`](Self::decode) reads it: one with a status of
    /// 2xx. Some providers say so with other statuses too.
    fn settles(&self, response: &HttpResponse) -> bool {
        response.is_success()
    }

    /// Reads an answer that settles what became of the copies.
    ///
    /// # Errors
    ///
    /// [`Fault`] if it refuses all the same, or cannot be understood.
    fn decode(&self, submission: &Submission<'_>, response: &HttpResponse) -> Result<Receipt, Fault>;

    /// Reads any other answer.
    fn fault(&self, response: &HttpResponse) -> Fault;

    /// Adds what proves who asks, if that takes more than a constant: a signature over the request, a token that has to be
    /// fetched first. Adapters with a key in a header add it in [`encode`](Self::encode).
    fn authorize<'a>(&'a self, request: HttpRequest, context: &'a Context<'a>) -> AuthorizeFuture<'a> {
        let _ = context;
        Box::pin(ready(Ok(request)))
    }

    /// Proves anew who asks, after `answer` (401 or 403) did not believe `request`: by a token that is fetched now. The request is then
    /// made once more, and that answer counts. `None` if there is no other proof, which is what it says unless it is written otherwise.
    fn reauthorize<'a>(
        &'a self,
        request: HttpRequest,
        answer: &HttpResponse,
        context: &'a Context<'a>,
    ) -> Option<AuthorizeFuture<'a>> {
        let _ = (request, answer, context);
        None
    }

    /// Reads what an answer says of a limit on calls: in the header fields that [`Profile::with_rate_headers`] names, and in the
    /// standard's `RateLimit`. [`RateHeaders::read`] reads one limit.
    fn rate(&self, response: &HttpResponse, now: SystemTime) -> Option<RateInfo> {
        crate::rate::read(self.profile().rate_headers(), response, now)
    }
}

/// What [`Adapter::authorize`] may use.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub(crate) client: &'a dyn HttpClient,
    pub(crate) now: SystemTime,
}

impl<'a> Context<'a> {
    /// Makes a context, for whoever tests an adapter.
    #[must_use]
    pub const fn new(client: &'a dyn HttpClient, now: SystemTime) -> Self {
        Self { client, now }
    }

    /// Returns the client, for a token.
    #[must_use]
    pub const fn client(&self) -> &'a dyn HttpClient {
        self.client
    }

    /// Asks for what a proof is made of, unless HTTP cannot carry it.
    pub(crate) async fn ask(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        match request.malformed() {
            Some(part) => Err(HttpError::malformed(part)),
            None => self.client.execute(request).await,
        }
    }

    /// Returns the time.
    #[must_use]
    pub const fn now(&self) -> SystemTime {
        self.now
    }
}

/// The constant data of a provider.
#[derive(Clone, Debug)]
pub struct Profile {
    info: TransportInfo,
    title: &'static str,
    request_id_headers: &'static [&'static str],
    rate_headers: &'static [RateHeaders],
    max_request_size: Option<u64>,
    needs_to: bool,
    as_of: &'static str,
}

impl Profile {
    /// Begins with the name, one lower-case word that is also the scheme of its URLs; the name that people know; and what it
    /// can do.
    #[must_use]
    pub const fn new(name: &'static str, title: &'static str, capabilities: Capabilities) -> Self {
        Self {
            info: TransportInfo::new(name, capabilities),
            title,
            request_id_headers: &["X-Request-Id"],
            rate_headers: RateHeaders::USUAL,
            max_request_size: None,
            needs_to: true,
            as_of: "2026-11",
        }
    }

    /// Replaces the name, for one that is only known when the program runs.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        self.info = self.info.with_name(name);
        self
    }

    /// Sets the header fields of an answer that may hold the id of the request; the first that is there counts.
    #[must_use]
    pub const fn with_request_id_headers(mut self, names: &'static [&'static str]) -> Self {
        self.request_id_headers = names;
        self
    }

    /// Sets the header fields of an answer that say what is left of a limit on calls, a set for each limit;
    /// [`RateHeaders::USUAL`] unless they are set.
    #[must_use]
    pub const fn with_rate_headers(mut self, sets: &'static [RateHeaders]) -> Self {
        self.rate_headers = sets;
        self
    }

    /// Sets how many bytes a whole request may have.
    #[must_use]
    pub const fn with_max_request_size(mut self, bytes: u64) -> Self {
        self.max_request_size = Some(bytes);
        self
    }

    /// Says that a message may go to blind copies alone.
    #[must_use]
    pub const fn without_need_of_to(mut self) -> Self {
        self.needs_to = false;
        self
    }

    /// Sets the month in which the limits were looked up: vendors change them.
    #[must_use]
    pub const fn as_of(mut self, month: &'static str) -> Self {
        self.as_of = month;
        self
    }

    /// Returns the name and the capabilities.
    #[must_use]
    pub const fn info(&self) -> &TransportInfo {
        &self.info
    }

    /// Returns the name that people know.
    #[must_use]
    pub const fn title(&self) -> &'static str {
        self.title
    }

    /// Returns the header fields of an answer that may hold the id of the request.
    #[must_use]
    pub const fn request_id_headers(&self) -> &'static [&'static str] {
        self.request_id_headers
    }

    /// Returns the header fields of an answer that say what is left of a limit on calls.
    #[must_use]
    pub const fn rate_headers(&self) -> &'static [RateHeaders] {
        self.rate_headers
    }

    /// Returns how many bytes a whole request may have, if there is a limit beside that of a message.
    #[must_use]
    pub const fn max_request_size(&self) -> Option<u64> {
        self.max_request_size
    }

    /// Tells whether a message has to have a primary recipient.
    #[must_use]
    pub const fn needs_to(&self) -> bool {
        self.needs_to
    }

    /// Returns the month in which the limits were looked up.
    #[must_use]
    pub const fn looked_up(&self) -> &'static str {
        self.as_of
    }
}
