//! Mail that SparkPost's relay webhooks pass on.

use serde_json::Value;

use super::{octets, whole};
use crate::event::derive_id;
use crate::inbound::Inbound;
use crate::webhook::ParseError;
use crate::webhook::item::Look;

pub(in super::super) fn read(data: &Value) -> Result<Inbound, ParseError> {
    let mut inbound = Inbound::new("sparkpost");
    let content = data.at(&["content"]);
    if let Some(mail) = content.text(&["email_rfc822"]) {
        let is_base64 = content.at(&["email_rfc822_is_base64"]) == &Value::Bool(true);
        whole(
            &mut inbound,
            if is_base64 {
                octets(mail)
            } else {
                mail.to_owned().into()
            },
        )?;
    }
    inbound.envelope_from = data.text(&["msg_from"]).map(str::to_owned);
    inbound.envelope_to = data.words(&["rcpt_to"]);
    let message = inbound.message_id.as_deref().unwrap_or_default();
    inbound.id = derive_id("sparkpost", &["inbound", message, &inbound.envelope_to.join(",")]);
    Ok(inbound)
}
