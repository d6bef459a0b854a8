//! Mail that came in, compared with what Anymail makes of it.

use std::time::SystemTime;

use posthaste_address::{AddressList, Mailbox, ParseOptions};
use posthaste_events::inbound::Inbound;
use serde_json::Value;

use super::{Checked, microseconds};

pub(super) fn compare(mail: &Inbound, expected: &Value) -> Checked {
    let message = &expected["message"];
    let outcome = if message.is_null() {
        id(mail, expected)
    } else {
        id(mail, expected).and_then(|()| all(mail, message))
    };
    let text = |name: &str| message[name].as_str().unwrap_or_default();
    let is_empty_list = message["attachments"].as_array().is_some_and(Vec::is_empty);
    match outcome {
        Ok(()) => Checked::Right,
        Err(_) if text("text") == "..." => {
            Checked::Unanswered("deviation: what stands where a header should is no text")
        }
        Err(_) if message["inlines"][0] == "" => {
            Checked::Unanswered("deviation: a part that the map of Content-IDs names twice is kept")
        }
        Err(why) if is_empty_list && why.starts_with("what is attached") => {
            Checked::Unanswered("deviation: a file whose name is nothing but a path is kept, without a name")
        }
        Err(why) if why.contains('\u{fffd}') => {
            Checked::Unanswered("deviation: a charset that no browser knows is not read")
        }
        // Its mails are fetched from its API, which the recording did too.
        Err(_) if mail.provider == "resend" => Checked::Unanswered("what is fetched later is no part of the request"),
        Err(why) => Checked::Wrong(why),
    }
}

fn id(mail: &Inbound, expected: &Value) -> Result<(), String> {
    let id = match &expected["event_id"] {
        Value::Null => None,
        Value::String(id) => Some(id.clone()),
        other => Some(other.to_string()),
    };
    if id.is_some() && mail.provider_event_id != id {
        return Err(format!("the id is {:?}, expected {id:?}", mail.provider_event_id));
    }
    if let Some(text) = expected["timestamp"].as_str() {
        let time = microseconds(text);
        let found = mail
            .time
            .map(|time| time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_micros());
        if found != time {
            return Err(format!("the time is {found:?}, expected {time:?}"));
        }
    }
    Ok(())
}

fn all(mail: &Inbound, message: &Value) -> Result<(), String> {
    let from = mailboxes(&message["from"]);
    let found: Vec<String> = mail.from.iter().map(ToString::to_string).collect();
    same("From", &found, &from)?;
    for (name, found) in [("to", &mail.to), ("cc", &mail.cc)] {
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        same(name, &found, &mailboxes(&message[name]))?;
    }
    let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
    let lines = |text: &Option<String>| text.clone().unwrap_or_default().replace("\r\n", "\n");
    same(
        "the subject",
        &mail.subject.clone().unwrap_or_default(),
        &text("subject"),
    )?;
    // Anymail takes the text of a mail that is attached for that of the mail itself, if that has none.
    let attaches_mail = mail
        .attachments
        .iter()
        .any(|attachment| attachment.content_type == "message/rfc822");
    for (what, own, name) in [("the text", &mail.text, "text"), ("the HTML", &mail.html, "html")] {
        if own.is_some() || !attaches_mail {
            same(what, &lines(own), &text(name).replace("\r\n", "\n"))?;
        }
    }
    same(
        "the sender",
        &mail.envelope_from.clone().unwrap_or_default(),
        &text("envelope_sender"),
    )?;
    same(
        "the recipient",
        &mail.envelope_to.first().cloned().unwrap_or_default(),
        &text("envelope_recipient"),
    )?;
    if let Some(expected) = message["spam_detected"].as_bool() {
        same("spam", &mail.is_spam, &Some(expected))?;
    }
    if let Some(expected) = message["spam_score"].as_f64() {
        same("the score", &mail.spam_score, &Some(expected))?;
    }
    let attached: Vec<(String, String)> = mail
        .attachments
        .iter()
        .filter(|attachment| !attachment.is_inline)
        .map(|attachment| {
            (
                attachment.name.clone().unwrap_or_default(),
                attachment.content_type.clone(),
            )
        })
        .collect();
    let expected: Vec<(String, String)> = message["attachments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| {
            (
                pair[0].as_str().unwrap_or_default().to_owned(),
                pair[1].as_str().unwrap_or_default().to_owned(),
            )
        })
        .collect();
    same("what is attached", &attached, &expected)?;
    let embedded = mail.attachments.iter().filter(|attachment| attachment.is_inline);
    let embedded: Vec<String> = embedded
        .map(|attachment| attachment.content_id.clone().unwrap_or_default())
        .collect();
    let expected: Vec<String> = message["inlines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_str().unwrap_or_default().to_owned())
        .collect();
    same("what is embedded", &embedded, &expected)
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<(), String> {
    match found == expected {
        true => Ok(()),
        false => Err(format!("{what}: {found:?}, expected {expected:?}")),
    }
}

/// Reads addresses as Python writes them, to write them as ours are.
fn mailboxes(value: &Value) -> Vec<String> {
    let texts: Vec<&str> = match value {
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        Value::String(text) if text != "None" => vec![text],
        _ => Vec::new(),
    };
    let read = |text: &&str| {
        let list = AddressList::parse_leniently(text, &ParseOptions::default());
        list.mailboxes().map(Mailbox::to_string).collect::<Vec<_>>()
    };
    texts.iter().flat_map(read).collect()
}
