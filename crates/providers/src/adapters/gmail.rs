//! The Gmail API.

use std::borrow::Cow;

use posthaste_mime::Base64Alphabet;
use posthaste_transport::{Disposition, ErrorKind, SendError};
use serde_json::Value;

use super::mailbox;
use crate::registry::FromSettings;
use crate::{
    Adapter, AuthorizeFuture, Context, Fault, HttpRequest, HttpResponse, Json, OAuth2, Profile, Receipt, Settings,
    SettingsError, Submission,
};

static PROFILE: Profile = Profile::new(
    "gmail",
    "Gmail",
    mailbox::capabilities()
        .with_max_recipients(500)
        .with_max_message_size(25_000_000),
)
.without_need_of_to();

/// Gmail and Google Workspace, by the Gmail API.
///
/// URL: `gmail://CLIENT_ID:CLIENT_SECRET@default?refresh_token=TOKEN`, or `gmail://default?token=ACCESS_TOKEN`; `endpoint` and
/// `token_url` for other base URLs.
///
/// A message goes as finished bytes from the mailbox whose owner consented, to whom its header names. Gmail writes its own author
/// over one that is no alias of the mailbox.
#[derive(Clone, Debug)]
pub struct Gmail {
    tokens: OAuth2,
    endpoint: Cow<'static, str>,
}

impl Gmail {
    /// Sends with tokens of the scope `https://www.googleapis.com/auth/gmail.send`.
    #[must_use]
    pub const fn new(tokens: OAuth2) -> Self {
        Self {
            tokens,
            endpoint: Cow::Borrowed("https://gmail.googleapis.com"),
        }
    }

    /// Sends to another base URL, without a slash at its end.
    #[must_use]
    pub fn with_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Cow::Owned(url.into());
        self
    }
}

impl FromSettings for Gmail {
    const PROFILE: &'static Profile = &PROFILE;

    fn from_settings(settings: &mut Settings) -> Result<Self, SettingsError> {
        let token_url = settings.take("token_url");
        let tokens = match (settings.take("token"), settings.take("refresh_token")) {
            (Some(token), None) => OAuth2::token(token)?,
            (None, Some(refresh_token)) => OAuth2::refreshing(
                token_url.map_or(Cow::Borrowed("https://oauth2.googleapis.com/token"), Cow::Owned),
                settings.key("client id")?,
                settings.password().ok_or(SettingsError::Missing("client secret"))?,
                refresh_token,
            )?,
            _ => return Err(SettingsError::Missing("token or refresh_token")),
        };
        let adapter = Self::new(tokens);
        Ok(match settings.take("endpoint") {
            Some(endpoint) => adapter.with_endpoint(endpoint),
            None => adapter,
        })
    }
}

impl Adapter for Gmail {
    fn profile(&self) -> &Profile {
        &PROFILE
    }

    fn encode(&self, submission: &Submission<'_>) -> Result<HttpRequest, SendError> {
        let raw = mailbox::bytes(submission)?.to_base64(Base64Alphabet::UrlSafe);
        let url = format!("{}/gmail/v1/users/me/messages/send", self.endpoint);
        Ok(submission.post_json(url, Json::object().set("raw", Json::Base64(raw))))
    }

    fn decode(&self, _: &Submission<'_>, response: &HttpResponse) -> Result<Receipt, Fault> {
        let body = response.json().ok_or_else(Fault::new)?;
        match body.get("id").and_then(Value::as_str) {
            Some(id) => Ok(Receipt::accepted(Some(id.to_owned()))),
            None => Err(Fault::new()),
        }
    }

    fn fault(&self, response: &HttpResponse) -> Fault {
        let body = response.json().unwrap_or_default();
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
        let mut fault = Fault::new();
        if let Some(message) = text("/error/message") {
            fault = fault.with_message(message);
        }
        let Some(reason) = text("/error/errors/0/reason").or_else(|| text("/error/status")) else {
            return fault;
        };
        fault = fault.with_code(reason);
        match reason {
            // With status 403, which would say that we may not.
            "rateLimitExceeded" | "userRateLimitExceeded" | "dailyLimitExceeded" | "RESOURCE_EXHAUSTED" => fault
                .with_kind(ErrorKind::Throttled)
                .with_disposition(Disposition::NotAccepted),
            _ => fault,
        }
    }

    fn authorize<'a>(&'a self, request: HttpRequest, context: &'a Context<'a>) -> AuthorizeFuture<'a> {
        Box::pin(self.tokens.authorize(request, context))
    }

    fn reauthorize<'a>(
        &'a self,
        request: HttpRequest,
        answer: &HttpResponse,
        context: &'a Context<'a>,
    ) -> Option<AuthorizeFuture<'a>> {
        // 403 is about what the token may do: another would not be allowed more.
        let renewed = (answer.status() == 401).then(|| self.tokens.reauthorize(request, context))??;
        Some(Box::pin(renewed))
    }
}
