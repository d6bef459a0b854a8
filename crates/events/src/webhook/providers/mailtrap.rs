//! Mailtrap.

use std::time::SystemTime;

use bytes::Bytes;
use serde_json::Value;

use crate::bounce::Permanence;
use crate::event::{Event, EventKind, Rejection, derive_id};
use crate::webhook::instant::read_seconds;
use crate::webhook::item::{Look, elements, object};
use crate::webhook::key::{Secrets, check_body_mac};
use crate::webhook::{Control, Evidence, KeyError, ParseError, Parsed, Provider, Request, Verified, VerifyError};

/// Webhooks of Mailtrap: an HMAC-SHA256 over the body, of webhooks that have a signing secret. No time is signed.
#[derive(Debug)]
pub struct Mailtrap {
    secrets: Option<Secrets>,
}

impl Mailtrap {
    /// Takes the signing secret, which is shown once when the webhook is made.
    ///
    /// # Errors
    ///
    /// [`KeyError::Empty`].
    pub fn new(key: &str) -> Result<Self, KeyError> {
        Self::unsigned().or_key(key)
    }

    /// Checks no signature: the receiver has to ask for [`Access`](crate::webhook::Access).
    #[must_use]
    pub fn unsigned() -> Self {
        Self { secrets: None }
    }

    /// Takes another secret, while one is changed for the other.
    ///
    /// # Errors
    ///
    /// [`KeyError::Empty`].
    pub fn or_key(self, key: &str) -> Result<Self, KeyError> {
        let secrets = match self.secrets {
            Some(mut secrets) => {
                secrets.add(key.as_bytes())?;
                secrets
            }
            None => Secrets::sha256(key.as_bytes())?,
        };
        Ok(Self { secrets: Some(secrets) })
    }
}

impl Provider for Mailtrap {
    fn name(&self) -> &'static str {
        "mailtrap"
    }

    fn verify(&self, request: &Request, _now: SystemTime) -> Result<Evidence, VerifyError> {
        let Some(secrets) = &self.secrets else {
            return Ok(Evidence::none());
        };
        check_body_mac(secrets, request, "mailtrap-signature")?;
        Ok(Evidence::signature())
    }

    fn parse(&self, verified: &Verified) -> Result<Parsed, ParseError> {
        let (body, limit) = (verified.body(), verified.limits().events);
        let items = match object(body) {
            Ok(whole) if whole.get("inbox_id").is_some() => {
                return Ok(Parsed::inbound(super::inbound::mailtrap::read(&whole)));
            }
            Ok(whole) if whole.get("event").is_some() => vec![body.clone()],
            // It asks whether somebody is there.
            Ok(whole) if whole.as_object().is_some_and(serde_json::Map::is_empty) => {
                return Ok(Parsed::control(Control::Ping));
            }
            Ok(whole) if whole.get("events").is_none() => {
                return Err(ParseError::Shape {
                    expected: "an event, or an object with `events`",
                });
            }
            Ok(_) => elements(body, "events", limit)?,
            // A line each is the other form that can be set.
            Err(error) => lines(body, limit).ok_or(error)?,
        };
        if items.len() > limit {
            return Err(ParseError::TooMany { limit });
        }
        let mut parsed = Parsed::new();
        for (index, item) in items.into_iter().enumerate() {
            parsed.push(index, event(item));
        }
        Ok(parsed)
    }
}

/// Takes a body apart that has an event in each line; `None` if its first line is none.
fn lines(body: &Bytes, limit: usize) -> Option<Vec<Bytes>> {
    let text = std::str::from_utf8(body).ok()?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines: Vec<&str> = lines.take(limit.saturating_add(1)).collect();
    let is_event = |line: &&str| object(line.as_bytes()).is_ok_and(|event: Value| event.get("event").is_some());
    lines.first().filter(|line| is_event(line))?;
    Some(lines.into_iter().map(|line| body.slice_ref(line.as_bytes())).collect())
}

fn event(raw: Bytes) -> Result<Event, ParseError> {
    let item = object(&raw)?;
    let name = item.text(&["event"]).unwrap_or_default();
    let (kind, rejection) = match name {
        "delivery" => (EventKind::Delivered, None),
        "open" => (EventKind::Opened { by_machine: None }, None),
        "click" => (EventKind::Clicked, None),
        "bounce" => (EventKind::Bounced(Permanence::Hard), Some(Rejection::Bounced)),
        // It is still tried.
        "soft bounce" | "soft_bounce" | "suspension" => (EventKind::Deferred, Some(Rejection::Other)),
        "spam" | "spam_complaint" => (EventKind::Complained, Some(Rejection::Spam)),
        "unsubscribe" => (EventKind::Unsubscribed, Some(Rejection::Unsubscribed)),
        "reject" => (EventKind::Rejected, Some(Rejection::Blocked)),
        _ => (EventKind::Unknown, None),
    };
    let mut event = Event::new("mailtrap", kind);
    event.rejection = rejection;
    name.clone_into(&mut event.provider_kind);
    event.provider_event_id = item.word(&["event_id"]);
    event.time = read_seconds(item.at(&["timestamp"]));
    event.recipient = item.text(&["email"]).map(str::to_owned);
    event.provider_message_id = item.word(&["message_id"]);
    event.tags = item.words(&["category"]);
    event.metadata = item.pairs(&["custom_variables"]);
    event.url = item.text(&["url"]).map(str::to_owned);
    event.ip = item.ip(&["ip"]);
    event.user_agent = item.text(&["user_agent"]).map(str::to_owned);
    event.description = item.text(&["reason"]).map(str::to_owned);
    event.set_diagnostic(item.text(&["response"]).unwrap_or_default());
    event.set_codes(item.reply_code(&["response_code"]), None);
    event.id = event.provider_event_id.clone().unwrap_or_else(|| {
        let word = |name| item.word(&[name]).unwrap_or_default();
        let parts = [
            word("message_id"),
            word("event"),
            word("email"),
            word("timestamp"),
            word("url"),
        ];
        derive_id("mailtrap", &parts.each_ref().map(String::as_str))
    });
    event.raw = raw;
    Ok(event)
}
