//! What a template reads.

use std::fmt;

use crate::location::Location;

/// Names one path that a template reads from the data, and one way in which it does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Variable {
    /// The path from the top of the data on, wherever the template stands: `order.items[].title`, where `[]` is any item of
    /// a list or object that is looped over. A name of other characters than letters, digits, `_` and `-` stands in
    /// brackets, and a very long one is cut short.
    pub path: String,
    /// The path as written where it is used so first: `../title`.
    pub name: String,
    /// How it is used.
    pub usage: Usage,
    /// Whether whatever holds it must have it, or else [`Mode::Strict`](crate::Mode::Strict) would miss it. What is printed
    /// only behind a question that a missing value answers with no, is not required.
    pub required: bool,
    /// Where it is used so first.
    pub location: Location,
}

/// Names the ways in which a template uses a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Usage {
    /// Written into the output.
    Printed,
    /// Asked whether it is true, by `if` or `unless`.
    Tested,
    /// Looped over, by `each`.
    Looped,
    /// Made the context, by `with` or by the call of a partial.
    Entered,
    /// Opened by `{{#name}}` or `{{^name}}`: a list, a context or a question.
    Section,
    /// Given to `lookup`, whole or as a name.
    LookedUp,
    /// Given to a helper or, by name, to a partial.
    Passed,
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Printed => "printed",
            Self::Tested => "tested",
            Self::Looped => "looped",
            Self::Entered => "entered",
            Self::Section => "section",
            Self::LookedUp => "looked up",
            Self::Passed => "passed",
        })
    }
}
