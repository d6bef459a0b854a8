//! Mail that SendGrid's Inbound Parse received: whole, or taken apart.

use posthaste_mime::RawMessage;
use serde_json::Value;

use super::whole;
use crate::event::derive_id;
use crate::inbound::{Inbound, InboundAttachment, InboundContent};
use crate::webhook::item::Look;
use crate::webhook::{Form, ParseError, Request};

pub(in super::super) fn read(request: &Request) -> Result<Inbound, ParseError> {
    let form = Form::read(request)?;
    let json = |name: &str| {
        form.text(name)
            .and_then(|text| serde_json::from_str::<Value>(text).ok())
            .unwrap_or_default()
    };
    let mut inbound = Inbound::new("sendgrid");
    let charsets = json("charsets");
    // Each field has the charset that the mail had there.
    let text = |name: &str| {
        let field = form.field(name)?;
        let charset = charsets.text(&[name]).unwrap_or("utf-8");
        Some(decode(&field.value, charset))
    };
    if let Some(mail) = form.field("email") {
        whole(&mut inbound, mail.value.clone())?;
    } else {
        let lines = text("headers").unwrap_or_default();
        let header = RawMessage::parse(format!("{}\r\n\r\n", lines.trim_end()).into_bytes());
        if let Ok(header) = header {
            inbound.headers = header
                .fields()
                .map(|field| (field.name().to_owned(), field.decoded().trim().to_owned()))
                .collect();
        }
        let first = |name: &str| text(name).map(|text| Inbound::mailboxes(&text)).unwrap_or_default();
        inbound.from = first("from").into_iter().next();
        inbound.to = first("to");
        inbound.cc = first("cc");
        inbound.subject = text("subject");
        inbound.text = text("text");
        inbound.html = text("html");
        inbound.fill_from_headers();
        let info = json("attachment-info");
        for field in form.fields().iter().filter(|field| field.file_name.is_some()) {
            let about = info.at(&[&field.name]);
            let kind = about
                .text(&["type"])
                .or(field.content_type.as_deref())
                .unwrap_or_default();
            let name = about.text(&["filename"]).or(field.file_name.as_deref());
            let content = InboundContent::Octets(field.value.clone());
            inbound
                .attachments
                .push(InboundAttachment::new(name, kind, about.text(&["content-id"]), content));
        }
    }
    let envelope = json("envelope");
    inbound.envelope_from = envelope.text(&["from"]).map(str::to_owned);
    inbound.envelope_to = envelope.words(&["to"]);
    inbound.spam_score = form.text("spam_score").and_then(|score| score.trim().parse().ok());
    inbound.spf = form.text("SPF").map(|word| word.trim().to_ascii_lowercase());
    inbound.dkim = form.text("dkim").map(|word| word.trim().to_ascii_lowercase());
    let message = inbound.message_id.clone().unwrap_or_default();
    inbound.id = derive_id(
        "sendgrid",
        &[
            "inbound",
            &message,
            &inbound.envelope_to.join(","),
            inbound.subject.as_deref().unwrap_or_default(),
        ],
    );
    Ok(inbound)
}

/// Decodes text of a charset, as a mail of one part would have it.
fn decode(octets: &[u8], charset: &str) -> String {
    if charset.eq_ignore_ascii_case("utf-8")
        || !charset
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    {
        return String::from_utf8_lossy(octets).into_owned();
    }
    let mut mail =
        format!("Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n").into_bytes();
    mail.extend_from_slice(octets);
    let parts = RawMessage::parse(mail).and_then(|mail| mail.own_parts());
    let text = parts.ok().and_then(|parts| parts.first().and_then(|part| part.text()));
    text.unwrap_or_else(|| String::from_utf8_lossy(octets).into_owned())
}
