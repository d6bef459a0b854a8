//! The words, quoted strings and comments that structured header fields are made of (RFC 5322 §3.2).

/// Says why text is not the value of a structured header field, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at byte {offset}")]
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
    /// A method, property or key has no name.
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

/// Reads a field's value piece by piece.
#[derive(Debug)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, position: 0 }
    }

    pub(crate) fn error(&self, kind: ParseErrorKind) -> ParseError {
        ParseError {
            kind,
            offset: self.position,
        }
    }

    pub(crate) fn peek(&self) -> Option<char> {
        self.text.get(self.position..).and_then(|rest| rest.chars().next())
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.position += c.len_utf8();
        Some(c)
    }

    pub(crate) fn at_end(&mut self) -> Result<bool, ParseError> {
        self.space()?;
        Ok(self.peek().is_none())
    }

    pub(crate) fn eat(&mut self, c: char) -> Result<bool, ParseError> {
        self.space()?;
        let found = self.peek() == Some(c);
        if found {
            self.position += c.len_utf8();
        }
        Ok(found)
    }

    /// `=`, and the white space behind it.
    pub(crate) fn equals(&mut self) -> Result<(), ParseError> {
        if !self.eat('=')? {
            return Err(self.error(ParseErrorKind::Equals));
        }
        self.space()
    }

    /// Skips white space and comments.
    pub(crate) fn space(&mut self) -> Result<(), ParseError> {
        while self.comment()?.is_some() {}
        Ok(())
    }

    /// Skips white space and one comment, and gives what the comment says.
    pub(crate) fn comment(&mut self) -> Result<Option<String>, ParseError> {
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
    pub(crate) fn word(&mut self) -> Result<String, ParseError> {
        self.name(&['-', '_'])
    }

    /// A word that may have dots in it too (RFC 7208 §12, `name`).
    pub(crate) fn key(&mut self) -> Result<String, ParseError> {
        self.name(&['-', '_', '.'])
    }

    fn name(&mut self, others: &[char]) -> Result<String, ParseError> {
        self.space()?;
        let mut word = String::new();
        while let Some(c) = self.peek().filter(|c| c.is_ascii_alphanumeric() || others.contains(c)) {
            word.push(c);
            self.position += 1;
        }
        if word.is_empty() {
            Err(self.error(ParseErrorKind::Name))
        } else {
            Ok(word)
        }
    }

    pub(crate) fn version(&mut self) -> Result<u32, ParseError> {
        let error = self.error(ParseErrorKind::Version);
        self.word()?.parse().map_err(|_| error)
    }

    /// A quoted string, or anything up to white space, a semicolon or a comment. A local part may be in quotes.
    pub(crate) fn value(&mut self) -> Result<String, ParseError> {
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
        // The quote that opens it.
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
