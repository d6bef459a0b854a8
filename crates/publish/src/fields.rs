//! The `name=value; name=value` texts of MTA-STS and TLS-RPT records.

/// The longest text that is looked at, in octets: no DNS answer over UDP or one TCP message carries a longer one.
pub(crate) const MAX_TEXT: usize = 65_535;

/// Why a text is no record of the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldError {
    /// It does not start with the version.
    Version,
    /// The field at this octet is not `name=value`.
    Syntax(usize),
}

/// A field, and the octet where it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    pub(crate) name: &'a str,
    pub(crate) value: &'a str,
    pub(crate) offset: usize,
}

/// Takes a text apart: the version, then fields behind semicolons with white space around them (RFC 8461 §3.1, RFC 8460
/// §3). What a field's value may hold is for the caller to say, all but `;` and controls.
pub(crate) fn fields<'a>(text: &'a str, version: &str) -> Result<Vec<Field<'a>>, FieldError> {
    if text.len() > MAX_TEXT {
        return Err(FieldError::Syntax(MAX_TEXT));
    }
    let rest = text.strip_prefix(version).ok_or(FieldError::Version)?;
    if !rest.trim_start_matches(is_wsp).starts_with(';') {
        // Without a field behind it, or with a longer word, it is not this version's.
        return Err(if rest.is_empty() {
            FieldError::Syntax(text.len())
        } else {
            FieldError::Version
        });
    }
    let mut found = Vec::new();
    let mut offset = version.len();
    let mut pieces = rest.split(';').peekable();
    while let Some(piece) = pieces.next() {
        let start = offset + (piece.len() - piece.trim_start_matches(is_wsp).len());
        let is_first = offset == version.len();
        let is_last = pieces.peek().is_none();
        offset += piece.len() + 1;
        let field = piece.trim_start_matches(is_wsp);
        // White space may stand before a `;`, and behind the last one, but not behind the last field.
        let field = if is_last { field } else { field.trim_end_matches(is_wsp) };
        if field.is_empty() && (is_first || is_last) {
            continue;
        }
        let (name, value) = field.split_once('=').ok_or(FieldError::Syntax(start))?;
        if !is_name(name) || value.is_empty() || value.ends_with(is_wsp) || value.chars().any(char::is_control) {
            return Err(FieldError::Syntax(start));
        }
        found.push(Field {
            name,
            value,
            offset: start,
        });
    }
    Ok(found)
}

/// Says whether the value of a field that nobody knows may stand: visible ASCII without `=` and `;`.
pub(crate) fn is_extension_value(value: &str) -> bool {
    value
        .bytes()
        .all(|octet| matches!(octet, b'!'..=b'~') && !matches!(octet, b'=' | b';'))
}

/// A name: a letter or digit, then up to 31 of letters, digits, `_`, `-` and `.`.
pub(crate) fn is_name(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b'-' | b'.'))
}

pub(crate) fn is_wsp(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&[(&str, &str, usize)], FieldError>) {
        let found = fields(text, "v=X1");
        let found = found.as_deref().map(|fields| {
            fields
                .iter()
                .map(|field| (field.name, field.value, field.offset))
                .collect::<Vec<_>>()
        });
        assert_eq!(
            found.as_deref().map_err(|error| **error),
            expected.as_ref().map(|fields| *fields).map_err(|error| *error),
            "{text}"
        );
    }

    #[test]
    fn fields_stand_behind_semicolons() {
        check("v=X1; a=1", Ok(&[("a", "1", 6)]));
        check("v=X1;a=1;b=2;", Ok(&[("a", "1", 5), ("b", "2", 9)]));
        check("v=X1\t;\ta=1 ; b=2 ; ", Ok(&[("a", "1", 7), ("b", "2", 13)]));
    }

    #[test]
    fn the_version_comes_first_and_whole() {
        for text in ["v=x1; a=1", "v=X12; a=1", " v=X1; a=1", "a=1; v=X1", "", "v=X1 a=1"] {
            check(text, Err(FieldError::Version));
        }
        check("v=X1", Err(FieldError::Syntax(4)));
    }

    #[test]
    fn mistakes_are_found_where_they_are() {
        check("v=X1; a", Err(FieldError::Syntax(6)));
        check("v=X1; a=1; =2", Err(FieldError::Syntax(11)));
        check("v=X1; a=1;; b=2", Err(FieldError::Syntax(10)));
        check("v=X1; a=1 ", Err(FieldError::Syntax(6)));
        check("v=X1; a=", Err(FieldError::Syntax(6)));
        check("v=X1; a=1\u{7}", Err(FieldError::Syntax(6)));
    }
}
