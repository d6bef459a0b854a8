//! JSON as providers send it: one event, or many.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Range;

use bytes::Bytes;
use serde_json::Value;
use serde_json::value::RawValue;

use super::ParseError;
use crate::event::Event;

/// Splits a body into its events: the elements of an array, or the one object that it is. Each is a slice of the body.
pub(super) fn split(body: &Bytes, limit: usize) -> Result<Vec<Bytes>, ParseError> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if first != Some(&b'[') {
        return Ok(vec![body.clone()]);
    }
    let elements: Vec<&RawValue> = serde_json::from_slice(body).map_err(|error| ParseError::of_json(&error))?;
    if elements.len() > limit {
        return Err(ParseError::TooMany { limit });
    }
    Ok(elements
        .into_iter()
        .map(|element| part_of(body, element.get()))
        .collect())
}

/// Returns where the value of a field of an object stands, in the body as it came.
pub(super) fn value_range(body: &Bytes, name: &str) -> Option<Range<usize>> {
    let fields: BTreeMap<String, &RawValue> = serde_json::from_slice(body).ok()?;
    let value = fields.get(name)?.get();
    let begin = (value.as_ptr() as usize).checked_sub(body.as_ptr() as usize)?;
    Some(begin..begin.checked_add(value.len())?)
}

/// Splits the list that a field of an object is.
pub(super) fn elements(body: &Bytes, name: &str, limit: usize) -> Result<Vec<Bytes>, ParseError> {
    let range = value_range(body, name).filter(|range| range.end <= body.len());
    let list = body.slice(range.ok_or(ParseError::Shape { expected: "a list" })?);
    split(&list, limit)
}

/// Makes a slice of a body of text that was borrowed from it.
fn part_of(body: &Bytes, text: &str) -> Bytes {
    let begin = (text.as_ptr() as usize).checked_sub(body.as_ptr() as usize);
    let range = begin.and_then(|begin| Some(begin..begin.checked_add(text.len())?));
    match range.filter(|range| range.end <= body.len()) {
        Some(range) => body.slice(range),
        None => Bytes::copy_from_slice(text.as_bytes()),
    }
}

/// Reads an object.
pub(super) fn object(json: &[u8]) -> Result<Value, ParseError> {
    let value: Value = serde_json::from_slice(json).map_err(|error| ParseError::of_json(&error))?;
    if value.is_object() {
        return Ok(value);
    }
    Err(ParseError::Shape {
        expected: "a JSON object",
    })
}

/// Looks into JSON of which nothing is sure.
pub(super) trait Look {
    /// Goes down along names; null where there is nothing.
    fn at(&self, path: &[&str]) -> &Value;

    /// Returns text that is not empty.
    fn text(&self, path: &[&str]) -> Option<&str> {
        self.at(path).as_str().filter(|text| !text.is_empty())
    }

    /// Returns text that is not empty, or a number as text.
    fn word(&self, path: &[&str]) -> Option<String> {
        word(self.at(path))
    }

    /// Returns the words of a list, or the one that there is.
    fn words(&self, path: &[&str]) -> Vec<String> {
        match self.at(path) {
            Value::Array(all) => all.iter().filter_map(word).collect(),
            one => word(one).into_iter().collect(),
        }
    }

    /// Returns the elements of a list.
    fn list(&self, path: &[&str]) -> &[Value] {
        self.at(path).as_array().map_or(&[], Vec::as_slice)
    }

    /// Returns a number that may be written as text.
    fn number(&self, path: &[&str]) -> Option<u64> {
        match self.at(path) {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// Returns a reply code.
    fn reply_code(&self, path: &[&str]) -> Option<u16> {
        let code = u16::try_from(self.number(path)?).ok()?;
        (200..600).contains(&code).then_some(code)
    }

    /// Returns the address of a host.
    fn ip(&self, path: &[&str]) -> Option<IpAddr> {
        self.text(path)?.trim().parse().ok()
    }

    /// Returns names and values of an object, or of an object that is written as text.
    fn pairs(&self, path: &[&str]) -> BTreeMap<String, String> {
        let parsed;
        let value = match self.at(path) {
            Value::String(text) => {
                parsed = serde_json::from_str(text).unwrap_or_default();
                &parsed
            }
            value => value,
        };
        let object = value.as_object().into_iter().flatten();
        object.map(|(name, value)| (name.clone(), as_text(value))).collect()
    }
}

impl Look for Value {
    fn at(&self, path: &[&str]) -> &Value {
        path.iter()
            .fold(self, |value, name| value.get(name).unwrap_or(&Self::Null))
    }
}

/// Takes the tags and metadata that travelled in header fields, where a provider has no place for them: `X-Tag` with a tag, `X-Tags` with a
/// list in JSON, `X-Metadata` with an object. The fields are a list of names with values, or an object.
pub(super) fn take_carried(fields: &Value, event: &mut Event) {
    let name_of = |field: &Value| {
        field
            .text(&["name"])
            .or_else(|| field.text(&["key"]))
            .unwrap_or_default()
            .to_owned()
    };
    let all: Vec<(String, &Value)> = match fields {
        Value::Array(list) => list
            .iter()
            .map(|field| (name_of(field), field.at(&["value"])))
            .collect(),
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), value)).collect(),
        _ => Vec::new(),
    };
    for (name, value) in all {
        if name.eq_ignore_ascii_case("X-Tag") {
            event.tags.extend(value.words(&[]));
        } else if name.eq_ignore_ascii_case("X-Tags") {
            let list = value.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
            event
                .tags
                .extend(list.as_ref().filter(|list| list.is_array()).unwrap_or(value).words(&[]));
        } else if name.eq_ignore_ascii_case("X-Metadata") {
            event.metadata.extend(value.pairs(&[]));
        }
    }
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Writes a value as text: text as it is, all else as JSON.
pub(super) fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// Takes the angle brackets off a Message-ID.
pub(crate) fn bare_id(id: &str) -> Option<String> {
    let bare = id.trim().trim_start_matches('<').trim_end_matches('>');
    (!bare.is_empty()).then(|| bare.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn elements_are_slices_of_the_body() {
        let body = Bytes::from_static(b" [ {\"a\":1}, 2 ,\"\\u00e9\"]");
        let all = split(&body, 3).unwrap();
        assert_eq!(all, [&b"{\"a\":1}"[..], b"2", b"\"\\u00e9\""]);
        assert_eq!(split(&body, 2), Err(ParseError::TooMany { limit: 2 }));
        assert!(matches!(
            split(&Bytes::from_static(b"[1,"), 2),
            Err(ParseError::Json { .. })
        ));
        assert_eq!(split(&Bytes::from_static(b"nothing"), 2).unwrap().len(), 1);
    }

    #[test]
    fn what_travelled_in_fields_is_read_in_either_form() {
        let read = |fields: Value| {
            let mut event = Event::new("x", crate::event::EventKind::Sent);
            take_carried(&fields, &mut event);
            (event.tags, event.metadata)
        };
        let (tags, metadata) = read(json!([
            {"name": "x-tags", "value": "[\"a\",\"b\"]"},
            {"name": "X-Tag", "value": "c"},
            {"name": "X-Metadata", "value": "{\"order\":\"7\",\"n\":1}"},
            {"name": "X-Mailer", "value": "d"},
        ]));
        assert_eq!(tags, ["a", "b", "c"]);
        assert_eq!(
            (metadata["order"].as_str(), metadata["n"].as_str(), metadata.len()),
            ("7", "1", 2)
        );
        assert_eq!(read(json!({"X-Tags": "plain"})).0, ["plain"]);
        assert_eq!(read(json!("nothing")), Default::default());
    }

    #[test]
    fn looks_where_nothing_is_sure() {
        let value = json!({"a": {"b": "x"}, "n": 1, "l": ["p", 2, null], "m": "{\"k\":[1]}", "code": "550"});
        assert_eq!(value.text(&["a", "b"]), Some("x"));
        assert_eq!(value.text(&["a", "b", "c"]), None);
        assert_eq!(value.words(&["l"]), ["p", "2"]);
        assert_eq!(value.words(&["n"]), ["1"]);
        assert_eq!(value.pairs(&["m"])["k"], "[1]");
        assert_eq!(value.reply_code(&["code"]), Some(550));
        assert!(value.pairs(&["n"]).is_empty());
        assert_eq!(bare_id(" <a@b> ").as_deref(), Some("a@b"));
        assert_eq!(bare_id("<>"), None);
    }
}
