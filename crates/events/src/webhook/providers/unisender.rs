//! Unisender Go.

use std::fmt;
use std::time::SystemTime;

use bytes::Bytes;
use md5::{Digest as _, Md5};
use serde_json::Value;

use crate::bounce::Permanence;
use crate::event::{Event, EventKind, Rejection, derive_id};
use crate::webhook::hash::{from_hex, same};
use crate::webhook::instant::read_text;
use crate::webhook::item::{Look, object, value_range};
use crate::webhook::{Control, Evidence, KeyError, ParseError, Parsed, Provider, Request, Verified, VerifyError};

/// Webhooks of Unisender Go: an MD5 over the body with the API key where the digest stands. No time is signed.
pub struct UnisenderGo {
    keys: Vec<String>,
}

impl UnisenderGo {
    /// Takes the API key of the project, or of the account.
    ///
    /// # Errors
    ///
    /// [`KeyError::Empty`].
    pub fn new(key: &str) -> Result<Self, KeyError> {
        Self { keys: Vec::new() }.or_key(key)
    }

    /// Takes another key, while one is changed for the other.
    ///
    /// # Errors
    ///
    /// [`KeyError::Empty`].
    pub fn or_key(mut self, key: &str) -> Result<Self, KeyError> {
        if key.is_empty() {
            return Err(KeyError::Empty);
        }
        self.keys.push(key.to_owned());
        Ok(self)
    }
}

impl fmt::Debug for UnisenderGo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnisenderGo({} keys)", self.keys.len())
    }
}

impl Provider for UnisenderGo {
    fn name(&self) -> &'static str {
        "unisender-go"
    }

    fn probe(&self, request: &Request) -> Option<Control> {
        request.method().eq_ignore_ascii_case("GET").then_some(Control::Ping)
    }

    fn verify(&self, request: &Request, _now: SystemTime) -> Result<Evidence, VerifyError> {
        let body = request.body();
        let parsed = object(body).map_err(|_| VerifyError::Body {
            expected: "a JSON object",
        })?;
        let auth = parsed
            .text(&["auth"])
            .ok_or(VerifyError::MissingField { name: "auth" })?;
        let digest: [u8; 16] = from_hex(auth).ok_or(VerifyError::Encoding {
            place: "auth",
            expected: "32 hexadecimal digits",
        })?;
        // In the body as it came: written anew it would be another one.
        let range = value_range(body, "auth").ok_or(VerifyError::MissingField { name: "auth" })?;
        let (before, after) = (
            body.get(..range.start).unwrap_or_default(),
            body.get(range.end..).unwrap_or_default(),
        );
        let right = self.keys.iter().fold(false, |right, key| {
            let mut md5 = Md5::new();
            for piece in [before, b"\"", key.as_bytes(), b"\"", after] {
                md5.update(piece);
            }
            right | same(&md5.finalize(), &digest)
        });
        if right {
            Ok(Evidence::signature())
        } else {
            Err(VerifyError::WrongSignature)
        }
    }

    fn parse(&self, verified: &Verified) -> Result<Parsed, ParseError> {
        let (body, limit) = (verified.body(), verified.limits().events);
        let item = object(body)?;
        let mut parsed = Parsed::new();
        if item.get("events_by_user").is_none() {
            parsed.events.push(event(&item, body.clone()));
            return Ok(parsed);
        }
        let users = item.list(&["events_by_user"]).iter();
        for (index, event_of_user) in users.flat_map(|user| user.list(&["events"])).enumerate() {
            if index == limit {
                return Err(ParseError::TooMany { limit });
            }
            let read = match event_of_user {
                Value::Object(_) => Ok(event(event_of_user, event_of_user.to_string().into())),
                _ => Err(ParseError::Shape {
                    expected: "a JSON object",
                }),
            };
            parsed.push(index, read);
        }
        Ok(parsed)
    }
}

fn event(item: &Value, raw: Bytes) -> Event {
    let about = item.text(&["event_name"]).unwrap_or_default();
    let data = item.get("event_data").unwrap_or(item);
    let status = data.text(&["status"]).unwrap_or_default();
    let delivery = data.at(&["delivery_info"]);
    let why = delivery.text(&["delivery_status"]);
    let is_status = about == "transactional_email_status";
    let (kind, rejection) = match status {
        _ if !is_status => (EventKind::Unknown, None),
        "sent" => (EventKind::Sent, None),
        "delivered" => (EventKind::Delivered, None),
        // It is still tried.
        "soft_bounced" => (EventKind::Deferred, rejection(why)),
        "hard_bounced" => (
            EventKind::Bounced(permanence(why)),
            rejection(why).or(Some(Rejection::Bounced)),
        ),
        "opened" => (EventKind::Opened { by_machine: None }, None),
        "clicked" => (EventKind::Clicked, None),
        "unsubscribed" => (EventKind::Unsubscribed, Some(Rejection::Unsubscribed)),
        "subscribed" => (EventKind::Subscribed, None),
        "spam" => (EventKind::Complained, Some(Rejection::Spam)),
        _ => (EventKind::Unknown, None),
    };
    let mut event = Event::new("unisender-go", kind);
    event.rejection = rejection;
    event.provider_kind = if is_status { status.to_owned() } else { about.to_owned() };
    event.time = data.text(&["event_time"]).and_then(read_text);
    event.recipient = data.text(&["email"]).map(str::to_owned);
    event.provider_message_id = data.word(&["job_id"]);
    event.metadata = data.pairs(&["metadata"]);
    event.url = data.text(&["url"]).map(str::to_owned);
    event.ip = delivery.ip(&["ip"]);
    event.user_agent = delivery.text(&["user_agent"]).map(str::to_owned);
    event.description = data.text(&["comment"]).or(why).map(str::to_owned);
    event.set_diagnostic(delivery.text(&["destination_response"]).unwrap_or_default());
    let word = |name| data.word(&[name]).unwrap_or_default();
    let parts = [
        about.to_owned(),
        word("job_id"),
        word("email"),
        word("status"),
        word("event_time"),
        word("url"),
    ];
    event.id = derive_id("unisender-go", &parts.each_ref().map(String::as_str));
    event.raw = raw;
    event
}

/// It ceases to try in each case; that says something of the address in some.
fn permanence(why: Option<&str>) -> Permanence {
    match why {
        Some(
            "err_mailbox_full"
            | "err_too_large"
            | "err_unreachable"
            | "err_skip_letter"
            | "err_destination_misconfigured"
            | "err_spam_rejected"
            | "err_spam_skipped"
            | "err_will_retry",
        ) => Permanence::Soft,
        Some("err_blacklisted" | "err_delivery_failed" | "err_lost") => Permanence::Undetermined,
        _ => Permanence::Hard,
    }
}

fn rejection(why: Option<&str>) -> Option<Rejection> {
    Some(match why? {
        "err_user_unknown"
        | "err_user_inactive"
        | "err_mailbox_discarded"
        | "err_mailbox_full"
        | "err_too_large"
        | "err_unreachable"
        | "err_skip_letter"
        | "err_domain_inactive"
        | "err_destination_misconfigured" => Rejection::Bounced,
        "err_spam_rejected" | "err_spam_skipped" => Rejection::Spam,
        "err_blacklisted" => Rejection::Blocked,
        "err_unsubscribed" => Rejection::Unsubscribed,
        _ => Rejection::Other,
    })
}
