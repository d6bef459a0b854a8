//! Canonicalisation of bodies and header fields (RFC 6376 §3.4).

use std::fmt;

use aws_lc_rs::digest;

/// How a header section or a body is made comparable before it is hashed (RFC 6376 §3.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Canonicalization {
    /// Tolerates next to nothing.
    Simple,
    /// Tolerates changed white space, refolding and the case of field names.
    #[default]
    Relaxed,
}

impl fmt::Display for Canonicalization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Simple => "simple",
            Self::Relaxed => "relaxed",
        })
    }
}

/// How many canonical octets are gathered before they are hashed.
const SLICE: usize = 4096;

/// Hashes a body as it comes, in chunks cut anywhere (RFC 6376 §3.4.3 and §3.4.4).
pub(crate) struct BodyHasher {
    relaxed: bool,
    hash: digest::Context,
    out: Vec<u8>,
    /// A CR whose LF may be in the next chunk.
    cr: bool,
    /// White space that counts only if something follows it on its line.
    space: bool,
    /// Line ends that count only if something follows them.
    line_ends: u64,
    /// How many octets of the canonical body may still be hashed: the `l=` tag.
    limit: u64,
    length: u64,
}

impl BodyHasher {
    pub(crate) fn new(canonicalization: Canonicalization) -> Self {
        Self {
            relaxed: canonicalization == Canonicalization::Relaxed,
            hash: digest::Context::new(&digest::SHA256),
            out: Vec::with_capacity(SLICE + 128),
            cr: false,
            space: false,
            line_ends: 0,
            limit: u64::MAX,
            length: 0,
        }
    }

    /// Hashes at most `limit` octets of the canonical body.
    pub(crate) fn with_limit(mut self, limit: u64) -> Self {
        self.limit = limit;
        self
    }

    pub(crate) fn update(&mut self, chunk: &[u8]) {
        let mut rest = chunk;
        while let Some((&byte, tail)) = rest.split_first() {
            if self.cr {
                self.cr = false;
                if byte == b'\n' {
                    self.line_ends += 1;
                    self.space = false;
                    rest = tail;
                    continue;
                }
                self.text(b"\r");
            }
            match byte {
                b'\r' => {
                    self.cr = true;
                    rest = tail;
                }
                b' ' | b'\t' if self.relaxed => {
                    self.space = true;
                    rest = tail;
                }
                _ => {
                    let (run, tail) = rest.split_at(self.run(rest));
                    self.text(run);
                    rest = tail;
                }
            }
        }
    }

    /// How many octets at the start of `text` stand as they are: up to what may be changed or left out. A single space
    /// between words stands, and so does a line end between lines that neither end nor begin with white space.
    fn run(&self, text: &[u8]) -> usize {
        let mut index = 0;
        let mut looked_at = 0;
        loop {
            if index >= looked_at {
                index += smooth(text.get(index..).unwrap_or_default());
                looked_at = index + BLOCK;
            }
            index += plain(text.get(index..).unwrap_or_default());
            let Some((&byte, rest)) = text.get(index..).and_then(<[u8]>::split_first) else {
                return text.len();
            };
            index = match byte {
                b'\r' => match rest {
                    [b'\n', next, ..] if self.is_text(*next) => index + 2,
                    _ => return index,
                },
                b' ' if self.relaxed => match rest {
                    [next, ..] if self.is_text(*next) => index + 1,
                    _ => return index,
                },
                b'\t' if self.relaxed => return index,
                _ => index + 1,
            };
        }
    }

    /// Says whether an octet stands as it is, wherever it is.
    fn is_text(&self, byte: u8) -> bool {
        byte != b'\r' && !(self.relaxed && matches!(byte, b' ' | b'\t'))
    }

    /// Takes octets that count, and with them what was held back before them.
    fn text(&mut self, run: &[u8]) {
        while self.line_ends > 0 {
            self.line_ends -= 1;
            self.push(b"\r\n");
        }
        if self.space {
            self.space = false;
            self.push(b" ");
        }
        self.push(run);
    }

    fn push(&mut self, bytes: &[u8]) {
        self.length = self.length.saturating_add(bytes.len() as u64);
        let taken = usize::try_from(self.limit).unwrap_or(usize::MAX).min(bytes.len());
        self.limit -= taken as u64;
        let bytes = bytes.get(..taken).unwrap_or_default();
        if bytes.len() >= SLICE {
            self.hash.update(&self.out);
            self.out.clear();
            self.hash.update(bytes);
            return;
        }
        self.out.extend_from_slice(bytes);
        if self.out.len() >= SLICE {
            self.hash.update(&self.out);
            self.out.clear();
        }
    }

    /// The hash of the canonical body, and how long that body is in octets, whatever the limit.
    pub(crate) fn finish(mut self) -> (digest::Digest, u64) {
        if self.cr {
            self.cr = false;
            self.text(b"\r");
        }
        // §3.4.3: a simple body ends with one CRLF, an empty one is that CRLF. §3.4.4: an empty relaxed body is empty.
        if self.length > 0 || !self.relaxed {
            self.push(b"\r\n");
        }
        self.hash.update(&self.out);
        (self.hash.finish(), self.length)
    }
}

/// How many octets are looked at together for what may have to be changed.
const BLOCK: usize = 64;

/// How many octets at the start of `text` certainly stand as they are, with text behind them: whole blocks without a
/// tab, a lone CR, an empty line, or white space beside white space. The pairs are compared without branches, so that the
/// compiler can compare many at once.
fn smooth(text: &[u8]) -> usize {
    let mut count = 0;
    while let (Some(block), Some(shifted)) = (text.get(count..count + BLOCK), text.get(count + 1..=count + BLOCK)) {
        let mut rough = false;
        for (&here, &next) in block.iter().zip(shifted) {
            let is_line_end = (here == b'\r') & (next == b'\n');
            let is_gap = (here <= b' ') & (next <= b' ');
            rough |= (here == b'\t') | ((here == b'\r') ^ is_line_end) | (is_gap & !is_line_end);
        }
        if rough {
            break;
        }
        count += BLOCK;
    }
    // What ends the last block may belong to white space or a line end that goes on behind it.
    let (whole, _) = text.split_at(count);
    whole.iter().rposition(|&byte| byte > b' ').map_or(0, |last| last + 1)
}

/// How many octets at the start of `text` are neither white space nor control characters, looked at eight at a time.
fn plain(text: &[u8]) -> usize {
    const LOW: u64 = u64::from_ne_bytes([0x21; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    let mut count = 0;
    for eight in text.as_chunks::<8>().0 {
        // The lowest set bit belongs to the first octet below 0x21: a borrow only runs upwards.
        let word = u64::from_le_bytes(*eight);
        let below = word.wrapping_sub(LOW) & !word & HIGH;
        if below != 0 {
            return count + (below.trailing_zeros() / 8) as usize;
        }
        count += 8;
    }
    count
        + text
            .get(count..)
            .unwrap_or_default()
            .iter()
            .take_while(|byte| **byte > b' ')
            .count()
}

/// Appends one header field in canonical form, its line end included.
///
/// `raw` is the field as it stands in the message, from its name to its CRLF.
pub(crate) fn push_field(out: &mut Vec<u8>, raw: &[u8], canonicalization: Canonicalization) {
    if canonicalization == Canonicalization::Simple {
        out.extend_from_slice(raw);
        return;
    }
    let colon = raw.iter().position(|&byte| byte == b':').unwrap_or(raw.len());
    let (name, value) = raw.split_at(colon);
    out.extend(name.trim_ascii_end().iter().map(u8::to_ascii_lowercase));
    out.push(b':');
    let mut space = false;
    let mut any = false;
    for &byte in value.get(1..).unwrap_or_default() {
        match byte {
            b'\r' | b'\n' => {}
            b' ' | b'\t' => space = true,
            byte => {
                if space && any {
                    out.push(b' ');
                }
                space = false;
                any = true;
                out.push(byte);
            }
        }
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(body: &[u8], canonicalization: Canonicalization, cut: usize) -> digest::Digest {
        let mut hasher = BodyHasher::new(canonicalization);
        for chunk in body.chunks(cut.max(1)) {
            hasher.update(chunk);
        }
        hasher.finish().0
    }

    fn check(body: &str, simple: &str, relaxed: &str) {
        for cut in 1..=body.len().max(1) {
            for (canonicalization, expected) in
                [(Canonicalization::Simple, simple), (Canonicalization::Relaxed, relaxed)]
            {
                let expected = digest::digest(&digest::SHA256, expected.as_bytes());
                assert_eq!(
                    canonical(body.as_bytes(), canonicalization, cut).as_ref(),
                    expected.as_ref(),
                    "{body:?} {cut}"
                );
            }
        }
    }

    #[test]
    fn bodies() {
        check("", "\r\n", "");
        check("\r\n\r\n", "\r\n", "");
        check("Hello", "Hello\r\n", "Hello\r\n");
        check("Hello\r\n\r\n\r\n", "Hello\r\n", "Hello\r\n");
        // §3.4.4: a line of white space only is an empty line.
        check("Hello\r\n \t\r\n", "Hello\r\n \t\r\n", "Hello\r\n");
        check(" C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n");
        check("a  b\r\n\r\n c\r\n", "a  b\r\n\r\n c\r\n", "a b\r\n\r\n c\r\n");
        check("bare \r cr\r", "bare \r cr\r\r\n", "bare \r cr\r\r\n");
        check("bare\n lf", "bare\n lf\r\n", "bare\n lf\r\n");
        check(" ", " \r\n", "");
        check(
            "long enough lines\r\nof text\r\n and  \r\n\r\nmore\r\n",
            "long enough lines\r\nof text\r\n and  \r\n\r\nmore\r\n",
            "long enough lines\r\nof text\r\n and\r\n\r\nmore\r\n",
        );
        check(
            "caf\u{e9}\u{e9}\u{e9}\u{e9} \u{e9}\t\n\0\u{1} x",
            "caf\u{e9}\u{e9}\u{e9}\u{e9} \u{e9}\t\n\0\u{1} x\r\n",
            "caf\u{e9}\u{e9}\u{e9}\u{e9} \u{e9} \n\0\u{1} x\r\n",
        );
    }

    /// RFC 6376 §3.4.4, step by step, as it is written there.
    fn relaxed(body: &str) -> String {
        let mut lines: Vec<String> = body
            .split("\r\n")
            .map(|line| {
                let mut out = String::new();
                for c in line.chars() {
                    match c {
                        ' ' | '\t' if out.ends_with(' ') => {}
                        ' ' | '\t' => out.push(' '),
                        c => out.push(c),
                    }
                }
                out.strip_suffix(' ').map(str::to_owned).unwrap_or(out)
            })
            .collect();
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        lines.iter().map(|line| format!("{line}\r\n")).collect()
    }

    proptest::proptest! {
        #[test]
        fn long_bodies_are_what_the_steps_of_the_rfc_make_of_them(
            pieces in proptest::collection::vec("[a-z]{1,90}|\r\n|\r\n\r\n|\r|\n| |  |\t|[a-z]{60,70} ", 0..60),
            cut in 1_usize..300,
        ) {
            let body = pieces.concat();
            let expected = digest::digest(&digest::SHA256, relaxed(&body).as_bytes());
            let found = canonical(body.as_bytes(), Canonicalization::Relaxed, cut);
            proptest::prop_assert_eq!(found.as_ref(), expected.as_ref());
        }
    }

    #[test]
    fn header_fields() {
        let mut out = Vec::new();
        push_field(&mut out, b"A: X\r\n", Canonicalization::Relaxed);
        push_field(&mut out, b"B : Y\t\r\n\tZ  \r\n", Canonicalization::Relaxed);
        push_field(&mut out, b"B : Y\t\r\n\tZ  \r\n", Canonicalization::Simple);
        assert_eq!(out, b"a:X\r\nb:Y Z\r\nB : Y\t\r\n\tZ  \r\n");
    }
}
