//! The tree between parser and compiler. Its depth is bounded by the parser.

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
pub(crate) struct Body {
    pub(crate) nodes: Vec<Node>,
}

#[derive(Debug)]
pub(crate) enum Node {
    Text(Text),
    Comment(Strip),
    Mustache(Mustache),
    Block(Box<Block>),
    Partial(Box<Partial>),
    Inline(Box<Inline>),
}

#[derive(Debug)]
pub(crate) struct Mustache {
    pub(crate) strip: Strip,
    pub(crate) call: Call,
    pub(crate) escape: bool,
}

#[derive(Debug)]
pub(crate) struct Block {
    /// The opening tag, then one for each `{{else name}}`.
    pub(crate) arms: Vec<Arm>,
    /// What follows `{{else}}` or `{{^}}`.
    pub(crate) otherwise: Option<(Strip, Body)>,
    /// Whether it was opened with `{{^name}}`.
    pub(crate) inverted: bool,
    pub(crate) close: Strip,
}

#[derive(Debug)]
pub(crate) struct Arm {
    pub(crate) strip: Strip,
    pub(crate) call: Call,
    pub(crate) params: Vec<String>,
    pub(crate) body: Body,
}

#[derive(Debug)]
pub(crate) struct Partial {
    pub(crate) strip: Strip,
    pub(crate) call: Call,
    /// Body and closing tag of `{{#> name}}…{{/name}}`.
    pub(crate) block: Option<(Body, Strip)>,
    /// Where the white space before a standalone tag is.
    pub(crate) indent: Option<(usize, usize)>,
}

#[derive(Debug)]
pub(crate) struct Inline {
    pub(crate) open: Strip,
    pub(crate) close: Strip,
    pub(crate) name: String,
    pub(crate) body: Body,
}

/// A name with arguments: in a mustache, a block, a partial or a subexpression.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) head: Expr,
    pub(crate) params: Vec<Expr>,
    pub(crate) hash: Vec<(String, Expr)>,
    /// Byte offset of the head.
    pub(crate) at: usize,
}

impl Call {
    pub(crate) fn has_arguments(&self) -> bool {
        !self.params.is_empty() || !self.hash.is_empty()
    }
}

#[derive(Debug)]
pub(crate) enum Expr {
    Path(PathExpr),
    Text(String),
    Number(f64, String),
    Bool(bool),
    Null,
    Undefined,
    Call(Box<Call>),
}

impl Expr {
    /// The name as the source writes it, without brackets and quotes: what closing tags are compared with.
    pub(crate) fn original(&self) -> String {
        match self {
            Self::Path(path) => path.original.clone(),
            Self::Text(text) | Self::Number(_, text) => text.clone(),
            Self::Bool(value) => value.to_string(),
            Self::Null => "null".to_owned(),
            Self::Undefined => "undefined".to_owned(),
            Self::Call(call) => call.head.original(),
        }
    }
}

#[derive(Debug)]
pub(crate) struct PathExpr {
    pub(crate) original: String,
    pub(crate) segments: Vec<String>,
    /// How many `../` it starts with.
    pub(crate) up: usize,
    /// Whether it starts with `@`.
    pub(crate) data: bool,
    /// Whether it starts with `this`, `.` or `..`, so that it names no helper and no block parameter.
    pub(crate) scoped: bool,
    pub(crate) at: usize,
}

impl PathExpr {
    /// The only segment of an unscoped path: what may name a helper or a block parameter.
    pub(crate) fn simple_name(&self) -> Option<&str> {
        match self.segments.as_slice() {
            [only] if !self.scoped && !self.data => Some(only),
            _ => None,
        }
    }
}
