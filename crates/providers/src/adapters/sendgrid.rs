//! Twilio SendGrid, Mail Send v3.

use std::borrow::Cow;
use std::time::{Duration, UNIX_EPOCH};

use posthaste_mime::Attachment;
use posthaste_transport::{Capabilities, Feature, SendError, TagCharset};
use serde_json::Value;

use crate::registry::FromSettings;
use crate::{
    Adapter, Copy, Fault, HttpRequest, HttpResponse, Json, Profile, Receipt, Secret, SecretError, Settings,
    SettingsError, Submission, addresses,
};

static PROFILE: Profile = Profile::new(
    "sendgrid",
    "SendGrid",
    Capabilities::none()
        .with(Feature::EnvelopeRecipients)
        .with(Feature::CustomHeaders)
        .with(Feature::Attachments)
        .with(Feature::InlineParts)
        .with(Feature::Amp)
        .with(Feature::StoredTemplate)
        .with(Feature::PersonalData)
        .with(Feature::PersonalMetadata)
        .with(Feature::PersonalHeaders)
        .with(Feature::Tags)
        .with(Feature::Metadata)
        .with(Feature::Schedule)
        .with(Feature::TrackOpens)
        .with(Feature::TrackClicks)
        .with(Feature::Stream)
        .with_max_recipients(1000)
        .with_max_batch(1000)
        .with_max_reply_to(1000)
        .with_max_message_size(30_000_000)
        .with_tag_limits(10, 255, TagCharset::Any)
        .with_metadata_limits(u32::MAX, 10_000, 10_000)
        .with_max_schedule(Duration::from_hours(72)),
)
.with_request_id_headers(&["X-Message-Id", "X-Request-Id"]);

/// Header fields that SendGrid sets itself, and refuses (Mail Send v3, "headers").
const RESERVED: &[&str] = &[
    "x-sg-id",
    "x-sg-eid",
    "received",
    "dkim-signature",
    "content-type",
    "content-transfer-encoding",
    "to",
    "from",
    "subject",
    "reply-to",
    "cc",
    "bcc",
];

/// Twilio SendGrid.
///
/// URL: `sendgrid://KEY@default`; `?region=eu` for regional subusers in the EU; `endpoint` for another base URL;
/// `sandbox=yes` checks and sends nothing.
///
/// Tags are categories, metadata are custom arguments, the stream is the IP pool. A template whose id begins with `d-` is a
/// dynamic one: data goes to `dynamic_template_data`. For any other, and for texts without a template, data are
/// substitutions, each key written as it stands in the text.
#[derive(Clone, Debug)]
pub struct SendGrid {
    key: Secret,
    endpoint: Cow<'static, str>,
    sandbox: bool,
}

impl SendGrid {
    /// Takes an API key with the scope `mail.send`.
    ///
    /// # Errors
    ///
    /// [`SecretError`] if it cannot stand in a header field.
    pub fn new(key: impl Into<String>) -> Result<Self, SecretError> {
        Ok(Self {
            key: Secret::new(key)?,
            endpoint: Cow::Borrowed("https://api.sendgrid.com"),
            sandbox: false,
        })
    }

    /// Sends by the region of the EU.
    #[must_use]
    pub fn in_europe(self) -> Self {
        self.with_endpoint("https://api.eu.sendgrid.com")
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

impl FromSettings for SendGrid {
    const PROFILE: &'static Profile = &PROFILE;

    fn from_settings(settings: &mut Settings) -> Result<Self, SettingsError> {
        let mut adapter = Self::new(settings.key("API key")?)?;
        adapter = match settings.take("region").as_deref() {
            None | Some("global") => adapter,
            Some("eu") => adapter.in_europe(),
            Some(_) => {
                return Err(SettingsError::Value {
                    key: "region".to_owned(),
                    expected: "global or eu",
                });
            }
        };
        if let Some(endpoint) = settings.take("endpoint") {
            adapter = adapter.with_endpoint(endpoint);
        }
        let sandbox = settings.take_flag("sandbox")?.unwrap_or(false);
        Ok(adapter.sandbox(sandbox))
    }
}

impl Adapter for SendGrid {
    fn profile(&self) -> &Profile {
        &PROFILE
    }

    fn encode(&self, submission: &Submission<'_>) -> Result<HttpRequest, SendError> {
        let message = submission.message()?;
        let headers = submission.headers();
        if headers
            .iter()
            .any(|(name, _)| RESERVED.iter().any(|reserved| name.eq_ignore_ascii_case(reserved)))
        {
            return Err(submission.invalid("writing a header field that SendGrid sets itself"));
        }
        let personalizations: Vec<Json> = submission
            .copies()
            .iter()
            .map(|copy| personalization(submission, copy))
            .collect();
        let author = message.from().first().map(mailbox);
        let reply_to: Vec<Json> = message.reply_to().iter().map(mailbox).collect();
        let texts = [
            ("text/plain", message.text()),
            ("text/html", message.html()),
            ("text/x-amp-html", message.amp()),
        ];
        let content = texts
            .into_iter()
            .filter_map(|(content_type, text)| Some((content_type, text.filter(|text| !text.is_empty())?)))
            .map(|(content_type, text)| Json::object().set("type", content_type).set("value", text));
        let inlines = message.inlines().iter().map(|part| attachment(part, "inline"));
        let files = message.attachments().iter().map(|part| attachment(part, "attachment"));
        let schedule = submission
            .schedule()
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
            .map(|since| since.as_secs());
        let tracking = Json::object()
            .set_some(
                "click_tracking",
                submission.track_clicks().map(|on| Json::object().set("enable", on)),
            )
            .set_some(
                "open_tracking",
                submission.track_opens().map(|on| Json::object().set("enable", on)),
            );
        let sandbox = self
            .sandbox
            .then(|| Json::object().set("sandbox_mode", Json::object().set("enable", true)));
        let json = Json::object()
            .set("personalizations", personalizations)
            .set_some("from", author)
            .set_filled("reply_to_list", reply_to)
            .set_some("subject", message.subject())
            .set_filled("content", Json::array(content))
            .set_filled("attachments", Json::array(inlines.chain(files)))
            .set_some("template_id", submission.template())
            .set_filled("headers", headers.into_iter().collect::<Json>())
            .set_filled("categories", submission.tags().iter().collect::<Vec<_>>())
            .set_filled("custom_args", submission.metadata().collect::<Json>())
            .set_some("send_at", schedule)
            .set_some("ip_pool_name", submission.stream())
            .set_filled("tracking_settings", tracking)
            .set_some("mail_settings", sandbox);
        let url = format!("{}/v3/mail/send", self.endpoint);
        Ok(submission
            .post_json(url, json)
            .with_secret_header("Authorization", format!("Bearer {}", self.key.expose())))
    }

    fn decode(&self, _: &Submission<'_>, response: &HttpResponse) -> Result<Receipt, Fault> {
        Ok(Receipt::accepted(response.header("X-Message-Id").map(str::to_owned)))
    }

    fn fault(&self, response: &HttpResponse) -> Fault {
        let fault = Fault::new();
        let body = response.json().unwrap_or_default();
        let first = body.pointer("/errors/0");
        let text = |key: &str| first?.get(key)?.as_str().filter(|text| !text.is_empty());
        let fault = match text("message") {
            Some(message) => fault.with_message(message),
            None => fault,
        };
        match text("field") {
            Some(field) => fault.with_code(field),
            None => fault,
        }
    }
}

fn mailbox(mailbox: &posthaste_address::Mailbox) -> Json {
    addresses::object(mailbox, "email", "name")
}

fn personalization(submission: &Submission<'_>, copy: &Copy<'_>) -> Json {
    let personal = copy.personal();
    let data = submission.data_of(copy);
    let is_dynamic = submission.template().is_some_and(|id| id.starts_with("d-"));
    let data_key = if is_dynamic {
        "dynamic_template_data"
    } else {
        "substitutions"
    };
    let data: Json = data
        .into_iter()
        .map(|(key, value)| match value {
            // Substitutions are texts; dynamic templates take anything.
            Value::String(_) => (key, value),
            value if is_dynamic => (key, value),
            value => (key, Value::String(value.to_string())),
        })
        .collect();
    let headers = personal.map(|personal| {
        personal
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect::<Json>()
    });
    let metadata = personal.map(|personal| personal.metadata().collect::<Json>());
    Json::object()
        .set("to", Json::array(copy.to().map(mailbox)))
        .set_filled("cc", Json::array(copy.cc().map(mailbox)))
        .set_filled("bcc", Json::array(copy.bcc().map(mailbox)))
        .set_filled("headers", headers.unwrap_or_else(Json::object))
        .set_filled(data_key, data)
        .set_filled("custom_args", metadata.unwrap_or_else(Json::object))
}

fn attachment(part: &Attachment, disposition: &'static str) -> Json {
    // A file name is required, also of a picture that has none.
    let name = part
        .file_name()
        .map(|name| name.as_str().to_owned())
        .or_else(|| part.content_id().map(|id| id.as_str().to_owned()))
        .unwrap_or_default();
    Json::object()
        .set("content", Json::Base64(part.to_base64()))
        .set("type", part.content_type().essence())
        .set("filename", name)
        .set("disposition", disposition)
        .set_some(
            "content_id",
            part.content_id()
                .filter(|_| disposition == "inline")
                .map(|id| id.as_str()),
        )
}
