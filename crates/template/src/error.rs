//! What can go wrong with a template, and where.

use std::fmt::{self, Write as _};

use crate::location::{Location, Part};

/// Says why a template cannot be compiled, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompileError {
    location: Location,
    kind: CompileErrorKind,
}

impl CompileError {
    pub(crate) fn new(location: Location, kind: CompileErrorKind) -> Self {
        Self { location, kind }
    }

    /// Returns what is wrong.
    pub fn kind(&self) -> &CompileErrorKind {
        &self.kind
    }

    /// Returns where it is wrong.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// Returns the part that it is in.
    pub fn part(&self) -> Part {
        self.location.part
    }

    /// Returns the line, counted from 1.
    pub fn line(&self) -> usize {
        self.location.line
    }

    /// Returns the column in characters, counted from 1.
    pub fn column(&self) -> usize {
        self.location.column
    }
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location, self.kind)
    }
}

impl std::error::Error for CompileError {}

/// Lists what can be wrong with the source of a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompileErrorKind {
    /// A tag that never ends.
    #[error("this tag is never closed")]
    UnclosedTag,
    /// A comment that never ends.
    #[error("this comment is never closed")]
    UnclosedComment,
    /// A string literal that never ends.
    #[error("this string is never closed")]
    UnclosedString,
    /// A block whose closing tag is missing.
    #[error("block `{name}` is never closed", name = Shown(name))]
    UnclosedBlock {
        /// The block's name.
        name: String,
    },
    /// A closing tag of another block than the innermost open one.
    #[error("`{{{{/{close}}}}}` does not close `{open}`", close = Shown(close), open = Shown(open))]
    MismatchedClose {
        /// Name of the innermost open block.
        open: String,
        /// Name in the closing tag.
        close: String,
    },
    /// A closing tag with no block open.
    #[error("`{{{{/{name}}}}}` closes nothing", name = Shown(name))]
    UnexpectedClose {
        /// Name in the closing tag.
        name: String,
    },
    /// An `else` where no block can take one.
    #[error("`else` belongs to no block here")]
    UnexpectedElse,
    /// Something in a tag that cannot stand there.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// What could stand there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// `this`, `.` or `..` behind the start of a path.
    #[error("invalid path: `{path}`", path = Shown(path))]
    InvalidPath {
        /// The path up to the offending segment.
        path: String,
    },
    /// A call of a helper that does not exist.
    #[error("there is no helper `{name}`", name = Shown(name))]
    UnknownHelper {
        /// The helper's name.
        name: String,
    },
    /// A decorator other than `inline`.
    #[error("there is no decorator `{name}`", name = Shown(name))]
    UnknownDecorator {
        /// The decorator's name.
        name: String,
    },
    /// A helper used in a place for another kind of helper.
    #[error("`{name}` is {kind}", name = Shown(name))]
    HelperUse {
        /// The helper's name.
        name: String,
        /// What it is, and how it is written.
        kind: &'static str,
    },
    /// A helper registered under a name that the language has taken.
    #[error("`{name}` is built in: no helper can take its name", name = Shown(name))]
    BuiltIn {
        /// The name.
        name: String,
    },
    /// A built-in helper with too few or too many arguments.
    #[error("`{helper}` takes {expected}")]
    Arguments {
        /// The helper's name.
        helper: &'static str,
        /// What it takes.
        expected: &'static str,
    },
    /// Blocks or subexpressions nested deeper than [`Limits`](crate::Limits) allow.
    #[error("nested deeper than {limit} levels")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// Source longer than [`Limits`](crate::Limits) allow.
    #[error("longer than {limit} bytes")]
    TooLong {
        /// The limit.
        limit: usize,
    },
}

/// Names one variable that the data does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MissingVariable {
    /// The path as the template writes it.
    pub name: String,
    /// Where the template uses it.
    pub location: Location,
    /// The name in the data that looks most like it, if one does.
    pub nearest: Option<String>,
}

impl fmt::Display for MissingVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ({}", Shown(&self.name), self.location)?;
        if let Some(nearest) = &self.nearest {
            write!(f, "; did you mean `{}`?", Shown(nearest))?;
        }
        f.write_str(")")
    }
}

/// Says why a template cannot be rendered with the given data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RenderError {
    /// Variables that the data does not have: all of the set at once ([`Mode::Strict`](crate::Mode::Strict)).
    Missing(Vec<MissingVariable>),
    /// The first variable that the data does not have, in SES's own words ([`Mode::Ses`](crate::Mode::Ses)).
    MissingAttribute(MissingVariable),
    /// A partial that is neither registered nor defined inline.
    PartialNotFound {
        /// The partial's name.
        name: String,
        /// Where it is called.
        location: Location,
    },
    /// A [helper](crate::Helpers) that could not do its work.
    Helper {
        /// The helper's name.
        name: String,
        /// What it says.
        message: String,
        /// Where it is called.
        location: Location,
    },
    /// The work or the output would exceed one of the [`Limits`](crate::Limits).
    LimitExceeded {
        /// Which limit.
        limit: Limit,
        /// Its value.
        max: usize,
        /// The part being rendered.
        part: Part,
    },
}

impl RenderError {
    /// Returns the variables that are missing; empty when the error is another one.
    pub fn missing(&self) -> &[MissingVariable] {
        match self {
            Self::Missing(missing) => missing,
            Self::MissingAttribute(variable) => std::slice::from_ref(variable),
            Self::PartialNotFound { .. } | Self::Helper { .. } | Self::LimitExceeded { .. } => &[],
        }
    }

    /// Returns the name of the first missing variable, as Amazon SES calls it: the attribute.
    pub fn missing_attribute(&self) -> Option<&str> {
        self.missing().first().map(|variable| variable.name.as_str())
    }

    /// Returns what SES's event of type *Rendering Failure* says in `errorMessage`.
    ///
    /// For a missing variable that is SES's own sentence, whatever the [`Mode`](crate::Mode): `Attribute 'name' is not
    /// present in the rendering data.`, with the first of them. Any other error has no text of SES's that is known, and
    /// says what [`Display`](fmt::Display) says. It is one line, and short.
    pub fn ses_message(&self) -> String {
        match self.missing_attribute() {
            Some(name) => attribute_text(name),
            None => self.to_string(),
        }
    }

    /// Returns where the first problem is, when it has a place.
    pub fn location(&self) -> Option<&Location> {
        match self {
            Self::PartialNotFound { location, .. } | Self::Helper { location, .. } => Some(location),
            other => other.missing().first().map(|variable| &variable.location),
        }
    }

    /// Returns the part that the first problem is in.
    pub fn part(&self) -> Option<Part> {
        match self {
            Self::LimitExceeded { part, .. } => Some(*part),
            other => other.location().map(|location| location.part),
        }
    }
}

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(missing) => {
                f.write_str("not in the data: ")?;
                for (index, variable) in missing.iter().enumerate() {
                    if index > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{variable}")?;
                }
                Ok(())
            }
            Self::MissingAttribute(variable) => f.write_str(&attribute_text(&variable.name)),
            Self::PartialNotFound { name, location } => {
                write!(f, "{location}: there is no partial `{}`", Shown(name))
            }
            Self::Helper {
                name,
                message,
                location,
            } => write!(f, "{location}: `{}`: {}", Shown(name), Shown(message)),
            Self::LimitExceeded { limit, max, part } => write!(f, "{part}: more than {max} {limit}"),
        }
    }
}

impl std::error::Error for RenderError {}

fn attribute_text(name: &str) -> String {
    format!("Attribute '{}' is not present in the rendering data.", Shown(name))
}

/// How many characters of a name an error repeats.
const LONGEST_NAME: usize = 200;

/// Copies a name, or its beginning and `…`.
pub(crate) fn shortened(name: &str) -> String {
    match name.char_indices().nth(LONGEST_NAME) {
        None => name.to_owned(),
        Some((end, _)) => name.get(..end).unwrap_or_default().to_owned() + "…",
    }
}

/// Shows text from a template or from data on one line: what could control a terminal or break a log is escaped, and
/// the end of what is very long is left out.
pub(crate) struct Shown<'t>(pub(crate) &'t str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 500;
        for (index, c) in self.0.chars().enumerate() {
            if index == LONGEST {
                return f.write_str("…");
            }
            // Controls, line ends of Unicode, and what turns the direction of text around.
            let hidden = c.is_control()
                || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
            if hidden {
                write!(f, "{}", c.escape_default())?;
            } else {
                f.write_char(c)?;
            }
        }
        Ok(())
    }
}

/// Names the limits that hold while rendering.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// [`Limits::steps`](crate::Limits::steps).
    Steps,
    /// [`Limits::output`](crate::Limits::output).
    Output,
    /// [`Limits::partial_depth`](crate::Limits::partial_depth).
    PartialDepth,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Steps => "steps",
            Self::Output => "bytes of output",
            Self::PartialDepth => "partials within partials",
        })
    }
}
