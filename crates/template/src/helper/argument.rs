//! What helpers are called with.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::HelperError;
use crate::location::Part;
use crate::value::{Val, write_f64, write_integer, write_number};

/// Holds the arguments of one call of a helper.
pub struct Arguments<'a> {
    /// The positional arguments, then those with names.
    pub(crate) values: &'a [Val<'a>],
    pub(crate) names: &'a [Box<str>],
    pub(crate) part: Part,
    pub(crate) room: usize,
}

impl<'a> Arguments<'a> {
    fn positional(&self) -> &'a [Val<'a>] {
        let count = self.values.len().saturating_sub(self.names.len());
        self.values.get(..count).unwrap_or_default()
    }

    /// Counts the positional arguments.
    pub fn len(&self) -> usize {
        self.positional().len()
    }

    /// Says whether there are no positional arguments.
    pub fn is_empty(&self) -> bool {
        self.positional().is_empty()
    }

    /// Returns positional argument `index`, counted from 0. One that was not given is [missing](Argument::is_missing).
    pub fn get(&self, index: usize) -> Argument<'a> {
        Argument(self.positional().get(index).copied().unwrap_or(Val::Missing))
    }

    /// Returns the argument written `name=value`, the last one if there are several. One that was not given is missing.
    pub fn named(&self, name: &str) -> Argument<'a> {
        let mut named = self
            .names
            .iter()
            .zip(self.values.get(self.len()..).unwrap_or_default())
            .rev();
        let found = named.find(|(known, _)| ***known == *name);
        Argument(found.map_or(Val::Missing, |(_, value)| *value))
    }

    /// Returns the positional arguments in order.
    pub fn iter(&self) -> impl Iterator<Item = Argument<'a>> {
        self.positional().iter().copied().map(Argument)
    }

    /// Returns positional argument `index` as text; numbers and truth values become what a template prints for them.
    ///
    /// # Errors
    ///
    /// The argument is missing or `null`, or an array or object.
    pub fn text(&self, index: usize) -> Result<Cow<'a, str>, HelperError> {
        let argument = self.get(index);
        match argument.to_text() {
            Some(text) => Ok(text),
            None if argument.is_nothing() => Err(HelperError::missing(index)),
            None => Err(HelperError::new(format!("argument {} is no text", index + 1))),
        }
    }

    /// Returns positional argument `index` as a number.
    ///
    /// # Errors
    ///
    /// The argument is missing or `null`, or anything but a number.
    pub fn number(&self, index: usize) -> Result<f64, HelperError> {
        let argument = self.get(index);
        match argument.as_f64() {
            Some(number) => Ok(number),
            None if argument.is_nothing() => Err(HelperError::missing(index)),
            None => Err(HelperError::new(format!("argument {} is no number", index + 1))),
        }
    }

    /// Fails if the number of positional arguments is not in `count`, or a named argument is none of `names`.
    ///
    /// # Errors
    ///
    /// As described, in words for the author of the template.
    pub fn expect(&self, count: RangeInclusive<usize>, names: &[&str]) -> Result<(), HelperError> {
        if !count.contains(&self.len()) {
            let (least, most) = count.into_inner();
            let takes = match most {
                usize::MAX => format!("at least {least}"),
                _ if least == most => least.to_string(),
                _ => format!("{least} to {most}"),
            };
            return Err(HelperError::new(format!("takes {takes} arguments, not {}", self.len())));
        }
        match self.names.iter().find(|name| !names.contains(&&***name)) {
            None => Ok(()),
            Some(name) => Err(HelperError::new(format!("there is no argument `{name}`"))),
        }
    }

    /// Returns the part that the result is for. A helper that makes markup makes it only in [`Part::Html`].
    pub fn part(&self) -> Part {
        self.part
    }

    /// Returns how many bytes the result may have; a longer one is refused. Only a helper that makes much of little needs
    /// to look.
    pub fn room(&self) -> usize {
        self.room
    }
}

impl fmt::Debug for Arguments<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arguments")
            .field("positional", &self.len())
            .field("names", &self.names)
            .field("part", &self.part)
            .finish_non_exhaustive()
    }
}

/// Holds one argument: a value of the data, a literal or what another helper returned.
#[derive(Clone, Copy)]
pub struct Argument<'a>(pub(crate) Val<'a>);

impl<'a> Argument<'a> {
    /// Says whether it was not given, or is a variable that the data lacks.
    pub fn is_missing(self) -> bool {
        matches!(self.0, Val::Missing)
    }

    /// Says whether it is missing or `null`.
    pub fn is_nothing(self) -> bool {
        self.0.is_nothing()
    }

    /// Says whether `{{#if}}` takes it for true.
    pub fn is_true(self) -> bool {
        !self.0.is_empty(false)
    }

    /// Returns it if it is text.
    pub fn as_str(self) -> Option<&'a str> {
        match self.0.scalar() {
            Val::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns it if it is `true` or `false`.
    pub fn as_bool(self) -> Option<bool> {
        match self.0.scalar() {
            Val::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// Returns it if it is a number; an integer of more than 53 bits loses its last digits.
    pub fn as_f64(self) -> Option<f64> {
        match self.0 {
            Val::Json(Value::Number(number)) => number.as_f64(),
            Val::Number(number) => Some(number),
            #[expect(clippy::cast_precision_loss, reason = "no array is that long")]
            Val::Index(index) => Some(index as f64),
            _ => None,
        }
    }

    /// Returns it if it is a whole number that fits.
    pub fn as_i64(self) -> Option<i64> {
        match self.0 {
            Val::Json(Value::Number(number)) => number.as_i64().or_else(|| whole(number.as_f64()?)),
            Val::Number(number) => whole(number),
            Val::Index(index) => i64::try_from(index).ok(),
            _ => None,
        }
    }

    /// Returns it if it is a whole number of zero or more that fits.
    pub fn as_u64(self) -> Option<u64> {
        match self.0 {
            Val::Json(Value::Number(number)) if number.is_u64() => number.as_u64(),
            _ => self.as_i64().and_then(|number| u64::try_from(number).ok()),
        }
    }

    /// Returns its items if it is an array.
    pub fn as_array(self) -> Option<&'a [Value]> {
        match self.0 {
            Val::Json(Value::Array(items)) => Some(items),
            _ => None,
        }
    }

    /// Returns its fields if it is an object.
    pub fn as_object(self) -> Option<&'a Map<String, Value>> {
        match self.0 {
            Val::Json(Value::Object(fields)) => Some(fields),
            _ => None,
        }
    }

    /// Returns what a template prints for text, a number or a truth value; nothing else has a text.
    pub fn to_text(self) -> Option<Cow<'a, str>> {
        let mut out = String::new();
        match self.0.scalar() {
            Val::Text(text) => return Some(Cow::Borrowed(text)),
            Val::Bool(value) => return Some(Cow::Borrowed(if value { "true" } else { "false" })),
            Val::Number(number) => write_f64(&mut out, number),
            Val::Index(index) => write_integer(&mut out, index as u64),
            Val::Json(Value::Number(number)) => write_number(&mut out, number),
            _ => return None,
        }
        Some(Cow::Owned(out))
    }

    /// Copies it into JSON; what is missing becomes `null`.
    pub fn to_value(self) -> Value {
        match self.0 {
            Val::Json(value) => value.clone(),
            Val::Text(text) => text.into(),
            Val::Number(number) => number.into(),
            Val::Index(index) => index.into(),
            Val::Bool(value) => value.into(),
            Val::Missing | Val::Null | Val::Overlay(_) | Val::Merged | Val::Opaque => Value::Null,
        }
    }
}

/// The number as an integer, if it is one that every reader of JSON agrees on.
fn whole(number: f64) -> Option<i64> {
    const SAFE: f64 = 9_007_199_254_740_991.0;
    #[expect(clippy::cast_possible_truncation, reason = "whole and small enough")]
    (number.fract() == 0.0 && number.abs() <= SAFE).then_some(number as i64)
}

impl fmt::Debug for Argument<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0.scalar() {
            Val::Missing => "Argument(missing)",
            Val::Null => "Argument(null)",
            Val::Text(_) => "Argument(text)",
            Val::Number(_) | Val::Index(_) | Val::Json(Value::Number(_)) => "Argument(number)",
            Val::Bool(_) => "Argument(bool)",
            Val::Json(Value::Array(_)) => "Argument(array)",
            _ => "Argument(object)",
        })
    }
}
