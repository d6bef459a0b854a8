//! SparkPost, of Bird.

use std::borrow::Cow;

use posthaste_address::Mailbox;
use posthaste_mime::{Attachment, Message};
use posthaste_transport::{Capabilities, Fate, Feature, Refusal, SendError, Shortfall, TagCharset};
use serde_json::{Map, Value};

use crate::receipt::text;
use crate::registry::FromSettings;
use crate::{
    Adapter, Copy, CopyReceipt, Fault, HttpRequest, HttpResponse, Json, Profile, Receipt, Secret, SecretError,
    Settings, SettingsError, Submission, addresses, attachments, moment,
};

/// Recipients of one request, copies included.
const MAX_RECIPIENTS: u32 = 10_000;

static PROFILE: Profile = Profile::new(
    "sparkpost",
    "SparkPost",
    Capabilities::none()
        .with(Feature::RawMime)
        .with(Feature::EnvelopeSender)
        .with(Feature::EnvelopeRecipients)
        .with(Feature::EightBit)
        .with(Feature::SmtpUtf8)
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
        .with_max_recipients(MAX_RECIPIENTS)
        .with_max_batch(2000)
        .with_max_message_size(20_000_000)
        .with_tag_limits(1, 64, TagCharset::Any)
        .with_metadata_limits(u32::MAX, 1000, 1000),
)
.without_need_of_to();

/// SparkPost.
///
/// URL: `sparkpost://KEY@default`; `?region=eu` for accounts in the EU; `subaccount` for the number of one; `transactional=yes`
/// says that mail is no marketing; `sandbox=yes` sends by the sandbox domain; `endpoint` for another base URL.
///
/// The tag is the campaign, a stream is a pool of IP addresses. Data are `substitution_data`: SparkPost reads `{{…}}` in every
/// subject, text and header field, also where there are no data, so text of others' has to be escaped for it. A field that is
/// each recipient's own is such a variable too, and is empty for those who have none. In a batch, everybody in `Cc` and `Bcc` gets
/// a copy of each message.
///
/// A stored template brings its author, subject and texts: the message's own are left out. SparkPost would ignore header fields,
/// reply addresses, visible copies and attachments beside it, so these are refused.
///
/// Finished bytes are read whole while the request is written, also when they come from a stream: as a string of JSON they have to
/// be UTF-8, and its length has to be known before the request begins.
///
/// If SparkPost refuses some recipients of a message, it does not say which: then the outcome of each is unknown.
#[derive(Clone, Debug)]
pub struct SparkPost {
    key: Secret,
    endpoint: Cow<'static, str>,
    subaccount: Option<u64>,
    transactional: bool,
    sandbox: bool,
}

impl SparkPost {
    /// Takes an API key.
    ///
    /// # Errors
    ///
    /// [`SecretError`] if it cannot stand in a header field.
    pub fn new(key: impl Into<String>) -> Result<Self, SecretError> {
        Ok(Self {
            key: Secret::new(key)?,
            endpoint: Cow::Borrowed("https://api.sparkpost.com/api/v1"),
            subaccount: None,
            transactional: false,
            sandbox: false,
        })
    }

    /// Sends by the region of the EU.
    #[must_use]
    pub fn in_europe(self) -> Self {
        self.with_endpoint("https://api.eu.sparkpost.com/api/v1")
    }

    /// Sends to another base URL, without a slash at its end.
    #[must_use]
    pub fn with_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Cow::Owned(url.into());
        self
    }

    /// Sends for a subaccount.
    #[must_use]
    pub const fn with_subaccount(mut self, number: u64) -> Self {
        self.subaccount = Some(number);
        self
    }

    /// Says that mail is no marketing, so that it goes also to those who want none.
    #[must_use]
    pub const fn transactional(mut self, transactional: bool) -> Self {
        self.transactional = transactional;
        self
    }

    /// Sends by the sandbox domain, for the first tries of an account.
    #[must_use]
    pub const fn sandbox(mut self, sandbox: bool) -> Self {
        self.sandbox = sandbox;
        self
    }

    fn options(&self, submission: &Submission<'_>) -> Json {
        let start = submission
            .schedule()
            .map(|time| moment::to_second(time).replace('Z', "+00:00"));
        Json::object()
            .set_some("start_time", start)
            .set_some("open_tracking", submission.track_opens())
            .set_some("click_tracking", submission.track_clicks())
            .set_some("transactional", self.transactional.then_some(true))
            .set_some("sandbox", self.sandbox.then_some(true))
            .set_some("ip_pool", submission.stream())
    }
}

impl FromSettings for SparkPost {
    const PROFILE: &'static Profile = &PROFILE;

    fn from_settings(settings: &mut Settings) -> Result<Self, SettingsError> {
        let mut adapter = Self::new(settings.key("API key")?)?;
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
        if let Some(number) = settings.take_number("subaccount")? {
            adapter = adapter.with_subaccount(number);
        }
        let transactional = settings.take_flag("transactional")?.unwrap_or(false);
        let sandbox = settings.take_flag("sandbox")?.unwrap_or(false);
        Ok(adapter.transactional(transactional).sandbox(sandbox))
    }
}

impl Adapter for SparkPost {
    fn profile(&self) -> &Profile {
        &PROFILE
    }

    fn encode(&self, submission: &Submission<'_>) -> Result<HttpRequest, SendError> {
        let variables = Variables::of(submission);
        let return_path = match submission.raw() {
            // Who wrote them stands somewhere in the bytes.
            Some(_) if submission.message.is_none() => submission.mail_from(),
            _ => submission.other_mail_from(),
        };
        let (content, data) = match (submission.raw(), submission.template()) {
            (Some(raw), _) => (Json::object().set("email_rfc822", submission.text_of(raw)?), Map::new()),
            (None, Some(template)) => {
                refuse_beside_template(submission, &variables)?;
                let data = submission.data().cloned().unwrap_or_default();
                (Json::object().set("template_id", template), data)
            }
            (None, None) => {
                let (headers, data) = variables.headers(submission);
                (content(submission, submission.message()?, headers), data)
            }
        };
        let recipients = recipients(submission, &variables);
        if recipients.len() > MAX_RECIPIENTS as usize {
            let asked = u64::try_from(recipients.len()).unwrap_or(u64::MAX);
            let at_most = u64::from(MAX_RECIPIENTS);
            return Err(submission.refuse(Feature::Recipients, Shortfall::TooMany { asked, at_most }));
        }
        let json = Json::object()
            .set_filled("options", self.options(submission))
            .set_some("campaign_id", submission.tags().first())
            .set_some("return_path", return_path.map(addresses::address))
            .set_filled("metadata", submission.metadata().collect::<Json>())
            .set_filled("substitution_data", data)
            .set("recipients", Json::Array(recipients))
            .set("content", content);
        let request = submission
            .post_json(format!("{}/transmissions/", self.endpoint), json)
            .with_secret_header("Authorization", self.key.expose());
        Ok(match self.subaccount {
            Some(number) => request.with_header("X-MSYS-SUBACCOUNT", number.to_string()),
            None => request,
        })
    }

    fn decode(&self, _: &Submission<'_>, response: &HttpResponse) -> Result<Receipt, Fault> {
        let body = response.json().ok_or_else(Fault::new)?;
        let results = body.get("results").ok_or_else(Fault::new)?;
        let count = |key| results.get(key).and_then(Value::as_u64);
        let id = results.get("id").and_then(text);
        let fate = match (count("total_accepted_recipients"), count("total_rejected_recipients")) {
            (Some(0), Some(1..)) => Fate::Refused(Refusal::permanent()),
            // Some of each, and no names.
            (_, Some(1..)) => Fate::Unknown,
            (Some(1..), _) => Fate::Accepted,
            _ if id.is_some() => Fate::Accepted,
            _ => return Err(Fault::new()),
        };
        Ok(Receipt::whole(CopyReceipt::new(fate, id)))
    }

    fn fault(&self, response: &HttpResponse) -> Fault {
        Fault::of_json(
            &response.json().unwrap_or_default(),
            "/errors/0/code",
            "/errors/0/message",
        )
    }
}

/// Header fields that differ from one recipient to the next: each is a variable of the substitution.
struct Variables<'a> {
    /// The field's name, and the variable's.
    all: Vec<(&'a str, String)>,
}

impl<'a> Variables<'a> {
    fn of(submission: &Submission<'a>) -> Self {
        let mut all: Vec<(&str, String)> = Vec::new();
        let own = submission.copies().iter().filter_map(Copy::personal);
        for (name, _) in own.flat_map(|personal| personal.headers()) {
            let name = name.as_str();
            if all.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
                continue;
            }
            let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
            let mut key: String = "Header__".chars().chain(name.chars().map(plain)).collect();
            while all.iter().any(|(_, known)| *known == key) {
                key.push('_');
            }
            all.push((name, key));
        }
        Self { all }
    }

    fn of_field(&self, name: &str) -> Option<&str> {
        let found = self.all.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, key)| key.as_str())
    }

    /// The fields of the content, and the data that all share: with what a field holds for those who have none of their own.
    fn headers(&self, submission: &Submission<'a>) -> (Json, Map<String, Value>) {
        let mut data = submission.data().cloned().unwrap_or_default();
        let shared = submission.headers();
        let mut headers = Json::object();
        for (name, key) in &self.all {
            if !shared.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
                headers = headers.set((*name).to_owned(), format!("{{{{{key}}}}}"));
            }
        }
        for (name, value) in shared {
            headers = match self.of_field(name) {
                Some(key) => {
                    data.insert(key.to_owned(), Value::from(value.as_ref()));
                    headers.set(name.to_owned(), format!("{{{{{key}}}}}"))
                }
                None => headers.set(name.to_owned(), value.as_ref()),
            };
        }
        (headers, data)
    }

    /// The data of one copy.
    fn data_of(&self, copy: &Copy<'_>) -> Map<String, Value> {
        let Some(personal) = copy.personal() else {
            return Map::new();
        };
        let mut data = personal.data().clone();
        for (name, value) in personal.headers() {
            if let Some(key) = self.of_field(name.as_str()) {
                data.insert(key.to_owned(), Value::from(value.as_str()));
            }
        }
        data
    }
}

fn refuse_beside_template(submission: &Submission<'_>, variables: &Variables<'_>) -> Result<(), SendError> {
    let message = submission.message()?;
    let has_cc = submission.copies().iter().any(|copy| copy.cc().len() > 0);
    let what = if !submission.headers().is_empty() || !variables.all.is_empty() || message.sender().is_some() {
        "writing header fields beside a stored template"
    } else if !message.reply_to().is_empty() {
        "writing a reply address beside a stored template"
    } else if !message.attachments().is_empty() || !message.inlines().is_empty() {
        "writing attachments beside a stored template"
    } else if has_cc {
        "writing visible copies beside a stored template"
    } else {
        return Ok(());
    };
    Err(submission.invalid(what))
}

fn content(submission: &Submission<'_>, message: &Message, mut headers: Json) -> Json {
    let cc = submission.copies().first().map(Copy::cc).filter(|cc| cc.len() > 0);
    if let Some(cc) = cc {
        headers = headers.set("Cc", addresses::list(cc));
    }
    headers = headers.set_some("Sender", message.sender().map(addresses::text));
    let answers = message.reply_to();
    Json::object()
        .set_some("from", message.from().first().map(addresses::text))
        .set_some("subject", message.subject())
        .set_some("reply_to", (!answers.is_empty()).then(|| addresses::list(answers)))
        .set_some("text", message.text())
        .set_some("html", message.html())
        .set_some("amp_html", message.amp())
        .set_filled("headers", headers)
        .set_filled(
            "attachments",
            Json::array(
                message
                    .attachments()
                    .iter()
                    .map(|part| file(part, attachments::name(part))),
            ),
        )
        .set_filled(
            "inline_images",
            Json::array(message.inlines().iter().map(|part| {
                let id = part.content_id().map(|id| id.as_str().to_owned());
                file(part, id.unwrap_or_else(|| attachments::name(part)))
            })),
        )
}

fn file(part: &Attachment, name: String) -> Json {
    Json::object()
        .set("name", name)
        .set("type", part.content_type().to_string())
        .set("data", Json::Base64(part.to_base64()))
}

/// Writes everybody. Each gets a message of their own, in which `header_to` stands as To.
fn recipients(submission: &Submission<'_>, variables: &Variables<'_>) -> Vec<Json> {
    let one = |mailbox: &Mailbox, header_to: Option<&str>, copy: &Copy<'_>| {
        let metadata = copy.personal().map(|personal| personal.metadata().collect::<Json>());
        Json::object()
            .set(
                "address",
                Json::object()
                    .set("email", addresses::address(mailbox.address()))
                    .set_some("header_to", header_to),
            )
            .set_filled("substitution_data", variables.data_of(copy))
            .set_filled("metadata", metadata.unwrap_or_else(Json::object))
    };
    let copies = submission.copies();
    // Finished bytes have a To of their own.
    let has_to = submission.raw().is_none();
    let header_of = |copy: &Copy<'_>| has_to.then(|| addresses::list(copy.to()));
    if !submission.is_individual() {
        return copies
            .iter()
            .flat_map(|copy| {
                let header = header_of(copy);
                let written: Vec<Json> = copy
                    .everybody()
                    .map(|mailbox| one(mailbox, header.as_deref(), copy))
                    .collect();
                written
            })
            .collect();
    }
    let headers: Vec<Option<String>> = copies.iter().map(header_of).collect();
    let each = || copies.iter().zip(headers.iter().map(Option::as_deref));
    let mut all = Vec::with_capacity(copies.len());
    for (copy, header) in each() {
        all.extend(copy.to().map(|mailbox| one(mailbox, header, copy)));
    }
    for copied in copies.first().into_iter().flat_map(|copy| copy.cc().chain(copy.bcc())) {
        all.extend(each().map(|(copy, header)| one(copied, header, copy)));
    }
    all
}

#[cfg(test)]
mod tests {
    use posthaste_mime::{HeaderName, HeaderValue, Rope};
    use posthaste_transport::{Disposition, ErrorKind, Outbound, SendOptions};
    use serde_json::json;

    use super::*;
    use crate::adapters::testing::{Bench, builder, plain, refused};
    use crate::{Batch, Personal};

    const ACCEPTED: &str = r#"{"results":{"total_rejected_recipients":0,"total_accepted_recipients":1,"id":"116"}}"#;

    fn sparkpost() -> SparkPost {
        SparkPost::new("key").unwrap()
    }

    fn field(name: &str, value: &str) -> (HeaderName, HeaderValue) {
        (HeaderName::new(name).unwrap(), HeaderValue::new(value).unwrap())
    }

    #[test]
    fn a_batch_repeats_the_copied_and_has_fields_as_variables() {
        let bench = Bench::new(sparkpost(), 200, ACCEPTED);
        let (name, value) = field("X-Order", "1");
        let ana = Personal::new("Ana <a@example.net>".parse().unwrap())
            .with_data("name", "Ana")
            .with_metadata("order", "1")
            .unwrap()
            .with_header(name, value);
        let (name, value) = field("x-order", "none");
        let message = builder()
            .cc("c@example.net".parse().unwrap())
            .bcc("d@example.net".parse().unwrap())
            .header(name, value)
            .build()
            .unwrap();
        let batch = Batch::new(message)
            .with_data("shop", "The Shop")
            .to_each([ana, Personal::new("b@example.net".parse().unwrap())]);
        let options = SendOptions::new().with_metadata("run", "7").unwrap();
        let outcome = bench.send_batch(&batch, &options).unwrap();
        assert!(outcome.is_complete());
        let anas = json!({"name": "Ana", "Header__X_Order": "1"});
        assert_eq!(
            bench.body(),
            json!({
                "metadata": {"run": "7"},
                "substitution_data": {"shop": "The Shop", "Header__X_Order": "none"},
                "recipients": [
                    {
                        "address": {"email": "a@example.net", "header_to": "Ana <a@example.net>"},
                        "substitution_data": anas, "metadata": {"order": "1"},
                    },
                    {"address": {"email": "b@example.net", "header_to": "b@example.net"}},
                    {
                        "address": {"email": "c@example.net", "header_to": "Ana <a@example.net>"},
                        "substitution_data": anas, "metadata": {"order": "1"},
                    },
                    {"address": {"email": "c@example.net", "header_to": "b@example.net"}},
                    {
                        "address": {"email": "d@example.net", "header_to": "Ana <a@example.net>"},
                        "substitution_data": anas, "metadata": {"order": "1"},
                    },
                    {"address": {"email": "d@example.net", "header_to": "b@example.net"}},
                ],
                "content": {
                    "from": "app@example.com",
                    "subject": "Hello",
                    "text": "First line",
                    "headers": {"x-order": "{{Header__X_Order}}", "Cc": "c@example.net"},
                },
            })
        );
    }

    #[test]
    fn copies_count_against_the_limit() {
        let bench = Bench::new(sparkpost(), 200, ACCEPTED);
        let mut message = builder();
        for number in 0..5 {
            message = message.bcc(format!("copy{number}@example.net").parse().unwrap());
        }
        let people = (0..2000).map(|number| Personal::new(format!("p{number}@example.net").parse().unwrap()));
        let batch = Batch::new(message.build().unwrap()).to_each(people);
        let error = bench.send_batch(&batch, &SendOptions::new()).unwrap_err();
        assert_eq!(error.unsupported()[0].feature(), Feature::Recipients);
        assert!(bench.requests().is_empty());
    }

    #[test]
    fn variables_of_different_fields_differ() {
        let bench = Bench::new(sparkpost(), 200, ACCEPTED);
        let mut one = Personal::new("a@example.net".parse().unwrap());
        for (name, value) in [field("X-A", "1"), field("X_A", "2")] {
            one = one.with_header(name, value);
        }
        let batch = Batch::new(builder().build().unwrap()).to_each([one]);
        assert!(bench.send_batch(&batch, &SendOptions::new()).unwrap().is_complete());
        let body = bench.body();
        assert_eq!(
            body["content"]["headers"],
            json!({"X-A": "{{Header__X_A}}", "X_A": "{{Header__X_A_}}"})
        );
        assert_eq!(
            body["recipients"][0]["substitution_data"],
            json!({"Header__X_A": "1", "Header__X_A_": "2"})
        );
    }

    #[test]
    fn a_template_stands_alone() {
        let bench = Bench::new(sparkpost().with_subaccount(7).sandbox(true), 200, ACCEPTED);
        let batch = Batch::new(plain().build().unwrap()).with_template("welcome");
        assert!(bench.send_batch(&batch, &SendOptions::new()).unwrap().is_complete());
        assert_eq!(
            bench.body(),
            json!({
                "options": {"sandbox": true},
                "recipients": [{"address": {"email": "a@example.net", "header_to": "a@example.net"}}],
                "content": {"template_id": "welcome"},
            })
        );
        assert_eq!(bench.request().header("X-MSYS-SUBACCOUNT"), Some("7"));
        let (name, value) = field("X-Order", "1");
        for beside in [
            plain().header(name, value),
            plain().reply_to("r@example.com".parse().unwrap()),
            plain().cc("c@example.net".parse().unwrap()),
        ] {
            let bench = Bench::new(sparkpost(), 200, ACCEPTED);
            let batch = Batch::new(beside.build().unwrap()).with_template("welcome");
            let error = bench.send_batch(&batch, &SendOptions::new()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(bench.requests().is_empty());
        }
    }

    #[test]
    fn finished_bytes_go_as_text_with_their_envelope() {
        let bench = Bench::new(sparkpost(), 200, ACCEPTED);
        let mail = Outbound::new(plain().build().unwrap()).unwrap();
        let bytes = mail.rope().to_bytes().unwrap();
        let raw = Outbound::raw(mail.envelope().clone(), mail.rope());
        assert!(bench.send_mail(&raw, &SendOptions::new()).unwrap().is_complete());
        assert_eq!(
            bench.body(),
            json!({
                "return_path": "app@example.com",
                "recipients": [{"address": {"email": "a@example.net"}}],
                "content": {"email_rfc822": std::str::from_utf8(&bytes).unwrap()},
            })
        );
        let bench = Bench::new(sparkpost(), 200, ACCEPTED);
        let latin = Outbound::raw(
            mail.envelope().clone(),
            Rope::from(b"Subject: x\r\n\r\n\xe4\r\n".to_vec()),
        );
        let error = bench.send_mail(&latin, &SendOptions::new()).unwrap_err();
        assert_eq!(error.unsupported()[0].feature(), Feature::RawMime);
        assert!(bench.requests().is_empty());
    }

    #[test]
    fn counts_say_what_became_of_it() {
        use Disposition::{Ambiguous, NotAccepted};
        let results = |accepted: u32, rejected: u32| {
            json!({"results": {"id": "116", "total_accepted_recipients": accepted, "total_rejected_recipients": rejected}})
                .to_string()
        };
        let (kind, disposition, _) = refused(sparkpost(), 200, &results(0, 1));
        assert_eq!((kind, disposition), (ErrorKind::Rejected, NotAccepted));
        let (kind, disposition, _) = refused(sparkpost(), 200, &results(1, 1));
        assert_eq!((kind, disposition), (ErrorKind::Unknown, Ambiguous));
        let bench = Bench::new(sparkpost(), 200, r#"{"results":{"id":"116"}}"#);
        let outcome = bench.send(plain(), &SendOptions::new()).unwrap();
        assert_eq!(outcome.provider_id(), Some("116"));
    }

    #[test]
    fn errors_say_what_may_be_repeated() {
        use Disposition::{Ambiguous, NotAccepted};
        for (status, code, kind, disposition) in [
            (400, "7001", ErrorKind::Invalid, NotAccepted),
            (401, "1", ErrorKind::Unauthorized, NotAccepted),
            (403, "1", ErrorKind::Unauthorized, NotAccepted),
            (420, "2101", ErrorKind::Throttled, NotAccepted),
            (422, "1301", ErrorKind::Invalid, NotAccepted),
            (429, "1", ErrorKind::Throttled, NotAccepted),
            (500, "1", ErrorKind::Unavailable, Ambiguous),
        ] {
            let body = json!({"errors": [{"code": code, "message": "no", "description": "why"}]}).to_string();
            let seen = refused(sparkpost(), status, &body);
            assert_eq!(seen, (kind, disposition, Some(code.to_owned())), "{status}");
        }
        let (kind, disposition, _) = refused(sparkpost(), 200, r#"{"wrong":"format"}"#);
        assert_eq!((kind, disposition), (ErrorKind::Unknown, Ambiguous));
    }
}
