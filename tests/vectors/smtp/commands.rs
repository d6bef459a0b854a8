//! Single command lines, each in a session where its verb is in place.

use posthaste_smtp::protocol::{Command, CommandError};
use serde_json::Value;

use super::block_on;
use super::desk::Desk;
use super::dialog::Dialog;
use crate::harness::{Input, Report};

/// Runs the set.
pub fn run(input: &Input, report: &mut Report) {
    let vectors = input.json("smtp/smtp-commands.json");
    for (index, case) in vectors["cases"].as_array().into_iter().flatten().enumerate() {
        let line = case["line"].as_str().unwrap_or_default();
        let id = format!("{index}: {}", line.chars().take(60).collect::<String>().escape_debug());
        report.check(&id, block_on(check(line, case)));
    }
}

async fn check(line: &str, case: &Value) -> Result<(), String> {
    let desk = Desk::default();
    let mut dialog = Dialog::start(desk.server()).await?;
    let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
    if !matches!(verb.as_str(), "EHLO" | "HELO") {
        dialog.ask("EHLO client.example", &[250]).await?;
    }
    if matches!(verb.as_str(), "RCPT" | "DATA" | "BDAT") {
        dialog.ask("MAIL FROM:<sender@example.com>", &[250]).await?;
    }
    if matches!(verb.as_str(), "DATA" | "BDAT") {
        dialog.ask("RCPT TO:<b@example.com>", &[250]).await?;
    }
    let before = desk.seen();
    dialog.write(format!("{line}\r\n").as_bytes()).await;
    let parsed = Command::parse(line.as_bytes());
    if let Ok(Command::Bdat {
        length: length @ 1..=1_000_000,
        ..
    }) = parsed
    {
        dialog
            .write(&vec![b'x'; usize::try_from(length).map_err(|e| e.to_string())?])
            .await;
    }
    let reply = dialog.reply().await?;
    let code = reply.as_ref().map(posthaste_smtp::protocol::WireReply::code);
    let accepted = code.is_some_and(|code| code < 400);
    match case["accept"].as_bool() {
        Some(expected) if expected != accepted => return Err(format!("answered {code:?}")),
        None if code.is_none() => return Err("hung up".to_owned()),
        _ => {}
    }
    if accepted {
        let after = desk.seen();
        let path = after
            .senders
            .get(before.senders.len())
            .or(after.recipients.get(before.recipients.len()));
        check_details(line, path.map(String::as_str), &case["expect"])?;
    }
    let goes_on = !matches!(
        (verb.as_str(), code),
        ("QUIT" | "STARTTLS", Some(200..=299)) | (_, Some(300..=399))
    );
    // Two refusals end the session: what follows them would not be commands.
    let ends = matches!(parsed, Err(CommandError::Http)) || (matches!(parsed, Ok(Command::Bdat { .. })) && !accepted);
    if goes_on && !ends {
        dialog
            .ask("NOOP", &[250])
            .await
            .map_err(|why| format!("afterwards {why}"))?;
    }
    Ok(())
}

/// Compares what was understood with the path and the parameters of the case.
fn check_details(line: &str, path: Option<&str>, expect: &Value) -> Result<(), String> {
    if let Some(expected) = expect["path"].as_str()
        && path != Some(expected)
    {
        return Err(format!("path {path:?} instead of {expected:?}"));
    }
    let mut written = Vec::new();
    match Command::parse(line.as_bytes()) {
        Ok(Command::Mail(mail)) => mail.encode(&mut written).map_err(|e| e.to_string())?,
        Ok(Command::Rcpt(rcpt)) => rcpt.encode(&mut written).map_err(|e| e.to_string())?,
        _ => return Ok(()),
    }
    let written = String::from_utf8_lossy(&written).into_owned();
    let words: Vec<&str> = written.trim_end().split(' ').collect();
    for (name, value) in expect["params"].as_object().into_iter().flatten() {
        let word = match value {
            Value::Null | Value::Bool(true) => name.clone(),
            Value::String(value) => format!("{name}={value}"),
            other => format!("{name}={other}"),
        };
        if !words.iter().any(|written| written.eq_ignore_ascii_case(&word)) {
            return Err(format!("parameter {word} was understood as {written:?}"));
        }
    }
    Ok(())
}
