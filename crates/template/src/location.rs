//! Where in a template something is.

use std::fmt;

use crate::error::Shown;

/// Names the part of a message that a template makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Part {
    /// The subject line: one line of plain text, never HTML.
    Subject,
    /// The value of a header field: one line of plain text too.
    Header,
    /// The plain text body.
    Text,
    /// The HTML body, where values are escaped unless [`Escape::Never`](crate::Escape::Never) is set.
    Html,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Subject => "subject",
            Self::Header => "header",
            Self::Text => "text",
            Self::Html => "html",
        })
    }
}

/// Points at a place in the source of a template.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Location {
    /// The part that was compiled or rendered.
    pub part: Part,
    /// The registered partial that holds the place, when it is not in the part's own source.
    pub partial: Option<String>,
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
}

impl Location {
    /// Finds byte `offset` of `source`.
    pub(crate) fn new(part: Part, partial: Option<&str>, source: &str, offset: usize) -> Self {
        let before = source.get(..offset).unwrap_or(source);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            part,
            partial: partial.map(str::to_owned),
            line: before.bytes().filter(|&byte| byte == b'\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.part)?;
        if let Some(partial) = &self.partial {
            write!(f, ", partial `{}`", Shown(partial))?;
        }
        write!(f, ", line {}, column {}", self.line, self.column)
    }
}
