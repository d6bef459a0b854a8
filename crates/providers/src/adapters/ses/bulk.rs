//! `SendBulkEmail`: a template, and an entry for each recipient.

use std::borrow::Cow;

use posthaste_transport::{Fate, Refusal, SendError};
use serde_json::{Map, Value};

use super::{AmazonSes, destination, files, headers, pair};
use crate::{Copy, CopyReceipt, HttpRequest, Json, Personal, Receipt, Submission, words};

impl AmazonSes {
    pub(super) fn bulk(&self, submission: &Submission<'_>) -> Result<HttpRequest, SendError> {
        let message = submission.message()?;
        let tags = self.tags(submission)?;
        let entries = submission
            .copies()
            .iter()
            .map(|copy| entry(submission, copy))
            .collect::<Result<Vec<_>, _>>()?;
        let json = Json::object()
            .set_some("FromEmailAddress", message.from().first().map(words::mailbox))
            .set_filled(
                "ReplyToAddresses",
                Json::array(message.reply_to().iter().map(words::mailbox)),
            )
            .set_filled("DefaultEmailTags", tags)
            .set("DefaultContent", Json::object().set("Template", template(submission)?))
            .set("BulkEmailEntries", entries);
        let url = format!("{}/v2/email/outbound-bulk-emails", self.endpoint);
        Ok(submission.post_json(url, self.common(submission, json)))
    }
}

/// The stored template, or one of the message's own texts.
fn template(submission: &Submission<'_>) -> Result<Json, SendError> {
    let message = submission.message()?;
    let named = match submission.template() {
        Some(arn) if arn.starts_with("arn:") => Json::object().set("TemplateArn", arn),
        Some(name) => Json::object().set("TemplateName", name),
        None => {
            let texts = [message.subject(), message.text(), message.html()];
            let has_data = submission.data().is_some()
                || submission
                    .copies()
                    .iter()
                    .filter_map(Copy::personal)
                    .any(|personal| !personal.data().is_empty());
            if !has_data && texts.iter().flatten().any(|text| text.contains("{{")) {
                return Err(submission.invalid("writing a text with {{, which SES would fill in, and no data for it"));
            }
            Json::object().set(
                "TemplateContent",
                Json::object()
                    .set_some("Subject", message.subject())
                    .set_some("Text", message.text())
                    .set_some("Html", message.html()),
            )
        }
    };
    Ok(named
        .set_some("TemplateData", submission.data().map(text))
        .set_filled("Headers", headers(submission.headers()))
        .set_filled("Attachments", files(submission)?))
}

fn text(data: &Map<String, Value>) -> String {
    Value::Object(data.clone()).to_string()
}

fn entry(submission: &Submission<'_>, copy: &Copy<'_>) -> Result<Json, SendError> {
    let personal = copy.personal();
    let data = personal.map_or_else(|| "{}".to_owned(), |personal| text(personal.data()));
    let own_headers = personal.into_iter().flat_map(Personal::headers);
    let own_headers = own_headers.map(|(name, value)| (name.as_str(), Cow::Borrowed(value.as_str())));
    let own_tags = personal
        .into_iter()
        .flat_map(Personal::metadata)
        .map(|(name, value)| pair(submission, name, value))
        .collect::<Result<Vec<_>, _>>()?;
    let replacement = Json::object().set("ReplacementTemplateData", data);
    Ok(Json::object()
        .set("Destination", destination(copy, words::mailbox))
        .set(
            "ReplacementEmailContent",
            Json::object().set("ReplacementTemplate", replacement),
        )
        .set_filled("ReplacementHeaders", headers(own_headers))
        .set_filled("ReplacementTags", own_tags))
}

/// Reads the results, which stand in the order of the entries.
pub(super) fn receipt(submission: &Submission<'_>, results: &[Value]) -> Receipt {
    if results.len() != submission.copies().len() {
        // Nobody can say whose they are.
        return Receipt::whole(CopyReceipt::new(Fate::Unknown, None));
    }
    let copies = results.iter().map(|result| {
        let id = result.get("MessageId").and_then(Value::as_str).map(str::to_owned);
        match result.get("Status").and_then(Value::as_str) {
            Some("SUCCESS") => CopyReceipt::new(Fate::Accepted, id),
            Some(status @ ("ACCOUNT_THROTTLED" | "ACCOUNT_DAILY_QUOTA_EXCEEDED" | "TRANSIENT_FAILURE")) => {
                CopyReceipt::refused(Refusal::transient().with_code(status))
            }
            Some(status) => CopyReceipt::refused(Refusal::permanent().with_code(status)),
            None => CopyReceipt::new(Fate::Unknown, id),
        }
    });
    if submission.is_individual() {
        Receipt::copies(copies)
    } else {
        copies
            .into_iter()
            .next()
            .map_or_else(|| Receipt::whole(CopyReceipt::new(Fate::Unknown, None)), Receipt::whole)
    }
}
