//! Scaleway Transactional Email.

use std::borrow::Cow;

use posthaste_address::Mailbox;
use posthaste_mime::Attachment;
use posthaste_transport::{Capabilities, ErrorKind, Fate, Feature, Refusal, SendError, TagCharset};
use serde_json::Value;

use crate::receipt::{at, text};
use crate::registry::FromSettings;
use crate::{
    Adapter, Copy, CopyReceipt, Fault, HttpRequest, HttpResponse, Json, Profile, Receipt, Secret, SecretError,
    Settings, SettingsError, Submission, addresses, attachments, words,
};

static PROFILE: Profile = Profile::new(
    "scaleway",
    "Scaleway",
    Capabilities::none()
        .with(Feature::EnvelopeRecipients)
        .with(Feature::RecipientOutcomes)
        .with(Feature::CustomHeaders)
        .with(Feature::Attachments)
        .with(Feature::PersonalMetadata)
        .with(Feature::PersonalHeaders)
        .with(Feature::Tags)
        .with(Feature::Metadata)
        .with_tag_limits(75, 255, TagCharset::Any),
);

/// Scaleway Transactional Email.
///
/// URL: `scaleway://SECRET@default?project=ID`, with the secret key of an API key; `region`, `fr-par` unless it is set;
/// `endpoint` for another base URL.
///
/// Tags and metadata go into header fields, `X-Tags` and `X-Metadata`, as JSON: recipients can see them. Subject and texts must
/// have ten characters at least, which Scaleway checks. It takes attachments of some types only, 2 MB in all, and cannot show
/// pictures in the text.
#[derive(Clone, Debug)]
pub struct Scaleway {
    secret: Secret,
    project: String,
    region: Cow<'static, str>,
    endpoint: Cow<'static, str>,
}

impl Scaleway {
    /// Takes the secret key of an API key and the id of a project.
    ///
    /// # Errors
    ///
    /// [`SecretError`] if the key cannot stand in a header field.
    pub fn new(secret: impl Into<String>, project: impl Into<String>) -> Result<Self, SecretError> {
        Ok(Self {
            secret: Secret::new(secret)?,
            project: project.into(),
            region: Cow::Borrowed("fr-par"),
            endpoint: Cow::Borrowed("https://api.scaleway.com"),
        })
    }

    /// Sends by another region, by its name: lower-case letters, digits, hyphens; anything else in it is left out.
    #[must_use]
    pub fn in_region(mut self, region: &str) -> Self {
        let allowed = |character: &char| character.is_ascii_alphanumeric() || *character == '-';
        self.region = Cow::Owned(region.chars().filter(allowed).collect());
        self
    }

    /// Sends to another base URL, without a slash at its end.
    #[must_use]
    pub fn with_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Cow::Owned(url.into());
        self
    }
}

impl FromSettings for Scaleway {
    const PROFILE: &'static Profile = &PROFILE;

    fn from_settings(settings: &mut Settings) -> Result<Self, SettingsError> {
        let secret = settings.key("secret key")?;
        let project = settings.take("project").ok_or(SettingsError::Missing("project"))?;
        let mut adapter = Self::new(secret, project)?;
        if let Some(region) = settings.take("region") {
            adapter = adapter.in_region(&region);
        }
        Ok(match settings.take("endpoint") {
            Some(endpoint) => adapter.with_endpoint(endpoint),
            None => adapter,
        })
    }
}

impl Adapter for Scaleway {
    fn profile(&self) -> &Profile {
        &PROFILE
    }

    fn encode(&self, submission: &Submission<'_>) -> Result<HttpRequest, SendError> {
        let message = submission.message()?;
        // A call holds one copy.
        let nobody = Copy::default();
        let copy = submission.copies().first().unwrap_or(&nobody);
        let reply_to: Vec<String> = message.reply_to().iter().map(words::mailbox).collect();
        let reply_to = (!reply_to.is_empty()).then(|| ("Reply-To", Cow::Owned(reply_to.join(", "))));
        let headers = reply_to
            .into_iter()
            .chain(submission.headers_of(copy))
            .chain(
                submission
                    .metadata_text(copy)
                    .map(|json| ("X-Metadata", Cow::Owned(json))),
            )
            .chain(submission.tags_text().map(|json| ("X-Tags", Cow::Owned(json))))
            .map(|(name, value)| Json::object().set("key", name).set("value", value));
        let json = Json::object()
            .set("project_id", self.project.as_str())
            .set_some("from", message.from().first().map(mailbox))
            .set("to", Json::array(copy.to().map(mailbox)))
            .set_filled("cc", Json::array(copy.cc().map(mailbox)))
            .set_filled("bcc", Json::array(copy.bcc().map(mailbox)))
            .set_some("subject", message.subject())
            .set_some("text", message.text())
            .set_some("html", message.html())
            .set_filled("attachments", Json::array(message.attachments().iter().map(attachment)))
            .set_filled("additional_headers", Json::array(headers));
        let url = format!(
            "{}/transactional-email/v1alpha1/regions/{}/emails",
            self.endpoint, self.region
        );
        Ok(submission
            .post_json(url, json)
            .with_secret_header("X-Auth-Token", self.secret.expose()))
    }

    fn decode(&self, _: &Submission<'_>, response: &HttpResponse) -> Result<Receipt, Fault> {
        let body = response.json().ok_or_else(Fault::new)?;
        let emails = at(&body, "/emails").as_array().filter(|emails| !emails.is_empty());
        let emails = emails.ok_or_else(Fault::new)?;
        // There is one for each recipient; of whom there is none, nothing is said.
        let copy = emails
            .iter()
            .filter_map(|email| Some((text(at(email, "/mail_rcpt"))?, fate(email), text(at(email, "/id")))))
            .fold(CopyReceipt::new(Fate::Unknown, None), |copy, (address, fate, id)| {
                copy.except(address, fate, id)
            });
        Ok(Receipt::whole(copy))
    }

    fn fault(&self, response: &HttpResponse) -> Fault {
        let fault = Fault::of_json(&response.json().unwrap_or_default(), "/type", "/message");
        match fault.code() {
            // With 403, as what is forbidden.
            Some("quotas_exceeded") => fault.with_kind(ErrorKind::Throttled),
            _ => fault,
        }
    }
}

fn fate(email: &Value) -> Fate {
    match at(email, "/status").as_str() {
        Some("new" | "sending" | "sent") => Fate::Accepted,
        Some(refused @ ("failed" | "canceled")) => Fate::Refused(Refusal::permanent().with_code(refused)),
        _ => Fate::Unknown,
    }
}

fn mailbox(mailbox: &Mailbox) -> Json {
    addresses::object(mailbox, "email", "name")
}

fn attachment(part: &Attachment) -> Json {
    Json::object()
        .set("name", attachments::name(part))
        .set("type", part.content_type().to_string())
        .set("content", Json::Base64(part.to_base64()))
}

#[cfg(test)]
mod tests {
    use posthaste_transport::{Disposition, SendOptions};
    use serde_json::json;

    use super::*;
    use crate::adapters::testing::{Bench, builder, refused};

    fn scaleway() -> Scaleway {
        Scaleway::new("secret", "project").unwrap()
    }

    #[test]
    fn errors_say_what_may_be_repeated() {
        use Disposition::{Ambiguous, NotAccepted};
        use ErrorKind::{Invalid, Rejected, Throttled, Unauthorized, Unavailable, Unknown};
        for (status, code, kind, disposition) in [
            (400, "invalid_arguments", Invalid, NotAccepted),
            (401, "denied_authentication", Unauthorized, NotAccepted),
            (403, "permissions_denied", Unauthorized, NotAccepted),
            (403, "quotas_exceeded", Throttled, NotAccepted),
            (404, "not_found", Invalid, NotAccepted),
            (409, "already_exists", Invalid, NotAccepted),
            (413, "too_large", Rejected, NotAccepted),
            (429, "too_many_requests", Throttled, NotAccepted),
            (500, "internal_error", Unavailable, Ambiguous),
            (503, "internal_error", Unavailable, Ambiguous),
        ] {
            let body = json!({"type": code, "message": "no", "details": []}).to_string();
            let expected = (kind, disposition, Some(code.to_owned()));
            assert_eq!(refused(scaleway(), status, &body), expected, "{status} {code}");
        }
        for (status, body, kind, disposition) in [
            (500, "<html>", Unavailable, Ambiguous),
            (200, "", Unknown, Ambiguous),
            (200, "{}", Unknown, Ambiguous),
            (200, r#"{"emails":[]}"#, Unknown, Ambiguous),
            (
                200,
                r#"{"emails":[{"id":"1","mail_rcpt":"a@example.net","status":"unknown"}]}"#,
                Unknown,
                Ambiguous,
            ),
        ] {
            assert_eq!(
                refused(scaleway(), status, body),
                (kind, disposition, None),
                "{status} {body}"
            );
        }
    }

    #[test]
    fn who_is_not_in_the_answer_is_unknown() {
        let answer = r#"{"emails":[{"id":"1","mail_rcpt":"a@example.net","status":"new"}]}"#;
        let message = builder()
            .to("a@example.net".parse().unwrap())
            .to("b@example.net".parse().unwrap());
        let error = Bench::new(scaleway(), 200, answer)
            .send(message, &SendOptions::new())
            .unwrap_err();
        assert_eq!(error.disposition(), Disposition::Partial);
    }

    #[test]
    fn each_recipient_has_a_status_and_an_id() {
        let answer = json!({"emails": [
            {"id": "1", "mail_rcpt": "A@example.net", "status": "new"},
            {"id": "2", "mail_rcpt": "b@example.net", "status": "failed"},
            {"id": "3", "mail_rcpt": "c@example.net", "status": "canceled"},
            {"id": "4", "mail_rcpt": "d@example.net", "status": "sending"},
        ]});
        let message = ["a", "b", "c", "d"].iter().fold(builder(), |message, name| {
            message.to(format!("{name}@example.net").parse().unwrap())
        });
        let outcome = Bench::new(scaleway(), 200, answer.to_string())
            .send(message, &SendOptions::new())
            .unwrap();
        let said: Vec<_> = outcome
            .recipients()
            .iter()
            .map(|one| (one.provider_id(), one.fate().refusal().and_then(Refusal::code)))
            .collect();
        assert_eq!(
            said,
            [
                (Some("1"), None),
                (Some("2"), Some("failed")),
                (Some("3"), Some("canceled")),
                (Some("4"), None)
            ]
        );
    }
}
