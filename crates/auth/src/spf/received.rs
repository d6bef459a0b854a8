//! Received-SPF of others (RFC 7208 §9.1).

use super::Result as SpfResult;
use crate::structured::{Lexer, ParseError, ParseErrorKind};

/// How many pairs a field may have before it is refused: the RFC knows eight.
const PAIRS: usize = 64;

/// A Received-SPF field that was read.
///
/// Anybody can write one: only those that servers of our own put on top may be believed (RFC 7208 §9.1).
///
/// ```
/// use posthaste_auth::spf::{self, ReceivedSpf};
///
/// let field = ReceivedSpf::parse(" pass (permitted) client-ip=192.0.2.1; envelope-from=\"ada@example.org\"; helo=mail.example.org;")?;
/// assert_eq!(field.result(), spf::Result::Pass);
/// assert_eq!(field.value("envelope-from"), Some("ada@example.org"));
/// # Ok::<(), posthaste_auth::authres::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedSpf {
    result: SpfResult,
    comment: Option<String>,
    pairs: Vec<(String, String)>,
}

impl ReceivedSpf {
    /// Parses the value of a field, what stands behind its colon. Values may hold more than the RFC allows without quotes, as
    /// IPv6 addresses do that others write.
    ///
    /// # Errors
    ///
    /// [`ParseError`], with the byte at which `value` goes wrong.
    pub fn parse(value: &str) -> Result<Self, ParseError> {
        let mut lexer = Lexer::new(value);
        lexer.space()?;
        let unknown = lexer.error(ParseErrorKind::Value);
        let result = SpfResult::from_word(&lexer.word()?).ok_or(unknown)?;
        let mut field = Self {
            result,
            comment: lexer.comment()?,
            pairs: Vec::new(),
        };
        while !lexer.at_end()? {
            let key = lexer.key()?;
            lexer.equals()?;
            field.pairs.push((key, lexer.value()?));
            if field.pairs.len() > PAIRS {
                return Err(lexer.error(ParseErrorKind::TooMany));
            }
            if !lexer.eat(';')? && !lexer.at_end()? {
                return Err(lexer.error(ParseErrorKind::Semicolon));
            }
        }
        Ok(field)
    }

    /// The result.
    #[must_use]
    pub fn result(&self) -> SpfResult {
        self.result
    }

    /// What stands in parentheses behind the result.
    #[must_use]
    pub fn comment(&self) -> Option<&str> {
        self.comment.as_deref()
    }

    /// The value of a key: `client-ip`, `envelope-from`, `helo`, `receiver`, `identity`, `mechanism`, `problem` or an `x-` key.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(key))
            .map(|(_, value)| value.as_str())
    }

    /// The keys and their values, in the order of the field.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, kind: ParseErrorKind, offset: usize) {
        let error = ReceivedSpf::parse(value).unwrap_err();
        assert_eq!((error.kind(), error.offset()), (kind, offset), "{value:.40}");
    }

    #[test]
    fn fields_of_others_are_read() {
        let google = "pass (google.com: domain of ada@example.org designates 2001:db8::1 as permitted sender) client-ip=2001:db8::1;";
        let field = ReceivedSpf::parse(google).unwrap();
        assert_eq!(field.value("Client-IP"), Some("2001:db8::1"));
        let microsoft = "SoftFail (protection.outlook.com: domain of transitioning\r\n example.org discourages use of 192.0.2.1 as \
                         permitted sender)\r\n receiver=protection.outlook.com; client-ip=192.0.2.1; helo=mail.example.org; pr=C";
        let field = ReceivedSpf::parse(microsoft).unwrap();
        assert_eq!((field.result(), field.pairs().count()), (SpfResult::SoftFail, 4));
        assert!(field.comment().unwrap().contains("transitioning example.org"));
        let bare = ReceivedSpf::parse("none").unwrap();
        assert_eq!(
            (bare.result(), bare.comment(), bare.value("helo")),
            (SpfResult::None, None, None)
        );
    }

    #[test]
    fn errors_say_what_is_wrong_and_where() {
        check("", ParseErrorKind::Name, 0);
        check(" maybe", ParseErrorKind::Value, 1);
        check("pass (", ParseErrorKind::Comment, 6);
        check("pass helo", ParseErrorKind::Equals, 9);
        check("pass helo=", ParseErrorKind::Value, 10);
        check("pass helo=\"a", ParseErrorKind::Quote, 12);
        check("pass helo=a x-b=c", ParseErrorKind::Semicolon, 12);
        check("pass =a", ParseErrorKind::Name, 5);
        let many = format!("pass {}", "a=b;".repeat(65));
        check(&many, ParseErrorKind::TooMany, many.len() - 1);
    }
}
