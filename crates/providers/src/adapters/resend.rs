//! Resend.

use std::borrow::Cow;

use posthaste_address::Mailbox;
use posthaste_mime::Attachment;
use posthaste_transport::{
    Capabilities, Disposition, ErrorKind, Fate, Feature, Refusal, SendError, Shortfall, TagCharset,
};
use serde_json::Value;

use crate::receipt::text;
use crate::registry::FromSettings;
use crate::{
    Adapter, Copy, CopyReceipt, Fault, HttpRequest, HttpResponse, Json, Profile, Receipt, Secret, SecretError,
    Settings, SettingsError, Submission, addresses, attachments, moment, words,
};

static PROFILE: Profile = Profile::new(
    "resend",
    "Resend",
    Capabilities::none()
        .with_unasked_tracking()
        .with(Feature::EnvelopeRecipients)
        .with(Feature::CustomHeaders)
        .with(Feature::Attachments)
        .with(Feature::InlineParts)
        .with(Feature::StoredTemplate)
        .with(Feature::PersonalData)
        .with(Feature::PersonalMetadata)
        .with(Feature::PersonalHeaders)
        .with(Feature::Tags)
        .with(Feature::Metadata)
        .with(Feature::Schedule)
        .with(Feature::Stream)
        .with(Feature::IdempotencyKey)
        .with_max_batch(100)
        .with_max_message_size(40 << 20)
        .with_tag_limits(75, 256, TagCharset::Any),
);

/// Most recipients in one field.
const MOST: usize = 50;
/// Longest idempotency key, in bytes.
const LONGEST_KEY: usize = 256;

/// Resend.
///
/// URL: `resend://KEY@default`; `endpoint` for another base URL.
///
/// Tags and metadata go into header fields, `X-Tags` and `X-Metadata`, as JSON: recipients can see them. Resend's own tags
/// are pairs of a few characters; set them with [`Provider::with_extra`](crate::Provider::with_extra). The stream is the topic's
/// id. A template is named by its id or its alias; data without one has no meaning there and is refused.
///
/// A batch is checked leniently: a message that Resend refuses does not stop the others of the call. Whether a batch may have
/// attachments or a schedule is for Resend to say: it refused both for long.
///
/// An attachment whose file name does not go with its type may make the whole message vanish there: common ones (PDF, images,
/// HTML, ZIP, Office) are compared, and refused before anything is sent.
#[derive(Clone, Debug)]
pub struct Resend {
    key: Secret,
    endpoint: Cow<'static, str>,
}

impl Resend {
    /// Takes an API key that may send.
    ///
    /// # Errors
    ///
    /// [`SecretError`] if it cannot stand in a header field.
    pub fn new(key: impl Into<String>) -> Result<Self, SecretError> {
        Ok(Self {
            key: Secret::new(key)?,
            endpoint: Cow::Borrowed("https://api.resend.com"),
        })
    }

    /// Sends to another base URL, without a slash at its end.
    #[must_use]
    pub fn with_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Cow::Owned(url.into());
        self
    }
}

impl FromSettings for Resend {
    const PROFILE: &'static Profile = &PROFILE;

    fn from_settings(settings: &mut Settings) -> Result<Self, SettingsError> {
        let adapter = Self::new(settings.key("API key")?)?;
        Ok(match settings.take("endpoint") {
            Some(endpoint) => adapter.with_endpoint(endpoint),
            None => adapter,
        })
    }
}

impl Adapter for Resend {
    fn profile(&self) -> &Profile {
        &PROFILE
    }

    fn encode(&self, submission: &Submission<'_>) -> Result<HttpRequest, SendError> {
        submission.refuse_data_without_template()?;
        submission.limit_fields(MOST, MOST, MOST)?;
        let mut messages = submission
            .copies()
            .iter()
            .map(|copy| message(submission, copy))
            .collect::<Result<Vec<_>, _>>()?;
        let (path, json) = if submission.is_individual() {
            ("emails/batch", Json::Array(messages))
        } else {
            ("emails", messages.pop().unwrap_or_else(Json::object))
        };
        // Extras belong to the messages, and are there already.
        let mut request = HttpRequest::post_json(format!("{}/{path}", self.endpoint), &json)
            .with_secret_header("Authorization", format!("Bearer {}", self.key.expose()));
        if submission.is_individual() {
            request = request.with_header("x-batch-validation", "permissive");
        }
        if let Some(key) = submission.idempotency_key() {
            if key.len() > LONGEST_KEY {
                let shortfall = Shortfall::TooLong {
                    length: u64::try_from(key.len()).unwrap_or(u64::MAX),
                    at_most: 256,
                };
                return Err(submission.refuse(Feature::IdempotencyKey, shortfall));
            }
            request = request.with_header("Idempotency-Key", key);
        }
        Ok(request)
    }

    fn decode(&self, submission: &Submission<'_>, response: &HttpResponse) -> Result<Receipt, Fault> {
        let body = response.json().ok_or_else(Fault::new)?;
        let id = |item: &Value| item.get("id").and_then(text);
        if !submission.is_individual() {
            return id(&body).map(|id| Receipt::accepted(Some(id))).ok_or_else(Fault::new);
        }
        let accepted = body.get("data").and_then(Value::as_array).ok_or_else(Fault::new)?;
        let refused: Vec<usize> = body
            .get("errors")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|error| usize::try_from(error.get("index")?.as_u64()?).ok())
            .collect();
        // Ids stand in order, those of what was refused left out.
        if accepted.len() + refused.len() != submission.copies().len() {
            return Err(Fault::new());
        }
        let mut ids = accepted.iter();
        Ok(Receipt::copies((0..submission.copies().len()).map(|index| {
            if refused.contains(&index) {
                CopyReceipt::refused(Refusal::permanent())
            } else {
                match ids.next().and_then(id) {
                    Some(id) => CopyReceipt::new(Fate::Accepted, Some(id)),
                    None => CopyReceipt::new(Fate::Unknown, None),
                }
            }
        })))
    }

    fn fault(&self, response: &HttpResponse) -> Fault {
        let fault = Fault::of_json(&response.json().unwrap_or_default(), "/name", "/message");
        match fault.code() {
            // Another request with this key is under way, and may be accepted.
            Some("concurrent_idempotent_requests") => fault
                .with_kind(ErrorKind::Unavailable)
                .with_disposition(Disposition::Ambiguous),
            Some("missing_api_key" | "restricted_api_key" | "invalid_api_key" | "invalid_access") => {
                fault.with_kind(ErrorKind::Unauthorized)
            }
            Some("security_error") => fault.with_kind(ErrorKind::Rejected),
            _ => fault,
        }
    }
}

fn message(submission: &Submission<'_>, copy: &Copy<'_>) -> Result<Json, SendError> {
    let message = submission.message()?;
    let template = submission.template();
    let list = |mailboxes: Vec<&Mailbox>| Json::array(mailboxes.into_iter().map(recipient));
    let headers = submission
        .headers_of(copy)
        .into_iter()
        .chain(
            submission
                .metadata_text(copy)
                .map(|json| ("X-Metadata", Cow::Owned(json))),
        )
        .chain(submission.tags_text().map(|json| ("X-Tags", Cow::Owned(json))));
    if message
        .inlines()
        .iter()
        .chain(message.attachments())
        .any(is_contradictory)
    {
        return Err(submission.invalid("writing an attachment whose name ends as names of another type do"));
    }
    // The name is taken as it is: an address in it would stand where the author's is looked for.
    if message
        .from()
        .iter()
        .any(|author| author.name().is_some_and(|name| name.contains(['<', '>'])))
    {
        return Err(submission.invalid("writing an author whose name has angle brackets in it"));
    }
    let files = message.inlines().iter().chain(message.attachments()).map(attachment);
    // A text is asked for, unless it comes from elsewhere.
    let text = message
        .text()
        .or_else(|| (message.html().is_none() && template.is_none()).then_some(""));
    let template = template.map(|id| {
        Json::object()
            .set("id", id)
            .set_filled("variables", submission.data_of(copy))
    });
    let subject = message.subject().or_else(|| template.is_none().then_some(""));
    let mut json = Json::object()
        .set_some("from", message.from().first().map(author))
        .set("to", list(copy.to().collect()))
        .set_filled("cc", list(copy.cc().collect()))
        .set_filled("bcc", list(copy.bcc().collect()))
        .set_filled("reply_to", list(message.reply_to().iter().collect()))
        .set_some("subject", subject)
        .set_some("text", text)
        .set_some("html", message.html())
        .set_some("template", template)
        .set_filled("headers", headers.collect::<Json>())
        .set_filled("attachments", Json::array(files))
        .set_some("topic_id", submission.stream())
        .set_some("scheduled_at", submission.schedule().map(moment::to_millisecond));
    json.merge(submission.extra());
    Ok(json)
}

/// Writes an author. Resend refuses quotation marks and encoded-words here, and takes the name as it is.
fn author(mailbox: &Mailbox) -> String {
    let address = addresses::address(mailbox.address());
    match mailbox.name() {
        Some(name) => format!("{name} <{address}>"),
        None => address,
    }
}

/// Writes a recipient. Resend refuses names in quotation marks; as encoded-words it takes them.
fn recipient(mailbox: &Mailbox) -> String {
    let text = addresses::text(mailbox);
    match mailbox.name() {
        Some(name) if text.starts_with('"') => {
            format!(
                "{} <{}>",
                words::quoted_words(name),
                addresses::address(mailbox.address())
            )
        }
        _ => text,
    }
}

/// Ends of names, and the types that go with each.
const TYPES: &[(&[&str], &[&str])] = &[
    (&["pdf"], &["application/pdf", "application/x-pdf"]),
    (&["png"], &["image/png"]),
    (&["jpg", "jpeg"], &["image/jpeg", "image/jpg", "image/pjpeg"]),
    (&["gif"], &["image/gif"]),
    (&["webp"], &["image/webp"]),
    (&["html", "htm"], &["text/html", "application/xhtml+xml", "text/plain"]),
    (
        &["zip"],
        &["application/zip", "application/x-zip-compressed", "application/x-zip"],
    ),
    (
        &["docx"],
        &["application/vnd.openxmlformats-officedocument.wordprocessingml.document"],
    ),
    (
        &["xlsx"],
        &["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
    ),
    (
        &["pptx"],
        &["application/vnd.openxmlformats-officedocument.presentationml.presentation"],
    ),
];

/// Tells whether the end of a name says another type than is written beside it: Resend takes such mail, and then it may vanish.
/// Ends that are not listed, and a type that says nothing, contradict nothing.
fn is_contradictory(part: &Attachment) -> bool {
    let name = attachments::name(part);
    let Some((_, end)) = name.rsplit_once('.') else {
        return false;
    };
    let essence = part.content_type().essence();
    let is_own = |types: &[&str]| types.iter().any(|own| essence.eq_ignore_ascii_case(own));
    !essence.eq_ignore_ascii_case("application/octet-stream")
        && TYPES
            .iter()
            .any(|(ends, types)| ends.iter().any(|own| end.eq_ignore_ascii_case(own)) && !is_own(types))
}

fn attachment(part: &Attachment) -> Json {
    Json::object()
        .set("content", Json::Base64(part.to_base64()))
        .set("filename", attachments::name(part))
        .set("content_type", part.content_type().to_string())
        .set_some("content_id", part.content_id().map(|id| id.as_str()))
}

#[cfg(test)]
mod tests {
    use posthaste_transport::SendOptions;
    use serde_json::json;

    use super::*;
    use crate::adapters::testing::{Bench, builder, plain, refused};
    use crate::{Batch, Personal};

    fn resend() -> Resend {
        Resend::new("re_key").unwrap()
    }

    fn batch() -> Batch {
        let people = ["a@example.net", "b@example.net", "c@example.net"].map(|to| Personal::new(to.parse().unwrap()));
        Batch::new(builder().build().unwrap()).to_each(people)
    }

    #[test]
    fn a_template_brings_its_own_texts() {
        let bench = Bench::new(resend(), 200, r#"{"data":[{"id":"1"}]}"#);
        let message = posthaste_mime::Message::builder()
            .from("app@example.com".parse().unwrap())
            .build()
            .unwrap();
        let batch = Batch::new(message)
            .with_template("order-sent")
            .with_data("shop", "The Shop")
            .to_each([Personal::new("a@example.net".parse().unwrap()).with_data("order", 1)]);
        let outcome = bench.send_batch(&batch, &SendOptions::new()).unwrap();
        assert_eq!(outcome.recipients()[0].provider_id(), Some("1"));
        assert_eq!(
            bench.body(),
            json!([{
                "from": "app@example.com",
                "to": ["a@example.net"],
                "template": {"id": "order-sent", "variables": {"shop": "The Shop", "order": 1}},
            }])
        );
        let bench = Bench::new(resend(), 200, "{}");
        let data = Batch::new(plain().build().unwrap()).with_data("shop", "The Shop");
        assert_eq!(
            bench.send_batch(&data, &SendOptions::new()).unwrap_err().kind(),
            ErrorKind::Invalid
        );
        assert!(bench.requests().is_empty());
    }

    #[test]
    fn names_are_written_as_resend_takes_them() {
        let bench = Bench::new(resend(), 200, r#"{"id":"1"}"#);
        let message = posthaste_mime::Message::builder()
            .from("\"Ö, x\" <app@example.com>".parse().unwrap())
            .to("\"a, b\" <a@example.net>".parse().unwrap())
            .to("Ana Á <b@example.net>".parse().unwrap())
            .subject("Hello")
            .text("First line");
        let _ = bench.send(message, &SendOptions::new()).unwrap();
        let body = bench.body();
        assert_eq!(body["from"], "Ö, x <app@example.com>");
        assert_eq!(
            body["to"],
            json!(["=?utf-8?q?a=2C_b?= <a@example.net>", "Ana Á <b@example.net>"])
        );
        let message = posthaste_mime::Message::builder()
            .from("\"Ann <ceo@bank.example>\" <app@example.com>".parse().unwrap())
            .to("a@example.net".parse().unwrap())
            .text("First line");
        let error = bench.send(message, &SendOptions::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }

    #[test]
    fn a_batch_is_accepted_in_part() {
        let answer = r#"{"data":[{"id":"1"},{"id":"3"}],"errors":[{"index":1,"message":"no"}]}"#;
        let bench = Bench::new(resend(), 200, answer);
        let outcome = bench.send_batch(&batch(), &SendOptions::new()).unwrap();
        let ids: Vec<_> = outcome.recipients().iter().map(|one| one.provider_id()).collect();
        assert_eq!(ids, [Some("1"), None, Some("3")]);
        assert!(outcome.recipients()[1].fate().refusal().unwrap().is_permanent());
        assert_eq!(bench.request().header("x-batch-validation"), Some("permissive"));

        // Whose the ids are cannot be told: nobody is refused, and nobody is accepted.
        let bench = Bench::new(resend(), 200, r#"{"data":[{"id":"1"}]}"#);
        let outcome = bench.send_batch(&batch(), &SendOptions::new()).unwrap();
        assert!(outcome.recipients().iter().all(|one| *one.fate() == Fate::Unknown));
    }

    #[test]
    fn each_call_of_a_batch_has_a_key_of_its_own() {
        let answer = json!({"data": vec![json!({"id": "1"}); 100]}).to_string();
        let bench = Bench::new(resend(), 200, answer);
        let people = (0..200).map(|n| Personal::new(format!("p{n}@example.net").parse().unwrap()));
        let batch = Batch::new(builder().build().unwrap()).to_each(people);
        let options = SendOptions::new().with_idempotency_key("key").unwrap();
        assert!(bench.send_batch(&batch, &options).unwrap().is_complete());
        let keys: Vec<_> = bench
            .requests()
            .iter()
            .filter_map(|request| request.header("Idempotency-Key").map(str::to_owned))
            .collect();
        assert_eq!(keys, ["key-93c694f1e2ffcfe5", "key-20b610aa30e8fbeb"]);
    }

    #[test]
    fn an_attachment_whose_name_and_type_differ_is_refused() {
        let send = |name: &str, content_type: &str| {
            let content_type = posthaste_mime::ContentType::parse(content_type).unwrap();
            let file = Attachment::new(name, content_type, &b"content"[..]).unwrap();
            let bench = Bench::new(resend(), 200, r#"{"id":"1"}"#);
            let sent = bench.send(plain().attach(file), &SendOptions::new());
            assert_eq!(bench.requests().len(), usize::from(sent.is_ok()));
            sent.map_err(|error| (error.kind(), error.disposition()))
        };
        for (name, content_type) in [
            ("report.pdf", "text/html"),
            ("report.PDF", "image/png"),
            ("photo.jpg", "image/png"),
            ("a.b.docx", "application/pdf"),
        ] {
            let refused = (ErrorKind::Invalid, Disposition::NotAccepted);
            assert_eq!(send(name, content_type).unwrap_err(), refused, "{name} {content_type}");
        }
        for (name, content_type) in [
            ("report.pdf", "application/pdf"),
            ("report.Pdf", "Application/PDF; x=y"),
            ("photo.jpeg", "image/jpeg"),
            // What says nothing, or is not known, contradicts nothing.
            ("report.pdf", "application/octet-stream"),
            ("data.xyz", "text/html"),
            ("README", "text/plain"),
            ("pdf", "text/plain"),
        ] {
            assert!(send(name, content_type).is_ok(), "{name} {content_type}");
        }
    }

    #[test]
    fn a_batch_tells_what_is_left_of_the_limit() {
        let answer = HttpResponse::new(200, r#"{"data":[{"id":"1"},{"id":"2"},{"id":"3"}]}"#)
            .with_header("ratelimit-limit", "2")
            .with_header("ratelimit-remaining", "1")
            .with_header("ratelimit-reset", "1");
        let outcome = Bench::answering(resend(), answer)
            .send_batch(&batch(), &SendOptions::new())
            .unwrap();
        let rate = outcome.rate().unwrap();
        assert_eq!((rate.limit(), rate.remaining()), (Some(2), Some(1)));
        assert_eq!(rate.reset(), Some(std::time::Duration::from_secs(1)));

        let throttled = HttpResponse::new(429, "{}").with_header("ratelimit-remaining", "0");
        let outcome = Bench::answering(resend(), throttled).send_batch(&batch(), &SendOptions::new());
        let error = outcome.unwrap().take_failure().unwrap();
        assert_eq!(error.kind(), ErrorKind::Throttled);
        assert!(crate::rate::of_error(&error).unwrap().is_used_up());
    }

    #[test]
    fn what_resend_has_no_room_for_is_refused_before_it_is_asked() {
        let bench = Bench::new(resend(), 200, "{}");
        let long = SendOptions::new().with_idempotency_key("k".repeat(257)).unwrap();
        assert_eq!(bench.send(plain(), &long).unwrap_err().kind(), ErrorKind::Unsupported);
        let many = (0..51).fold(builder(), |builder, n| {
            builder.to(format!("p{n}@example.net").parse().unwrap())
        });
        let error = bench.send(many, &SendOptions::new()).unwrap_err();
        assert_eq!(error.unsupported()[0].feature(), Feature::Recipients);
        assert!(bench.requests().is_empty());
    }

    #[test]
    fn errors_say_what_may_be_repeated() {
        use Disposition::{Ambiguous, NotAccepted};
        for (status, name, kind, disposition) in [
            (422, "validation_error", ErrorKind::Invalid, NotAccepted),
            (401, "missing_api_key", ErrorKind::Unauthorized, NotAccepted),
            (400, "invalid_idempotency_key", ErrorKind::Invalid, NotAccepted),
            (409, "invalid_idempotent_request", ErrorKind::Invalid, NotAccepted),
            (409, "concurrent_idempotent_requests", ErrorKind::Unavailable, Ambiguous),
            (429, "rate_limit_exceeded", ErrorKind::Throttled, NotAccepted),
            (429, "daily_quota_exceeded", ErrorKind::Throttled, NotAccepted),
            (451, "security_error", ErrorKind::Rejected, NotAccepted),
            (500, "application_error", ErrorKind::Unavailable, Ambiguous),
        ] {
            let body = json!({"statusCode": status, "name": name, "message": "no"}).to_string();
            let expected = (kind, disposition, Some(name.to_owned()));
            assert_eq!(refused(resend(), status, &body), expected);
        }
        assert_eq!(refused(resend(), 200, "{}").1, Ambiguous);
    }
}
