//! Notifications of Amazon SES that SNS delivers by mail: JSON in the text of a message from `no-reply@sns.amazonaws.com`.

use posthaste_mime::RawMessage;
use serde_json::Value;

use super::complaint::Complaint;
use super::delivery::{Action, DeliveryReport, Form, RecipientReport};
use super::returned::Returned;
use super::text::{Texts, loose_text};
use crate::bounce::SesBounce;

/// Most recipients that are read.
const MOST: usize = 1000;

pub(super) fn read(mail: &RawMessage, texts: &Texts) -> Option<Returned> {
    let begins = |text: &str| {
        let start = text.trim_start();
        start.starts_with('{')
            && ["\"notificationType\"", "\"eventType\""]
                .iter()
                .any(|name| start.contains(name))
    };
    let text = [texts.words.clone(), loose_text(mail)]
        .into_iter()
        .find(|text| begins(text))?;
    // Lines that are too long for SMTP are broken behind an exclamation mark.
    let whole = text.replace("!\r\n ", "").replace("!\n ", "");
    let mut values = serde_json::Deserializer::from_str(&whole).into_iter::<Value>();
    let event = values.next()?.ok()?;
    let kind = event
        .get("notificationType")
        .or_else(|| event.get("eventType"))?
        .as_str()?;
    let date = mail.field("date").and_then(|field| field.date());
    let text_of = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let list = |value: &Value, name: &str| -> Vec<Value> {
        let all = value.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        all.iter().take(MOST).cloned().collect()
    };
    let report = |reporting_mta: Option<String>, recipients: Vec<RecipientReport>| {
        (!recipients.is_empty())
            .then(|| Returned::Delivery(DeliveryReport::new(Form::Notification, reporting_mta, date, recipients)))
    };
    // Bounces and delays have the same form under other names.
    let not_delivered = |object: &str, recipients: &str, action: Action| {
        let about = event.get(object)?;
        let [of, sub] = ["bounceType", "bounceSubType"].map(|name| text_of(about, name).unwrap_or_default());
        let in_ses_words = SesBounce::read(&of, &sub);
        let reports = list(about, recipients).into_iter().map(|recipient| {
            let [address, status, diagnostic] =
                ["emailAddress", "status", "diagnosticCode"].map(|name| text_of(&recipient, name));
            RecipientReport::of_notification(address, action, status, diagnostic, in_ses_words)
        });
        report(text_of(about, "reportingMTA"), reports.collect())
    };
    match kind {
        "Bounce" => not_delivered("bounce", "bouncedRecipients", Action::Failed),
        "DeliveryDelay" => not_delivered("deliveryDelay", "delayedRecipients", Action::Delayed),
        "Delivery" => {
            let delivery = event.get("delivery")?;
            let reply = text_of(delivery, "smtpResponse");
            let recipients = list(delivery, "recipients");
            let recipients = recipients.iter().map(|recipient| {
                RecipientReport::of_notification(
                    recipient.as_str().map(str::to_owned),
                    Action::Delivered,
                    None,
                    reply.clone(),
                    None,
                )
            });
            report(text_of(delivery, "reportingMTA"), recipients.collect())
        }
        "Complaint" => {
            let complaint = event.get("complaint")?;
            let recipients = list(complaint, "complainedRecipients");
            let recipients = recipients
                .iter()
                .filter_map(|recipient| text_of(recipient, "emailAddress"))
                .collect();
            let kind = text_of(complaint, "complaintFeedbackType").unwrap_or_else(|| "other".to_owned());
            Some(Returned::Complaint(Complaint::of_notification(
                kind,
                text_of(complaint, "userAgent"),
                recipients,
                date,
            )))
        }
        _ => None,
    }
}
