//! Cuts source into text and tags, and the inside of tags into tokens.

use std::borrow::Cow;

use crate::error::CompileErrorKind;
use crate::work::count;

/// An error and the byte offset it is at.
pub(crate) type LexError = (usize, CompileErrorKind);

/// What a tag opens with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opener {
    /// `{{`
    Escaped,
    /// `{{&`
    Ampersand,
    /// `{{{`
    Triple,
    /// `{{*`
    Decorator,
    /// `{{#`
    Block,
    /// `{{#*`
    DecoratorBlock,
    /// `{{#>`
    PartialBlock,
    /// `{{>`
    Partial,
    /// `{{^`
    Inverse,
    /// `{{else` and more
    ElseChain,
    /// `{{/`
    Close,
    /// `{{{{`
    Raw,
}

#[derive(Debug)]
pub(crate) enum Piece {
    Text {
        start: usize,
        end: usize,
    },
    Comment {
        open: bool,
        close: bool,
    },
    /// `{{else}}` or `{{^}}`, complete.
    Else {
        open: bool,
        close: bool,
        at: usize,
    },
    /// The start of a tag; its tokens follow.
    Tag {
        opener: Opener,
        open: bool,
        at: usize,
    },
    End,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Token<'s> {
    OpenParen,
    CloseParen,
    Equals,
    /// `.` or `/` between segments.
    Separator,
    /// A segment, `.`, `..` or `this`; `literal` when it stood in brackets.
    Id {
        text: Cow<'s, str>,
        literal: bool,
    },
    Text(Cow<'s, str>),
    Number(&'s str),
    Bool(bool),
    Null,
    Undefined,
    At,
    /// `as |`
    OpenParams,
    Pipe,
    /// `}}`
    Close {
        strip: bool,
    },
    /// `}}}`
    CloseTriple {
        strip: bool,
    },
    /// `}}}}`
    CloseRaw,
}

#[derive(Clone, Debug)]
pub(crate) struct Lexer<'s> {
    source: &'s str,
    position: usize,
    /// Set behind `\{{`: the mustache at `position` is text.
    escaped: bool,
}

/// White space as JavaScript's `\s` has it.
pub(crate) fn is_space(c: char) -> bool {
    (c.is_whitespace() && c != '\u{85}') || c == '\u{feff}'
}

/// Whether `c` can stand in a bare name.
fn is_name(c: char) -> bool {
    match c {
        '$' | '-' | ':' | '?' | '_' | '0'..='9' | 'A'..='Z' | 'a'..='z' => true,
        c => !c.is_ascii() && !is_space(c),
    }
}

/// Whether a bare name may end before `c`.
fn ends_name(c: char) -> bool {
    is_space(c) || matches!(c, '=' | '~' | '}' | '/' | '.' | ')' | ']' | '|')
}

/// Whether a literal may end before `c`.
fn ends_literal(c: char) -> bool {
    is_space(c) || matches!(c, '~' | '}' | ')' | ']')
}

impl<'s> Lexer<'s> {
    pub(crate) fn new(source: &'s str) -> Self {
        Self {
            source,
            position: 0,
            escaped: false,
        }
    }

    /// What has been read from byte `start` on.
    pub(crate) fn since(&self, start: usize) -> &'s str {
        self.source.get(start..self.position).unwrap_or_default()
    }

    /// The one character at byte `at`, as text.
    pub(crate) fn text(&self, at: usize) -> &'s str {
        self.source.get(at..at + 1).unwrap_or_default()
    }

    fn rest(&self) -> &'s str {
        self.source.get(self.position..).unwrap_or_default()
    }

    /// Reads the next text, comment, `{{else}}` or start of a tag.
    pub(crate) fn next_piece(&mut self) -> Result<Piece, LexError> {
        let start = self.position;
        let piece = self.piece(start);
        count(self.position - start);
        piece
    }

    fn piece(&mut self, start: usize) -> Result<Piece, LexError> {
        let rest = self.rest();
        if rest.is_empty() {
            return Ok(Piece::End);
        }
        if std::mem::take(&mut self.escaped) {
            return Ok(self.escaped_text(start));
        }
        let Some(length) = rest.find("{{") else {
            self.position = self.source.len();
            return Ok(Piece::Text {
                start,
                end: self.position,
            });
        };
        if length == 0 {
            return self.tag();
        }
        let text = rest.get(..length).unwrap_or_default();
        self.position = start + length;
        // A backslash before the mustache makes it text; two make one backslash and a mustache.
        let end = if text.ends_with("\\\\") {
            self.position - 1
        } else if text.ends_with('\\') {
            self.escaped = true;
            self.position - 1
        } else {
            self.position
        };
        if end == start {
            return self.next_piece_after_backslash();
        }
        Ok(Piece::Text { start, end })
    }

    /// Goes on behind a text that was nothing but the backslash of `\{{`.
    fn next_piece_after_backslash(&mut self) -> Result<Piece, LexError> {
        self.escaped = false;
        Ok(self.escaped_text(self.position))
    }

    /// Takes the mustache at `start` as text, up to the next one, escaped or not.
    fn escaped_text(&mut self, start: usize) -> Piece {
        let from = start + 2;
        let behind = self.source.get(from..).unwrap_or_default();
        let end = match behind.find("{{") {
            None => self.source.len(),
            Some(length) => {
                let text = behind.get(..length).unwrap_or_default();
                let backslashes = text.bytes().rev().take(2).take_while(|&byte| byte == b'\\').count();
                from + length - backslashes
            }
        };
        self.position = end;
        Piece::Text { start, end }
    }

    fn tag(&mut self) -> Result<Piece, LexError> {
        let at = self.position;
        if self.take("{{{{") {
            return Ok(Piece::Tag {
                opener: Opener::Raw,
                open: false,
                at,
            });
        }
        self.position += 2;
        let open = self.take("~");
        if self.rest().starts_with('!') {
            return self.comment(at, open);
        }
        if let Some(piece) = self.bare_else(at, open) {
            return Ok(piece);
        }
        let opener = if self.take("#>") {
            Opener::PartialBlock
        } else if self.take("#*") {
            Opener::DecoratorBlock
        } else if self.take("#") {
            Opener::Block
        } else if self.take(">") {
            Opener::Partial
        } else if self.take("/") {
            Opener::Close
        } else if self.take("^") {
            Opener::Inverse
        } else if self.take("{") {
            Opener::Triple
        } else if self.take("&") {
            Opener::Ampersand
        } else if self.take("*") {
            Opener::Decorator
        } else if self.take_else() {
            Opener::ElseChain
        } else {
            Opener::Escaped
        };
        Ok(Piece::Tag { opener, open, at })
    }

    /// Reads `^}}` or `else}}`, with white space and `~` allowed.
    fn bare_else(&mut self, at: usize, open: bool) -> Option<Piece> {
        let mut ahead = self.clone();
        if !ahead.take("^") && !ahead.take_else() {
            return None;
        }
        ahead.skip_space();
        let close = ahead.take("~");
        if !ahead.take("}}") {
            return None;
        }
        self.position = ahead.position;
        Some(Piece::Else { open, close, at })
    }

    fn take_else(&mut self) -> bool {
        let rest = self.rest().trim_start_matches(is_space);
        count(self.rest().len() - rest.len());
        let Some(behind) = rest.strip_prefix("else") else {
            return false;
        };
        if behind.starts_with(|c: char| is_name(c) || matches!(c, '.' | '/' | '=')) {
            return false;
        }
        self.position = self.source.len() - behind.len();
        true
    }

    fn comment(&mut self, at: usize, open: bool) -> Result<Piece, LexError> {
        let rest = self.rest();
        let unclosed = || (at, CompileErrorKind::UnclosedComment);
        if !rest.starts_with("!--") {
            let end = rest.find("}}");
            count(end.unwrap_or(rest.len()));
            let end = end.ok_or_else(unclosed)?;
            let close = rest
                .get(..end)
                .is_some_and(|text| text.len() > 1 && text.ends_with('~'));
            self.position += end + 2;
            return Ok(Piece::Comment { open, close });
        }
        // `--}}` or `--~}}`, whichever comes first.
        let mut from = 1;
        while let Some(found) = rest.get(from..).and_then(|text| text.find("--")) {
            let behind = rest.get(from + found + 2..).unwrap_or_default();
            for (ending, close) in [("}}", false), ("~}}", true)] {
                if behind.starts_with(ending) {
                    self.position += from + found + 2 + ending.len();
                    return Ok(Piece::Comment { open, close });
                }
            }
            from += found + 1;
        }
        count(rest.len());
        Err(unclosed())
    }

    /// Reads the text of a raw block up to its closing tag, whose name and end it returns.
    ///
    /// Raw blocks within are text.
    pub(crate) fn raw_text(&mut self) -> Option<(usize, usize, &'s str)> {
        let start = self.position;
        let mut nested = 0usize;
        let mut from = start;
        while let Some(found) = self.source.get(from..).and_then(|text| text.find("{{{{")) {
            let at = from + found;
            let behind = self.source.get(at + 4..).unwrap_or_default();
            from = at + 4;
            let Some(close) = behind.strip_prefix('/') else {
                nested += 1;
                continue;
            };
            let length = close
                .find(|c: char| !is_name(c) && c != '.' && c != '/')
                .unwrap_or(close.len());
            let (Some(name), Some(ending)) = (close.get(..length), close.get(length..)) else {
                continue;
            };
            if !ending.starts_with("}}}}") {
                continue;
            }
            if nested == 0 {
                self.position = at + 5 + length + 4;
                return Some((start, at, name));
            }
            nested -= 1;
        }
        None
    }

    fn take(&mut self, prefix: &str) -> bool {
        count(prefix.len());
        let taken = self.rest().starts_with(prefix);
        if taken {
            self.position += prefix.len();
        }
        taken
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.position += rest.len() - rest.trim_start_matches(is_space).len();
    }

    /// Reads the next token of a tag, and where it starts.
    pub(crate) fn next_token(&mut self) -> Result<(usize, Token<'s>), LexError> {
        let start = self.position;
        self.skip_space();
        let token = self.token(self.position);
        count(self.position - start);
        token
    }

    fn token(&mut self, at: usize) -> Result<(usize, Token<'s>), LexError> {
        let rest = self.rest();
        let mut chars = rest.chars();
        let Some(first) = chars.next() else {
            return Err((at, CompileErrorKind::UnclosedTag));
        };
        let second = chars.next();
        let token = match first {
            '(' => self.advance(1, Token::OpenParen),
            ')' => self.advance(1, Token::CloseParen),
            '=' => self.advance(1, Token::Equals),
            '@' => self.advance(1, Token::At),
            '|' => self.advance(1, Token::Pipe),
            '/' => self.advance(1, Token::Separator),
            '.' if second == Some('.') => self.advance(
                2,
                Token::Id {
                    text: Cow::Borrowed(".."),
                    literal: false,
                },
            ),
            '.' if second.is_some_and(ends_name) => self.advance(
                1,
                Token::Id {
                    text: Cow::Borrowed("."),
                    literal: false,
                },
            ),
            '.' => self.advance(1, Token::Separator),
            '"' | '\'' => return self.string(at, first).map(|token| (at, token)),
            '[' => return self.bracketed(at).map(|token| (at, token)),
            '~' if rest.starts_with("~}}") => self.advance(3, Token::Close { strip: true }),
            '}' if rest.starts_with("}}}}") => self.advance(4, Token::CloseRaw),
            '}' if rest.starts_with("}~}}") => self.advance(4, Token::CloseTriple { strip: true }),
            '}' if rest.starts_with("}}}") => self.advance(3, Token::CloseTriple { strip: false }),
            '}' if rest.starts_with("}}") => self.advance(2, Token::Close { strip: false }),
            _ => return self.word(at).map(|token| (at, token)),
        };
        Ok((at, token))
    }

    fn advance(&mut self, bytes: usize, token: Token<'s>) -> Token<'s> {
        self.position += bytes;
        token
    }

    fn string(&mut self, at: usize, quote: char) -> Result<Token<'s>, LexError> {
        let inner = self.source.get(at + 1..).unwrap_or_default();
        let end = closing(inner, quote).ok_or((at, CompileErrorKind::UnclosedString))?;
        self.position = at + 1 + end + 1;
        let text = inner.get(..end).unwrap_or_default();
        let escaped = if quote == '"' { "\\\"" } else { "\\'" };
        Ok(Token::Text(if text.contains(escaped) {
            Cow::Owned(text.replace(escaped, if quote == '"' { "\"" } else { "'" }))
        } else {
            Cow::Borrowed(text)
        }))
    }

    fn bracketed(&mut self, at: usize) -> Result<Token<'s>, LexError> {
        let inner = self.source.get(at + 1..).unwrap_or_default();
        let end = closing(inner, ']').ok_or((at, CompileErrorKind::UnclosedString))?;
        self.position = at + 1 + end + 1;
        let text = inner.get(..end).unwrap_or_default();
        let text = if text.contains('\\') {
            let mut plain = String::with_capacity(text.len());
            let mut chars = text.chars().peekable();
            while let Some(c) = chars.next() {
                match chars.peek() {
                    Some(&next) if c == '\\' && matches!(next, '\\' | ']') => {
                        plain.push(next);
                        chars.next();
                    }
                    _ => plain.push(c),
                }
            }
            Cow::Owned(plain)
        } else {
            Cow::Borrowed(text)
        };
        Ok(Token::Id { text, literal: true })
    }

    fn word(&mut self, at: usize) -> Result<Token<'s>, LexError> {
        let rest = self.rest();
        if let Some(length) = number_length(rest) {
            self.position += length;
            return Ok(Token::Number(rest.get(..length).unwrap_or_default()));
        }
        let length = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
        let word = rest.get(..length).unwrap_or_default();
        let behind = rest.get(length..).unwrap_or_default();
        let next = behind.chars().next();
        if length == 0 || !next.is_some_and(ends_name) {
            return Err(match next {
                None => (at, CompileErrorKind::UnclosedTag),
                Some(c) => (
                    at + length,
                    unexpected("a name or the end of the tag", format!("`{}`", c.escape_debug())),
                ),
            });
        }
        if word == "as" && behind.trim_start_matches(is_space).starts_with('|') && next.is_some_and(is_space) {
            let spaces = behind.len() - behind.trim_start_matches(is_space).len();
            self.position += length + spaces + 1;
            return Ok(Token::OpenParams);
        }
        self.position += length;
        if next.is_some_and(ends_literal) {
            match word {
                "true" => return Ok(Token::Bool(true)),
                "false" => return Ok(Token::Bool(false)),
                "null" => return Ok(Token::Null),
                "undefined" => return Ok(Token::Undefined),
                _ => {}
            }
        }
        Ok(Token::Id {
            text: Cow::Borrowed(word),
            literal: false,
        })
    }
}

/// Finds the first `end` in `text` that no backslash stands before.
///
/// A backslash escapes nothing but the ending itself, and only if another ending follows: as in Handlebars, `'a\'` is a
/// whole string when no quote is left.
fn closing(text: &str, end: char) -> Option<usize> {
    let mut last = None;
    let mut from = 0;
    while let Some(found) = text.get(from..).and_then(|rest| rest.find(end)) {
        let at = from + found;
        count(found);
        let escaped = text.get(..at).is_some_and(|before| before.ends_with('\\'));
        if !escaped {
            return Some(at);
        }
        last = Some(at);
        from = at + 1;
    }
    count(text.len() - from);
    last
}

/// Length of the number at the start of `text`, if a literal may end behind it.
fn number_length(text: &str) -> Option<usize> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let sign = usize::from(text.starts_with('-'));
    let whole = digits(text.get(sign..)?);
    if whole == 0 {
        return None;
    }
    let mut length = sign + whole;
    if let Some(fraction) = text.get(length..)?.strip_prefix('.') {
        let count = digits(fraction);
        if count > 0 {
            length += 1 + count;
        }
    }
    text.get(length..)?.starts_with(ends_literal).then_some(length)
}

pub(crate) fn unexpected(expected: &'static str, found: String) -> CompileErrorKind {
    CompileErrorKind::Unexpected { expected, found }
}
