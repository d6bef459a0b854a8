//! SendGrid.

use std::time::{Duration, SystemTime};

use aws_lc_rs::signature::ECDSA_P256_SHA256_ASN1;
use bytes::Bytes;

use crate::bounce::Permanence;
use crate::event::{Event, EventKind, Rejection, derive_id};
use crate::webhook::hash::from_base64;
use crate::webhook::instant::{read_seconds, read_whole_seconds};
use crate::webhook::item::{Look, as_text, bare_id, object, split};
use crate::webhook::key::PublicKeys;
use crate::webhook::{Evidence, KeyError, ParseError, Parsed, Provider, Request, Verified, VerifyError, Window};

const SIGNATURE: &str = "x-twilio-email-event-webhook-signature";
const TIMESTAMP: &str = "x-twilio-email-event-webhook-timestamp";

/// Fields of an event that are SendGrid's own. All others are metadata: SendGrid puts custom arguments among them.
const OWN: &[&str] = &[
    "asm_group_id",
    "attempt",
    "bounce_classification",
    "category",
    "cert_err",
    "email",
    "event",
    "ip",
    "marketing_campaign_id",
    "marketing_campaign_name",
    "mc_auto_id",
    "mc_auto_name",
    "mc_pod_id",
    "mc_stats",
    "newsletter",
    "nlvx_campaign_id",
    "nlvx_campaign_split_id",
    "nlvx_user_id",
    "phase_id",
    "pool",
    "post_type",
    "reason",
    "response",
    "send_at",
    "sg_content_type",
    "sg_event_id",
    "sg_machine_open",
    "sg_message_id",
    "sg_template_id",
    "sg_template_name",
    "singlesend_id",
    "singlesend_name",
    "smtp-id",
    "status",
    "template",
    "template_id",
    "timestamp",
    "tls",
    "type",
    "unique_args",
    "url",
    "url_offset",
    "useragent",
];

/// Webhooks of SendGrid: the event webhook, with or without its signature (ECDSA over time and body).
#[derive(Debug)]
pub struct SendGrid {
    keys: PublicKeys,
    is_signed: bool,
    window: Window,
}

impl SendGrid {
    /// Takes the verification key of the webhook, as SendGrid shows it.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if it is no key of P-256.
    pub fn new(key: &str) -> Result<Self, KeyError> {
        Self::unsigned().or_key(key)
    }

    /// Checks no signature: the receiver has to ask for [`Access`](crate::webhook::Access).
    #[must_use]
    pub fn unsigned() -> Self {
        Self {
            keys: PublicKeys::new(),
            is_signed: false,
            // It tries for a day, and nobody says whether it signs anew.
            window: Window::new(Duration::from_secs(86_400), Duration::from_secs(300)),
        }
    }

    /// Takes another key, while one is changed for the other.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if it is no key of P-256.
    pub fn or_key(mut self, key: &str) -> Result<Self, KeyError> {
        self.keys.add(&ECDSA_P256_SHA256_ASN1, key, "an ECDSA key of P-256")?;
        self.is_signed = true;
        Ok(self)
    }

    /// Sets how old a request may be. A day unless set: SendGrid tries for so long.
    #[must_use]
    pub fn window(mut self, window: Window) -> Self {
        self.window = window;
        self
    }
}

impl Provider for SendGrid {
    fn name(&self) -> &'static str {
        "sendgrid"
    }

    fn verify(&self, request: &Request, now: SystemTime) -> Result<Evidence, VerifyError> {
        if !self.is_signed {
            return Ok(Evidence::none());
        }
        let signature = from_base64(request.required(SIGNATURE)?).ok_or(VerifyError::Encoding {
            place: SIGNATURE,
            expected: "base64",
        })?;
        let timestamp = request.required(TIMESTAMP)?;
        let mut until = None;
        if !self.window.is_unbounded() {
            let signed = read_whole_seconds(timestamp).ok_or(VerifyError::Encoding {
                place: TIMESTAMP,
                expected: "seconds since 1970",
            })?;
            self.window.check(signed, now)?;
            until = self.window.end(signed);
        }
        let message = [timestamp.as_bytes(), request.body()].concat();
        self.keys.check(&message, &signature)?;
        Ok(Evidence::signature().once(crate::webhook::hex(&crate::webhook::hash::sha256(&message)), until))
    }

    fn parse(&self, verified: &Verified) -> Result<Parsed, ParseError> {
        if verified.request().media_type().as_deref() == Some("multipart/form-data") {
            return super::inbound::sendgrid::read(verified.request()).map(Parsed::inbound);
        }
        let mut parsed = Parsed::new();
        for (index, item) in split(verified.body(), verified.limits().events)?
            .into_iter()
            .enumerate()
        {
            parsed.push(index, event(item));
        }
        Ok(parsed)
    }
}

fn event(raw: Bytes) -> Result<Event, ParseError> {
    let item = object(&raw)?;
    let name = item.text(&["event"]).unwrap_or_default();
    let by_machine = item.at(&["sg_machine_open"]).as_bool();
    let kind = match name {
        "processed" => EventKind::Queued,
        "delivered" => EventKind::Delivered,
        "deferred" => EventKind::Deferred,
        "bounce" if matches!(item.text(&["type"]), Some("blocked" | "expired")) => EventKind::Bounced(Permanence::Soft),
        "bounce" => EventKind::Bounced(Permanence::Hard),
        "dropped" => EventKind::Rejected,
        "spamreport" => EventKind::Complained,
        "open" => EventKind::Opened { by_machine },
        "click" => EventKind::Clicked,
        "unsubscribe" | "group_unsubscribe" => EventKind::Unsubscribed,
        "group_resubscribe" => EventKind::Subscribed,
        _ => EventKind::Unknown,
    };
    let mut event = Event::new("sendgrid", kind);
    name.clone_into(&mut event.provider_kind);
    event.provider_event_id = item.word(&["sg_event_id"]);
    event.recipient = item.text(&["email"]).map(str::to_owned);
    event.time = read_seconds(item.at(&["timestamp"]));
    // What the answer to the send had stands up to the first full stop.
    let message_id = item.text(&["sg_message_id"]).and_then(|id| id.split('.').next());
    event.provider_message_id = message_id.filter(|id| !id.is_empty()).map(str::to_owned);
    event.message_id = item.text(&["smtp-id"]).and_then(bare_id);
    event.tags = item.words(&["category"]);
    event.url = item.text(&["url"]).map(str::to_owned);
    event.ip = item.ip(&["ip"]);
    event.user_agent = item.text(&["useragent"]).map(str::to_owned);
    let said = item.text(&["response"]);
    match kind {
        EventKind::Rejected => {
            event.description = item.text(&["reason"]).map(str::to_owned);
            event.rejection = Some(rejection(item.text(&["reason"]), item.text(&["type"])));
        }
        _ => event.set_diagnostic(said.or_else(|| item.text(&["reason"])).unwrap_or_default()),
    }
    match kind {
        EventKind::Bounced(_) => event.rejection = Some(Rejection::Bounced),
        EventKind::Complained => event.rejection = Some(Rejection::Spam),
        EventKind::Unsubscribed => event.rejection = Some(Rejection::Unsubscribed),
        _ => {}
    }
    let status = item.text(&["status"]).and_then(|status| status.parse().ok());
    event.set_codes(None, status);
    let fields = item.as_object().into_iter().flatten();
    let custom = fields.filter(|(name, _)| OWN.binary_search(&name.as_str()).is_err());
    event.metadata = custom.map(|(name, value)| (name.clone(), as_text(value))).collect();
    // Its own id changes when it delivers again.
    let word = |name| item.word(&[name]).unwrap_or_default();
    let parts = [
        word("sg_message_id"),
        word("event"),
        word("email"),
        word("timestamp"),
        word("url"),
        word("attempt"),
    ];
    event.id = derive_id("sendgrid", &parts.each_ref().map(String::as_str));
    event.raw = raw;
    Ok(event)
}

fn rejection(reason: Option<&str>, kind: Option<&str>) -> Rejection {
    let words = reason.or(kind).unwrap_or_default().to_ascii_lowercase();
    match words.as_str() {
        "invalid" => Rejection::Invalid,
        "unsubscribed address" => Rejection::Unsubscribed,
        "bounce" | "bounced address" => Rejection::Bounced,
        "blocked" => Rejection::Blocked,
        "expired" => Rejection::TimedOut,
        "spam reporting address" => Rejection::Spam,
        "spam content" => Rejection::Content,
        _ => Rejection::Other,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn own_fields_stand_in_order() {
        assert!(super::OWN.is_sorted());
    }
}
