//! JSON as reports have it: objects whose members are known, read one after the other; nothing else is kept.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::deviation::{DeviationKind, Notes};
use crate::error::cut;
use crate::word::Word;
use crate::{Limits, ReadError};

/// What is common to all of one reading.
pub(crate) struct Reading {
    pub(crate) limits: Limits,
    pub(crate) notes: Notes,
    pub(crate) records: usize,
    entries: usize,
    /// Why the reading was stopped, if it was not the syntax.
    stopped: Option<ReadError>,
}

impl Reading {
    /// Counts a record, or an entry of a list.
    fn count<E: Error>(&mut self, is_record: bool) -> Result<(), E> {
        let (count, limit, what) = if is_record {
            (&mut self.records, self.limits.records, "records")
        } else {
            (&mut self.entries, self.limits.entries, "entries")
        };
        *count += 1;
        if *count > limit {
            self.stopped = Some(ReadError::TooMany { what, limit });
            return Err(E::custom("limit"));
        }
        Ok(())
    }

    /// Says that the value there is of another kind than it must be.
    fn wrong_kind(&mut self, place: &'static str) {
        self.notes.note(place, DeviationKind::Form);
    }
}

/// An object of which the members are known.
pub(crate) trait Object: Default {
    /// Where it stands.
    const PLACE: &'static str;

    /// Reads the value of a member with [`Member`], whatever it is.
    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, value: &mut Member<'_, A>) -> Result<(), A::Error>;

    /// Notes what is missing.
    fn finish(&self, notes: &mut Notes);
}

/// Reads the object that `text` is.
pub(crate) fn object<T: Object>(text: &str, limits: &Limits, notes: Notes) -> Result<(T, Notes), ReadError> {
    let mut reading = Reading {
        limits: *limits,
        notes,
        records: 0,
        entries: 0,
        stopped: None,
    };
    let mut object = T::default();
    let mut json = serde_json::Deserializer::from_str(text);
    let seed = ObjectSeed {
        object: &mut object,
        reading: &mut reading,
    };
    match seed.deserialize(&mut json) {
        Ok(true) => {}
        Ok(false) => return Err(ReadError::NotAnObject),
        Err(error) => {
            return Err(reading.stopped.take().unwrap_or(ReadError::Json {
                line: error.line(),
                column: error.column(),
            }));
        }
    }
    if json.end().is_err() {
        reading.notes.note("file", DeviationKind::Trailing);
    }
    object.finish(&mut reading.notes);
    Ok((object, reading.notes))
}

/// The value of a member, to be read once.
pub(crate) struct Member<'r, A> {
    map: &'r mut A,
    pub(crate) reading: &'r mut Reading,
}

impl<'de, A: MapAccess<'de>> Member<'_, A> {
    /// Skips a member that the standard does not have.
    pub(crate) fn unknown(&mut self, place: &'static str, name: &str) -> Result<(), A::Error> {
        self.reading.notes.unknown(place, name);
        self.map.next_value::<IgnoredAny>().map(drop)
    }

    /// Reads text into its place.
    pub(crate) fn text(&mut self, place: &'static str, slot: &mut Option<String>) -> Result<(), A::Error> {
        let value = self.leaf(place)?;
        self.reading.notes.once(place, slot, value);
        Ok(())
    }

    /// Reads a word into its place.
    pub(crate) fn word<W: Word>(&mut self, place: &'static str, slot: &mut Option<W>) -> Result<(), A::Error> {
        let value = self.leaf(place)?;
        let value = value.and_then(|text| self.reading.notes.word(place, text.trim()));
        self.reading.notes.once(place, slot, value);
        Ok(())
    }

    /// Reads what `parse` can read into its place.
    pub(crate) fn parsed<T>(
        &mut self,
        place: &'static str,
        slot: &mut Option<T>,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<(), A::Error> {
        let Some(text) = self.leaf(place)? else {
            return Ok(());
        };
        let value = parse(text.trim());
        if value.is_none() {
            self.reading.notes.invalid(place, &text);
        }
        self.reading.notes.once(place, slot, value);
        Ok(())
    }

    /// Reads a whole number into its place; one in quotes is noted and read.
    pub(crate) fn number(&mut self, place: &'static str, slot: &mut Option<u64>) -> Result<(), A::Error> {
        let reading = &mut *self.reading;
        let leaf = LeafSeed {
            place,
            reading,
            wants_text: false,
        };
        let Some(text) = self.map.next_value_seed(leaf)? else {
            return Ok(());
        };
        let value = crate::xml::number(&text);
        if value.is_none() {
            self.reading.notes.invalid(place, &text);
        }
        self.reading.notes.once(place, slot, value);
        Ok(())
    }

    fn leaf(&mut self, place: &'static str) -> Result<Option<String>, A::Error> {
        self.map.next_value_seed(LeafSeed {
            place,
            reading: self.reading,
            wants_text: true,
        })
    }

    /// Reads a list of texts; a text that stands there alone is noted and read.
    pub(crate) fn texts(&mut self, place: &'static str, texts: &mut Vec<String>) -> Result<(), A::Error> {
        self.map.next_value_seed(TextsSeed {
            place,
            reading: self.reading,
            texts,
        })
    }

    /// Reads an object.
    pub(crate) fn object<T: Object>(&mut self, object: &mut T) -> Result<(), A::Error> {
        let seed = ObjectSeed {
            object,
            reading: self.reading,
        };
        if !self.map.next_value_seed(seed)? {
            self.reading.wrong_kind(T::PLACE);
        }
        Ok(())
    }

    /// Reads a list of objects; one that stands there alone is noted and read. `before` is told the number of each.
    pub(crate) fn objects<T: Object>(
        &mut self,
        objects: &mut Vec<T>,
        before: fn(&mut Notes, usize),
    ) -> Result<(), A::Error> {
        self.map.next_value_seed(ObjectsSeed {
            reading: self.reading,
            objects,
            before,
        })
    }
}

/// Reads one object; tells whether it is one.
struct ObjectSeed<'r, T> {
    object: &'r mut T,
    reading: &'r mut Reading,
}

impl<'de, T: Object> DeserializeSeed<'de> for ObjectSeed<'_, T> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<bool, D::Error> {
        json.deserialize_any(self)
    }
}

/// What visitors of something else do with values of another kind: nothing, but for lists, which must be read to their end.
macro_rules! other_kinds {
    ($($method:ident: $kind:ty),+ => $value:expr) => {
        $(fn $method<E: Error>(self, _: $kind) -> Result<Self::Value, E> {
            Ok($value(self))
        })+

        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok($value(self))
        }
    };
}

fn drain<'de, A: SeqAccess<'de>>(mut list: A) -> Result<(), A::Error> {
    while list.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

fn drain_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<(), A::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

impl<'de, T: Object> Visitor<'de> for ObjectSeed<'_, T> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    other_kinds!(visit_bool: bool, visit_u64: u64, visit_i64: i64, visit_f64: f64, visit_str: &str => |_| false);

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<bool, A::Error> {
        drain(list)?;
        Ok(false)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            let mut member = Member {
                map: &mut map,
                reading: self.reading,
            };
            self.object.member(&name, &mut member)?;
        }
        Ok(true)
    }
}

/// Reads a list of objects.
struct ObjectsSeed<'r, T> {
    reading: &'r mut Reading,
    objects: &'r mut Vec<T>,
    before: fn(&mut Notes, usize),
}

impl<T: Object> ObjectsSeed<'_, T> {
    /// Counts the next one.
    fn begin<E: Error>(&mut self) -> Result<T, E> {
        self.reading.count(true)?;
        (self.before)(&mut self.reading.notes, self.objects.len());
        Ok(T::default())
    }

    fn end(&mut self, object: T) {
        object.finish(&mut self.reading.notes);
        self.objects.push(object);
    }
}

impl<'de, T: Object> DeserializeSeed<'de> for ObjectsSeed<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

/// Reads one element of a list of objects, and counts it before anything of it is held.
struct ElementSeed<'s, 'r, T>(&'s mut ObjectsSeed<'r, T>);

impl<'de, T: Object> DeserializeSeed<'de> for ElementSeed<'_, '_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        let mut object = self.0.begin()?;
        let is_object = ObjectSeed {
            object: &mut object,
            reading: self.0.reading,
        }
        .deserialize(json)?;
        if is_object {
            self.0.end(object);
        } else {
            self.0.reading.wrong_kind(T::PLACE);
        }
        Ok(())
    }
}

impl<'de, T: Object> Visitor<'de> for ObjectsSeed<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    other_kinds!(visit_bool: bool, visit_u64: u64, visit_i64: i64, visit_f64: f64, visit_str: &str
        => |this: Self| this.reading.wrong_kind(T::PLACE));

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(ElementSeed(&mut self))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, map: A) -> Result<(), A::Error> {
        let mut object = self.begin()?;
        self.reading.wrong_kind(T::PLACE);
        ObjectSeed {
            object: &mut object,
            reading: self.reading,
        }
        .visit_map(map)?;
        self.end(object);
        Ok(())
    }
}

/// Reads text or a number as text; `None` for anything else.
struct LeafSeed<'r> {
    place: &'static str,
    reading: &'r mut Reading,
    /// Whether text is what must stand there.
    wants_text: bool,
}

impl<'de> DeserializeSeed<'de> for LeafSeed<'_> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Option<String>, D::Error> {
        json.deserialize_any(self)
    }
}

impl LeafSeed<'_> {
    fn take(self, text: &str, is_text: bool) -> Option<String> {
        if text.len() > self.reading.limits.text {
            self.reading.notes.note(self.place, DeviationKind::TooLong);
            return None;
        }
        if is_text != self.wants_text {
            self.reading.wrong_kind(self.place);
        }
        Some(text.to_owned())
    }

    fn refuse(self, value: &str) -> Option<String> {
        self.reading.notes.note(self.place, DeviationKind::Invalid(cut(value)));
        None
    }
}

impl<'de> Visitor<'de> for LeafSeed<'_> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a number")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(self.take(text, true))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(self.take(&number.to_string(), false))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(self.refuse(&number.to_string()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        Ok(self.refuse(&number.to_string()))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(self.refuse(if value { "true" } else { "false" }))
    }

    /// `null` is as good as nothing.
    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        drain(list)?;
        Ok(self.refuse("[…]"))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        drain_map(map)?;
        Ok(self.refuse("{…}"))
    }
}

/// Reads a list of texts.
struct TextsSeed<'r> {
    place: &'static str,
    reading: &'r mut Reading,
    texts: &'r mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for TextsSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for TextsSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of texts")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.reading.wrong_kind(self.place);
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.visit_bool(false)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.visit_bool(false)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.visit_bool(false)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.reading.count(false)?;
        let leaf = LeafSeed {
            place: self.place,
            reading: self.reading,
            wants_text: false,
        };
        self.texts.extend(leaf.take(text, true));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        loop {
            let leaf = LeafSeed {
                place: self.place,
                reading: self.reading,
                wants_text: true,
            };
            match list.next_element_seed(leaf)? {
                Some(text) => {
                    self.reading.count(false)?;
                    self.texts.extend(text);
                }
                None => return Ok(()),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        drain_map(map)?;
        self.reading.wrong_kind(self.place);
        Ok(())
    }
}
