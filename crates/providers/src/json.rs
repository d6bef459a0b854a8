//! JSON that carries attachments without holding them twice.

use std::borrow::Cow;

use bytes::Bytes;
use posthaste_mime::Rope;
use serde_json::{Map, Value};

use crate::hex::hex;

/// A JSON value under construction: like [`serde_json::Value`], and it may hold base64 that is shared, or read when the
/// request is written.
///
/// # Examples
///
/// ```
/// use posthaste_mime::Rope;
/// use posthaste_providers::Json;
///
/// let json = Json::object()
///     .set("subject", "Hello")
///     .set("content", Json::Base64(Rope::from(b"aGVsbG8=".to_vec())));
/// assert_eq!(&json.to_rope().to_bytes()?[..], br#"{"subject":"Hello","content":"aGVsbG8="}"#);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Json {
    /// A value as serde_json has it.
    Value(Value),
    /// An array.
    Array(Vec<Self>),
    /// An object; keys stay in order.
    Object(Vec<(Cow<'static, str>, Self)>),
    /// A string of base64: ASCII without a quotation mark or a backslash, written as it is.
    Base64(Rope),
}

impl Json {
    /// Makes an object without members.
    #[must_use]
    pub const fn object() -> Self {
        Self::Object(Vec::new())
    }

    /// Makes an array.
    #[must_use]
    pub fn array<T: Into<Self>>(values: impl IntoIterator<Item = T>) -> Self {
        Self::Array(values.into_iter().map(Into::into).collect())
    }

    /// Sets a member of an object; anything else becomes an object first.
    #[must_use]
    pub fn set(mut self, key: impl Into<Cow<'static, str>>, value: impl Into<Self>) -> Self {
        self.insert(key.into(), value.into());
        self
    }

    /// Sets a member if there is a value for it.
    #[must_use]
    pub fn set_some<T: Into<Self>>(self, key: impl Into<Cow<'static, str>>, value: Option<T>) -> Self {
        match value {
            Some(value) => self.set(key, value),
            None => self,
        }
    }

    /// Sets a member unless there is nothing in it: an empty array or object.
    #[must_use]
    pub fn set_filled(self, key: impl Into<Cow<'static, str>>, value: impl Into<Self>) -> Self {
        let value = value.into();
        if value.is_empty() { self } else { self.set(key, value) }
    }

    /// Returns a member of an object.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// Tells whether it is an array or an object without anything in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Array(values) => values.is_empty(),
            Self::Object(members) => members.is_empty(),
            Self::Value(Value::Array(values)) => values.is_empty(),
            Self::Value(Value::Object(members)) => members.is_empty(),
            Self::Value(_) | Self::Base64(_) => false,
        }
    }

    /// Puts `extra` over an object: objects are merged member by member, all else is replaced.
    pub fn merge(&mut self, extra: &Map<String, Value>) {
        for (key, value) in extra {
            let own = match self {
                Self::Object(members) => members.iter_mut().find(|(name, _)| name == key).map(|(_, value)| value),
                _ => None,
            };
            match (own, value) {
                (Some(own @ Self::Object(_)), Value::Object(extra)) => own.merge(extra),
                (Some(own @ Self::Value(Value::Object(_))), Value::Object(extra)) => {
                    *own = own.unfolded();
                    own.merge(extra);
                }
                (Some(own), value) => *own = Self::Value(value.clone()),
                (None, value) => self.insert(Cow::Owned(key.clone()), Self::Value(value.clone())),
            }
        }
    }

    /// Writes it without spaces. Base64 is shared or, if it is streamed, read when the chunks are asked for.
    #[must_use]
    pub fn to_rope(&self) -> Rope {
        let mut writer = Writer {
            rope: Rope::new(),
            text: Vec::new(),
        };
        writer.value(self);
        writer.flush();
        writer.rope
    }

    fn insert(&mut self, key: Cow<'static, str>, value: Self) {
        if !matches!(self, Self::Object(_)) {
            *self = self.unfolded();
        }
        if let Self::Object(members) = self {
            match members.iter_mut().find(|(name, _)| *name == key) {
                Some((_, own)) => *own = value,
                None => members.push((key, value)),
            }
        }
    }

    /// The members of an object one by one; no members of anything else.
    fn unfolded(&self) -> Self {
        match self {
            Self::Value(Value::Object(members)) => Self::Object(
                members
                    .iter()
                    .map(|(key, value)| (Cow::Owned(key.clone()), Self::Value(value.clone())))
                    .collect(),
            ),
            Self::Object(members) => Self::Object(members.clone()),
            _ => Self::object(),
        }
    }
}

struct Writer {
    rope: Rope,
    text: Vec<u8>,
}

impl Writer {
    fn value(&mut self, json: &Json) {
        match json {
            Json::Value(Value::String(text)) => self.string(text),
            Json::Value(value) => self.serialize(value),
            Json::Array(values) => {
                self.text.push(b'[');
                for (index, value) in values.iter().enumerate() {
                    if index > 0 {
                        self.text.push(b',');
                    }
                    self.value(value);
                }
                self.text.push(b']');
            }
            Json::Object(members) => {
                self.text.push(b'{');
                for (index, (key, value)) in members.iter().enumerate() {
                    if index > 0 {
                        self.text.push(b',');
                    }
                    self.string(key);
                    self.text.push(b':');
                    self.value(value);
                }
                self.text.push(b'}');
            }
            Json::Base64(rope) => {
                self.text.push(b'"');
                self.flush();
                self.rope.append(rope);
                self.text.push(b'"');
            }
        }
    }

    /// Writes text as serde_json does, and looks at many octets at a time: a mail's body is long, and little in it has to be escaped.
    fn string(&mut self, text: &str) {
        const AT_ONCE: usize = 32;
        let is_odd = |octet: &u8| *octet < b' ' || *octet == b'"' || *octet == b'\\';
        self.text.reserve(text.len() + text.len() / 16 + 2);
        self.text.push(b'"');
        let mut rest = text.as_bytes();
        loop {
            let is_plain = |piece: &&[u8]| !piece.iter().fold(false, |odd, octet| odd | is_odd(octet));
            let plain = rest.chunks_exact(AT_ONCE).take_while(is_plain).count() * AT_ONCE;
            let behind = rest.get(plain..).unwrap_or_default();
            let Some(at) = behind.iter().position(is_odd) else {
                break;
            };
            let (before, odd) = rest.split_at(plain + at);
            self.text.extend_from_slice(before);
            let Some((octet, after)) = odd.split_first() else { break };
            match octet {
                b'\n' => self.text.extend_from_slice(b"\\n"),
                b'\r' => self.text.extend_from_slice(b"\\r"),
                b'\t' => self.text.extend_from_slice(b"\\t"),
                0x08 => self.text.extend_from_slice(b"\\b"),
                0x0c => self.text.extend_from_slice(b"\\f"),
                b'"' | b'\\' => self.text.extend_from_slice(&[b'\\', *octet]),
                octet => {
                    self.text.extend_from_slice(b"\\u00");
                    self.text.extend_from_slice(hex(&[*octet]).as_bytes());
                }
            }
            rest = after;
        }
        self.text.extend_from_slice(rest);
        self.text.push(b'"');
    }

    fn serialize(&mut self, value: &Value) {
        // Neither a vector nor a value can fail; what is written half would be no JSON, so it is taken back.
        let length = self.text.len();
        if serde_json::to_writer(&mut self.text, value).is_err() {
            self.text.truncate(length);
            self.text.extend_from_slice(b"null");
        }
    }

    fn flush(&mut self) {
        self.rope.push(Bytes::from(std::mem::take(&mut self.text)));
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Value(Value::from(text))
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::Value(Value::from(text))
    }
}

impl From<&String> for Json {
    fn from(text: &String) -> Self {
        Self::Value(Value::from(text.as_str()))
    }
}

impl From<Cow<'_, str>> for Json {
    fn from(text: Cow<'_, str>) -> Self {
        Self::Value(Value::from(text))
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Value(Value::from(value))
    }
}

impl From<u64> for Json {
    fn from(number: u64) -> Self {
        Self::Value(Value::from(number))
    }
}

impl From<Value> for Json {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

impl From<&Value> for Json {
    fn from(value: &Value) -> Self {
        Self::Value(value.clone())
    }
}

impl From<Map<String, Value>> for Json {
    fn from(members: Map<String, Value>) -> Self {
        Self::Value(Value::Object(members))
    }
}

impl<T: Into<Self>> From<Vec<T>> for Json {
    fn from(values: Vec<T>) -> Self {
        Self::array(values)
    }
}

/// Makes an object of pairs, in their order.
impl<K: Into<String>, V: Into<Self>> FromIterator<(K, V)> for Json {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self::Object(
            pairs
                .into_iter()
                .map(|(key, value)| (Cow::Owned(key.into()), value.into()))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(json: &Json) -> Value {
        serde_json::from_slice(&json.to_rope().to_bytes().unwrap()).unwrap()
    }

    #[test]
    fn extras_are_merged_into_objects_and_replace_all_else() {
        let mut own = Json::object()
            .set("a", Json::object().set("b", 1_u64).set("c", 2_u64))
            .set("d", json!({"e": 3}))
            .set("f", "g");
        let Value::Object(extra) = json!({"a": {"c": 4}, "d": {"h": 5}, "f": [6], "i": null}) else {
            unreachable!()
        };
        own.merge(&extra);
        assert_eq!(
            read(&own),
            json!({"a": {"b": 1, "c": 4}, "d": {"e": 3, "h": 5}, "f": [6], "i": null})
        );
    }

    #[test]
    fn what_is_not_there_is_left_out() {
        let json = Json::object()
            .set_some("a", None::<&str>)
            .set_filled("b", Json::object())
            .set_filled("c", Vec::<String>::new())
            .set_filled("d", "");
        assert_eq!(read(&json), json!({"d": ""}));
    }

    proptest! {
        #[test]
        fn strings_are_written_as_serde_json_writes_them(text in "[\\x00-\\x7fäß\u{2028}😀]{0,200}") {
            let written = Json::from(text.as_str()).to_rope().to_bytes().unwrap();
            let expected = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(&written[..], expected.as_bytes());
        }

        #[test]
        fn strings_come_back(key in any::<String>(), text in any::<String>()) {
            let json = Json::object().set(key.clone(), text.as_str());
            let read = read(&json);
            prop_assert_eq!(read[&key].as_str(), Some(text.as_str()));
        }
    }
}
