//! What is wrong with a zone, and where.

use std::fmt;

/// Says what is wrong with the text or the data of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneError {
    kind: ZoneErrorKind,
    /// Line and column, from 1; none for a record that was not read from text.
    position: Option<(usize, usize)>,
    /// The offending piece, shortened.
    found: String,
}

/// Sorts the mistakes in a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ZoneErrorKind {
    /// A name breaks the rules for names.
    #[error("not a domain name")]
    Name,
    /// A record starts with white space, and no name stands above it.
    #[error("no owner name above")]
    Owner,
    /// A type of record that is not served here.
    #[error("record type not supported")]
    Type,
    /// A class other than `IN`.
    #[error("class not supported")]
    Class,
    /// A directive other than `$ORIGIN`, `$TTL`, `$FAIL` and `$DNSSEC`.
    #[error("directive not supported")]
    Directive,
    /// A field does not hold what its type calls for.
    #[error("not a valid value")]
    Value,
    /// A field is missing.
    #[error("a field is missing")]
    Missing,
    /// There is more on the line than the record takes.
    #[error("more than the record takes")]
    Surplus,
    /// A quote is not closed on its line.
    #[error("quote not closed")]
    Quote,
    /// A parenthesis has no partner, or stands inside another one.
    #[error("parenthesis without its partner")]
    Parenthesis,
    /// A `\` is followed by nothing, or by a number over 255.
    #[error("not an escape")]
    Escape,
    /// A string in a TXT record is longer than 255 octets.
    #[error("string over 255 octets")]
    Length,
}

impl ZoneError {
    pub(super) fn at(kind: ZoneErrorKind, line: usize, column: usize, found: impl AsRef<[u8]>) -> Self {
        Self {
            kind,
            position: Some((line, column)),
            found: shorten(&String::from_utf8_lossy(found.as_ref())),
        }
    }

    pub(super) fn name(name: &str) -> Self {
        Self {
            kind: ZoneErrorKind::Name,
            position: None,
            found: shorten(name),
        }
    }

    /// Puts an error without a position where the text stands that caused it.
    pub(super) fn or_at(mut self, line: usize, column: usize) -> Self {
        self.position.get_or_insert((line, column));
        self
    }

    /// Tells what kind of mistake it is.
    pub fn kind(&self) -> ZoneErrorKind {
        self.kind
    }

    /// Tells the line in the text, from 1.
    pub fn line(&self) -> Option<usize> {
        self.position.map(|(line, _)| line)
    }

    /// Tells the column in the line, in characters from 1.
    pub fn column(&self) -> Option<usize> {
        self.position.map(|(_, column)| column)
    }
}

/// Keeps an error message to one line of bounded length.
fn shorten(found: &str) -> String {
    const MOST: usize = 40;
    let mut short: String = found.chars().take(MOST).flat_map(char::escape_debug).collect();
    if found.chars().nth(MOST).is_some() {
        short.push('…');
    }
    short
}

impl fmt::Display for ZoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((line, column)) = self.position {
            write!(f, "line {line}, column {column}: ")?;
        }
        write!(f, "{}", self.kind)?;
        if self.found.is_empty() {
            Ok(())
        } else {
            write!(f, ": `{}`", self.found)
        }
    }
}

impl std::error::Error for ZoneError {}
