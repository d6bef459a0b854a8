//! The text of a master file, cut into entries and tokens (RFC 1035 §5.1).

use super::{ZoneError, ZoneErrorKind};

/// One word or quoted string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) bytes: Vec<u8>,
    /// Whether `bytes` still reads as it was written: neither quoted nor escaped.
    pub(super) plain: bool,
    /// Where in `bytes` escaped dots stand, which separate no labels.
    pub(super) escaped_dots: Vec<usize>,
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Token {
    pub(super) fn error(&self, kind: ZoneErrorKind) -> ZoneError {
        ZoneError::at(kind, self.line, self.column, &self.bytes)
    }

    /// Gives the token as text, when it can be read as such.
    pub(super) fn text(&self) -> Result<&str, ZoneError> {
        std::str::from_utf8(&self.bytes).map_err(|_| self.error(ZoneErrorKind::Value))
    }
}

/// One logical line: what stands between parentheses counts as one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Whether it starts with white space: the owner is the one above.
    pub(super) indented: bool,
    pub(super) tokens: Vec<Token>,
    /// Where it ends.
    pub(super) line: usize,
    pub(super) column: usize,
}

/// Cuts a text into entries, skipping blank ones.
pub(super) struct Lexer<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    line: usize,
    column: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            rest: text.chars().peekable(),
            line: 1,
            column: 1,
        }
    }

    fn next(&mut self) -> Option<char> {
        let next = self.rest.next()?;
        if next == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(next)
    }

    fn skip_comment(&mut self) {
        while self.rest.peek().is_some_and(|c| *c != '\n') {
            self.next();
        }
    }

    /// Reads the next entry that has tokens; `None` at the end.
    pub(super) fn entry(&mut self) -> Result<Option<Entry>, ZoneError> {
        let mut tokens = Vec::new();
        let mut indented = self.rest.peek().is_some_and(|c| matches!(c, ' ' | '\t'));
        let mut open = None;
        loop {
            let (line, column) = (self.line, self.column);
            match self.rest.peek().copied() {
                None if open.is_none() => {
                    return Ok((!tokens.is_empty()).then_some(Entry {
                        indented,
                        tokens,
                        line,
                        column,
                    }));
                }
                None => {
                    let (line, column) = open.unwrap_or((line, column));
                    return Err(ZoneError::at(ZoneErrorKind::Parenthesis, line, column, "("));
                }
                Some('\n') => {
                    self.next();
                    if open.is_none() {
                        if !tokens.is_empty() {
                            return Ok(Some(Entry {
                                indented,
                                tokens,
                                line,
                                column,
                            }));
                        }
                        indented = self.rest.peek().is_some_and(|c| matches!(c, ' ' | '\t'));
                    }
                }
                Some(' ' | '\t' | '\r') => {
                    self.next();
                }
                Some(';') => self.skip_comment(),
                Some('(') => {
                    self.next();
                    if open.replace((line, column)).is_some() {
                        return Err(ZoneError::at(ZoneErrorKind::Parenthesis, line, column, "("));
                    }
                }
                Some(')') => {
                    self.next();
                    if open.take().is_none() {
                        return Err(ZoneError::at(ZoneErrorKind::Parenthesis, line, column, ")"));
                    }
                }
                Some('"') => tokens.push(self.quoted()?),
                Some(_) => tokens.push(self.word()?),
            }
        }
    }

    fn quoted(&mut self) -> Result<Token, ZoneError> {
        let mut token = self.start(false);
        self.next();
        loop {
            match self.rest.peek().copied() {
                None | Some('\n') => return Err(token.error(ZoneErrorKind::Quote)),
                Some('"') => {
                    self.next();
                    return Ok(token);
                }
                Some('\\') => self.escape(&mut token)?,
                Some(c) => {
                    self.next();
                    push(&mut token.bytes, c);
                }
            }
        }
    }

    fn word(&mut self) -> Result<Token, ZoneError> {
        let mut token = self.start(true);
        loop {
            match self.rest.peek().copied() {
                None | Some(' ' | '\t' | '\r' | '\n' | ';' | '(' | ')' | '"') => return Ok(token),
                Some('\\') => {
                    token.plain = false;
                    self.escape(&mut token)?;
                }
                Some(c) => {
                    self.next();
                    push(&mut token.bytes, c);
                }
            }
        }
    }

    fn start(&self, plain: bool) -> Token {
        Token {
            bytes: Vec::new(),
            plain,
            escaped_dots: Vec::new(),
            line: self.line,
            column: self.column,
        }
    }

    /// Reads `\DDD`, an octet by its decimal number, or `\X`, the character X without its meaning.
    fn escape(&mut self, token: &mut Token) -> Result<(), ZoneError> {
        let (line, column) = (self.line, self.column);
        self.next();
        let wrong = || ZoneError::at(ZoneErrorKind::Escape, line, column, "\\");
        let first = match self.next() {
            None | Some('\n') => return Err(wrong()),
            Some(c) => c,
        };
        let Some(first_digit) = first.to_digit(10) else {
            if first == '.' {
                token.escaped_dots.push(token.bytes.len());
            }
            push(&mut token.bytes, first);
            return Ok(());
        };
        let mut number = first_digit;
        for _ in 0..2 {
            let digit = self.rest.peek().and_then(|c| c.to_digit(10)).ok_or_else(wrong)?;
            self.next();
            number = number * 10 + digit;
        }
        let octet = u8::try_from(number).map_err(|_| wrong())?;
        if octet == b'.' {
            token.escaped_dots.push(token.bytes.len());
        }
        token.bytes.push(octet);
        Ok(())
    }
}

fn push(bytes: &mut Vec<u8>, c: char) {
    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}
