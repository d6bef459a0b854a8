//! Access tokens of OAuth 2.0 (RFC 6749), fetched and kept.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use posthaste_transport::{Disposition, ErrorKind, SendError};
use serde_json::Value;
use tokio::sync::Mutex as AsyncMutex;
use tracing::debug;

use crate::{Context, Form, HttpRequest, ProviderError, Secret, SecretError};

/// A token is replaced when it is good for no longer than this.
const EARLY: Duration = Duration::from_mins(5);

/// How long a token is good for if its endpoint does not say (RFC 6749 §5.1 leaves that open).
const UNSAID: Duration = Duration::from_mins(10);

/// What stands before a token in a header field (RFC 6750 §2.1).
const BEARER: &str = "Bearer ";

/// How long nobody asks again after a token could not be replaced that is still good.
const PAUSE: Duration = Duration::from_secs(30);

/// What [`TokenStore::store`] returns.
pub type StoreFuture<'a> = Pin<Box<dyn Future<Output = Result<(), Box<dyn Error + Send + Sync>>> + Send + 'a>>;

/// Keeps refresh tokens beyond the life of the program.
///
/// A token endpoint may give a new refresh token with an access token, and take back the old one (RFC 6749 §6): a program that starts
/// again with the old one has lost the mailbox.
pub trait TokenStore: fmt::Debug + Send + Sync + 'static {
    /// Stores `refresh_token` in the place of the one before. It is called before the access token that came with it is used, and again,
    /// with the next mail, if it fails or the mail's deadline ends it. The mail goes out all the same.
    ///
    /// # Errors
    ///
    /// Any, which is logged and not shown elsewhere.
    fn store<'a>(&'a self, refresh_token: &'a Secret) -> StoreFuture<'a>;
}

/// Gets access tokens from a token endpoint, and keeps each for as long as it is good. Clones share it.
///
/// A token is replaced five minutes before it expires; if that fails, the old one is used for as long as it is good. One that the provider
/// does not take any more is replaced at once, and the call is made again, once. A refresh token that the endpoint replaces is
/// used from then on, and handed to the [`TokenStore`].
///
/// # Examples
///
/// ```
/// use posthaste_providers::OAuth2;
///
/// // A mailbox's owner has consented once, and a refresh token is what is left of it.
/// let google = OAuth2::refreshing(
///     "https://oauth2.googleapis.com/token",
///     "client id",
///     "client secret",
///     "refresh token",
/// )?;
/// # Ok::<(), posthaste_providers::SecretError>(())
/// ```
#[derive(Clone)]
pub struct OAuth2 {
    grant: Grant,
    store: Option<Arc<dyn TokenStore>>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    kept: Mutex<Kept>,
    /// One asks, the others wait for what it gets.
    asking: AsyncMutex<()>,
}

#[derive(Default)]
struct Kept {
    access: Option<Access>,
    /// What replaced the refresh token that the caller gave.
    refresh_token: Option<Secret>,
    /// Whether that is still to be stored.
    is_unstored: bool,
}

#[derive(Clone)]
struct Access {
    token: Secret,
    until: SystemTime,
    /// Not to be replaced before.
    pause: Option<SystemTime>,
}

impl Access {
    fn is_good(&self, now: SystemTime) -> bool {
        now < self.until
    }

    /// Whether there is no need to look for another.
    fn suffices(&self, now: SystemTime) -> bool {
        let is_fresh = now.checked_add(EARLY).is_some_and(|soon| soon < self.until);
        is_fresh || self.is_good(now) && self.pause.is_some_and(|pause| now < pause)
    }
}

#[derive(Clone)]
enum Grant {
    Token(Secret),
    Endpoint {
        url: Cow<'static, str>,
        client_id: String,
        client_secret: Secret,
        /// The refresh token, or the scope that the client asks for on its own behalf.
        on_behalf: Behalf,
    },
}

#[derive(Clone)]
enum Behalf {
    Mailbox(Secret),
    Client { scope: String },
}

/// What a token endpoint gave.
struct Granted {
    access: Access,
    refresh_token: Option<Secret>,
}

impl OAuth2 {
    /// Uses a token that somebody else got, for as long as it is good.
    ///
    /// # Errors
    ///
    /// [`SecretError`] if it cannot stand in a header field.
    pub fn token(token: impl Into<String>) -> Result<Self, SecretError> {
        Ok(Self::of(Grant::Token(Secret::new(token)?)))
    }

    /// Gets tokens by a refresh token (RFC 6749 §6).
    ///
    /// # Errors
    ///
    /// [`SecretError`] if a secret is empty or not printable ASCII.
    pub fn refreshing(
        token_url: impl Into<Cow<'static, str>>,
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
        refresh_token: impl Into<String>,
    ) -> Result<Self, SecretError> {
        Ok(Self::of(Grant::Endpoint {
            url: token_url.into(),
            client_id: client_id.into(),
            client_secret: Secret::new(client_secret)?,
            on_behalf: Behalf::Mailbox(Secret::new(refresh_token)?),
        }))
    }

    /// Gets tokens by the client's own credentials (RFC 6749 §4.4).
    ///
    /// # Errors
    ///
    /// [`SecretError`] if the secret is empty or not printable ASCII.
    pub fn client_credentials(
        token_url: impl Into<Cow<'static, str>>,
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
        scope: impl Into<String>,
    ) -> Result<Self, SecretError> {
        Ok(Self::of(Grant::Endpoint {
            url: token_url.into(),
            client_id: client_id.into(),
            client_secret: Secret::new(client_secret)?,
            on_behalf: Behalf::Client { scope: scope.into() },
        }))
    }

    /// Sets what keeps refresh tokens that replace the one given.
    #[must_use]
    pub fn with_token_store(mut self, store: impl TokenStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    fn of(grant: Grant) -> Self {
        Self {
            grant,
            store: None,
            shared: Arc::default(),
        }
    }

    /// Puts a token into a request, which is fetched first if there is none that is good.
    pub(crate) async fn authorize(
        &self,
        request: HttpRequest,
        context: &Context<'_>,
    ) -> Result<HttpRequest, SendError> {
        let token = self.get(context).await?;
        Ok(Self::put(request, &token))
    }

    /// Puts another token into a request than the one that was not taken; `None` if there is never another.
    pub(crate) fn reauthorize<'a>(
        &'a self,
        request: HttpRequest,
        context: &'a Context<'a>,
    ) -> Option<impl Future<Output = Result<HttpRequest, SendError>> + Send + 'a> {
        if matches!(self.grant, Grant::Token(_)) {
            return None;
        }
        Some(async move {
            self.forget(&request);
            let token = self.get(context).await?;
            Ok(Self::put(request, &token))
        })
    }

    /// Forgets the token of a request that was not taken, unless somebody else has replaced it by now.
    fn forget(&self, request: &HttpRequest) {
        let token = request
            .header("Authorization")
            .and_then(|value| value.strip_prefix(BEARER));
        let mut kept = self.kept();
        if kept.access.as_ref().map(|access| access.token.expose()) == token {
            kept.access = None;
        }
    }

    fn put(request: HttpRequest, token: &Secret) -> HttpRequest {
        request.with_secret_header("Authorization", format!("{BEARER}{}", token.expose()))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.shared.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn get(&self, context: &Context<'_>) -> Result<Secret, SendError> {
        if let Grant::Token(token) = &self.grant {
            return Ok(token.clone());
        }
        let now = context.now();
        let sufficient = || {
            let kept = self.kept();
            let access = kept.access.as_ref().filter(|access| access.suffices(now));
            access.filter(|_| !kept.is_unstored).map(|access| access.token.clone())
        };
        if let Some(token) = sufficient() {
            return Ok(token);
        }
        let asking = match self.shared.asking.try_lock() {
            Ok(asking) => asking,
            Err(_) => {
                // Somebody asks already: nobody else waits who has one that is good.
                let good = self.kept().access.clone().filter(|access| access.is_good(now));
                if let Some(access) = good {
                    return Ok(access.token);
                }
                self.shared.asking.lock().await
            }
        };
        self.store_pending().await;
        let current = self.kept().access.clone().filter(|access| access.is_good(now));
        if let Some(access) = current.as_ref().filter(|access| access.suffices(now)) {
            return Ok(access.token.clone());
        }
        if let Some(access) = &mut self.kept().access {
            // Also for those who come while this one waits, or after its deadline has ended it.
            access.pause = now.checked_add(PAUSE);
        }
        let granted = match (self.fetch(context).await, current) {
            (Ok(granted), _) => granted,
            (Err(error), Some(access)) => {
                debug!(kind = %error.kind(), "the token could not be replaced, and is still good");
                return Ok(access.token);
            }
            (Err(error), None) => return Err(error),
        };
        let token = granted.access.token.clone();
        {
            let mut kept = self.kept();
            kept.access = Some(granted.access);
            if let Some(refresh_token) = granted.refresh_token {
                kept.refresh_token = Some(refresh_token);
                kept.is_unstored = self.store.is_some();
            }
        }
        self.store_pending().await;
        drop(asking);
        Ok(token)
    }

    /// Hands a new refresh token to the store, if there is one that it has not.
    async fn store_pending(&self) {
        let (Some(store), Some(token)) = (&self.store, {
            let kept = self.kept();
            kept.refresh_token.clone().filter(|_| kept.is_unstored)
        }) else {
            return;
        };
        match store.store(&token).await {
            Ok(()) => self.kept().is_unstored = false,
            // Its words may be anything, the token too.
            Err(_) => debug!("the new refresh token could not be stored"),
        }
    }

    async fn fetch(&self, context: &Context<'_>) -> Result<Granted, SendError> {
        let failed = |kind| SendError::new(kind, Disposition::NotAccepted).with_detail("getting an access token");
        let Grant::Endpoint {
            url,
            client_id,
            client_secret,
            on_behalf,
        } = &self.grant
        else {
            return Err(failed(ErrorKind::Unauthorized));
        };
        let replaced = self.kept().refresh_token.clone();
        let form = match on_behalf {
            Behalf::Mailbox(given) => Form::new()
                .text("grant_type", "refresh_token")
                .text("refresh_token", replaced.as_ref().unwrap_or(given).expose()),
            Behalf::Client { scope } => Form::new()
                .text("grant_type", "client_credentials")
                .text("scope", scope),
        };
        let form = form
            .text("client_id", client_id)
            .text("client_secret", client_secret.expose());
        let response = context.ask(form.post(url.clone(), "")).await.map_err(|error| {
            let kind = match error.malformed_part() {
                Some(_) => ErrorKind::Invalid,
                None => ErrorKind::Unavailable,
            };
            failed(kind).with_source(error)
        })?;
        let body = response.json().unwrap_or_default();
        let text = |key: &str| body.get(key).and_then(Value::as_str);
        if !response.is_success() {
            let kind = match response.status() {
                429 => ErrorKind::Throttled,
                500..=599 => ErrorKind::Unavailable,
                _ => ErrorKind::Unauthorized,
            };
            let source = ProviderError::new(response.status(), text("error"), text("error_description"), None);
            let error = failed(kind).with_source(source);
            return Err(match response.retry_after(context.now()) {
                Some(delay) => error.with_retry_after(delay),
                None => error,
            });
        }
        let token = text("access_token")
            .and_then(|token| Secret::new(token).ok())
            .ok_or_else(|| failed(ErrorKind::Unauthorized))?;
        let good_for = body
            .get("expires_in")
            // Some write the number as text.
            .and_then(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok()))
            .map_or(UNSAID, Duration::from_secs)
            .min(Duration::from_hours(24));
        let access = Access {
            token,
            until: context.now() + good_for,
            pause: None,
        };
        let of_mailbox = matches!(on_behalf, Behalf::Mailbox(_));
        let used = |token: &Secret| match (&replaced, on_behalf) {
            (Some(replaced), _) => token == replaced,
            (None, Behalf::Mailbox(given)) => token == given,
            (None, Behalf::Client { .. }) => false,
        };
        let refresh_token = text("refresh_token")
            .and_then(|token| Secret::new(token).ok())
            .filter(|token| of_mailbox && !used(token));
        Ok(Granted { access, refresh_token })
    }
}

impl fmt::Debug for OAuth2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.grant {
            Grant::Token(_) => "OAuth2 (token)",
            Grant::Endpoint { .. } => "OAuth2 (endpoint)",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex as StdMutex;
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::{HttpClient, HttpFuture, HttpResponse, Method};

    /// Gives one answer after the other, and keeps what was asked.
    #[derive(Debug)]
    struct Endpoint(StdMutex<Vec<HttpResponse>>, StdMutex<Vec<String>>);

    impl HttpClient for Endpoint {
        fn execute(&self, request: HttpRequest) -> HttpFuture<'_> {
            assert_eq!(
                (request.method(), request.url()),
                (Method::Post, "https://tokens.example/token")
            );
            let body = request.body().to_bytes().unwrap();
            self.1.lock().unwrap().push(String::from_utf8(body.to_vec()).unwrap());
            let answer = self.0.lock().unwrap().remove(0);
            Box::pin(async move { Ok(answer) })
        }
    }

    fn endpoint(answers: &[(u16, &'static str)]) -> Endpoint {
        let answers = answers.iter().map(|(status, body)| HttpResponse::new(*status, *body));
        Endpoint(StdMutex::new(answers.collect()), StdMutex::default())
    }

    fn source() -> OAuth2 {
        OAuth2::refreshing("https://tokens.example/token", "me", "hidden", "r+t").unwrap()
    }

    async fn header(source: &OAuth2, endpoint: &Endpoint, seconds: u64) -> Result<String, SendError> {
        let context = Context::new(endpoint, UNIX_EPOCH + Duration::from_secs(seconds));
        let request = HttpRequest::new(Method::Post, "https://api.example/");
        let request = source.authorize(request, &context).await?;
        Ok(request.header("Authorization").unwrap().to_owned())
    }

    #[tokio::test]
    async fn a_token_is_fetched_once_and_again_before_it_expires() {
        let endpoint = endpoint(&[
            (200, r#"{"access_token":"one","expires_in":3600}"#),
            (200, r#"{"access_token":"two","expires_in":3600}"#),
        ]);
        let source = source();
        for (seconds, expected) in [(0, "Bearer one"), (3299, "Bearer one"), (3301, "Bearer two")] {
            assert_eq!(header(&source, &endpoint, seconds).await.unwrap(), expected);
        }
        let asked = endpoint.1.lock().unwrap();
        assert_eq!(
            asked[0],
            "grant_type=refresh_token&refresh_token=r%2Bt&client_id=me&client_secret=hidden"
        );
    }

    #[tokio::test]
    async fn a_token_that_is_still_good_is_used_while_it_cannot_be_replaced() {
        let endpoint = endpoint(&[
            (200, r#"{"access_token":"one","expires_in":"3600"}"#),
            (503, ""),
            (400, r#"{"error":"invalid_grant"}"#),
            (503, ""),
            (200, r#"{"access_token":"two","expires_in":3600}"#),
        ]);
        let source = source();
        for (seconds, expected, asked) in [
            (0, Some("Bearer one"), 1),
            (3400, Some("Bearer one"), 2),
            // Not with every mail.
            (3401, Some("Bearer one"), 2),
            (3431, Some("Bearer one"), 3),
            (3600, None, 4),
            (3601, Some("Bearer two"), 5),
        ] {
            let found = header(&source, &endpoint, seconds).await.ok();
            assert_eq!(found.as_deref(), expected, "after {seconds}");
            assert_eq!(endpoint.1.lock().unwrap().len(), asked, "after {seconds}");
        }
    }

    #[tokio::test]
    async fn a_token_that_is_not_taken_is_replaced_once_for_all_who_used_it() {
        let endpoint = endpoint(&[
            (200, r#"{"access_token":"one","expires_in":3600}"#),
            (200, r#"{"access_token":"two","expires_in":3600}"#),
            (503, ""),
        ]);
        let source = source();
        let context = Context::new(&endpoint, UNIX_EPOCH);
        let request = || HttpRequest::new(Method::Post, "https://api.example/");
        let first = source.authorize(request(), &context).await.unwrap();
        let second = source.authorize(request(), &context).await.unwrap();
        let mut last = None;
        for refused in [first, second] {
            let again = source.reauthorize(refused, &context).unwrap().await.unwrap();
            assert_eq!(again.header("Authorization"), Some("Bearer two"));
            last = Some(again);
        }
        assert_eq!(endpoint.1.lock().unwrap().len(), 2);
        // What was refused is not used for want of a better one.
        let error = source.reauthorize(last.unwrap(), &context).unwrap().await.unwrap_err();
        assert_eq!(
            (error.kind(), error.disposition()),
            (ErrorKind::Unavailable, Disposition::NotAccepted)
        );
        let given = OAuth2::token("given").unwrap();
        let request = given.authorize(request(), &context).await.unwrap();
        assert!(given.reauthorize(request, &context).is_none());
    }

    /// Fails as often as it is told.
    #[derive(Debug, Default)]
    struct Shelf {
        failures: StdMutex<usize>,
        stored: Arc<StdMutex<Vec<String>>>,
    }

    impl TokenStore for Shelf {
        fn store<'a>(&'a self, refresh_token: &'a Secret) -> StoreFuture<'a> {
            Box::pin(async move {
                let mut failures = self.failures.lock().unwrap();
                if *failures > 0 {
                    *failures -= 1;
                    return Err("the disk is full".into());
                }
                self.stored.lock().unwrap().push(refresh_token.expose().to_owned());
                Ok(())
            })
        }
    }

    #[tokio::test]
    async fn a_refresh_token_that_is_replaced_is_stored_and_used() {
        let endpoint = endpoint(&[
            (
                200,
                r#"{"access_token":"one","expires_in":3600,"refresh_token":"next"}"#,
            ),
            (
                200,
                r#"{"access_token":"two","expires_in":3600,"refresh_token":"next"}"#,
            ),
            (
                200,
                r#"{"access_token":"three","expires_in":3600,"refresh_token":"a\nb"}"#,
            ),
            (
                200,
                r#"{"access_token":"four","expires_in":3600,"refresh_token":"last"}"#,
            ),
        ]);
        let stored = Arc::default();
        let shelf = Shelf {
            failures: StdMutex::new(1),
            stored: Arc::clone(&stored),
        };
        let source = source().with_token_store(shelf);
        let so_far = || stored.lock().unwrap().join(" ");
        assert_eq!(header(&source, &endpoint, 0).await.unwrap(), "Bearer one");
        // The mail went out, and the next one tries to store it again.
        assert_eq!(so_far(), "");
        assert_eq!(header(&source.clone(), &endpoint, 1).await.unwrap(), "Bearer one");
        assert_eq!(so_far(), "next");
        for (seconds, expected) in [(4000, "next"), (8000, "next"), (12_000, "next last")] {
            assert!(header(&source, &endpoint, seconds).await.is_ok());
            assert_eq!(so_far(), expected);
        }
        let asked = endpoint.1.lock().unwrap();
        let used: Vec<bool> = asked.iter().map(|form| form.contains("refresh_token=next&")).collect();
        assert_eq!(used, [false, true, true, true]);
        assert!(!format!("{source:?}").contains("next"));
    }

    #[tokio::test]
    async fn a_client_asks_for_itself() {
        let endpoint = endpoint(&[(200, r#"{"access_token":"one"}"#)]);
        let source = OAuth2::client_credentials("https://tokens.example/token", "me", "hidden", "a b").unwrap();
        assert_eq!(header(&source, &endpoint, 0).await.unwrap(), "Bearer one");
        assert!(endpoint.1.lock().unwrap()[0].starts_with("grant_type=client_credentials&scope=a+b&"));
    }

    #[tokio::test]
    async fn what_is_refused_is_said_and_no_secret_is() {
        for (status, body, kind) in [
            (400, r#"{"error":"invalid_grant"}"#, ErrorKind::Unauthorized),
            (503, "", ErrorKind::Unavailable),
            (429, "{}", ErrorKind::Throttled),
            (200, "{}", ErrorKind::Unauthorized),
            (200, r#"{"access_token":"a\nb"}"#, ErrorKind::Unauthorized),
        ] {
            let source = source();
            let error = header(&source, &endpoint(&[(status, body)]), 0).await.unwrap_err();
            assert_eq!(
                (error.kind(), error.disposition()),
                (kind, Disposition::NotAccepted),
                "{status}"
            );
            assert!(!format!("{error:?} {source:?}").contains("hidden"));
        }
    }
}
