//! Messages that pretend to end early, into our server and out of our client.

use serde_json::Value;

use super::block_on;
use super::client::{Fake, send};
use super::desk::Desk;
use super::dialog::Dialog;
use crate::harness::{Input, Report};
use posthaste_transport::Disposition;

/// Runs the set.
pub fn run(input: &Input, report: &mut Report) {
    let vectors = input.json("smtp/smtp-smuggling.json");
    for case in vectors["server"].as_array().into_iter().flatten() {
        report.check(case["id"].as_str().unwrap_or_default(), block_on(check_server(case)));
    }
    for case in vectors["client"].as_array().into_iter().flatten() {
        report.check(case["id"].as_str().unwrap_or_default(), block_on(check_client(case)));
    }
}

async fn check_server(case: &Value) -> Result<(), String> {
    let desk = Desk::default();
    let mut dialog = Dialog::start(desk.server()).await?;
    dialog.ask("EHLO client.example", &[250]).await?;
    dialog.ask("MAIL FROM:<a@sender.example>", &[250]).await?;
    dialog.ask("RCPT TO:<b@rcpt.example>", &[250]).await?;
    dialog.ask("DATA", &[354]).await?;
    let wire = case["wire_after_354"].as_str().unwrap_or_default();
    // All at once: what a smuggler behind a lenient relay would have arrive.
    dialog.write(wire.as_bytes()).await;
    dialog.write(b"QUIT\r\n").await;
    let replies = String::from_utf8_lossy(&dialog.rest().await).into_owned();

    let seen = desk.seen();
    let expect = &case["expect"];
    let accepted = u64::try_from(seen.messages.len()).unwrap_or(u64::MAX);
    if expect["messages_accepted_max"]
        .as_u64()
        .is_some_and(|max| accepted > max)
    {
        return Err(format!("{accepted} messages were accepted: {replies}"));
    }
    let smuggled = seen.senders.iter().any(|sender| sender.contains("victim.example"));
    if expect["second_transaction_from_body"] == false && smuggled {
        return Err(format!("the body began a transaction: {replies}"));
    }
    if smuggled && wire.replace("\r\n", "").contains(['\r', '\n']) {
        return Err(format!("a bare CR or LF was followed by a transaction: {replies}"));
    }
    match seen.messages.as_slice() {
        [message] if !smuggled && !String::from_utf8_lossy(message.content()).contains("smuggled body") => {
            Err("the message lost its end".to_owned())
        }
        [] if !(replies.is_empty() || replies.starts_with('5')) => {
            Err(format!("neither accepted nor refused: {replies}"))
        }
        _ => Ok(()),
    }
}

async fn check_client(case: &Value) -> Result<(), String> {
    let body = case["body"].as_str().unwrap_or_default();
    let fake = Fake::default();
    let result = send(&fake.client(|config| config)?, body.as_bytes()).await;
    let seen = fake.seen();
    let wire = match (result, seen.contents.as_slice()) {
        (Ok(_), [wire]) => wire,
        (Err(error), []) if seen.commands.iter().all(|command| command != "DATA") => {
            return match error.disposition() {
                Disposition::NotAccepted => Ok(()),
                other => Err(format!("refused as {other:?}")),
            };
        }
        (result, contents) => return Err(format!("{result:?} with {} messages", contents.len())),
    };
    check_wire(wire)?;
    let messages = lenient(wire);
    if messages == 1 {
        Ok(())
    } else {
        Err(format!("a lenient receiver sees {messages} ends"))
    }
}

/// Checks what stands between 354 and the end of the message.
fn check_wire(wire: &[u8]) -> Result<(), String> {
    let text = wire.strip_suffix(b".\r\n").ok_or("no end")?;
    let bare = String::from_utf8_lossy(text).replace("\r\n", "");
    if bare.contains(['\r', '\n']) {
        return Err("a bare CR or LF left".to_owned());
    }
    let single = |line: &[u8]| line.starts_with(b".") && !line.starts_with(b"..");
    if text.split(|&byte| byte == b'\n').any(single) {
        return Err("a dot is not doubled".to_owned());
    }
    Ok(())
}

/// Counts the ends that a receiver sees which also takes other sequences for them.
fn lenient(wire: &[u8]) -> usize {
    let ends: [&[u8]; 6] = [b"\r\n.\r\n", b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r"];
    (0..wire.len())
        .filter(|&at| wire.get(at) == Some(&b'.'))
        .filter(|&dot| {
            ends.iter().any(|end| {
                let before = end.iter().position(|&byte| byte == b'.').unwrap_or(0);
                dot.checked_sub(before)
                    .and_then(|start| wire.get(start..start + end.len()))
                    == Some(end)
            })
        })
        .count()
}
