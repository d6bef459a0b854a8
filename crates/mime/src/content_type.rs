//! Media types.

use std::str::FromStr;

use crate::HeaderError;
use crate::text::{is_token_byte, refuse_controls, refuse_longer};

const FIELD: &str = "content type";
/// Longest type, subtype or parameter name (RFC 6838 §4.2).
const NAME_LIMIT: usize = 127;
/// Longest text that is read.
const TEXT_LIMIT: usize = 8192;
/// Longest parameter value.
const VALUE_LIMIT: usize = 1024;

/// Says what kind of data a part is: a media type with its parameters (RFC 2045 §5.1).
///
/// # Examples
///
/// ```
/// use posthaste_mime::ContentType;
///
/// let kind: ContentType = "Text/CSV; charset=utf-8".parse()?;
/// assert_eq!(kind.essence(), "text/csv");
/// assert_eq!(kind.parameter("charset"), Some("utf-8"));
/// assert!(ContentType::parse("text/plain\r\nBcc: x@example.net").is_err());
/// # Ok::<(), posthaste_mime::HeaderError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ContentType {
    essence: String,
    parameters: Vec<(String, String)>,
}

impl ContentType {
    /// Reads `type/subtype`, with `; name=value` parameters whose values may be quoted.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] for the field `content type` when the text does not follow RFC 2045 §5.1 or has more than 8192
    /// octets, or as
    /// [`ContentType::with_parameter`].
    pub fn parse(text: &str) -> Result<Self, HeaderError> {
        refuse_controls(FIELD, text, true)?;
        refuse_longer(FIELD, text, TEXT_LIMIT)?;
        let (essence, mut rest) = text
            .split_once(';')
            .map_or((text, ""), |(essence, rest)| (essence, rest));
        let essence = essence.trim_matches([' ', '\t']).to_ascii_lowercase();
        let well_formed = essence
            .split_once('/')
            .is_some_and(|(kind, subtype)| is_name(kind) && is_name(subtype));
        if !well_formed {
            return Err(HeaderError::Syntax {
                field: FIELD,
                expected: "of the form type/subtype",
            });
        }
        let mut parsed = Self {
            essence,
            parameters: Vec::new(),
        };
        loop {
            rest = rest.trim_start_matches([' ', '\t', ';']);
            if rest.is_empty() {
                return Ok(parsed);
            }
            let (name, value, after) = parameter(rest).ok_or(HeaderError::Syntax {
                field: FIELD,
                expected: "followed by parameters of the form ; name=value",
            })?;
            parsed = parsed.with_parameter(name, value)?;
            rest = after;
        }
    }

    /// Adds a parameter. The value may be any text: what is not plain ASCII is written as RFC 2231 asks.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] for the field `content type` when the name is not a token, is `boundary` (boundaries are
    /// generated) or is there already, when the value holds a control character or more than 1024 octets, or when a
    /// `charset` is not a token.
    pub fn with_parameter(mut self, name: &str, value: impl Into<String>) -> Result<Self, HeaderError> {
        let value = value.into();
        refuse_controls(FIELD, &value, false)?;
        refuse_longer(FIELD, &value, VALUE_LIMIT)?;
        let name = name.to_ascii_lowercase();
        if !is_name(&name) || name.contains(['*', '\'', '%']) {
            return Err(HeaderError::Syntax {
                field: FIELD,
                expected: "given a parameter name that is a token",
            });
        }
        if name == "boundary" {
            return Err(HeaderError::Syntax {
                field: FIELD,
                expected: "free to choose a boundary",
            });
        }
        if name == "charset" && !is_name(&value) {
            return Err(HeaderError::Syntax {
                field: FIELD,
                expected: "given a charset that is a token",
            });
        }
        if self.parameter(&name).is_some() {
            return Err(HeaderError::Syntax {
                field: FIELD,
                expected: "given each parameter once",
            });
        }
        self.parameters.push((name, value));
        Ok(self)
    }

    /// Returns `type/subtype` in lower case.
    pub fn essence(&self) -> &str {
        &self.essence
    }

    /// Returns the value of a parameter; the case of `name` does not matter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Returns the parameters in order, names in lower case.
    pub fn parameters(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Tells whether the type is `kind/…`.
    pub(crate) fn is_kind(&self, kind: &str) -> bool {
        self.essence.split_once('/').is_some_and(|(own, _)| own == kind)
    }
}

/// Shows the type as it reads in a header, parameters quoted.
impl std::fmt::Display for ContentType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.essence)?;
        for (name, value) in self.parameters() {
            write!(f, "; {name}=\"")?;
            for character in value.chars() {
                if matches!(character, '"' | '\\') {
                    f.write_str("\\")?;
                }
                write!(f, "{character}")?;
            }
            f.write_str("\"")?;
        }
        Ok(())
    }
}

impl FromStr for ContentType {
    type Err = HeaderError;

    fn from_str(text: &str) -> Result<Self, HeaderError> {
        Self::parse(text)
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= NAME_LIMIT && text.bytes().all(is_token_byte)
}

/// Splits one parameter off: its name, its value without quotes, and what follows its semicolon.
fn parameter(text: &str) -> Option<(&str, String, &str)> {
    let (name, rest) = text.split_once('=')?;
    let name = name.trim_end_matches([' ', '\t']);
    let rest = rest.trim_start_matches([' ', '\t']);
    let (value, after) = match rest.strip_prefix('"') {
        Some(quoted) => unquote(quoted)?,
        None => {
            let end = rest.find(';').unwrap_or(rest.len());
            let (value, after) = rest.split_at_checked(end)?;
            let value = value.trim_end_matches([' ', '\t']);
            if value.is_empty() || !value.bytes().all(is_token_byte) {
                return None;
            }
            (value.to_owned(), after)
        }
    };
    let after = after.trim_start_matches([' ', '\t']);
    if !after.is_empty() && !after.starts_with(';') {
        return None;
    }
    Some((name, value, after))
}

/// Reads to the closing quote; returns the text with its quoted pairs resolved, and what follows.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.chars();
    loop {
        match characters.next()? {
            '"' => return Some((value, characters.as_str())),
            '\\' => value.push(characters.next()?),
            character => value.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_values_are_read() {
        let kind = ContentType::parse("application/x; a=\"b;\\\"c\" ; d = e;").unwrap();
        assert_eq!(kind.parameter("A"), Some("b;\"c"));
        assert_eq!(kind.parameter("d"), Some("e"));
        assert_eq!(ContentType::parse(&kind.to_string()), Ok(kind));
    }

    #[test]
    fn broken_types_are_refused() {
        let cases = [
            "",
            "text",
            "/",
            "text/",
            "te xt/plain",
            "text/plain; x",
            "text/plain; =x",
            "text/plain; a=b c",
            "text/plain; a=\"b",
            "text/plain; a=b; A=c",
            "text/plain; boundary=x",
            "text/plain; charset=\"x y\"",
            "text/plain\r\n",
            "text/plain; a=\"\u{2028}\"",
            "téxt/plain",
        ];
        for case in cases {
            assert!(ContentType::parse(case).is_err(), "{case:?}");
        }
    }
}
