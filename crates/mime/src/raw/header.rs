//! A header section: where its fields lie, and what was changed.
//!
//! **Invariant:** the pieces, one behind another, are the section. A piece that was in the message is a range of it; a
//! piece that was added ends with a line break and does not begin with white space.

use std::ops::Range;

use bytes::Bytes;

use super::error::{RawDefect, RawError};
use super::field::RawField;
use super::options::{JunkLines, RawOptions};
use crate::text::LINE_LIMIT;

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

/// What a line was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Part of the header section.
    Header,
    /// The empty line behind it.
    Empty,
    /// The first line of a body that no empty line precedes.
    Body,
}

/// Takes the lines of one header section, one after another.
#[derive(Debug)]
pub(super) struct Scan {
    pieces: Vec<Piece>,
    fields: usize,
    start: usize,
    part: usize,
    options: RawOptions,
}

impl Scan {
    pub(super) fn new(start: usize, part: usize, options: RawOptions) -> Self {
        Self {
            pieces: Vec::new(),
            fields: 0,
            start,
            part,
            options,
        }
    }

    /// Takes the line that `range` of `source` is, its line break included.
    pub(super) fn line(&mut self, source: &[u8], range: Range<usize>) -> Result<Step, RawError> {
        let line = without_break(source.get(range.clone()).unwrap_or_default());
        if line.is_empty() {
            return Ok(Step::Empty);
        }
        if range.end - self.start > self.options.max_header {
            return Err(RawError::HeaderTooLong {
                part: self.part,
                limit: self.options.max_header,
            });
        }
        if is_blank(line.first()) && self.extend(range.end) {
            return Ok(Step::Header);
        }
        if let Some(name) = name_length(line) {
            self.fields += 1;
            if self.fields > self.options.max_fields {
                return Err(RawError::TooManyFields {
                    part: self.part,
                    limit: self.options.max_fields,
                });
            }
            self.push(range, name);
            return Ok(Step::Header);
        }
        let is_mbox = self.pieces.is_empty() && line.starts_with(MBOX_MARK);
        if self.options.junk_lines == JunkLines::StartBody && !is_mbox {
            return Ok(Step::Body);
        }
        let follows_junk = self.pieces.last().is_some_and(|piece| piece.name == 0);
        if !follows_junk || !self.extend(range.end) {
            self.push(range, 0);
        }
        Ok(Step::Header)
    }

    /// Ends the section before `body`; `empty_line` is what stands between.
    pub(super) fn finish(self, source: Bytes, empty_line: Option<Range<usize>>, body: usize) -> Header {
        Header {
            source,
            pieces: self.pieces,
            empty_line,
            start: self.start,
            body,
            edited: false,
        }
    }

    fn push(&mut self, range: Range<usize>, name: usize) {
        self.pieces.push(Piece {
            text: Text::Own(range),
            name,
        });
    }

    /// Makes the last piece longer; false if there is none.
    fn extend(&mut self, to: usize) -> bool {
        match self.pieces.last_mut() {
            Some(Piece {
                text: Text::Own(range), ..
            }) => {
                range.end = to;
                true
            }
            _ => false,
        }
    }
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

    /// Lists what readers take in different ways.
    pub(super) fn defects(&self) -> Vec<RawDefect> {
        let mut defects = Vec::new();
        let mut first = [true; 5];
        let mut offset = 0;
        for (index, piece) in self.pieces.iter().enumerate() {
            let text = self.text(piece);
            if piece.name == 0 && index == 0 && is_blank(text.first()) {
                defects.push(RawDefect::LeadingSpace);
            } else if piece.name == 0 {
                defects.push(RawDefect::JunkLine { offset });
            }
            line_defects(text, offset, &mut first, &mut defects);
            offset += text.len();
        }
        if self.empty_line.is_none() {
            defects.push(RawDefect::NoEmptyLine);
        } else if let Some(range) = &self.empty_line
            && range.len() == 1
        {
            note(&mut first, 1, &mut defects, RawDefect::BareLf { offset });
        }
        for name in ONCE {
            if self.count(name) > 1 {
                defects.push(RawDefect::Repeated { field: name });
            }
        }
        defects
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

/// Fields that stand at most once in a message or part (RFC 5322 §3.6, RFC 2045 §4 to §8, RFC 2183 §2).
const ONCE: [&str; 16] = [
    "bcc",
    "cc",
    "content-disposition",
    "content-id",
    "content-transfer-encoding",
    "content-type",
    "date",
    "from",
    "in-reply-to",
    "message-id",
    "mime-version",
    "references",
    "reply-to",
    "sender",
    "subject",
    "to",
];

/// Where the line that begins at `position` ends, its line break included.
pub(super) fn next_line(source: &[u8], position: usize) -> usize {
    next_after(source, position, b'\n')
}

/// Where the first `octet` from `position` on ends; the end of `source` if there is none.
pub(super) fn next_after(source: &[u8], position: usize, octet: u8) -> usize {
    let mut rest = source.get(position..).unwrap_or_default();
    // Reading from a slice cannot fail; this is the fastest search for an octet that the standard library has.
    let length = std::io::BufRead::skip_until(&mut rest, octet).unwrap_or(rest.len());
    position + length
}

/// A line without what ends it.
pub(super) fn without_break(line: &[u8]) -> &[u8] {
    match line.strip_suffix(b"\n") {
        Some(line) => line.strip_suffix(b"\r").unwrap_or(line),
        None => line,
    }
}

pub(super) fn is_blank(byte: Option<&u8>) -> bool {
    matches!(byte, Some(b' ' | b'\t'))
}

/// Length of the name if `line` begins a field: printable ASCII up to a colon, white space before that allowed as it
/// once was (RFC 5322 §4.5).
pub(super) fn name_length(line: &[u8]) -> Option<usize> {
    let length = line
        .iter()
        .position(|byte| !byte.is_ascii_graphic() || *byte == b':')
        .filter(|length| *length > 0)?;
    let rest = trim_blanks_start(line.get(length..)?);
    (rest.first() == Some(&b':')).then_some(length)
}

/// Without the spaces and tabs at the start.
pub(super) fn trim_blanks_start(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|byte| is_blank(Some(*byte))).count();
    text.get(blanks..).unwrap_or_default()
}

/// Without the spaces and tabs at both ends.
pub(super) fn trim_blanks(text: &[u8]) -> &[u8] {
    let text = trim_blanks_start(text);
    let blanks = text.iter().rev().take_while(|byte| is_blank(Some(*byte))).count();
    text.get(..text.len() - blanks).unwrap_or_default()
}

/// Notes what is odd about the lines of one piece; of each kind the first of the section.
fn line_defects(text: &[u8], offset: usize, first: &mut [bool; 5], defects: &mut Vec<RawDefect>) {
    let mut position = 0;
    while position < text.len() {
        let end = next_line(text, position);
        let line = text.get(position..end).unwrap_or_default();
        let content = without_break(line);
        let at = offset + position;
        if let Some(cr) = content.iter().position(|byte| *byte == b'\r') {
            note(first, 0, defects, RawDefect::BareCr { offset: at + cr });
        }
        if line.len() == content.len() + 1 {
            let offset = at + content.len();
            note(first, 1, defects, RawDefect::BareLf { offset });
        }
        if let Some(nul) = content.iter().position(|byte| *byte == 0) {
            note(first, 2, defects, RawDefect::Nul { offset: at + nul });
        }
        if content.len() > LINE_LIMIT {
            note(first, 3, defects, RawDefect::LongLine { offset: at });
        }
        if position > 0 && trim_blanks(content).is_empty() {
            note(first, 4, defects, RawDefect::BlankFold { offset });
        }
        position = end;
    }
}

fn note(first: &mut [bool; 5], kind: usize, defects: &mut Vec<RawDefect>, defect: RawDefect) {
    if let Some(first) = first.get_mut(kind)
        && std::mem::take(first)
    {
        defects.push(defect);
    }
}
