//! Requests, compared by what they mean.

use std::time::{SystemTime, UNIX_EPOCH};

use posthaste_providers::HttpRequest;
use serde_json::{Map, Value};

use super::{case, form};

/// Compares a request with the recorded one: method, URL, the header fields that prove who asks, and the body.
pub fn request(own: &HttpRequest, recorded: &Value) -> Result<(), String> {
    if recorded["url"].is_string() {
        let method = recorded["method"].as_str().unwrap_or_default();
        if own.method().as_str() != method {
            return Err(format!("{} and not {method}", own.method().as_str()));
        }
        let url = recorded["url"].as_str().unwrap_or_default();
        if own.url() != url {
            return Err(format!("to {} and not {url}", own.url()));
        }
        headers(own, recorded)?;
    }
    let data = match &recorded["data"] {
        Value::String(text) => serde_json::from_str(text).map_err(|error| error.to_string())?,
        // A form, which was recorded as a table.
        Value::Object(fields) => return compare_form(own, fields, &recorded["files"]),
        _ => recorded.clone(),
    };
    let body = own.body().to_bytes().map_err(|error| error.to_string())?;
    let body: Value = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
    let (mut body, mut data) = (without_made_up(body), without_made_up(data));
    // A whole message: written by two programs, it has the same text and the same header, and not the same bytes.
    if let (Some(own), Some(recorded)) = (raw(&mut body), raw(&mut data)) {
        same_message(&own, &recorded)?;
    }
    difference("", &body, &data).map_or(Ok(()), Err)
}

/// Takes out the bytes of a message that goes to Amazon SES: in base64 from us, as text from the recording.
fn raw(body: &mut Value) -> Option<Vec<u8>> {
    use base64::Engine as _;
    let raw = body.pointer_mut("/Content/Raw/Data")?.take();
    let text = raw.as_str()?;
    let decoded = base64::engine::general_purpose::STANDARD.decode(text);
    Some(decoded.unwrap_or_else(|_| text.as_bytes().to_vec()))
}

fn same_message(own: &[u8], recorded: &[u8]) -> Result<(), String> {
    let parser = mail_parser::MessageParser::default();
    let (own, recorded) = (
        parser.parse(own).ok_or("ours is no message")?,
        parser.parse(recorded).ok_or("the recorded one is no message")?,
    );
    let addresses = |list: Option<&mail_parser::Address<'_>>| -> Vec<(String, String)> {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        list.map(|list| list.iter().map(|one| (text(one.name()), text(one.address()))).collect())
            .unwrap_or_default()
    };
    let trimmed = |text: Option<std::borrow::Cow<'_, str>>| text.unwrap_or_default().trim().to_owned();
    let pairs = [
        ("Subject", own.subject() == recorded.subject()),
        ("From", addresses(own.from()) == addresses(recorded.from())),
        ("To", addresses(own.to()) == addresses(recorded.to())),
        ("Cc", addresses(own.cc()) == addresses(recorded.cc())),
        ("the text", trimmed(own.body_text(0)) == trimmed(recorded.body_text(0))),
    ];
    match pairs.iter().find(|(_, same)| !same) {
        Some((name, _)) => Err(format!("{name} of the message differs")),
        None => Ok(()),
    }
}

fn headers(own: &HttpRequest, recorded: &Value) -> Result<(), String> {
    for (name, value) in recorded["headers"].as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        let ours = own.header(name).unwrap_or_default();
        let same = ours == value || name.eq_ignore_ascii_case("Content-Type") && ours.starts_with(value);
        if !same {
            return Err(format!("{name} is {ours:?} and not {value:?}"));
        }
    }
    if let Some([user, password]) = recorded["auth"].as_array().map(Vec::as_slice) {
        use base64::Engine as _;
        let text = format!(
            "{}:{}",
            user.as_str().unwrap_or_default(),
            password.as_str().unwrap_or_default()
        );
        let expected = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text));
        if own.header("Authorization") != Some(expected.as_str()) {
            return Err("another user or password".to_owned());
        }
    }
    Ok(())
}

/// Takes away the ids that the recording program made up, and the objects that held nothing else.
fn without_made_up(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut kept = Map::new();
            for (key, value) in members {
                if key == "anymail_id"
                    || key.eq_ignore_ascii_case("Message-ID") && value.is_string()
                    || key.eq_ignore_ascii_case("h:Message-ID")
                {
                    continue;
                }
                let held_something = value.as_object().is_some_and(|members| !members.is_empty());
                let value = without_made_up(value);
                if held_something && value.as_object().is_some_and(Map::is_empty) {
                    continue;
                }
                kept.insert(key, value);
            }
            Value::Object(kept)
        }
        Value::Array(values) => {
            let is_message_id = |value: &Value| {
                value["Name"]
                    .as_str()
                    .is_some_and(|name| name.eq_ignore_ascii_case("Message-ID"))
            };
            Value::Array(
                values
                    .into_iter()
                    .filter(|value| !is_message_id(value))
                    .map(without_made_up)
                    .collect(),
            )
        }
        other => other,
    }
}

/// Says where two values differ. Objects have no order; a number equals its text; JSON in a text is compared as JSON.
fn difference(path: &str, own: &Value, recorded: &Value) -> Option<String> {
    match (own, recorded) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let is_nothing = |value: &Value| value.is_null() || value == "";
            let only = |one: &Map<String, Value>, other: &Map<String, Value>| {
                one.iter()
                    .find(|(key, value)| !other.contains_key(*key) && !is_nothing(value))
                    .map(|(key, _)| key.clone())
            };
            let (missing, extra) = (only(theirs, ours), only(ours, theirs));
            missing
                .map(|key| format!("{path}/{key} is missing; it is {}", theirs[&key]))
                .or_else(|| extra.map(|key| format!("{path}/{key} is not recorded; it is {}", ours[&key])))
                .or_else(|| {
                    ours.iter()
                        .filter_map(|(key, value)| Some((key, value, theirs.get(key)?)))
                        .find_map(|(key, ours, theirs)| difference(&format!("{path}/{key}"), ours, theirs))
                })
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            if ours.len() != theirs.len() {
                return Some(format!("{path} has {} items and not {}", ours.len(), theirs.len()));
            }
            ours.iter()
                .zip(theirs)
                .enumerate()
                .find_map(|(index, (ours, theirs))| difference(&format!("{path}/{index}"), ours, theirs))
        }
        (Value::String(text), Value::Number(number)) | (Value::Number(number), Value::String(text))
            if number.to_string() == *text =>
        {
            None
        }
        (Value::String(ours), Value::String(theirs)) => {
            let json = |text: &str| {
                text.starts_with(['{', '['])
                    .then(|| serde_json::from_str::<Value>(text).ok())
                    .flatten()
            };
            match (json(ours), json(theirs)) {
                (Some(ours), Some(theirs)) => difference(path, &without_made_up(ours), &without_made_up(theirs)),
                _ if same_text(ours, theirs) || same_moment(ours, theirs) => None,
                _ => Some(format!("{path} is {ours:?} and not {theirs:?}")),
            }
        }
        (own, recorded) if own == recorded => None,
        (own, recorded) => Some(format!("{path} is {own} and not {recorded}")),
    }
}

/// Lists of addresses may have a space behind the comma, and types a space before the charset.
fn same_text(ours: &str, theirs: &str) -> bool {
    let plain = |text: &str| {
        text.replace(", ", ",")
            .replace("; ", ";")
            .replace("charset=\"utf-8\"", "charset=utf-8")
            .replace("\r\n", "\n")
    };
    // Domains are written in lower case here.
    plain(ours) == plain(theirs) || ours.contains('@') && plain(ours).eq_ignore_ascii_case(&plain(theirs))
}

/// Whether both are times, and the same to the millisecond.
fn same_moment(ours: &str, theirs: &str) -> bool {
    let moment = |text: &str| {
        let looks_like_one = text.get(..11).is_some_and(|date| date.ends_with(['T', ' ']));
        let text = Value::from(text.replacen(' ', "T", 1));
        looks_like_one.then(|| case::time(&text).ok().flatten()).flatten()
    };
    match (moment(ours), moment(theirs)) {
        (Some(ours), Some(theirs)) => {
            let millis = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
            millis(ours) == millis(theirs)
        }
        _ => false,
    }
}

fn compare_form(own: &HttpRequest, fields: &Map<String, Value>, files: &Value) -> Result<(), String> {
    let form = form::read(own).ok_or("no form")?;
    let mut ours: Map<String, Value> = Map::new();
    // Names of header fields have no case.
    let name_of = |name: &str| match name.strip_prefix("h:") {
        Some(field) => format!("h:{}", field.to_ascii_lowercase()),
        None => name.to_owned(),
    };
    for (name, value) in form.fields {
        let name = name_of(&name);
        match ours.entry(name).or_insert_with(|| Value::Array(Vec::new())) {
            Value::Array(values) => values.push(Value::String(value)),
            _ => return Err("a field twice".to_owned()),
        }
    }
    let theirs: Map<String, Value> = fields
        .iter()
        .map(|(name, value)| match value {
            Value::Array(_) => (name_of(name), value.clone()),
            one => (name_of(name), Value::Array(vec![one.clone()])),
        })
        .collect();
    let (ours, theirs) = (
        without_made_up(Value::Object(ours)),
        without_made_up(Value::Object(theirs)),
    );
    if let Some(why) = difference("", &ours, &theirs) {
        return Err(why);
    }
    let recorded = files.as_array().map_or(0, Vec::len);
    if form.files.len() != recorded {
        return Err(format!("{} files and not {recorded}", form.files.len()));
    }
    for ((name, file_name, content_type, content), theirs) in
        form.files.iter().zip(files.as_array().into_iter().flatten())
    {
        let same = theirs[0] == **name
            && theirs[1][0] == **file_name
            && theirs[1][1].as_str().is_none_or(|text| text.as_bytes() == content)
            && theirs[1][2]
                .as_str()
                .is_none_or(|recorded| same_text(recorded, content_type));
        if !same {
            return Err(format!("file {name} {file_name} {content_type}: it is {theirs}"));
        }
    }
    Ok(())
}
