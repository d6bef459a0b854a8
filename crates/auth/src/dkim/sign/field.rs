//! The text of a DKIM-Signature field, folded.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// How long a line is at most, in octets: what RFC 5322 §2.1.1 asks for.
const LINE: usize = 78;

const FOLD: &str = "\r\n\t";

/// Appends tags, and folds between them where a line would get too long.
#[derive(Debug)]
pub(super) struct Folding<'a> {
    out: &'a mut String,
    line: usize,
}

impl<'a> Folding<'a> {
    /// Goes on behind what stands in the last line of `out`.
    pub(super) fn new(out: &'a mut String) -> Self {
        let line = out.len() - out.rfind('\n').map_or(0, |line_feed| line_feed + 1);
        Self { out, line }
    }

    /// Appends `name=value;`, after a space.
    pub(super) fn tag(&mut self, name: &str, value: &str) {
        let length = name.len() + 1 + value.len() + 1;
        if self.line + 1 + length > LINE {
            self.fold();
        } else {
            self.out.push(' ');
            self.line += 1;
        }
        self.out.push_str(name);
        self.out.push('=');
        self.out.push_str(value);
        self.out.push(';');
        self.line += length;
    }

    /// Begins a new line.
    pub(super) fn fold(&mut self) {
        self.out.push_str(FOLD);
        self.line = 1;
    }
}

/// Appends `h=`, in lines of its own.
#[derive(Debug)]
pub(super) struct NameList<'a> {
    folding: Folding<'a>,
    is_empty: bool,
}

impl<'a> NameList<'a> {
    pub(super) fn begin(out: &'a mut String) -> Self {
        let mut folding = Folding::new(out);
        folding.fold();
        folding.out.push_str("h=");
        folding.line += 2;
        Self {
            folding,
            is_empty: true,
        }
    }

    pub(super) fn push(&mut self, name: &str) {
        let folding = &mut self.folding;
        if !self.is_empty {
            folding.out.push(':');
            folding.line += 1;
        }
        self.is_empty = false;
        // The colon or the semicolon that follows is to fit too.
        if folding.line + name.len() + 1 > LINE {
            folding.fold();
        }
        folding.out.push_str(name);
        folding.line += name.len();
    }

    pub(super) fn end(self) {
        self.folding.out.push(';');
    }
}

/// Appends `b=`, which is last, in a line of its own.
pub(super) fn push_b(out: &mut String) {
    out.push_str(FOLD);
    out.push_str("b=");
}

/// Appends the signature behind `b=`, in lines, and the line end.
pub(super) fn push_signature(out: &mut String, signature: &[u8]) {
    // 54 octets are 72 characters, 57 are 76: with what stands before them, lines of 75 and 77.
    let (first, mut rest) = signature.split_at_checked(54).unwrap_or((signature, &[]));
    STANDARD.encode_string(first, out);
    while !rest.is_empty() {
        let (line, behind) = rest.split_at_checked(57).unwrap_or((rest, &[]));
        out.push_str(FOLD);
        STANDARD.encode_string(line, out);
        rest = behind;
    }
    out.push_str("\r\n");
}
