//! Postal.

use std::time::SystemTime;

use aws_lc_rs::signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY;
use bytes::Bytes;
use serde_json::Value;

use crate::bounce::Permanence;
use crate::event::{Event, EventKind, Rejection, derive_id};
use crate::webhook::hash::from_base64;
use crate::webhook::instant::read_seconds;
use crate::webhook::item::{Look, bare_id, object};
use crate::webhook::key::PublicKeys;
use crate::webhook::{Evidence, KeyError, ParseError, Parsed, Provider, Request, Verified, VerifyError};

const SIGNATURE: &str = "x-postal-signature";

/// Webhooks of Postal: an RSA signature over the body, with SHA-1. No time is signed.
#[derive(Debug)]
pub struct Postal {
    keys: PublicKeys,
}

impl Postal {
    /// Takes the public key of the server's DKIM record: what stands behind `p=`.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if it is no RSA key.
    pub fn new(key: &str) -> Result<Self, KeyError> {
        Self {
            keys: PublicKeys::new(),
        }
        .or_key(key)
    }

    /// Takes another key, while one is changed for the other.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if it is no RSA key.
    pub fn or_key(mut self, key: &str) -> Result<Self, KeyError> {
        self.keys.add(
            &RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
            key,
            "an RSA key of 1024 bits or more",
        )?;
        Ok(self)
    }
}

impl Provider for Postal {
    fn name(&self) -> &'static str {
        "postal"
    }

    fn verify(&self, request: &Request, _now: SystemTime) -> Result<Evidence, VerifyError> {
        let signature = from_base64(request.required(SIGNATURE)?).ok_or(VerifyError::Encoding {
            place: SIGNATURE,
            expected: "base64",
        })?;
        self.keys.check(request.body(), &signature)?;
        Ok(Evidence::signature())
    }

    fn parse(&self, verified: &Verified) -> Result<Parsed, ParseError> {
        let item = object(verified.body())?;
        if item.get("rcpt_to").is_some() {
            return super::inbound::postal::read(&item).map(Parsed::inbound);
        }
        let mut parsed = Parsed::new();
        // What it says of mail that came in is nothing about mail that was sent.
        if message(&item).text(&["direction"]) != Some("incoming") {
            parsed.events.push(event(&item, verified.body()));
        }
        Ok(parsed)
    }
}

/// Returns the message that an event is about.
fn message(item: &Value) -> &Value {
    match item.at(&["payload", "message"]) {
        Value::Null => item.at(&["payload", "original_message"]),
        message => message,
    }
}

fn event(item: &Value, raw: &Bytes) -> Event {
    let (payload, message) = (item.at(&["payload"]), message(item));
    let name = item.text(&["event"]).unwrap_or_default();
    let (kind, rejection) = match name {
        _ if payload.at(&["bounce"]).is_object() => (EventKind::Bounced(Permanence::Hard), Some(Rejection::Bounced)),
        "MessageBounced" => (EventKind::Bounced(Permanence::Hard), Some(Rejection::Bounced)),
        "MessageSent" => (EventKind::Delivered, None),
        "MessageDelayed" => (EventKind::Deferred, None),
        "MessageDeliveryFailed" => (EventKind::Failed, None),
        "MessageHeld" => (EventKind::Queued, None),
        "MessageLinkClicked" => (EventKind::Clicked, None),
        "MessageLoaded" => (EventKind::Opened { by_machine: None }, None),
        _ => (EventKind::Unknown, None),
    };
    let mut event = Event::new("postal", kind);
    event.rejection = rejection;
    name.clone_into(&mut event.provider_kind);
    event.provider_event_id = item.word(&["uuid"]);
    event.time = read_seconds(item.at(&["timestamp"]));
    event.recipient = message.text(&["to"]).map(str::to_owned);
    event.provider_message_id = message.word(&["id"]);
    event.message_id = message.text(&["message_id"]).and_then(bare_id);
    event.tags = message.words(&["tag"]);
    event.url = payload.text(&["url"]).map(str::to_owned);
    event.ip = payload.ip(&["ip_address"]);
    event.user_agent = payload.text(&["user_agent"]).map(str::to_owned);
    event.description = payload.text(&["details"]).map(str::to_owned);
    event.set_diagnostic(payload.text(&["output"]).unwrap_or_default());
    event.id = event.provider_event_id.clone().unwrap_or_else(|| {
        let time = item.word(&["timestamp"]).unwrap_or_default();
        let id = event.provider_message_id.as_deref().unwrap_or_default();
        derive_id("postal", &[name, id, &time, event.url.as_deref().unwrap_or_default()])
    });
    event.raw = raw.clone();
    event
}
