//! Postmark.

use std::borrow::Cow;

use posthaste_mime::Attachment;
use posthaste_transport::{Capabilities, Disposition, ErrorKind, Fate, Feature, Refusal, SendError, TagCharset};
use serde_json::Value;

use crate::registry::FromSettings;
use crate::{
    Adapter, Copy, CopyReceipt, Fault, HttpRequest, HttpResponse, Json, Profile, Receipt, Secret, SecretError,
    Settings, SettingsError, Submission, addresses,
};

static PROFILE: Profile = Profile::new(
    "postmark",
    "Postmark",
    Capabilities::none()
        .with(Feature::EnvelopeRecipients)
        .with(Feature::RecipientOutcomes)
        .with(Feature::CustomHeaders)
        .with(Feature::Attachments)
        .with(Feature::InlineParts)
        .with(Feature::StoredTemplate)
        .with(Feature::PersonalData)
        .with(Feature::PersonalMetadata)
        .with(Feature::PersonalHeaders)
        .with(Feature::Tags)
        .with(Feature::Metadata)
        .with(Feature::TrackOpens)
        .with(Feature::TrackClicks)
        .with(Feature::Stream)
        .with_max_recipients(50)
        .with_max_batch(500)
        .with_max_message_size(10 << 20)
        .with_tag_limits(1, 1000, TagCharset::Any)
        .with_metadata_limits(10, 20, 80),
)
.with_max_request_size(50 << 20)
.without_need_of_to();

/// Postmark.
///
/// URL: `postmark://TOKEN@default`; `endpoint` for another base URL. The stream is the message stream. A template is named
/// by its number or by its alias; data without one has no meaning there and is refused.
#[derive(Clone, Debug)]
pub struct Postmark {
    token: Secret,
    endpoint: Cow<'static, str>,
}

impl Postmark {
    /// Takes the token of a server.
    ///
    /// # Errors
    ///
    /// [`SecretError`] if it cannot stand in a header field.
    pub fn new(token: impl Into<String>) -> Result<Self, SecretError> {
        Ok(Self {
            token: Secret::new(token)?,
            endpoint: Cow::Borrowed("https://api.postmarkapp.com"),
        })
    }

    /// Sends to another base URL, without a slash at its end.
    #[must_use]
    pub fn with_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Cow::Owned(url.into());
        self
    }
}

impl FromSettings for Postmark {
    const PROFILE: &'static Profile = &PROFILE;

    fn from_settings(settings: &mut Settings) -> Result<Self, SettingsError> {
        let adapter = Self::new(settings.key("server token")?)?;
        Ok(match settings.take("endpoint") {
            Some(endpoint) => adapter.with_endpoint(endpoint),
            None => adapter,
        })
    }
}

impl Adapter for Postmark {
    fn profile(&self) -> &Profile {
        &PROFILE
    }

    fn encode(&self, submission: &Submission<'_>) -> Result<HttpRequest, SendError> {
        let has_data = submission.data().is_some()
            || submission
                .copies()
                .iter()
                .any(|copy| copy.personal().is_some_and(|personal| !personal.data().is_empty()));
        if has_data && submission.template().is_none() {
            return Err(submission.invalid("writing data without a stored template"));
        }
        let mut messages = submission
            .copies()
            .iter()
            .map(|copy| message(submission, copy))
            .collect::<Result<Vec<_>, _>>()?;
        let (path, json) = match (submission.is_individual(), submission.template()) {
            (false, None) => ("email", messages.pop().unwrap_or_else(Json::object)),
            (false, Some(_)) => ("email/withTemplate/", messages.pop().unwrap_or_else(Json::object)),
            (true, None) => ("email/batch", Json::Array(messages)),
            (true, Some(_)) => (
                "email/batchWithTemplates",
                Json::object().set("Messages", Json::Array(messages)),
            ),
        };
        let url = format!("{}/{path}", self.endpoint);
        // Extras belong to the messages, and are there already.
        Ok(HttpRequest::post_json(url, &json).with_secret_header("X-Postmark-Server-Token", self.token.expose()))
    }

    fn decode(&self, submission: &Submission<'_>, response: &HttpResponse) -> Result<Receipt, Fault> {
        let body = response.json().ok_or_else(Fault::new)?;
        match body {
            Value::Array(items) if submission.is_individual() => Ok(Receipt::copies(items.iter().map(receipt))),
            Value::Object(_) if !submission.is_individual() => {
                let copy = receipt(&body);
                if body.get("ErrorCode").and_then(Value::as_i64) == Some(0) {
                    Ok(Receipt::whole(copy))
                } else {
                    Err(self.fault(response))
                }
            }
            _ => Err(Fault::new()),
        }
    }

    fn fault(&self, response: &HttpResponse) -> Fault {
        let body = response.json().unwrap_or_default();
        let mut fault = Fault::new();
        if let Some(message) = body.get("Message").and_then(Value::as_str) {
            fault = fault.with_message(message);
        }
        let Some(code) = body.get("ErrorCode").and_then(Value::as_i64) else {
            return fault;
        };
        fault = fault.with_code(code.to_string());
        // 100 says that it was not looked at: maintenance.
        if response.status() < 500 || code == 100 {
            fault = fault.with_disposition(Disposition::NotAccepted);
        }
        match code {
            10 | 400 | 401 | 412 => fault.with_kind(ErrorKind::Unauthorized),
            405 | 429 => fault.with_kind(ErrorKind::Throttled),
            100 => fault.with_kind(ErrorKind::Unavailable),
            406 => fault.with_kind(ErrorKind::Rejected),
            _ => fault,
        }
    }
}

fn message(submission: &Submission<'_>, copy: &Copy<'_>) -> Result<Json, SendError> {
    let message = submission.message()?;
    let template = submission.template();
    let headers = submission
        .headers_of(copy)
        .into_iter()
        .map(|(name, value)| Json::object().set("Name", name).set("Value", value));
    let files = message.inlines().iter().chain(message.attachments()).map(attachment);
    let clicks = submission
        .track_clicks()
        .map(|on| if on { "HtmlAndText" } else { "None" });
    let mut json = Json::object()
        .set_some("From", message.from().first().map(addresses::text))
        .set_some("To", written(copy.to()))
        .set_some("Cc", written(copy.cc()))
        .set_some("Bcc", written(copy.bcc()))
        .set_some("ReplyTo", written(message.reply_to().iter()))
        // A template brings its own, and refuses these beside it.
        .set_some("Subject", message.subject().filter(|_| template.is_none()))
        .set_some("TextBody", message.text().filter(|_| template.is_none()))
        .set_some("HtmlBody", message.html().filter(|_| template.is_none()));
    if let Some(template) = template {
        json = match template.parse::<u64>() {
            Ok(number) => json.set("TemplateId", number),
            Err(_) => json.set("TemplateAlias", template),
        };
        json = json.set("TemplateModel", submission.data_of(copy));
    }
    let mut json = json
        .set_filled("Headers", Json::array(headers))
        .set_filled("Attachments", Json::array(files))
        .set_some("Tag", submission.tags().first())
        .set_filled("Metadata", submission.metadata_of(copy).into_iter().collect::<Json>())
        .set_some("TrackOpens", submission.track_opens())
        .set_some("TrackLinks", clicks)
        .set_some("MessageStream", submission.stream());
    json.merge(submission.extra());
    Ok(json)
}

fn written<'m>(mailboxes: impl ExactSizeIterator<Item = &'m posthaste_address::Mailbox>) -> Option<String> {
    (mailboxes.len() > 0).then(|| addresses::list(mailboxes))
}

fn attachment(part: &Attachment) -> Json {
    let name = part
        .file_name()
        .map(|name| name.as_str().to_owned())
        .or_else(|| part.content_id().map(|id| id.as_str().to_owned()))
        .unwrap_or_default();
    Json::object()
        .set("Name", name)
        .set("Content", Json::Base64(part.to_base64()))
        .set("ContentType", part.content_type().to_string())
        .set_some("ContentID", part.content_id().map(|id| format!("cid:{}", id.as_str())))
}

/// Reads what is said of one message. `Message OK, but will not deliver to these inactive addresses: a, b.` names those in
/// its text alone.
fn receipt(item: &Value) -> CopyReceipt {
    let code = item.get("ErrorCode").and_then(Value::as_i64);
    let words = item.get("Message").and_then(Value::as_str).unwrap_or_default();
    let id = item.get("MessageID").and_then(Value::as_str).map(str::to_owned);
    match code {
        Some(0) => {
            let copy = CopyReceipt::new(Fate::Accepted, id);
            inactive(words).fold(copy, |copy, address| {
                let refusal = Refusal::permanent().with_code("406");
                copy.except(address, Fate::Refused(refusal), None)
            })
        }
        Some(code @ (100 | 405 | 429)) => CopyReceipt::refused(Refusal::transient().with_code(code.to_string())),
        Some(code) => CopyReceipt::refused(Refusal::permanent().with_code(code.to_string())),
        None => CopyReceipt::new(Fate::Unknown, id),
    }
}

fn inactive(words: &str) -> impl Iterator<Item = &str> {
    let list = words
        .split_once("inactive addresses:")
        .map(|(_, rest)| rest.split_once(". ").map_or(rest, |(list, _)| list));
    list.into_iter()
        .flat_map(|list| list.split(','))
        .map(|address| address.trim().trim_end_matches('.'))
        .filter(|address| !address.is_empty())
}
