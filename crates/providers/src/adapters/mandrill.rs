//! Mandrill, also called Mailchimp Transactional.

use std::borrow::Cow;
use std::time::Duration;

use posthaste_address::{Domain, Mailbox};
use posthaste_mime::{Attachment, Message, Rope};
use posthaste_transport::{
    Capabilities, Disposition, ErrorKind, Fate, Feature, Refusal, SendError, Shortfall, TagCharset,
};
use serde_json::{Map, Value};

use crate::receipt::text;
use crate::registry::FromSettings;
use crate::{
    Adapter, Copy, CopyReceipt, Fault, HttpRequest, HttpResponse, Json, Profile, Receipt, Secret, SecretError,
    Settings, SettingsError, Submission, addresses, attachments, moment,
};

static PROFILE: Profile = Profile::new(
    "mandrill",
    "Mandrill",
    Capabilities::none()
        .with(Feature::RawMime)
        .with(Feature::EnvelopeRecipients)
        .with(Feature::RecipientOutcomes)
        .with(Feature::EightBit)
        .with(Feature::CustomHeaders)
        .with(Feature::Attachments)
        .with(Feature::InlineParts)
        .with(Feature::StoredTemplate)
        .with(Feature::PersonalData)
        .with(Feature::PersonalMetadata)
        .with(Feature::Tags)
        .with(Feature::Metadata)
        .with(Feature::Schedule)
        .with(Feature::TrackOpens)
        .with(Feature::TrackClicks)
        .with(Feature::Stream)
        .with_max_recipients(1000)
        .with_max_batch(1000)
        .with_max_message_size(25_000_000)
        .with_tag_limits(100, 50, TagCharset::Any)
        .with_max_schedule(Duration::from_hours(365 * 24)),
)
.without_need_of_to();

/// Mandrill, also called Mailchimp Transactional.
///
/// URL: `mandrill://KEY@default`; `subaccount` for the name of one; `return-path` for the domain of bounces; `endpoint` for another
/// base URL.
///
/// A stream is a pool of IP addresses. Data are merge variables, for stored templates and for texts (`*|NAME|*`). A tag must not
/// begin with `_`. Mandrill indexes ten keys of metadata.
///
/// In a batch nobody sees another's address, and everybody in `Cc` and `Bcc` gets one copy. Whether people who share a message see
/// each other is decided by a setting of the account. Above ten recipients Mandrill queues first and decides later.
///
/// Finished bytes go as they are, with a schedule and a stream; tags, metadata, tracking and a subaccount are fields of theirs
/// then (`X-MC-…`), and are refused beside them. They are read whole while the request is written, also when they come from a
/// stream: as a string of JSON they have to be UTF-8, and its length has to be known before the request begins.
///
/// Only images can be shown in the text. Of the type of an attachment the parameters are left out, and names that are not
/// ASCII are known to arrive garbled.
#[derive(Clone, Debug)]
pub struct Mandrill {
    key: Secret,
    endpoint: Cow<'static, str>,
    subaccount: Option<String>,
    return_path: Option<Domain>,
}

impl Mandrill {
    /// Takes an API key; one for tests delivers nothing.
    ///
    /// # Errors
    ///
    /// [`SecretError`] if it is empty or not printable ASCII.
    pub fn new(key: impl Into<String>) -> Result<Self, SecretError> {
        Ok(Self {
            key: Secret::new(key)?,
            endpoint: Cow::Borrowed("https://mandrillapp.com/api/1.0"),
            subaccount: None,
            return_path: None,
        })
    }

    /// Sends to another base URL, without a slash at its end.
    #[must_use]
    pub fn with_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Cow::Owned(url.into());
        self
    }

    /// Sends for a subaccount.
    #[must_use]
    pub fn with_subaccount(mut self, name: impl Into<String>) -> Self {
        self.subaccount = Some(name.into());
        self
    }

    /// Sets the domain to which bounces go: of an envelope sender, Mandrill takes that part alone.
    #[must_use]
    pub fn with_return_path(mut self, domain: Domain) -> Self {
        self.return_path = Some(domain);
        self
    }

    fn return_path(&self) -> Option<String> {
        self.return_path.as_ref().map(|domain| domain.as_str().to_owned())
    }

    fn raw(&self, submission: &Submission<'_>, raw: &Rope, key: Json) -> Result<Json, SendError> {
        if !submission.tags().is_empty() || submission.metadata().next().is_some() {
            return Err(submission.invalid("writing tags or metadata beside finished bytes, which hold them as fields"));
        }
        if submission.track_opens().is_some() || submission.track_clicks().is_some() {
            return Err(submission.invalid("writing what is tracked beside finished bytes, which hold it as fields"));
        }
        if self.subaccount.is_some() {
            return Err(submission.invalid("writing a subaccount beside finished bytes, which hold it as a field"));
        }
        let everybody = submission.copies().iter().flat_map(Copy::everybody);
        Ok(key
            .set("raw_message", submission.text_of(raw)?)
            .set(
                "to",
                Json::array(everybody.map(|mailbox| addresses::address(mailbox.address()))),
            )
            .set_some("return_path_domain", self.return_path()))
    }

    fn message(&self, submission: &Submission<'_>, message: &Message) -> Result<Json, SendError> {
        if submission.tags().iter().any(|tag| tag.starts_with('_')) {
            return Err(submission.refuse(Feature::Tags, Shortfall::Charset));
        }
        let is_image = |part: &Attachment| part.content_type().essence().starts_with("image/");
        if !message.inlines().iter().all(is_image) {
            return Err(submission.invalid("writing a part that the text shows and that is no image"));
        }
        let author = message.from().first();
        let answers = message.reply_to();
        let mut headers: Json = submission.headers().into_iter().collect();
        if !answers.is_empty() {
            headers = headers.set("Reply-To", addresses::list(answers));
        }
        let copies = submission.copies();
        let merged = copies.iter().filter(|copy| copy.has_data()).flat_map(|copy| {
            let vars = copy.personal().map(|personal| variables(personal.data()));
            copy.to().zip(vars).map(|(mailbox, vars)| {
                Json::object()
                    .set("rcpt", addresses::address(mailbox.address()))
                    .set("vars", vars)
            })
        });
        let metadata = copies.iter().filter(|copy| copy.has_metadata()).flat_map(|copy| {
            let values = copy.personal().map(|personal| personal.metadata().collect::<Json>());
            copy.to().zip(values).map(|(mailbox, values)| {
                Json::object()
                    .set("rcpt", addresses::address(mailbox.address()))
                    .set("values", values)
            })
        });
        Ok(Json::object()
            .set_some("from_email", author.map(|author| addresses::address(author.address())))
            .set_some("from_name", author.and_then(Mailbox::name))
            .set("to", Json::Array(recipients(submission)))
            .set_some("subject", message.subject())
            .set_some("text", message.text())
            .set_some("html", message.html())
            .set_filled("headers", headers)
            .set_some("track_opens", submission.track_opens())
            .set_some("track_clicks", submission.track_clicks())
            .set_some("preserve_recipients", submission.is_individual().then_some(false))
            .set_some("return_path_domain", self.return_path())
            .set_some("subaccount", self.subaccount.as_ref())
            .set_filled("tags", submission.tags().iter().collect::<Vec<_>>())
            .set_filled("metadata", submission.metadata().collect::<Json>())
            .set_filled("recipient_metadata", Json::array(metadata))
            .set_some("global_merge_vars", submission.data().map(variables))
            .set_filled("merge_vars", Json::array(merged))
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
                "images",
                Json::array(message.inlines().iter().map(|part| {
                    let id = part.content_id().map(|id| id.as_str().to_owned());
                    file(part, id.unwrap_or_else(|| attachments::name(part)))
                })),
            ))
    }
}

impl FromSettings for Mandrill {
    const PROFILE: &'static Profile = &PROFILE;

    fn from_settings(settings: &mut Settings) -> Result<Self, SettingsError> {
        let mut adapter = Self::new(settings.key("API key")?)?;
        if let Some(endpoint) = settings.take("endpoint") {
            adapter = adapter.with_endpoint(endpoint);
        }
        if let Some(name) = settings.take("subaccount") {
            adapter = adapter.with_subaccount(name);
        }
        if let Some(domain) = settings.take("return-path") {
            adapter = adapter.with_return_path(domain.parse().map_err(|_| SettingsError::Value {
                key: "return-path".to_owned(),
                expected: "a domain",
            })?);
        }
        Ok(adapter)
    }
}

impl Adapter for Mandrill {
    fn profile(&self) -> &Profile {
        &PROFILE
    }

    fn encode(&self, submission: &Submission<'_>) -> Result<HttpRequest, SendError> {
        let key = Json::object().set("key", self.key.expose());
        let (path, json) = match (submission.raw(), submission.template()) {
            (Some(raw), _) => ("send-raw", self.raw(submission, raw, key)?),
            (None, template) => {
                let message = self.message(submission, submission.message()?)?;
                let json = match template {
                    Some(name) => key
                        .set("template_name", name)
                        .set("template_content", Json::Array(Vec::new())),
                    None => key,
                };
                let path = template.map_or("send", |_| "send-template");
                (path, json.set("message", message))
            }
        };
        let json = json
            .set_some("ip_pool", submission.stream())
            .set_some("send_at", submission.schedule().map(moment::spaced));
        Ok(submission.post_json(format!("{}/messages/{path}.json", self.endpoint), json))
    }

    /// What Mandrill does not name, nobody knows of.
    fn decode(&self, _: &Submission<'_>, response: &HttpResponse) -> Result<Receipt, Fault> {
        let body = response.json().ok_or_else(Fault::new)?;
        let items = match &body {
            Value::Array(items) if !items.is_empty() => items,
            _ => return Err(self.fault(response)),
        };
        let mut copy = CopyReceipt::new(Fate::Unknown, None);
        let mut is_understood = false;
        for item in items {
            let Some(address) = item.get("email").and_then(Value::as_str) else {
                continue;
            };
            is_understood = true;
            copy = copy.except(address, fate(item), item.get("_id").and_then(text));
        }
        if is_understood {
            Ok(Receipt::whole(copy))
        } else {
            Err(Fault::new())
        }
    }

    /// Whatever is wrong, the status is 500: the name says what.
    fn fault(&self, response: &HttpResponse) -> Fault {
        let body = response.json().unwrap_or_default();
        let fault = Fault::of_json(&body, "/name", "/message");
        if body.get("status").and_then(Value::as_str) != Some("error") {
            return fault;
        }
        let kind = match fault.code() {
            Some("Invalid_Key") => ErrorKind::Unauthorized,
            Some("PaymentRequired") => ErrorKind::Throttled,
            Some("ServiceUnavailable") => ErrorKind::Unavailable,
            // Something broke there, who knows when.
            Some("GeneralError") => {
                return fault
                    .with_kind(ErrorKind::Unavailable)
                    .with_disposition(Disposition::Ambiguous);
            }
            Some(_) => ErrorKind::Invalid,
            None => return fault,
        };
        fault.with_kind(kind).with_disposition(Disposition::NotAccepted)
    }
}

fn variables(data: &Map<String, Value>) -> Json {
    let mut all: Vec<_> = data.iter().collect();
    all.sort_by_key(|(name, _)| name.as_str());
    Json::array(
        all.into_iter()
            .map(|(name, content)| Json::object().set("name", name).set("content", content)),
    )
}

/// Writes everybody: those of copies for one each, then the copied ones once.
fn recipients(submission: &Submission<'_>) -> Vec<Json> {
    let one = |mailbox: &Mailbox, kind: &'static str| addresses::object(mailbox, "email", "name").set("type", kind);
    let copies = submission.copies();
    let mut all: Vec<Json> = copies
        .iter()
        .flat_map(Copy::to)
        .map(|mailbox| one(mailbox, "to"))
        .collect();
    if let Some(first) = copies.first() {
        all.extend(first.cc().map(|mailbox| one(mailbox, "cc")));
        all.extend(first.bcc().map(|mailbox| one(mailbox, "bcc")));
    }
    all
}

fn file(part: &Attachment, name: String) -> Json {
    Json::object()
        .set("type", part.content_type().essence())
        .set("name", name)
        .set("content", Json::Base64(part.to_base64()))
}

fn fate(item: &Value) -> Fate {
    let reason = item.get("reject_reason").and_then(text);
    match item.get("status").and_then(Value::as_str) {
        Some("sent" | "queued" | "scheduled") => Fate::Accepted,
        Some("rejected") => {
            let reason = reason.unwrap_or_else(|| "rejected".to_owned());
            // These end by themselves.
            let refusal = match reason.as_str() {
                "soft-bounce" | "test-mode-limit" => Refusal::transient(),
                _ => Refusal::permanent(),
            };
            Fate::Refused(refusal.with_code(reason))
        }
        Some("invalid") => Fate::Refused(Refusal::permanent().with_code("invalid")),
        _ => Fate::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use posthaste_mime::{ContentId, ContentType};
    use posthaste_transport::{Outbound, SendOptions};
    use serde_json::json;

    use super::*;
    use crate::adapters::testing::{Bench, builder, plain, refused};
    use crate::{Batch, Personal};

    const SENT: &str = r#"[{"email":"a@example.net","status":"sent","_id":"abc","reject_reason":null}]"#;

    fn mandrill() -> Mandrill {
        Mandrill::new("md-key").unwrap()
    }

    #[test]
    fn a_batch_is_one_call_in_which_nobody_sees_another() {
        let answer = r#"[
            {"email":"B@example.net","status":"rejected","_id":"2","reject_reason":"hard-bounce"},
            {"email":"a@example.net","status":"queued","_id":"1"}
        ]"#;
        let bench = Bench::new(mandrill().with_subaccount("shop"), 200, answer);
        let ana = Personal::new("Ana <a@example.net>".parse().unwrap())
            .with_data("order", 1)
            .with_data("name", "Ana")
            .with_metadata("order", "1")
            .unwrap();
        let message = builder().cc("c@example.net".parse().unwrap()).build().unwrap();
        let batch = Batch::new(message)
            .with_template("welcome")
            .with_data("shop", "The Shop")
            .to_each([ana, Personal::new("b@example.net".parse().unwrap())]);
        let outcome = bench.send_batch(&batch, &SendOptions::new()).unwrap();
        let ids: Vec<_> = outcome.recipients().iter().map(|one| one.provider_id()).collect();
        assert_eq!(ids, [Some("1"), Some("2")]);
        let refusal = outcome.recipients()[1].fate().refusal().unwrap();
        assert!(refusal.is_permanent());
        assert_eq!(
            bench.body(),
            json!({
                "key": "md-key",
                "template_name": "welcome",
                "template_content": [],
                "message": {
                    "from_email": "app@example.com",
                    "to": [
                        {"email": "a@example.net", "name": "Ana", "type": "to"},
                        {"email": "b@example.net", "type": "to"},
                        {"email": "c@example.net", "type": "cc"},
                    ],
                    "subject": "Hello",
                    "text": "First line",
                    "preserve_recipients": false,
                    "subaccount": "shop",
                    "recipient_metadata": [{"rcpt": "a@example.net", "values": {"order": "1"}}],
                    "global_merge_vars": [{"name": "shop", "content": "The Shop"}],
                    "merge_vars": [{
                        "rcpt": "a@example.net",
                        "vars": [{"name": "name", "content": "Ana"}, {"name": "order", "content": 1}],
                    }],
                },
            })
        );
    }

    #[test]
    fn whom_the_answer_does_not_name_nobody_knows_of() {
        let bench = Bench::new(mandrill(), 200, SENT);
        let both = plain().to("b@example.net".parse().unwrap());
        let error = bench.send(both, &SendOptions::new()).unwrap_err();
        assert_eq!(error.disposition(), Disposition::Partial);
        let outcome = error.outcome().unwrap();
        assert!(outcome.recipients()[0].fate().is_accepted());
        assert_eq!(outcome.recipients()[1].fate(), &Fate::Unknown);
    }

    #[test]
    fn finished_bytes_go_as_text() {
        let bench = Bench::new(mandrill(), 200, SENT);
        let mail = Outbound::new(plain().build().unwrap()).unwrap();
        let raw = Outbound::raw(mail.envelope().clone(), mail.rope());
        assert!(bench.send_mail(&raw, &SendOptions::new()).unwrap().is_complete());
        let request = bench.request();
        assert_eq!(request.url(), "https://mandrillapp.com/api/1.0/messages/send-raw.json");
        let body = bench.body();
        assert_eq!(body["to"], json!(["a@example.net"]));
        let text = body["raw_message"].as_str().unwrap().as_bytes().to_vec();
        assert_eq!(text, mail.rope().to_bytes().unwrap().to_vec());
    }

    #[test]
    fn what_mandrill_would_drop_is_refused_before_it_is_asked() {
        let bench = Bench::new(mandrill(), 200, SENT);
        let tagged = SendOptions::new().with_tag("_own").unwrap();
        let error = bench.send(plain(), &tagged).unwrap_err();
        assert_eq!(error.unsupported()[0].feature(), Feature::Tags);
        let pdf = ContentType::parse("application/pdf").unwrap();
        let shown = Attachment::inline(ContentId::new("a@example.com").unwrap(), pdf, &b"x"[..]);
        let shown = plain().html("<object data=\"cid:a@example.com\">").inline(shown);
        let error = bench.send(shown, &SendOptions::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        let mail = Outbound::new(plain().build().unwrap()).unwrap();
        let raw = Outbound::raw(mail.envelope().clone(), mail.rope());
        for options in [
            SendOptions::new().with_tag("welcome").unwrap(),
            SendOptions::new().with_track_opens(true),
        ] {
            let error = bench.send_mail(&raw, &options).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
        }
        let of_a_shop = Bench::new(mandrill().with_subaccount("shop"), 200, SENT);
        let error = of_a_shop.send_mail(&raw, &SendOptions::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(of_a_shop.requests().is_empty());
        assert!(bench.requests().is_empty());
    }

    #[test]
    fn names_say_what_may_be_repeated_whatever_the_status() {
        use Disposition::{Ambiguous, NotAccepted};
        for (name, kind, disposition) in [
            ("ValidationError", ErrorKind::Invalid, NotAccepted),
            ("Invalid_Key", ErrorKind::Unauthorized, NotAccepted),
            ("PaymentRequired", ErrorKind::Throttled, NotAccepted),
            ("Unknown_Template", ErrorKind::Invalid, NotAccepted),
            ("Unknown_Subaccount", ErrorKind::Invalid, NotAccepted),
            ("ServiceUnavailable", ErrorKind::Unavailable, NotAccepted),
            ("GeneralError", ErrorKind::Unavailable, Ambiguous),
        ] {
            let body = json!({"status": "error", "code": -2, "name": name, "message": "no"}).to_string();
            for status in [200, 500] {
                let seen = refused(mandrill(), status, &body);
                assert_eq!(seen, (kind, disposition, Some(name.to_owned())), "{status}");
            }
        }
        let (kind, disposition, _) = refused(mandrill(), 500, "<html>");
        assert_eq!((kind, disposition), (ErrorKind::Unavailable, Ambiguous));
        for (status, reason, permanent) in [
            ("rejected", "unsub", true),
            ("rejected", "soft-bounce", false),
            ("invalid", "", true),
        ] {
            let body = json!([{"email": "a@example.net", "status": status, "reject_reason": reason}]).to_string();
            let bench = Bench::new(mandrill(), 200, body);
            let error = bench.send(plain(), &SendOptions::new()).unwrap_err();
            assert_eq!(error.disposition(), NotAccepted);
            let recipients = error.outcome().unwrap().recipients();
            assert_eq!(recipients[0].fate().refusal().unwrap().is_permanent(), permanent);
        }
    }
}
