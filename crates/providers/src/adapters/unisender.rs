//! Unisender Go.

use std::borrow::Cow;
use std::time::Duration;

use posthaste_address::Mailbox;
use posthaste_mime::Attachment;
use posthaste_transport::{
    Capabilities, Disposition, ErrorKind, Fate, Feature, Refusal, SendError, Shortfall, TagCharset,
};

use crate::receipt::{at, text};
use crate::registry::FromSettings;
use crate::{
    Adapter, Copy, CopyReceipt, Fault, HttpRequest, HttpResponse, Json, Profile, Receipt, Secret, SecretError,
    Settings, SettingsError, Submission, addresses, attachments, moment, words,
};

static PROFILE: Profile = Profile::new(
    "unisender",
    "Unisender Go",
    Capabilities::none()
        .with(Feature::EnvelopeRecipients)
        .with(Feature::RecipientOutcomes)
        .with(Feature::CustomHeaders)
        .with(Feature::Attachments)
        .with(Feature::InlineParts)
        .with(Feature::Amp)
        .with(Feature::StoredTemplate)
        .with(Feature::PersonalData)
        .with(Feature::PersonalMetadata)
        .with(Feature::Tags)
        .with(Feature::Metadata)
        .with(Feature::Schedule)
        .with(Feature::TrackOpens)
        .with(Feature::TrackClicks)
        .with_max_recipients(30)
        .with_max_batch(500)
        .with_max_reply_to(1)
        .with_max_message_size(10 << 20)
        .with_tag_limits(4, 50, TagCharset::Any)
        .with_metadata_limits(10, 64, 1024)
        .with_max_schedule(Duration::from_hours(24)),
);

/// Most recipients in one field of a message that they share.
const MOST: usize = 10;

/// Unisender Go.
///
/// URL: `unisender://KEY@HOST`, with the host of the account's data centre, such as `go1.unisender.ru`; a path after it, if the API is
/// elsewhere than below `/ru/transactional/api/v1`; or `endpoint` for the whole base URL.
///
/// Tags and metadata are fields of their own. A template is named by its id; data are substitutions, for templates and
/// texts; the substitution `to_name` holds the recipient's name. A batch goes to its recipients alone: copies are refused. So
/// is a second address for answers. Names that Unisender Go stumbles over are written as encoded-words.
///
/// Its own idempotency key holds for a minute, which is too short to rely on: none is offered here.
#[derive(Clone, Debug)]
pub struct UnisenderGo {
    key: Secret,
    endpoint: String,
}

impl UnisenderGo {
    /// Takes an API key and the base URL of the account's data centre, such as
    /// `https://go1.unisender.ru/ru/transactional/api/v1`, without a slash at its end.
    ///
    /// # Errors
    ///
    /// [`SecretError`] if the key cannot stand in a header field.
    pub fn new(key: impl Into<String>, endpoint: impl Into<String>) -> Result<Self, SecretError> {
        Ok(Self {
            key: Secret::new(key)?,
            endpoint: endpoint.into(),
        })
    }
}

impl FromSettings for UnisenderGo {
    const PROFILE: &'static Profile = &PROFILE;

    fn from_settings(settings: &mut Settings) -> Result<Self, SettingsError> {
        let key = settings.key("API key")?;
        let endpoint = match settings.take("endpoint") {
            Some(endpoint) => endpoint,
            None => {
                let host = settings.host().ok_or(SettingsError::Missing("host"))?;
                let path = settings.path();
                format!(
                    "https://{host}/{}",
                    path.as_deref().unwrap_or("ru/transactional/api/v1")
                )
            }
        };
        Ok(Self::new(key, endpoint)?)
    }
}

impl Adapter for UnisenderGo {
    fn profile(&self) -> &Profile {
        &PROFILE
    }

    fn encode(&self, submission: &Submission<'_>) -> Result<HttpRequest, SendError> {
        submission.limit_fields(MOST, MOST, MOST)?;
        let message = submission.message()?;
        let shared = submission.copies().first().filter(|_| !submission.is_individual());
        let has_copies = |copy: &Copy<'_>| copy.cc().len() + copy.bcc().len() > 0;
        if shared.is_none() && submission.copies().iter().any(has_copies) {
            return Err(submission.refuse(Feature::EnvelopeRecipients, Shortfall::Missing));
        }
        let recipients = submission
            .copies()
            .iter()
            .flat_map(|copy| copy.everybody().map(|mailbox| recipient(copy, mailbox)));
        // Who sees whom is said by header fields; in a batch nobody sees anybody.
        let seen = shared.map(|copy| [("to", shown(copy.to())), ("cc", shown(copy.cc()))]);
        let seen = seen
            .into_iter()
            .flatten()
            .filter_map(|(name, list)| Some((name, list?)));
        let headers: Json = seen
            .chain(
                submission
                    .headers()
                    .into_iter()
                    .map(|(name, value)| (name, words::unless_ascii(&value))),
            )
            .collect();
        let body = Json::object()
            .set_some("plaintext", message.text())
            .set_some("html", message.html())
            .set_some("amp", message.amp());
        let author = message.from().first();
        let reply_to = message.reply_to().first();
        let switch = |on: bool| u64::from(on);
        let options = submission
            .schedule()
            .map(|time| Json::object().set("send_at", moment::spaced(time)));
        let mut own = Json::object()
            .set("recipients", Json::array(recipients))
            .set_some("from_email", author.map(|author| addresses::address(author.address())))
            .set_some("from_name", author.and_then(Mailbox::name))
            .set_some("reply_to", reply_to.map(|to| addresses::address(to.address())))
            .set_some("reply_to_name", reply_to.and_then(Mailbox::name).map(name_for_replies))
            .set_some("subject", message.subject())
            .set_filled("body", body)
            .set_filled("headers", headers)
            .set_filled(
                "attachments",
                Json::array(
                    message
                        .attachments()
                        .iter()
                        .map(|part| attachment(part, &attachments::name(part))),
                ),
            )
            .set_filled(
                "inline_attachments",
                Json::array(message.inlines().iter().map(|part| {
                    let id = part.content_id().map(|id| id.as_str().to_owned());
                    attachment(part, &id.unwrap_or_else(|| attachments::name(part)))
                })),
            )
            .set_some("template_id", submission.template())
            .set_some("global_substitutions", submission.data().cloned())
            .set_filled("global_metadata", submission.metadata().collect::<Json>())
            .set_filled("tags", submission.tags().iter().collect::<Vec<_>>())
            .set_some("track_links", submission.track_clicks().map(switch))
            .set_some("track_read", submission.track_opens().map(switch))
            .set_some("options", options);
        // Extras belong to the message.
        own.merge(submission.extra());
        let json = Json::object().set("message", own);
        Ok(
            HttpRequest::post_json(format!("{}/email/send.json", self.endpoint), &json)
                .with_secret_header("X-API-KEY", self.key.expose()),
        )
    }

    fn decode(&self, submission: &Submission<'_>, response: &HttpResponse) -> Result<Receipt, Fault> {
        if response.status() == 204 {
            // Nobody can be written to.
            return Ok(Receipt::whole(CopyReceipt::refused(Refusal::permanent())));
        }
        let body = response.json().ok_or_else(Fault::new)?;
        if at(&body, "/status") == "error" {
            return Err(self.fault(response).with_disposition(Disposition::NotAccepted));
        }
        if at(&body, "/status") != "success" {
            return Err(Fault::new());
        }
        let id = text(at(&body, "/job_id"));
        let failed = at(&body, "/failed_emails").as_object();
        let refused = failed.into_iter().flatten().filter_map(|(address, why)| {
            let why = why.as_str().unwrap_or_default();
            match why {
                // Somebody named twice gets it once.
                "duplicate" => None,
                "temporary_unavailable" => Some((address, Refusal::transient().with_code(why))),
                _ => Some((address, Refusal::permanent().with_code(why))),
            }
        });
        // Whom it does not except it takes.
        let copy = CopyReceipt::new(Fate::Accepted, id);
        let copy = refused.fold(copy, |copy, (address, refusal)| {
            copy.except(address, Fate::Refused(refusal), None)
        });
        // Addresses say whose fate it is, in whichever copy they stand.
        Ok(Receipt::copies(submission.copies().iter().map(|_| copy.clone())))
    }

    fn fault(&self, response: &HttpResponse) -> Fault {
        let fault = Fault::of_json(&response.json().unwrap_or_default(), "/code", "/message");
        if response.is_success() {
            fault.with_kind(ErrorKind::Invalid)
        } else {
            fault
        }
    }
}

fn recipient(copy: &Copy<'_>, mailbox: &Mailbox) -> Json {
    let mut substitutions = Json::object().set_some("to_name", mailbox.name());
    let mut metadata = Json::object();
    if let Some(personal) = copy.personal() {
        for (key, value) in personal.data() {
            substitutions = substitutions.set(key.clone(), value);
        }
        metadata = personal.metadata().collect();
    }
    Json::object()
        .set("email", addresses::address(mailbox.address()))
        .set_filled("substitutions", substitutions)
        .set_filled("metadata", metadata)
}

/// Writes a list for a header field: names with a comma, an angle bracket or an at sign are refused unless they are encoded.
fn shown<'m>(mailboxes: impl ExactSizeIterator<Item = &'m Mailbox>) -> Option<String> {
    let is_shown = mailboxes.len() > 0;
    let written = mailboxes.map(|mailbox| match mailbox.name() {
        Some(name) if name.contains([',', '<', '>', '@']) => {
            format!("{} <{}>", words::encode(name), addresses::address(mailbox.address()))
        }
        _ => words::mailbox(mailbox),
    });
    is_shown.then(|| written.collect::<Vec<_>>().join(", "))
}

/// Writes the name for answers, which goes into a header field as it is.
fn name_for_replies(name: &str) -> Cow<'_, str> {
    if words::is_special(name) {
        Cow::Owned(words::encode(name))
    } else {
        Cow::Borrowed(name)
    }
}

fn attachment(part: &Attachment, name: &str) -> Json {
    Json::object()
        .set("type", part.content_type().to_string())
        // A slash is refused.
        .set("name", name.replace('/', "_"))
        .set("content", Json::Base64(part.to_base64()))
}

#[cfg(test)]
mod tests {
    use posthaste_transport::SendOptions;
    use serde_json::json;

    use super::*;
    use crate::adapters::testing::{Bench, builder, plain, refused};

    fn unisender() -> UnisenderGo {
        UnisenderGo::new("key", "https://go1.unisender.ru/ru/transactional/api/v1").unwrap()
    }

    #[test]
    fn errors_say_what_may_be_repeated() {
        use Disposition::{Ambiguous, NotAccepted};
        use ErrorKind::{Invalid, Rejected, Throttled, Unauthorized, Unavailable, Unknown};
        for (status, kind, disposition) in [
            (400, Invalid, NotAccepted),
            (401, Unauthorized, NotAccepted),
            (403, Unauthorized, NotAccepted),
            (404, Invalid, NotAccepted),
            (413, Rejected, NotAccepted),
            (429, Throttled, NotAccepted),
            (500, Unavailable, Ambiguous),
            (503, Unavailable, Ambiguous),
            // An error, though the status is one of success.
            (200, Invalid, NotAccepted),
        ] {
            let body = json!({"status": "error", "message": "no", "code": 999}).to_string();
            let expected = (kind, disposition, Some("999".to_owned()));
            assert_eq!(refused(unisender(), status, &body), expected, "{status}");
        }
        for (status, body, kind, disposition) in [
            (500, "<html>", Unavailable, Ambiguous),
            (429, "", Throttled, NotAccepted),
            (200, "", Unknown, Ambiguous),
            (200, "{}", Unknown, Ambiguous),
            (200, r#"{"status":"perhaps"}"#, Unknown, Ambiguous),
            // Nobody can be written to.
            (204, "", Rejected, NotAccepted),
        ] {
            assert_eq!(
                refused(unisender(), status, body),
                (kind, disposition, None),
                "{status} {body}"
            );
        }
    }

    #[test]
    fn each_recipient_has_a_reason_of_its_own() {
        let answer = json!({
            "status": "success",
            "job_id": "1",
            "emails": ["a@example.net"],
            "failed_emails": {
                "b@example.net": "invalid",
                "c@example.net": "unsubscribed",
                "d@example.net": "permanent_unavailable",
                "e@example.net": "temporary_unavailable",
                "F@Example.NET": "duplicate",
            },
        });
        let message = ["a", "b", "c", "d", "e", "f"].iter().fold(builder(), |message, name| {
            message.to(format!("{name}@example.net").parse().unwrap())
        });
        let outcome = Bench::new(unisender(), 200, answer.to_string())
            .send(message, &SendOptions::new())
            .unwrap();
        let said: Vec<_> = outcome
            .recipients()
            .iter()
            .map(|one| {
                one.fate()
                    .refusal()
                    .map(|refusal| (refusal.code(), refusal.is_permanent()))
            })
            .collect();
        assert_eq!(
            said,
            [
                None,
                Some((Some("invalid"), true)),
                Some((Some("unsubscribed"), true)),
                Some((Some("permanent_unavailable"), true)),
                Some((Some("temporary_unavailable"), false)),
                None
            ]
        );
        // All of one message refused for now: the same may work later.
        let answer = r#"{"status":"success","job_id":"1","emails":[],
            "failed_emails":{"a@example.net":"temporary_unavailable"}}"#;
        let error = Bench::new(unisender(), 200, answer)
            .send(plain(), &SendOptions::new())
            .unwrap_err();
        assert_eq!(error.disposition(), Disposition::NotAccepted);
        assert_eq!(error.kind(), ErrorKind::Unavailable);
    }
}
