//! A header section: where its fields lie, and what was changed.
//!
//! **Invariant:** the pieces, one behind another, are the section. A piece that was in the message is a range of it; a
//! piece that was added ends with a line break and does not begin with white space.

mod defects;
mod scan;

pub(super) use scan::{Scan, Step};

use std::ops::Range;

use bytes::Bytes;

use super::error::RawError;
use super::field::RawField;
use super::lines::{is_blank, next_line};
use super::options::RawOptions;

/// Begins the line that mbox files put before each message.
const MBOX_MARK: &[u8] = b"From ";

/// A field with its line break and the lines that continue it, or a run of junk lines.
#[derive(Clone, Debug)]
struct Piece {
    text: Text,
    /// Length of the field's name; 0 for junk.
    name: usize,
}

#[derive(Clone, Debug)]
enum Text {
    /// A range of the message.
    Own(Range<usize>),
    Added(Bytes),
}

/// A header section, from its first octet to the first one of the body.
#[derive(Clone)]
pub(super) struct Header {
    source: Bytes,
    pieces: Vec<Piece>,
    /// The empty line behind the section.
    empty_line: Option<Range<usize>>,
    start: usize,
    body: usize,
    edited: bool,
}

impl Header {
    /// Reads the section that `source` begins with.
    pub(super) fn parse(source: &Bytes, options: RawOptions) -> Result<Self, RawError> {
        let mut scan = Scan::new(0, 0, options);
        let mut position = 0;
        while position < source.len() {
            let end = next_line(source, position);
            match scan.line(source, position..end)? {
                Step::Header => position = end,
                Step::Empty => return Ok(scan.finish(source.clone(), Some(position..end), end)),
                Step::Body => return Ok(scan.finish(source.clone(), None, position)),
            }
        }
        Ok(scan.finish(source.clone(), None, position))
    }

    /// Where the body begins in what was read.
    pub(super) fn body(&self) -> usize {
        self.body
    }

    pub(super) fn source(&self) -> &Bytes {
        &self.source
    }

    pub(super) fn is_edited(&self) -> bool {
        self.edited
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = RawField> {
        self.pieces.iter().filter_map(|piece| self.field_of(piece))
    }

    /// The fields called `name`, in their order.
    pub(super) fn named(&self, name: &str) -> impl Iterator<Item = RawField> {
        self.pieces
            .iter()
            .filter(move |piece| self.is_named(piece, name))
            .filter_map(|piece| self.field_of(piece))
    }

    pub(super) fn count(&self, name: &str) -> usize {
        self.pieces.iter().filter(|piece| self.is_named(piece, name)).count()
    }

    /// Puts a field before all others.
    pub(super) fn prepend(&mut self, field: Bytes, name: usize) {
        let leading = self.leading();
        self.insert(leading, field, name);
    }

    /// Puts a field behind the last one that every reader takes for one.
    pub(super) fn append(&mut self, field: Bytes, name: usize) {
        let leading = self.leading();
        let certain = self
            .pieces
            .iter()
            .skip(leading)
            .take_while(|piece| piece.name > 0)
            .count();
        self.insert(leading + certain, field, name);
    }

    /// Puts a field in the place of the first one called `name`; false if there is none.
    pub(super) fn replace(&mut self, name: &str, field: Bytes, length: usize) -> bool {
        let Some(index) = self.pieces.iter().position(|piece| self.is_named(piece, name)) else {
            return false;
        };
        let field = self.with_own_breaks(field);
        if let Some(piece) = self.pieces.get_mut(index) {
            *piece = Piece {
                text: Text::Added(field),
                name: length,
            };
            self.edited = true;
        }
        true
    }

    /// Removes the fields that `unwanted` picks, and returns them.
    pub(super) fn take(&mut self, mut unwanted: impl FnMut(&RawField) -> bool) -> Vec<RawField> {
        let mut taken = Vec::new();
        let pieces = std::mem::take(&mut self.pieces);
        let (mut kept, before) = (Vec::with_capacity(pieces.len()), pieces.len());
        for piece in pieces {
            match self.field_of(&piece) {
                Some(field) if unwanted(&field) => taken.push(field),
                _ => kept.push(piece),
            }
        }
        self.edited |= kept.len() != before;
        self.pieces = kept;
        taken
    }

    /// Removes the fields called `name` and returns how many there were. With `keep`, that many of the first stay.
    pub(super) fn remove(&mut self, name: &str, keep: usize) -> usize {
        let mut pieces = std::mem::take(&mut self.pieces);
        let (before, mut seen) = (pieces.len(), 0);
        pieces.retain(|piece| {
            let named = self.is_named(piece, name);
            seen += usize::from(named);
            !named || seen <= keep
        });
        let removed = before - pieces.len();
        self.edited |= removed > 0;
        self.pieces = pieces;
        removed
    }

    /// Hands out the section, with its empty line and what follows it in what was read up to `end`, in chunks.
    pub(super) fn write(&self, end: usize, mut out: impl FnMut(Bytes)) {
        if !self.edited {
            return out(self.cut(self.start..end));
        }
        // What was read and lies together is one chunk.
        let mut pending = self.start..self.start;
        let mut last = b'\n';
        for piece in &self.pieces {
            if last != b'\n' {
                out(self.cut(std::mem::take(&mut pending)));
                out(self.line_break_after(last));
            }
            match &piece.text {
                Text::Own(range) if range.start == pending.end => pending.end = range.end,
                Text::Own(range) => out(self.cut(std::mem::replace(&mut pending, range.clone()))),
                Text::Added(field) => {
                    out(self.cut(std::mem::take(&mut pending)));
                    out(field.clone());
                }
            }
            last = self.text(piece).last().copied().unwrap_or(b'\n');
        }
        let rest = match &self.empty_line {
            Some(empty_line) => empty_line.start..end,
            None => self.body..end,
        };
        if self.empty_line.is_none() && !rest.is_empty() {
            // Readers must not differ about where the fields end once something was put there or taken away.
            out(self.cut(std::mem::take(&mut pending)));
            out(self.line_break());
        }
        if rest.start == pending.end {
            pending.end = rest.end;
            out(self.cut(pending));
        } else {
            out(self.cut(pending));
            out(self.cut(rest));
        }
    }

    /// Pieces that nothing may be put before: an mbox line belongs first, and white space would continue what is put
    /// before it.
    fn leading(&self) -> usize {
        let is_leading = self.pieces.first().is_some_and(|piece| {
            let text = self.text(piece);
            piece.name == 0 && (is_blank(text.first()) || text.starts_with(MBOX_MARK))
        });
        usize::from(is_leading)
    }

    fn insert(&mut self, index: usize, field: Bytes, name: usize) {
        let text = Text::Added(self.with_own_breaks(field));
        let index = index.min(self.pieces.len());
        self.pieces.insert(index, Piece { text, name });
        self.edited = true;
    }

    fn is_named(&self, piece: &Piece, name: &str) -> bool {
        piece.name == name.len()
            && piece.name > 0
            && self
                .text(piece)
                .get(..piece.name)
                .is_some_and(|own| own.eq_ignore_ascii_case(name.as_bytes()))
    }

    fn field_of(&self, piece: &Piece) -> Option<RawField> {
        if piece.name == 0 {
            return None;
        }
        let raw = match &piece.text {
            Text::Own(range) => self.cut(range.clone()),
            Text::Added(field) => field.clone(),
        };
        Some(RawField::new(raw, piece.name))
    }

    fn text<'a>(&'a self, piece: &'a Piece) -> &'a [u8] {
        match &piece.text {
            Text::Own(range) => self.source.get(range.clone()).unwrap_or_default(),
            Text::Added(field) => field,
        }
    }

    fn cut(&self, range: Range<usize>) -> Bytes {
        if range.start < range.end && range.end <= self.source.len() {
            self.source.slice(range)
        } else {
            Bytes::new()
        }
    }

    /// Tells whether lines end with LF alone, by the first one.
    fn has_bare_breaks(&self) -> bool {
        let line = self
            .source
            .get(self.start..self.body)
            .and_then(|section| section.get(..next_line(section, 0)))
            .unwrap_or_default();
        line.ends_with(b"\n") && !line.ends_with(b"\r\n")
    }

    fn line_break(&self) -> Bytes {
        Bytes::from_static(if self.has_bare_breaks() { b"\n" } else { b"\r\n" })
    }

    /// A line break that does not make one with what is before it.
    fn line_break_after(&self, last: u8) -> Bytes {
        if last == b'\r' {
            Bytes::from_static(b"\r\n")
        } else {
            self.line_break()
        }
    }

    /// Gives `field`, which has CRLF, the line breaks of this section.
    fn with_own_breaks(&self, field: Bytes) -> Bytes {
        if !self.has_bare_breaks() {
            return field;
        }
        field.iter().copied().filter(|byte| *byte != b'\r').collect()
    }
}
