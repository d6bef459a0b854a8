//! Takes header sections line by line.

use std::ops::Range;

use bytes::Bytes;

use super::{Header, MBOX_MARK, Piece, Text};
use crate::raw::error::RawError;
use crate::raw::lines::{is_blank, name_length, without_break};
use crate::raw::options::{JunkLines, RawOptions};

/// What a line was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::raw) enum Step {
    /// Part of the header section.
    Header,
    /// The empty line behind it.
    Empty,
    /// The first line of a body that no empty line precedes.
    Body,
}

/// Takes the lines of one header section, one after another.
#[derive(Debug)]
pub(in crate::raw) struct Scan {
    pieces: Vec<Piece>,
    fields: usize,
    start: usize,
    part: usize,
    options: RawOptions,
}

impl Scan {
    pub(in crate::raw) fn new(start: usize, part: usize, options: RawOptions) -> Self {
        Self {
            pieces: Vec::new(),
            fields: 0,
            start,
            part,
            options,
        }
    }

    /// Takes the line that `range` of `source` is, its line break included.
    pub(in crate::raw) fn line(&mut self, source: &[u8], range: Range<usize>) -> Result<Step, RawError> {
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
    pub(in crate::raw) fn finish(self, source: Bytes, empty_line: Option<Range<usize>>, body: usize) -> Header {
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
