//! Mailtrap.

use std::borrow::Cow;

use posthaste_address::Mailbox;
use posthaste_mime::Attachment;
use posthaste_transport::{
    Capabilities, Disposition, ErrorKind, Fate, Feature, Refusal, SendError, Shortfall, TagCharset,
};
use serde_json::Value;

use crate::receipt::{at, text};
use crate::registry::FromSettings;
use crate::{
    Adapter, Copy, CopyReceipt, Fault, HttpRequest, HttpResponse, Json, Profile, Receipt, Secret, SecretError,
    Settings, SettingsError, Submission, addresses, attachments, words,
};

static PROFILE: Profile = Profile::new(
    "mailtrap",
    "Mailtrap",
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
        .with_max_recipients(3000)
        .with_max_batch(500)
        .with_max_message_size(10 << 20)
        .with_tag_limits(1, 255, TagCharset::Any),
);

/// Most recipients in one field.
const MOST: usize = 1000;

/// Mailtrap.
///
/// URL: `mailtrap://TOKEN@default`; `stream=bulk` for the stream of bulk mail, or `sandbox` and the number of an inbox for one
/// that keeps messages and sends nothing; `endpoint` for another base URL.
///
/// The one tag is the category, metadata are custom variables. A template is named by its UUID, brings its own texts, and
/// goes with no category; data without one has no meaning there and is refused. Several addresses for answers go into a header
/// field.
#[derive(Clone, Debug)]
pub struct Mailtrap {
    token: Secret,
    endpoint: Cow<'static, str>,
    inbox: Option<u64>,
}

impl Mailtrap {
    /// Takes an API token, for the stream of transactional mail.
    ///
    /// # Errors
    ///
    /// [`SecretError`] if it cannot stand in a header field.
    pub fn new(token: impl Into<String>) -> Result<Self, SecretError> {
        Ok(Self {
            token: Secret::new(token)?,
            endpoint: Cow::Borrowed("https://send.api.mailtrap.io"),
            inbox: None,
        })
    }

    /// Sends by the stream of bulk mail.
    #[must_use]
    pub fn in_bulk(self) -> Self {
        self.with_endpoint("https://bulk.api.mailtrap.io")
    }

    /// Has messages kept in the inbox of this number and not sent.
    #[must_use]
    pub fn in_sandbox(mut self, inbox: u64) -> Self {
        self.inbox = Some(inbox);
        self.with_endpoint("https://sandbox.api.mailtrap.io")
    }

    /// Sends to another base URL, without a slash at its end.
    #[must_use]
    pub fn with_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Cow::Owned(url.into());
        self
    }
}

impl FromSettings for Mailtrap {
    const PROFILE: &'static Profile = &PROFILE;

    fn from_settings(settings: &mut Settings) -> Result<Self, SettingsError> {
        let mut adapter = Self::new(settings.key("API token")?)?;
        adapter = match settings.take("stream").as_deref() {
            None | Some("transactional") => adapter,
            Some("bulk") => adapter.in_bulk(),
            Some(_) => {
                return Err(SettingsError::Value {
                    key: "stream".to_owned(),
                    expected: "transactional or bulk",
                });
            }
        };
        if let Some(inbox) = settings.take_number("sandbox")? {
            adapter = adapter.in_sandbox(inbox);
        }
        Ok(match settings.take("endpoint") {
            Some(endpoint) => adapter.with_endpoint(endpoint),
            None => adapter,
        })
    }
}

impl Adapter for Mailtrap {
    fn profile(&self) -> &Profile {
        &PROFILE
    }

    fn encode(&self, submission: &Submission<'_>) -> Result<HttpRequest, SendError> {
        submission.refuse_data_without_template()?;
        submission.limit_fields(MOST, MOST, MOST)?;
        if submission.template().is_some() && !submission.tags().is_empty() {
            return Err(submission.refuse(Feature::Tags, Shortfall::Missing));
        }
        let mut base = base(submission)?;
        base.merge(submission.extra());
        let (path, json) = if submission.is_individual() {
            let requests = submission.copies().iter().map(|copy| own(submission, copy));
            let json = Json::object().set("base", base).set("requests", Json::array(requests));
            ("batch", json)
        } else {
            let json = submission
                .copies()
                .iter()
                .fold(Json::object(), |json, copy| people(json, copy));
            ("send", merged(json, base))
        };
        let inbox = self.inbox.map(|inbox| format!("/{inbox}")).unwrap_or_default();
        let url = format!("{}/api/{path}{inbox}", self.endpoint);
        // Extras belong to the message, and are there already.
        Ok(HttpRequest::post_json(url, &json).with_secret_header("Api-Token", self.token.expose()))
    }

    fn decode(&self, submission: &Submission<'_>, response: &HttpResponse) -> Result<Receipt, Fault> {
        let body = response.json().ok_or_else(Fault::new)?;
        let has_errors = at(&body, "/errors").as_array().is_some_and(|errors| !errors.is_empty());
        match at(&body, "/success").as_bool() {
            Some(true) if !has_errors => {}
            Some(false) => return Err(self.fault(response)),
            _ => return Err(Fault::new()),
        }
        if !submission.is_individual() {
            let copy = submission.copies().first().ok_or_else(Fault::new)?;
            return Ok(Receipt::whole(receipt(&body, copy).ok_or_else(Fault::new)?));
        }
        let responses = at(&body, "/responses").as_array().ok_or_else(Fault::new)?;
        if responses.len() != submission.copies().len() {
            return Err(Fault::new());
        }
        Ok(Receipt::copies(responses.iter().zip(submission.copies()).map(
            |(response, copy)| match at(response, "/success").as_bool() {
                Some(false) => CopyReceipt::refused(Refusal::permanent()),
                _ => receipt(response, copy).unwrap_or_else(|| CopyReceipt::new(Fate::Unknown, None)),
            },
        )))
    }

    fn fault(&self, response: &HttpResponse) -> Fault {
        let body = response.json().unwrap_or_default();
        let message = text(at(&body, "/errors/0")).or_else(|| text(at(&body, "/error")));
        let mut fault = Fault::new();
        let is_unauthorized = message.as_deref() == Some("Unauthorized");
        if let Some(message) = message {
            fault = fault.with_message(message);
        }
        // A refusal with a status of success.
        if response.is_success() && at(&body, "/success") == false {
            fault = fault
                .with_kind(ErrorKind::Invalid)
                .with_disposition(Disposition::NotAccepted);
        }
        if is_unauthorized {
            fault = fault
                .with_kind(ErrorKind::Unauthorized)
                .with_disposition(Disposition::NotAccepted);
        }
        fault
    }
}

/// What is common to all copies.
fn base(submission: &Submission<'_>) -> Result<Json, SendError> {
    let message = submission.message()?;
    let template = submission.template();
    let mut headers: Json = submission.headers().into_iter().collect();
    let reply_to = match message.reply_to() {
        [one] => Some(mailbox(one)),
        [] => None,
        several => {
            let several: Vec<String> = several.iter().map(words::mailbox).collect();
            headers = headers.set("Reply-To", several.join(", "));
            None
        }
    };
    let files = message.inlines().iter().chain(message.attachments()).map(attachment);
    Ok(Json::object()
        .set_some("from", message.from().first().map(mailbox))
        .set_some("reply_to", reply_to)
        // A template brings its own, and refuses these beside it.
        .set_some("subject", message.subject().filter(|_| template.is_none()))
        .set_some("text", message.text().filter(|_| template.is_none()))
        .set_some("html", message.html().filter(|_| template.is_none()))
        .set_some("category", submission.tags().first())
        .set_filled("custom_variables", submission.metadata().collect::<Json>())
        .set_filled("headers", headers)
        .set_filled("attachments", Json::array(files))
        .set_some("template_uuid", template)
        .set_some("template_variables", submission.data().cloned()))
}

/// What is one copy's own. It stands in place of the base's, so what all share stands there too.
fn own(submission: &Submission<'_>, copy: &Copy<'_>) -> Json {
    let mut json = people(Json::object(), copy);
    if copy.has_data() {
        json = json.set("template_variables", submission.data_of(copy));
    }
    if copy.has_metadata() {
        let all: Json = submission.metadata_of(copy).into_iter().collect();
        json = json.set("custom_variables", all);
    }
    if copy.personal().is_some_and(|personal| !personal.headers().is_empty()) {
        let all: Json = submission.headers_of(copy).into_iter().collect();
        json = json.set("headers", all);
    }
    json
}

fn people(json: Json, copy: &Copy<'_>) -> Json {
    json.set("to", Json::array(copy.to().map(mailbox)))
        .set_filled("cc", Json::array(copy.cc().map(mailbox)))
        .set_filled("bcc", Json::array(copy.bcc().map(mailbox)))
}

fn merged(first: Json, second: Json) -> Json {
    match (first, second) {
        (Json::Object(mut members), Json::Object(more)) => {
            // What the caller put over it counts.
            members.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
            members.extend(more);
            Json::Object(members)
        }
        (first, _) => first,
    }
}

/// Reads the ids of one message: one for each recipient, or one for all in the sandbox.
fn receipt(item: &Value, copy: &Copy<'_>) -> Option<CopyReceipt> {
    let ids = at(item, "/message_ids").as_array()?;
    if let [one] = ids.as_slice() {
        return Some(CopyReceipt::new(Fate::Accepted, Some(text(one)?)));
    }
    let everybody: Vec<&Mailbox> = copy.everybody().collect();
    if ids.len() != everybody.len() {
        return None;
    }
    let first = ids.first().and_then(text);
    Some(
        everybody
            .into_iter()
            .zip(ids)
            .fold(CopyReceipt::new(Fate::Accepted, first), |copy, (mailbox, id)| {
                copy.except(addresses::address(mailbox.address()), Fate::Accepted, text(id))
            }),
    )
}

fn mailbox(mailbox: &Mailbox) -> Json {
    addresses::object(mailbox, "email", "name")
}

fn attachment(part: &Attachment) -> Json {
    let json = Json::object()
        .set("content", Json::Base64(part.to_base64()))
        .set("filename", attachments::name(part))
        .set("type", part.content_type().to_string());
    match part.content_id() {
        Some(id) => json.set("disposition", "inline").set("content_id", id.as_str()),
        None => json,
    }
}

#[cfg(test)]
mod tests {
    use posthaste_transport::SendOptions;

    use super::*;
    use crate::adapters::testing::{Bench, builder, refused};
    use crate::{Batch, Personal};

    fn mailtrap() -> Mailtrap {
        Mailtrap::new("token").unwrap()
    }

    #[test]
    fn errors_say_what_may_be_repeated() {
        use Disposition::{Ambiguous, NotAccepted};
        use ErrorKind::{Invalid, Rejected, Throttled, Unauthorized, Unavailable, Unknown};
        for (status, body, kind, disposition) in [
            (
                400,
                r#"{"success":false,"errors":["'from' is required"]}"#,
                Invalid,
                NotAccepted,
            ),
            (
                401,
                r#"{"success":false,"error":"Unauthorized"}"#,
                Unauthorized,
                NotAccepted,
            ),
            (401, r#"{"errors":["Unauthorized"]}"#, Unauthorized, NotAccepted),
            (
                403,
                r#"{"success":false,"errors":["Forbidden"]}"#,
                Unauthorized,
                NotAccepted,
            ),
            (413, "", Rejected, NotAccepted),
            (
                429,
                r#"{"success":false,"errors":["Too many requests"]}"#,
                Throttled,
                NotAccepted,
            ),
            (
                500,
                r#"{"success":false,"errors":["internal error"]}"#,
                Unavailable,
                Ambiguous,
            ),
            (502, "<html>", Unavailable, Ambiguous),
            // An error, though the status is one of success.
            (
                200,
                r#"{"success":false,"errors":["'to' is required"]}"#,
                Invalid,
                NotAccepted,
            ),
            (
                200,
                r#"{"success":false,"error":"Unauthorized"}"#,
                Unauthorized,
                NotAccepted,
            ),
            // Nobody can tell.
            (200, r#"{"success":true}"#, Unknown, Ambiguous),
            (
                200,
                r#"{"success":true,"message_ids":["1"],"errors":["no"]}"#,
                Unknown,
                Ambiguous,
            ),
            (200, r#"{"success":true,"message_ids":["1","2"]}"#, Unknown, Ambiguous),
            (200, r#"{"errors":["no"]}"#, Unknown, Ambiguous),
            (200, "{}", Unknown, Ambiguous),
            (200, "", Unknown, Ambiguous),
        ] {
            assert_eq!(
                refused(mailtrap(), status, body),
                (kind, disposition, None),
                "{status} {body}"
            );
        }
    }

    #[test]
    fn ids_belong_to_recipients_in_order() {
        let bench = Bench::new(mailtrap(), 200, r#"{"success":true,"message_ids":["1","2"]}"#);
        let message = builder()
            .to("a@example.net".parse().unwrap())
            .bcc("b@example.net".parse().unwrap());
        let outcome = bench.send(message, &SendOptions::new()).unwrap();
        let ids: Vec<_> = outcome.recipients().iter().map(|one| one.provider_id()).collect();
        assert_eq!(ids, [Some("1"), Some("2")]);
    }

    #[test]
    fn a_batch_is_accepted_in_part() {
        let people = || ["a@example.net", "b@example.net"].map(|to| Personal::new(to.parse().unwrap()));
        let batch = Batch::new(builder().build().unwrap()).to_each(people());
        let answer = r#"{"success":true,"responses":[
            {"success":true,"message_ids":["1"]},{"success":false,"errors":["no"]}],"errors":[]}"#;
        let outcome = Bench::new(mailtrap(), 200, answer)
            .send_batch(&batch, &SendOptions::new())
            .unwrap();
        assert_eq!(outcome.recipients()[0].provider_id(), Some("1"));
        assert!(outcome.recipients()[1].fate().refusal().unwrap().is_permanent());

        // Whose the answers are cannot be told.
        let answer = r#"{"success":true,"responses":[{"success":true,"message_ids":["1"]}],"errors":[]}"#;
        let outcome = Bench::new(mailtrap(), 200, answer)
            .send_batch(&batch, &SendOptions::new())
            .unwrap();
        assert!(outcome.recipients().iter().all(|one| *one.fate() == Fate::Unknown));
    }
}
