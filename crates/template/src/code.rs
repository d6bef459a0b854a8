//! The compiled form of one source: flat arrays of instructions, expressions and names.

use std::sync::Arc;

use crate::error::{CompileError, CompileErrorKind};
use crate::location::{Location, Part};
use crate::options::Options;

/// Index of an instruction.
pub(crate) type Pc = u32;
/// Index into [`Code::exprs`].
pub(crate) type ExprId = u32;

/// One compiled source.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) source: Arc<str>,
    /// Name of the registered partial, if it is one.
    pub(crate) partial: Option<Arc<str>>,
    pub(crate) ops: Vec<Op>,
    pub(crate) exprs: Vec<Expr>,
    pub(crate) segments: Vec<Segment>,
    pub(crate) calls: Vec<Call>,
    pub(crate) inlines: Vec<InlinePartial>,
}

impl Code {
    pub(crate) fn location(&self, part: Part, at: u32) -> Location {
        Location::new(part, self.partial.as_deref(), &self.source, at as usize)
    }

    /// The name of `path` as its author would say it.
    pub(crate) fn name<'c>(&'c self, path: &'c Path) -> &'c str {
        let start = path.at as usize;
        let written = || self.source.get(start..start + path.length as usize).unwrap_or_default();
        path.name.as_deref().unwrap_or_else(written)
    }

    /// Compiles `source` as a part, or as a registered partial.
    pub(crate) fn compile(source: &str, partial: Option<&str>, options: &Options) -> Result<Self, CompileError> {
        let fail = |(at, kind)| CompileError::new(Location::new(options.part, partial, source, at), kind);
        // Offsets are kept in 32 bits.
        let limit = options.limits.source.min(1 << 30);
        if source.len() > limit {
            return Err(fail((0, CompileErrorKind::TooLong { limit })));
        }
        let mut body = crate::parse::parse(source, options.limits.depth).map_err(fail)?;
        crate::whitespace::control(source, &mut body, true, options.standalone);
        crate::compile::compile(source, partial, &body, options).map_err(fail)
    }
}

/// One instruction. Targets are absolute.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    /// Writes a range of the source.
    Text {
        start: u32,
        end: u32,
    },
    /// Writes a value.
    Print {
        expr: ExprId,
        escape: bool,
    },
    Jump {
        to: Pc,
    },
    /// Goes on if the value is true (or false, when `negate`), else jumps.
    Test {
        expr: ExprId,
        negate: bool,
        include_zero: Option<ExprId>,
        otherwise: Pc,
    },
    /// Enters the value as context, or jumps if it is empty.
    With {
        expr: ExprId,
        params: bool,
        otherwise: Pc,
    },
    /// Enters the first item, or jumps if there is none.
    Each {
        expr: ExprId,
        params: bool,
        otherwise: Pc,
    },
    /// A mustache section: a loop, a context or a condition, as the value is.
    Section {
        expr: ExprId,
        params: bool,
        otherwise: Pc,
    },
    /// Goes on with the next item at `body`, or leaves.
    Next {
        body: Pc,
    },
    /// Calls partial number `call`.
    Partial {
        call: u32,
    },
    /// Opens a scope in which inline partials `first..end` have names.
    Scope {
        first: u32,
        end: u32,
        env: ScopeEnv,
    },
    /// Leaves the innermost scope.
    EndScope,
    /// Ends the code or goes back to the caller.
    Return,
}

/// Which contexts the inline partials of a scope can reach with `../`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScopeEnv {
    /// None: they belong to a whole source.
    Root,
    /// Those at this place.
    Current,
    /// Those outside the block that has just been entered.
    Outer,
}

#[derive(Clone, Debug)]
pub(crate) enum Expr {
    Path(Path),
    Text(Box<str>),
    Number(f64),
    Bool(bool),
    Null,
    Undefined,
    /// `(lookup object name)`
    Lookup(ExprId, ExprId),
}

#[derive(Clone, Debug)]
pub(crate) struct Path {
    pub(crate) base: Base,
    /// Range of [`Code::segments`].
    pub(crate) first: u32,
    pub(crate) end: u32,
    /// Whether it starts with a name that enclosing contexts may have too.
    pub(crate) unscoped: bool,
    /// Where it stands in the source, and how long it is there.
    pub(crate) at: u32,
    pub(crate) length: u32,
    /// Its name, if that is not exactly what stands there.
    pub(crate) name: Option<Box<str>>,
}

/// What a path starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    /// The context so many levels up.
    Context(u32),
    /// The data of the whole rendering.
    Root,
    /// A variable of the loop so many levels up.
    Loop(LoopVariable, u32),
    /// Whether a partial block was passed.
    PartialBlock,
    /// A variable given beside the data: its name is the first segment.
    Variable,
    /// A block parameter: so many blocks with parameters up, and which.
    BlockParam(u32, u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LoopVariable {
    Index,
    Key,
    First,
    Last,
}

#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) key: Box<str>,
    /// The key as an array index, if it is one.
    pub(crate) index: Option<u32>,
}

impl Segment {
    pub(crate) fn new(key: &str) -> Self {
        Self {
            key: key.into(),
            index: array_index(key),
        }
    }
}

/// Reads `key` as an array index: only in the form that JavaScript would write it, so not `01`.
pub(crate) fn array_index(key: &str) -> Option<u32> {
    let canonical = key == "0" || (!key.starts_with('0') && key.bytes().all(|byte| byte.is_ascii_digit()));
    if canonical { key.parse().ok() } else { None }
}

#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) name: PartialName,
    pub(crate) context: Option<ExprId>,
    pub(crate) hash: Vec<(Box<str>, ExprId)>,
    pub(crate) block: Option<CallBlock>,
    /// Range of the source that indents each line.
    pub(crate) indent: Option<(u32, u32)>,
    pub(crate) at: u32,
}

#[derive(Clone, Debug)]
pub(crate) enum PartialName {
    Static(Box<str>),
    /// `@partial-block`
    Block,
    Dynamic(ExprId),
}

/// What stands between `{{#> name}}` and `{{/name}}`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallBlock {
    pub(crate) entry: Pc,
    /// Its inline partials, which the called partial can use.
    pub(crate) first: u32,
    pub(crate) end: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct InlinePartial {
    pub(crate) name: Box<str>,
    pub(crate) entry: Pc,
}
