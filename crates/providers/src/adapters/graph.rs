//! Microsoft Graph, `sendMail`.

use std::borrow::Cow;
use std::fmt::Write as _;

use posthaste_address::EmailAddress;
use posthaste_mime::Base64Alphabet;
use posthaste_transport::{Disposition, ErrorKind, SendError};
use serde_json::Value;

use super::mailbox;
use crate::registry::FromSettings;
use crate::{
    Adapter, AuthorizeFuture, Context, Fault, HttpRequest, HttpResponse, Method, OAuth2, Profile, Receipt, Settings,
    SettingsError, Submission,
};

static PROFILE: Profile = Profile::new(
    "graph",
    "Microsoft Graph",
    mailbox::capabilities()
        .with_max_recipients(500)
        .with_max_message_size(3 << 20),
)
.with_request_id_headers(&["request-id", "client-request-id"])
.without_need_of_to();

/// Microsoft 365 and Exchange Online, by Microsoft Graph.
///
/// URL: `graph://CLIENT_ID:CLIENT_SECRET@default?tenant=TENANT`, or `graph://default?token=ACCESS_TOKEN`; `mailbox` for the address
/// that sends, which is each message's author unless it is set; `endpoint` and `token_url` for other base URLs, such as those of
/// national clouds.
///
/// A message goes as finished bytes, to whom its header names. The answer has no id: what is known
/// of a message is its Message-ID.
#[derive(Clone, Debug)]
pub struct MicrosoftGraph {
    tokens: OAuth2,
    mailbox: Option<EmailAddress>,
    endpoint: Cow<'static, str>,
}

impl MicrosoftGraph {
    /// Sends with tokens that have the permission `Mail.Send`.
    #[must_use]
    pub const fn new(tokens: OAuth2) -> Self {
        Self {
            tokens,
            mailbox: None,
            endpoint: Cow::Borrowed("https://graph.microsoft.com"),
        }
    }

    /// Sends from this mailbox, whoever the author of a message is.
    #[must_use]
    pub fn with_mailbox(mut self, mailbox: EmailAddress) -> Self {
        self.mailbox = Some(mailbox);
        self
    }

    /// Sends to another base URL, without a slash at its end.
    #[must_use]
    pub fn with_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Cow::Owned(url.into());
        self
    }
}

impl FromSettings for MicrosoftGraph {
    const PROFILE: &'static Profile = &PROFILE;

    fn from_settings(settings: &mut Settings) -> Result<Self, SettingsError> {
        let tokens = match (settings.take("token"), settings.take("tenant")) {
            (Some(token), None) => OAuth2::token(token)?,
            (None, Some(tenant)) => {
                let url = settings.take("token_url").unwrap_or_else(|| {
                    let tenant = segment(&tenant);
                    format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token")
                });
                OAuth2::client_credentials(
                    url,
                    settings.key("client id")?,
                    settings.password().ok_or(SettingsError::Missing("client secret"))?,
                    "https://graph.microsoft.com/.default",
                )?
            }
            _ => return Err(SettingsError::Missing("token or tenant")),
        };
        let mut adapter = Self::new(tokens);
        if let Some(mailbox) = settings.take("mailbox") {
            adapter = adapter.with_mailbox(mailbox.parse().map_err(|_| SettingsError::Value {
                key: "mailbox".to_owned(),
                expected: "an address",
            })?);
        }
        Ok(match settings.take("endpoint") {
            Some(endpoint) => adapter.with_endpoint(endpoint),
            None => adapter,
        })
    }
}

impl Adapter for MicrosoftGraph {
    fn profile(&self) -> &Profile {
        &PROFILE
    }

    fn encode(&self, submission: &Submission<'_>) -> Result<HttpRequest, SendError> {
        let author = submission.message().ok().and_then(|message| message.from().first());
        let mailbox = self
            .mailbox
            .as_ref()
            .or_else(|| author.map(|author| author.address()))
            .or_else(|| submission.mail_from())
            .ok_or_else(|| submission.invalid("looking for the mailbox that sends"))?;
        let body = mailbox::bytes(submission)?.to_base64(Base64Alphabet::Standard);
        let url = format!(
            "{}/v1.0/users/{}/sendMail",
            self.endpoint,
            segment(&mailbox.to_string())
        );
        Ok(HttpRequest::new(Method::Post, url)
            .with_header("Content-Type", "text/plain")
            .with_header("Accept", "application/json")
            .with_body(body))
    }

    fn decode(&self, _: &Submission<'_>, _: &HttpResponse) -> Result<Receipt, Fault> {
        Ok(Receipt::accepted(None))
    }

    fn fault(&self, response: &HttpResponse) -> Fault {
        let body = response.json().unwrap_or_default();
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
        let mut fault = Fault::new();
        if let Some(message) = text("/error/message") {
            fault = fault.with_message(message);
        }
        let Some(code) = text("/error/code") else {
            return fault;
        };
        fault = fault.with_code(code);
        let refused = |fault: Fault, kind| fault.with_kind(kind).with_disposition(Disposition::NotAccepted);
        match code {
            "ErrorInvalidRecipients" | "ErrorMessageSizeExceeded" => refused(fault, ErrorKind::Rejected),
            "ErrorExceededMessageLimit" | "ApplicationThrottled" => refused(fault, ErrorKind::Throttled),
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

/// Writes text so that it is one segment of a path (RFC 3986 §3.3): nothing in it ends the segment.
fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'@') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    // A segment of dots alone is a way up.
    if out.bytes().all(|byte| byte == b'.') {
        out.replace('.', "%2E")
    } else {
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_segment() {
        for (text, expected) in [
            ("ada@example.org", "ada@example.org"),
            ("\"a/../b?c#d\"@example.org", "%22a%2F..%2Fb%3Fc%23d%22@example.org"),
            ("..", "%2E%2E"),
            ("a%2Fb", "a%252Fb"),
        ] {
            assert_eq!(segment(text), expected);
        }
    }
}
