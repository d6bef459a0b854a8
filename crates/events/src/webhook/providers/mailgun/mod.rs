//! Mailgun: events as JSON, and as forms as it once sent them.

mod form;

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use serde_json::Value;

use crate::bounce::Permanence;
use crate::event::{Event, EventKind, Rejection};
use crate::inbound::Inbound;
use crate::webhook::hash::from_hex;
use crate::webhook::instant::{read_seconds, read_whole_seconds};
use crate::webhook::item::{Look, bare_id, object};
use crate::webhook::key::Secrets;
use crate::webhook::{Evidence, Form, KeyError, ParseError, Parsed, Provider, Request, Verified, VerifyError, Window};

/// Webhooks of Mailgun.
///
/// Its signature covers a time and a token, and not the body: who overhears one could put it on any body. So the receiver needs a
/// [`ReplayGuard`](crate::webhook::ReplayGuard), which takes a token for one body only.
#[derive(Debug)]
pub struct Mailgun {
    secrets: Secrets,
    window: Window,
}

/// What Mailgun signs, and the signature.
struct Signature {
    timestamp: String,
    token: String,
    signature: String,
}

impl Mailgun {
    /// Takes the HTTP webhook signing key, which is not the API key.
    ///
    /// # Errors
    ///
    /// [`KeyError::Empty`].
    pub fn new(key: &str) -> Result<Self, KeyError> {
        Ok(Self {
            secrets: Secrets::sha256(key.as_bytes())?,
            // It tries for eight hours.
            window: Window::new(Duration::from_secs(43_200), Duration::from_secs(300)),
        })
    }

    /// Takes another key, while one is changed for the other.
    ///
    /// # Errors
    ///
    /// [`KeyError::Empty`].
    pub fn or_key(mut self, key: &str) -> Result<Self, KeyError> {
        self.secrets.add(key.as_bytes())?;
        Ok(self)
    }

    /// Sets how old a request may be. Twelve hours unless set: Mailgun tries for eight.
    #[must_use]
    pub fn window(mut self, window: Window) -> Self {
        self.window = window;
        self
    }
}

impl Provider for Mailgun {
    fn name(&self) -> &'static str {
        "mailgun"
    }

    fn verify(&self, request: &Request, now: SystemTime) -> Result<Evidence, VerifyError> {
        let found = if is_form(request) {
            form::signature(request)?
        } else {
            of_json(request.body())?
        };
        let signature: [u8; 32] = from_hex(&found.signature).ok_or(VerifyError::Encoding {
            place: "signature",
            expected: "64 hexadecimal digits",
        })?;
        let signed = read_whole_seconds(&found.timestamp).ok_or(VerifyError::Encoding {
            place: "timestamp",
            expected: "seconds since 1970",
        })?;
        self.window.check(signed, now)?;
        self.secrets
            .check(&[found.timestamp.as_bytes(), found.token.as_bytes()], &signature)?;
        Ok(Evidence::signature()
            .once(found.token, self.window.end(signed))
            .without_body())
    }

    fn parse(&self, verified: &Verified) -> Result<Parsed, ParseError> {
        if is_form(verified.request()) {
            let form = Form::read(verified.request())?;
            if form.field("event").is_none() {
                return super::inbound::mailgun::read(&form).map(Parsed::inbound);
            }
        }
        let event = if is_form(verified.request()) {
            form::event(verified.request())?
        } else {
            event(verified.body())?
        };
        Ok(Parsed {
            events: vec![event],
            ..Parsed::new()
        })
    }
}

fn is_form(request: &Request) -> bool {
    let kind = request.media_type();
    matches!(
        kind.as_deref(),
        Some("multipart/form-data" | "application/x-www-form-urlencoded")
    )
}

fn of_json(body: &[u8]) -> Result<Signature, VerifyError> {
    let body = object(body).map_err(|_| VerifyError::Body {
        expected: "a JSON object",
    })?;
    let field = |name: &'static str| {
        let text = body.word(&["signature", name]);
        text.ok_or(VerifyError::MissingField { name })
    };
    Ok(Signature {
        timestamp: field("timestamp")?,
        token: field("token")?,
        signature: field("signature")?,
    })
}

fn event(raw: &Bytes) -> Result<Event, ParseError> {
    let body = object(raw)?;
    let data = body.at(&["event-data"]);
    let name = data.text(&["event"]).unwrap_or_default();
    let status = data.at(&["delivery-status"]);
    let code = status.number(&["code"]);
    let kind = match name {
        "accepted" => EventKind::Queued,
        "delivered" => EventKind::Delivered,
        "rejected" => EventKind::Rejected,
        "failed" => match (data.text(&["severity"]), code) {
            (Some("temporary"), _) => EventKind::Deferred,
            (_, Some(605 | 606 | 607 | 625)) => EventKind::Rejected,
            // It was tried for long enough, or blocked: that says nothing of the address.
            _ if matches!(data.text(&["reason"]), Some("old" | "espblock")) => EventKind::Bounced(Permanence::Soft),
            _ => EventKind::Bounced(Permanence::Hard),
        },
        other => kind_of(other),
    };
    let mut event = Event::new("mailgun", kind);
    name.clone_into(&mut event.provider_kind);
    // Its id is unique within a day only; the token is of this event, and stays when it is delivered again.
    event.provider_event_id = body.word(&["signature", "token"]);
    event.id = id(&body, data, name);
    event.time = read_seconds(data.at(&["timestamp"]));
    // An event that was rejected has no recipient.
    let named = data.text(&["recipient"]).map(str::to_owned);
    event.recipient = named.or_else(|| {
        let to = Inbound::mailboxes(data.text(&["message", "headers", "to"])?);
        event.recipient_is_guess = to.len() > 1;
        Some(to.first()?.address().to_string())
    });
    event.message_id = data.text(&["message", "headers", "message-id"]).and_then(bare_id);
    // The answer to the send has it in angle brackets.
    event.provider_message_id = event.message_id.as_ref().map(|id| format!("<{id}>"));
    event.tags = data.words(&["tags"]);
    event.metadata = data.pairs(&["user-variables"]);
    event.url = data.text(&["url"]).map(str::to_owned);
    event.ip = data.ip(&["ip"]);
    event.user_agent = data.text(&["client-info", "user-agent"]).map(str::to_owned);
    event.mta = status.text(&["mx-host"]).map(str::to_owned);
    let description = status
        .text(&["description"])
        .or_else(|| data.text(&["reject", "description"]));
    event.description = description
        .or_else(|| data.text(&["reject", "reason"]))
        .map(str::to_owned);
    event.set_diagnostic(status.text(&["message"]).unwrap_or_default());
    // Codes from 600 on are Mailgun's own.
    let enhanced = status.text(&["enhanced-code"]).and_then(|code| code.parse().ok());
    event.set_codes(status.reply_code(&["code"]), enhanced);
    event.rejection = rejection(kind, code, data.text(&["reason"]));
    event.raw = raw.clone();
    Ok(event)
}

/// Returns the token, or a digest of the event if nobody signed.
fn id(body: &Value, data: &Value, name: &str) -> String {
    if let Some(token) = body.word(&["signature", "token"]) {
        return token;
    }
    let parts = [
        name.to_owned(),
        data.word(&["id"]).unwrap_or_default(),
        data.word(&["timestamp"]).unwrap_or_default(),
    ];
    crate::event::derive_id("mailgun", &parts.each_ref().map(String::as_str))
}

/// Names that forms and JSON share.
fn kind_of(name: &str) -> EventKind {
    match name {
        "complained" => EventKind::Complained,
        "opened" => EventKind::Opened { by_machine: None },
        "clicked" => EventKind::Clicked,
        "unsubscribed" => EventKind::Unsubscribed,
        _ => EventKind::Unknown,
    }
}

fn rejection(kind: EventKind, code: Option<u64>, reason: Option<&str>) -> Option<Rejection> {
    let by_code = match code {
        Some(605) => Some(Rejection::Bounced),
        Some(606) => Some(Rejection::Unsubscribed),
        Some(607) => Some(Rejection::Spam),
        Some(625) => Some(Rejection::Blocked),
        _ => None,
    };
    let by_reason = || match reason {
        Some("bounce" | "suppress-bounce" | "hardfail") => Some(Rejection::Bounced),
        Some("suppress-complaint") => Some(Rejection::Spam),
        Some("suppress-unsubscribe") => Some(Rejection::Unsubscribed),
        Some("espblock") => Some(Rejection::Blocked),
        Some("old") => Some(Rejection::TimedOut),
        Some(_) => Some(Rejection::Other),
        None => None,
    };
    match kind {
        EventKind::Complained => Some(Rejection::Spam),
        EventKind::Unsubscribed => Some(Rejection::Unsubscribed),
        EventKind::Rejected | EventKind::Deferred => by_code.or_else(by_reason),
        EventKind::Bounced(_) => by_code.or_else(by_reason).or(Some(Rejection::Bounced)),
        _ => None,
    }
}
