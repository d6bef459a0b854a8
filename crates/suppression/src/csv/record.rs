//! Records of fields, one at a time and bounded.

use std::io::{self, BufRead};

use super::CsvErrorKind;

/// The most octets of a record: many times what an entry has.
const LONGEST: usize = 64 * 1024;

/// Reads records (RFC 4180): quotes, doubled quotes, line ends of all kinds, empty lines passed over.
#[derive(Debug)]
pub(super) struct Records<R> {
    input: R,
    delimiter: u8,
    /// The line that is being read, from 1.
    line: u64,
    /// A CR was the last octet: an LF behind it belongs to it.
    after_cr: bool,
    text: Vec<u8>,
    ends: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Plain,
    Quoted,
    /// Behind a quote within quotes: the end, or the first of two.
    Quote,
    /// Behind a closing quote, where something stood that is no delimiter.
    Astray,
}

impl<R: BufRead> Records<R> {
    pub(super) const fn new(input: R, delimiter: u8) -> Self {
        Self {
            input,
            delimiter,
            line: 0,
            after_cr: false,
            text: Vec::new(),
            ends: Vec::new(),
        }
    }

    pub(super) const fn set_delimiter(&mut self, delimiter: u8) {
        self.delimiter = delimiter;
    }

    /// Reads the next record that is not empty; its line, and whether it can be used. `None` at the end.
    pub(super) fn read(&mut self) -> Option<(u64, Result<(), CsvErrorKind>)> {
        if self.line == 0 {
            self.line = 1;
            match self.skip_mark() {
                Ok(()) => {}
                Err(error) => return Some((1, Err(CsvErrorKind::Io(error)))),
            }
        }
        loop {
            let line = self.line;
            match self.record() {
                Ok(None) => return None,
                Ok(Some(())) if self.ends.len() == 1 && self.text.is_empty() => {}
                Ok(Some(())) => return Some((line, Ok(()))),
                Err(kind) => return Some((line, Err(kind))),
            }
        }
    }

    /// How many fields the record has.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// A field of the record, if there is one there.
    pub(super) fn field(&self, index: usize) -> Result<Option<&str>, CsvErrorKind> {
        let Some(&end) = self.ends.get(index) else {
            return Ok(None);
        };
        let from = index.checked_sub(1).and_then(|before| self.ends.get(before));
        let bytes = self.text.get(from.copied().unwrap_or(0)..end).unwrap_or_default();
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(CsvErrorKind::Utf8 { field: index + 1 }),
        }
    }

    /// Passes over a byte order mark.
    fn skip_mark(&mut self) -> io::Result<()> {
        const MARK: [u8; 3] = [0xef, 0xbb, 0xbf];
        let mut seen = 0;
        while let Some(&wanted) = MARK.get(seen) {
            if filled(&mut self.input)?.first() != Some(&wanted) {
                break;
            }
            self.input.consume(1);
            seen += 1;
        }
        // No file of addresses begins with a part of the mark; if one does, that is no UTF-8, and said to be so.
        if (1..3).contains(&seen) {
            self.text.extend(MARK.get(..seen).unwrap_or_default());
        }
        Ok(())
    }

    fn record(&mut self) -> Result<Option<()>, CsvErrorKind> {
        if self.line > 1 || !self.ends.is_empty() {
            self.text.clear();
        }
        self.ends.clear();
        let mut state = State::Start;
        let mut is_begun = false;
        let mut astray = 0;
        loop {
            let chunk = filled(&mut self.input).map_err(CsvErrorKind::Io)?;
            if chunk.is_empty() {
                if state == State::Quoted {
                    return Err(CsvErrorKind::OpenQuote);
                }
                if !is_begun {
                    return Ok(None);
                }
                self.ends.push(self.text.len());
                return finished(astray).map(Some);
            }
            let mut used = 0;
            let mut is_over = false;
            for &byte in chunk {
                used += 1;
                let follows_cr = std::mem::replace(&mut self.after_cr, byte == b'\r');
                if follows_cr && byte == b'\n' {
                    if state == State::Quoted {
                        self.text.push(byte);
                    }
                    continue;
                }
                is_begun = true;
                let is_end = byte == b'\n' || byte == b'\r';
                self.line += u64::from(is_end);
                if state == State::Quoted {
                    match byte {
                        b'"' => state = State::Quote,
                        _ => self.text.push(byte),
                    }
                } else if is_end {
                    self.ends.push(self.text.len());
                    is_over = true;
                    break;
                } else if byte == self.delimiter {
                    self.ends.push(self.text.len());
                    state = State::Start;
                } else if byte == b'"' && state != State::Plain && state != State::Astray {
                    if state == State::Quote {
                        self.text.push(byte);
                    }
                    state = State::Quoted;
                } else if state == State::Quote {
                    state = State::Astray;
                    astray = self.ends.len() + 1;
                } else {
                    if state == State::Start {
                        state = State::Plain;
                    }
                    self.text.push(byte);
                }
            }
            self.input.consume(used);
            if self.text.len() > LONGEST || self.ends.len() > LONGEST {
                return Err(CsvErrorKind::TooLong { most: LONGEST });
            }
            if is_over {
                return finished(astray).map(Some);
            }
        }
    }
}

const fn finished(astray: usize) -> Result<(), CsvErrorKind> {
    match astray {
        0 => Ok(()),
        field => Err(CsvErrorKind::TextBehindQuote { field }),
    }
}

/// The next octets there are; none at the end.
fn filled<R: BufRead>(input: &mut R) -> io::Result<&[u8]> {
    loop {
        match input.fill_buf() {
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    // The buffer is filled, so this reads nothing.
    input.fill_buf()
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn records(input: &[u8], capacity: usize) -> Vec<(u64, Result<Vec<String>, String>)> {
        let mut records = Records::new(BufReader::with_capacity(capacity, input), b',');
        let mut all = Vec::new();
        while let Some((line, result)) = records.read() {
            let fields = result.and_then(|()| {
                (0..records.len())
                    .map(|index| Ok(records.field(index)?.unwrap_or_default().to_owned()))
                    .collect()
            });
            let is_final = matches!(fields, Err(CsvErrorKind::OpenQuote | CsvErrorKind::TooLong { .. }));
            all.push((line, fields.map_err(|kind: CsvErrorKind| kind.to_string())));
            if is_final {
                break;
            }
        }
        all
    }

    fn check(input: &str, expected: &[(u64, &[&str])]) {
        for capacity in [1, 2, 3, 100] {
            let found = records(input.as_bytes(), capacity);
            let expected: Vec<_> = expected
                .iter()
                .map(|(line, fields)| (*line, Ok(fields.iter().map(|field| (*field).to_owned()).collect())))
                .collect();
            assert_eq!(found, expected, "{input:?} in pieces of {capacity}");
        }
    }

    #[test]
    fn records_end_with_any_line_end() {
        check(
            "a,b\nc\r\nd\re",
            &[(1, &["a", "b"]), (2, &["c"]), (3, &["d"]), (4, &["e"])],
        );
        check("", &[]);
        check("\n\r\n\n", &[]);
        check("\n\na", &[(3, &["a"])]);
        check("a,\n,b", &[(1, &["a", ""]), (2, &["", "b"])]);
    }

    #[test]
    fn quotes_hold_commas_lines_and_quotes() {
        check("\"a,b\",\"c\"\"d\",\"\",x\"y\n", &[(1, &["a,b", "c\"d", "", "x\"y"])]);
        check("\"a\nb\r\nc\",d\ne", &[(1, &["a\nb\r\nc", "d"]), (4, &["e"])]);
        for capacity in [1, 100] {
            let found = records(b"a\n\"b,c\nd", capacity);
            assert_eq!(found.len(), 2);
            assert_eq!(found[1], (2, Err("the file ends within a quoted field".to_owned())));
        }
    }

    #[test]
    fn a_byte_order_mark_is_passed_over() {
        check("\u{feff}a,b", &[(1, &["a", "b"])]);
        check("\u{feff}", &[]);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        assert_eq!(
            records(b"a\n\"b\"c,d\ne", 4),
            [
                (1, Ok(vec!["a".to_owned()])),
                (2, Err("text behind the closing quote of field 1".to_owned())),
                (3, Ok(vec!["e".to_owned()])),
            ]
        );
        assert_eq!(records(b"\xffa,b", 4), [(1, Err("field 1 is not UTF-8".to_owned()))]);
        assert_eq!(records(b"\xef\xbba", 4), [(1, Err("field 1 is not UTF-8".to_owned()))]);
        let endless = [b"\"".as_slice(), &vec![b'a'; 200_000]].concat();
        let found = records(&endless, 8192);
        assert!(
            matches!(found.as_slice(), [(1, Err(text))] if text.contains("65536 octets")),
            "{found:?}"
        );
    }
}
