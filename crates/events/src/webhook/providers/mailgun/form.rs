//! Events as Mailgun once sent them: a form, with the variables of the user among its own fields.

use std::collections::BTreeMap;

use crate::bounce::Permanence;
use crate::event::{Event, EventKind};
use crate::webhook::instant::read_whole_seconds;
use crate::webhook::item::bare_id;
use crate::webhook::{Form, ParseError, Request, VerifyError};

use super::{Signature, kind_of, rejection};

/// Fields of a form that are Mailgun's own.
const OWN: &[&str] = &[
    "Message-Id",
    "Reason",
    "X-Mailgun-Sid",
    "X-Mailgun-Tag",
    "attachment-count",
    "body-plain",
    "campaign-id",
    "campaign-name",
    "city",
    "client-name",
    "client-os",
    "client-type",
    "code",
    "country",
    "description",
    "device-type",
    "domain",
    "error",
    "event",
    "h",
    "ip",
    "mailing-list",
    "message-headers",
    "notification",
    "reason",
    "recipient",
    "region",
    "signature",
    "tag",
    "timestamp",
    "token",
    "url",
    "user-agent",
];

/// Returns the last field of a name: variables of the user may have the names of those that Mailgun signs, and stand before them.
fn last<'a>(form: &'a Form, name: &str) -> Option<&'a str> {
    let field = form.fields().iter().rev().find(|field| field.name == name)?;
    std::str::from_utf8(&field.value).ok()
}

pub(super) fn signature(request: &Request) -> Result<Signature, VerifyError> {
    let form = Form::read(request).map_err(|_| VerifyError::Body { expected: "a form" })?;
    let field = |name: &'static str| {
        let text = last(&form, name).map(str::to_owned);
        text.ok_or(VerifyError::MissingField { name })
    };
    Ok(Signature {
        timestamp: field("timestamp")?,
        token: field("token")?,
        signature: field("signature")?,
    })
}

pub(super) fn event(request: &Request) -> Result<Event, ParseError> {
    let form = Form::read(request)?;
    let text = |name: &str| form.text(name).filter(|text| !text.is_empty());
    let name = text("event").unwrap_or_default();
    let code = text("code").and_then(|code| code.parse::<u64>().ok());
    let kind = match name {
        "delivered" => EventKind::Delivered,
        "dropped" => EventKind::Rejected,
        "bounced" => EventKind::Bounced(Permanence::Hard),
        other => kind_of(other),
    };
    let mut event = Event::new("mailgun", kind);
    name.clone_into(&mut event.provider_kind);
    event.provider_event_id = last(&form, "token").map(str::to_owned);
    event.id = event.provider_event_id.clone().unwrap_or_default();
    event.time = last(&form, "timestamp").and_then(read_whole_seconds);
    event.recipient = text("recipient").map(str::to_owned);
    event.message_id = text("Message-Id").and_then(bare_id);
    event.provider_message_id = event.message_id.as_ref().map(|id| format!("<{id}>"));
    event.url = text("url").map(str::to_owned);
    event.ip = text("ip").and_then(|ip| ip.parse().ok());
    event.user_agent = text("user-agent").map(str::to_owned);
    event.description = text("description").map(str::to_owned);
    let said = text("error").or_else(|| text("notification"));
    event.set_diagnostic(said.unwrap_or_default());
    let reply = code
        .and_then(|code| u16::try_from(code).ok())
        .filter(|code| (200..600).contains(code));
    event.set_codes(reply, None);
    event.rejection = rejection(kind, code, text("reason"));
    let tags = form
        .fields()
        .iter()
        .filter(|field| matches!(field.name.as_str(), "tag" | "X-Mailgun-Tag"));
    event.tags = tags
        .map(|field| String::from_utf8_lossy(&field.value).into_owned())
        .collect();
    event.metadata = metadata(&form);
    event.raw = request.body().clone();
    Ok(event)
}

/// Collects the variables of the user: the fields that are not Mailgun's, and those that stand beside one of the same name.
fn metadata(form: &Form) -> BTreeMap<String, String> {
    let mut metadata = BTreeMap::new();
    for (at, field) in form.fields().iter().enumerate() {
        let same = |range: &[crate::webhook::FormField]| range.iter().any(|other| other.name == field.name);
        let (before, after) = form.fields().split_at(at);
        let is_own = match field.name.as_str() {
            "tag" | "X-Mailgun-Tag" => true,
            "token" | "timestamp" | "signature" => !same(after.get(1..).unwrap_or_default()),
            name => OWN.binary_search(&name).is_ok() && !same(before),
        };
        if !is_own {
            let value = String::from_utf8_lossy(&field.value).into_owned();
            metadata.entry(field.name.clone()).or_insert(value);
        }
    }
    metadata
}

#[cfg(test)]
mod tests {
    #[test]
    fn own_fields_stand_in_order() {
        assert!(super::OWN.is_sorted());
    }
}
