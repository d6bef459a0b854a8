//! From text to results (RFC 8601 §2.2).

use super::{AuthenticationResults, MethodResult, printable};

/// How many results one field may hold before it is refused.
const RESULTS: usize = 100;

/// How many properties.
const PROPERTIES: usize = 1_000;

/// Says why text is not the value of an Authentication-Results field, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not Authentication-Results: {kind} at byte {offset}")]
pub struct ParseError {
    kind: ParseErrorKind,
    offset: usize,
}

impl ParseError {
    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> ParseErrorKind {
        self.kind
    }

    /// Where, as a byte offset into the value.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }
}

/// Sorts what is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// A comment is not closed.
    #[error("comment without an end")]
    Comment,
    /// A quoted string is not closed.
    #[error("quoted string without an end")]
    Quote,
    /// A method, result or property has no name.
    #[error("a name is missing")]
    Name,
    /// A value is missing.
    #[error("a value is missing")]
    Value,
    /// A version is not a number.
    #[error("a version is not a number")]
    Version,
    /// There is no equals sign.
    #[error("`=` is missing")]
    Equals,
    /// There is something where a semicolon or the end should be.
    #[error("`;` is missing")]
    Semicolon,
    /// There are more results or properties than anybody needs.
    #[error("too many results")]
    TooMany,
}

pub(super) fn field(text: &str) -> Result<AuthenticationResults, ParseError> {
    Parser {
        text,
        position: 0,
        properties: 0,
    }
    .field()
}

struct Parser<'a> {
    text: &'a str,
    position: usize,
    properties: usize,
}

impl Parser<'_> {
    fn field(mut self) -> Result<AuthenticationResults, ParseError> {
        self.space()?;
        let mut field = AuthenticationResults::new(self.value()?);
        self.space()?;
        if self.peek().is_some_and(|c| c.is_ascii_digit()) {
            field.version = Some(self.version()?);
        }
        while self.eat(';')? {
            if self.at_end()? && !field.results.is_empty() {
                break;
            }
            let name = self.word()?;
            if name.eq_ignore_ascii_case("none") && field.results.is_empty() && self.at_end()? {
                break;
            }
            let version = if self.eat('/')? {
                self.space()?;
                Some(self.version()?)
            } else {
                None
            };
            self.equals()?;
            let result = self.value()?;
            let is_keyword = result
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
            match field.results.pop() {
                // `spf=pass client-ip=192.0.2.1; helo=mail.example.org`: properties that look like methods.
                Some(last) if !is_keyword => {
                    let last = self.property(last, "", &name, &result)?;
                    field.results.push(self.properties(last)?);
                }
                last => {
                    field.results.extend(last);
                    let mut method = MethodResult::new(&name, &result);
                    method.version = version;
                    method.comment = self.comment()?.map(|comment| printable(&comment));
                    field.results.push(self.properties(method)?);
                }
            }
            if field.results.len() > RESULTS {
                return Err(self.error(ParseErrorKind::TooMany));
            }
        }
        if self.at_end()? {
            Ok(field)
        } else {
            Err(self.error(ParseErrorKind::Semicolon))
        }
    }

    fn properties(&mut self, mut result: MethodResult) -> Result<MethodResult, ParseError> {
        while !self.at_end()? && self.peek() != Some(';') {
            let kind = self.word()?;
            if self.eat('.')? {
                let name = self.word()?;
                self.equals()?;
                let value = self.value()?;
                result = self.property(result, &kind, &name, &value)?;
                continue;
            }
            self.equals()?;
            let value = self.value()?;
            result = if kind.eq_ignore_ascii_case("reason") {
                result.reason(value)
            } else {
                self.property(result, "", &kind, &value)?
            };
        }
        Ok(result)
    }

    fn property(
        &mut self,
        result: MethodResult,
        kind: &str,
        name: &str,
        value: &str,
    ) -> Result<MethodResult, ParseError> {
        self.properties += 1;
        if self.properties > PROPERTIES {
            return Err(self.error(ParseErrorKind::TooMany));
        }
        Ok(result.property(kind, name, value))
    }

    fn error(&self, kind: ParseErrorKind) -> ParseError {
        ParseError {
            kind,
            offset: self.position,
        }
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.position..).and_then(|rest| rest.chars().next())
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.position += c.len_utf8();
        Some(c)
    }

    fn at_end(&mut self) -> Result<bool, ParseError> {
        self.space()?;
        Ok(self.peek().is_none())
    }

    fn eat(&mut self, c: char) -> Result<bool, ParseError> {
        self.space()?;
        let found = self.peek() == Some(c);
        if found {
            self.position += c.len_utf8();
        }
        Ok(found)
    }

    /// `=`, and the white space behind it.
    fn equals(&mut self) -> Result<(), ParseError> {
        if !self.eat('=')? {
            return Err(self.error(ParseErrorKind::Equals));
        }
        self.space()
    }

    /// Skips white space and comments.
    fn space(&mut self) -> Result<(), ParseError> {
        while self.comment()?.is_some() {}
        Ok(())
    }

    /// Skips white space and one comment, and gives what the comment says.
    fn comment(&mut self) -> Result<Option<String>, ParseError> {
        while self.peek().is_some_and(|c| matches!(c, ' ' | '\t' | '\r' | '\n')) {
            self.position += 1;
        }
        if self.peek() != Some('(') {
            return Ok(None);
        }
        let mut text = String::new();
        let mut depth = 0_usize;
        while let Some(c) = self.bump() {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            match c {
                ')' if depth == 0 => return Ok(Some(text)),
                '(' if depth == 1 => {}
                '\r' | '\n' => {}
                '\\' => text.extend(self.bump()),
                c => text.push(c),
            }
        }
        Err(self.error(ParseErrorKind::Comment))
    }

    /// A word of letters, digits, hyphens and underscores.
    fn word(&mut self) -> Result<String, ParseError> {
        self.space()?;
        let mut word = String::new();
        while let Some(c) = self
            .peek()
            .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        {
            word.push(c);
            self.position += 1;
        }
        if word.is_empty() {
            Err(self.error(ParseErrorKind::Name))
        } else {
            Ok(word)
        }
    }

    fn version(&mut self) -> Result<u32, ParseError> {
        let error = self.error(ParseErrorKind::Version);
        self.word()?.parse().map_err(|_| error)
    }

    /// A quoted string, or anything up to white space, a semicolon or a comment. A local part may be in quotes.
    fn value(&mut self) -> Result<String, ParseError> {
        let from = self.position;
        let mut value = String::new();
        if self.peek() == Some('"') {
            value = self.quoted()?;
            if self.peek() != Some('@') {
                return Ok(value);
            }
            value = self.text.get(from..self.position).unwrap_or_default().to_owned();
        }
        while let Some(c) = self
            .peek()
            .filter(|c| !matches!(c, ' ' | '\t' | '\r' | '\n' | ';' | '(' | '"'))
        {
            value.push(c);
            self.position += c.len_utf8();
        }
        if value.is_empty() {
            Err(self.error(ParseErrorKind::Value))
        } else {
            Ok(value)
        }
    }

    fn quoted(&mut self) -> Result<String, ParseError> {
        let mut value = String::new();
        self.bump();
        while let Some(c) = self.bump() {
            match c {
                '"' => return Ok(value),
                '\\' => value.extend(self.bump()),
                // Folds; their white space stays.
                '\r' | '\n' => {}
                c => value.push(c),
            }
        }
        Err(self.error(ParseErrorKind::Quote))
    }
}
