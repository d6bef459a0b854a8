//! `mime/jsmime-headers`: the emitter suites, compared after decoding. `reading.rs` has those that read.

use std::time::{Duration, SystemTime};

use mail_parser::DateTime;
use posthaste_address::{EmailAddress, Group, Mailbox};
use posthaste_mime::Message;
use serde_json::Value;

use super::{cases, holds_controls, reading, string, wire};
use crate::harness::{Input, Report};

pub(super) fn run(input: &Input, report: &mut Report) {
    for (index, case) in cases(input, "mime/jsmime-headers.json").iter().enumerate() {
        let suite = string(case, "suite");
        let id = format!("{index} {suite}");
        let value = &case["data"][0];
        match suite.rsplit("> ").next().unwrap_or_default() {
            name if !suite.contains("emitter") => reading::run(report, &id, name, &case["data"]),
            name if name.starts_with("addUnstructured") || name == "Comments" => text(report, &id, value),
            name if name.starts_with("addAddresses") || name == "From" || name == "Header lengths" => {
                let list = if value.is_array() {
                    value.as_array().cloned()
                } else {
                    Some(vec![value.clone()])
                };
                addresses(report, &id, &list.unwrap_or_default());
            }
            "addDate" | "Date" => date(report, &id, value.as_str().unwrap_or_default()),
            _ => report.unsupported(id, "the builder chooses transfer encodings itself"),
        }
    }
}

fn text(report: &mut Report, id: &str, value: &Value) {
    let text = value.as_str().unwrap_or_default();
    let built = wire::builder().subject(text).build();
    if holds_controls(text) {
        return match built {
            Err(_) => report.unsupported(id, "deviation: control characters are refused in headers"),
            Ok(_) => report.fail(id, "control characters are not refused"),
        };
    }
    let outcome = built.map_err(|e| e.to_string()).and_then(|message| {
        let bytes = checked(&message)?;
        let read = wire::field_text(&bytes, "Subject");
        if read == text {
            Ok(())
        } else {
            Err(format!("read as {read:?}"))
        }
    });
    report.check(id, outcome);
}

fn addresses(report: &mut Report, id: &str, list: &[Value]) {
    if list
        .iter()
        .all(|entry| string(entry, "name").is_empty() && string(entry, "email").is_empty())
    {
        return report.unsupported(id, "an empty mailbox cannot be made");
    }
    report.check(id, emit(list));
}

fn emit(list: &[Value]) -> Result<(), String> {
    let mut builder = Message::builder().from("sender@posthaste.example".parse().unwrap());
    let mut expected = Vec::new();
    for entry in list {
        if let Some(members) = entry.get("group").and_then(Value::as_array) {
            let mut mailboxes = Vec::new();
            for member in members {
                let (mailbox, pair) = mailbox(member)?;
                mailboxes.push(mailbox);
                expected.push(pair);
            }
            builder = builder.to_group(Group::new(string(entry, "name"), mailboxes).map_err(|e| e.to_string())?);
        } else {
            let (mailbox, pair) = mailbox(entry)?;
            builder = builder.to(mailbox);
            expected.push(pair);
        }
    }
    let message = builder.build().map_err(|e| e.to_string())?;
    let bytes = checked(&message)?;
    let parsed = mail_parser::MessageParser::default()
        .parse(&bytes)
        .ok_or("no message")?;
    let read: Vec<(String, String)> = parsed
        .to()
        .into_iter()
        .flat_map(mail_parser::Address::iter)
        .map(|addr| {
            (
                addr.name.clone().unwrap_or_default().into(),
                addr.address.clone().unwrap_or_default().into(),
            )
        })
        .collect();
    if read == expected {
        Ok(())
    } else {
        Err(format!("read as {read:?}"))
    }
}

fn mailbox(entry: &Value) -> Result<(Mailbox, (String, String)), String> {
    let (name, email) = (string(entry, "name"), string(entry, "email"));
    let address: EmailAddress = email.parse().map_err(|e| format!("{email}: {e}"))?;
    let pair = (name.to_owned(), address.to_string().replace('"', ""));
    let mailbox = if name.is_empty() {
        Mailbox::new(address)
    } else {
        Mailbox::with_name(name, address).map_err(|e| e.to_string())?
    };
    Ok((mailbox, pair))
}

/// Writes the instant and reads it back.
fn date(report: &mut Report, id: &str, text: &str) {
    let Some(seconds) = instant(text) else {
        return report.unsupported(id, "the case's date is made by code");
    };
    let offset = Duration::from_secs(seconds.unsigned_abs());
    let time = if seconds < 0 {
        SystemTime::UNIX_EPOCH - offset
    } else {
        SystemTime::UNIX_EPOCH + offset
    };
    let outcome = wire::builder()
        .date(time)
        .build()
        .map_err(|e| e.to_string())
        .and_then(|message| {
            let bytes = checked(&message)?;
            let parsed = mail_parser::MessageParser::default()
                .parse(&bytes)
                .ok_or("no message")?;
            let read = parsed.date().map(DateTime::to_timestamp);
            if read == Some(seconds) {
                Ok(())
            } else {
                Err(format!("read as {read:?}, not {seconds}"))
            }
        });
    report.check(id, outcome);
}

/// Reads `2000-06-01T12:00:00-0130` or `…Z` as seconds since 1970.
pub(super) fn instant(text: &str) -> Option<i64> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let zone = text.get(19..)?;
    let zone_minutes = match zone.as_bytes() {
        b"Z" => 0,
        [sign @ (b'+' | b'-'), ..] => {
            let digits = zone.get(1..)?.replace(':', "");
            let minutes = digits.get(0..2)?.parse::<i64>().ok()? * 60 + digits.get(2..4)?.parse::<i64>().ok()?;
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };
    // Days by counting: independent of the arithmetic under test.
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = |year: i64| if leap(year) { 366 } else { 365 };
    let months = [
        31,
        if leap(year) { 29 } else { 28 },
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let years: i64 = if year >= 1970 {
        (1970..year).map(length).sum()
    } else {
        -(year..1970).map(length).sum::<i64>()
    };
    let days = years + months.iter().take(usize::try_from(month - 1).ok()?).sum::<i64>() + day - 1;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second - zone_minutes * 60)
}

fn checked(message: &Message) -> Result<Vec<u8>, String> {
    let bytes = message.to_bytes().map_err(|e| e.to_string())?.to_vec();
    wire::scan(&bytes, message.needs_smtputf8())?;
    wire::scan_folding(&bytes)?;
    Ok(bytes)
}
