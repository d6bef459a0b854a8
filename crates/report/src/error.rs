//! Why a report was not read, and why one cannot be written.

use posthaste_mime::{HeaderError, RawError};

use crate::word::Word;

/// Says why a report was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The mail, or its structure, breaks a limit.
    #[error("the mail cannot be read")]
    Mail(#[from] RawError),
    /// No part of the mail is such a report.
    #[error("the mail holds no such report")]
    NoReport,
    /// It is none of the formats that a report has.
    #[error("neither {expected}")]
    Unrecognised {
        /// What it could have been.
        expected: &'static str,
    },
    /// The file, or the part of the mail, is too large as it came.
    #[error("more than {limit} octets came")]
    InputTooLarge {
        /// How many it may have.
        limit: usize,
    },
    /// The report is too large once it is decompressed, or in UTF-8.
    #[error("the report has more than {limit} octets")]
    TooLarge {
        /// How many it may have.
        limit: usize,
    },
    /// A compressed octet stands for too many others: nothing but a bomb does that.
    #[error("the report is more than {limit} times as long as what was compressed")]
    Ratio {
        /// How many times as long it may be.
        limit: usize,
    },
    /// What was compressed is compressed itself.
    #[error("compressed more than once")]
    Nested,
    /// Behind the gzip member stands another.
    #[error("more than one gzip member")]
    GzipMembers,
    /// The zip archive holds another number of members than one.
    #[error("the zip archive holds {found} members, not one")]
    ZipMembers {
        /// How many it says it holds.
        found: u16,
    },
    /// The zip archive uses something that no report needs.
    #[error("the zip archive uses {what}")]
    ZipFeature {
        /// What it uses.
        what: &'static str,
    },
    /// The compressed data contradicts itself, or ends too early.
    #[error("compressed data is broken: {what}")]
    Corrupt {
        /// What is wrong.
        what: &'static str,
    },
    /// The charset is not known.
    #[error("charset {} is not known", .name.escape_debug())]
    Charset {
        /// Its name, as the report has it.
        name: String,
    },
    /// The XML has a document type, which may hold entities and lead to files.
    #[error("the XML has a document type at octet {offset}")]
    DocumentType {
        /// Where it ends, in octets of the report in UTF-8.
        offset: u64,
    },
    /// The XML is not well-formed.
    #[error("the XML is not well-formed at octet {offset}: {}", .reason.escape_debug())]
    Xml {
        /// Where, in octets of the report in UTF-8.
        offset: u64,
        /// What is wrong, for a person.
        reason: String,
    },
    /// Elements of the XML are nested too deep.
    #[error("elements are nested deeper than {limit} levels")]
    TooDeep {
        /// How deep they may be nested.
        limit: usize,
    },
    /// The XML is something else.
    #[error("the XML is `{}`, not `feedback`", .found.escape_debug())]
    Root {
        /// The name of its root, cut to 64 octets.
        found: String,
    },
    /// The JSON is not well-formed.
    #[error("the JSON is not well-formed at line {line}, column {column}")]
    Json {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// The JSON is well-formed, and no object.
    #[error("the JSON is no object")]
    NotAnObject,
    /// There are too many of something.
    #[error("more than {limit} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        limit: usize,
    },
}

/// Says why a report cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// Something that the standard asks for is not there.
    #[error("{} is missing", at(.place, *.record))]
    Missing {
        /// What is missing, such as `row/source_ip`.
        place: &'static str,
        /// In which record, from 0; `None` outside of them.
        record: Option<usize>,
    },
    /// A value is one that the standard does not have there.
    #[error("{}: `{}` is not allowed there", at(.place, *.record), .value.escape_debug())]
    Value {
        /// Where it stands.
        place: &'static str,
        /// In which record, from 0; `None` outside of them.
        record: Option<usize>,
        /// The value, cut to 64 octets.
        value: String,
    },
    /// The report says something more often than the standard allows.
    #[error("{} stands there more than once", at(.place, *.record))]
    Repeated {
        /// What it is.
        place: &'static str,
        /// In which record, from 0; `None` outside of them.
        record: Option<usize>,
    },
    /// A header field of the mail cannot hold what it would have to.
    #[error("the mail cannot be made")]
    Header(#[from] HeaderError),
}

fn at(place: &str, record: Option<usize>) -> String {
    match record {
        Some(record) => format!("{place} of record {record}"),
        None => place.to_owned(),
    }
}

impl WriteError {
    pub(crate) fn value(place: &'static str, record: Option<usize>, value: &str) -> Self {
        Self::Value {
            place,
            record,
            value: cut(value),
        }
    }
}

/// Returns what must be there.
pub(crate) fn required<'a, T>(
    value: &'a Option<T>,
    place: &'static str,
    record: Option<usize>,
) -> Result<&'a T, WriteError> {
    value.as_ref().ok_or(WriteError::Missing { place, record })
}

/// Returns the word that must be one of the standard.
pub(crate) fn word<'a>(
    value: &'a impl Word,
    place: &'static str,
    record: Option<usize>,
) -> Result<&'a str, WriteError> {
    if value.is_known() {
        Ok(value.word())
    } else {
        Err(WriteError::value(place, record, value.word()))
    }
}

/// Cuts text that is quoted to 64 octets.
pub(crate) fn cut(text: &str) -> String {
    let end = (0..=64).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or(text).to_owned()
}
