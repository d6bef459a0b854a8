//! MailerSend.

use std::borrow::Cow;
use std::time::{Duration, UNIX_EPOCH};

use posthaste_address::Mailbox;
use posthaste_mime::Attachment;
use posthaste_transport::{Capabilities, ErrorKind, Fate, Feature, Refusal, SendError, TagCharset};
use serde_json::Value;

use crate::receipt::{at, text};
use crate::registry::FromSettings;
use crate::{
    Adapter, Copy, CopyReceipt, Fault, HttpRequest, HttpResponse, Json, Profile, RateHeaders, Receipt, Secret,
    SecretError, Settings, SettingsError, Submission, addresses, attachments,
};

/// Calls a minute, and calls a day.
const RATES: &[RateHeaders] = &[
    RateHeaders::new("X-RateLimit-Remaining")
        .with_limit("X-RateLimit-Limit")
        .with_reset("X-RateLimit-Reset"),
    RateHeaders::new("X-ApiQuota-Remaining").with_reset("X-ApiQuota-Reset"),
];

static PROFILE: Profile = Profile::new(
    "mailersend",
    "MailerSend",
    Capabilities::none()
        .with(Feature::EnvelopeRecipients)
        .with(Feature::RecipientOutcomes)
        .with(Feature::CustomHeaders)
        .with(Feature::Attachments)
        .with(Feature::InlineParts)
        .with(Feature::StoredTemplate)
        .with(Feature::PersonalData)
        .with(Feature::PersonalHeaders)
        .with(Feature::Tags)
        .with(Feature::Schedule)
        .with(Feature::TrackOpens)
        .with(Feature::TrackClicks)
        .with_max_recipients(70)
        .with_max_batch(500)
        .with_max_reply_to(1)
        .with_max_message_size(25 << 20)
        .with_tag_limits(5, 191, TagCharset::Any)
        .with_max_schedule(Duration::from_hours(72)),
)
.with_max_request_size(50 << 20)
.with_request_id_headers(&["X-Message-Id", "X-Request-Id"])
.with_rate_headers(RATES);

/// MailerSend.
///
/// URL: `mailersend://TOKEN@default`; `endpoint` for another base URL.
///
/// A template is named by its id; data are the personalization of each recipient, for templates and texts. Header fields
/// beyond the common ones are for some plans only. The type of an attachment comes from its file name.
///
/// A batch is a bulk call, which MailerSend takes whole and looks at later: the id of each is `bulk:` and that of the call, and
/// everybody counts as accepted. A single message says at once whom MailerSend suppresses.
#[derive(Clone, Debug)]
pub struct MailerSend {
    token: Secret,
    endpoint: Cow<'static, str>,
}

impl MailerSend {
    /// Takes an API token.
    ///
    /// # Errors
    ///
    /// [`SecretError`] if it cannot stand in a header field.
    pub fn new(token: impl Into<String>) -> Result<Self, SecretError> {
        Ok(Self {
            token: Secret::new(token)?,
            endpoint: Cow::Borrowed("https://api.mailersend.com/v1"),
        })
    }

    /// Sends to another base URL, version included, without a slash at its end.
    #[must_use]
    pub fn with_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Cow::Owned(url.into());
        self
    }
}

impl FromSettings for MailerSend {
    const PROFILE: &'static Profile = &PROFILE;

    fn from_settings(settings: &mut Settings) -> Result<Self, SettingsError> {
        let adapter = Self::new(settings.key("API token")?)?;
        Ok(match settings.take("endpoint") {
            Some(endpoint) => adapter.with_endpoint(endpoint),
            None => adapter,
        })
    }
}

impl Adapter for MailerSend {
    fn profile(&self) -> &Profile {
        &PROFILE
    }

    fn encode(&self, submission: &Submission<'_>) -> Result<HttpRequest, SendError> {
        submission.limit_fields(50, 10, 10)?;
        let mut messages = submission
            .copies()
            .iter()
            .map(|copy| message(submission, copy))
            .collect::<Result<Vec<_>, _>>()?;
        let (path, json) = if messages.len() > 1 {
            ("bulk-email", Json::Array(messages))
        } else {
            ("email", messages.pop().unwrap_or_else(Json::object))
        };
        // Extras belong to the messages, and are there already.
        Ok(HttpRequest::post_json(format!("{}/{path}", self.endpoint), &json)
            .with_secret_header("Authorization", format!("Bearer {}", self.token.expose())))
    }

    fn decode(&self, _: &Submission<'_>, response: &HttpResponse) -> Result<Receipt, Fault> {
        let id = response.header("X-Message-Id").map(str::to_owned);
        let body = response.json().unwrap_or_default();
        if let Some(bulk) = body.get("bulk_email_id").and_then(text) {
            return Ok(Receipt::accepted(Some(format!("bulk:{bulk}"))));
        }
        let warnings = body.get("warnings").and_then(Value::as_array);
        let mut otherwise = if id.is_some() { Fate::Accepted } else { Fate::Unknown };
        let mut refused = Vec::new();
        for warning in warnings.into_iter().flatten() {
            match at(warning, "/type").as_str() {
                Some("SOME_SUPPRESSED") => otherwise = Fate::Accepted,
                Some("ALL_SUPPRESSED") => otherwise = Fate::Refused(Refusal::permanent().with_code("ALL_SUPPRESSED")),
                // What nobody knows does not undo an acceptance.
                _ if id.is_some() => {}
                _ => return Err(Fault::new()),
            }
            for recipient in at(warning, "/recipients").as_array().into_iter().flatten() {
                let refusal = Refusal::permanent();
                let refusal = match text(at(recipient, "/reasons/0")) {
                    Some(reason) => refusal.with_code(reason),
                    None => refusal,
                };
                if let Some(address) = text(at(recipient, "/email")) {
                    refused.push((address, Fate::Refused(refusal)));
                }
            }
        }
        let copy = refused
            .into_iter()
            .fold(CopyReceipt::new(otherwise, id), |copy, (address, fate)| {
                copy.except(address, fate, None)
            });
        Ok(Receipt::whole(copy))
    }

    fn fault(&self, response: &HttpResponse) -> Fault {
        let body = response.json().unwrap_or_default();
        let fault = Fault::of_json(&body, "/code", "/message");
        if response.header("x-apiquota-remaining") == Some("0") && response.status() == 429 {
            return fault.with_code("quota").with_kind(ErrorKind::Throttled);
        }
        match code(&body) {
            Some(code) => fault.with_code(code),
            None => fault,
        }
    }
}

/// The code of the first error, which stands at the end of its text: `... #MS42207`.
fn code(body: &Value) -> Option<String> {
    let errors = body.get("errors")?.to_string();
    let (_, rest) = errors.split_once('#')?;
    let code: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
    code.starts_with("MS").then_some(code)
}

fn message(submission: &Submission<'_>, copy: &Copy<'_>) -> Result<Json, SendError> {
    let message = submission.message()?;
    let list = |mailboxes: Vec<&Mailbox>| Json::array(mailboxes.into_iter().map(mailbox));
    let (own, free): (Vec<_>, Vec<_>) = submission
        .headers_of(copy)
        .into_iter()
        .partition(|(name, _)| OWN.iter().any(|own| name.eq_ignore_ascii_case(own)));
    let field = |wanted: &str| {
        own.iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.as_ref())
    };
    let bare = |id: &str| id.trim_start_matches('<').trim_end_matches('>').to_owned();
    let references: Vec<String> = field("References")
        .into_iter()
        .flat_map(str::split_ascii_whitespace)
        .map(bare)
        .collect();
    let headers = free
        .into_iter()
        .map(|(name, value)| Json::object().set("name", name).set("value", value));
    let inlines = message
        .inlines()
        .iter()
        .map(|part| attachment(part, "inline").set_some("id", part.content_id().map(|id| id.as_str())));
    let files = message.attachments().iter().map(|part| attachment(part, "attachment"));
    let data = submission.data_of(copy);
    let personalization = copy.to().filter(|_| !data.is_empty()).map(|to| {
        Json::object()
            .set("email", addresses::address(to.address()))
            .set("data", data.clone())
    });
    let settings = Json::object()
        .set_some("track_clicks", submission.track_clicks())
        .set_some("track_opens", submission.track_opens());
    let schedule = submission
        .schedule()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .map(|since| since.as_secs());
    let mut json = Json::object()
        .set_some("from", message.from().first().map(mailbox))
        .set("to", list(copy.to().collect()))
        .set_filled("cc", list(copy.cc().collect()))
        .set_filled("bcc", list(copy.bcc().collect()))
        .set_some("reply_to", message.reply_to().first().map(mailbox))
        .set_some("subject", message.subject())
        .set_some("text", message.text())
        .set_some("html", message.html())
        .set_some("template_id", submission.template())
        .set_filled("personalization", Json::array(personalization))
        .set_filled("attachments", Json::array(inlines.chain(files)))
        .set_filled("tags", submission.tags().iter().collect::<Vec<_>>())
        .set_filled("settings", settings)
        .set_some("send_at", schedule)
        .set_some("in_reply_to", field("In-Reply-To").map(bare))
        .set_filled("references", references)
        .set_some(
            "precedence_bulk",
            field("Precedence").map(|value| value.eq_ignore_ascii_case("bulk")),
        )
        .set_filled("headers", Json::array(headers));
    json.merge(submission.extra());
    Ok(json)
}

/// Header fields that have members of their own.
const OWN: &[&str] = &["In-Reply-To", "References", "Precedence"];

fn mailbox(mailbox: &Mailbox) -> Json {
    addresses::object(mailbox, "email", "name")
}

fn attachment(part: &Attachment, disposition: &'static str) -> Json {
    Json::object()
        .set("filename", attachments::name(part))
        .set("content", Json::Base64(part.to_base64()))
        .set("disposition", disposition)
}

#[cfg(test)]
mod tests {
    use posthaste_transport::{Disposition, SendOptions};

    use super::*;
    use crate::adapters::testing::{Bench, builder, plain, refused};

    #[test]
    fn who_is_suppressed_is_refused_and_the_others_are_not() {
        let answer = r#"{"warnings":[{"type":"SOME_SUPPRESSED","recipients":[
            {"email":"b@example.net","reasons":["hard_bounced"]}]}]}"#;
        let response = HttpResponse::new(202, answer).with_header("X-Message-Id", "1");
        let bench = Bench::answering(MailerSend::new("mlsn").unwrap(), response);
        let message = builder()
            .to("a@example.net".parse().unwrap())
            .to("b@example.net".parse().unwrap());
        let outcome = bench.send(message, &SendOptions::new()).unwrap();
        assert!(outcome.recipients()[0].fate().is_accepted());
        assert_eq!(
            outcome.recipients()[1].fate().refusal().unwrap().code(),
            Some("hard_bounced")
        );
    }

    #[test]
    fn errors_have_codes() {
        let body = r##"{"message":"no","errors":{"to.0.email":["The domain is wrong. #MS42207"]}}"##;
        let (kind, disposition, code) = refused(MailerSend::new("mlsn").unwrap(), 422, body);
        assert_eq!((kind, disposition), (ErrorKind::Invalid, Disposition::NotAccepted));
        assert_eq!(code.as_deref(), Some("MS42207"));
        // Without an id nobody can tell.
        assert_eq!(
            refused(MailerSend::new("mlsn").unwrap(), 202, "").1,
            Disposition::Ambiguous
        );
    }

    #[test]
    fn what_is_left_of_the_tighter_limit_is_told_with_mail_and_with_errors() {
        let answer = |status, today: &str| {
            HttpResponse::new(status, "")
                .with_header("x-message-id", "1")
                .with_header("x-ratelimit-limit", "120")
                .with_header("x-ratelimit-remaining", "119")
                .with_header("x-apiquota-remaining", today)
                .with_header("x-apiquota-reset", "1970-01-01T00:00:00Z")
        };
        let send =
            |answer| Bench::answering(MailerSend::new("mlsn").unwrap(), answer).send(plain(), &SendOptions::new());

        let outcome = send(answer(202, "5000")).unwrap();
        let rate = *outcome.rate().unwrap();
        assert_eq!(
            (rate.limit(), rate.remaining(), rate.reset()),
            (Some(120), Some(119), None)
        );

        let error = send(answer(429, "0")).unwrap_err();
        let source = std::error::Error::source(&error).unwrap();
        let rate = *source.downcast_ref::<crate::ProviderError>().unwrap().rate().unwrap();
        assert!(rate.is_used_up());
        assert_eq!((rate.limit(), rate.reset()), (None, Some(Duration::ZERO)));

        let silent = HttpResponse::new(202, "").with_header("x-message-id", "1");
        assert_eq!(send(silent).unwrap().rate(), None);
    }
}
