//! Mailjet, Send API v3.1.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use posthaste_address::Mailbox;
use posthaste_mime::Attachment;
use posthaste_transport::{Capabilities, Disposition, Fate, Feature, Refusal, SendError, TagCharset};
use serde_json::Value;

use crate::receipt::{at, text};
use crate::registry::FromSettings;
use crate::{
    Adapter, Copy, CopyReceipt, Fault, HttpRequest, HttpResponse, Json, Profile, Receipt, Secret, SecretError,
    Settings, SettingsError, Submission, addresses, attachments,
};

static PROFILE: Profile = Profile::new(
    "mailjet",
    "Mailjet",
    Capabilities::none()
        .with(Feature::EnvelopeSender)
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
        .with_max_recipients(50)
        .with_max_batch(50)
        .with_max_reply_to(1)
        .with_max_message_size(15 << 20)
        .with_tag_limits(1, 255, TagCharset::Any),
)
.with_max_request_size(15 << 20);

/// Mailjet.
///
/// URL: `mailjet://KEY:SECRET@default`; `endpoint` for another base URL; `sandbox=yes` checks and sends nothing.
///
/// The one tag is the campaign, metadata are the event payload as JSON, which comes back with events. A template is named by its
/// number; data are its variables, and those of texts. An envelope sender other than the author is the `Sender`, which
/// Mailjet takes from accounts that it allowed that.
///
/// Mailjet may accept some recipients of a message and refuse others, with a status of 400: the outcome says whom.
#[derive(Clone, Debug)]
pub struct Mailjet {
    key: Secret,
    secret: Secret,
    endpoint: Cow<'static, str>,
    sandbox: bool,
}

impl Mailjet {
    /// Takes an API key and its secret key.
    ///
    /// # Errors
    ///
    /// [`SecretError`] if one cannot stand in a header field.
    pub fn new(key: impl Into<String>, secret: impl Into<String>) -> Result<Self, SecretError> {
        Ok(Self {
            key: Secret::new(key)?,
            secret: Secret::new(secret)?,
            endpoint: Cow::Borrowed("https://api.mailjet.com"),
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

impl FromSettings for Mailjet {
    const PROFILE: &'static Profile = &PROFILE;

    fn from_settings(settings: &mut Settings) -> Result<Self, SettingsError> {
        let key = settings.key("API key")?;
        let secret = settings.password().ok_or(SettingsError::Missing("secret key"))?;
        let mut adapter = Self::new(key, secret)?;
        if let Some(endpoint) = settings.take("endpoint") {
            adapter = adapter.with_endpoint(endpoint);
        }
        let sandbox = settings.take_flag("sandbox")?.unwrap_or(false);
        Ok(adapter.sandbox(sandbox))
    }
}

impl Adapter for Mailjet {
    fn profile(&self) -> &Profile {
        &PROFILE
    }

    fn encode(&self, submission: &Submission<'_>) -> Result<HttpRequest, SendError> {
        let message = submission.message()?;
        let first = submission.copies().first();
        let template = submission
            .template()
            .map(|id| {
                id.parse::<u64>()
                    .map_err(|_| submission.invalid("writing a template that is not a number"))
            })
            .transpose()?;
        let has_data = submission.data().is_some() || submission.copies().iter().any(Copy::has_data);
        let switch = |on: bool| if on { "enabled" } else { "disabled" };
        let sender = submission
            .other_mail_from()
            .map(|sender| Json::object().set("Email", addresses::address(sender)));
        let globals = Json::object()
            .set_some("From", message.from().first().map(mailbox))
            .set_some("Sender", sender)
            .set_filled("Cc", Json::array(first.into_iter().flat_map(Copy::cc).map(mailbox)))
            .set_filled("Bcc", Json::array(first.into_iter().flat_map(Copy::bcc).map(mailbox)))
            .set_some("ReplyTo", message.reply_to().first().map(mailbox))
            .set_some("Subject", message.subject())
            .set_some("TextPart", message.text())
            .set_some("HTMLPart", message.html())
            .set_filled("Headers", submission.headers().into_iter().collect::<Json>())
            .set_filled("Attachments", Json::array(message.attachments().iter().map(attachment)))
            .set_filled(
                "InlinedAttachments",
                Json::array(
                    message
                        .inlines()
                        .iter()
                        .map(|part| attachment(part).set_some("ContentID", part.content_id().map(|id| id.as_str()))),
                ),
            )
            .set_some("CustomCampaign", submission.tags().first())
            .set_some("EventPayload", submission.metadata_text(&Copy::default()))
            .set_some("TrackOpens", submission.track_opens().map(switch))
            .set_some("TrackClicks", submission.track_clicks().map(switch))
            .set_some("TemplateID", template)
            .set_some("TemplateLanguage", (template.is_some() || has_data).then_some(true))
            .set_some("Variables", submission.data().cloned());
        let messages = submission.copies().iter().map(|copy| {
            let personal = copy.personal();
            let variables = personal.map(|personal| personal.data().clone());
            let headers: Option<Json> = personal.map(|personal| {
                personal
                    .headers()
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str()))
                    .collect()
            });
            let payload = copy.has_metadata().then(|| submission.metadata_text(copy)).flatten();
            Json::object()
                .set("To", Json::array(copy.to().map(mailbox)))
                .set_filled("Variables", variables.unwrap_or_default())
                .set_filled("Headers", headers.unwrap_or_else(Json::object))
                .set_some("EventPayload", payload)
        });
        let json = Json::object()
            .set("Globals", globals)
            .set("Messages", Json::array(messages))
            .set_some("SandboxMode", self.sandbox.then_some(true));
        let credentials = STANDARD.encode(format!("{}:{}", self.key.expose(), self.secret.expose()));
        Ok(submission
            .post_json(format!("{}/v3.1/send", self.endpoint), json)
            .with_secret_header("Authorization", format!("Basic {credentials}")))
    }

    /// What is refused in part is said with a status of 400, message by message.
    fn settles(&self, response: &HttpResponse) -> bool {
        response.is_success() || entries(response).is_some()
    }

    fn decode(&self, submission: &Submission<'_>, response: &HttpResponse) -> Result<Receipt, Fault> {
        let entries = entries(response).ok_or_else(Fault::new)?;
        let copies = submission.copies();
        if submission.is_individual() && entries.len() == copies.len() {
            return Ok(Receipt::copies(entries.iter().map(|entry| match refusal(entry) {
                Some(refusal) => CopyReceipt::refused(refusal),
                None if is_accepted(entry) => {
                    let id = recipients(entry).next().and_then(|(_, id)| id);
                    CopyReceipt::new(Fate::Accepted, id)
                }
                None => CopyReceipt::new(Fate::Unknown, None),
            })));
        }
        // One message may come back as several: those who were accepted are named, the others were not.
        let otherwise = match entries.iter().find_map(refusal) {
            Some(refusal) => Fate::Refused(refusal),
            None if entries.iter().all(is_accepted) => Fate::Accepted,
            None => Fate::Unknown,
        };
        Ok(Receipt::copies(copies.iter().map(|_| {
            entries
                .iter()
                .filter(|entry| is_accepted(entry))
                .flat_map(recipients)
                .fold(CopyReceipt::new(otherwise.clone(), None), |copy, (address, id)| {
                    copy.except(address, Fate::Accepted, id)
                })
        })))
    }

    fn fault(&self, response: &HttpResponse) -> Fault {
        let fault = Fault::of_json(&response.json().unwrap_or_default(), "/ErrorCode", "/ErrorMessage");
        match fault.code() {
            Some(_) if response.status() < 500 => fault.with_disposition(Disposition::NotAccepted),
            _ => fault,
        }
    }
}

/// What is said of messages, if anything is.
fn entries(response: &HttpResponse) -> Option<Vec<Value>> {
    match response.json()?.get_mut("Messages")?.take() {
        Value::Array(entries)
            if !entries.is_empty() && entries.iter().all(|entry| at(entry, "/Status").is_string()) =>
        {
            Some(entries)
        }
        _ => None,
    }
}

fn is_accepted(entry: &Value) -> bool {
    at(entry, "/Status") == "success"
}

fn refusal(entry: &Value) -> Option<Refusal> {
    if at(entry, "/Status") != "error" {
        return None;
    }
    let error = entry.pointer("/Errors/0");
    let status = error.and_then(|error| at(error, "/StatusCode").as_u64());
    let refusal = if status.is_some_and(|status| status == 429 || status >= 500) {
        Refusal::transient()
    } else {
        Refusal::permanent()
    };
    Some(match error.and_then(|error| text(at(error, "/ErrorCode"))) {
        Some(code) => refusal.with_code(code),
        None => refusal,
    })
}

fn recipients(entry: &Value) -> impl Iterator<Item = (String, Option<String>)> {
    ["To", "Cc", "Bcc"]
        .into_iter()
        .filter_map(|field| entry.get(field)?.as_array())
        .flatten()
        .filter_map(|one| Some((text(at(one, "/Email"))?, text(at(one, "/MessageID")))))
}

fn mailbox(mailbox: &Mailbox) -> Json {
    addresses::object(mailbox, "Email", "Name")
}

fn attachment(part: &Attachment) -> Json {
    Json::object()
        .set("ContentType", part.content_type().essence())
        .set("Filename", attachments::name(part))
        .set("Base64Content", Json::Base64(part.to_base64()))
}

#[cfg(test)]
mod tests {
    use posthaste_transport::SendOptions;

    use super::*;
    use crate::adapters::testing::{Bench, builder, refused};

    #[test]
    fn a_message_is_accepted_in_part_with_a_status_of_400() {
        let answer = r#"{"Messages":[
            {"Status":"success","To":[{"Email":"a@example.net","MessageID":12345678901234500}]},
            {"Status":"error","Errors":[{"ErrorCode":"mj-0013","StatusCode":400}]}]}"#;
        let bench = Bench::new(Mailjet::new("key", "secret").unwrap(), 400, answer);
        let message = builder()
            .to("a@example.net".parse().unwrap())
            .to("b@example.net".parse().unwrap());
        let outcome = bench.send(message, &SendOptions::new()).unwrap();
        assert_eq!(outcome.recipients()[0].provider_id(), Some("12345678901234500"));
        assert_eq!(
            outcome.recipients()[1].fate().refusal().unwrap().code(),
            Some("mj-0013")
        );
        let whole = r#"{"ErrorIdentifier":"1","ErrorCode":"mj-0002","ErrorMessage":"no","StatusCode":400}"#;
        let (_, disposition, code) = refused(Mailjet::new("key", "secret").unwrap(), 400, whole);
        assert_eq!(
            (disposition, code.as_deref()),
            (Disposition::NotAccepted, Some("mj-0002"))
        );
    }
}
