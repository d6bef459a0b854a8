//! Amazon SES, API version 2.

mod bulk;
mod credentials;
mod signature;

use std::borrow::Cow;

use posthaste_address::Mailbox;
use posthaste_mime::{Attachment, Base64Alphabet};
use posthaste_transport::{Capabilities, Disposition, ErrorKind, Feature, SendError, Shortfall, TagCharset};
use serde_json::Value;

pub use credentials::{AwsCredentials, AwsKeys, CredentialsError};

use crate::registry::FromSettings;
use crate::{
    Adapter, AuthorizeFuture, Context, Copy, Fault, HttpRequest, HttpResponse, Json, Profile, Receipt, SecretError,
    Settings, SettingsError, Submission, addresses, attachments, words,
};

static PROFILE: Profile = Profile::new(
    "ses",
    "Amazon SES",
    Capabilities::none()
        .with(Feature::RawMime)
        .with(Feature::EnvelopeRecipients)
        .with(Feature::EightBit)
        .with(Feature::CustomHeaders)
        .with(Feature::Attachments)
        .with(Feature::InlineParts)
        .with(Feature::Amp)
        .with(Feature::SpecialParts)
        .with(Feature::StoredTemplate)
        .with(Feature::PersonalData)
        .with(Feature::PersonalMetadata)
        .with(Feature::PersonalHeaders)
        .with(Feature::Tags)
        .with(Feature::Metadata)
        .with(Feature::TrackOpens)
        .with(Feature::TrackClicks)
        .with(Feature::ConfigurationSet)
        .with_max_recipients(50)
        .with_max_batch(50)
        .with_max_message_size(40 << 20)
        .with_tag_limits(1, 256, TagCharset::Word)
        .with_metadata_limits(49, 256, 256),
)
.with_request_id_headers(&["x-amzn-RequestId"])
.without_need_of_to();

/// How a single message goes to SES.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SesContent {
    /// As finished bytes: nothing is lost, and what was signed stays as it is.
    #[default]
    Raw,
    /// As fields, which SES makes a message of.
    Simple,
}

/// Amazon SES by its API version 2.
///
/// URL: `ses://KEY:SECRET@eu-west-1`, or `ses://eu-west-1` with the keys that the environment has
/// ([`AwsCredentials::discover`]); `token` for a session token, `profile` for one of the profile file, `endpoint` for another base
/// URL, `content=simple` for [`SesContent::Simple`], `tag` for the name of the tag (`tag` unless it is set).
///
/// A single message goes as finished bytes. A batch, and what fills in a stored template, goes by `SendBulkEmail`; without a
/// stored template its texts are one, in which SES fills in the data: `{{name}}`.
///
/// Metadata are SES's message tags: names and values of letters, digits, `_` and `-`. The one tag is such a pair too.
#[derive(Clone, Debug)]
pub struct AmazonSes {
    region: String,
    credentials: AwsCredentials,
    endpoint: Cow<'static, str>,
    content: SesContent,
    tag_name: Cow<'static, str>,
}

impl AmazonSes {
    /// Sends by a region, such as `eu-west-1`.
    ///
    /// # Errors
    ///
    /// [`SettingsError::Value`], if the region is no such name.
    pub fn new(region: impl Into<String>, credentials: AwsCredentials) -> Result<Self, SettingsError> {
        let region = region.into();
        let fits = !region.is_empty()
            && region.len() <= 32
            && region
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !fits {
            return Err(SettingsError::Value {
                key: "region".to_owned(),
                expected: "a name as eu-west-1",
            });
        }
        Ok(Self {
            endpoint: Cow::Owned(format!("https://email.{region}.amazonaws.com")),
            region,
            credentials,
            content: SesContent::Raw,
            tag_name: Cow::Borrowed("tag"),
        })
    }

    /// Sends to another base URL, without a slash at its end.
    #[must_use]
    pub fn with_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Cow::Owned(url.into());
        self
    }

    /// Sets how a single message goes.
    #[must_use]
    pub const fn with_content(mut self, content: SesContent) -> Self {
        self.content = content;
        self
    }

    /// Sets the name of the message tag that the tag of a send is the value of; `tag` unless it is set.
    #[must_use]
    pub fn with_tag_name(mut self, name: impl Into<String>) -> Self {
        self.tag_name = Cow::Owned(name.into());
        self
    }

    /// The message tags: the tag, and the metadata.
    fn tags(&self, submission: &Submission<'_>) -> Result<Vec<Json>, SendError> {
        let tag = submission
            .tags()
            .first()
            .map(|tag| (self.tag_name.as_ref(), tag.as_str()));
        tag.into_iter()
            .chain(submission.metadata())
            .map(|(name, value)| pair(submission, name, value))
            .collect()
    }

    /// What both calls have, put around what is their own.
    fn common(&self, submission: &Submission<'_>, json: Json) -> Json {
        let switch = |on: bool| if on { "ENABLED" } else { "DISABLED" };
        let tracking = Json::object()
            .set_some("OpenTrackingEnabled", submission.track_opens().map(switch))
            .set_some("ClickTrackingEnabled", submission.track_clicks().map(switch));
        let overrides = if tracking.is_empty() {
            tracking
        } else {
            Json::object().set("Tracking", tracking)
        };
        json.set_some("ConfigurationSetName", submission.configuration_set())
            .set_filled("ConfigurationOverrides", overrides)
    }

    fn single(&self, submission: &Submission<'_>, copy: &Copy<'_>) -> Result<HttpRequest, SendError> {
        let (head, destination, content) = if submission.raw().is_some() || self.content == SesContent::Raw {
            let bytes = submission.bytes().to_base64(Base64Alphabet::Standard);
            let raw = Json::object().set("Raw", Json::object().set("Data", Json::Base64(bytes)));
            // The header is in the bytes; these are only whom it goes to.
            (
                Json::object(),
                destination(copy, |mailbox| addresses::address(mailbox.address())),
                raw,
            )
        } else {
            let message = submission.message()?;
            let head = Json::object()
                .set_some("FromEmailAddress", message.from().first().map(words::mailbox))
                .set_filled(
                    "ReplyToAddresses",
                    Json::array(message.reply_to().iter().map(words::mailbox)),
                );
            (head, destination(copy, words::mailbox), simple(submission)?)
        };
        let json = head
            .set("Destination", destination)
            .set("Content", content)
            .set_filled("EmailTags", self.tags(submission)?);
        let url = format!("{}/v2/email/outbound-emails", self.endpoint);
        Ok(submission.post_json(url, self.common(submission, json)))
    }
}

impl FromSettings for AmazonSes {
    const PROFILE: &'static Profile = &PROFILE;

    fn from_settings(settings: &mut Settings) -> Result<Self, SettingsError> {
        let region = settings.host().ok_or(SettingsError::Missing("region"))?;
        let token = settings.take("token");
        let profile = settings.take("profile");
        let credentials = match (settings.user(), settings.password(), profile) {
            (Some(id), Some(secret), None) => {
                let keys = AwsKeys::new(id, secret)?;
                AwsCredentials::keys(match token {
                    Some(token) => keys.with_session_token(token)?,
                    None => keys,
                })
            }
            (None, None, profile) if token.is_none() => {
                let credentials = AwsCredentials::discover();
                match profile {
                    Some(profile) => credentials.with_profile(profile),
                    None => credentials,
                }
            }
            _ => return Err(SettingsError::Missing("secret access key")),
        };
        let mut adapter = Self::new(region, credentials)?;
        if let Some(endpoint) = settings.take("endpoint") {
            adapter = adapter.with_endpoint(endpoint);
        }
        if let Some(name) = settings.take("tag") {
            adapter = adapter.with_tag_name(name);
        }
        match settings.take("content").as_deref() {
            None | Some("raw") => Ok(adapter),
            Some("simple") => Ok(adapter.with_content(SesContent::Simple)),
            Some(_) => Err(SettingsError::Value {
                key: "content".to_owned(),
                expected: "raw or simple",
            }),
        }
    }
}

impl Adapter for AmazonSes {
    fn profile(&self) -> &Profile {
        &PROFILE
    }

    fn encode(&self, submission: &Submission<'_>) -> Result<HttpRequest, SendError> {
        let has_data = submission.data().is_some();
        match submission.copies() {
            [copy] if !submission.is_individual() && submission.template().is_none() && !has_data => {
                self.single(submission, copy)
            }
            _ => self.bulk(submission),
        }
    }

    fn decode(&self, submission: &Submission<'_>, response: &HttpResponse) -> Result<Receipt, Fault> {
        let body = response.json().ok_or_else(Fault::new)?;
        if let Some(results) = body.get("BulkEmailEntryResults").and_then(Value::as_array) {
            return Ok(bulk::receipt(submission, results));
        }
        match body.get("MessageId").and_then(Value::as_str) {
            Some(id) if !submission.is_individual() => Ok(Receipt::accepted(Some(id.to_owned()))),
            _ => Err(Fault::new()),
        }
    }

    fn fault(&self, response: &HttpResponse) -> Fault {
        let body = response.json().unwrap_or_default();
        let text = |key: &str| body.get(key).and_then(Value::as_str);
        let mut fault = Fault::new();
        if let Some(message) = text("message").or_else(|| text("Message")) {
            fault = fault.with_message(message);
        }
        let Some(code) = response.header("x-amzn-ErrorType").or_else(|| text("__type")) else {
            return fault;
        };
        // `Name:http://...` and `namespace#Name` are both written.
        let code = code.split(':').next().unwrap_or_default();
        let code = code.rsplit('#').next().unwrap_or_default();
        fault = fault.with_code(code);
        let known = |kind| fault.clone().with_kind(kind).with_disposition(Disposition::NotAccepted);
        match code {
            "TooManyRequestsException" | "ThrottlingException" | "Throttling" | "LimitExceededException" => {
                known(ErrorKind::Throttled)
            }
            "MessageRejected" => known(ErrorKind::Rejected),
            "AccountSuspendedException"
            | "SendingPausedException"
            | "MailFromDomainNotVerifiedException"
            | "AccessDeniedException"
            | "ExpiredTokenException"
            | "ExpiredToken"
            | "InvalidClientTokenId"
            | "UnrecognizedClientException"
            | "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "RequestTimeTooSkewed" => known(ErrorKind::Unauthorized),
            _ => fault,
        }
    }

    fn authorize<'a>(&'a self, request: HttpRequest, context: &'a Context<'a>) -> AuthorizeFuture<'a> {
        Box::pin(async move {
            let keys = self.credentials.get(context).await?;
            signature::sign(request, &keys, &self.region, context.now()).await
        })
    }
}

fn destination(copy: &Copy<'_>, write: impl Fn(&Mailbox) -> String) -> Json {
    Json::object()
        .set_filled("ToAddresses", Json::array(copy.to().map(&write)))
        .set_filled("CcAddresses", Json::array(copy.cc().map(&write)))
        .set_filled("BccAddresses", Json::array(copy.bcc().map(&write)))
}

fn simple(submission: &Submission<'_>) -> Result<Json, SendError> {
    let message = submission.message()?;
    if message.amp().is_some() || message.calendar().is_some() || message.report().is_some() {
        return Err(submission.refuse(Feature::SpecialParts, Shortfall::Missing));
    }
    let text = |text: &str| Json::object().set("Data", text).set("Charset", "UTF-8");
    let body = Json::object()
        .set_some("Text", message.text().map(text))
        .set_some("Html", message.html().map(text));
    Ok(Json::object().set(
        "Simple",
        Json::object()
            .set("Subject", text(message.subject().unwrap_or_default()))
            .set("Body", body)
            .set_filled("Headers", headers(submission.headers()))
            .set_filled("Attachments", files(submission)?),
    ))
}

fn headers<'h>(headers: impl IntoIterator<Item = (&'h str, Cow<'h, str>)>) -> Vec<Json> {
    headers
        .into_iter()
        .map(|(name, value)| {
            Json::object()
                .set("Name", name)
                .set("Value", words::unless_ascii(&value))
        })
        .collect()
}

fn files(submission: &Submission<'_>) -> Result<Vec<Json>, SendError> {
    let message = submission.message()?;
    let inlines = message.inlines().iter().map(|part| file(part, "INLINE"));
    Ok(inlines
        .chain(message.attachments().iter().map(|part| file(part, "ATTACHMENT")))
        .collect())
}

fn file(part: &Attachment, disposition: &'static str) -> Json {
    Json::object()
        .set("RawContent", Json::Base64(part.to_base64()))
        .set("FileName", attachments::name(part))
        .set("ContentType", part.content_type().to_string())
        .set("ContentDisposition", disposition)
        .set("ContentTransferEncoding", "BASE64")
        .set_some("ContentId", part.content_id().map(|id| id.as_str()))
        .set_some("ContentDescription", part.description_text())
}

/// A message tag.
fn pair(submission: &Submission<'_>, name: &str, value: &str) -> Result<Json, SendError> {
    if !TagCharset::Word.allows(name) || !TagCharset::Word.allows(value) {
        return Err(submission.refuse(Feature::Metadata, Shortfall::Charset));
    }
    Ok(Json::object().set("Name", name).set("Value", value))
}

impl From<SecretError> for CredentialsError {
    fn from(_: SecretError) -> Self {
        Self::Character
    }
}
