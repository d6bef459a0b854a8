//! The compiled form of one source: flat arrays of instructions, expressions and names.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Map, Value};

use crate::error::{CompileError, CompileErrorKind};
use crate::helper::Helper;
use crate::location::{Location, Part};
use crate::options::Options;

/// Index of an instruction.
pub(crate) type Pc = u32;
/// Index into [`Code::exprs`].
pub(crate) type ExprId = u32;

/// One compiled source.
#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) source: Arc<str>,
    /// Name of the registered partial, if it is one.
    pub(crate) partial: Option<Arc<str>>,
    pub(crate) ops: Vec<Op>,
    pub(crate) exprs: Vec<Expr>,
    pub(crate) segments: Vec<Segment>,
    pub(crate) calls: Vec<Call>,
    pub(crate) inlines: Vec<InlinePartial>,
    pub(crate) helpers: Vec<HelperCall>,
    /// How long the output was when it was longer than expected, or much shorter.
    pub(crate) output: AtomicU32,
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

    /// How much memory to set aside for the output, in bytes.
    pub(crate) fn expected_output(&self) -> usize {
        match self.output.load(Ordering::Relaxed) as usize {
            0 => self.source.len() + self.source.len() / 2,
            known => known + known / 8,
        }
    }

    /// Learns from an output of `length` bytes. Most of the time there is nothing to learn, and nothing is written.
    pub(crate) fn remember_output(&self, length: usize) {
        let expected = self.expected_output();
        if length > expected || length < expected / 2 {
            let length = u32::try_from(length).unwrap_or(u32::MAX).max(1);
            self.output.store(length, Ordering::Relaxed);
        }
    }

    /// What is written as it stands in the source, in the order of the instructions.
    pub(crate) fn constant_texts(&self) -> impl Iterator<Item = &str> {
        self.ops.iter().filter_map(|op| match *op {
            Op::Text { start, end }
            | Op::Print { start, end, .. }
            | Op::PrintField { start, end, .. }
            | Op::Next { start, end, .. }
                if start < end =>
            {
                self.source.get(start as usize..end as usize)
            }
            _ => None,
        })
    }

    /// Compiles `source` as a part, or as a registered partial.
    pub(crate) fn compile(source: &str, partial: Option<&str>, options: &Options) -> Result<Self, CompileError> {
        let fail = |(at, kind)| CompileError::new(Location::new(options.part, partial, source, at), kind);
        options.helpers.check().map_err(|kind| fail((0, kind)))?;
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
    /// Writes a range of the source, then a value.
    Print {
        start: u32,
        end: u32,
        expr: ExprId,
        escape: bool,
    },
    /// As [`Op::Print`], of a path that is one name in the current context.
    PrintField {
        start: u32,
        end: u32,
        expr: ExprId,
        segment: u32,
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
    /// Enters the body as often as block helper number `call` says, or jumps.
    Helper {
        call: u32,
        params: bool,
        otherwise: Pc,
    },
    /// Writes a range of the source, then goes on with the next item at `body`, or leaves.
    Next {
        start: u32,
        end: u32,
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
    /// `(helper …)`: index into [`Code::helpers`]
    Helper(u32),
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
    /// What it costs to follow, beside the step of its instruction: nothing unless it is very long.
    pub(crate) cost: u32,
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

#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) key: Box<str>,
    /// The key as an array index, if it is one.
    pub(crate) index: Option<u32>,
    /// Where in an object the key was found last: records look alike.
    position: AtomicU32,
}

impl Clone for Segment {
    fn clone(&self) -> Self {
        Self::new(&self.key)
    }
}

impl Path {
    pub(crate) fn cost(segments: &[Segment]) -> u32 {
        let bytes: usize = segments.iter().map(|segment| 8 + segment.key.len()).sum();
        u32::try_from(bytes / 64).unwrap_or(u32::MAX)
    }
}

impl Segment {
    pub(crate) fn new(key: &str) -> Self {
        Self {
            key: key.into(),
            index: array_index(key),
            position: AtomicU32::new(0),
        }
    }

    /// Looks for the key in `fields`: where it was the last time, then everywhere.
    #[inline]
    pub(crate) fn find<'v>(&self, fields: &'v Map<String, Value>) -> Option<&'v Value> {
        let position = self.position.load(Ordering::Relaxed) as usize;
        match fields.iter().nth(position) {
            Some((key, value)) if **key == *self.key => Some(value),
            _ => self.search(fields),
        }
    }

    fn search<'v>(&self, fields: &'v Map<String, Value>) -> Option<&'v Value> {
        // Farther in, hashing is faster than counting up to there.
        const FARTHEST: u32 = 32;
        for (position, (key, value)) in (0..FARTHEST).zip(fields) {
            if **key == *self.key {
                self.position.store(position, Ordering::Relaxed);
                return Some(value);
            }
        }
        if fields.len() > FARTHEST as usize {
            fields.get(&*self.key)
        } else {
            None
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

/// A call of a registered helper.
#[derive(Clone, Debug)]
pub(crate) struct HelperCall {
    pub(crate) helper: Helper,
    pub(crate) name: Box<str>,
    /// The positional arguments, then those with names.
    pub(crate) arguments: Box<[ExprId]>,
    pub(crate) names: Box<[Box<str>]>,
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
