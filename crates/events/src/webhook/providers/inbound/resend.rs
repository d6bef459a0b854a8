//! Mail that Resend received: it tells of it only, and the mail is to be fetched.

use serde_json::Value;

use crate::inbound::{Inbound, InboundAttachment, InboundContent};
use crate::webhook::item::{Look, bare_id};

pub(in super::super) fn read(data: &Value) -> Inbound {
    let mut inbound = Inbound::new("resend");
    let all = |name: &str| {
        data.words(&[name])
            .iter()
            .flat_map(|one| Inbound::mailboxes(one))
            .collect::<Vec<_>>()
    };
    inbound.from = all("from").into_iter().next();
    inbound.to = all("to");
    inbound.cc = all("cc");
    inbound.subject = data.at(&["subject"]).as_str().map(str::to_owned);
    inbound.message_id = data.text(&["message_id"]).and_then(bare_id);
    inbound.fetch = data.text(&["email_id"]).map(str::to_owned);
    for attached in data.list(&["attachments"]) {
        let content = InboundContent::Fetch(attached.text(&["id"]).unwrap_or_default().to_owned());
        let kind = attached.text(&["content_type"]).unwrap_or_default();
        let id = attached.text(&["content_id"]);
        let mut attachment = InboundAttachment::new(attached.text(&["filename"]), kind, id, content);
        attachment.is_inline = attached.text(&["content_disposition"]) == Some("inline");
        inbound.attachments.push(attachment);
    }
    inbound
}
