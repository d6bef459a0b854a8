//! Cloudflare Email Service.

use std::borrow::Cow;

use posthaste_address::Mailbox;
use posthaste_mime::Attachment;
use posthaste_transport::{Capabilities, Disposition, ErrorKind, Fate, Feature, Refusal, SendError};

use crate::receipt::{at, text};
use crate::registry::FromSettings;
use crate::{
    Adapter, Copy, CopyReceipt, Fault, HttpRequest, HttpResponse, Json, Profile, Receipt, Secret, SecretError,
    Settings, SettingsError, Submission, addresses, attachments,
};

static PROFILE: Profile = Profile::new(
    "cloudflare",
    "Cloudflare",
    Capabilities::none()
        .with(Feature::EnvelopeRecipients)
        .with(Feature::RecipientOutcomes)
        .with(Feature::CustomHeaders)
        .with(Feature::Attachments)
        .with(Feature::InlineParts)
        .with(Feature::PersonalHeaders)
        .with_max_reply_to(1),
)
.with_request_id_headers(&["CF-Ray"]);

/// Cloudflare Email Service.
///
/// URL: `cloudflare://TOKEN@default?account=ID`; `endpoint` for another base URL.
///
/// It knows neither tags, metadata and tracking nor templates and batches, and says no id of what it accepted: the id of the
/// request is what its support asks for.
#[derive(Clone, Debug)]
pub struct Cloudflare {
    token: Secret,
    account: String,
    endpoint: Cow<'static, str>,
}

impl Cloudflare {
    /// Takes an API token and the id of an account, of which letters and digits count.
    ///
    /// # Errors
    ///
    /// [`SecretError`] if the token cannot stand in a header field.
    pub fn new(token: impl Into<String>, account: &str) -> Result<Self, SecretError> {
        Ok(Self {
            token: Secret::new(token)?,
            account: account.chars().filter(char::is_ascii_alphanumeric).collect(),
            endpoint: Cow::Borrowed("https://api.cloudflare.com"),
        })
    }

    /// Sends to another base URL, without a slash at its end.
    #[must_use]
    pub fn with_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Cow::Owned(url.into());
        self
    }
}

impl FromSettings for Cloudflare {
    const PROFILE: &'static Profile = &PROFILE;

    fn from_settings(settings: &mut Settings) -> Result<Self, SettingsError> {
        let token = settings.key("API token")?;
        let account = settings.take("account").ok_or(SettingsError::Missing("account"))?;
        let adapter = Self::new(token, &account)?;
        Ok(match settings.take("endpoint") {
            Some(endpoint) => adapter.with_endpoint(endpoint),
            None => adapter,
        })
    }
}

impl Adapter for Cloudflare {
    fn profile(&self) -> &Profile {
        &PROFILE
    }

    fn encode(&self, submission: &Submission<'_>) -> Result<HttpRequest, SendError> {
        let message = submission.message()?;
        // A call holds one copy.
        let nobody = Copy::default();
        let copy = submission.copies().first().unwrap_or(&nobody);
        let files = message.inlines().iter().map(|part| attachment(part, "inline"));
        let files = files.chain(message.attachments().iter().map(|part| attachment(part, "attachment")));
        let json = Json::object()
            .set_some("from", message.from().first().map(mailbox))
            .set("to", Json::array(copy.to().map(mailbox)))
            .set_filled("cc", Json::array(copy.cc().map(mailbox)))
            .set_filled("bcc", Json::array(copy.bcc().map(mailbox)))
            .set_some("reply_to", message.reply_to().first().map(mailbox))
            .set_some("subject", message.subject())
            .set_some("html", message.html())
            .set_some("text", message.text())
            .set_filled("headers", submission.headers_of(copy).into_iter().collect::<Json>())
            .set_filled("attachments", Json::array(files));
        let url = format!(
            "{}/client/v4/accounts/{}/email/sending/send",
            self.endpoint, self.account
        );
        Ok(submission
            .post_json(url, json)
            .with_secret_header("Authorization", format!("Bearer {}", self.token.expose())))
    }

    fn decode(&self, _: &Submission<'_>, response: &HttpResponse) -> Result<Receipt, Fault> {
        let body = response.json().ok_or_else(Fault::new)?;
        match at(&body, "/success").as_bool() {
            Some(true) => {}
            Some(false) => {
                return Err(self
                    .fault(response)
                    .with_kind(ErrorKind::Invalid)
                    .with_disposition(Disposition::NotAccepted));
            }
            None => return Err(Fault::new()),
        }
        let bounced = at(&body, "/result/permanent_bounces").as_array();
        let copy = bounced
            .into_iter()
            .flatten()
            .filter_map(text)
            .fold(CopyReceipt::new(Fate::Accepted, None), |copy, address| {
                copy.except(address, Fate::Refused(Refusal::permanent()), None)
            });
        Ok(Receipt::whole(copy))
    }

    fn fault(&self, response: &HttpResponse) -> Fault {
        Fault::of_json(
            &response.json().unwrap_or_default(),
            "/errors/0/code",
            "/errors/0/message",
        )
    }
}

/// Writes an address: alone as text, with a name as an object.
fn mailbox(mailbox: &Mailbox) -> Json {
    match mailbox.name() {
        Some(_) => addresses::object(mailbox, "address", "name"),
        None => Json::from(addresses::address(mailbox.address())),
    }
}

fn attachment(part: &Attachment, disposition: &'static str) -> Json {
    Json::object()
        .set("content", Json::Base64(part.to_base64()))
        .set("filename", attachments::name(part))
        .set("type", part.content_type().essence())
        .set("disposition", disposition)
        .set_some(
            "content_id",
            part.content_id()
                .filter(|_| disposition == "inline")
                .map(|id| id.as_str()),
        )
}

#[cfg(test)]
mod tests {
    use posthaste_transport::SendOptions;
    use serde_json::json;

    use super::*;
    use crate::adapters::testing::{Bench, builder, refused};

    fn cloudflare() -> Cloudflare {
        Cloudflare::new("token", "0123456789abcdef").unwrap()
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
            let body = json!({"success": false, "errors": [{"code": 10001, "message": "no"}], "messages": []});
            let expected = (kind, disposition, Some("10001".to_owned()));
            assert_eq!(refused(cloudflare(), status, &body.to_string()), expected, "{status}");
        }
        for (status, body, kind, disposition) in [
            (502, "<html>", Unavailable, Ambiguous),
            (200, r#"{"success":false,"errors":[]}"#, Invalid, NotAccepted),
            (200, r#"{"errors":[]}"#, Unknown, Ambiguous),
            (200, "{}", Unknown, Ambiguous),
            (200, "", Unknown, Ambiguous),
        ] {
            assert_eq!(
                refused(cloudflare(), status, body),
                (kind, disposition, None),
                "{status} {body}"
            );
        }
    }

    #[test]
    fn who_bounced_at_once_is_refused_and_the_others_are_not() {
        let answer = r#"{"success":true,"errors":[],"messages":[],
            "result":{"delivered":["a@example.net"],"permanent_bounces":["B@example.net"],"queued":[]}}"#;
        let message = builder()
            .to("a@example.net".parse().unwrap())
            .to("b@example.net".parse().unwrap());
        let outcome = Bench::new(cloudflare(), 200, answer)
            .send(message, &SendOptions::new())
            .unwrap();
        assert!(outcome.recipients()[0].fate().is_accepted());
        assert!(outcome.recipients()[1].fate().refusal().unwrap().is_permanent());
    }
}
