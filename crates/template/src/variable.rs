//! What a template reads.

use crate::location::Location;

/// Names one path that a template reads from the data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Variable {
    /// The path as written.
    pub name: String,
    /// Where it is used first.
    pub location: Location,
}
