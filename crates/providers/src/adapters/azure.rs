//! Azure Communication Services, Email.

use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use posthaste_address::Mailbox;
use posthaste_mime::Attachment;
use posthaste_transport::{Capabilities, Disposition, ErrorKind, Fate, Feature, Refusal, SendError, Shortfall};
use url::Url;
use zeroize::Zeroizing;

use crate::hex::hex;
use crate::receipt::{at, text};
use crate::registry::FromSettings;
use crate::{
    Adapter, AuthorizeFuture, Context, Copy, CopyReceipt, Fault, HttpRequest, HttpResponse, Json, Profile, Receipt,
    Secret, SecretError, Settings, SettingsError, Submission, addresses, attachments,
};

static PROFILE: Profile = Profile::new(
    "azure",
    "Azure Communication Services",
    Capabilities::none()
        .with(Feature::EnvelopeRecipients)
        .with(Feature::CustomHeaders)
        .with(Feature::Attachments)
        .with(Feature::InlineParts)
        .with(Feature::PersonalHeaders)
        .with(Feature::TrackOpens)
        .with(Feature::TrackClicks)
        .with(Feature::IdempotencyKey)
        .with_max_recipients(50)
        .with_max_message_size(10 << 20),
)
.with_max_request_size(10 << 20)
.with_request_id_headers(&["x-ms-request-id"]);

const VERSION: &str = "2025-09-01";

/// Azure Communication Services, Email.
///
/// URL: `azure://KEY@HOST`, with an access key of the resource, percent-encoded, and its host, such as
/// `name.communication.azure.com`; `token=yes` if it is a token of Entra instead, which ends within the hour; `endpoint` for
/// another base URL.
///
/// The author's name comes from the settings of the resource, and not from the message. Opens and clicks have one switch:
/// asking for one and against the other is refused. The idempotency key is the id of the operation: a UUID stands for
/// itself, of anything else one is derived.
///
/// An acceptance starts an operation, which may fail later; its id is that of the events.
#[derive(Clone, Debug)]
pub struct Azure {
    proof: Proof,
    endpoint: String,
}

#[derive(Clone, Debug)]
enum Proof {
    Key(Box<hmac::Key>),
    Token(Secret),
}

impl Azure {
    /// Takes the base URL of the resource, without a slash at its end, and an access key, in base64 as the portal shows it.
    ///
    /// # Errors
    ///
    /// [`SecretError`] if the key is empty or not base64.
    pub fn new(endpoint: impl Into<String>, access_key: &str) -> Result<Self, SecretError> {
        let key = Zeroizing::new(STANDARD.decode(access_key).map_err(|_| SecretError::Character)?);
        if key.is_empty() {
            return Err(SecretError::Empty);
        }
        Ok(Self {
            proof: Proof::Key(Box::new(hmac::Key::new(hmac::HMAC_SHA256, &key))),
            endpoint: endpoint.into(),
        })
    }

    /// Takes the base URL of the resource and a token of Entra, for the scope `https://communication.azure.com/.default`.
    ///
    /// # Errors
    ///
    /// [`SecretError`] if the token cannot stand in a header field.
    pub fn with_token(endpoint: impl Into<String>, token: impl Into<String>) -> Result<Self, SecretError> {
        Ok(Self {
            proof: Proof::Token(Secret::new(token)?),
            endpoint: endpoint.into(),
        })
    }
}

impl FromSettings for Azure {
    const PROFILE: &'static Profile = &PROFILE;

    fn from_settings(settings: &mut Settings) -> Result<Self, SettingsError> {
        let key = Zeroizing::new(settings.key("access key")?);
        let host = settings.host();
        let endpoint = match (settings.take("endpoint"), host) {
            (Some(endpoint), _) => endpoint,
            (None, Some(host)) => format!("https://{host}"),
            (None, None) => return Err(SettingsError::Missing("host")),
        };
        if settings.take_flag("token")? == Some(true) {
            Ok(Self::with_token(endpoint, key.as_str())?)
        } else {
            Ok(Self::new(endpoint, &key)?)
        }
    }
}

impl Adapter for Azure {
    fn profile(&self) -> &Profile {
        &PROFILE
    }

    fn encode(&self, submission: &Submission<'_>) -> Result<HttpRequest, SendError> {
        let message = submission.message()?;
        // A call holds one copy.
        let nobody = Copy::default();
        let copy = submission.copies().first().unwrap_or(&nobody);
        let disabled = match (submission.track_opens(), submission.track_clicks()) {
            (Some(true), Some(false)) | (Some(false), Some(true)) => {
                return Err(submission.refuse(Feature::TrackClicks, Shortfall::Missing));
            }
            (Some(true), _) | (_, Some(true)) => Some(false),
            (Some(false), _) | (_, Some(false)) => Some(true),
            (None, None) => None,
        };
        let content = Json::object()
            .set_some("subject", message.subject())
            .set_some("plainText", message.text())
            .set_some("html", message.html());
        let recipients = Json::object()
            .set("to", Json::array(copy.to().map(mailbox)))
            .set_filled("cc", Json::array(copy.cc().map(mailbox)))
            .set_filled("bcc", Json::array(copy.bcc().map(mailbox)));
        let files = message.inlines().iter().chain(message.attachments()).map(attachment);
        let author = message.from().first();
        let json = Json::object()
            .set_some(
                "senderAddress",
                author.map(|author| addresses::address(author.address())),
            )
            .set("content", content)
            .set("recipients", recipients)
            .set_filled("replyTo", Json::array(message.reply_to().iter().map(mailbox)))
            .set_filled("headers", submission.headers_of(copy).into_iter().collect::<Json>())
            .set_filled("attachments", Json::array(files))
            .set_some("userEngagementTrackingDisabled", disabled);
        let url = format!("{}/emails:send?api-version={VERSION}", self.endpoint);
        let request = submission.post_json(url, json);
        Ok(match submission.idempotency_key() {
            Some(key) => request.with_header("Operation-Id", operation_id(&key)),
            None => request,
        })
    }

    fn decode(&self, _: &Submission<'_>, response: &HttpResponse) -> Result<Receipt, Fault> {
        let body = response.json().ok_or_else(Fault::new)?;
        let id = text(at(&body, "/id")).ok_or_else(Fault::new)?;
        Ok(match at(&body, "/status").as_str() {
            Some(status @ ("Failed" | "Canceled")) => {
                let code = text(at(&body, "/error/code")).unwrap_or_else(|| status.to_owned());
                Receipt::whole(CopyReceipt::new(
                    Fate::Refused(Refusal::permanent().with_code(code)),
                    Some(id),
                ))
            }
            _ => Receipt::accepted(Some(id)),
        })
    }

    fn fault(&self, response: &HttpResponse) -> Fault {
        let fault = Fault::of_json(&response.json().unwrap_or_default(), "/error/code", "/error/message");
        match (fault.code(), response.header("x-ms-error-code")) {
            (None, Some(code)) => fault.with_code(code),
            _ => fault,
        }
    }

    fn authorize<'a>(&'a self, request: HttpRequest, context: &'a Context<'a>) -> AuthorizeFuture<'a> {
        Box::pin(async move {
            match &self.proof {
                Proof::Token(token) => {
                    Ok(request.with_secret_header("Authorization", format!("Bearer {}", token.expose())))
                }
                Proof::Key(key) => signed(request, key, &httpdate::fmt_http_date(context.now())),
            }
        })
    }
}

/// Signs a request: its method, its target, the time, the host, and its body.
fn signed(request: HttpRequest, key: &hmac::Key, date: &str) -> Result<HttpRequest, SendError> {
    let failed =
        |detail: &'static str| SendError::new(ErrorKind::Invalid, Disposition::NotAccepted).with_detail(detail);
    let url = Url::parse(request.url()).map_err(|_| failed("reading the URL of the resource"))?;
    let host = url.host_str().unwrap_or_default();
    let host = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    let target = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let mut body = digest::Context::new(&digest::SHA256);
    for chunk in request.body().chunks() {
        let chunk = chunk.map_err(|error| {
            SendError::new(ErrorKind::Unreadable, Disposition::NotAccepted)
                .with_detail("reading the message")
                .with_source(error)
        })?;
        body.update(&chunk);
    }
    let hash = STANDARD.encode(body.finish());
    let text = format!("{}\n{target}\n{date};{host};{hash}", request.method().as_str());
    let signature = STANDARD.encode(hmac::sign(key, text.as_bytes()));
    let authorization = format!("HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}");
    Ok(request
        .with_header("x-ms-date", date)
        .with_header("x-ms-content-sha256", hash)
        .with_secret_header("Authorization", authorization))
}

/// A key as a UUID: one stands for itself, of anything else one is derived (RFC 9562 §5.8).
fn operation_id(key: &str) -> String {
    let is_uuid = key.len() == 36
        && key.char_indices().all(|(at, character)| match at {
            8 | 13 | 18 | 23 => character == '-',
            _ => character.is_ascii_hexdigit(),
        });
    if is_uuid {
        return key.to_owned();
    }
    let hash = digest::digest(&digest::SHA256, key.as_bytes());
    let mut octets: Vec<u8> = hash.as_ref().iter().copied().take(16).collect();
    if let [_, _, _, _, _, _, version, _, variant, ..] = octets.as_mut_slice() {
        *version = *version & 0x0f | 0x80;
        *variant = *variant & 0x3f | 0x80;
    }
    let mut id = hex(&octets);
    for at in [20, 16, 12, 8] {
        id.insert(at, '-');
    }
    id
}

fn mailbox(mailbox: &Mailbox) -> Json {
    addresses::object(mailbox, "address", "displayName")
}

fn attachment(part: &Attachment) -> Json {
    Json::object()
        .set("name", attachments::name(part))
        .set("contentType", part.content_type().essence())
        .set("contentInBase64", Json::Base64(part.to_base64()))
        .set_some("contentId", part.content_id().map(|id| id.as_str()))
}

#[cfg(test)]
mod tests {
    use posthaste_transport::SendOptions;

    use super::*;
    use crate::adapters::testing::{Bench, plain, refused};

    const HOST: &str = "https://name.communication.azure.com";

    fn azure() -> Azure {
        Azure::new(HOST, "aGlkZGVu").unwrap()
    }

    #[test]
    fn a_signature_covers_target_time_host_and_body() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"hidden");
        let date = "Fri, 02 Jan 2026 03:04:05 GMT";
        let request = |url: &str, body: &str| HttpRequest::post_json(url, &Json::from(body));
        let sign = |url: &str, body: &str, date: &str| {
            let request = signed(request(url, body), &key, date).unwrap();
            request.header("Authorization").unwrap().to_owned()
        };
        let url = format!("{HOST}/emails:send?api-version=1");
        let one = signed(request(&url, "body"), &key, date).unwrap();
        let hash = STANDARD.encode(digest::digest(&digest::SHA256, b"\"body\""));
        assert_eq!(one.header("x-ms-content-sha256"), Some(hash.as_str()));
        let text = format!("POST\n/emails:send?api-version=1\n{date};name.communication.azure.com;{hash}");
        let signature = STANDARD.encode(hmac::sign(&key, text.as_bytes()));
        assert_eq!(
            one.header("Authorization").unwrap(),
            format!("HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}")
        );
        let all = [
            sign(&url, "body", date),
            sign(&url, "other", date),
            sign(&format!("{url}&x=1"), "body", date),
            sign(&url, "body", "Fri, 02 Jan 2026 03:04:06 GMT"),
            sign("https://other.example/emails:send?api-version=1", "body", date),
        ];
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
    }

    #[test]
    fn a_key_is_the_id_of_the_operation() {
        let id = "0b6c9b2e-0f5c-4d0e-8a44-5d0d8a0a5a11";
        assert_eq!(operation_id(id), id);
        let derived = operation_id("order-42");
        assert_eq!(derived, operation_id("order-42"));
        assert_ne!(derived, operation_id("order-43"));
        assert_eq!(operation_id(&derived), derived);
    }

    #[test]
    fn a_token_stands_for_itself_and_one_switch_is_for_both() {
        let azure = Azure::with_token(HOST, "token").unwrap();
        let bench = Bench::new(azure, 202, r#"{"id":"op-1","status":"Running","error":null}"#);
        let options = SendOptions::new().with_track_opens(false);
        let outcome = bench.send(plain(), &options).unwrap();
        assert_eq!(outcome.provider_id(), Some("op-1"));
        assert_eq!(bench.request().header("Authorization"), Some("Bearer token"));
        assert_eq!(bench.body()["userEngagementTrackingDisabled"], true);
        let error = bench.send(plain(), &options.with_track_clicks(true)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn errors_have_codes() {
        let body = r#"{"error":{"code":"TooManyRequests","message":"no"}}"#;
        let expected = (
            ErrorKind::Throttled,
            Disposition::NotAccepted,
            Some("TooManyRequests".to_owned()),
        );
        assert_eq!(refused(azure(), 429, body), expected);
        let failed = refused(
            azure(),
            202,
            r#"{"id":"op-1","status":"Failed","error":{"code":"Blocked"}}"#,
        );
        assert_eq!(failed.1, Disposition::NotAccepted);
        assert!(Azure::new(HOST, "not base64!").is_err() && Azure::new(HOST, "").is_err());
    }
}
