//! Mail that MailerSend's inbound routes pass on.

use serde_json::Value;

use super::whole;
use crate::inbound::Inbound;
use crate::webhook::ParseError;
use crate::webhook::instant::read_text;
use crate::webhook::item::Look;

pub(in super::super) fn read(data: &Value) -> Result<Inbound, ParseError> {
    let mut inbound = Inbound::new("mailersend");
    if let Some(mail) = data.text(&["raw"]) {
        whole(&mut inbound, mail.to_owned())?;
    }
    inbound.provider_event_id = data.word(&["id"]);
    inbound.id = inbound.provider_event_id.clone().unwrap_or_default();
    inbound.time = data.text(&["created_at"]).and_then(read_text);
    inbound.envelope_from = data.text(&["sender", "email"]).map(str::to_owned);
    let recipients = data.list(&["recipients", "rcptTo"]).iter();
    inbound.envelope_to = recipients
        .filter_map(|one| one.text(&["email"]).map(str::to_owned))
        .collect();
    inbound.spf = data.text(&["spf_check", "code"]).map(|code| spf(code).to_owned());
    let dkim = data.at(&["dkim_check"]).as_bool();
    inbound.dkim = dkim.map(|passes| if passes { "pass" } else { "fail" }.to_owned());
    Ok(inbound)
}

/// Reads the sign of an SPF result as a word; a word stays.
fn spf(code: &str) -> &str {
    match code {
        "+" => "pass",
        "-" => "fail",
        "~" => "softfail",
        "?" => "neutral",
        word => word,
    }
}
