//! Mailjet.

use std::time::SystemTime;

use bytes::Bytes;

use crate::bounce::Permanence;
use crate::event::{Event, EventKind, Rejection, derive_id};
use crate::webhook::instant::read_seconds;
use crate::webhook::item::{Look, object, split};
use crate::webhook::{Evidence, ParseError, Parsed, Provider, Request, Verified, VerifyError};

/// Webhooks of Mailjet. It signs nothing: ask for [`Access`](crate::webhook::Access), a user name and a password in the URL.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Mailjet {}

impl Mailjet {
    /// Makes it; there is nothing to set.
    #[must_use]
    pub fn new() -> Self {
        Self {}
    }
}

impl Provider for Mailjet {
    fn name(&self) -> &'static str {
        "mailjet"
    }

    fn verify(&self, _request: &Request, _now: SystemTime) -> Result<Evidence, VerifyError> {
        Ok(Evidence::none())
    }

    fn parse(&self, verified: &Verified) -> Result<Parsed, ParseError> {
        if let Ok(whole) = object(verified.body())
            && whole.get("event").is_none()
            && (whole.get("Parts").is_some() || whole.get("Headers").is_some())
        {
            return Ok(Parsed::inbound(super::inbound::mailjet::read(&whole)));
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
    let error = item.text(&["error"]);
    let is_hard = item.at(&["hard_bounce"]).as_bool() == Some(true);
    let (kind, rejection) = match name {
        "sent" => (EventKind::Delivered, None),
        "bounce" | "blocked" if error == Some("greylisted") && !is_hard => {
            (EventKind::Deferred, Some(Rejection::Other))
        }
        "bounce" => {
            let permanence = if is_hard { Permanence::Hard } else { Permanence::Soft };
            (
                EventKind::Bounced(permanence),
                Some(rejection(error).unwrap_or(Rejection::Bounced)),
            )
        }
        "blocked" => (EventKind::Rejected, Some(blocked(error))),
        "spam" => (EventKind::Complained, Some(Rejection::Spam)),
        "open" => (EventKind::Opened { by_machine: None }, None),
        "click" => (EventKind::Clicked, None),
        "unsub" => (EventKind::Unsubscribed, Some(Rejection::Unsubscribed)),
        _ => (EventKind::Unknown, None),
    };
    let mut event = Event::new("mailjet", kind);
    event.rejection = rejection;
    name.clone_into(&mut event.provider_kind);
    event.recipient = item.text(&["email"]).map(str::to_owned);
    event.time = read_seconds(item.at(&["time"]));
    event.provider_message_id = item.word(&["MessageID"]);
    event.tags = item.words(&["customcampaign"]);
    event.metadata = item.pairs(&["Payload"]);
    event.url = item.text(&["url"]).map(str::to_owned);
    event.ip = item.ip(&["ip"]);
    event.user_agent = item.text(&["agent"]).map(str::to_owned);
    let words = [item.text(&["error_related_to"]), error, item.text(&["comment"])];
    let words: Vec<&str> = words.into_iter().flatten().collect();
    event.description = (!words.is_empty()).then(|| words.join(": "));
    event.set_diagnostic(item.text(&["smtp_reply"]).unwrap_or_default());
    if matches!(kind, EventKind::Bounced(_)) {
        // It does not pass on what the server said, only a word for it.
        let said = event.description.clone().unwrap_or_default();
        event.bounce_reason = Some(crate::bounce::Reason::find(&said, crate::bounce::Phase::Unknown));
    }
    let word = |name| item.word(&[name]).unwrap_or_default();
    let parts = [
        word("MessageID"),
        word("event"),
        word("email"),
        word("time"),
        word("url"),
    ];
    event.id = derive_id("mailjet", &parts.each_ref().map(String::as_str));
    event.raw = raw;
    Ok(event)
}

/// Says why a message was not tried: what bars it for now says nothing of the address.
fn blocked(error: Option<&str>) -> Rejection {
    match error {
        Some("quota exceeded" | "relay/access denied" | "mailbox inactive") => Rejection::Other,
        error => rejection(error).unwrap_or(Rejection::Blocked),
    }
}

fn rejection(error: Option<&str>) -> Option<Rejection> {
    Some(match error? {
        "user unknown"
        | "mailbox inactive"
        | "quota exceeded"
        | "no mail host"
        | "invalid domain"
        | "relay/access denied" => Rejection::Bounced,
        "typofix" => Rejection::Invalid,
        "spam reporter" => Rejection::Spam,
        "blacklisted" | "preblocked" | "sender blocked" | "content blocked" | "policy issue" => Rejection::Blocked,
        _ => Rejection::Other,
    })
}
