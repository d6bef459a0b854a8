//! Where a page ended.

use std::fmt;
use std::str::FromStr;

use posthaste_address::AddressKey;

use crate::{ListError, ListErrorKind, Reason, Scope};

/// The most octets of a cursor as text.
const LONGEST: usize = 4096;

/// A place in a list, behind an entry. As text it may go out to a caller and come back; it stands in URLs as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    key: AddressKey,
    scope: Scope,
    reason: Reason,
}

impl Cursor {
    /// Makes the place behind an entry; for those who write a list of their own.
    #[must_use]
    pub const fn new(key: AddressKey, scope: Scope, reason: Reason) -> Self {
        Self { key, scope, reason }
    }

    /// Returns the key of the entry's address.
    #[must_use]
    pub const fn key(&self) -> &AddressKey {
        &self.key
    }

    /// Returns the entry's scope.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Returns the entry's reason.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut hex = |text: &str| text.bytes().try_for_each(|byte| write!(f, "{byte:02x}"));
        hex(self.key.as_str())?;
        hex("\0")?;
        hex(self.scope.as_str())?;
        hex("\0")?;
        hex(self.reason.as_str())
    }
}

impl FromStr for Cursor {
    type Err = ListError;

    fn from_str(text: &str) -> Result<Self, ListError> {
        read(text).ok_or_else(|| ListError::new(ListErrorKind::Cursor, ""))
    }
}

fn read(text: &str) -> Option<Cursor> {
    if text.len() > LONGEST || !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let bytes = (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect::<Option<Vec<u8>>>()?;
    let text = String::from_utf8(bytes).ok()?;
    let mut parts = text.split('\0');
    let (key, scope, reason) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    Some(Cursor {
        key: key.parse().ok()?,
        scope: Scope::read(scope).ok()?,
        reason: reason.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back() {
        for scope in [Scope::global(), Scope::named("list: news, ü").unwrap()] {
            let cursor = Cursor::new("ada@example.org".parse().unwrap(), scope, Reason::Manual);
            assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
            assert!(cursor.to_string().bytes().all(|byte| byte.is_ascii_alphanumeric()));
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for text in [
            "",
            "00",
            "zz",
            "6",
            "6100",
            "é",
            "0000",
            "6164614078000000",
            &"61".repeat(3000),
        ] {
            let error = text.parse::<Cursor>().unwrap_err();
            assert_eq!(error.kind(), ListErrorKind::Cursor, "{text}");
        }
    }
}
