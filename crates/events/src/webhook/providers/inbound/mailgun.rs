//! Mail that Mailgun's routes pass on: whole, or taken apart.

use serde_json::Value;

use super::whole;
use crate::inbound::{Inbound, InboundAttachment, InboundContent};
use crate::webhook::instant::read_whole_seconds;
use crate::webhook::item::{Look, as_text};
use crate::webhook::{Form, ParseError};

pub(in super::super) fn read(form: &Form) -> Result<Inbound, ParseError> {
    let text = |name: &str| form.text(name).map(str::to_owned);
    let json = |name: &str| {
        form.text(name)
            .and_then(|text| serde_json::from_str::<Value>(text).ok())
            .unwrap_or_default()
    };
    let mut inbound = Inbound::new("mailgun");
    if let Some(mail) = form.field("body-mime") {
        whole(&mut inbound, mail.value.clone())?;
    } else {
        let fields = json("message-headers");
        let fields = fields
            .list(&[])
            .iter()
            .filter_map(|pair| Some((pair.get(0)?.as_str()?.to_owned(), as_text(pair.get(1)?))));
        inbound.headers = fields.collect();
        inbound.text = text("body-plain");
        inbound.html = text("body-html");
        inbound.fill_from_headers();
        // It names the parts by their Content-IDs.
        let ids = json("content-id-map");
        let id_of = |name: &str| {
            let found = ids.as_object()?.iter().find(|(_, part)| part.as_str() == Some(name));
            found.map(|(id, _)| id.clone())
        };
        for field in form
            .fields()
            .iter()
            .filter(|field| field.name.starts_with("attachment-") && field.file_name.is_some())
        {
            let kind = field.content_type.as_deref().unwrap_or_default();
            let content = InboundContent::Octets(field.value.clone());
            let id = id_of(&field.name);
            inbound.attachments.push(InboundAttachment::new(
                field.file_name.as_deref(),
                kind,
                id.as_deref(),
                content,
            ));
        }
        // What it stored has to be fetched.
        for stored in json("attachments").list(&[]) {
            let content = InboundContent::Fetch(stored.text(&["url"]).unwrap_or_default().to_owned());
            let kind = stored.text(&["content-type"]).unwrap_or_default();
            inbound
                .attachments
                .push(InboundAttachment::new(stored.text(&["name"]), kind, None, content));
        }
        inbound.fetch = text("message-url");
    }
    inbound.stripped_text = text("stripped-text");
    inbound.envelope_from = text("sender");
    inbound.envelope_to = text("recipient")
        .map(|all| all.split(',').map(|one| one.trim().to_owned()).collect())
        .unwrap_or_default();
    inbound.provider_event_id = text("token");
    inbound.id = inbound.provider_event_id.clone().unwrap_or_default();
    inbound.time = form.text("timestamp").and_then(read_whole_seconds);
    inbound.is_spam = Some(
        inbound
            .header("X-Mailgun-Sflag")
            .is_some_and(|flag| flag.eq_ignore_ascii_case("yes")),
    );
    inbound.spam_score = inbound.header("X-Mailgun-Sscore").and_then(|score| score.parse().ok());
    let of_header = |name: &str| inbound.header(name).map(str::to_ascii_lowercase);
    let (spf, dkim) = (of_header("X-Mailgun-Spf"), of_header("X-Mailgun-Dkim-Check-Result"));
    (inbound.spf, inbound.dkim) = (spf, dkim);
    Ok(inbound)
}
