//! Postmark.

use std::time::SystemTime;

use bytes::Bytes;
use serde_json::Value;

use crate::bounce::Permanence;
use crate::event::{Event, EventKind, Rejection, derive_id};
use crate::webhook::instant::read_text;
use crate::webhook::item::{Look, object};
use crate::webhook::{Evidence, ParseError, Parsed, Provider, Request, Verified, VerifyError};

/// Webhooks of Postmark. It signs nothing: ask for [`Access`](crate::webhook::Access), a user name and a password or a header field.
///
/// Who refuses answers 401: after a 403 Postmark tries no more.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Postmark {}

impl Postmark {
    /// Makes it; there is nothing to set.
    #[must_use]
    pub fn new() -> Self {
        Self {}
    }
}

impl Provider for Postmark {
    fn name(&self) -> &'static str {
        "postmark"
    }

    fn verify(&self, _request: &Request, _now: SystemTime) -> Result<Evidence, VerifyError> {
        Ok(Evidence::none())
    }

    fn parse(&self, verified: &Verified) -> Result<Parsed, ParseError> {
        let item = object(verified.body())?;
        let record = item.text(&["RecordType"]);
        if record == Some("Inbound")
            || record.is_none() && (item.get("FromFull").is_some() || item.get("Attachments").is_some())
        {
            return Ok(Parsed::inbound(super::inbound::postmark::read(&item)));
        }
        Ok(Parsed {
            events: vec![event(&item, verified.body())],
            ..Parsed::new()
        })
    }
}

fn event(item: &Value, raw: &Bytes) -> Event {
    let record = item.text(&["RecordType"]).unwrap_or_default();
    let (kind, rejection) = kind(item, record);
    let mut event = Event::new("postmark", kind);
    event.rejection = rejection;
    event.provider_kind = match (record, item.text(&["Type"])) {
        ("Bounce", Some(kind)) => format!("{record}/{kind}"),
        _ => record.to_owned(),
    };
    event.provider_event_id = item.word(&["ID"]);
    let recipient = item.text(&["Recipient"]).or_else(|| item.text(&["Email"]));
    event.recipient = recipient.map(str::to_owned);
    let times = ["DeliveredAt", "BouncedAt", "ReceivedAt", "ChangedAt"];
    let time = times.iter().find_map(|name| item.text(&[name]));
    event.time = time.and_then(read_text);
    event.provider_message_id = item.text(&["MessageID"]).map(str::to_owned);
    event.tags = item.words(&["Tag"]);
    event.metadata = item.pairs(&["Metadata"]);
    event.description = item.text(&["Description"]).map(str::to_owned);
    event.url = item.text(&["OriginalLink"]).map(str::to_owned);
    event.ip = item.ip(&["Geo", "IP"]);
    event.user_agent = item.text(&["UserAgent"]).map(str::to_owned);
    event.set_diagnostic(item.text(&["Details"]).unwrap_or_default());
    event.id = match &event.provider_event_id {
        Some(id) => format!("{record}:{id}"),
        None => {
            let [message, recipient] =
                [&event.provider_message_id, &event.recipient].map(|part| part.as_deref().unwrap_or_default());
            let url = event.url.as_deref().unwrap_or_default();
            derive_id("postmark", &[record, message, recipient, time.unwrap_or_default(), url])
        }
    };
    event.raw = raw.clone();
    event
}

fn kind(item: &Value, record: &str) -> (EventKind, Option<Rejection>) {
    match record {
        "Delivery" => (EventKind::Delivered, None),
        "Bounce" => of_bounce(item.text(&["Type"]).unwrap_or_default()),
        "SpamComplaint" => (EventKind::Complained, Some(Rejection::Spam)),
        "Open" => {
            // Apple fetches all pictures, and Postmark says so.
            let by_machine = (item.text(&["Client", "Name"]) == Some("Apple Mail Privacy Protection")).then_some(true);
            (EventKind::Opened { by_machine }, None)
        }
        "Click" => (EventKind::Clicked, None),
        "SubscriptionChange" if item.at(&["SuppressSending"]) == &Value::Bool(false) => (EventKind::Subscribed, None),
        "SubscriptionChange" => match item.text(&["SuppressionReason"]) {
            Some("HardBounce") => (EventKind::Bounced(Permanence::Hard), Some(Rejection::Bounced)),
            Some("SpamComplaint") => (EventKind::Complained, Some(Rejection::Spam)),
            _ => (EventKind::Unsubscribed, Some(Rejection::Unsubscribed)),
        },
        _ => (EventKind::Unknown, None),
    }
}

/// Reads the type of a bounce: many of them are none.
fn of_bounce(name: &str) -> (EventKind, Option<Rejection>) {
    let bounced = |permanence| (EventKind::Bounced(permanence), Some(Rejection::Bounced));
    match name {
        "HardBounce" => bounced(Permanence::Hard),
        "SoftBounce" => bounced(Permanence::Soft),
        "Unknown" => bounced(Permanence::Undetermined),
        "VirusNotification" => (EventKind::Bounced(Permanence::Soft), Some(Rejection::Content)),
        "Transient" | "DnsError" | "OpenRelayTest" => (EventKind::Deferred, None),
        "Unsubscribe" => (EventKind::Unsubscribed, Some(Rejection::Unsubscribed)),
        "Subscribe" => (EventKind::Subscribed, None),
        "AutoResponder" | "AddressChange" | "ChallengeVerification" => (EventKind::AutoResponded, None),
        "SpamNotification" | "SpamComplaint" => (EventKind::Complained, Some(Rejection::Spam)),
        "BadEmailAddress" => (EventKind::Rejected, Some(Rejection::Invalid)),
        "ManuallyDeactivated" | "Blocked" | "Unconfirmed" => (EventKind::Rejected, Some(Rejection::Blocked)),
        "DMARCPolicy" => (EventKind::Rejected, Some(Rejection::Policy)),
        "TemplateRenderingFailed" => (EventKind::RenderingFailed, None),
        "SMTPApiError" | "InboundError" => (EventKind::Failed, None),
        _ => (EventKind::Unknown, None),
    }
}
