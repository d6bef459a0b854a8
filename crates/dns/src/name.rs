//! Domain names as the resolvers of this crate compare them.

use crate::LookupError;

/// The longest name in text form, without the final dot: 255 octets on the wire (RFC 1035 §2.3.4).
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

/// The most aliases followed for one question; name servers use 8 to 16.
pub(crate) const MAX_ALIASES: usize = 12;

/// Brings `name` into the form in which names are compared: ASCII lower case, no final dot.
pub(crate) fn normalise(name: &str) -> Result<String, LookupError> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.len() > MAX_NAME || name.split('.').any(|label| label.is_empty() || label.len() > MAX_LABEL) {
        return Err(LookupError::InvalidName);
    }
    Ok(name.to_ascii_lowercase())
}

/// Gives the name one label up, `None` above a top-level name.
pub(crate) fn parent(name: &str) -> Option<&str> {
    name.split_once('.').map(|(_, parent)| parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, expected: Option<&str>) {
        assert_eq!(normalise(input).ok().as_deref(), expected, "{input}");
    }

    #[test]
    fn names_are_lower_case_without_a_final_dot() {
        check("Example.ORG.", Some("example.org"));
        check("_dmarc.example.org", Some("_dmarc.example.org"));
        check("*.Example.org", Some("*.example.org"));
    }

    #[test]
    fn limits_hold() {
        check("", None);
        check(".", None);
        check("a..b", None);
        check(".a", None);
        check(&"a".repeat(63), Some(&"a".repeat(63)));
        check(&"a".repeat(64), None);
        let long = ["a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(61)].join(".");
        check(&long, Some(&long));
        check(&format!("{long}d"), None);
    }
}
