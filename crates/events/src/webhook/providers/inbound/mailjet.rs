//! Mail that Mailjet's Parse API received.

use serde_json::Value;

use super::{headers, octets};
use crate::event::derive_id;
use crate::inbound::{Inbound, InboundAttachment, InboundContent};
use crate::webhook::item::Look;

pub(in super::super) fn read(item: &Value) -> Inbound {
    let mut inbound = Inbound::new("mailjet");
    inbound.headers = headers(item.at(&["Headers"]));
    inbound.text = item.at(&["Text-part"]).as_str().map(str::to_owned);
    inbound.html = item.at(&["Html-part"]).as_str().map(str::to_owned);
    inbound.fill_from_headers();
    let subject = item.text(&["Subject"]).map(str::to_owned);
    inbound.subject = inbound.subject.take().or(subject);
    inbound.envelope_from = item.text(&["Sender"]).map(str::to_owned);
    inbound.envelope_to = item.words(&["Recipient"]);
    inbound.spam_score = item.word(&["SpamAssassinScore"]).and_then(|score| score.parse().ok());
    for part in item.list(&["Parts"]) {
        // Its field holds the octets, its header says what they are.
        let Some(field) = part.text(&["ContentRef"]).filter(|name| name.contains("Attachment")) else {
            continue;
        };
        let own = Inbound {
            headers: headers(part.at(&["Headers"])),
            ..Inbound::default()
        };
        let header = |name: &str| own.header(name).unwrap_or_default();
        let kind = header("content-type");
        let name = parameter(header("content-disposition"), "filename").or_else(|| parameter(kind, "name"));
        let content = InboundContent::Octets(octets(item.text(&[field]).unwrap_or_default()));
        let id = own.header("content-id");
        let mut attachment = InboundAttachment::new(name.as_deref(), kind, id, content);
        attachment.is_inline = field.starts_with("Inline");
        inbound.attachments.push(attachment);
    }
    let message = inbound.message_id.as_deref().unwrap_or_default();
    inbound.id = derive_id("mailjet", &["inbound", message, &inbound.envelope_to.join(",")]);
    inbound
}

/// Reads a parameter of a header field, as a mail would have it.
fn parameter(value: &str, name: &str) -> Option<String> {
    let line = value.replace(['\r', '\n'], " ");
    let message = posthaste_mime::RawMessage::parse(format!("X: {line}\r\n\r\n").into_bytes()).ok()?;
    message.field("x")?.parameters().get(name).map(str::to_owned)
}
