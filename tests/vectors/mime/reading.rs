//! `mime/jsmime-headers`, the suites that read: parameters, addresses, dates and encoded-words.

use std::time::{Duration, SystemTime};

use posthaste_address::{Address, AddressList, EmailAddress, Mailbox, ParseOptions};
use posthaste_mime::{RawField, RawMessage, TransferEncoding};
use serde_json::{Map, Value};

use super::jsmime::instant;
use crate::harness::Report;

/// Answers a case of a suite that reads; `name` is the suite's own name.
pub(super) fn run(report: &mut Report, id: &str, name: &str, data: &Value) {
    let (value, expected) = (&data[0], &data[1]);
    match name {
        "parseParameterHeader" | "parseParameterHeader (2231/2047 support)" => {
            let read = field(value).parameters();
            let own: Map<String, Value> = read.iter().map(|(name, value)| (name.into(), value.into())).collect();
            let own = Value::from(vec![Value::from(read.value()), Value::from(own)]);
            report.check(id, same(&own, expected));
        }
        "Content-Type" => {
            let read = field(value).parameters();
            let own: Map<String, Value> = read.iter().map(|(name, value)| (name.into(), value.into())).collect();
            report.check(id, same(&Value::from(own), expected));
        }
        "Content-Transfer-Encoding" => {
            let part = message("Content-Transfer-Encoding", value).parts().unwrap().remove(0);
            let own = match part.transfer_encoding() {
                TransferEncoding::SevenBit => "7bit",
                TransferEncoding::EightBit => "8bit",
                TransferEncoding::Unknown => "x-uuencode",
                _ => "another",
            };
            report.check(id, same(&own.into(), expected));
        }
        "parseAddressingHeader" | "parseAddressingHeader (RFC 2047 support)" | "From" => {
            addresses(
                report,
                id,
                value.as_str().unwrap_or_default(),
                expected,
                !name.ends_with("Header"),
            );
        }
        "parseDateHeader" | "Date" => {
            let own = field(value).date();
            let outcome = match expected.as_str() {
                None if own.is_none() => Ok(()),
                Some(text) if own.is_some() && own == instant_of(text) => Ok(()),
                _ => Err(format!("read as {own:?}, not {expected}")),
            };
            report.check(id, outcome);
        }
        "decodeRFC2047Words" | "Comments" => {
            report.check(id, same(&field(value).decoded().into(), expected));
        }
        "8-bit header processing" => {
            // Each character of the case stands for an octet.
            let octets: Vec<u8> = value.as_str().unwrap_or_default().chars().map(|c| c as u8).collect();
            let message = RawMessage::parse([b"X: ".as_slice(), &octets, b"\r\n"].concat()).unwrap();
            let field = message.field("X").unwrap();
            let own = match data[2].as_str() {
                Some(charset) => field.decoded_with(charset),
                None => field.decoded(),
            };
            report.check(id, same(&own.into(), expected));
        }
        "In-Reply-To" => {
            let ids: Vec<String> = field(value).message_ids().iter().map(|id| format!("<{id}>")).collect();
            report.check(id, same(&ids.join(" ").into(), expected));
        }
        _ => report.unsupported(id, "this build does not read such fields"),
    }
}

/// A message with one field for each value.
fn message(name: &str, value: &Value) -> RawMessage {
    let values = match value {
        Value::Array(values) => values.clone(),
        one => vec![one.clone()],
    };
    let lines: String = values
        .iter()
        .map(|value| format!("{name}: {}\r\n", value.as_str().unwrap_or_default()))
        .collect();
    RawMessage::parse(lines).unwrap()
}

fn field(value: &Value) -> RawField {
    message("X", value).field("X").unwrap()
}

fn same(own: &Value, expected: &Value) -> Result<(), String> {
    if own == expected {
        Ok(())
    } else {
        Err(format!("read as {own}, not {expected}"))
    }
}

fn instant_of(text: &str) -> Option<SystemTime> {
    // Some cases have fractions of a second, which are zero.
    let seconds = instant(&text.replace(".000Z", "Z"))?;
    let offset = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(offset)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(offset)
    }
}

/// Compares a list. The suites that decode nothing are about leniency; the others are read as a relay does.
fn addresses(report: &mut Report, id: &str, text: &str, expected: &Value, decodes: bool) {
    let read: Result<AddressList, String> = if decodes {
        let message = RawMessage::parse(format!("To: {text}\r\n")).unwrap();
        message.addresses("To").map_err(|e| e.to_string())
    } else {
        let options = ParseOptions::default().domain_literals(true);
        let lenient = AddressList::parse_leniently(text, &options);
        let unreadable = lenient.unreadable().next().map(|entry| entry.text().to_owned());
        unreadable.map_or_else(
            || Ok(lenient.into_list()),
            |text| Err(format!("{text:?} is unreadable")),
        )
    };
    let is_control = |c: char| c.is_control();
    let expected = expected_list(expected);
    match (read, expected) {
        (Ok(list), Some(expected)) if listed(&list) == expected => report.pass(id),
        (Ok(list), Some(expected)) if text.contains('(') && plain(&listed(&list)) == plain(&expected) => {
            report.unsupported(id, "deviation: comments beside a name are not part of it");
        }
        (_, Some(_)) if text.contains("<=?") => {
            report.unsupported(
                id,
                "deviation: encoded-words in addresses are not decoded (RFC 2047 §5)",
            );
        }
        (Err(_), None) => report.unsupported(id, "deviation: what is no address is refused, not guessed at"),
        (Err(_), _) if text.contains(is_control) => {
            report.unsupported(id, "deviation: a list with a control character in it is refused");
        }
        (Err(_), _) if holds_blank_local_part(text) => {
            report.unsupported(id, "deviation: a local part with a space and no quotes is refused");
        }
        (Err(_), _) if names_two(text) => {
            report.unsupported(id, "deviation: an address before another one in brackets is refused");
        }
        (Ok(list), expected) => report.fail(id, format!("read as {list}, not {expected:?}")),
        (Err(why), _) => report.fail(id, why),
    }
}

/// Tells whether an `@` without quotes stands before a bracket.
fn names_two(text: &str) -> bool {
    text.split_once('<')
        .is_some_and(|(name, _)| name.contains('@') && !name.contains('"'))
}

/// Tells whether there is a space between `<` and `@`, without quotes.
fn holds_blank_local_part(text: &str) -> bool {
    text.split('<').skip(1).any(|rest| {
        let local = rest.split('@').next().unwrap_or_default().trim();
        local.contains(' ') && !local.contains('"')
    })
}

fn plain(list: &[Entry]) -> Vec<EmailAddress> {
    list.iter().flat_map(|entry| entry.addresses.clone()).collect()
}

/// An entry of a list: names of groups and mailboxes, and the addresses.
#[derive(Debug, PartialEq)]
struct Entry {
    names: Vec<String>,
    addresses: Vec<EmailAddress>,
}

fn listed(list: &AddressList) -> Vec<Entry> {
    let name = |mailbox: &Mailbox| mailbox.name().unwrap_or_default().to_owned();
    list.iter()
        .map(|entry| match entry {
            Address::Group(group) => Entry {
                names: std::iter::once(group.name().to_owned())
                    .chain(group.members().iter().map(name))
                    .collect(),
                addresses: group.members().iter().map(|member| member.address().clone()).collect(),
            },
            other => Entry {
                names: other.mailboxes().iter().map(name).collect(),
                addresses: other
                    .mailboxes()
                    .iter()
                    .map(|mailbox| mailbox.address().clone())
                    .collect(),
            },
        })
        .collect()
}

/// The expected list; `None` if something in it is no address.
fn expected_list(expected: &Value) -> Option<Vec<Entry>> {
    let options = ParseOptions::default().domain_literals(true);
    let address = |entry: &Value| EmailAddress::parse_with(entry["email"].as_str()?, &options).ok();
    let name = |entry: &Value| entry["name"].as_str().unwrap_or_default().to_owned();
    expected
        .as_array()?
        .iter()
        .map(|entry| match entry["group"].as_array() {
            Some(members) => Some(Entry {
                names: std::iter::once(name(entry)).chain(members.iter().map(name)).collect(),
                addresses: members.iter().map(address).collect::<Option<_>>()?,
            }),
            None => Some(Entry {
                names: vec![name(entry)],
                addresses: vec![address(entry)?],
            }),
        })
        .collect()
}
