//! ZeptoMail by Zoho.

use std::borrow::Cow;

use posthaste_address::Mailbox;
use posthaste_mime::Attachment;
use posthaste_transport::{Capabilities, Disposition, ErrorKind, Feature, SendError, Shortfall};

use crate::receipt::{at, text};
use crate::registry::FromSettings;
use crate::{
    Adapter, Copy, Fault, HttpRequest, HttpResponse, Json, Profile, Receipt, Secret, SecretError, Settings,
    SettingsError, Submission, addresses, attachments,
};

static PROFILE: Profile = Profile::new(
    "zeptomail",
    "ZeptoMail",
    Capabilities::none()
        .with(Feature::EnvelopeSender)
        .with(Feature::EnvelopeRecipients)
        .with(Feature::CustomHeaders)
        .with(Feature::Attachments)
        .with(Feature::InlineParts)
        .with(Feature::StoredTemplate)
        .with(Feature::PersonalData)
        .with(Feature::Metadata)
        .with(Feature::TrackOpens)
        .with(Feature::TrackClicks)
        .with_max_recipients(500)
        .with_max_batch(500)
        .with_max_message_size(15 << 20),
)
.with_max_request_size(15 << 20);

/// ZeptoMail by Zoho.
///
/// URL: `zeptomail://TOKEN@default`; `region` for another data centre, by the end of its domain: `com`, `eu`, `in`, `com.au`, `jp`,
/// `com.cn`; `endpoint` for another base URL.
///
/// Metadata are the client reference, as JSON, which comes back with events. A template is named by its key, in which there
/// is a full stop, or by its alias; data are its merge info, and that of the texts of a batch. An envelope sender other than
/// the author is the bounce address. A batch goes to its recipients alone: copies are refused.
#[derive(Clone, Debug)]
pub struct ZeptoMail {
    token: Secret,
    endpoint: Cow<'static, str>,
}

impl ZeptoMail {
    /// Takes the send mail token of an agent, without the word before it.
    ///
    /// # Errors
    ///
    /// [`SecretError`] if it cannot stand in a header field.
    pub fn new(token: impl Into<String>) -> Result<Self, SecretError> {
        Ok(Self {
            token: Secret::new(token)?,
            endpoint: Cow::Borrowed("https://api.zeptomail.com"),
        })
    }

    /// Sends to another base URL, without a slash at its end.
    #[must_use]
    pub fn with_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Cow::Owned(url.into());
        self
    }
}

impl FromSettings for ZeptoMail {
    const PROFILE: &'static Profile = &PROFILE;

    fn from_settings(settings: &mut Settings) -> Result<Self, SettingsError> {
        let mut adapter = Self::new(settings.key("send mail token")?)?;
        if let Some(region) = settings.take("region") {
            if !["com", "eu", "in", "com.au", "jp", "com.cn"].contains(&region.as_str()) {
                return Err(SettingsError::Value {
                    key: "region".to_owned(),
                    expected: "com, eu, in, com.au, jp or com.cn",
                });
            }
            adapter = adapter.with_endpoint(format!("https://api.zeptomail.{region}"));
        }
        Ok(match settings.take("endpoint") {
            Some(endpoint) => adapter.with_endpoint(endpoint),
            None => adapter,
        })
    }
}

impl Adapter for ZeptoMail {
    fn profile(&self) -> &Profile {
        &PROFILE
    }

    fn encode(&self, submission: &Submission<'_>) -> Result<HttpRequest, SendError> {
        let message = submission.message()?;
        let template = submission.template();
        let is_batch = submission.is_individual();
        let shared = submission.copies().first().filter(|_| !is_batch);
        if !is_batch {
            submission.refuse_data_without_template()?;
        }
        let has_copies = |copy: &Copy<'_>| copy.cc().len() + copy.bcc().len() > 0;
        if is_batch && submission.copies().iter().any(has_copies) {
            return Err(submission.refuse(Feature::EnvelopeRecipients, Shortfall::Missing));
        }
        let to = submission.copies().iter().flat_map(|copy| {
            let info = copy.personal().map(|personal| personal.data().clone());
            copy.to()
                .map(move |mailbox| recipient(mailbox).set_filled("merge_info", info.clone().unwrap_or_default()))
        });
        let inlines = message.inlines().iter().map(|part| {
            let id = part.content_id().map(|id| id.as_str().to_owned());
            content(part).set("cid", id.unwrap_or_else(|| attachments::name(part)))
        });
        let files = message
            .attachments()
            .iter()
            .map(|part| content(part).set("name", attachments::name(part)));
        let json = Json::object()
            .set_some("from", message.from().first().map(mailbox))
            .set("to", Json::array(to))
            .set_filled("cc", Json::array(shared.into_iter().flat_map(Copy::cc).map(recipient)))
            .set_filled(
                "bcc",
                Json::array(shared.into_iter().flat_map(Copy::bcc).map(recipient)),
            )
            .set_filled("reply_to", Json::array(message.reply_to().iter().map(mailbox)))
            .set_some("bounce_address", submission.other_mail_from().map(addresses::address))
            // A template brings its own.
            .set_some("subject", message.subject().filter(|_| template.is_none()))
            .set_some("textbody", message.text().filter(|_| template.is_none()))
            .set_some("htmlbody", message.html().filter(|_| template.is_none()))
            .set_some("template_key", template.filter(|id| id.contains('.')))
            .set_some("template_alias", template.filter(|id| !id.contains('.')))
            .set_some("merge_info", submission.data().cloned())
            .set_some("client_reference", submission.metadata_text(&Copy::default()))
            .set_filled("mime_headers", submission.headers().into_iter().collect::<Json>())
            .set_filled("inline_images", Json::array(inlines))
            .set_filled("attachments", Json::array(files))
            .set_some("track_opens", submission.track_opens())
            .set_some("track_clicks", submission.track_clicks());
        let path = match (template.is_some(), is_batch) {
            (false, false) => "email",
            (false, true) => "email/batch",
            (true, false) => "email/template",
            (true, true) => "email/template/batch",
        };
        Ok(submission
            .post_json(format!("{}/v1.1/{path}", self.endpoint), json)
            .with_secret_header("Authorization", format!("Zoho-enczapikey {}", self.token.expose())))
    }

    fn decode(&self, _: &Submission<'_>, response: &HttpResponse) -> Result<Receipt, Fault> {
        let body = response.json().ok_or_else(Fault::new)?;
        if at(&body, "/error").is_object() {
            return Err(self.fault(response));
        }
        let id = text(at(&body, "/request_id")).ok_or_else(Fault::new)?;
        Ok(Receipt::accepted(Some(id)))
    }

    fn fault(&self, response: &HttpResponse) -> Fault {
        let body = response.json().unwrap_or_default();
        let mut fault = Fault::of_json(&body, "/error/code", "/error/message");
        if let Some(message) = text(at(&body, "/error/details/0/message")) {
            fault = fault.with_message(message);
        }
        let reason = at(&body, "/error/details/0/code").as_str();
        let kind = match (fault.code(), reason) {
            // No credits, or no more of them today.
            (Some("TM_5001"), _) | (Some(_), Some("LE_101" | "SM_133" | "SMI_115")) => ErrorKind::Throttled,
            // This address of ours may not send, or the account may not.
            (Some("TM_4001"), _) | (Some(_), Some("SERR_156" | "AE_101")) => ErrorKind::Unauthorized,
            (Some("TM_8001"), _) => ErrorKind::Rejected,
            // A mistake of the caller's, with a status that says otherwise.
            (Some(code), _) if code.starts_with("TM_3") && response.status() >= 500 => ErrorKind::Invalid,
            (Some(_), _) if response.is_success() => ErrorKind::Invalid,
            _ => return fault,
        };
        // It has read the request and says no, whatever the status.
        fault.with_kind(kind).with_disposition(Disposition::NotAccepted)
    }
}

fn mailbox(mailbox: &Mailbox) -> Json {
    addresses::object(mailbox, "address", "name")
}

fn recipient(one: &Mailbox) -> Json {
    Json::object().set("email_address", mailbox(one))
}

fn content(part: &Attachment) -> Json {
    Json::object()
        .set("content", Json::Base64(part.to_base64()))
        .set("mime_type", part.content_type().essence())
}

#[cfg(test)]
mod tests {
    use posthaste_transport::SendOptions;
    use serde_json::json;

    use super::*;
    use crate::adapters::testing::{Bench, plain, refused};

    fn zeptomail() -> ZeptoMail {
        ZeptoMail::new("token").unwrap()
    }

    #[test]
    fn errors_say_what_may_be_repeated() {
        use Disposition::{Ambiguous, NotAccepted};
        use ErrorKind::{Invalid, Rejected, Throttled, Unauthorized, Unavailable, Unknown};
        for (status, code, kind, disposition) in [
            (400, "TM_3201", Invalid, NotAccepted),
            (422, "TM_3301", Invalid, NotAccepted),
            (429, "TM_3601", Throttled, NotAccepted),
            (500, "TM_3501", Invalid, NotAccepted),
            (401, "TM_4001", Unauthorized, NotAccepted),
            (500, "TM_4001", Unauthorized, NotAccepted),
            (429, "TM_5001", Throttled, NotAccepted),
            (400, "TM_5001", Throttled, NotAccepted),
            (403, "TM_8001", Rejected, NotAccepted),
            (400, "GE_100", Invalid, NotAccepted),
            (401, "SERR_157", Unauthorized, NotAccepted),
            (413, "GE_100", Rejected, NotAccepted),
            (429, "GE_100", Throttled, NotAccepted),
            (500, "GE_100", Unavailable, Ambiguous),
            (503, "GE_100", Unavailable, Ambiguous),
            // An error, though the status is one of success.
            (200, "TM_3201", Invalid, NotAccepted),
            (201, "GE_100", Invalid, NotAccepted),
        ] {
            let body = json!({"error": {"code": code, "message": "no", "details": []}}).to_string();
            let expected = (kind, disposition, Some(code.to_owned()));
            assert_eq!(refused(zeptomail(), status, &body), expected, "{status} {code}");
        }
        for (status, body, kind, disposition) in [
            (500, "<html>", Unavailable, Ambiguous),
            (401, "", Unauthorized, NotAccepted),
            (201, "{}", Unknown, Ambiguous),
            (201, "", Unknown, Ambiguous),
            (201, r#"{"error":{}}"#, Unknown, Ambiguous),
        ] {
            assert_eq!(
                refused(zeptomail(), status, body),
                (kind, disposition, None),
                "{status} {body}"
            );
        }
    }

    #[test]
    fn limits_and_blocks_are_told_by_the_reason() {
        use ErrorKind::{Invalid, Throttled, Unauthorized};
        for (code, reason, kind) in [
            ("TM_3201", "GE_102", Invalid),
            ("TM_3301", "SM_120", Invalid),
            ("TM_3501", "MTR_101", Invalid),
            ("TM_3501", "LE_101", Throttled),
            ("TM_3601", "SERR_156", Unauthorized),
            ("TM_3601", "SM_133", Throttled),
            ("TM_3601", "SMI_115", Throttled),
            ("TM_3601", "AE_101", Unauthorized),
            ("TM_4001", "SM_111", Unauthorized),
        ] {
            let body = json!({"error": {"code": code, "message": "no", "details": [{"code": reason}]}}).to_string();
            for status in [200, 400, 500] {
                let expected = (kind, Disposition::NotAccepted, Some(code.to_owned()));
                assert_eq!(
                    refused(zeptomail(), status, &body),
                    expected,
                    "{status} {code} {reason}"
                );
            }
        }
    }

    #[test]
    fn the_words_of_an_error_are_those_of_its_first_detail() {
        let body = r#"{"error":{"code":"TM_3201","message":"Mandatory field missing",
            "details":[{"code":"GE_102","message":"This field is blank","target":"subject"}]}}"#;
        let error = Bench::new(zeptomail(), 400, body)
            .send(plain(), &SendOptions::new())
            .unwrap_err();
        let source = std::error::Error::source(&error).unwrap();
        let said = source.downcast_ref::<crate::ProviderError>().unwrap();
        assert_eq!(said.message(), Some("This field is blank"));
    }
}
