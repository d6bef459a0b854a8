//! The tree between parser and compiler. Its depth is bounded by the parser, its texts are the source's where they can be.

use std::borrow::Cow;

/// Which sides of a tag carry `~`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Strip {
    pub(crate) open: bool,
    pub(crate) close: bool,
}

/// What is cut off one end of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cut {
    #[default]
    Nothing,
    /// The rest of the line that a standalone tag stands on.
    Line,
    /// All white space, because of `~`.
    All,
}

#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) left: Cut,
    pub(crate) right: Cut,
}

#[derive(Debug, Default)]
pub(crate) struct Body<'s> {
    pub(crate) nodes: Vec<Node<'s>>,
}

#[derive(Debug)]
pub(crate) enum Node<'s> {
    Text(Text),
    Comment(Strip),
    Mustache(Mustache<'s>),
    Block(Box<Block<'s>>),
    Partial(Box<Partial<'s>>),
    Inline(Box<Inline<'s>>),
}

#[derive(Debug)]
pub(crate) struct Mustache<'s> {
    pub(crate) strip: Strip,
    pub(crate) call: Call<'s>,
    pub(crate) escape: bool,
}

#[derive(Debug)]
pub(crate) struct Block<'s> {
    /// The opening tag, then one for each `{{else name}}`.
    pub(crate) arms: Vec<Arm<'s>>,
    /// What follows `{{else}}` or `{{^}}`.
    pub(crate) otherwise: Option<(Strip, Body<'s>)>,
    /// Whether it was opened with `{{^name}}`.
    pub(crate) inverted: bool,
    pub(crate) close: Strip,
}

#[derive(Debug)]
pub(crate) struct Arm<'s> {
    pub(crate) strip: Strip,
    pub(crate) call: Call<'s>,
    pub(crate) params: Vec<Cow<'s, str>>,
    pub(crate) body: Body<'s>,
}

#[derive(Debug)]
pub(crate) struct Partial<'s> {
    pub(crate) strip: Strip,
    pub(crate) call: Call<'s>,
    /// Body and closing tag of `{{#> name}}…{{/name}}`.
    pub(crate) block: Option<(Body<'s>, Strip)>,
    /// Where the white space before a standalone tag is.
    pub(crate) indent: Option<(usize, usize)>,
}

#[derive(Debug)]
pub(crate) struct Inline<'s> {
    pub(crate) open: Strip,
    pub(crate) close: Strip,
    pub(crate) name: Cow<'s, str>,
    pub(crate) body: Body<'s>,
}

/// A name with arguments: in a mustache, a block, a partial or a subexpression.
#[derive(Debug)]
pub(crate) struct Call<'s> {
    pub(crate) head: Expr<'s>,
    pub(crate) params: Vec<Expr<'s>>,
    pub(crate) hash: Vec<(Cow<'s, str>, Expr<'s>)>,
    /// Byte offset of the head.
    pub(crate) at: usize,
}

impl Call<'_> {
    pub(crate) fn has_arguments(&self) -> bool {
        !self.params.is_empty() || !self.hash.is_empty()
    }
}

#[derive(Debug)]
pub(crate) enum Expr<'s> {
    Path(PathExpr<'s>),
    Text(Cow<'s, str>),
    Number(f64, Cow<'s, str>),
    Bool(bool),
    Null,
    Undefined,
    Call(Box<Call<'s>>),
}

impl<'s> Expr<'s> {
    /// The name as the source writes it, without brackets and quotes: what closing tags are compared with.
    pub(crate) fn original(&self) -> Cow<'s, str> {
        match self {
            Self::Path(path) => path.original.clone(),
            Self::Text(text) | Self::Number(_, text) => text.clone(),
            Self::Bool(true) => Cow::Borrowed("true"),
            Self::Bool(false) => Cow::Borrowed("false"),
            Self::Null => Cow::Borrowed("null"),
            Self::Undefined => Cow::Borrowed("undefined"),
            Self::Call(call) => call.head.original(),
        }
    }
}

#[derive(Debug)]
pub(crate) struct PathExpr<'s> {
    pub(crate) original: Cow<'s, str>,
    pub(crate) segments: Vec<Cow<'s, str>>,
    /// How many `../` it starts with.
    pub(crate) up: usize,
    /// Whether it starts with `@`.
    pub(crate) data: bool,
    /// Whether it starts with `this`, `.` or `..`, so that it names no helper and no block parameter.
    pub(crate) scoped: bool,
    pub(crate) at: usize,
}

impl PathExpr<'_> {
    /// The only segment of an unscoped path: what may name a helper or a block parameter.
    pub(crate) fn simple_name(&self) -> Option<&str> {
        match self.segments.as_slice() {
            [only] if !self.scoped && !self.data => Some(only),
            _ => None,
        }
    }
}
