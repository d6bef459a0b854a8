//! Mail that came into an inbox of Mailtrap.

use serde_json::Value;

use super::headers;
use crate::inbound::{Inbound, InboundAttachment, InboundContent};
use crate::webhook::item::{Look, bare_id};

pub(in super::super) fn read(item: &Value) -> Inbound {
    let mut inbound = Inbound::new("mailtrap");
    inbound.headers = headers(item.at(&["headers"]));
    let list = |name: &str| -> Vec<_> {
        let all = item.words(&[name]);
        all.iter().flat_map(|one| Inbound::mailboxes(one)).collect()
    };
    inbound.from = list("from").into_iter().next();
    (inbound.to, inbound.cc) = (list("to"), list("cc"));
    let text = |name: &str| item.at(&[name]).as_str().map(str::to_owned);
    inbound.subject = text("subject");
    inbound.text = text("text_body");
    inbound.html = text("html_body");
    inbound.message_id = item.text(&["message_id"]).and_then(bare_id);
    inbound.fill_from_headers();
    for attached in item.list(&["attachments"]) {
        let content = InboundContent::Fetch(attached.text(&["download_url"]).unwrap_or_default().to_owned());
        let kind = attached.text(&["content_type"]).unwrap_or_default();
        let (name, id) = (attached.text(&["filename"]), attached.text(&["content_id"]));
        inbound
            .attachments
            .push(InboundAttachment::new(name, kind, id, content));
    }
    inbound.provider_event_id = item.word(&["id"]);
    inbound.id = inbound.provider_event_id.clone().unwrap_or_default();
    inbound.fetch = item.text(&["raw_message_url"]).map(str::to_owned);
    inbound
}
