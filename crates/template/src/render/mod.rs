//! Executes code: a machine with an explicit stack, so that no input can make it recurse.

mod block;
mod helper;
mod lookup;
mod missing;
mod output;
mod partial;

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::arena::{Arena, End};
use crate::code::{Code, Op, Pc, ScopeEnv};
use crate::error::{Limit, MissingVariable, RenderError};
use crate::location::Part;
use crate::options::{Escape, Limits, Mode, Options};
use crate::value::Val;

/// The registered partials by name.
pub(crate) type Partials = HashMap<Box<str>, Code>;

/// What an index says that leads nowhere.
const NONE: u32 = u32::MAX;

/// What the parts of one rendering share: what they may still cost, what they found missing, and working memory.
pub(crate) struct Shared<'a> {
    limits: Limits,
    steps: usize,
    output: usize,
    missing: Vec<MissingVariable>,
    /// In which source each was found, so that a source names a variable once.
    places: Vec<(*const Code, &'a str)>,
    memory: Memory<'a>,
    /// Where values go that helpers make.
    end: &'a End,
}

/// The lists that a [`Machine`] works with, kept so that the next part need not allocate them again.
#[derive(Default)]
struct Memory<'a> {
    contexts: Vec<Context<'a>>,
    frames: Vec<Frame<'a>>,
    param_frames: Vec<Params<'a>>,
    scopes: Vec<Scope<'a>>,
    blocks: Vec<Block<'a>>,
    overlays: Vec<Overlay<'a>>,
    stack: Vec<Activation<'a>>,
    /// The arguments of the calls that are being evaluated.
    arguments: Vec<Val<'a>>,
    /// Those of the call that has just returned.
    returned: Vec<Val<'a>>,
}

impl Memory<'_> {
    fn clear(&mut self) {
        self.contexts.clear();
        self.frames.clear();
        self.param_frames.clear();
        self.scopes.clear();
        self.blocks.clear();
        self.overlays.clear();
        self.stack.clear();
        self.arguments.clear();
        self.returned.clear();
    }
}

impl<'a> Shared<'a> {
    pub(crate) fn new(limits: Limits, arena: &'a Arena) -> Self {
        Self {
            limits,
            steps: limits.steps,
            output: limits.output,
            missing: Vec::new(),
            places: Vec::new(),
            memory: Memory::default(),
            end: arena.end(),
        }
    }

    /// Fails if anything was missing.
    pub(crate) fn finish(self) -> Result<(), RenderError> {
        if self.missing.is_empty() {
            Ok(())
        } else {
            Err(RenderError::Missing(self.missing))
        }
    }
}

/// An error, small enough to be returned from everywhere.
type Failure = Box<RenderError>;

/// What a template is rendered with.
#[derive(Clone, Copy)]
pub(crate) struct Input<'d> {
    pub(crate) data: &'d Value,
    /// What names mean that the data lacks.
    pub(crate) defaults: Option<&'d Value>,
    /// Reached with `@name`.
    pub(crate) variables: Option<&'d Map<String, Value>>,
}

impl<'d> Input<'d> {
    pub(crate) fn new(data: &'d Value) -> Self {
        Self {
            data,
            defaults: None,
            variables: None,
        }
    }

    /// The data and its defaults as one object, and the two where they really are two.
    fn merge(&self) -> (Val<'d>, [Option<&'d Map<String, Value>>; 2]) {
        match (self.data, self.defaults) {
            (Value::Object(data), Some(Value::Object(defaults))) if !data.is_empty() && !defaults.is_empty() => {
                (Val::Merged, [Some(data), Some(defaults)])
            }
            (Value::Object(data), Some(defaults @ Value::Object(_))) if data.is_empty() => {
                (Val::Json(defaults), [None; 2])
            }
            (Value::Null, Some(defaults @ Value::Object(_))) => (Val::Json(defaults), [None; 2]),
            (data, _) => (Val::Json(data), [None; 2]),
        }
    }
}

pub(crate) fn render<'a>(
    code: &'a Code,
    partials: &'a Partials,
    options: &Options,
    input: &Input<'a>,
    shared: &mut Shared<'a>,
) -> Result<String, RenderError> {
    let capacity = code.expected_output().min(shared.output);
    let mut memory = std::mem::take(&mut shared.memory);
    memory.clear();
    let (data, merged) = input.merge();
    let root = input.variables.and_then(|variables| variables.get("root"));
    let mut machine = Machine {
        code,
        pc: 0,
        context: 0,
        frame: 0,
        params: NONE,
        scope: NONE,
        root: root.map_or(data, Val::Json),
        merged,
        memory,
        calls: 0,
        steps: shared.steps,
        room: shared.output,
        out: String::with_capacity(capacity),
        partials,
        variables: input.variables,
        part: options.part,
        mode: options.mode,
        escape: options.part == Part::Html && options.escape == Escape::HtmlPart,
        search_parents: options.search_parents,
        explicit_context: options.explicit_partial_context,
        shared,
    };
    machine.memory.contexts.push(Context {
        value: data,
        parent: NONE,
    });
    machine.memory.frames.push(Frame {
        parent: NONE,
        block: NONE,
        turn: None,
    });
    machine.run().map_err(|failure| *failure)?;
    let Machine {
        memory,
        out,
        steps,
        room,
        ..
    } = machine;
    shared.memory = memory;
    shared.steps = steps;
    shared.output = room.saturating_sub(out.len());
    code.remember_output(out.len());
    Ok(out)
}

struct Machine<'a, 's> {
    code: &'a Code,
    pc: Pc,
    /// The current context, loop frame, block parameters and scope: indices into the lists below.
    context: u32,
    frame: u32,
    params: u32,
    scope: u32,
    root: Val<'a>,
    /// The two objects of [`Val::Merged`], the one that wins first.
    merged: [Option<&'a Map<String, Value>>; 2],
    memory: Memory<'a>,
    /// How many of the activations are calls.
    calls: usize,
    /// What may still be executed.
    steps: usize,
    out: String,
    /// How long the output may get.
    room: usize,
    partials: &'a Partials,
    variables: Option<&'a Map<String, Value>>,
    part: Part,
    mode: Mode,
    escape: bool,
    search_parents: bool,
    explicit_context: bool,
    shared: &'s mut Shared<'a>,
}

#[derive(Clone, Copy)]
struct Context<'a> {
    value: Val<'a>,
    parent: u32,
}

/// What `@index` and the like mean.
#[derive(Clone, Copy)]
struct Frame<'a> {
    parent: u32,
    /// What `@partial-block` is.
    block: u32,
    turn: Option<Turn<'a>>,
}

#[derive(Clone, Copy)]
struct Turn<'a> {
    index: usize,
    /// The name of the item; an array's items have none but their index.
    key: Option<&'a str>,
    last: bool,
}

impl<'a> Turn<'a> {
    /// What `@key` is.
    fn name(&self) -> Val<'a> {
        self.key.map_or(Val::Index(self.index), Val::Text)
    }
}

#[derive(Clone, Copy)]
struct Params<'a> {
    first: Val<'a>,
    second: Val<'a>,
    parent: u32,
}

/// Inline partials that have names here.
#[derive(Clone, Copy)]
struct Scope<'a> {
    parent: u32,
    code: &'a Code,
    first: u32,
    end: u32,
    context: u32,
    params: u32,
}

/// A partial block with what it could see where it was written.
#[derive(Clone, Copy)]
struct Block<'a> {
    code: &'a Code,
    entry: Pc,
    context: u32,
    params: u32,
    scope: u32,
    /// What `@partial-block` is within it.
    outer: u32,
}

struct Overlay<'a> {
    base: Val<'a>,
    added: Vec<(&'a str, Val<'a>)>,
}

/// What has to be put back when something is left.
struct Activation<'a> {
    kind: Kind<'a>,
    context: u32,
    frame: u32,
    params: u32,
    scope: u32,
    contexts: usize,
    frames: usize,
    param_frames: usize,
    scopes: usize,
    blocks: usize,
    overlays: usize,
}

enum Kind<'a> {
    Context,
    Loop(Items<'a>),
    Call {
        code: &'a Code,
        pc: Pc,
        start: usize,
        indent: &'a str,
    },
}

enum Items<'a> {
    Array(std::slice::Iter<'a, Value>),
    Object(serde_json::map::Iter<'a>),
    Made(std::vec::IntoIter<(&'a str, Val<'a>)>),
    /// So many turns in one and the same context.
    Times(std::ops::Range<u64>),
}

impl<'a> Items<'a> {
    fn is_empty(&self) -> bool {
        match self {
            Self::Array(items) => items.len() == 0,
            Self::Object(items) => items.len() == 0,
            Self::Made(items) => items.len() == 0,
            Self::Times(turns) => turns.is_empty(),
        }
    }

    /// The next key and value, and whether it is the last. An array's key is its index; without a value the context
    /// stays what it is.
    fn next(&mut self) -> Option<(Option<&'a str>, Option<Val<'a>>, bool)> {
        match self {
            Self::Array(items) => items
                .next()
                .map(|value| (None, Some(Val::Json(value)), items.len() == 0)),
            Self::Object(items) => items
                .next()
                .map(|(key, value)| (Some(key.as_str()), Some(Val::Json(value)), items.len() == 0)),
            Self::Made(items) => items
                .next()
                .map(|(key, value)| (Some(key), Some(value), items.len() == 0)),
            Self::Times(turns) => turns.next().map(|_| (None, None, turns.is_empty())),
        }
    }
}

/// Where a partial's name leads.
struct Target<'a> {
    code: &'a Code,
    entry: Pc,
    context: u32,
    params: u32,
    scope: Option<u32>,
    /// What `@partial-block` becomes, if it changes.
    block: Option<u32>,
}

impl<'a> Machine<'a, '_> {
    fn run(&mut self) -> Result<(), Failure> {
        loop {
            let code = self.code;
            let Some(op) = code.ops.get(self.pc as usize) else {
                return Ok(());
            };
            self.pc += 1;
            self.charge(1)?;
            match *op {
                Op::Text { start, end } => self.write(text_of(code, start, end), false)?,
                Op::Print {
                    start,
                    end,
                    expr,
                    escape,
                } => {
                    self.write(text_of(code, start, end), false)?;
                    self.print(expr, escape)?;
                }
                Op::PrintField {
                    start,
                    end,
                    expr,
                    segment,
                    escape,
                } => {
                    self.write(text_of(code, start, end), false)?;
                    self.print_field(expr, segment, escape)?;
                }
                Op::Jump { to } => self.pc = to,
                Op::Test {
                    expr,
                    negate,
                    include_zero,
                    otherwise,
                } => {
                    let zero = match include_zero {
                        Some(flag) => !self.value(flag)?.is_empty(false),
                        None => false,
                    };
                    if self.value(expr)?.is_empty(zero) != negate {
                        self.pc = otherwise;
                    }
                }
                Op::With {
                    expr,
                    params,
                    otherwise,
                } => {
                    let value = self.value(expr)?;
                    if value.is_empty(true) {
                        self.pc = otherwise;
                    } else {
                        self.enter(Kind::Context);
                        self.set_context(value)?;
                        self.set_params(params, value, Val::Missing);
                    }
                }
                Op::Each {
                    expr,
                    params,
                    otherwise,
                } => {
                    let value = self.value(expr)?;
                    self.start_loop(value, params, otherwise)?;
                }
                Op::Section {
                    expr,
                    params,
                    otherwise,
                } => self.section(expr, params, otherwise)?,
                Op::Helper {
                    call,
                    params,
                    otherwise,
                } => {
                    if let Some(call) = code.helpers.get(call as usize) {
                        self.block_helper(call, params, otherwise)?;
                    }
                }
                Op::Next { start, end, body } => {
                    self.write(text_of(code, start, end), false)?;
                    if self.next_item()? {
                        self.pc = body;
                    } else {
                        self.leave()?;
                    }
                }
                Op::Partial { call } => self.call(call)?,
                Op::Scope { first, end, env } => {
                    let context = match env {
                        ScopeEnv::Root => NONE,
                        ScopeEnv::Current => self.context,
                        ScopeEnv::Outer => self.memory.stack.last().map_or(NONE, |activation| activation.context),
                    };
                    self.open_scope(first, end, context);
                }
                Op::EndScope => {
                    if let Some(&scope) = item(&self.memory.scopes, self.scope) {
                        self.memory.scopes.truncate(self.scope as usize);
                        self.scope = scope.parent;
                    }
                }
                Op::Return => {
                    if self.memory.stack.is_empty() {
                        return Ok(());
                    }
                    self.leave()?;
                }
            }
        }
    }

    #[inline]
    fn charge(&mut self, steps: usize) -> Result<(), Failure> {
        match self.steps.checked_sub(steps) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => Err(self.exceeded(Limit::Steps, self.shared.limits.steps)),
        }
    }

    #[cold]
    fn exceeded(&self, limit: Limit, max: usize) -> Failure {
        Box::new(RenderError::LimitExceeded {
            limit,
            max,
            part: self.part,
        })
    }
}

fn item<T>(list: &[T], index: u32) -> Option<&T> {
    list.get(index as usize)
}

fn index_of_last<T>(list: &[T]) -> u32 {
    u32::try_from(list.len()).map_or(NONE, |length| length.wrapping_sub(1))
}

fn text_of(code: &Code, start: u32, end: u32) -> &str {
    code.source.get(start as usize..end as usize).unwrap_or_default()
}
