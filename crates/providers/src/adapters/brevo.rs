//! Brevo, formerly Sendinblue.

use std::borrow::Cow;

use posthaste_address::Mailbox;
use posthaste_mime::Attachment;
use posthaste_transport::{Capabilities, Disposition, ErrorKind, Fate, Feature, SendError, Shortfall, TagCharset};
use serde_json::Value;

use crate::receipt::text;
use crate::registry::FromSettings;
use crate::{
    Adapter, Copy, CopyReceipt, Fault, HttpRequest, HttpResponse, Json, Profile, RateHeaders, Receipt, Secret,
    SecretError, Settings, SettingsError, Submission, addresses, attachments, moment, words,
};

const RATES: &[RateHeaders] = &[RateHeaders::new("X-Sib-RateLimit-Remaining")
    .with_limit("X-Sib-RateLimit-Limit")
    .with_reset("X-Sib-RateLimit-Reset")];

static PROFILE: Profile = Profile::new(
    "brevo",
    "Brevo",
    Capabilities::none()
        .with_unasked_tracking()
        .with(Feature::EnvelopeRecipients)
        .with(Feature::CustomHeaders)
        .with(Feature::Attachments)
        .with(Feature::StoredTemplate)
        .with(Feature::PersonalData)
        .with(Feature::PersonalMetadata)
        .with(Feature::PersonalHeaders)
        .with(Feature::Tags)
        .with(Feature::Metadata)
        .with(Feature::Schedule)
        .with(Feature::IdempotencyKey)
        .with_max_recipients(99)
        .with_max_batch(1000)
        .with_max_reply_to(1)
        .with_max_message_size(20 << 20)
        .with_tag_limits(u32::MAX, u32::MAX, TagCharset::Any),
)
.with_rate_headers(RATES);

/// Brevo.
///
/// URL: `brevo://KEY@default`; `endpoint` for another base URL; `sandbox=yes` checks and sends nothing.
///
/// Metadata goes into the header field `X-Mailin-custom`, as JSON, and comes back with events. A template is named by its
/// number; data goes to it, and to texts, as `params`. The idempotency key goes where Brevo looks for it, among the header
/// fields; what it says that it has seen already counts as accepted.
///
/// Brevo writes header fields that are not ASCII as bytes that no standard allows: they are refused here, in metadata too. It
/// derives the type of an attachment from its file name, takes only names that it knows, and cannot show pictures in the
/// text.
#[derive(Clone, Debug)]
pub struct Brevo {
    key: Secret,
    endpoint: Cow<'static, str>,
    sandbox: bool,
}

impl Brevo {
    /// Takes an API key of version 3.
    ///
    /// # Errors
    ///
    /// [`SecretError`] if it cannot stand in a header field.
    pub fn new(key: impl Into<String>) -> Result<Self, SecretError> {
        Ok(Self {
            key: Secret::new(key)?,
            endpoint: Cow::Borrowed("https://api.brevo.com/v3"),
            sandbox: false,
        })
    }

    /// Sends to another base URL, without a slash at its end.
    #[must_use]
    pub fn with_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Cow::Owned(url.into());
        self
    }

    /// Has messages checked and not sent.
    #[must_use]
    pub const fn sandbox(mut self, sandbox: bool) -> Self {
        self.sandbox = sandbox;
        self
    }
}

impl FromSettings for Brevo {
    const PROFILE: &'static Profile = &PROFILE;

    fn from_settings(settings: &mut Settings) -> Result<Self, SettingsError> {
        let mut adapter = Self::new(settings.key("API key")?)?;
        if let Some(endpoint) = settings.take("endpoint") {
            adapter = adapter.with_endpoint(endpoint);
        }
        let sandbox = settings.take_flag("sandbox")?.unwrap_or(false);
        Ok(adapter.sandbox(sandbox))
    }
}

impl Adapter for Brevo {
    fn profile(&self) -> &Profile {
        &PROFILE
    }

    fn encode(&self, submission: &Submission<'_>) -> Result<HttpRequest, SendError> {
        let message = submission.message()?;
        let first = submission.copies().first();
        let shared = first.filter(|_| !submission.is_individual());
        // The metadata that all share; a version says its own with them.
        let common = Copy::default();
        let headers = fields(submission, submission.headers(), submission.metadata_text(&common))?
            .set_some("Idempotency-Key", submission.idempotency_key())
            .set_some("X-Sib-Sandbox", self.sandbox.then_some("drop"));
        let template = submission
            .template()
            .map(|id| {
                id.parse::<u64>()
                    .map_err(|_| submission.invalid("writing a template that is not a number"))
            })
            .transpose()?;
        let versions = if submission.is_individual() {
            submission
                .copies()
                .iter()
                .map(|copy| version(submission, copy))
                .collect::<Result<Vec<_>, _>>()?
        } else {
            Vec::new()
        };
        let json = Json::object()
            .set_some("sender", message.from().first().map(mailbox))
            .set_some("to", shared.map(|copy| Json::array(copy.to().map(mailbox))))
            .set_filled("cc", Json::array(first.into_iter().flat_map(Copy::cc).map(mailbox)))
            .set_filled("bcc", Json::array(first.into_iter().flat_map(Copy::bcc).map(mailbox)))
            .set_some("replyTo", message.reply_to().first().map(mailbox))
            .set_some("subject", message.subject())
            .set_some("textContent", message.text())
            .set_some("htmlContent", message.html())
            .set_filled("attachment", Json::array(message.attachments().iter().map(attachment)))
            .set_filled("headers", headers)
            .set_filled("tags", submission.tags().iter().collect::<Vec<_>>())
            .set_some("templateId", template)
            .set_some("params", submission.data().cloned())
            .set_filled("messageVersions", Json::Array(versions))
            .set_some("scheduledAt", submission.schedule().map(moment::to_millisecond));
        Ok(submission
            .post_json(format!("{}/smtp/email", self.endpoint), json)
            .with_secret_header("api-key", self.key.expose()))
    }

    /// A key that was seen already stands for an acceptance.
    fn settles(&self, response: &HttpResponse) -> bool {
        response.is_success() || code(response).as_deref() == Some("duplicate_request")
    }

    fn decode(&self, submission: &Submission<'_>, response: &HttpResponse) -> Result<Receipt, Fault> {
        if response.body().is_empty() || !response.is_success() {
            return Ok(Receipt::accepted(None));
        }
        let body = response.json().ok_or_else(Fault::new)?;
        if let Some(id) = body.get("messageId").and_then(text) {
            return Ok(Receipt::accepted(Some(id)));
        }
        let ids = body
            .get("messageIds")
            .and_then(Value::as_array)
            .ok_or_else(Fault::new)?;
        if ids.len() != submission.copies().len() {
            // Accepted; whose is which cannot be told.
            return Ok(Receipt::accepted(None));
        }
        Ok(Receipt::copies(
            ids.iter().map(|id| CopyReceipt::new(Fate::Accepted, text(id))),
        ))
    }

    fn fault(&self, response: &HttpResponse) -> Fault {
        let fault = Fault::of_json(&response.json().unwrap_or_default(), "/code", "/message");
        match fault.code() {
            Some("not_enough_credits") => fault.with_kind(ErrorKind::Throttled),
            Some("unauthorized" | "permission_denied" | "account_under_validation") => fault
                .with_kind(ErrorKind::Unauthorized)
                .with_disposition(Disposition::NotAccepted),
            _ => fault,
        }
    }
}

fn code(response: &HttpResponse) -> Option<String> {
    response.json()?.get("code").and_then(text)
}

/// Header fields, which have to be ASCII, with the metadata.
fn fields(
    submission: &Submission<'_>,
    headers: Vec<(&str, Cow<'_, str>)>,
    metadata: Option<String>,
) -> Result<Json, SendError> {
    if headers.iter().any(|(_, value)| !value.is_ascii()) {
        return Err(submission.refuse(Feature::CustomHeaders, Shortfall::Charset));
    }
    // In JSON of ASCII, an escape stands for what is not.
    if metadata.as_deref().is_some_and(|json| json.contains("\\u")) {
        return Err(submission.refuse(Feature::Metadata, Shortfall::Charset));
    }
    Ok(headers
        .into_iter()
        .chain(metadata.map(|json| ("X-Mailin-custom", Cow::Owned(json))))
        .collect())
}

fn version(submission: &Submission<'_>, copy: &Copy<'_>) -> Result<Json, SendError> {
    let own = copy.personal().map(|personal| {
        personal
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str(), Cow::Borrowed(value.as_str())))
            .collect()
    });
    let metadata = copy.has_metadata().then(|| submission.metadata_text(copy)).flatten();
    let headers = fields(submission, own.unwrap_or_default(), metadata)?;
    let params = copy.personal().map(|personal| personal.data().clone());
    Ok(Json::object()
        .set("to", Json::array(copy.to().map(mailbox)))
        .set_filled("params", params.unwrap_or_default())
        .set_filled("headers", headers))
}

/// Writes an address. Brevo drops names that are not ASCII and hold a comma or the like; as encoded-words it takes them.
fn mailbox(mailbox: &Mailbox) -> Json {
    let name = mailbox.name().map(|name| {
        let plain: String = name.chars().filter(char::is_ascii).collect();
        if plain.len() < name.len() && words::is_special(&plain) {
            words::encode(name)
        } else {
            name.to_owned()
        }
    });
    Json::object()
        .set("email", addresses::address(mailbox.address()))
        .set_some("name", name)
}

fn attachment(part: &Attachment) -> Json {
    Json::object()
        .set("name", attachments::name(part))
        .set("content", Json::Base64(part.to_base64()))
}

#[cfg(test)]
mod tests {
    use posthaste_mime::{HeaderName, HeaderValue};
    use posthaste_transport::SendOptions;
    use serde_json::json;

    use super::*;
    use crate::adapters::testing::{Bench, builder, plain, refused};
    use crate::{Batch, Personal};

    fn brevo() -> Brevo {
        Brevo::new("xkeysib-key").unwrap()
    }

    #[test]
    fn a_batch_is_one_call_with_versions() {
        let bench = Bench::new(brevo().sandbox(true), 201, r#"{"messageIds":["<1>","<2>"]}"#);
        let name = HeaderName::new("X-Order").unwrap();
        let ana = Personal::new("Ana <a@example.net>".parse().unwrap())
            .with_data("order", 1)
            .with_metadata("order", "1")
            .unwrap()
            .with_header(name, HeaderValue::new("1").unwrap());
        let message = builder().cc("c@example.net".parse().unwrap()).build().unwrap();
        let batch = Batch::new(message)
            .with_template("12")
            .with_data("shop", "The Shop")
            .to_each([ana, Personal::new("b@example.net".parse().unwrap())]);
        let options = SendOptions::new().with_metadata("run", "7").unwrap();
        let outcome = bench.send_batch(&batch, &options).unwrap();
        let ids: Vec<_> = outcome.recipients().iter().map(|one| one.provider_id()).collect();
        assert_eq!(ids, [Some("<1>"), Some("<2>")]);
        assert_eq!(
            bench.body(),
            json!({
                "sender": {"email": "app@example.com"},
                "cc": [{"email": "c@example.net"}],
                "subject": "Hello",
                "textContent": "First line",
                "headers": {"X-Mailin-custom": "{\"run\":\"7\"}", "X-Sib-Sandbox": "drop"},
                "templateId": 12,
                "params": {"shop": "The Shop"},
                "messageVersions": [
                    {
                        "to": [{"email": "a@example.net", "name": "Ana"}],
                        "params": {"order": 1},
                        "headers": {"X-Order": "1", "X-Mailin-custom": "{\"run\":\"7\",\"order\":\"1\"}"},
                    },
                    {"to": [{"email": "b@example.net"}]},
                ],
            })
        );
    }

    #[test]
    fn a_key_that_was_seen_is_an_acceptance() {
        let options = SendOptions::new().with_idempotency_key("key").unwrap();
        let bench = Bench::new(brevo(), 400, r#"{"code":"duplicate_request","message":"seen"}"#);
        assert!(bench.send(plain(), &options).unwrap().is_complete());
        assert_eq!(bench.body()["headers"]["Idempotency-Key"], "key");
        let bench = Bench::new(brevo(), 202, "");
        assert!(bench.send(plain(), &options).unwrap().is_complete());
    }

    #[test]
    fn what_brevo_would_spoil_is_refused_before_it_is_asked() {
        let bench = Bench::new(brevo(), 201, "{}");
        let header = plain().header(HeaderName::new("X-Shop").unwrap(), HeaderValue::new("Café").unwrap());
        let error = bench.send(header, &SendOptions::new()).unwrap_err();
        assert_eq!(error.unsupported()[0].feature(), Feature::CustomHeaders);
        let metadata = SendOptions::new().with_metadata("shop", "Café").unwrap();
        let error = bench.send(plain(), &metadata).unwrap_err();
        assert_eq!(error.unsupported()[0].feature(), Feature::Metadata);
        let template = Batch::new(plain().build().unwrap()).with_template("welcome");
        let error = bench.send_batch(&template, &SendOptions::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(bench.requests().is_empty());
    }

    #[test]
    fn errors_say_what_may_be_repeated() {
        use Disposition::{Ambiguous, NotAccepted};
        for (status, code, kind, disposition) in [
            (400, "invalid_parameter", ErrorKind::Invalid, NotAccepted),
            (401, "unauthorized", ErrorKind::Unauthorized, NotAccepted),
            (400, "account_under_validation", ErrorKind::Unauthorized, NotAccepted),
            (402, "not_enough_credits", ErrorKind::Throttled, NotAccepted),
            (404, "document_not_found", ErrorKind::Invalid, NotAccepted),
            (425, "too_early", ErrorKind::Unavailable, NotAccepted),
            (429, "too_many_requests", ErrorKind::Throttled, NotAccepted),
            (500, "internal", ErrorKind::Unavailable, Ambiguous),
            (201, "no id", ErrorKind::Unknown, Ambiguous),
        ] {
            let body = json!({"code": code, "message": "no"}).to_string();
            let (seen_kind, seen_disposition, seen) = refused(brevo(), status, &body);
            assert_eq!((seen_kind, seen_disposition), (kind, disposition), "{code}");
            assert_eq!(seen.as_deref(), (status != 201).then_some(code));
        }
    }
}
