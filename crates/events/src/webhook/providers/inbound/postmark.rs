//! Mail that Postmark received.

use posthaste_address::{EmailAddress, Mailbox};
use serde_json::Value;

use super::octets;
use crate::inbound::{Inbound, InboundAttachment, InboundContent};
use crate::webhook::item::Look;

pub(in super::super) fn read(item: &Value) -> Inbound {
    let mut inbound = Inbound::new("postmark");
    if let Some(mail) = item.text(&["RawEmail"]) {
        // A mail that cannot be taken apart leaves what Postmark took apart.
        let _ = inbound.read_raw(mail.to_owned().into());
    }
    if inbound.headers.is_empty() {
        let fields = item.list(&["Headers"]).iter();
        let fields = fields.filter_map(|field| {
            Some((
                field.text(&["Name"])?.to_owned(),
                field.at(&["Value"]).as_str()?.to_owned(),
            ))
        });
        inbound.headers = fields.collect();
    }
    if inbound.raw.is_none() {
        inbound.from =
            mailbox(item.at(&["FromFull"])).or_else(|| Inbound::mailboxes(item.text(&["From"])?).into_iter().next());
        inbound.to = item.list(&["ToFull"]).iter().filter_map(mailbox).collect();
        inbound.cc = item.list(&["CcFull"]).iter().filter_map(mailbox).collect();
        let text = |name: &str| item.at(&[name]).as_str().map(str::to_owned);
        inbound.subject = text("Subject");
        inbound.text = text("TextBody");
        inbound.html = text("HtmlBody");
        inbound.fill_from_headers();
        for attached in item.list(&["Attachments"]) {
            // Its examples call the content otherwise.
            let content = attached
                .text(&["Content"])
                .or_else(|| attached.text(&["Data"]))
                .unwrap_or_default();
            let content = InboundContent::Octets(octets(content));
            let kind = attached.text(&["ContentType"]).unwrap_or_default();
            inbound.attachments.push(InboundAttachment::new(
                attached.text(&["Name"]),
                kind,
                attached.text(&["ContentID"]),
                content,
            ));
        }
    }
    inbound.stripped_text = item.text(&["StrippedTextReply"]).map(str::to_owned);
    let fields = || item.list(&["Headers"]).iter();
    let header = |name: &str| {
        let field = fields().find(|field| {
            field
                .text(&["Name"])
                .is_some_and(|found| found.eq_ignore_ascii_case(name))
        });
        field
            .and_then(|field| field.text(&["Value"]))
            .or_else(|| inbound.header(name))
    };
    let is_spam = header("X-Spam-Status").is_some_and(|status| status.to_ascii_lowercase().starts_with("yes"));
    let score = header("X-Spam-Score").and_then(|score| score.parse().ok());
    (inbound.is_spam, inbound.spam_score) = (Some(is_spam), score);
    let first = fields()
        .next()
        .filter(|field| field.text(&["Name"]) == Some("Return-Path"));
    let path = first.and_then(|field| field.text(&["Value"]));
    inbound.envelope_from = path.map(|path| path.trim_matches(['<', '>']).to_owned());
    inbound.envelope_to = item.words(&["OriginalRecipient"]);
    inbound.provider_event_id = item.word(&["MessageID"]);
    inbound.id = inbound.provider_event_id.clone().unwrap_or_default();
    inbound
}

fn mailbox(full: &Value) -> Option<Mailbox> {
    let address: EmailAddress = full.text(&["Email"])?.parse().ok()?;
    let named = full
        .text(&["Name"])
        .and_then(|name| Mailbox::with_name(name, address.clone()).ok());
    Some(named.unwrap_or_else(|| Mailbox::new(address)))
}
