//! Reads source into a tree, with a bound on its depth.

use std::borrow::Cow;

use crate::ast::{Arm, Block, Body, Call, Cut, Expr, Inline, Mustache, Node, Partial, PathExpr, Strip, Text};
use crate::error::{CompileErrorKind, Shown};
use crate::lex::{LexError, Lexer, Opener, Piece, Token, unexpected};

/// Parses `source`; blocks and subexpressions may nest `depth` levels.
pub(crate) fn parse(source: &str, depth: usize) -> Result<Body<'_>, LexError> {
    let mut parser = Parser {
        lexer: Lexer::new(source),
        depth: 0,
        limit: depth,
        tag: 0,
    };
    match parser.body() {
        Ok((body, Ending::Source)) => Ok(body),
        Ok((_, Ending::Else { at, .. } | Ending::ElseChain { at, .. })) => Err((at, CompileErrorKind::UnexpectedElse)),
        Ok((_, Ending::Close { name, at, .. })) => Err((
            at,
            CompileErrorKind::UnexpectedClose {
                name: name.into_owned(),
            },
        )),
        // Where the source ends says less than where the tag began.
        Err((_, CompileErrorKind::UnclosedTag)) => Err((parser.tag, CompileErrorKind::UnclosedTag)),
        Err(error) => Err(error),
    }
}

struct Parser<'s> {
    lexer: Lexer<'s>,
    depth: usize,
    limit: usize,
    /// Where the tag being read began.
    tag: usize,
}

/// How many parameters a block may name; no helper sets more than two.
const MOST_BLOCK_PARAMS: usize = 8;

/// What ended a body.
enum Ending<'s> {
    Source,
    Else {
        strip: Strip,
        at: usize,
    },
    /// `{{else` and more: the call is still to be read.
    ElseChain {
        open: bool,
        at: usize,
    },
    Close {
        name: Cow<'s, str>,
        strip: Strip,
        at: usize,
    },
}

/// What ends the arguments of a call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Terminator {
    Paren,
    Tag,
    Triple,
    Raw,
}

impl<'s> Parser<'s> {
    fn enter(&mut self, at: usize) -> Result<(), LexError> {
        if self.depth >= self.limit {
            return Err((at, CompileErrorKind::TooDeep { limit: self.limit }));
        }
        self.depth += 1;
        Ok(())
    }

    /// Reads nodes up to whatever belongs to an enclosing block.
    fn body(&mut self) -> Result<(Body<'s>, Ending<'s>), LexError> {
        let mut body = Body::default();
        loop {
            let (opener, open, at) = match self.lexer.next_piece()? {
                Piece::End => return Ok((body, Ending::Source)),
                Piece::Text { start, end } => {
                    body.nodes.push(text(start, end));
                    continue;
                }
                Piece::Comment { open, close } => {
                    body.nodes.push(Node::Comment(Strip { open, close }));
                    continue;
                }
                Piece::Else { open, close, at } => {
                    return Ok((
                        body,
                        Ending::Else {
                            strip: Strip { open, close },
                            at,
                        },
                    ));
                }
                Piece::Tag { opener, open, at } => (opener, open, at),
            };
            self.tag = at;
            let node = match opener {
                Opener::Escaped | Opener::Ampersand => {
                    let (call, _, close) = self.call(Terminator::Tag)?;
                    Node::Mustache(Mustache {
                        strip: Strip { open, close },
                        call,
                        escape: opener == Opener::Escaped,
                    })
                }
                Opener::Triple => {
                    let (call, _, close) = self.call(Terminator::Triple)?;
                    Node::Mustache(Mustache {
                        strip: Strip { open, close },
                        call,
                        escape: false,
                    })
                }
                Opener::Decorator => {
                    let (call, ..) = self.call(Terminator::Tag)?;
                    return Err((
                        call.at,
                        CompileErrorKind::UnknownDecorator {
                            name: call.head.original().into_owned(),
                        },
                    ));
                }
                Opener::Block => self.block(open, at, false)?,
                Opener::Inverse => self.block(open, at, true)?,
                Opener::Raw => self.raw_block(at)?,
                Opener::DecoratorBlock => self.inline(open, at)?,
                Opener::PartialBlock => self.partial_block(open, at)?,
                Opener::Partial => {
                    let (call, params, close) = self.call(Terminator::Tag)?;
                    no_params(&params, call.at)?;
                    Node::Partial(Box::new(Partial {
                        strip: Strip { open, close },
                        call,
                        block: None,
                        indent: None,
                    }))
                }
                Opener::ElseChain => return Ok((body, Ending::ElseChain { open, at })),
                Opener::Close => {
                    let (token_at, token) = self.lexer.next_token()?;
                    let name = self.operand(token_at, token)?.original();
                    let (close_at, close) = self.lexer.next_token()?;
                    let Token::Close { strip: close } = close else {
                        return Err((close_at, unexpected("`}}`", show(&close))));
                    };
                    return Ok((
                        body,
                        Ending::Close {
                            name,
                            strip: Strip { open, close },
                            at,
                        },
                    ));
                }
            };
            body.nodes.push(node);
        }
    }

    fn block(&mut self, open: bool, at: usize, inverted: bool) -> Result<Node<'s>, LexError> {
        self.enter(at)?;
        let (call, params, close) = self.call(Terminator::Tag)?;
        let name = call.head.original();
        let (body, mut ending) = self.body()?;
        let mut arms = vec![Arm {
            strip: Strip { open, close },
            call,
            params,
            body,
        }];
        let mut otherwise = None;
        let close = loop {
            match ending {
                Ending::Close { name: close, strip, at } => {
                    if close != name {
                        return Err((at, mismatch(name, close)));
                    }
                    break strip;
                }
                Ending::ElseChain { open, at } if otherwise.is_none() && !inverted => {
                    let (call, params, close) = self.call(Terminator::Tag)?;
                    let (body, next) = self.body()?;
                    arms.push(Arm {
                        strip: Strip { open, close },
                        call,
                        params,
                        body,
                    });
                    ending = next;
                    // A chain is one block, but what it makes must stay bounded like everything else.
                    if arms.len() > u16::MAX.into() {
                        return Err((at, CompileErrorKind::TooDeep { limit: u16::MAX.into() }));
                    }
                }
                Ending::Else { strip, .. } if otherwise.is_none() => {
                    let (body, next) = self.body()?;
                    otherwise = Some((strip, body));
                    ending = next;
                }
                Ending::Else { at, .. } | Ending::ElseChain { at, .. } => {
                    return Err((at, CompileErrorKind::UnexpectedElse));
                }
                Ending::Source => {
                    return Err((
                        at,
                        CompileErrorKind::UnclosedBlock {
                            name: name.into_owned(),
                        },
                    ));
                }
            }
        };
        self.depth -= 1;
        Ok(Node::Block(Box::new(Block {
            arms,
            otherwise,
            inverted,
            close,
        })))
    }

    /// Reads the body of a block that takes no `else`, and its closing tag.
    fn plain_body(&mut self, name: &str, at: usize) -> Result<(Body<'s>, Strip), LexError> {
        let (body, ending) = self.body()?;
        match ending {
            Ending::Close { name: close, strip, .. } if close == name => Ok((body, strip)),
            Ending::Close { name: close, at, .. } => Err((at, mismatch(name.into(), close))),
            Ending::Else { at, .. } | Ending::ElseChain { at, .. } => Err((at, CompileErrorKind::UnexpectedElse)),
            Ending::Source => Err((at, CompileErrorKind::UnclosedBlock { name: name.to_owned() })),
        }
    }

    fn raw_block(&mut self, at: usize) -> Result<Node<'s>, LexError> {
        let (call, params, _) = self.call(Terminator::Raw)?;
        no_params(&params, call.at)?;
        let name = call.head.original();
        let Some((start, end, close)) = self.lexer.raw_text() else {
            return Err((
                at,
                CompileErrorKind::UnclosedBlock {
                    name: name.into_owned(),
                },
            ));
        };
        if close != name {
            return Err((end, mismatch(name, close.into())));
        }
        let mut body = Body::default();
        if start < end {
            body.nodes.push(text(start, end));
        }
        let arms = vec![Arm {
            strip: Strip::default(),
            call,
            params,
            body,
        }];
        Ok(Node::Block(Box::new(Block {
            arms,
            otherwise: None,
            inverted: false,
            close: Strip::default(),
        })))
    }

    fn inline(&mut self, open: bool, at: usize) -> Result<Node<'s>, LexError> {
        self.enter(at)?;
        let (call, params, close) = self.call(Terminator::Tag)?;
        no_params(&params, call.at)?;
        let decorator = call.head.original();
        if decorator != "inline" {
            return Err((
                call.at,
                CompileErrorKind::UnknownDecorator {
                    name: decorator.into_owned(),
                },
            ));
        }
        let name = match call.params.as_slice() {
            [Expr::Text(name) | Expr::Number(_, name)] if call.hash.is_empty() => name.clone(),
            _ => {
                let expected = "one argument, the quoted name of the partial";
                return Err((
                    call.at,
                    CompileErrorKind::Arguments {
                        helper: "inline",
                        expected,
                    },
                ));
            }
        };
        let (body, end) = self.plain_body(&decorator, at)?;
        self.depth -= 1;
        Ok(Node::Inline(Box::new(Inline {
            open: Strip { open, close },
            close: end,
            name,
            body,
        })))
    }

    fn partial_block(&mut self, open: bool, at: usize) -> Result<Node<'s>, LexError> {
        self.enter(at)?;
        let (call, params, close) = self.call(Terminator::Tag)?;
        no_params(&params, call.at)?;
        let block = self.plain_body(&call.head.original(), at)?;
        self.depth -= 1;
        Ok(Node::Partial(Box::new(Partial {
            strip: Strip { open, close },
            call,
            block: Some(block),
            indent: None,
        })))
    }

    /// Reads head, arguments and block parameters up to `terminator`, and whether that carries `~`.
    fn call(&mut self, terminator: Terminator) -> Result<(Call<'s>, Vec<Cow<'s, str>>, bool), LexError> {
        let (at, token) = self.lexer.next_token()?;
        let head = self.operand(at, token)?;
        let mut call = Call {
            head,
            params: Vec::new(),
            hash: Vec::new(),
            at,
        };
        let mut block_params = Vec::new();
        loop {
            let (at, token) = self.lexer.next_token()?;
            match token {
                Token::CloseParen if terminator == Terminator::Paren => return Ok((call, block_params, false)),
                Token::Close { strip } if terminator == Terminator::Tag => return Ok((call, block_params, strip)),
                Token::CloseTriple { strip } if terminator == Terminator::Triple => {
                    return Ok((call, block_params, strip));
                }
                Token::CloseRaw if terminator == Terminator::Raw => return Ok((call, block_params, false)),
                Token::OpenParams if terminator == Terminator::Tag && block_params.is_empty() => {
                    block_params = self.block_params()?;
                    let (at, token) = self.lexer.next_token()?;
                    let Token::Close { strip } = token else {
                        return Err((at, unexpected("`}}`", show(&token))));
                    };
                    return Ok((call, block_params, strip));
                }
                Token::Id { text, literal: _ } if self.equals_follows() => {
                    self.lexer.next_token()?;
                    let (at, token) = self.lexer.next_token()?;
                    let value = self.operand(at, token)?;
                    call.hash.push((text, value));
                }
                token if call.hash.is_empty() => {
                    let param = self.operand(at, token)?;
                    call.params.push(param);
                }
                token => return Err((at, unexpected("`name=` or the end of the tag", show(&token)))),
            }
        }
    }

    fn equals_follows(&self) -> bool {
        matches!(self.lexer.clone().next_token(), Ok((_, Token::Equals)))
    }

    fn block_params(&mut self) -> Result<Vec<Cow<'s, str>>, LexError> {
        let mut names = Vec::new();
        loop {
            let (at, token) = self.lexer.next_token()?;
            match token {
                Token::Id { text, .. } if names.len() < MOST_BLOCK_PARAMS => names.push(text),
                Token::Pipe if !names.is_empty() => return Ok(names),
                token => return Err((at, unexpected("at most eight names and a closing `|`", show(&token)))),
            }
        }
    }

    /// Reads a path, a literal or a subexpression that starts with `token`.
    fn operand(&mut self, at: usize, token: Token<'s>) -> Result<Expr<'s>, LexError> {
        match token {
            Token::Id { text, literal } => self.path(at, false, text, literal).map(Expr::Path),
            Token::At => match self.lexer.next_token()? {
                (_, Token::Id { text, literal }) => self.path(at, true, text, literal).map(Expr::Path),
                (at, token) => Err((at, unexpected("a name behind `@`", show(&token)))),
            },
            Token::Text(text) => Ok(Expr::Text(text)),
            Token::Number(text) => Ok(Expr::Number(text.parse().unwrap_or_default(), text.into())),
            Token::Bool(value) => Ok(Expr::Bool(value)),
            Token::Null => Ok(Expr::Null),
            Token::Undefined => Ok(Expr::Undefined),
            Token::OpenParen => {
                self.enter(at)?;
                let (call, ..) = self.call(Terminator::Paren)?;
                self.depth -= 1;
                Ok(Expr::Call(Box::new(call)))
            }
            token => Err((at, unexpected("a name, a literal or a subexpression", show(&token)))),
        }
    }

    fn path(&mut self, at: usize, data: bool, first: Cow<'s, str>, literal: bool) -> Result<PathExpr<'s>, LexError> {
        let mut path = PathExpr {
            original: Cow::Borrowed(if data { "@" } else { "" }),
            segments: Vec::new(),
            up: 0,
            data,
            scoped: !literal && matches!(&*first, "." | ".." | "this"),
            at,
        };
        add_segment(&mut path, "", first, literal, &self.lexer)?;
        loop {
            let mut ahead = self.lexer.clone();
            let Ok((separator_at, Token::Separator)) = ahead.next_token() else {
                return Ok(path);
            };
            let mut separator = ahead.text(separator_at);
            let (at, token) = ahead.next_token()?;
            let (segment, literal) = match token {
                Token::Id { text, literal } => (text, literal),
                // `a.0` and the like: behind a separator everything is a name.
                Token::Number(text) if !text.starts_with('-') => match text.split_once('.') {
                    Some((index, name)) => {
                        add_segment(&mut path, separator, index.into(), true, &ahead)?;
                        separator = ".";
                        (name.into(), true)
                    }
                    None => (text.into(), true),
                },
                Token::Bool(true) => ("true".into(), true),
                Token::Bool(false) => ("false".into(), true),
                Token::Null => ("null".into(), true),
                Token::Undefined => ("undefined".into(), true),
                token => return Err((at, unexpected("a name behind the separator", show(&token)))),
            };
            add_segment(&mut path, separator, segment, literal, &ahead)?;
            self.lexer = ahead;
        }
    }
}

/// Adds a segment to `path`; `lexer` has just read it.
fn add_segment<'s>(
    path: &mut PathExpr<'s>,
    separator: &str,
    segment: Cow<'s, str>,
    literal: bool,
    lexer: &Lexer<'s>,
) -> Result<(), LexError> {
    let written = lexer.since(path.at);
    if written.len() == path.original.len() + separator.len() + segment.len() {
        // Nothing was left out, so this is it.
        path.original = Cow::Borrowed(written);
    } else {
        let original = path.original.to_mut();
        original.push_str(separator);
        original.push_str(&segment);
    }
    if literal || !matches!(&*segment, "." | ".." | "this") {
        path.segments.push(segment);
    } else if path.segments.is_empty() {
        path.up += usize::from(segment == "..");
    } else {
        let path_so_far = path.original.clone().into_owned();
        return Err((path.at, CompileErrorKind::InvalidPath { path: path_so_far }));
    }
    Ok(())
}

fn text<'s>(start: usize, end: usize) -> Node<'s> {
    Node::Text(Text {
        start,
        end,
        left: Cut::Nothing,
        right: Cut::Nothing,
    })
}

fn mismatch(open: Cow<'_, str>, close: Cow<'_, str>) -> CompileErrorKind {
    CompileErrorKind::MismatchedClose {
        open: open.into_owned(),
        close: close.into_owned(),
    }
}

fn no_params(params: &[Cow<'_, str>], at: usize) -> Result<(), LexError> {
    match params.first() {
        None => Ok(()),
        Some(name) => Err((at, unexpected("no block parameters here", format!("`{}`", Shown(name))))),
    }
}

/// Names a token for an error message.
fn show(token: &Token<'_>) -> String {
    match token {
        Token::OpenParen => "`(`".to_owned(),
        Token::CloseParen => "`)`".to_owned(),
        Token::Equals => "`=`".to_owned(),
        Token::Separator => "a separator".to_owned(),
        Token::Id { text, .. } => format!("`{}`", Shown(text)),
        Token::Text(_) => "a string".to_owned(),
        Token::Number(text) => format!("`{}`", Shown(text)),
        Token::Bool(value) => format!("`{value}`"),
        Token::Null => "`null`".to_owned(),
        Token::Undefined => "`undefined`".to_owned(),
        Token::At => "`@`".to_owned(),
        Token::OpenParams => "`as |`".to_owned(),
        Token::Pipe => "`|`".to_owned(),
        Token::Close { .. } => "the end of the tag".to_owned(),
        Token::CloseTriple { .. } => "`}}}`".to_owned(),
        Token::CloseRaw => "`}}}}`".to_owned(),
    }
}
