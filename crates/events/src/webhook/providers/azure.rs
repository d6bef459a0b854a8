//! Azure Communication Services, by way of Event Grid.

use std::time::SystemTime;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::bounce::Permanence;
use crate::event::{Event, EventKind, Rejection, derive_id};
use crate::webhook::instant::read_text;
use crate::webhook::item::{Look, bare_id, object, split};
use crate::webhook::{Control, Evidence, ParseError, Parsed, Provider, Request, Verified, VerifyError};

/// Webhooks of Azure Communication Services, as Event Grid delivers them in both of its schemas.
///
/// They are not signed: ask for [`Access`](crate::webhook::Access), a parameter in the query of the URL or a header field.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Azure {}

impl Azure {
    /// Makes it; there is nothing to set.
    #[must_use]
    pub fn new() -> Self {
        Self {}
    }
}

impl Provider for Azure {
    fn name(&self) -> &'static str {
        "azure"
    }

    /// Answers the question of the CloudEvents schema.
    fn probe(&self, request: &Request) -> Option<Control> {
        let asks = request.method().eq_ignore_ascii_case("OPTIONS");
        let origin = request.field("webhook-request-origin").filter(|_| asks)?;
        Some(Control::Reply {
            headers: vec![("WebHook-Allowed-Origin", origin.to_owned())],
            body: Bytes::new(),
        })
    }

    fn verify(&self, _request: &Request, _now: SystemTime) -> Result<Evidence, VerifyError> {
        Ok(Evidence::none())
    }

    fn parse(&self, verified: &Verified) -> Result<Parsed, ParseError> {
        let mut parsed = Parsed::new();
        for (index, raw) in split(verified.body(), verified.limits().events)?
            .into_iter()
            .enumerate()
        {
            match object(&raw) {
                Ok(item) if name(&item) == "Microsoft.EventGrid.SubscriptionValidationEvent" => {
                    let code = item.text(&["data", "validationCode"]).unwrap_or_default();
                    parsed.control = Some(Control::Reply {
                        headers: vec![("Content-Type", "application/json".to_owned())],
                        body: json!({"validationResponse": code}).to_string().into(),
                    });
                }
                Ok(item) => parsed.push(index, Ok(event(&item, raw))),
                Err(error) => parsed.push(index, Err(error)),
            }
        }
        Ok(parsed)
    }
}

/// Returns the type, which each schema calls otherwise.
fn name(item: &Value) -> &str {
    item.text(&["eventType"])
        .or_else(|| item.text(&["type"]))
        .unwrap_or_default()
}

fn event(item: &Value, raw: Bytes) -> Event {
    let (data, name) = (item.at(&["data"]), name(item));
    let (kind, rejection) = match name.rsplit('.').next() {
        Some("EmailDeliveryReportReceived") => of_status(data.text(&["status"]).unwrap_or_default()),
        Some("EmailEngagementTrackingReportReceived") => match data.text(&["engagementType"]) {
            Some("view") => (EventKind::Opened { by_machine: None }, None),
            Some("click") => (EventKind::Clicked, None),
            _ => (EventKind::Unknown, None),
        },
        _ => (EventKind::Unknown, None),
    };
    let mut event = Event::new("azure", kind);
    event.rejection = rejection;
    event.provider_kind = match data.text(&["status"]).or_else(|| data.text(&["engagementType"])) {
        Some(status) => format!("{name}/{status}"),
        None => name.to_owned(),
    };
    event.provider_event_id = item.word(&["id"]);
    let times = [
        data.text(&["deliveryAttemptTimestamp"]),
        data.text(&["userActionTimeStamp"]),
        item.text(&["eventTime"]),
        item.text(&["time"]),
    ];
    event.time = times.into_iter().flatten().find_map(read_text);
    event.recipient = data.text(&["recipient"]).map(str::to_owned);
    event.provider_message_id = data.text(&["messageId"]).map(str::to_owned);
    event.message_id = data.text(&["internetMessageId"]).and_then(bare_id);
    event.user_agent = data.text(&["userAgent"]).map(str::to_owned);
    event.url = data
        .text(&["engagementContext"])
        .filter(|_| kind == EventKind::Clicked)
        .map(str::to_owned);
    event.mta = data
        .text(&["deliveryStatusDetails", "recipientMailServerHostName"])
        .map(str::to_owned);
    event.set_diagnostic(
        data.text(&["deliveryStatusDetails", "statusMessage"])
            .unwrap_or_default(),
    );
    event.id = event.provider_event_id.clone().unwrap_or_else(|| {
        let word = |name| data.word(&[name]).unwrap_or_default();
        let parts = [
            name.to_owned(),
            word("messageId"),
            word("recipient"),
            word("status"),
            word("deliveryAttemptTimestamp"),
        ];
        derive_id("azure", &parts.each_ref().map(String::as_str))
    });
    event.raw = raw;
    event
}

fn of_status(status: &str) -> (EventKind, Option<Rejection>) {
    match status {
        "Delivered" => (EventKind::Delivered, None),
        "Bounced" => (EventKind::Bounced(Permanence::Hard), Some(Rejection::Bounced)),
        "Suppressed" => (EventKind::Rejected, Some(Rejection::Bounced)),
        "FilteredSpam" | "Quarantined" => (EventKind::Rejected, Some(Rejection::Content)),
        "Failed" => (EventKind::Failed, None),
        _ => (EventKind::Unknown, None),
    }
}
