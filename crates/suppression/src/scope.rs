//! For which mail an address is on the list.

use std::fmt;

/// The mail that an entry is about: all of it, or that of one stream, mailing list, tenant or customer.
///
/// A scope is a name and nothing more, compared octet by octet. Which scopes count for a message is said at the look-up:
/// none implies another, [global](Self::global) included.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(Box<str>);

impl Scope {
    /// The longest name, in octets.
    pub const MAX_LENGTH: usize = 255;

    /// Makes the scope of all mail.
    #[must_use]
    pub fn global() -> Self {
        Self(Box::from(""))
    }

    /// Makes the scope of a name.
    ///
    /// # Errors
    ///
    /// An empty name, one longer than [`Self::MAX_LENGTH`], one with a blank at either end and one with a control character are
    /// refused.
    pub fn named(name: impl Into<Box<str>>) -> Result<Self, ScopeError> {
        let name = name.into();
        if name.is_empty() {
            return Err(ScopeError::Empty);
        }
        if name.len() > Self::MAX_LENGTH {
            return Err(ScopeError::TooLong { length: name.len() });
        }
        if name.trim() != &*name {
            return Err(ScopeError::Blank);
        }
        match name.char_indices().find(|(_, c)| c.is_control()) {
            Some((offset, _)) => Err(ScopeError::Control { offset }),
            None => Ok(Self(name)),
        }
    }

    /// Returns whether this is the scope of all mail.
    #[must_use]
    pub fn is_global(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the name: empty for the scope of all mail.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads what [`Self::as_str`] gave.
    pub(crate) fn read(text: &str) -> Result<Self, ScopeError> {
        match text {
            "" => Ok(Self::global()),
            name => Self::named(name),
        }
    }
}

impl Default for Scope {
    /// All mail.
    fn default() -> Self {
        Self::global()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.is_global() {
            true => "(all mail)",
            false => &self.0,
        })
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({self})")
    }
}

/// Why a name is no name of a [`Scope`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScopeError {
    /// It is empty.
    #[error("the name of a scope must not be empty")]
    Empty,
    /// It is too long.
    #[error("the name of a scope has at most {} octets, not {length}", Scope::MAX_LENGTH)]
    TooLong {
        /// Its octets.
        length: usize,
    },
    /// It begins or ends with a blank.
    #[error("the name of a scope must not begin or end with a blank")]
    Blank,
    /// It has a control character.
    #[error("control character in the name of a scope at byte {offset}")]
    Control {
        /// Where it stands.
        offset: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bounded_and_plain() {
        assert_eq!(Scope::named(""), Err(ScopeError::Empty));
        assert_eq!(Scope::named(" a"), Err(ScopeError::Blank));
        assert_eq!(Scope::named("a\0b"), Err(ScopeError::Control { offset: 1 }));
        assert_eq!(Scope::named("a".repeat(256)), Err(ScopeError::TooLong { length: 256 }));
        assert_eq!(Scope::named("a".repeat(255)).unwrap().as_str().len(), 255);
        assert!(Scope::default().is_global());
        assert_eq!(Scope::read("").unwrap(), Scope::global());
        assert_eq!(format!("{:?}", Scope::global()), "Scope((all mail))");
    }
}
