//! Ids of reports, as they stand in subjects.

use crate::WriteError;

/// Longest id: it stands on a line of a header.
const LONGEST: usize = 250;

/// Returns a report id, if it is of the form `dot-atom` or `dot-atom@dot-atom`, in angle brackets or not (RFC 9990 §3.5.1).
pub(crate) fn checked<'a>(place: &'static str, id: &'a str) -> Result<&'a str, WriteError> {
    let bare = id.strip_prefix('<').and_then(|id| id.strip_suffix('>')).unwrap_or(id);
    let is_atom = |atom: &str| !atom.is_empty() && atom.bytes().all(is_atext);
    let is_dot_atom = |text: &str| text.split('.').all(is_atom);
    let is_id = match bare.split_once('@') {
        Some((left, right)) => is_dot_atom(left) && is_dot_atom(right),
        None => is_dot_atom(bare),
    };
    if is_id && id.len() <= LONGEST {
        Ok(id)
    } else {
        Err(WriteError::value(place, None, id))
    }
}

/// Characters of atoms (RFC 5322 §3.2.3).
fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_dot_atoms() {
        for id in ["1", "a.b", "<a.b@c.d>", "1721054318-example.com@example.org", "<x>"] {
            assert_eq!(checked("id", id), Ok(id));
        }
        let long = "a".repeat(251);
        for id in [
            "",
            "<>",
            "a b",
            "a..b",
            ".a",
            "a@",
            "@a",
            "a@b@c",
            "<a",
            "a>",
            "a\r\nBcc: b",
            "é",
            &long,
        ] {
            assert!(checked("id", id).is_err(), "{id}");
        }
    }
}
