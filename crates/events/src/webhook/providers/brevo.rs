//! Brevo.

use std::time::SystemTime;

use bytes::Bytes;
use serde_json::Value;

use crate::bounce::Permanence;
use crate::event::{Event, EventKind, Rejection, derive_id};
use crate::webhook::instant::read_milliseconds;
use crate::webhook::item::{Look, bare_id, object, split};
use crate::webhook::{Evidence, ParseError, Parsed, Provider, Request, Verified, VerifyError};

/// Webhooks of Brevo. It signs nothing: ask for [`Access`](crate::webhook::Access), a user name and a password, a token or a header field.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Brevo {}

impl Brevo {
    /// Makes it; there is nothing to set.
    #[must_use]
    pub fn new() -> Self {
        Self {}
    }
}

impl Provider for Brevo {
    fn name(&self) -> &'static str {
        "brevo"
    }

    fn verify(&self, _request: &Request, _now: SystemTime) -> Result<Evidence, VerifyError> {
        Ok(Evidence::none())
    }

    fn parse(&self, verified: &Verified) -> Result<Parsed, ParseError> {
        let mut parsed = Parsed::new();
        if let Ok(whole) = object(verified.body())
            && whole.get("items").is_some()
        {
            let limit = verified.limits().events;
            let mails = whole.list(&["items"]);
            if mails.len() > limit {
                return Err(ParseError::TooMany { limit });
            }
            parsed.inbound = mails.iter().map(super::inbound::brevo::read).collect();
            return Ok(parsed);
        }
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
    let (kind, rejection) = kind(name);
    let mut event = Event::new("brevo", kind);
    event.rejection = rejection;
    name.clone_into(&mut event.provider_kind);
    event.recipient = item.text(&["email"]).map(str::to_owned);
    // Its other times follow the time zone of the account.
    event.time = read_milliseconds(item.at(&["ts_epoch"]));
    event.provider_message_id = item.text(&["message-id"]).map(str::to_owned);
    event.message_id = item.text(&["message-id"]).and_then(bare_id);
    event.tags = tags(&item);
    event.metadata = item.pairs(&["X-Mailin-custom"]);
    event.url = item.text(&["link"]).map(str::to_owned);
    event.user_agent = item.text(&["user_agent"]).map(str::to_owned);
    event.set_diagnostic(item.text(&["reason"]).unwrap_or_default());
    let word = |name| item.word(&[name]).unwrap_or_default();
    let time = ["ts_epoch", "ts_event", "date"]
        .iter()
        .find_map(|name| item.word(&[name]));
    let parts = [
        word("message-id"),
        word("event"),
        word("email"),
        time.unwrap_or_default(),
        word("link"),
    ];
    event.id = derive_id("brevo", &parts.each_ref().map(String::as_str));
    event.raw = raw;
    Ok(event)
}

fn kind(name: &str) -> (EventKind, Option<Rejection>) {
    let opened = |by_machine| {
        (
            EventKind::Opened {
                by_machine: Some(by_machine),
            },
            None,
        )
    };
    match name {
        "request" | "sent" => (EventKind::Queued, None),
        "delivered" => (EventKind::Delivered, None),
        "deferred" => (EventKind::Deferred, None),
        "hard_bounce" => (EventKind::Bounced(Permanence::Hard), Some(Rejection::Bounced)),
        "invalid_email" | "invalid" => (EventKind::Bounced(Permanence::Hard), Some(Rejection::Invalid)),
        "soft_bounce" => (EventKind::Bounced(Permanence::Soft), Some(Rejection::Bounced)),
        "blocked" => (EventKind::Rejected, Some(Rejection::Blocked)),
        "error" => (EventKind::Failed, None),
        "complaint" | "spam" => (EventKind::Complained, Some(Rejection::Spam)),
        "opened" | "unique_opened" => opened(false),
        "proxy_open" | "unique_proxy_open" => opened(true),
        "click" => (EventKind::Clicked, None),
        "unsubscribe" | "unsubscribed" => (EventKind::Unsubscribed, Some(Rejection::Unsubscribed)),
        "list_addition" => (EventKind::Subscribed, None),
        _ => (EventKind::Unknown, None),
    }
}

/// Reads the tags: a list, or one under another name, which may be a list written as text.
fn tags(item: &Value) -> Vec<String> {
    let tags = item.words(&["tags"]);
    if !tags.is_empty() {
        return tags;
    }
    match item.text(&["tag"]).map(serde_json::from_str::<Value>) {
        Some(Ok(list @ Value::Array(_))) => list.words(&[]),
        _ => item.words(&["tag"]),
    }
}
