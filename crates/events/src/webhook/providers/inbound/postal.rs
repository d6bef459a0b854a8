//! Mail that Postal received.

use serde_json::Value;

use super::{octets, whole};
use crate::event::derive_id;
use crate::inbound::Inbound;
use crate::webhook::ParseError;
use crate::webhook::item::Look;

pub(in super::super) fn read(item: &Value) -> Result<Inbound, ParseError> {
    let mut inbound = Inbound::new("postal");
    if let Some(mail) = item.text(&["message"]) {
        let is_base64 = item.at(&["base64"]) == &Value::Bool(true);
        whole(
            &mut inbound,
            if is_base64 {
                octets(mail)
            } else {
                mail.to_owned().into()
            },
        )?;
    }
    inbound.provider_event_id = item.word(&["id"]);
    inbound.id = inbound.provider_event_id.clone().unwrap_or_else(|| {
        derive_id(
            "postal",
            &["inbound", inbound.message_id.as_deref().unwrap_or_default()],
        )
    });
    inbound.envelope_from = item.at(&["mail_from"]).as_str().map(str::to_owned);
    inbound.envelope_to = item.words(&["rcpt_to"]);
    Ok(inbound)
}
