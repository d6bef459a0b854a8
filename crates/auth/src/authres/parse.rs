//! From text to results (RFC 8601 §2.2).

use super::{AuthenticationResults, MethodResult, printable};
use crate::structured::{Lexer, ParseError, ParseErrorKind};

/// How many results one field may hold before it is refused.
const RESULTS: usize = 100;

/// How many properties.
const PROPERTIES: usize = 1_000;

pub(super) fn field(text: &str) -> Result<AuthenticationResults, ParseError> {
    Parser {
        lexer: Lexer::new(text),
        properties: 0,
    }
    .field()
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    properties: usize,
}

impl Parser<'_> {
    fn field(mut self) -> Result<AuthenticationResults, ParseError> {
        self.lexer.space()?;
        let mut field = AuthenticationResults::new(self.lexer.value()?);
        self.lexer.space()?;
        if self.lexer.peek().is_some_and(|c| c.is_ascii_digit()) {
            field.version = Some(self.lexer.version()?);
        }
        while self.lexer.eat(';')? {
            if self.lexer.at_end()? && !field.results.is_empty() {
                break;
            }
            let name = self.lexer.word()?;
            if name.eq_ignore_ascii_case("none") && field.results.is_empty() && self.lexer.at_end()? {
                break;
            }
            let version = if self.lexer.eat('/')? {
                self.lexer.space()?;
                Some(self.lexer.version()?)
            } else {
                None
            };
            self.lexer.equals()?;
            let result = self.lexer.value()?;
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
                    method.comment = self.lexer.comment()?.map(|comment| printable(&comment));
                    field.results.push(self.properties(method)?);
                }
            }
            if field.results.len() > RESULTS {
                return Err(self.lexer.error(ParseErrorKind::TooMany));
            }
        }
        if self.lexer.at_end()? {
            Ok(field)
        } else {
            Err(self.lexer.error(ParseErrorKind::Semicolon))
        }
    }

    fn properties(&mut self, mut result: MethodResult) -> Result<MethodResult, ParseError> {
        while !self.lexer.at_end()? && self.lexer.peek() != Some(';') {
            let kind = self.lexer.word()?;
            if self.lexer.eat('.')? {
                let name = self.lexer.word()?;
                self.lexer.equals()?;
                let value = self.lexer.value()?;
                result = self.property(result, &kind, &name, &value)?;
                continue;
            }
            self.lexer.equals()?;
            let value = self.lexer.value()?;
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
            return Err(self.lexer.error(ParseErrorKind::TooMany));
        }
        Ok(result.property(kind, name, value))
    }
}
