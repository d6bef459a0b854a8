//! Postal, which one runs oneself.

use posthaste_mime::{Attachment, Base64Alphabet};
use posthaste_transport::{Capabilities, Disposition, ErrorKind, Fate, Feature, SendError, TagCharset};
use serde_json::Value;

use crate::receipt::text;
use crate::registry::FromSettings;
use crate::{
    Adapter, Copy, CopyReceipt, Fault, HttpRequest, HttpResponse, Json, Profile, Receipt, Secret, SecretError,
    Settings, SettingsError, Submission, addresses, attachments,
};

/// Addresses of one field.
const MAX_FIELD: usize = 50;

static PROFILE: Profile = Profile::new(
    "postal",
    "Postal",
    Capabilities::none()
        .with_unasked_tracking()
        .with(Feature::RawMime)
        .with(Feature::EnvelopeSender)
        .with(Feature::EnvelopeRecipients)
        .with(Feature::EightBit)
        .with(Feature::CustomHeaders)
        .with(Feature::Attachments)
        .with(Feature::PersonalHeaders)
        .with(Feature::Tags)
        .with_max_recipients(3 * 50)
        .with_max_reply_to(1)
        .with_tag_limits(1, u32::MAX, TagCharset::Any),
)
.without_need_of_to();

/// Postal, which one runs oneself.
///
/// URL: `postal://KEY@postal.example.org`, the server where a host would be; `endpoint` in its place for one without TLS or below a
/// path.
///
/// There is one tag, and there are no metadata, templates or streams. What the text shows by its Content-ID is not taken as
/// fields: send such a message as finished bytes. Of the type of an attachment the parameters are left out. An envelope sender
/// is Postal's `sender`, and has to be of a domain that the server knows.
#[derive(Clone, Debug)]
pub struct Postal {
    key: Secret,
    endpoint: String,
}

impl Postal {
    /// Takes the base URL of the server, without a slash at its end, and an API key of a mail server there.
    ///
    /// # Errors
    ///
    /// [`SecretError`] if the key cannot stand in a header field.
    pub fn new(endpoint: impl Into<String>, key: impl Into<String>) -> Result<Self, SecretError> {
        Ok(Self {
            key: Secret::new(key)?,
            endpoint: endpoint.into(),
        })
    }
}

impl FromSettings for Postal {
    const PROFILE: &'static Profile = &PROFILE;

    fn from_settings(settings: &mut Settings) -> Result<Self, SettingsError> {
        let key = settings.key("API key")?;
        let endpoint = match settings.take("endpoint") {
            Some(endpoint) => endpoint,
            None => format!("https://{}", settings.host().ok_or(SettingsError::Missing("host"))?),
        };
        Ok(Self::new(endpoint, key)?)
    }
}

impl Adapter for Postal {
    fn profile(&self) -> &Profile {
        &PROFILE
    }

    fn encode(&self, submission: &Submission<'_>) -> Result<HttpRequest, SendError> {
        let empty = Copy::default();
        let copy = submission.copies().first().unwrap_or(&empty);
        let (path, json) = match submission.raw() {
            Some(raw) => {
                if !submission.tags().is_empty() {
                    return Err(submission.invalid("writing a tag beside finished bytes, which hold it as a field"));
                }
                let everybody = copy.everybody().map(|mailbox| addresses::address(mailbox.address()));
                let json = Json::object()
                    .set_some("mail_from", submission.mail_from().map(addresses::address))
                    .set("rcpt_to", Json::array(everybody))
                    .set("data", Json::Base64(raw.to_base64(Base64Alphabet::Standard)));
                ("raw", json)
            }
            None => ("message", message(submission, copy)?),
        };
        Ok(submission
            .post_json(format!("{}/api/v1/send/{path}", self.endpoint), json)
            .with_secret_header("X-Server-API-Key", self.key.expose()))
    }

    fn decode(&self, _: &Submission<'_>, response: &HttpResponse) -> Result<Receipt, Fault> {
        let body = response.json().ok_or_else(Fault::new)?;
        if body.get("status").and_then(Value::as_str) != Some("success") {
            return Err(self.fault(response));
        }
        let messages = body.pointer("/data/messages").and_then(Value::as_object);
        let copy = messages
            .into_iter()
            .flatten()
            .fold(CopyReceipt::new(Fate::Accepted, None), |copy, (address, said)| {
                copy.except(address, Fate::Accepted, said.get("id").and_then(text))
            });
        Ok(Receipt::whole(copy))
    }

    /// Errors come with status 200.
    fn fault(&self, response: &HttpResponse) -> Fault {
        let body = response.json().unwrap_or_default();
        let fault = Fault::of_json(&body, "/data/code", "/data/message");
        let refuses = matches!(
            body.get("status").and_then(Value::as_str),
            Some("error" | "parameter-error")
        );
        if !refuses {
            return fault;
        }
        let kind = match fault.code() {
            Some("AccessDenied" | "InvalidServerAPIKey" | "ServerSuspended") => ErrorKind::Unauthorized,
            _ if response.is_success() => ErrorKind::Invalid,
            // The status says more than a name that is not known here.
            _ => return fault,
        };
        fault.with_kind(kind).with_disposition(Disposition::NotAccepted)
    }
}

fn message(submission: &Submission<'_>, copy: &Copy<'_>) -> Result<Json, SendError> {
    submission.limit_fields(MAX_FIELD, MAX_FIELD, MAX_FIELD)?;
    let message = submission.message()?;
    // Postal wants all three, empty or not.
    Ok(Json::object()
        .set_some("from", message.from().first().map(addresses::text))
        .set_some("sender", submission.other_mail_from().map(addresses::address))
        .set("to", Json::array(copy.to().map(addresses::text)))
        .set("cc", Json::array(copy.cc().map(addresses::text)))
        .set("bcc", Json::array(copy.bcc().map(addresses::text)))
        .set_some("reply_to", message.reply_to().first().map(addresses::text))
        .set_some("subject", message.subject())
        .set_some("tag", submission.tags().first())
        .set_some("plain_body", message.text())
        .set_some("html_body", message.html())
        .set_filled("headers", submission.headers_of(copy).into_iter().collect::<Json>())
        .set_filled("attachments", Json::array(message.attachments().iter().map(file))))
}

fn file(part: &Attachment) -> Json {
    Json::object()
        .set("name", attachments::name(part))
        .set("content_type", part.content_type().essence())
        .set("data", Json::Base64(part.to_base64()))
}

#[cfg(test)]
mod tests {
    use posthaste_transport::{Outbound, SendOptions};
    use serde_json::json;

    use super::*;
    use crate::adapters::testing::{Bench, builder, plain, refused};

    const SENT: &str = r#"{"status":"success","time":0.1,"flags":{},"data":{
        "message_id":"1@rp.example.com","messages":{"a@example.net":{"id":1503,"token":"x"},"b@example.net":{"id":1504}}}}"#;

    fn postal() -> Postal {
        Postal::new("https://postal.example.com", "key").unwrap()
    }

    #[test]
    fn everybody_has_an_id() {
        let bench = Bench::new(postal(), 200, SENT);
        let both = plain().to("B@example.net".parse().unwrap());
        let outcome = bench.send(both, &SendOptions::new()).unwrap();
        let ids: Vec<_> = outcome.recipients().iter().map(|one| one.provider_id()).collect();
        assert_eq!(ids, [Some("1503"), Some("1504")]);
    }

    #[test]
    fn finished_bytes_have_an_envelope() {
        use base64::Engine as _;
        let bench = Bench::new(postal(), 200, SENT);
        let mail = Outbound::new(plain().build().unwrap()).unwrap();
        let raw = Outbound::raw(mail.envelope().clone(), mail.rope());
        assert!(bench.send_mail(&raw, &SendOptions::new()).unwrap().is_complete());
        assert_eq!(bench.request().url(), "https://postal.example.com/api/v1/send/raw");
        let bytes = mail.rope().to_bytes().unwrap();
        assert_eq!(
            bench.body(),
            json!({
                "mail_from": "app@example.com",
                "rcpt_to": ["a@example.net"],
                "data": base64::engine::general_purpose::STANDARD.encode(bytes),
            })
        );
        let bench = Bench::new(postal(), 200, SENT);
        let tagged = SendOptions::new().with_tag("welcome").unwrap();
        let error = bench.send_mail(&raw, &tagged).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(bench.requests().is_empty());
    }

    #[test]
    fn each_field_has_its_limit() {
        let bench = Bench::new(postal(), 200, SENT);
        let many = (0..51).fold(builder(), |message, number| {
            message.to(format!("p{number}@example.net").parse().unwrap())
        });
        let error = bench.send(many, &SendOptions::new()).unwrap_err();
        assert_eq!(error.unsupported()[0].feature(), Feature::Recipients);
        assert!(bench.requests().is_empty());
    }

    #[test]
    fn a_url_names_the_server() {
        let made = |url: &str| Postal::from_settings(&mut Settings::parse(url).unwrap());
        for (url, endpoint) in [
            (
                "postal://KEY@postal.example.com:8443",
                "https://postal.example.com:8443",
            ),
            (
                "postal://KEY@default?endpoint=http://127.0.0.1:5000",
                "http://127.0.0.1:5000",
            ),
        ] {
            assert_eq!(made(url).unwrap().endpoint, endpoint);
        }
        let error = made("postal://KEY@default").map(|_| ()).unwrap_err();
        assert_eq!(error, SettingsError::Missing("host"));
    }

    #[test]
    fn errors_that_look_like_successes_are_none() {
        use Disposition::{Ambiguous, NotAccepted};
        for (status, said, code, kind) in [
            (200, "error", "ValidationError", ErrorKind::Invalid),
            (200, "error", "InvalidServerAPIKey", ErrorKind::Unauthorized),
            (403, "error", "ServerSuspended", ErrorKind::Unauthorized),
            (200, "parameter-error", "", ErrorKind::Invalid),
        ] {
            let body = json!({"status": said, "data": {"code": code, "message": "no"}}).to_string();
            let seen = refused(postal(), status, &body);
            let code = (!code.is_empty()).then(|| code.to_owned());
            assert_eq!(seen, (kind, NotAccepted, code), "{said}");
        }
        for (status, body) in [(200, "{}"), (200, ""), (500, "<html>")] {
            assert_eq!(refused(postal(), status, body).1, Ambiguous, "{status} {body}");
        }
    }
}
