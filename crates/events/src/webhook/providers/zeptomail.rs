//! ZeptoMail (Zoho).

use std::time::SystemTime;

use bytes::Bytes;
use serde_json::Value;

use crate::bounce::Permanence;
use crate::event::{Event, EventKind, Rejection, derive_id};
use crate::webhook::form::decoded;
use crate::webhook::hash::from_base64;
use crate::webhook::instant::{read_milliseconds, read_text};
use crate::webhook::item::{Look, object};
use crate::webhook::key::Secrets;
use crate::webhook::{
    Control, Evidence, Form, KeyError, ParseError, Parsed, Provider, Request, Verified, VerifyError, Window,
};

const SIGNATURE: &str = "producer-signature";

/// Webhooks of ZeptoMail: an HMAC-SHA256 over the body, or over the JSON in its form.
///
/// The time in its header field is checked, and is not sure to be signed: what was overheard can be sent again. Remember
/// [`Event::id`]s. A request without a signature, as it sends one when a webhook is saved, counts as a question whether somebody is
/// there: nothing in it is read.
#[derive(Debug)]
pub struct ZeptoMail {
    secrets: Secrets,
    window: Window,
}

impl ZeptoMail {
    /// Takes the authentication key of the webhook.
    ///
    /// # Errors
    ///
    /// [`KeyError::Empty`].
    pub fn new(key: &str) -> Result<Self, KeyError> {
        Ok(Self {
            secrets: Secrets::sha256(key.as_bytes())?,
            window: Window::FIVE_MINUTES,
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

    /// Sets how old a request may be. Five minutes unless set.
    #[must_use]
    pub fn window(mut self, window: Window) -> Self {
        self.window = window;
        self
    }
}

impl Provider for ZeptoMail {
    fn name(&self) -> &'static str {
        "zeptomail"
    }

    fn probe(&self, request: &Request) -> Option<Control> {
        let is_post = request.method().eq_ignore_ascii_case("POST");
        (is_post && request.optional(SIGNATURE) == Ok(None)).then_some(Control::Ping)
    }

    fn verify(&self, request: &Request, now: SystemTime) -> Result<Evidence, VerifyError> {
        let field = request.required(SIGNATURE)?;
        let part = |name: &str| {
            let mut parts = field.split(';').filter_map(|part| part.trim().split_once('='));
            parts.find(|(found, _)| *found == name).map(|(_, value)| value)
        };
        let encoding = |expected| VerifyError::Encoding {
            place: SIGNATURE,
            expected,
        };
        let time = part("ts").ok_or(encoding("a field with `ts`"))?;
        if part("s-algorithm").is_some_and(|name| !name.eq_ignore_ascii_case("HmacSHA256")) {
            return Err(VerifyError::Version);
        }
        let signature = part("s").ok_or(encoding("a field with `s`"))?;
        // Percent signs stand for signs of base64 here; a plus sign stands for itself.
        let signature = String::from_utf8(decoded(signature.replace('+', "%2B").as_bytes())).unwrap_or_default();
        let signature = from_base64(&signature).ok_or(encoding("base64"))?;
        let signed = read_milliseconds(&Value::from(time)).ok_or(encoding("milliseconds since 1970"))?;
        self.window.check(signed, now)?;
        let form = json_of_form(request);
        let json = form.as_ref().unwrap_or(request.body());
        // What its pages say is signed is not what people find: any of these that only the key could make is good.
        let candidates: [&[&[u8]]; 4] = [
            &[request.body()],
            &[json],
            &[time.as_bytes(), request.body()],
            &[time.as_bytes(), json],
        ];
        let checked = candidates.iter().map(|pieces| self.secrets.check(pieces, &signature));
        if checked.fold(false, |right, checked| right | checked.is_ok()) {
            return Ok(Evidence::signature());
        }
        Err(VerifyError::WrongSignature)
    }

    fn parse(&self, verified: &Verified) -> Result<Parsed, ParseError> {
        let form = json_of_form(verified.request());
        let raw = form.as_ref().unwrap_or(verified.body());
        let item = object(raw)?;
        let limit = verified.limits().events;
        let mut parsed = Parsed::new();
        for message in many(item.at(&["event_message"])) {
            for data in or_nothing(many(message.at(&["event_data"]))) {
                for details in or_nothing(many(data.at(&["details"]))) {
                    if parsed.events.len() == limit {
                        return Err(ParseError::TooMany { limit });
                    }
                    let index = parsed.events.len();
                    parsed.events.push(event(&item, message, details, index, raw));
                }
            }
        }
        Ok(parsed)
    }
}

/// Returns the JSON that stands in the field `data` of a form.
fn json_of_form(request: &Request) -> Option<Bytes> {
    if request.media_type().as_deref() != Some("application/x-www-form-urlencoded") {
        return None;
    }
    Form::read(request).ok()?.field("data").map(|field| field.value.clone())
}

/// Reads a list, or the one thing that stands where a list could be.
fn many(value: &Value) -> &[Value] {
    match value {
        Value::Array(all) => all,
        Value::Null => &[],
        one => std::slice::from_ref(one),
    }
}

/// Nothing stands for one thing of which nothing is known.
fn or_nothing(all: &[Value]) -> &[Value] {
    if all.is_empty() { &[Value::Null] } else { all }
}

fn event(item: &Value, message: &Value, details: &Value, index: usize, raw: &Bytes) -> Event {
    let name = item.words(&["event_name"]).into_iter().next().unwrap_or_default();
    let (kind, rejection) = match name.as_str() {
        "delivered" => (EventKind::Delivered, None),
        "hardbounce" => (EventKind::Bounced(Permanence::Hard), Some(Rejection::Bounced)),
        "softbounce" => (EventKind::Bounced(Permanence::Soft), Some(Rejection::Bounced)),
        "email_open" => (EventKind::Opened { by_machine: None }, None),
        "email_link_click" => (EventKind::Clicked, None),
        "feedback_loop" => (EventKind::Complained, Some(Rejection::Spam)),
        _ => (EventKind::Unknown, None),
    };
    let mut event = Event::new("zeptomail", kind);
    event.rejection = rejection;
    event.provider_kind = name;
    event.provider_event_id = item.word(&["webhook_request_id"]);
    let time = details
        .text(&["time"])
        .or_else(|| message.text(&["email_info", "processed_time"]));
    event.time = time.and_then(read_text);
    let to = many(message.at(&["email_info", "to"]));
    let address = |to: &Value| to.text(&["email_address", "address"]).map(str::to_owned);
    let named = details.text(&["bounced_recipient"]).map(str::to_owned);
    event.recipient_is_guess = named.is_none() && to.len() > 1;
    event.recipient = named.or_else(|| to.first().and_then(address));
    event.provider_message_id = message.word(&["request_id"]);
    if let Some(reference) = message.text(&["email_info", "client_reference"]) {
        // Metadata travel in it as an object; what else stands there is somebody's own.
        event.metadata = message.pairs(&["email_info", "client_reference"]);
        if event.metadata.is_empty() {
            let name = "client_reference".to_owned();
            event.metadata.insert(name, reference.to_owned());
        }
    }
    event.url = details.text(&["clicked_link"]).map(str::to_owned);
    event.ip = details.ip(&["ip_address"]);
    event.user_agent = details.text(&["user_agent"]).map(str::to_owned);
    event.description = details.text(&["reason"]).map(str::to_owned);
    let said = details
        .text(&["diagnostic_message"])
        .or_else(|| details.text(&["reason"]).filter(|_| rejection.is_some()));
    event.set_diagnostic(said.unwrap_or_default());
    let request_id = event.provider_event_id.clone();
    event.id = match request_id {
        Some(id) if index == 0 => id,
        Some(id) => format!("{id}:{index}"),
        None => {
            let [message, recipient] =
                [&event.provider_message_id, &event.recipient].map(|part| part.as_deref().unwrap_or_default());
            derive_id(
                "zeptomail",
                &[
                    &event.provider_kind,
                    message,
                    recipient,
                    time.unwrap_or_default(),
                    &index.to_string(),
                ],
            )
        }
    };
    event.raw = raw.clone();
    event
}
