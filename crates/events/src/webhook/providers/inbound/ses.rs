//! Mail that Amazon SES received.

use serde_json::Value;

use super::{octets, whole};
use crate::inbound::Inbound;
use crate::webhook::ParseError;
use crate::webhook::instant::read_text;
use crate::webhook::item::Look;

pub(in super::super) fn read(message: &Value) -> Result<Inbound, ParseError> {
    let (mail, receipt) = (message.at(&["mail"]), message.at(&["receipt"]));
    let mut inbound = Inbound::new("ses");
    let action = receipt.at(&["action"]);
    if let Some(content) = message.text(&["content"]) {
        let is_base64 = action
            .text(&["encoding"])
            .is_some_and(|name| name.eq_ignore_ascii_case("base64"));
        whole(
            &mut inbound,
            if is_base64 {
                octets(content)
            } else {
                content.to_owned().into()
            },
        )?;
    } else if let (Some(bucket), Some(key)) = (action.text(&["bucketName"]), action.text(&["objectKey"])) {
        inbound.fetch = Some(format!("s3://{bucket}/{key}"));
    }
    inbound.provider_event_id = mail.word(&["messageId"]);
    inbound.id = inbound.provider_event_id.clone().unwrap_or_default();
    inbound.time = mail.text(&["timestamp"]).and_then(read_text);
    inbound.envelope_from = mail.text(&["source"]).map(str::to_owned);
    inbound.envelope_to = receipt.words(&["recipients"]);
    let verdict = |name: &str| receipt.text(&[name, "status"]).map(str::to_ascii_lowercase);
    inbound.is_spam = match verdict("spamVerdict").as_deref() {
        Some("fail") => Some(true),
        Some("pass") => Some(false),
        _ => None,
    };
    [inbound.spf, inbound.dkim, inbound.dmarc] = ["spfVerdict", "dkimVerdict", "dmarcVerdict"].map(verdict);
    Ok(inbound)
}
