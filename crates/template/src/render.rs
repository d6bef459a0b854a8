//! Executes code: a machine with an explicit stack, so that no input can make it recurse.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::code::{
    Base, Call, CallBlock, Code, Expr, ExprId, LoopVariable, Op, PartialName, Path, Pc, ScopeEnv, Segment,
};
use crate::error::{Limit, MissingVariable, RenderError};
use crate::escape::escape_into;
use crate::location::Part;
use crate::nearest::nearest;
use crate::options::{Escape, Limits, Mode, Options};
use crate::value::{Val, utf16_length, write_f64, write_number};

/// The registered partials by name.
pub(crate) type Partials = HashMap<Box<str>, Code>;

/// How many missing variables one error names.
const MOST_MISSING: usize = 100;
/// What an index says that leads nowhere.
const NONE: u32 = u32::MAX;

/// What the parts of one rendering share: what they may still cost, and what they found missing.
#[derive(Debug)]
pub(crate) struct Shared {
    limits: Limits,
    steps: usize,
    output: usize,
    missing: Vec<MissingVariable>,
    /// Where each was found, so that a loop names a variable once: source and offset.
    places: Vec<(*const Code, u32)>,
}

impl Shared {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            steps: limits.steps,
            output: limits.output,
            missing: Vec::new(),
            places: Vec::new(),
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

/// Renders `code` with `data` and `variables` (reached with `@name`).
pub(crate) fn render(
    code: &Code,
    partials: &Partials,
    options: &Options,
    data: &Value,
    variables: &Map<String, Value>,
    shared: &mut Shared,
) -> Result<String, RenderError> {
    let capacity = (code.source.len() + code.source.len() / 2).min(shared.output);
    let root = match variables.get("root") {
        Some(root) => Val::Json(root),
        None => Val::Json(data),
    };
    let mut machine = Machine {
        code,
        pc: 0,
        context: 0,
        frame: 0,
        params: NONE,
        scope: NONE,
        root,
        contexts: vec![Context {
            value: Val::Json(data),
            parent: NONE,
        }],
        frames: vec![Frame {
            parent: NONE,
            block: NONE,
            turn: None,
        }],
        param_frames: Vec::new(),
        scopes: Vec::new(),
        blocks: Vec::new(),
        overlays: Vec::new(),
        stack: Vec::new(),
        calls: 0,
        out: String::with_capacity(capacity),
        partials,
        variables,
        part: options.part,
        mode: options.mode,
        escape: options.part == Part::Html && options.escape == Escape::HtmlPart,
        search_parents: options.search_parents,
        explicit_context: options.explicit_partial_context,
        shared,
    };
    machine.run()?;
    let out = machine.out;
    shared.output -= out.len().min(shared.output);
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
    contexts: Vec<Context<'a>>,
    frames: Vec<Frame<'a>>,
    param_frames: Vec<Params<'a>>,
    scopes: Vec<Scope<'a>>,
    blocks: Vec<Block<'a>>,
    overlays: Vec<Overlay<'a>>,
    stack: Vec<Activation<'a>>,
    /// How many of the activations are calls.
    calls: usize,
    out: String,
    partials: &'a Partials,
    variables: &'a Map<String, Value>,
    part: Part,
    mode: Mode,
    escape: bool,
    search_parents: bool,
    explicit_context: bool,
    shared: &'s mut Shared,
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
    key: Val<'a>,
    last: bool,
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
    Overlay(std::vec::IntoIter<(&'a str, Val<'a>)>),
}

impl<'a> Items<'a> {
    fn is_empty(&self) -> bool {
        match self {
            Self::Array(items) => items.len() == 0,
            Self::Object(items) => items.len() == 0,
            Self::Overlay(items) => items.len() == 0,
        }
    }

    /// The next key and value, and whether it is the last; an array's key is its index.
    fn next(&mut self) -> Option<(Option<&'a str>, Val<'a>, bool)> {
        match self {
            Self::Array(items) => items.next().map(|value| (None, Val::Json(value), items.len() == 0)),
            Self::Object(items) => items
                .next()
                .map(|(key, value)| (Some(key.as_str()), Val::Json(value), items.len() == 0)),
            Self::Overlay(items) => items.next().map(|(key, value)| (Some(key), value, items.len() == 0)),
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
    fn run(&mut self) -> Result<(), RenderError> {
        loop {
            let code = self.code;
            let Some(op) = code.ops.get(self.pc as usize) else {
                return Ok(());
            };
            self.pc += 1;
            self.charge(1)?;
            match *op {
                Op::Text { start, end } => self.write(text_of(code, start, end), false)?,
                Op::Print { expr, escape } => self.print(expr, escape)?,
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
                        self.set_context(value);
                        self.set_params(params, value, Val::Missing);
                    }
                }
                Op::Each {
                    expr,
                    params,
                    otherwise,
                } => {
                    let value = self.value(expr)?;
                    self.start_loop(value, params, otherwise);
                }
                Op::Section {
                    expr,
                    params,
                    otherwise,
                } => self.section(expr, params, otherwise)?,
                Op::Next { body } => {
                    if self.next_item() {
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
                        ScopeEnv::Outer => self.stack.last().map_or(NONE, |activation| activation.context),
                    };
                    self.open_scope(first, end, context);
                }
                Op::EndScope => {
                    if let Some(&scope) = item(&self.scopes, self.scope) {
                        self.scopes.truncate(self.scope as usize);
                        self.scope = scope.parent;
                    }
                }
                Op::Return => {
                    if self.stack.is_empty() {
                        return Ok(());
                    }
                    self.leave()?;
                }
            }
        }
    }

    fn charge(&mut self, steps: usize) -> Result<(), RenderError> {
        match self.shared.steps.checked_sub(steps) {
            Some(left) => {
                self.shared.steps = left;
                Ok(())
            }
            None => Err(self.exceeded(Limit::Steps, self.shared.limits.steps)),
        }
    }

    fn exceeded(&self, limit: Limit, max: usize) -> RenderError {
        RenderError::LimitExceeded {
            limit,
            max,
            part: self.part,
        }
    }

    // Writing

    fn write(&mut self, text: &str, escape: bool) -> Result<(), RenderError> {
        if self.out.len() + text.len() > self.shared.output {
            return Err(self.exceeded(Limit::Output, self.shared.limits.output));
        }
        if escape {
            escape_into(&mut self.out, text);
            self.check_output()
        } else {
            self.out.push_str(text);
            Ok(())
        }
    }

    fn check_output(&self) -> Result<(), RenderError> {
        if self.out.len() > self.shared.output {
            return Err(self.exceeded(Limit::Output, self.shared.limits.output));
        }
        Ok(())
    }

    fn print(&mut self, expr: ExprId, escape: bool) -> Result<(), RenderError> {
        let code = self.code;
        let value = match code.exprs.get(expr as usize) {
            Some(Expr::Path(path)) => {
                let value = self.path(path)?;
                match value {
                    Val::Missing => self.missing(path)?,
                    Val::Null | Val::Json(Value::Null) if self.mode == Mode::Ses => self.missing(path)?,
                    _ => {}
                }
                value
            }
            _ => self.value(expr)?,
        };
        self.write_value(value, escape && self.escape)
    }

    fn write_value(&mut self, value: Val<'a>, escape: bool) -> Result<(), RenderError> {
        match value {
            Val::Missing | Val::Null | Val::Opaque => Ok(()),
            Val::Text(text) => self.write(text, escape),
            Val::Bool(value) => self.write(if value { "true" } else { "false" }, false),
            Val::Number(number) => {
                write_f64(&mut self.out, number);
                self.check_output()
            }
            Val::Index(index) => {
                write_number(&mut self.out, &serde_json::Number::from(index));
                self.check_output()
            }
            Val::Overlay(_) => self.write("[object Object]", false),
            Val::Json(Value::Number(number)) => {
                write_number(&mut self.out, number);
                self.check_output()
            }
            Val::Json(Value::Object(_)) => self.write("[object Object]", false),
            Val::Json(Value::Array(items)) => self.write_array(items, escape),
            Val::Json(_) => self.write_value(value.scalar(), escape),
        }
    }

    /// Writes the items with commas between them, and those of arrays within likewise.
    fn write_array(&mut self, items: &'a [Value], escape: bool) -> Result<(), RenderError> {
        let mut open = vec![(items.iter(), true)];
        while let Some((items, first)) = open.last_mut() {
            let Some(item) = items.next() else {
                open.pop();
                continue;
            };
            let comma = !std::mem::take(first);
            self.charge(1)?;
            if comma {
                self.write(",", false)?;
            }
            match item {
                Value::Array(inner) => open.push((inner.iter(), true)),
                other => self.write_value(Val::Json(other), escape)?,
            }
        }
        Ok(())
    }

    // Values

    fn value(&mut self, expr: ExprId) -> Result<Val<'a>, RenderError> {
        let code = self.code;
        Ok(match code.exprs.get(expr as usize) {
            Some(Expr::Path(path)) => self.path(path)?,
            Some(Expr::Text(text)) => Val::Text(text),
            Some(Expr::Number(number)) => Val::Number(*number),
            Some(Expr::Bool(value)) => Val::Bool(*value),
            Some(Expr::Null) => Val::Null,
            Some(Expr::Lookup(object, name)) => {
                // As deep as the source nests subexpressions, which the parser bounds.
                let object = self.value(*object)?;
                let name = self.value(*name)?;
                self.lookup(object, name)?
            }
            Some(Expr::Undefined) | None => Val::Missing,
        })
    }

    fn lookup(&mut self, object: Val<'a>, name: Val<'a>) -> Result<Val<'a>, RenderError> {
        if object.is_empty(true) && !matches!(object, Val::Json(Value::Array(_))) {
            return Ok(object);
        }
        let mut text = String::new();
        match name.scalar() {
            Val::Text(name) => return self.property(object, name, index_of(name)),
            Val::Index(index) => write_number(&mut text, &serde_json::Number::from(index)),
            Val::Number(number) => write_f64(&mut text, number),
            Val::Json(Value::Number(number)) => write_number(&mut text, number),
            Val::Bool(value) => text.push_str(if value { "true" } else { "false" }),
            _ => return Ok(Val::Missing),
        }
        self.property(object, &text, index_of(&text))
    }

    fn property(&mut self, object: Val<'a>, key: &str, index: Option<u32>) -> Result<Val<'a>, RenderError> {
        Ok(match object {
            Val::Json(Value::Object(fields)) => fields.get(key).map_or(Val::Missing, Val::Json),
            Val::Json(Value::Array(items)) => match index {
                Some(index) => items.get(index as usize).map_or(Val::Missing, Val::Json),
                None if key == "length" => Val::Index(items.len()),
                None => Val::Missing,
            },
            Val::Text(text) => self.text_property(text, key)?,
            Val::Json(Value::String(text)) => self.text_property(text, key)?,
            Val::Overlay(overlay) => match self.overlays.get(overlay as usize) {
                Some(overlay) => match overlay.added.iter().rev().find(|(name, _)| *name == key) {
                    Some((_, value)) => *value,
                    // Overlays are laid on what was there before, so this ends.
                    None => {
                        let base = overlay.base;
                        self.charge(1)?;
                        self.property(base, key, index)?
                    }
                },
                None => Val::Missing,
            },
            _ => Val::Missing,
        })
    }

    fn text_property(&mut self, text: &str, key: &str) -> Result<Val<'a>, RenderError> {
        if key != "length" {
            return Ok(Val::Missing);
        }
        self.charge(text.len() / 1024)?;
        Ok(Val::Index(utf16_length(text)))
    }

    fn path(&mut self, path: &'a Path) -> Result<Val<'a>, RenderError> {
        let code = self.code;
        let mut segments = code
            .segments
            .get(path.first as usize..path.end as usize)
            .unwrap_or_default()
            .iter();
        let mut value = match path.base {
            Base::Context(0) if self.search_parents && path.unscoped => match segments.next() {
                Some(segment) => self.search(segment)?,
                None => Val::Missing,
            },
            Base::Context(up) => self.context_up(up),
            Base::Root => self.root,
            Base::Loop(variable, up) => self.loop_variable(variable, up),
            Base::PartialBlock => match item(&self.frames, self.frame) {
                Some(Frame { block, .. }) if *block != NONE => Val::Opaque,
                _ => Val::Missing,
            },
            Base::Variable => {
                let found = segments.next().and_then(|segment| self.variables.get(&*segment.key));
                found.map_or(Val::Missing, Val::Json)
            }
            Base::BlockParam(up, index) => self.block_param(up, index),
        };
        for segment in segments {
            value = self.property(value, &segment.key, segment.index)?;
            if matches!(value, Val::Missing) {
                break;
            }
        }
        Ok(value)
    }

    fn current(&self) -> Val<'a> {
        item(&self.contexts, self.context).map_or(Val::Missing, |context| context.value)
    }

    fn context_up(&self, up: u32) -> Val<'a> {
        let mut found = item(&self.contexts, self.context);
        for _ in 0..up {
            found = found.and_then(|context| item(&self.contexts, context.parent));
            if found.is_none() {
                break;
            }
        }
        found.map_or(Val::Missing, |context| context.value)
    }

    /// Looks for a name in the current context and those around it.
    fn search(&mut self, segment: &Segment) -> Result<Val<'a>, RenderError> {
        let mut at = self.context;
        while let Some(&Context { value, parent }) = item(&self.contexts, at) {
            self.charge(1)?;
            let found = self.property(value, &segment.key, segment.index)?;
            if !found.is_nothing() {
                return Ok(found);
            }
            at = parent;
        }
        Ok(Val::Missing)
    }

    fn loop_variable(&self, variable: LoopVariable, up: u32) -> Val<'a> {
        let mut frame = item(&self.frames, self.frame);
        for _ in 0..up {
            frame = frame.and_then(|frame| item(&self.frames, frame.parent));
            if frame.is_none() {
                break;
            }
        }
        let Some(turn) = frame.and_then(|frame| frame.turn) else {
            return Val::Missing;
        };
        match variable {
            LoopVariable::Index => Val::Index(turn.index),
            LoopVariable::Key => turn.key,
            LoopVariable::First => Val::Bool(turn.index == 0),
            LoopVariable::Last => Val::Bool(turn.last),
        }
    }

    fn block_param(&self, up: u32, index: u32) -> Val<'a> {
        let mut found = item(&self.param_frames, self.params);
        for _ in 0..up {
            found = found.and_then(|params| item(&self.param_frames, params.parent));
        }
        match (found, index) {
            (Some(params), 0) => params.first,
            (Some(params), 1) => params.second,
            _ => Val::Missing,
        }
    }

    // Blocks

    /// Remembers everything that [`Self::leave`] puts back.
    fn enter(&mut self, kind: Kind<'a>) {
        self.stack.push(Activation {
            kind,
            context: self.context,
            frame: self.frame,
            params: self.params,
            scope: self.scope,
            contexts: self.contexts.len(),
            frames: self.frames.len(),
            param_frames: self.param_frames.len(),
            scopes: self.scopes.len(),
            blocks: self.blocks.len(),
            overlays: self.overlays.len(),
        });
    }

    fn leave(&mut self) -> Result<(), RenderError> {
        let Some(activation) = self.stack.pop() else {
            return Ok(());
        };
        self.context = activation.context;
        self.frame = activation.frame;
        self.params = activation.params;
        self.scope = activation.scope;
        self.contexts.truncate(activation.contexts);
        self.frames.truncate(activation.frames);
        self.param_frames.truncate(activation.param_frames);
        self.scopes.truncate(activation.scopes);
        self.blocks.truncate(activation.blocks);
        self.overlays.truncate(activation.overlays);
        if let Kind::Call {
            code,
            pc,
            start,
            indent,
        } = activation.kind
        {
            self.calls -= 1;
            self.code = code;
            self.pc = pc;
            if !indent.is_empty() {
                self.indent(start, indent)?;
            }
        }
        Ok(())
    }

    /// Puts `indent` before every line written since `start`.
    fn indent(&mut self, start: usize, indent: &str) -> Result<(), RenderError> {
        let written = self.out.split_off(start.min(self.out.len()));
        for line in written.split_inclusive('\n') {
            self.write(indent, false)?;
            self.write(line, false)?;
        }
        self.charge(written.len() / 1024)
    }

    /// Makes `value` the context; the same value again is no new level, as in handlebars.js.
    fn set_context(&mut self, value: Val<'a>) {
        if !self.current().is_same(value) || self.context == NONE {
            self.contexts.push(Context {
                value,
                parent: self.context,
            });
            self.context = index_of_last(&self.contexts);
        }
    }

    fn set_params(&mut self, wanted: bool, first: Val<'a>, second: Val<'a>) {
        if wanted {
            self.param_frames.push(Params {
                first,
                second,
                parent: self.params,
            });
            self.params = index_of_last(&self.param_frames);
        }
    }

    fn section(&mut self, expr: ExprId, params: bool, otherwise: Pc) -> Result<(), RenderError> {
        let value = self.value(expr)?;
        if matches!(value, Val::Missing)
            && self.mode == Mode::Strict
            && let Some(Expr::Path(path)) = self.code.exprs.get(expr as usize)
        {
            self.missing(path)?;
        }
        match value.scalar() {
            Val::Missing | Val::Null | Val::Bool(false) => self.pc = otherwise,
            Val::Bool(true) => {
                self.enter(Kind::Context);
                self.set_params(params, value, Val::Missing);
            }
            Val::Json(Value::Array(_)) => self.start_loop(value, params, otherwise),
            _ => {
                self.enter(Kind::Context);
                self.set_context(value);
                self.set_params(params, value, Val::Missing);
            }
        }
        Ok(())
    }

    fn start_loop(&mut self, value: Val<'a>, params: bool, otherwise: Pc) {
        let items = match value {
            Val::Json(Value::Array(items)) => Items::Array(items.iter()),
            Val::Json(Value::Object(fields)) => Items::Object(fields.iter()),
            Val::Overlay(overlay) => Items::Overlay(self.overlay_items(overlay).into_iter()),
            _ => {
                self.pc = otherwise;
                return;
            }
        };
        if items.is_empty() {
            self.pc = otherwise;
            return;
        }
        self.enter(Kind::Loop(items));
        self.frames.push(Frame {
            turn: None,
            ..self.inner_frame()
        });
        self.frame = index_of_last(&self.frames);
        self.set_params(params, Val::Missing, Val::Missing);
        self.next_item();
    }

    /// Goes to the next item of the innermost block; false if that is no loop or has no more.
    fn next_item(&mut self) -> bool {
        let Some(activation) = self.stack.last_mut() else {
            return false;
        };
        let Kind::Loop(items) = &mut activation.kind else {
            return false;
        };
        let Some((key, value, last)) = items.next() else {
            return false;
        };
        let (outer, contexts) = (activation.context, activation.contexts);
        let frame = self.frames.get_mut(self.frame as usize);
        let mut key_value = key.map_or(Val::Missing, Val::Text);
        if let Some(frame) = frame {
            let index = frame.turn.map_or(0, |turn| turn.index + 1);
            if key.is_none() {
                key_value = Val::Index(index);
            }
            frame.turn = Some(Turn {
                index,
                key: key_value,
                last,
            });
        }
        self.contexts.truncate(contexts);
        self.context = outer;
        self.set_context(value);
        if let Some(params) = self.param_frames.get_mut(self.params as usize)
            && activation_has_params(self.stack.last(), self.params)
        {
            params.first = value;
            params.second = key_value;
        }
        true
    }

    /// The names and values of an overlay and of the object under it.
    fn overlay_items(&self, overlay: u32) -> Vec<(&'a str, Val<'a>)> {
        let mut items: Vec<(&'a str, Val<'a>)> = Vec::new();
        let mut layers = Vec::new();
        let mut next = Val::Overlay(overlay);
        while let Val::Overlay(index) = next {
            let Some(layer) = self.overlays.get(index as usize) else {
                break;
            };
            layers.push(layer);
            next = layer.base;
        }
        if let Val::Json(Value::Object(fields)) = next {
            items.extend(fields.iter().map(|(key, value)| (key.as_str(), Val::Json(value))));
        }
        for (name, value) in layers.iter().rev().flat_map(|layer| &layer.added) {
            match items.iter_mut().find(|(key, _)| key == name) {
                Some(item) => item.1 = *value,
                None => items.push((name, *value)),
            }
        }
        items
    }

    // Partials

    fn open_scope(&mut self, first: u32, end: u32, context: u32) {
        self.scopes.push(Scope {
            parent: self.scope,
            code: self.code,
            first,
            end,
            context,
            params: self.params,
        });
        self.scope = index_of_last(&self.scopes);
    }

    fn call(&mut self, index: u32) -> Result<(), RenderError> {
        let code = self.code;
        let Some(call) = code.calls.get(index as usize) else {
            return Ok(());
        };
        let found = self.resolve(call)?;
        if self.calls >= self.shared.limits.partial_depth {
            return Err(self.exceeded(Limit::PartialDepth, self.shared.limits.partial_depth));
        }
        let value = self.partial_context(call)?;
        let indent = call.indent.map_or("", |(start, end)| text_of(code, start, end));
        self.enter(Kind::Call {
            code,
            pc: self.pc,
            start: self.out.len(),
            indent,
        });
        // The overlay made for the context belongs to the call.
        if let (Val::Overlay(_), Some(activation)) = (value, self.stack.last_mut()) {
            activation.overlays = activation.overlays.saturating_sub(usize::from(!call.hash.is_empty()));
        }
        self.calls += 1;
        let mut context = self.context;
        let mut params = self.params;
        let mut entry = None;
        if let Some(block) = &call.block {
            if block.first < block.end {
                self.open_scope(block.first, block.end, self.context);
            }
            match &found {
                Some(_) => self.pass_block(block),
                // What stands in the block is for when there is no such partial.
                None => entry = Some((code, block.entry)),
            }
        }
        if let Some(target) = &found {
            entry = Some((target.code, target.entry));
            context = target.context;
            params = target.params;
            if let Some(scope) = target.scope {
                self.scope = scope;
            }
            if let Some(block) = target.block {
                self.frames.push(Frame {
                    block,
                    ..self.inner_frame()
                });
                self.frame = index_of_last(&self.frames);
            }
        }
        let Some((code, pc)) = entry else {
            return Err(self.not_found(call));
        };
        self.code = code;
        self.pc = pc;
        self.params = params;
        self.context = context;
        self.set_context(value);
        Ok(())
    }

    /// A frame within the current one.
    fn inner_frame(&self) -> Frame<'a> {
        let current = item(&self.frames, self.frame);
        Frame {
            parent: self.frame,
            block: current.map_or(NONE, |frame| frame.block),
            turn: current.and_then(|frame| frame.turn),
        }
    }

    /// Makes the block of a call `@partial-block` for the partial called.
    fn pass_block(&mut self, block: &CallBlock) {
        let frame = self.inner_frame();
        self.blocks.push(Block {
            code: self.code,
            entry: block.entry,
            context: self.context,
            params: self.params,
            scope: self.scope,
            outer: frame.block,
        });
        self.frames.push(Frame {
            block: index_of_last(&self.blocks),
            ..frame
        });
        self.frame = index_of_last(&self.frames);
    }

    fn partial_context(&mut self, call: &'a Call) -> Result<Val<'a>, RenderError> {
        let base = match call.context {
            Some(expr) => self.value(expr)?,
            None if self.explicit_context => Val::Missing,
            None => self.current(),
        };
        if call.hash.is_empty() {
            return Ok(base);
        }
        let mut added = Vec::with_capacity(call.hash.len());
        for (name, expr) in &call.hash {
            added.push((&**name, self.value(*expr)?));
        }
        self.charge(added.len())?;
        self.overlays.push(Overlay { base, added });
        Ok(Val::Overlay(index_of_last(&self.overlays)))
    }

    /// Finds what a call means; `None` if there is no such partial.
    fn resolve(&mut self, call: &'a Call) -> Result<Option<Target<'a>>, RenderError> {
        Ok(match &call.name {
            PartialName::Static(name) => self.named(name)?,
            PartialName::Block => {
                let frame = item(&self.frames, self.frame);
                let block = frame.and_then(|frame| item(&self.blocks, frame.block));
                block.map(|block| Target {
                    code: block.code,
                    entry: block.entry,
                    context: block.context,
                    params: block.params,
                    scope: Some(block.scope),
                    block: Some(block.outer),
                })
            }
            PartialName::Dynamic(expr) => match self.value(*expr)?.scalar() {
                Val::Text(name) => self.named(name)?,
                _ => None,
            },
        })
    }

    fn named(&mut self, name: &str) -> Result<Option<Target<'a>>, RenderError> {
        let mut at = self.scope;
        while let Some(&scope) = item(&self.scopes, at) {
            let inlines = scope
                .code
                .inlines
                .get(scope.first as usize..scope.end as usize)
                .unwrap_or_default();
            self.charge(inlines.len())?;
            if let Some(inline) = inlines.iter().rev().find(|inline| &*inline.name == name) {
                let Scope {
                    code, context, params, ..
                } = scope;
                return Ok(Some(Target {
                    code,
                    entry: inline.entry,
                    context,
                    params,
                    scope: None,
                    block: None,
                }));
            }
            at = scope.parent;
        }
        let context = if self.search_parents { self.context } else { NONE };
        Ok(self.partials.get(name).map(|code| Target {
            code,
            entry: 0,
            context,
            params: NONE,
            scope: None,
            block: None,
        }))
    }

    fn not_found(&mut self, call: &'a Call) -> RenderError {
        let name = match &call.name {
            PartialName::Static(name) => name.to_string(),
            PartialName::Block => "@partial-block".to_owned(),
            PartialName::Dynamic(expr) => match self.value(*expr).map(Val::scalar) {
                Ok(Val::Text(name)) => name.chars().take(100).collect(),
                _ => "undefined".to_owned(),
            },
        };
        RenderError::PartialNotFound {
            name,
            location: self.code.location(self.part, call.at),
        }
    }

    // Missing variables

    fn missing(&mut self, path: &'a Path) -> Result<(), RenderError> {
        if self.mode == Mode::Lenient {
            return Ok(());
        }
        let place = (std::ptr::from_ref(self.code), path.at);
        if self.shared.missing.len() >= MOST_MISSING || self.shared.places.contains(&place) {
            return Ok(());
        }
        let variable = MissingVariable {
            name: path.name.to_string(),
            location: self.code.location(self.part, path.at),
            nearest: self.hint(path)?,
        };
        if self.mode == Mode::Ses {
            return Err(RenderError::MissingAttribute(variable));
        }
        self.shared.places.push(place);
        self.shared.missing.push(variable);
        Ok(())
    }

    /// What the author of `path` probably meant.
    fn hint(&mut self, path: &'a Path) -> Result<Option<String>, RenderError> {
        let code = self.code;
        let segments = code
            .segments
            .get(path.first as usize..path.end as usize)
            .unwrap_or_default();
        let Base::Context(up) = path.base else { return Ok(None) };
        let mut value = self.context_up(up);
        for (index, segment) in segments.iter().enumerate() {
            let next = self.property(value, &segment.key, segment.index)?;
            if !next.is_nothing() {
                value = next;
                continue;
            }
            if index == 0 && up == 0 && path.unscoped {
                // Inside a loop, the name of something outside it.
                let mut level = 1;
                let mut at = item(&self.contexts, self.context).map_or(NONE, |context| context.parent);
                while let Some(&Context { value, parent }) = item(&self.contexts, at) {
                    if !self.property(value, &segment.key, segment.index)?.is_nothing() {
                        return Ok(Some(format!("{}{}", "../".repeat(level), path.name)));
                    }
                    level += 1;
                    at = parent;
                }
            }
            let Val::Json(Value::Object(fields)) = value else {
                return Ok(None);
            };
            let found = nearest(&segment.key, fields.keys().map(String::as_str));
            return Ok(found.map(|name| {
                let before = segments
                    .get(..index)
                    .unwrap_or_default()
                    .iter()
                    .map(|segment| &*segment.key);
                "../".repeat(up as usize) + &before.chain([name]).collect::<Vec<_>>().join(".")
            }));
        }
        Ok(None)
    }
}

fn item<T>(list: &[T], index: u32) -> Option<&T> {
    list.get(index as usize)
}

fn index_of_last<T>(list: &[T]) -> u32 {
    u32::try_from(list.len()).map_or(NONE, |length| length.wrapping_sub(1))
}

fn index_of(key: &str) -> Option<u32> {
    let canonical = key == "0" || (!key.starts_with('0') && key.bytes().all(|byte| byte.is_ascii_digit()));
    if canonical { key.parse().ok() } else { None }
}

/// Whether the innermost block made block parameters of its own.
fn activation_has_params(activation: Option<&Activation<'_>>, params: u32) -> bool {
    activation.is_some_and(|activation| activation.params != params)
}

fn text_of(code: &Code, start: u32, end: u32) -> &str {
    code.source.get(start as usize..end as usize).unwrap_or_default()
}
