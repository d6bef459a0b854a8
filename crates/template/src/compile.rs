//! Turns the tree into flat code.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::AtomicU32;

use crate::ast::{self, Block, Body, Node};
use crate::code::{
    Base, Call, CallBlock, Code, Expr, ExprId, HelperCall, InlinePartial, LoopVariable, Op, PartialName, Path, Pc,
    ScopeEnv, Segment,
};
use crate::error::CompileErrorKind;
use crate::helper::{BUILT_IN, Helper, Helpers};
use crate::lex::LexError;
use crate::options::Options;
use crate::whitespace::trimmed;

/// Names of the placeholders that Amazon SES fills in after rendering.
const PLACEHOLDERS: [&str; 2] = ["ses:openTracker", "amazonSESUnsubscribeUrl"];

pub(crate) fn compile<'t>(
    source: &str,
    partial: Option<&str>,
    body: &'t Body<'t>,
    options: &'t Options,
) -> Result<Code, LexError> {
    let mut compiler = Compiler {
        code: Code {
            source: source.into(),
            partial: partial.map(Into::into),
            ops: Vec::new(),
            exprs: Vec::new(),
            segments: Vec::new(),
            calls: Vec::new(),
            inlines: Vec::new(),
            helpers: Vec::new(),
            output: AtomicU32::new(0),
        },
        block_params: 0,
        params_by_name: HashMap::new(),
        indent_partials: options.indent_partials,
        search_parents: options.search_parents,
        helpers: &options.helpers,
        target: 0,
    };
    compiler.scoped_body(body, ScopeEnv::Root)?;
    compiler.code.ops.push(Op::Return);
    Ok(compiler.code)
}

struct Compiler<'t> {
    code: Code,
    /// How many blocks with parameters are open.
    block_params: u32,
    /// Where each name in scope is one: in which of them (innermost last), and its place there.
    params_by_name: HashMap<&'t str, Vec<(u32, u32)>>,
    indent_partials: bool,
    search_parents: bool,
    helpers: &'t Helpers,
    /// The last instruction that something jumps to.
    target: usize,
}

/// Offsets fit: the length of the source is checked first, and nothing compiles to more items than it has bytes.
fn narrow(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

impl<'t> Compiler<'t> {
    /// The place of the next instruction, as the target of a jump.
    fn here(&mut self) -> Pc {
        self.target = self.code.ops.len();
        narrow(self.target)
    }

    /// Adds an instruction whose target is set by [`Self::land`].
    fn emit(&mut self, op: Op) -> usize {
        self.code.ops.push(op);
        self.code.ops.len() - 1
    }

    /// Lets the jump at `index` lead to the next instruction.
    fn land(&mut self, index: usize) {
        let target = self.here();
        if let Some(
            Op::Jump { to: otherwise }
            | Op::Test { otherwise, .. }
            | Op::With { otherwise, .. }
            | Op::Each { otherwise, .. }
            | Op::Section { otherwise, .. }
            | Op::Helper { otherwise, .. },
        ) = self.code.ops.get_mut(index)
        {
            *otherwise = target;
        }
    }

    /// Compiles the inline partials of `body` and returns their range.
    ///
    /// They are hoisted: a partial may be used above its definition.
    fn inlines(&mut self, body: &'t Body<'t>) -> Result<(u32, u32), LexError> {
        let mut found = Vec::new();
        for node in &body.nodes {
            if let Node::Inline(inline) = node {
                let over = self.emit(Op::Jump { to: 0 });
                let entry = self.here();
                self.scoped_body(&inline.body, ScopeEnv::Current)?;
                self.emit(Op::Return);
                self.land(over);
                found.push(InlinePartial {
                    name: (*inline.name).into(),
                    entry,
                });
            }
        }
        let first = narrow(self.code.inlines.len());
        self.code.inlines.append(&mut found);
        Ok((first, narrow(self.code.inlines.len())))
    }

    fn scoped_body(&mut self, body: &'t Body<'t>, env: ScopeEnv) -> Result<(), LexError> {
        let (first, end) = self.inlines(body)?;
        if first < end {
            self.emit(Op::Scope { first, end, env });
        }
        for node in &body.nodes {
            self.node(node)?;
        }
        if first < end {
            self.emit(Op::EndScope);
        }
        Ok(())
    }

    fn text(&mut self, start: usize, end: usize) {
        if start >= end {
            return;
        }
        self.emit(Op::Text {
            start: narrow(start),
            end: narrow(end),
        });
    }

    /// Takes back the text just emitted, if the next instruction can write it instead.
    fn text_before(&mut self) -> (u32, u32) {
        match self.code.ops.last() {
            Some(&Op::Text { start, end }) if self.target < self.code.ops.len() => {
                self.code.ops.pop();
                (start, end)
            }
            _ => (0, 0),
        }
    }

    fn print(&mut self, expr: ExprId, escape: bool) {
        let (start, end) = self.text_before();
        let op = match self.code.exprs.get(expr as usize) {
            Some(Expr::Path(path))
                if path.base == Base::Context(0)
                    && path.end == path.first + 1
                    && path.cost == 0
                    && !(self.search_parents && path.unscoped) =>
            {
                Op::PrintField {
                    start,
                    end,
                    expr,
                    segment: path.first,
                    escape,
                }
            }
            _ => Op::Print {
                start,
                end,
                expr,
                escape,
            },
        };
        self.emit(op);
    }

    fn node(&mut self, node: &'t Node<'t>) -> Result<(), LexError> {
        match node {
            Node::Text(text) => {
                let (start, end) = trimmed(&self.code.source, text);
                self.text(start, end);
                Ok(())
            }
            Node::Comment(_) | Node::Inline(_) => Ok(()),
            Node::Mustache(mustache) => self.mustache(mustache),
            Node::Partial(partial) => self.partial(partial),
            Node::Block(block) => self.block(block),
        }
    }

    fn mustache(&mut self, mustache: &'t ast::Mustache<'t>) -> Result<(), LexError> {
        let call = &mustache.call;
        if let Some(name) = PLACEHOLDERS.iter().find(|name| is_placeholder(call, name)) {
            let expr = self.expr_id(Expr::Text(format!("{{{{{name}}}}}").into()));
            self.print(expr, false);
            return Ok(());
        }
        // `{{(lookup a b)}}` is `{{lookup a b}}`.
        if let (ast::Expr::Call(_), false) = (&call.head, call.has_arguments()) {
            let expr = self.value(&call.head)?;
            self.print(expr, mustache.escape);
            return Ok(());
        }
        match self.helper(call)? {
            Head::BuiltIn("lookup") => {
                let expr = self.lookup(call)?;
                self.print(expr, mustache.escape);
            }
            // It says something to a developer's console, and there is none.
            Head::BuiltIn("log") => {}
            Head::BuiltIn(helper) => return Err((call.at, block_only(helper))),
            Head::Helper(helper) => {
                let expr = self.inline_helper(call, helper)?;
                self.print(expr, mustache.escape);
            }
            Head::Value => {
                let expr = self.value_or_key(call)?;
                self.print(expr, mustache.escape);
            }
        }
        Ok(())
    }

    /// What `call` calls.
    fn helper(&self, call: &ast::Call<'_>) -> Result<Head<'t>, LexError> {
        let name = match &call.head {
            ast::Expr::Path(path) => path.simple_name(),
            ast::Expr::Call(inner) => return Err((inner.at, not_callable(inner))),
            ast::Expr::Text(name) if call.has_arguments() => Some(&**name),
            _ => None,
        };
        let name = name.filter(|name| self.block_param(name).is_none());
        if let Some(name) = name {
            if let Some(builtin) = BUILT_IN.into_iter().find(|builtin| *builtin == name) {
                return Ok(Head::BuiltIn(builtin));
            }
            if let Some(helper) = self.helpers.find(name) {
                return Ok(Head::Helper(helper));
            }
        }
        let reserved = matches!(name, Some("helperMissing" | "blockHelperMissing"));
        if reserved || call.has_arguments() {
            return Err((call.at, not_callable(call)));
        }
        Ok(Head::Value)
    }

    fn inline_helper(&mut self, call: &ast::Call<'_>, helper: &Helper) -> Result<ExprId, LexError> {
        if let Helper::Block(_) = helper {
            let kind = "a block helper: write `{{#name …}}…{{/name}}`";
            return Err((call.at, helper_use(call, kind)));
        }
        let call = self.helper_call(call, helper)?;
        Ok(self.expr_id(Expr::Helper(call)))
    }

    fn helper_call(&mut self, call: &ast::Call<'_>, helper: &Helper) -> Result<u32, LexError> {
        let values = call.params.iter().chain(call.hash.iter().map(|(_, value)| value));
        let arguments = values.map(|value| self.value(value)).collect::<Result<_, _>>()?;
        self.code.helpers.push(HelperCall {
            helper: helper.clone(),
            name: (*call.head.original()).into(),
            arguments,
            names: call.hash.iter().map(|(name, _)| (**name).into()).collect(),
            at: narrow(call.at),
        });
        Ok(narrow(self.code.helpers.len() - 1))
    }

    fn expr_id(&mut self, expr: Expr) -> ExprId {
        self.code.exprs.push(expr);
        narrow(self.code.exprs.len() - 1)
    }

    /// Compiles an argument: literals are values.
    fn value(&mut self, expr: &ast::Expr<'_>) -> Result<ExprId, LexError> {
        let compiled = match expr {
            ast::Expr::Path(path) => Expr::Path(self.path(path)),
            ast::Expr::Text(text) => Expr::Text((**text).into()),
            ast::Expr::Number(number, _) => Expr::Number(*number),
            ast::Expr::Bool(value) => Expr::Bool(*value),
            ast::Expr::Null => Expr::Null,
            ast::Expr::Undefined => Expr::Undefined,
            ast::Expr::Call(call) => {
                return match self.helper(call)? {
                    Head::BuiltIn("lookup") => self.lookup(call),
                    Head::BuiltIn(helper) => Err((call.at, block_only(helper))),
                    Head::Helper(helper) => self.inline_helper(call, helper),
                    Head::Value => Err((call.at, not_callable(call))),
                };
            }
        };
        Ok(self.expr_id(compiled))
    }

    /// Compiles what stands alone in a tag: there a literal names a key of the context.
    fn value_or_key(&mut self, call: &ast::Call<'_>) -> Result<ExprId, LexError> {
        match &call.head {
            ast::Expr::Path(_) | ast::Expr::Call(_) => self.value(&call.head),
            literal => {
                let key = literal.original();
                let first = narrow(self.code.segments.len());
                self.code.segments.push(Segment::new(&key));
                let path = Path {
                    base: Base::Context(0),
                    first,
                    end: first + 1,
                    unscoped: true,
                    at: narrow(call.at),
                    length: 0,
                    cost: Path::cost(self.code.segments.get(first as usize..).unwrap_or_default()),
                    name: Some(key.into()),
                };
                Ok(self.expr_id(Expr::Path(path)))
            }
        }
    }

    fn lookup(&mut self, call: &ast::Call<'_>) -> Result<ExprId, LexError> {
        let [object, name] = call.params.as_slice() else {
            let expected = "two arguments, an object or array and a name or index";
            return Err((
                call.at,
                CompileErrorKind::Arguments {
                    helper: "lookup",
                    expected,
                },
            ));
        };
        let object = self.value(object)?;
        let name = self.value(name)?;
        Ok(self.expr_id(Expr::Lookup(object, name)))
    }

    fn name_params(&mut self, params: &'t [Cow<'t, str>]) {
        // Of two of the same name, the first counts.
        for (index, name) in params.iter().enumerate().rev() {
            let places = self.params_by_name.entry(name).or_default();
            places.push((self.block_params, narrow(index)));
        }
        self.block_params += 1;
    }

    fn forget_params(&mut self, params: &'t [Cow<'t, str>]) {
        self.block_params -= 1;
        for name in params {
            self.params_by_name.get_mut(&**name).and_then(Vec::pop);
        }
    }

    /// How many blocks with parameters up `name` is one, and which.
    fn block_param(&self, name: &str) -> Option<(u32, u32)> {
        if self.block_params == 0 {
            return None;
        }
        let (block, index) = self.params_by_name.get(name)?.last()?;
        Some((self.block_params - 1 - block, *index))
    }

    fn path(&mut self, path: &ast::PathExpr<'_>) -> Path {
        let mut names = path.segments.as_slice();
        let param = names
            .first()
            .filter(|_| !path.scoped && !path.data)
            .and_then(|name| self.block_param(name));
        let base = if let Some((up, index)) = param {
            names = names.get(1..).unwrap_or_default();
            Base::BlockParam(up, index)
        } else if path.data {
            let base = match names.first().map(|name| &**name) {
                Some("root") => Base::Root,
                Some("index") => Base::Loop(LoopVariable::Index, narrow(path.up)),
                Some("key") => Base::Loop(LoopVariable::Key, narrow(path.up)),
                Some("first") => Base::Loop(LoopVariable::First, narrow(path.up)),
                Some("last") => Base::Loop(LoopVariable::Last, narrow(path.up)),
                Some("partial-block") => Base::PartialBlock,
                _ => Base::Variable,
            };
            if base != Base::Variable {
                names = names.get(1..).unwrap_or_default();
            }
            base
        } else {
            Base::Context(narrow(path.up))
        };
        let first = narrow(self.code.segments.len());
        self.code.segments.extend(names.iter().map(|name| Segment::new(name)));
        Path {
            base,
            first,
            end: narrow(self.code.segments.len()),
            unscoped: !path.scoped && !path.data && param.is_none() && !names.is_empty(),
            at: narrow(path.at),
            length: narrow(path.original.len()),
            cost: Path::cost(self.code.segments.get(first as usize..).unwrap_or_default()),
            name: match &path.original {
                Cow::Borrowed(_) => None,
                Cow::Owned(name) => Some(name.as_str().into()),
            },
        }
    }

    fn partial(&mut self, partial: &'t ast::Partial<'t>) -> Result<(), LexError> {
        let call = &partial.call;
        if call.params.len() > 1 {
            let expected = "a name, then at most one context, then `name=value`";
            return Err((
                call.at,
                CompileErrorKind::Arguments {
                    helper: "a partial",
                    expected,
                },
            ));
        }
        let name = match &call.head {
            ast::Expr::Call(_) => PartialName::Dynamic(self.value(&call.head)?),
            ast::Expr::Path(path) if path.original == "@partial-block" => PartialName::Block,
            head => PartialName::Static(head.original().into()),
        };
        let context = call.params.first().map(|param| self.value(param)).transpose()?;
        let hash = self.hash(call)?;
        let block = match &partial.block {
            None => None,
            Some((body, _)) => {
                let over = self.emit(Op::Jump { to: 0 });
                let (first, end) = self.inlines(body)?;
                let entry = self.here();
                for node in &body.nodes {
                    self.node(node)?;
                }
                self.emit(Op::Return);
                self.land(over);
                Some(CallBlock { entry, first, end })
            }
        };
        let mut indent = partial.indent.map(|(start, end)| (narrow(start), narrow(end)));
        if !self.indent_partials
            && let Some((start, end)) = indent.take()
        {
            self.emit(Op::Text { start, end });
        }
        let index = narrow(self.code.calls.len());
        self.code.calls.push(Call {
            name,
            context,
            hash,
            block,
            indent,
            at: narrow(call.at),
        });
        self.emit(Op::Partial { call: index });
        Ok(())
    }

    fn hash(&mut self, call: &ast::Call<'_>) -> Result<Vec<(Box<str>, ExprId)>, LexError> {
        call.hash
            .iter()
            .map(|(name, value)| Ok(((**name).into(), self.value(value)?)))
            .collect()
    }

    /// Compiles a block: each arm jumps to the next if it doesn't apply, and to the end if it does.
    fn block(&mut self, block: &'t Block<'t>) -> Result<(), LexError> {
        let mut ends = Vec::new();
        let mut complete = false;
        let empty: &'t Body<'t> = const { &Body { nodes: Vec::new() } };
        for (index, arm) in block.arms.iter().enumerate() {
            // `{{^name}}` swaps what stands before and behind its `{{else}}`.
            let (body, params) = match &block.otherwise {
                _ if !block.inverted => (&arm.body, arm.params.as_slice()),
                Some((_, behind)) => (behind, [].as_slice()),
                None => (empty, [].as_slice()),
            };
            let Some(head) = self.open_arm(&arm.call, params)? else {
                complete = true;
                break;
            };
            let enters = !matches!(self.code.ops.get(head), Some(Op::Test { .. }));
            let start = self.here();
            if !params.is_empty() && enters {
                self.name_params(params);
            }
            self.scoped_body(body, if enters { ScopeEnv::Outer } else { ScopeEnv::Current })?;
            if !params.is_empty() && enters {
                self.forget_params(params);
            }
            if enters {
                let (text, end) = self.text_before();
                self.emit(Op::Next {
                    start: text,
                    end,
                    body: start,
                });
            }
            if index + 1 < block.arms.len() || block.inverted || block.otherwise.is_some() {
                ends.push(self.emit(Op::Jump { to: 0 }));
            }
            self.land(head);
        }
        match (&block.otherwise, block.arms.first()) {
            _ if complete => {}
            (_, Some(arm)) if block.inverted => self.scoped_body(&arm.body, ScopeEnv::Current)?,
            (Some((_, body)), _) => self.scoped_body(body, ScopeEnv::Current)?,
            _ => {}
        }
        for end in ends {
            self.land(end);
        }
        Ok(())
    }

    /// Emits the instruction that enters an arm; `None` if the arm is always taken and already complete.
    fn open_arm(&mut self, call: &'t ast::Call<'t>, params: &[Cow<'_, str>]) -> Result<Option<usize>, LexError> {
        let helper = self.helper(call)?;
        let params = !params.is_empty();
        let otherwise = 0;
        let op = match helper {
            Head::BuiltIn(helper @ ("if" | "unless")) => {
                let expr = self.only_argument(helper, call)?;
                let hash = call.hash.iter().find(|(name, _)| name == "includeZero");
                let include_zero = hash.map(|(_, value)| self.value(value)).transpose()?;
                Op::Test {
                    expr,
                    negate: helper == "unless",
                    include_zero,
                    otherwise,
                }
            }
            Head::BuiltIn("each") => Op::Each {
                expr: self.only_argument("each", call)?,
                params,
                otherwise,
            },
            Head::BuiltIn("with") => Op::With {
                expr: self.only_argument("with", call)?,
                params,
                otherwise,
            },
            Head::BuiltIn("lookup") => {
                let expr = self.lookup(call)?;
                self.print(expr, false);
                return Ok(None);
            }
            Head::BuiltIn(_) => return Ok(None),
            Head::Helper(Helper::Inline { .. }) => {
                let kind = "an inline helper: write `{{name …}}` or `(name …)`";
                return Err((call.at, helper_use(call, kind)));
            }
            Head::Helper(helper @ Helper::Block(_)) => Op::Helper {
                call: self.helper_call(call, helper)?,
                params,
                otherwise,
            },
            Head::Value => Op::Section {
                expr: self.value_or_key(call)?,
                params,
                otherwise,
            },
        };
        Ok(Some(self.emit(op)))
    }

    fn only_argument(&mut self, helper: &'static str, call: &ast::Call<'_>) -> Result<ExprId, LexError> {
        let [argument] = call.params.as_slice() else {
            return Err((
                call.at,
                CompileErrorKind::Arguments {
                    helper,
                    expected: "exactly one argument",
                },
            ));
        };
        self.value(argument)
    }
}

/// What the first word of a tag means.
enum Head<'h> {
    BuiltIn(&'static str),
    Helper(&'h Helper),
    /// No helper: a value.
    Value,
}

/// Whether `call` is a placeholder for Amazon SES and no variable.
pub(crate) fn is_any_placeholder(call: &ast::Call<'_>) -> bool {
    PLACEHOLDERS.iter().any(|name| is_placeholder(call, name))
}

fn is_placeholder(call: &ast::Call<'_>, name: &str) -> bool {
    !call.has_arguments() && matches!(&call.head, ast::Expr::Path(path) if path.simple_name() == Some(name))
}

fn block_only(helper: &'static str) -> CompileErrorKind {
    CompileErrorKind::Arguments {
        helper,
        expected: "a block: write `{{#name …}}…{{/name}}`",
    }
}

fn helper_use(call: &ast::Call<'_>, kind: &'static str) -> CompileErrorKind {
    CompileErrorKind::HelperUse {
        name: call.head.original().into_owned(),
        kind,
    }
}

fn not_callable(call: &ast::Call<'_>) -> CompileErrorKind {
    CompileErrorKind::UnknownHelper {
        name: call.head.original().into_owned(),
    }
}
