//! Why a message was not read, and what is odd about one that was.

use posthaste_address::AddressError;

/// Says which limit of [`RawOptions`](crate::RawOptions) a message breaks, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RawError {
    /// A header section is too long, or never ends.
    #[error("header section of part {part} has more than {limit} octets")]
    HeaderTooLong {
        /// Which part, in the order of [`RawMessage::parts`](crate::RawMessage::parts); 0 is the message itself.
        part: usize,
        /// How many octets it may have.
        limit: usize,
    },
    /// A header section has too many fields.
    #[error("header section of part {part} has more than {limit} fields")]
    TooManyFields {
        /// Which part; 0 is the message itself.
        part: usize,
        /// How many fields it may have.
        limit: usize,
    },
    /// There are too many parts.
    #[error("more than {limit} parts")]
    TooManyParts {
        /// How many there may be.
        limit: usize,
    },
    /// Parts are nested too deep.
    #[error("parts are nested deeper than {limit} levels")]
    TooDeep {
        /// How deep they may be nested.
        limit: usize,
    },
}

/// Says why a field that names people cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RawFieldError {
    /// The field does not follow the grammar of addresses.
    #[error("{field} (number {index} of its name) is no list of addresses")]
    Address {
        /// The field's name, as it stands in the message.
        field: String,
        /// Which of the fields of that name, from 0.
        index: usize,
        /// What is wrong; the offset counts in the unfolded value.
        source: AddressError,
    },
    /// The field holds octets that are not UTF-8 in places where it matters: names alone may.
    #[error("{field} (number {index} of its name) is not UTF-8 and no list of addresses")]
    Encoding {
        /// The field's name, as it stands in the message.
        field: String,
        /// Which of the fields of that name, from 0.
        index: usize,
    },
    /// The field names another number of people than its grammar allows.
    #[error("{field} names {found} mailboxes, not one")]
    NotOne {
        /// The field's name, as it stands in the message.
        field: String,
        /// How many it names.
        found: usize,
    },
}

impl RawFieldError {
    /// Returns the name of the field, as it stands in the message.
    pub fn field(&self) -> &str {
        match self {
            Self::Address { field, .. } | Self::Encoding { field, .. } | Self::NotOne { field, .. } => field,
        }
    }
}

/// Names something about a message or a part that readers take in different ways, or that standards forbid.
///
/// Nothing of it keeps a message from being read. A relay that wants what it passes on to mean one thing to everybody
/// refuses messages that have any.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RawDefect {
    /// A line of the header section is no field (RFC 7103 §7.2).
    JunkLine {
        /// Where it begins, in octets from the start of the header section.
        offset: usize,
    },
    /// The header section begins with white space.
    LeadingSpace,
    /// No empty line ends the header section.
    NoEmptyLine,
    /// A line of a folded field is empty but for white space: some readers end the header section there.
    BlankFold {
        /// Where the field begins, in octets from the start of the header section.
        offset: usize,
    },
    /// A CR without LF, which some readers take for a line end.
    BareCr {
        /// Where it stands, in octets from the start of the header section.
        offset: usize,
    },
    /// An LF without CR ends a line.
    BareLf {
        /// Where it stands, in octets from the start of the header section.
        offset: usize,
    },
    /// A NUL.
    Nul {
        /// Where it stands, in octets from the start of the header section.
        offset: usize,
    },
    /// A line has more than 998 octets (RFC 5322 §2.1.1).
    LongLine {
        /// Where it begins, in octets from the start of the header section.
        offset: usize,
    },
    /// A field that may stand only once stands there again (RFC 5322 §3.6, RFC 2045); the first counts here.
    Repeated {
        /// The name of the field, in lower case.
        field: &'static str,
    },
    /// A parameter stands twice in `Content-Type` or `Content-Disposition`; the first counts here.
    RepeatedParameter {
        /// The name of the parameter, in lower case.
        parameter: String,
    },
    /// `Content-Type` is not of the form `type/subtype`; the part is taken for `text/plain` (RFC 2045 §5.2).
    InvalidContentType,
    /// A multipart has no boundary; it is taken as one piece.
    NoBoundary,
    /// A multipart holds no part, not even an empty one.
    NoParts,
    /// A multipart does not end with its closing delimiter.
    Unclosed,
    /// `Content-Transfer-Encoding` names no encoding that is known.
    UnknownEncoding,
    /// A multipart says that it is encoded, which RFC 2045 §6.4 forbids; it is read as it stands.
    EncodedMultipart,
}

impl std::fmt::Display for RawDefect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::JunkLine { offset } => write!(f, "line at octet {offset} of the header section is no field"),
            Self::LeadingSpace => f.write_str("header section begins with white space"),
            Self::NoEmptyLine => f.write_str("header section does not end with an empty line"),
            Self::BlankFold { offset } => write!(f, "field at octet {offset} holds a line of white space"),
            Self::BareCr { offset } => write!(f, "CR without LF at octet {offset} of the header section"),
            Self::BareLf { offset } => write!(f, "LF without CR at octet {offset} of the header section"),
            Self::Nul { offset } => write!(f, "NUL at octet {offset} of the header section"),
            Self::LongLine { offset } => write!(f, "line at octet {offset} has more than 998 octets"),
            Self::Repeated { field } => write!(f, "{field} stands more than once"),
            Self::RepeatedParameter { parameter } => write!(f, "parameter {} stands twice", parameter.escape_debug()),
            Self::InvalidContentType => f.write_str("content type is not of the form type/subtype"),
            Self::NoBoundary => f.write_str("multipart has no boundary"),
            Self::NoParts => f.write_str("multipart holds no part"),
            Self::Unclosed => f.write_str("multipart does not end with its closing delimiter"),
            Self::UnknownEncoding => f.write_str("transfer encoding is not known"),
            Self::EncodedMultipart => f.write_str("multipart says that it is encoded"),
        }
    }
}
