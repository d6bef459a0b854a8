//! MailerSend.

use std::time::SystemTime;

use bytes::Bytes;

use crate::bounce::Permanence;
use crate::event::{Event, EventKind, Rejection, derive_id};
use crate::webhook::instant::read_text;
use crate::webhook::item::{Look, object};
use crate::webhook::key::{Secrets, check_body_mac};
use crate::webhook::{Evidence, KeyError, ParseError, Parsed, Provider, Request, Verified, VerifyError};

/// Webhooks of MailerSend: an HMAC-SHA256 over the body. No time is signed; inbound routes have a secret of their own.
#[derive(Debug)]
pub struct MailerSend {
    secrets: Secrets,
}

impl MailerSend {
    /// Takes the signing secret of the webhook or of the inbound route.
    ///
    /// # Errors
    ///
    /// [`KeyError::Empty`].
    pub fn new(key: &str) -> Result<Self, KeyError> {
        Ok(Self {
            secrets: Secrets::sha256(key.as_bytes())?,
        })
    }

    /// Takes another secret, while one is changed for the other.
    ///
    /// # Errors
    ///
    /// [`KeyError::Empty`].
    pub fn or_key(mut self, key: &str) -> Result<Self, KeyError> {
        self.secrets.add(key.as_bytes())?;
        Ok(self)
    }
}

impl Provider for MailerSend {
    fn name(&self) -> &'static str {
        "mailersend"
    }

    fn verify(&self, request: &Request, _now: SystemTime) -> Result<Evidence, VerifyError> {
        check_body_mac(&self.secrets, request, "signature")?;
        Ok(Evidence::signature())
    }

    fn parse(&self, verified: &Verified) -> Result<Parsed, ParseError> {
        let item = object(verified.body())?;
        if item.text(&["type"]) == Some("inbound.message") {
            return super::inbound::mailersend::read(item.at(&["data"])).map(Parsed::inbound);
        }
        Ok(Parsed {
            events: vec![event(verified.body())?],
            ..Parsed::new()
        })
    }
}

fn event(raw: &Bytes) -> Result<Event, ParseError> {
    let item = object(raw)?;
    let (data, morph) = (item.at(&["data"]), item.at(&["data", "morph"]));
    let whole = item.text(&["type"]).unwrap_or_default();
    // The kind stands in two places; tests have it in one of them.
    let name = match whole.split_once('.') {
        Some(("activity", name)) => name,
        Some(_) => "",
        None => data.text(&["type"]).unwrap_or_default(),
    };
    let (kind, rejection) = match name {
        "sent" => (EventKind::Sent, None),
        "delivered" => (EventKind::Delivered, None),
        "deferred" => (EventKind::Deferred, None),
        "hard_bounced" => (EventKind::Bounced(Permanence::Hard), Some(Rejection::Bounced)),
        "soft_bounced" => (EventKind::Bounced(Permanence::Soft), Some(Rejection::Bounced)),
        "opened" | "opened_unique" => (EventKind::Opened { by_machine: None }, None),
        "clicked" | "clicked_unique" => (EventKind::Clicked, None),
        "unsubscribed" => (EventKind::Unsubscribed, Some(Rejection::Unsubscribed)),
        "spam_complaint" => (EventKind::Complained, Some(Rejection::Spam)),
        _ => (EventKind::Unknown, None),
    };
    let mut event = Event::new("mailersend", kind);
    event.rejection = rejection;
    event.provider_kind = if whole.is_empty() {
        name.to_owned()
    } else {
        whole.to_owned()
    };
    event.provider_event_id = data.word(&["id"]);
    let time = data.text(&["created_at"]).or_else(|| item.text(&["created_at"]));
    event.time = time.and_then(read_text);
    event.recipient = data.text(&["email", "recipient", "email"]).map(str::to_owned);
    event.provider_message_id = data.word(&["email", "message", "id"]);
    event.tags = data.words(&["email", "tags"]);
    event.url = morph.text(&["url"]).map(str::to_owned);
    event.ip = morph.ip(&["ip"]);
    event.user_agent = morph.text(&["user_agent"]).map(str::to_owned);
    let reason = morph.text(&["reason"]).or_else(|| morph.text(&["readable_reason"]));
    event.description = reason.map(str::to_owned);
    if matches!(kind, EventKind::Bounced(_) | EventKind::Deferred) {
        let said = reason.unwrap_or_default();
        event.bounce_reason = Some(crate::bounce::Reason::find(said, crate::bounce::Phase::Unknown));
        event.codes = crate::bounce::Codes::find(said);
    }
    event.id = event.provider_event_id.clone().unwrap_or_else(|| {
        let [message, recipient] =
            [&event.provider_message_id, &event.recipient].map(|part| part.as_deref().unwrap_or_default());
        derive_id(
            "mailersend",
            &[
                name,
                message,
                recipient,
                time.unwrap_or_default(),
                event.url.as_deref().unwrap_or_default(),
            ],
        )
    });
    event.raw = raw.clone();
    Ok(event)
}
