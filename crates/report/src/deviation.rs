//! Where a report departs from the standard, and was read all the same.

use crate::Limits;
use crate::error::cut;
use crate::word::Word;

/// Names one place where a report departs from its standard. Nothing is guessed there: what cannot be read is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Deviation {
    /// The element or field, such as `row/source_ip`.
    pub place: &'static str,
    /// In which record, or policy, from 0; `None` outside of them.
    pub record: Option<usize>,
    /// What is wrong with it.
    pub kind: DeviationKind,
}

/// Says in which way a report departs from its standard.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum DeviationKind {
    /// It must be there, and is not.
    Missing,
    /// It is there, and empty.
    Empty,
    /// It may stand once, and stands there again: the first one counts.
    Repeated,
    /// It cannot be read, and was left out; the value is cut to 64 octets.
    Invalid(String),
    /// It is a word that the standard does not have there, and was kept; cut to 64 octets.
    UnknownWord(String),
    /// It is longer than [`Limits::max_text`](crate::Limits::max_text) allows, and was left out.
    TooLong,
    /// It holds an element, or a member, that the standard does not have, and that was skipped; its name, cut to 64 octets.
    Unknown(String),
    /// It holds an entity that is not one of XML's five, or a lone `&`: the text stands for itself.
    Entity,
    /// It holds a character that XML does not allow: U+FFFD stands for it.
    Character,
    /// It holds octets that are not of its charset: U+FFFD stands for them.
    Charset,
    /// There is a processing instruction, which was skipped.
    Instruction,
    /// Octets that mean nothing stand behind the compressed data, or behind the report.
    Trailing,
    /// The mail holds more than one part that could be the report: the first one counts.
    Another,
    /// It is not the kind of part, or of value, that the standard asks for, and was read all the same.
    Form,
}

impl std::fmt::Display for Deviation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.place)?;
        if let Some(record) = self.record {
            write!(f, " of record {record}")?;
        }
        match &self.kind {
            DeviationKind::Missing => f.write_str(" is missing"),
            DeviationKind::Empty => f.write_str(" is empty"),
            DeviationKind::Repeated => f.write_str(" stands there more than once"),
            DeviationKind::Invalid(value) => write!(f, " cannot be `{}`", value.escape_debug()),
            DeviationKind::UnknownWord(word) => write!(f, " has the unknown word `{}`", word.escape_debug()),
            DeviationKind::TooLong => f.write_str(" is too long"),
            DeviationKind::Unknown(name) => write!(f, " holds the unknown `{}`", name.escape_debug()),
            DeviationKind::Entity => f.write_str(" holds an entity"),
            DeviationKind::Character => f.write_str(" holds a character that XML does not allow"),
            DeviationKind::Charset => f.write_str(" holds octets that are not of its charset"),
            DeviationKind::Instruction => f.write_str(" holds a processing instruction"),
            DeviationKind::Trailing => f.write_str(" has something behind it"),
            DeviationKind::Another => f.write_str(" is not the only one"),
            DeviationKind::Form => f.write_str(" is of another kind than it must be"),
        }
    }
}

/// Lists where a report departs from its standard.
///
/// At most [`Limits::max_deviations`] are kept, the first ones; all are counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Deviations {
    list: Vec<Deviation>,
    total: u64,
}

impl Deviations {
    /// Returns those that are listed, in the order in which they were found.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Deviation> {
        self.list.iter()
    }

    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// Counts all of them, listed or not.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Notes a deviation of the whole, once the report is read.
    pub(crate) fn add(&mut self, limits: &Limits, place: &'static str, kind: DeviationKind) {
        self.total += 1;
        if self.list.len() < limits.deviations {
            let record = None;
            self.list.push(Deviation { place, record, kind });
        }
    }
}

/// Takes down deviations while a report is read.
#[derive(Debug)]
pub(crate) struct Notes {
    found: Deviations,
    room: usize,
    /// In which record the reader is.
    record: Option<usize>,
}

impl Notes {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            found: Deviations::default(),
            room: limits.deviations,
            record: None,
        }
    }

    /// Says which record follows; `None` if it is none.
    pub(crate) fn enter(&mut self, record: Option<usize>) {
        self.record = record;
    }

    /// Notes a deviation of a kind.
    pub(crate) fn note(&mut self, place: &'static str, kind: DeviationKind) {
        self.found.total += 1;
        if self.found.list.len() < self.room {
            let record = self.record;
            self.found.list.push(Deviation { place, record, kind });
        }
    }

    /// Notes a value that cannot be read.
    pub(crate) fn invalid(&mut self, place: &'static str, value: &str) {
        self.note(place, DeviationKind::Invalid(cut(value)));
    }

    /// Notes an element or a member that the standard does not have.
    pub(crate) fn unknown(&mut self, place: &'static str, name: &str) {
        self.note(place, DeviationKind::Unknown(cut(name)));
    }

    /// Reads a word, and notes it if it is unknown or empty.
    pub(crate) fn word<W: Word>(&mut self, place: &'static str, text: &str) -> Option<W> {
        if text.is_empty() {
            self.note(place, DeviationKind::Empty);
            return None;
        }
        let word = W::read(text);
        if !word.is_known() {
            self.note(place, DeviationKind::UnknownWord(cut(text)));
        }
        Some(word)
    }

    /// Puts a value where it belongs, unless one stands there.
    pub(crate) fn once<T>(&mut self, place: &'static str, slot: &mut Option<T>, value: Option<T>) {
        match (&slot, value) {
            (Some(_), _) => self.note(place, DeviationKind::Repeated),
            (None, value) => *slot = value,
        }
    }

    /// Notes what is missing of what must be there.
    pub(crate) fn required<T>(&mut self, place: &'static str, slot: &Option<T>) {
        if slot.is_none() {
            self.note(place, DeviationKind::Missing);
        }
    }

    pub(crate) fn finish(self) -> Deviations {
        self.found
    }
}
