//! From entries to a file.

use std::borrow::Cow;
use std::io::{self, Write};

use super::{FORMULA, GUARD, instant};
use crate::Entry;

/// Writes entries to a file, one at a time (RFC 4180, with a header).
///
/// Whoever fills in a form chooses an address, and a spreadsheet runs what begins with `=`, `+`, `-` or `@`. So such fields get a
/// `'` in front, which spreadsheets take for "this is text", and so do those that begin with `'`;
/// [`CsvReader`](super::CsvReader) takes it off again. Each entry is written as it comes; put a [`BufWriter`](std::io::BufWriter)
/// in between.
///
/// # Examples
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use posthaste_suppression::{CsvWriter, Entry, Reason};
///
/// let created = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
/// let mut writer = CsvWriter::new(Vec::new());
/// writer.write(&Entry::new("=cmd@example.net".parse()?, Reason::Bounce, created).with_detail("550 no, never"))?;
/// assert_eq!(
///     writer.finish()?,
///     b"address,scope,reason,created,expiry,source,detail\r\n\
///       '=cmd@example.net,,bounce,2027-01-15T08:00:00Z,,,\"550 no, never\"\r\n"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct CsvWriter<W> {
    output: W,
    is_started: bool,
    is_guarded: bool,
}

impl<W: Write> CsvWriter<W> {
    /// Writes to `output`.
    pub const fn new(output: W) -> Self {
        Self {
            output,
            is_started: false,
            is_guarded: true,
        }
    }

    /// Writes fields as they are, for programs only: a spreadsheet may run them.
    #[must_use]
    pub const fn unguarded(mut self) -> Self {
        self.is_guarded = false;
        self
    }

    /// Writes one entry.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn write(&mut self, entry: &Entry) -> io::Result<()> {
        self.start()?;
        let address = entry.address().to_string();
        let (created, expiry) = (instant::format(entry.created()), entry.expiry().map(instant::format));
        let mut line = self.field(&address).into_owned();
        let others = [
            entry.scope().as_str(),
            entry.reason().as_str(),
            &created,
            expiry.as_deref().unwrap_or_default(),
            entry.source(),
            entry.detail(),
        ];
        for field in others {
            line.push(',');
            line.push_str(&self.field(field));
        }
        line.push_str("\r\n");
        self.output.write_all(line.as_bytes())
    }

    /// Flushes the output and gives it back, with a header alone if there was no entry.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn finish(mut self) -> io::Result<W> {
        self.start()?;
        self.output.flush()?;
        Ok(self.output)
    }

    fn start(&mut self) -> io::Result<()> {
        if !std::mem::replace(&mut self.is_started, true) {
            self.output
                .write_all(b"address,scope,reason,created,expiry,source,detail\r\n")?;
        }
        Ok(())
    }

    fn field<'a>(&self, text: &'a str) -> Cow<'a, str> {
        // A spreadsheet passes over blanks in front.
        let first = text.trim_start().chars().next().or(text.chars().next());
        let needs_guard = self.is_guarded && first.is_some_and(|c| c == GUARD || FORMULA.contains(&c));
        let is_odd = |c: char| matches!(c, ',' | '"' | ';') || c.is_control() || c.is_whitespace();
        let needs_quotes = text.contains(is_odd);
        if !needs_guard && !needs_quotes {
            return Cow::Borrowed(text);
        }
        let mut field = String::with_capacity(text.len() + 4);
        if needs_quotes {
            field.push('"');
        }
        if needs_guard {
            field.push(GUARD);
        }
        for c in text.chars() {
            if c == '"' {
                field.push('"');
            }
            field.push(c);
        }
        if needs_quotes {
            field.push('"');
        }
        Cow::Owned(field)
    }
}
