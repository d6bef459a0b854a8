//! Why a header, an attachment or a whole message was refused.

use crate::{Charset, ContentId, HeaderName};

/// Says why a value cannot stand in a header.
///
/// Every variant names the field, so that a person can be told which input to correct.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// The value is empty where something must stand.
    #[error("{field} is empty")]
    Empty {
        /// What was being made.
        field: &'static str,
    },
    /// The value holds a control character or a Unicode line break.
    #[error("{field} holds the control character U+{:04X} at byte {offset}", u32::from(*character))]
    Control {
        /// What was being made.
        field: &'static str,
        /// The character that was found.
        character: char,
        /// Where it stands, in bytes.
        offset: usize,
    },
    /// The value holds a character that the field's grammar does not allow.
    #[error("{field} holds {character:?} at byte {offset}, which is not allowed there")]
    Character {
        /// What was being made.
        field: &'static str,
        /// The character that was found.
        character: char,
        /// Where it stands, in bytes.
        offset: usize,
    },
    /// The value, or a piece of it that cannot be folded, is too long.
    #[error("{field} has {length} octets in one piece, at most {limit} are allowed")]
    TooLong {
        /// What was being made.
        field: &'static str,
        /// How long it is, in octets.
        length: usize,
        /// How long it may be.
        limit: usize,
    },
    /// The value does not follow the field's grammar.
    #[error("{field} is not {expected}")]
    Syntax {
        /// What was being made.
        field: &'static str,
        /// What the grammar asks for.
        expected: &'static str,
    },
}

impl HeaderError {
    /// Returns the name of the field that was refused.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Empty { field }
            | Self::Control { field, .. }
            | Self::Character { field, .. }
            | Self::TooLong { field, .. }
            | Self::Syntax { field, .. } => field,
        }
    }
}

/// Lists everything that is wrong with a message.
///
/// [`MessageBuilder::build`](crate::MessageBuilder::build) looks at the whole message before it answers, so that one
/// call shows every problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildError {
    problems: Vec<BuildProblem>,
}

impl BuildError {
    pub(crate) fn new(problems: Vec<BuildProblem>) -> Self {
        Self { problems }
    }

    /// Returns the problems, in the order in which they were found; there is at least one.
    pub fn problems(&self) -> &[BuildProblem] {
        &self.problems
    }
}

impl std::fmt::Display for BuildError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the message cannot be built: ")?;
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for BuildError {}

/// One thing that is wrong with a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildProblem {
    /// A value cannot stand in its header.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// No author was given; RFC 5322 §3.6 asks for one.
    #[error("From is missing")]
    MissingFrom,
    /// Several authors were given and no sender; RFC 5322 §3.6.2 asks for one then.
    #[error("Sender is missing, and From names several mailboxes")]
    MissingSender,
    /// A free header has a name that belongs to the builder or to a later step.
    #[error("header {name} cannot be set freely: {instead}")]
    Reserved {
        /// The name that was used.
        name: HeaderName,
        /// What to do instead.
        instead: &'static str,
    },
    /// A header that may stand only once was given again.
    #[error("header {name} may stand only once")]
    Repeated {
        /// The name that was used.
        name: HeaderName,
    },
    /// The date cannot be written as RFC 5322 §3.3 asks: its year is below 1900 or above 9999.
    #[error("Date is outside the years 1900 to 9999")]
    DateOutOfRange,
    /// Inline parts were given without an HTML body that could show them.
    #[error("inline part without an html body to show it")]
    InlineWithoutHtml,
    /// An inline part has no Content-ID, so nothing can refer to it.
    #[error("inline part without a Content-ID")]
    InlineWithoutContentId,
    /// Two parts have the same Content-ID.
    #[error("Content-ID {id} is used twice")]
    RepeatedContentId {
        /// The id that is used twice.
        id: ContentId,
    },
    /// A text holds a character that the charset it shall be written in does not have.
    #[error("{field} holds {character:?} at byte {offset}, which {charset} does not have")]
    NotInCharset {
        /// Which text: `Subject`, `text` or `html`.
        field: &'static str,
        /// The character that was found.
        character: char,
        /// Where it stands, in bytes, with line breaks as they are written.
        offset: usize,
        /// The charset.
        charset: Charset,
    },
    /// An AMP body was given without a text or HTML body for programs that do not know AMP.
    #[error("amp body without a text or html body beside it")]
    AmpWithoutAlternative,
    /// Attachments were given with a report, which has a fixed form: RFC 6522 §3.
    #[error("attachment beside a report, which has no place for it")]
    ReportWithAttachments,
}

impl BuildProblem {
    /// Returns the name of the field that is wrong.
    pub fn field(&self) -> &str {
        match self {
            Self::Header(error) => error.field(),
            Self::MissingFrom => "From",
            Self::MissingSender => "Sender",
            Self::Reserved { name, .. } | Self::Repeated { name } => name.as_str(),
            Self::DateOutOfRange => "Date",
            Self::InlineWithoutHtml => "inline",
            Self::NotInCharset { field, .. } => field,
            Self::AmpWithoutAlternative => "amp",
            Self::ReportWithAttachments => "attachment",
            Self::InlineWithoutContentId | Self::RepeatedContentId { .. } => "Content-ID",
        }
    }
}
