//! Access tokens of OAuth 2.0 (RFC 6749), fetched and kept.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use posthaste_transport::{Disposition, ErrorKind, SendError};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::{Context, Form, HttpRequest, ProviderError, Secret, SecretError};

/// A token is replaced when it is good for no longer than this.
const EARLY: Duration = Duration::from_mins(5);

/// How long a token is good for if its endpoint does not say (RFC 6749 §5.1 leaves that open).
const UNSAID: Duration = Duration::from_mins(10);

/// Gets access tokens from a token endpoint, and keeps each for as long as it is good. Clones share it.
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
    kept: Arc<Mutex<Option<(Secret, SystemTime)>>>,
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

    fn of(grant: Grant) -> Self {
        Self {
            grant,
            kept: Arc::default(),
        }
    }

    /// Puts a token into a request, which is fetched first if there is none that is good.
    pub(crate) async fn authorize(
        &self,
        request: HttpRequest,
        context: &Context<'_>,
    ) -> Result<HttpRequest, SendError> {
        let token = self.get(context).await?;
        Ok(request.with_secret_header("Authorization", format!("Bearer {}", token.expose())))
    }

    async fn get(&self, context: &Context<'_>) -> Result<Secret, SendError> {
        if let Grant::Token(token) = &self.grant {
            return Ok(token.clone());
        }
        // One asks, the others wait for what it gets.
        let mut kept = self.kept.lock().await;
        if let Some((token, until)) = &*kept
            && context.now().checked_add(EARLY).is_some_and(|soon| soon < *until)
        {
            return Ok(token.clone());
        }
        let (token, until) = self.fetch(context).await?;
        *kept = Some((token.clone(), until));
        Ok(token)
    }

    async fn fetch(&self, context: &Context<'_>) -> Result<(Secret, SystemTime), SendError> {
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
        let form = match on_behalf {
            Behalf::Mailbox(refresh_token) => Form::new()
                .text("grant_type", "refresh_token")
                .text("refresh_token", refresh_token.expose()),
            Behalf::Client { scope } => Form::new()
                .text("grant_type", "client_credentials")
                .text("scope", scope),
        };
        let form = form
            .text("client_id", client_id)
            .text("client_secret", client_secret.expose());
        let response = context
            .client()
            .execute(form.post(url.clone(), ""))
            .await
            .map_err(|error| failed(ErrorKind::Unavailable).with_source(error))?;
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
            .and_then(Value::as_u64)
            .map_or(UNSAID, Duration::from_secs)
            .min(Duration::from_hours(24));
        Ok((token, context.now() + good_for))
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
