//! What is wrong in a file, and in which line.

use std::fmt;
use std::io;

use posthaste_address::AddressError;

use crate::ScopeError;

/// Says what is wrong in a file, and in which line. It shows no field but the names of columns.
#[derive(Debug)]
pub struct CsvError {
    line: u64,
    kind: CsvErrorKind,
}

/// The ways in which a file can be wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CsvErrorKind {
    /// The file cannot be read further.
    #[error("the file cannot be read")]
    Io(#[source] io::Error),
    /// A record is longer than a record of a list can be, or a quoted field is never closed.
    #[error("a record has more than {most} octets: a quote may be missing")]
    TooLong {
        /// The most octets of a record.
        most: usize,
    },
    /// The file ends within quotes.
    #[error("the file ends within a quoted field")]
    OpenQuote,
    /// Something stands behind a closing quote that is no comma.
    #[error("text behind the closing quote of field {field}")]
    TextBehindQuote {
        /// Which field, from 1.
        field: usize,
    },
    /// A record has more fields than the file has columns.
    #[error("{fields} fields, but {columns} columns")]
    TooManyFields {
        /// The fields of this record.
        fields: usize,
        /// The columns of the file.
        columns: usize,
    },
    /// A field is not UTF-8.
    #[error("field {field} is not UTF-8")]
    Utf8 {
        /// Which field, from 1.
        field: usize,
    },
    /// No column has the addresses.
    #[error("no column `address`")]
    NoAddressColumn,
    /// A column means nothing here.
    #[error("unknown column `{name}`")]
    UnknownColumn {
        /// Its name, escaped and cut.
        name: String,
    },
    /// Two columns mean the same.
    #[error("a second column for `{name}`")]
    SameColumn {
        /// What both mean.
        name: &'static str,
    },
    /// An address is none.
    #[error("address")]
    Address(#[source] AddressError),
    /// A reason is missing, and none was given for such records.
    #[error("no reason, and none was given for records without one")]
    NoReason,
    /// A reason is none that is known.
    #[error("not a reason: bounce, complaint, invalid, manual or unsubscribe")]
    Reason,
    /// The name of a scope cannot be one.
    #[error("scope")]
    Scope(#[source] ScopeError),
    /// A time is none.
    #[error("column `{column}` is not a time such as 2026-01-31T12:00:00Z, of the years 1970 to 9999")]
    Time {
        /// Which column.
        column: &'static str,
    },
}

impl CsvError {
    pub(super) const fn new(line: u64, kind: CsvErrorKind) -> Self {
        Self { line, kind }
    }

    /// Returns the line in which the record begins, from 1.
    #[must_use]
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// Returns what is wrong.
    #[must_use]
    pub const fn kind(&self) -> &CsvErrorKind {
        &self.kind
    }

    /// Returns whether nothing behind this can be read.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(
            self.kind,
            CsvErrorKind::Io(_)
                | CsvErrorKind::TooLong { .. }
                | CsvErrorKind::OpenQuote
                | CsvErrorKind::NoAddressColumn
                | CsvErrorKind::UnknownColumn { .. }
                | CsvErrorKind::SameColumn { .. }
        )
    }
}

impl fmt::Display for CsvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.kind)
    }
}

impl std::error::Error for CsvError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.kind)
    }
}
