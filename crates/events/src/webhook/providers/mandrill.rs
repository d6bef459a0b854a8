//! Mandrill (Mailchimp Transactional).

use std::time::SystemTime;

use bytes::Bytes;
use serde_json::Value;

use crate::bounce::Permanence;
use crate::event::{Event, EventKind, Rejection, derive_id};
use crate::webhook::hash::from_base64;
use crate::webhook::instant::read_seconds;
use crate::webhook::item::{Look, object, split};
use crate::webhook::key::Secrets;
use crate::webhook::{Control, Evidence, Form, KeyError, ParseError, Parsed, Provider, Request, Verified, VerifyError};

const SIGNATURE: &str = "x-mandrill-signature";
/// The key that signs what is sent before a webhook has one.
const TEST_KEY: &[u8] = b"test-webhook";

/// Webhooks of Mandrill: an HMAC-SHA1 over the URL, as Mandrill was told it, and the fields of the form.
///
/// Behind a proxy the server sees another URL: set [`Receiver::origin`](crate::webhook::Receiver::origin). No time is signed.
#[derive(Debug)]
pub struct Mandrill {
    secrets: Secrets,
}

impl Mandrill {
    /// Takes the key of the webhook, which is not the API key.
    ///
    /// # Errors
    ///
    /// [`KeyError::Empty`].
    pub fn new(key: &str) -> Result<Self, KeyError> {
        Ok(Self {
            secrets: Secrets::sha1(key.as_bytes())?,
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
}

impl Provider for Mandrill {
    fn name(&self) -> &'static str {
        "mandrill"
    }

    fn probe(&self, request: &Request) -> Option<Control> {
        request.method().eq_ignore_ascii_case("HEAD").then_some(Control::Ping)
    }

    fn verify(&self, request: &Request, _now: SystemTime) -> Result<Evidence, VerifyError> {
        let signature = from_base64(request.required(SIGNATURE)?).ok_or(VerifyError::Encoding {
            place: SIGNATURE,
            expected: "base64",
        })?;
        let form = Form::read(request).map_err(|_| VerifyError::Body { expected: "a form" })?;
        let mut fields: Vec<(&[u8], &[u8])> = form
            .fields()
            .iter()
            .map(|field| (field.name.as_bytes(), &field.value[..]))
            .collect();
        fields.sort_unstable();
        let mut outcome = Err(VerifyError::WrongSignature);
        for url in urls(request) {
            let mut pieces: Vec<&[u8]> = vec![url.as_bytes()];
            pieces.extend(fields.iter().flat_map(|(name, value)| [*name, *value]));
            outcome = outcome.or_else(|_| self.secrets.check(&pieces, &signature));
            let is_test = form.text("mandrill_events").map(str::trim) == Some("[]");
            if outcome.is_err()
                && is_test
                && let Ok(test) = Secrets::sha1(TEST_KEY)
            {
                outcome = test.check(&pieces, &signature);
            }
        }
        outcome?;
        Ok(Evidence::signature())
    }

    fn parse(&self, verified: &Verified) -> Result<Parsed, ParseError> {
        let form = Form::read(verified.request())?;
        let field = form.field("mandrill_events").ok_or(ParseError::Shape {
            expected: "a form with `mandrill_events`",
        })?;
        let items = split(&field.value, verified.limits().events)?;
        if !field.value.trim_ascii_start().starts_with(b"[") {
            object(&field.value)?;
        }
        let mut parsed = Parsed::new();
        for (index, item) in items.into_iter().enumerate() {
            match object(&item) {
                Ok(object) if object.text(&["event"]) == Some("inbound") => {
                    match super::inbound::mandrill::read(&object) {
                        Ok(mail) => parsed.inbound.push(mail),
                        Err(error) => parsed.push(index, Err(error)),
                    }
                }
                Ok(_) => parsed.push(index, event(item)),
                Err(error) => parsed.push(index, Err(error)),
            }
        }
        if parsed.events.is_empty() && parsed.inbound.is_empty() && parsed.problems.is_empty() {
            parsed.control = Some(Control::Ping);
        }
        Ok(parsed)
    }
}

/// Returns the URLs that may have been signed: a user name and a password in it arrive as a header field.
fn urls(request: &Request) -> Vec<String> {
    let mut urls = vec![request.url().to_owned()];
    let token = request.field("authorization").and_then(|field| field.split_once(' '));
    let login = token
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))
        .and_then(|(_, token)| from_base64(token));
    if let Some(login) = login.and_then(|login| String::from_utf8(login).ok())
        && let Some((scheme, rest)) = request.url().split_once("://")
    {
        urls.push(format!("{scheme}://{login}@{rest}"));
    }
    urls
}

fn event(raw: Bytes) -> Result<Event, ParseError> {
    let item = object(&raw)?;
    let message = item.at(&["msg"]);
    let name = item
        .text(&["event"])
        .or_else(|| item.text(&["type"]))
        .unwrap_or_default();
    let (kind, rejection) = match name {
        "send" => (EventKind::Sent, None),
        "delivered" => (EventKind::Delivered, None),
        "deferral" => (EventKind::Deferred, None),
        "hard_bounce" => (EventKind::Bounced(Permanence::Hard), Some(Rejection::Bounced)),
        "soft_bounce" => (EventKind::Bounced(Permanence::Soft), Some(Rejection::Bounced)),
        "reject" => (EventKind::Rejected, Some(rejection(reject_reason(&item)))),
        "spam" => (EventKind::Complained, Some(Rejection::Spam)),
        "unsub" => (EventKind::Unsubscribed, Some(Rejection::Unsubscribed)),
        "open" => (EventKind::Opened { by_machine: None }, None),
        "click" => (EventKind::Clicked, None),
        _ => (EventKind::Unknown, None),
    };
    let mut event = Event::new("mandrill", kind);
    event.rejection = rejection;
    name.clone_into(&mut event.provider_kind);
    event.time = read_seconds(item.at(&["ts"]));
    let recipient = message.text(&["email"]).or_else(|| item.text(&["reject", "email"]));
    event.recipient = recipient.map(str::to_owned);
    event.provider_message_id = message.word(&["_id"]).or_else(|| item.word(&["_id"]));
    event.tags = message.words(&["tags"]);
    event.metadata = message.pairs(&["metadata"]);
    event.url = item.text(&["url"]).map(str::to_owned);
    event.ip = item.ip(&["ip"]);
    event.user_agent = item.text(&["user_agent"]).map(str::to_owned);
    let description = message.text(&["bounce_description"]).or_else(|| reject_reason(&item));
    event.description = description.map(str::to_owned);
    let diagnostic = message.text(&["diag"]).or_else(|| last_reply(message));
    event.set_diagnostic(diagnostic.unwrap_or_default());
    let word = |name: &str| item.word(&[name]).unwrap_or_default();
    let action = item.word(&["action"]).unwrap_or_default();
    let about = recipient.unwrap_or_default();
    event.id = derive_id(
        "mandrill",
        &[&word("_id"), name, &word("ts"), &word("url"), &action, about],
    );
    event.raw = raw;
    Ok(event)
}

/// Returns why a message was not sent, or why an address is on the list of those that get none.
fn reject_reason(item: &Value) -> Option<&str> {
    let of_message = || item.text(&["msg", "reject", "reason"]);
    item.text(&["reject", "reason"]).or_else(of_message)
}

fn rejection(reason: Option<&str>) -> Rejection {
    match reason {
        Some("hard-bounce") => Rejection::Bounced,
        Some("spam") => Rejection::Spam,
        Some("unsub") => Rejection::Unsubscribed,
        Some("invalid" | "invalid-sender") => Rejection::Invalid,
        Some("rule" | "test-mode-limit" | "unsigned") => Rejection::Policy,
        // It is on the list for bounces that may pass, which say nothing of the address for good.
        Some("soft-bounce") => Rejection::Other,
        _ => Rejection::Blocked,
    }
}

/// Returns what the receiving server said last.
fn last_reply(message: &Value) -> Option<&str> {
    message.list(&["smtp_events"]).last()?.text(&["diag"])
}
