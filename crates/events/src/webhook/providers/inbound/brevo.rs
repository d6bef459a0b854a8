//! Mail that Brevo received. Its attachments are to be fetched.

use serde_json::Value;

use super::headers;
use crate::event::derive_id;
use crate::inbound::{Inbound, InboundAttachment, InboundContent};
use crate::webhook::item::{Look, bare_id};

pub(in super::super) fn read(item: &Value) -> Inbound {
    let mut inbound = Inbound::new("brevo");
    inbound.headers = headers(item.at(&["Headers"]));
    inbound.message_id = item.text(&["MessageId"]).and_then(bare_id);
    inbound.text = item.at(&["RawTextBody"]).as_str().map(str::to_owned);
    inbound.html = item.at(&["RawHtmlBody"]).as_str().map(str::to_owned);
    inbound.stripped_text = item.text(&["ExtractedMarkdownMessage"]).map(str::to_owned);
    inbound.subject = item.text(&["Subject"]).map(str::to_owned);
    inbound.fill_from_headers();
    inbound.spam_score = item.at(&["SpamScore"]).as_f64();
    inbound.provider_event_id = item.words(&["Uuid"]).into_iter().next();
    inbound.id = inbound
        .provider_event_id
        .clone()
        .unwrap_or_else(|| derive_id("brevo", &["inbound", inbound.message_id.as_deref().unwrap_or_default()]));
    for attached in item.list(&["Attachments"]) {
        let content = InboundContent::Fetch(attached.text(&["DownloadToken"]).unwrap_or_default().to_owned());
        let kind = attached.text(&["ContentType"]).unwrap_or_default();
        inbound.attachments.push(InboundAttachment::new(
            attached.text(&["Name"]),
            kind,
            attached.text(&["ContentID"]),
            content,
        ));
    }
    inbound
}
