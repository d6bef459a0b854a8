//! Mail that Mandrill received.

use serde_json::Value;

use super::whole;
use crate::event::derive_id;
use crate::inbound::Inbound;
use crate::webhook::ParseError;
use crate::webhook::instant::read_seconds;
use crate::webhook::item::Look;

pub(in super::super) fn read(item: &Value) -> Result<Inbound, ParseError> {
    let message = item.at(&["msg"]);
    let mut inbound = Inbound::new("mandrill");
    if let Some(mail) = message.text(&["raw_msg"]) {
        whole(&mut inbound, mail.to_owned())?;
    }
    inbound.time = read_seconds(item.at(&["ts"]));
    // Its `sender` is the account's, not the reverse-path.
    inbound.envelope_to = message.words(&["email"]);
    inbound.spam_score = message.at(&["spam_report", "score"]).as_f64();
    inbound.spf = message.text(&["spf", "result"]).map(str::to_ascii_lowercase);
    let dkim = message.at(&["dkim", "valid"]).as_bool();
    inbound.dkim = dkim.map(|passes| if passes { "pass" } else { "fail" }.to_owned());
    let time = item.word(&["ts"]).unwrap_or_default();
    let id = inbound.message_id.as_deref().unwrap_or_default();
    inbound.id = derive_id("mandrill", &["inbound", id, &time, &inbound.envelope_to.join(",")]);
    Ok(inbound)
}
