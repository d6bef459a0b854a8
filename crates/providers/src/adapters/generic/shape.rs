//! The shape of a request's body: a tree with placeholders in it.

use serde_json::Value;
use toml::Value as Toml;

use super::error::DescriptionError;
use super::word::{Named, Scope, Source, View, Word};
use crate::Json;

/// A value of a body.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// The same always.
    Fixed(Value),
    /// One placeholder, with whatever it stands for.
    Word(Word),
    /// Text with placeholders in it.
    Text(Vec<Piece>),
    Object(Vec<(String, Self)>),
    Array(Vec<Self>),
    /// One for each item of a list.
    Each(Source, Box<Self>),
    /// One of two, by a word that is true or false.
    When(Word, Value, Value),
}

/// A piece of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    Word(Word),
}

/// How deep a body may be nested. It is walked through by recursion.
const MAX_DEPTH: usize = 32;

impl Shape {
    /// Makes a shape of what a description has at `key`, and notes what it names.
    pub(super) fn of(toml: &Toml, scope: Scope, key: &str, named: &mut Named) -> Result<Self, DescriptionError> {
        Self::at_depth(toml, scope, key, named, 0)
    }

    fn at_depth(
        toml: &Toml,
        scope: Scope,
        key: &str,
        named: &mut Named,
        depth: usize,
    ) -> Result<Self, DescriptionError> {
        if depth > MAX_DEPTH {
            return Err(DescriptionError::at(key, "is nested too deeply"));
        }
        Ok(match toml {
            Toml::String(text) => Self::text(text, scope, key, named)?,
            Toml::Array(items) => {
                let items = items.iter().enumerate();
                let items = items
                    .map(|(number, item)| Self::at_depth(item, scope, &format!("{key}.{number}"), named, depth + 1));
                Self::Array(items.collect::<Result<_, _>>()?)
            }
            Toml::Table(table) if table.contains_key("each") => {
                let (Some(each), Some(item), 2) = (table.get("each"), table.get("as"), table.len()) else {
                    return Err(DescriptionError::at(key, "has `each`, so it has `as` and nothing else"));
                };
                let source = each.as_str().and_then(Source::parse);
                let source = source.ok_or_else(|| DescriptionError::at(format!("{key}.each"), "names no list"))?;
                if scope != Scope::Message {
                    return Err(DescriptionError::at(key, "is a list inside an item of a list"));
                }
                named.lists.insert(source);
                let item = Self::at_depth(item, source.scope(), &format!("{key}.as"), named, depth + 1)?;
                Self::Each(source, Box::new(item))
            }
            Toml::Table(table) if table.contains_key("when") => {
                let (Some(when), Some(yes), Some(no), 3) =
                    (table.get("when"), table.get("yes"), table.get("no"), table.len())
                else {
                    return Err(DescriptionError::at(
                        key,
                        "has `when`, so it has `yes`, `no` and nothing else",
                    ));
                };
                let word = match when.as_str() {
                    Some("track_opens") => Word::TrackOpens,
                    Some("track_clicks") => Word::TrackClicks,
                    _ => {
                        let reason = "is neither \"track_opens\" nor \"track_clicks\"";
                        return Err(DescriptionError::at(format!("{key}.when"), reason));
                    }
                };
                named.words.insert(word);
                Self::When(word, fixed(yes, key)?, fixed(no, key)?)
            }
            Toml::Table(table) => {
                let members = table.iter().map(|(name, value)| {
                    let value = Self::at_depth(value, scope, &format!("{key}.{name}"), named, depth + 1)?;
                    Ok((name.clone(), value))
                });
                Self::Object(members.collect::<Result<_, _>>()?)
            }
            other => Self::Fixed(fixed(other, key)?),
        })
    }

    fn text(text: &str, scope: Scope, key: &str, named: &mut Named) -> Result<Self, DescriptionError> {
        let mut pieces = pieces(text, key, |name| {
            let word = Word::parse(name, scope)
                .ok_or_else(|| DescriptionError::at(key, format!("there is no placeholder {{{name}}} here")))?;
            named.words.insert(word);
            Ok(word)
        })?;
        if let [Piece::Word(word)] = pieces.as_slice() {
            return Ok(Self::Word(*word));
        }
        match pieces.pop() {
            None => Ok(Self::Fixed(Value::from(""))),
            Some(Piece::Text(text)) if pieces.is_empty() => Ok(Self::Fixed(Value::from(text))),
            Some(last) => {
                pieces.push(last);
                let listed = |piece: &Piece| matches!(piece, Piece::Word(word) if !word.is_text());
                match pieces.iter().any(listed) {
                    true => Err(DescriptionError::at(
                        key,
                        "has a placeholder among text that is no text",
                    )),
                    false => Ok(Self::Text(pieces)),
                }
            }
        }
    }

    /// Writes it; `None` if all that it is made of is not there.
    pub(super) fn write(&self, view: View<'_>) -> Option<Json> {
        match self {
            Self::Fixed(value) => Some(Json::from(value)),
            Self::Word(word) => word.value(view),
            Self::Text(pieces) => {
                let mut text = String::new();
                for piece in pieces {
                    match piece {
                        Piece::Text(own) => text.push_str(own),
                        Piece::Word(word) => text.push_str(&plain(&word.value(view)?)?),
                    }
                }
                Some(Json::from(text))
            }
            Self::Object(members) => {
                let written = members
                    .iter()
                    .filter_map(|(name, value)| Some((name.clone(), value.write(view)?)));
                let written: Json = written.collect();
                (members.is_empty() || !written.is_empty()).then_some(written)
            }
            Self::Array(items) => {
                let written = Json::Array(items.iter().filter_map(|item| item.write(view)).collect());
                (items.is_empty() || !written.is_empty()).then_some(written)
            }
            Self::Each(source, item) => {
                let mut written = Vec::new();
                source.for_each(view, |view| written.extend(item.write(view)));
                (!written.is_empty()).then_some(Json::Array(written))
            }
            Self::When(word, yes, no) => match word.value(view)? {
                Json::Value(Value::Bool(true)) => Some(Json::from(yes)),
                _ => Some(Json::from(no)),
            },
        }
    }
}

/// Text, or a number as text.
pub(super) fn plain(json: &Json) -> Option<String> {
    match json {
        Json::Value(Value::String(text)) => Some(text.clone()),
        Json::Value(value @ (Value::Number(_) | Value::Bool(_))) => Some(value.to_string()),
        _ => None,
    }
}

/// Takes text and its placeholders apart; `{{` and `}}` are braces. `read` reads what stands between braces.
pub(super) fn pieces(
    text: &str,
    key: &str,
    mut read: impl FnMut(&str) -> Result<Word, DescriptionError>,
) -> Result<Vec<Piece>, DescriptionError> {
    let (mut pieces, mut own) = (Vec::new(), String::new());
    let mut rest = text;
    while let Some((character, after)) = rest
        .chars()
        .next()
        .map(|c| (c, rest.get(c.len_utf8()..).unwrap_or_default()))
    {
        rest = after;
        match character {
            '{' | '}' if after.starts_with(character) => {
                own.push(character);
                rest = after.get(1..).unwrap_or_default();
            }
            '{' => {
                let (name, after) = after
                    .split_once('}')
                    .ok_or_else(|| DescriptionError::at(key, "has a `{` without its `}`; `{{` is a brace"))?;
                if !own.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut own)));
                }
                pieces.push(Piece::Word(read(name)?));
                rest = after;
            }
            '}' => return Err(DescriptionError::at(key, "has a `}` without its `{`; `}}` is a brace")),
            character => own.push(character),
        }
    }
    if !own.is_empty() {
        pieces.push(Piece::Text(own));
    }
    Ok(pieces)
}

/// A value without placeholders.
fn fixed(toml: &Toml, key: &str) -> Result<Value, DescriptionError> {
    Ok(match toml {
        Toml::String(text) => Value::from(text.as_str()),
        Toml::Integer(number) => Value::from(*number),
        Toml::Boolean(yes) => Value::from(*yes),
        Toml::Float(number) if number.is_finite() => Value::from(*number),
        Toml::Float(_) => return Err(DescriptionError::at(key, "is no number that JSON has")),
        Toml::Datetime(_) => {
            return Err(DescriptionError::at(
                key,
                "is a date, which JSON does not have: quote it",
            ));
        }
        Toml::Array(_) | Toml::Table(_) => return Err(DescriptionError::at(key, "is neither text, number nor truth")),
    })
}
