//! Mailgun.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use posthaste_address::{Domain, Mailbox};
use posthaste_mime::{Message, Rope};
use posthaste_transport::{Capabilities, Disposition, ErrorKind, Feature, SendError, TagCharset};
use serde_json::{Map, Value};

use crate::registry::FromSettings;
use crate::{
    Adapter, Copy, Fault, Form, HttpRequest, HttpResponse, Profile, Receipt, Secret, SecretError, Settings,
    SettingsError, Submission, addresses, attachments,
};

static PROFILE: Profile = Profile::new(
    "mailgun",
    "Mailgun",
    Capabilities::none()
        .with(Feature::RawMime)
        .with(Feature::EnvelopeRecipients)
        .with(Feature::EightBit)
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
        .with_max_recipients(1000)
        .with_max_batch(1000)
        .with_max_message_size(25_000_000)
        .with_tag_limits(10, 128, TagCharset::Ascii)
        .with_max_schedule(Duration::from_hours(72)),
)
.without_need_of_to();

/// Mailgun.
///
/// URL: `mailgun://KEY@mg.example.org`, the sending domain where a host would be, or `default` for that of each message's author;
/// `?region=eu` for accounts in the EU; `endpoint` for another base URL; `testmode=yes` accepts and does not deliver.
///
/// Metadata are user variables (`v:`). Data go to `recipient-variables`, and a text says `%recipient.KEY%` for them; a stored
/// template gets them as its variables. Everybody whom data are given for gets a message of their own, also where the batch is
/// shared: that is how Mailgun has it. Finished bytes go to `messages.mime`.
#[derive(Clone, Debug)]
pub struct Mailgun {
    key: Secret,
    domain: Option<Domain>,
    endpoint: Cow<'static, str>,
    test_mode: bool,
}

impl Mailgun {
    /// Takes an API key, or a sending key of a domain.
    ///
    /// # Errors
    ///
    /// [`SecretError`] if it cannot stand in a header field.
    pub fn new(key: impl Into<String>) -> Result<Self, SecretError> {
        Ok(Self {
            key: Secret::new(key)?,
            domain: None,
            endpoint: Cow::Borrowed("https://api.mailgun.net"),
            test_mode: false,
        })
    }

    /// Sets the sending domain; without it, it is that of each message's author.
    #[must_use]
    pub fn with_domain(mut self, domain: Domain) -> Self {
        self.domain = Some(domain);
        self
    }

    /// Sends by the region of the EU.
    #[must_use]
    pub fn in_europe(self) -> Self {
        self.with_endpoint("https://api.eu.mailgun.net")
    }

    /// Sends to another base URL, without a slash at its end.
    #[must_use]
    pub fn with_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Cow::Owned(url.into());
        self
    }

    /// Has messages accepted and not delivered.
    #[must_use]
    pub const fn test_mode(mut self, test_mode: bool) -> Self {
        self.test_mode = test_mode;
        self
    }

    fn url(&self, submission: &Submission<'_>, path: &str) -> Result<String, SendError> {
        let author = submission
            .message
            .and_then(|message| message.from().first())
            .map(|author| author.address().domain());
        let domain = self
            .domain
            .as_ref()
            .or(author)
            .or_else(|| submission.mail_from().map(|sender| sender.domain()))
            .ok_or_else(|| submission.invalid("looking for the sending domain of a message without a sender"))?;
        if domain.is_literal() {
            return Err(submission.invalid("writing the sending domain, which is no name"));
        }
        // A domain holds letters, digits, dots and hyphens: nothing that a path would have to escape.
        Ok(format!("{}/v3/{}/{path}", self.endpoint, domain.as_str()))
    }

    /// What both ways of sending have.
    fn options(&self, submission: &Submission<'_>, mut form: Form) -> Form {
        for tag in submission.tags() {
            form = form.text("o:tag", tag);
        }
        if let Some(time) = submission.schedule() {
            form = form.text("o:deliverytime", httpdate::fmt_http_date(time));
        }
        let said = |on: bool| if on { "yes" } else { "no" };
        if let Some(on) = submission.track_clicks() {
            form = form.text("o:tracking-clicks", said(on));
        }
        if let Some(on) = submission.track_opens() {
            form = form.text("o:tracking-opens", said(on));
        }
        if self.test_mode {
            form = form.text("o:testmode", "yes");
        }
        for (key, value) in submission.extra() {
            form = form.text(key, plain(value));
        }
        form
    }

    fn raw(&self, submission: &Submission<'_>, raw: &Rope) -> Result<HttpRequest, SendError> {
        let everybody = submission.copies().iter().flat_map(Copy::everybody);
        let mut form = everybody.fold(Form::new(), |form, mailbox| {
            form.text("to", addresses::address(mailbox.address()))
        });
        for (key, value) in submission.metadata() {
            form = form.text(format!("v:{key}"), value);
        }
        let form = self
            .options(submission, form)
            .file("message", "message.eml", "message/rfc822", raw.clone());
        Ok(form.post(self.url(submission, "messages.mime")?, submission.boundary()))
    }

    fn fields(&self, submission: &Submission<'_>, message: &Message) -> Result<HttpRequest, SendError> {
        let mut form = Form::new();
        for author in message.from() {
            form = form.text("from", addresses::text(author));
        }
        form = recipients(form, submission);
        if let Some(subject) = message.subject() {
            form = form.text("subject", subject);
        }
        if !message.reply_to().is_empty() {
            form = form.text("h:Reply-To", addresses::list(message.reply_to()));
        }
        for (name, text) in [
            ("text", message.text()),
            ("html", message.html()),
            ("amp-html", message.amp()),
        ] {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                form = form.text(name, text);
            }
        }
        if let Some(template) = submission.template() {
            form = form.text("template", template);
        }
        form = self.options(submission, personal(form, submission));
        for part in message.attachments() {
            form = form.file(
                "attachment",
                attachments::name(part),
                part.content_type().to_string(),
                part.to_rope(),
            );
        }
        for part in message.inlines() {
            let id = part.content_id().map(|id| id.as_str().to_owned());
            form = form.file(
                "inline",
                id.unwrap_or_else(|| attachments::name(part)),
                part.content_type().to_string(),
                part.to_rope(),
            );
        }
        Ok(form.post(self.url(submission, "messages")?, submission.boundary()))
    }
}

impl FromSettings for Mailgun {
    const PROFILE: &'static Profile = &PROFILE;

    fn from_settings(settings: &mut Settings) -> Result<Self, SettingsError> {
        let mut adapter = Self::new(settings.key("API key")?)?;
        if let Some(domain) = settings.host() {
            adapter = adapter.with_domain(domain.parse().map_err(|_| SettingsError::Value {
                key: "host".to_owned(),
                expected: "the sending domain",
            })?);
        }
        adapter = match settings.take("region").as_deref() {
            None | Some("us") => adapter,
            Some("eu") => adapter.in_europe(),
            Some(_) => {
                return Err(SettingsError::Value {
                    key: "region".to_owned(),
                    expected: "us or eu",
                });
            }
        };
        if let Some(endpoint) = settings.take("endpoint") {
            adapter = adapter.with_endpoint(endpoint);
        }
        let test_mode = settings.take_flag("testmode")?.unwrap_or(false);
        Ok(adapter.test_mode(test_mode))
    }
}

impl Adapter for Mailgun {
    fn profile(&self) -> &Profile {
        &PROFILE
    }

    fn encode(&self, submission: &Submission<'_>) -> Result<HttpRequest, SendError> {
        let request = match submission.raw() {
            Some(raw) => self.raw(submission, raw)?,
            None => self.fields(submission, submission.message()?)?,
        };
        let login = STANDARD.encode(format!("api:{}", self.key.expose()));
        Ok(request.with_secret_header("Authorization", format!("Basic {login}")))
    }

    fn decode(&self, _: &Submission<'_>, response: &HttpResponse) -> Result<Receipt, Fault> {
        match response.json() {
            Some(Value::Object(body)) => match body.get("id").and_then(Value::as_str) {
                Some(id) => Ok(Receipt::accepted(Some(id.to_owned()))),
                None => Err(Fault::new()),
            },
            // What stands at the root of the host, with status 200, for any path that is none.
            None if response.text().contains("Mailgun Magnificent API") => Err(Fault::new()
                .with_kind(ErrorKind::Invalid)
                .with_disposition(Disposition::NotAccepted)
                .with_message("the address of the API is wrong")),
            _ => Err(Fault::new()),
        }
    }

    fn fault(&self, response: &HttpResponse) -> Fault {
        let message = match response.json() {
            Some(body) => body.get("message").and_then(Value::as_str).map(str::to_owned),
            // 401 is plain text.
            None => Some(response.text()).filter(|text| !text.is_empty() && !text.starts_with('<')),
        };
        match message {
            Some(message) => Fault::new().with_message(message),
            None => Fault::new(),
        }
    }
}

/// Writes To, Cc and Bcc: of copies for one each, the copied ones once.
fn recipients(mut form: Form, submission: &Submission<'_>) -> Form {
    let write = |form: Form, name: &str, mailboxes: &mut dyn Iterator<Item = &Mailbox>| {
        mailboxes.fold(form, |form, mailbox| form.text(name, addresses::text(mailbox)))
    };
    for copy in submission.copies() {
        form = write(form, "to", &mut copy.to());
    }
    if let Some(copy) = submission.copies().first() {
        form = write(form, "cc", &mut copy.cc());
        form = write(form, "bcc", &mut copy.bcc());
    }
    form
}

/// Writes header fields, metadata and data, and what of them is personal: as variables that each recipient has, for one that is
/// missing would stand in the text as it is written.
fn personal(mut form: Form, submission: &Submission<'_>) -> Form {
    // Of each recipient, by address.
    let mut variables: Vec<(String, Map<String, Value>)> = submission
        .copies()
        .iter()
        .flat_map(|copy| {
            let data = submission.data_of(copy);
            copy.to()
                .map(move |mailbox| (addresses::address(mailbox.address()), data.clone()))
        })
        .collect();
    let keys: Vec<String> = all_keys(variables.iter().map(|(_, data)| data));
    if submission.template().is_some() {
        for key in &keys {
            form = form.text(format!("v:{key}"), format!("%recipient.{key}%"));
        }
    }
    for (_, data) in &mut variables {
        for key in &keys {
            data.entry(key).or_insert_with(|| Value::from(""));
        }
    }

    let copies = submission.copies();
    let own_metadata: BTreeMap<&str, ()> = copies
        .iter()
        .filter_map(Copy::personal)
        .flat_map(|personal| personal.metadata().map(|(key, _)| (key, ())))
        .collect();
    let own_headers: BTreeMap<String, &str> = copies
        .iter()
        .filter_map(Copy::personal)
        .flat_map(|personal| personal.headers())
        .map(|(name, _)| (name.as_str().to_ascii_lowercase(), name.as_str()))
        .collect();
    for (key, value) in submission.metadata().filter(|(key, _)| !own_metadata.contains_key(key)) {
        form = form.text(format!("v:{key}"), value);
    }
    let shared = submission.headers();
    for (name, value) in &shared {
        if !own_headers.contains_key(&name.to_ascii_lowercase()) {
            form = form.text(format!("h:{name}"), value.as_ref());
        }
    }
    for key in own_metadata.keys() {
        form = form.text(format!("v:{key}"), format!("%recipient.v:{key}%"));
    }
    for name in own_headers.values() {
        form = form.text(format!("h:{name}"), format!("%recipient.h:{name}%"));
    }
    for (copy, (_, variables)) in copies.iter().zip(&mut variables) {
        let metadata = submission.metadata_of(copy);
        for key in own_metadata.keys() {
            let value = metadata
                .iter()
                .find(|(own, _)| own == key)
                .map_or("", |(_, value)| value);
            variables.insert(format!("v:{key}"), Value::from(value));
        }
        let headers = submission.headers_of(copy);
        for (lower, name) in &own_headers {
            let value = headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(lower));
            let value = value.map_or("", |(_, value)| value.as_ref());
            variables.insert(format!("h:{name}"), Value::from(value));
        }
    }
    // Without it everybody would see all the others.
    let needed = submission.is_individual() || variables.iter().any(|(_, data)| !data.is_empty());
    if needed {
        let all: Map<String, Value> = variables
            .into_iter()
            .map(|(address, data)| (address, Value::Object(data)))
            .collect();
        form = form.text("recipient-variables", Value::Object(all).to_string());
    }
    form
}

/// Every key that any of them has, in the order in which they are first met.
fn all_keys<'d>(each: impl Iterator<Item = &'d Map<String, Value>>) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for key in each.flat_map(|data| data.keys()) {
        if !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    keys
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
