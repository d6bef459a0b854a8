//! Amazon SES, by way of Amazon SNS.

use std::borrow::Cow;
use std::time::SystemTime;

use bytes::Bytes;
use serde_json::Value;

use super::inbound;
use crate::bounce::{Permanence, SesBounce};
use crate::event::{Event, EventKind, Rejection};
use crate::webhook::instant::read_text;
use crate::webhook::item::{Look, bare_id, object, take_carried};
use crate::webhook::sns::{Envelope, EnvelopeKind};
use crate::webhook::{
    Control, Evidence, ParseError, Parsed, Preparation, Provider, Request, Sns, Verified, VerifyError,
};

/// The name of the message tag that holds the tag, unless it is set.
const TAG_NAME: &str = "tag";

/// Webhooks of Amazon SES: event publishing and notifications, as Amazon SNS delivers them.
#[derive(Debug)]
pub struct Ses {
    sns: Sns,
    tag_name: Cow<'static, str>,
}

impl Ses {
    /// Takes what checks the messages of SNS.
    #[must_use]
    pub fn new(sns: Sns) -> Self {
        Self {
            sns,
            tag_name: Cow::Borrowed(TAG_NAME),
        }
    }

    /// Sets the name of the message tag that holds the tag of a message, `tag` unless it is set: the same as where it is sent. All other
    /// message tags are metadata.
    #[must_use]
    pub fn with_tag_name(mut self, name: impl Into<String>) -> Self {
        self.tag_name = Cow::Owned(name.into());
        self
    }

    /// Returns what checks the messages of SNS.
    #[must_use]
    pub fn sns(&self) -> &Sns {
        &self.sns
    }
}

impl Provider for Ses {
    fn name(&self) -> &'static str {
        "ses"
    }

    fn prepare<'a>(&'a self, request: &'a Request, now: SystemTime) -> Option<Preparation<'a>> {
        self.sns.prepare(request, now)
    }

    fn verify(&self, request: &Request, now: SystemTime) -> Result<Evidence, VerifyError> {
        self.sns.check(request, now)
    }

    fn parse(&self, verified: &Verified) -> Result<Parsed, ParseError> {
        let envelope = Envelope::read_loosely(verified.body()).map_err(|_| ParseError::Shape {
            expected: "a message of SNS",
        })?;
        match envelope.kind {
            EnvelopeKind::SubscriptionConfirmation => {
                let control = self.sns.confirms(&envelope).ok_or(ParseError::Shape {
                    expected: "a subscription that can be confirmed",
                })?;
                Ok(Parsed::control(control))
            }
            EnvelopeKind::UnsubscribeConfirmation => {
                Ok(Parsed::control(Control::Unsubscribed { topic: envelope.topic }))
            }
            EnvelopeKind::Notification
                if envelope
                    .message
                    .trim_start()
                    .starts_with("Successfully validated SNS topic") =>
            {
                Ok(Parsed::control(Control::Ping))
            }
            EnvelopeKind::Notification => {
                let message = object(envelope.message.as_bytes())?;
                if message.text(&["notificationType"]) == Some("Received") {
                    return inbound::ses::read(&message).map(Parsed::inbound);
                }
                let events = self.events(&envelope, &message, verified.limits().events)?;
                Ok(Parsed {
                    events,
                    ..Parsed::new()
                })
            }
        }
    }
}

impl Ses {
    /// Reads the events of a message: one a recipient.
    fn events(&self, envelope: &Envelope, message: &Value, limit: usize) -> Result<Vec<Event>, ParseError> {
        let name = message
            .text(&["eventType"])
            .or_else(|| message.text(&["notificationType"]));
        let name = name.unwrap_or_default();
        let mut common = common(message, envelope, name);
        tags_and_metadata(message.at(&["mail"]), &self.tag_name, &mut common);
        let mail = message.at(&["mail"]);
        let about = about(message, name);
        let recipients = recipients(about, name);
        if recipients.len() > limit {
            return Err(ParseError::TooMany { limit });
        }
        let mut events: Vec<Event> = match recipients {
            [] => {
                let mut event = common;
                let destinations = mail.words(&["destination"]);
                event.recipient_is_guess = destinations.len() > 1;
                event.recipient = destinations.into_iter().next();
                vec![event]
            }
            all => all.iter().map(|recipient| for_recipient(&common, recipient)).collect(),
        };
        if let Some(bounce) = bounce(about).filter(|_| name == "Bounce") {
            events.iter_mut().for_each(|event| event.set_ses_bounce(bounce));
        }
        // One message of SNS has an id, and may have many recipients.
        let is_one = events.len() == 1;
        for event in &mut events {
            event.id = match (is_one, &event.recipient) {
                (false, Some(recipient)) => format!("{}:{recipient}", envelope.id),
                _ => envelope.id.clone(),
            };
        }
        Ok(events)
    }
}

/// Returns the object that a kind of event has: that of its name with a small letter at first.
fn about<'a>(message: &'a Value, name: &str) -> &'a Value {
    let field = match name {
        "Bounce" => "bounce",
        "Complaint" => "complaint",
        "Delivery" => "delivery",
        "Send" => "send",
        "Reject" => "reject",
        "Open" => "open",
        "Click" => "click",
        "Rendering Failure" => "failure",
        "DeliveryDelay" => "deliveryDelay",
        "Subscription" => "subscription",
        _ => "",
    };
    message.at(&[field])
}

/// Returns whom an event is about: objects with an address, or addresses.
fn recipients<'a>(about: &'a Value, name: &str) -> &'a [Value] {
    let field = match name {
        "Bounce" => "bouncedRecipients",
        "Complaint" => "complainedRecipients",
        "DeliveryDelay" => "delayedRecipients",
        "Delivery" => "recipients",
        _ => "",
    };
    about.list(&[field])
}

/// Reads what all recipients share.
fn common(message: &Value, envelope: &Envelope, name: &str) -> Event {
    let (mail, about) = (message.at(&["mail"]), about(message, name));
    let kind = kind(about, name);
    let mut event = Event::new("ses", kind);
    name.clone_into(&mut event.provider_kind);
    event.provider_event_id = Some(envelope.id.clone()).filter(|id| !id.is_empty());
    // When it was published, which is right after it happened; an object's own time is missing from many kinds.
    let own = about.text(&["timestamp"]);
    event.time = read_text(&envelope.time).or_else(|| own.and_then(read_text));
    event.provider_message_id = mail.text(&["messageId"]).map(str::to_owned);
    event.message_id = mail.text(&["commonHeaders", "messageId"]).and_then(bare_id);
    event.mta = about.text(&["reportingMTA"]).map(str::to_owned);
    event.url = about.text(&["link"]).map(str::to_owned);
    event.ip = about.ip(&["ipAddress"]);
    event.user_agent = about.text(&["userAgent"]).map(str::to_owned);
    event.raw = Bytes::copy_from_slice(envelope.message.as_bytes());
    match name {
        "Bounce" => {
            let words = [about.text(&["bounceType"]), about.text(&["bounceSubType"])];
            let words: Vec<&str> = words.into_iter().flatten().collect();
            event.description = (!words.is_empty()).then(|| words.join(": "));
            event.rejection = Some(rejection(bounce(about)));
        }
        "Complaint" => {
            let words = about
                .text(&["complaintFeedbackType"])
                .or_else(|| about.text(&["complaintSubType"]));
            event.description = words.map(str::to_owned);
            event.rejection = Some(Rejection::Spam);
        }
        "Delivery" => event.set_diagnostic(about.text(&["smtpResponse"]).unwrap_or_default()),
        "Reject" => {
            event.description = about.text(&["reason"]).map(str::to_owned);
            event.rejection = Some(Rejection::Blocked);
        }
        "Rendering Failure" => event.description = about.text(&["errorMessage"]).map(str::to_owned),
        "DeliveryDelay" => event.description = about.text(&["delayType"]).map(str::to_owned),
        "Subscription" => event.description = about.text(&["source"]).map(str::to_owned),
        _ => {}
    }
    event
}

/// Reads of which kind a bounce is.
fn bounce(about: &Value) -> Option<SesBounce> {
    let sub_type = about.text(&["bounceSubType"]).unwrap_or_default();
    SesBounce::read(about.text(&["bounceType"])?, sub_type)
}

fn rejection(bounce: Option<SesBounce>) -> Rejection {
    match bounce {
        Some(SesBounce::PermanentUnsubscribedRecipient) => Rejection::Unsubscribed,
        Some(bounce) if bounce.is_suppressed() => Rejection::Blocked,
        _ => Rejection::Bounced,
    }
}

fn kind(about: &Value, name: &str) -> EventKind {
    match name {
        "Send" => EventKind::Sent,
        "Delivery" => EventKind::Delivered,
        "DeliveryDelay" => EventKind::Deferred,
        "Bounce" => match bounce(about) {
            // Nobody refused anything: these never left SES, and say nothing new of the address.
            Some(SesBounce::PermanentUnsubscribedRecipient | SesBounce::PermanentEmailValidationSuppressed) => {
                EventKind::Rejected
            }
            bounce => EventKind::Bounced(bounce.map_or(Permanence::Undetermined, SesBounce::permanence)),
        },
        // What was marked by mistake is none, and what a check of authentication found was said by nobody.
        "Complaint" => match about.text(&["complaintFeedbackType"]) {
            Some("not-spam" | "auth-failure") => EventKind::Unknown,
            _ => EventKind::Complained,
        },
        "Reject" => EventKind::Rejected,
        "Rendering Failure" => EventKind::RenderingFailed,
        "Open" => EventKind::Opened { by_machine: None },
        "Click" => EventKind::Clicked,
        "Subscription" => subscription(about),
        _ => EventKind::Unknown,
    }
}

/// Compares what a contact wanted before with what they want now. Who leaves one topic has not left all, and has not come back.
fn subscription(about: &Value) -> EventKind {
    let leaves_all = |name| about.at(&[name, "unsubscribeAll"]).as_bool();
    let topics = |name, status: &str| -> Vec<String> {
        about
            .list(&[name, "topicSubscriptionStatus"])
            .iter()
            .filter(|topic| {
                let said = topic.text(&["subscriptionStatus"]).unwrap_or_default();
                said.eq_ignore_ascii_case(status)
            })
            .filter_map(|topic| topic.text(&["topicName"]).map(str::to_owned))
            .collect()
    };
    let (new, old) = ("newTopicPreferences", "oldTopicPreferences");
    let is_new = |status| {
        let before = topics(old, status);
        topics(new, status).iter().any(|topic| !before.contains(topic))
    };
    match (leaves_all(old), leaves_all(new)) {
        (_, Some(true) | None) => EventKind::Unsubscribed,
        _ if is_new("OptOut") => EventKind::Unsubscribed,
        (Some(true) | None, _) => EventKind::Subscribed,
        _ if is_new("OptIn") => EventKind::Subscribed,
        _ => EventKind::Unknown,
    }
}

fn for_recipient(common: &Event, recipient: &Value) -> Event {
    let mut event = common.clone();
    let address = recipient.text(&["emailAddress"]).or(recipient.as_str());
    event.recipient = address.map(str::to_owned);
    event.set_diagnostic(recipient.text(&["diagnosticCode"]).unwrap_or_default());
    let status = recipient.text(&["status"]).and_then(|status| status.parse().ok());
    event.set_codes(None, status);
    event
}

/// Reads the tags of event publishing, and the fields in which both travel otherwise.
fn tags_and_metadata(mail: &Value, tag_name: &str, event: &mut Event) {
    take_carried(mail.at(&["headers"]), event);
    for header in mail.list(&["headers"]) {
        let is_id = header
            .text(&["name"])
            .is_some_and(|name| name.eq_ignore_ascii_case("Message-ID"));
        if is_id && event.message_id.is_none() {
            event.message_id = header.text(&["value"]).and_then(bare_id);
        }
    }
    let tags = mail.at(&["tags"]).as_object().into_iter().flatten();
    for (name, values) in tags {
        // SES sets some of its own: `ses:configuration-set`.
        if name.starts_with("ses:") {
            continue;
        }
        if name == tag_name {
            event.tags.extend(values.words(&[]));
            continue;
        }
        let value = values.words(&[]).join(",");
        event.metadata.entry(name.clone()).or_insert(value);
    }
}
