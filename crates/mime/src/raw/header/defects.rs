//! What readers of a header section take in different ways.

use super::Header;
use crate::raw::error::RawDefect;
use crate::raw::lines::{is_blank, next_line, trim_blanks, without_break};
use crate::text::LINE_LIMIT;

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

impl Header {
    /// Lists what readers take in different ways.
    pub(in crate::raw) fn defects(&self) -> Vec<RawDefect> {
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
