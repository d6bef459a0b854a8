//! Goes through sources as rendering would.

use std::borrow::Cow;
use std::collections::HashMap;

use super::scope::{Chain, Context, Guard, Known, Params, Place, Scope, iter, push};
use super::shape::{NodeId, ROOT};
use super::{Analysis, Source};
use crate::ast::{Block, Body, Call, Expr, Node, PathExpr};
use crate::code::array_index;
use crate::compile::is_any_placeholder;
use crate::helper::{BUILT_IN, Helper};
use crate::options::Options;
use crate::variable::Usage;

pub(super) fn walk<'a>(
    analysis: &mut Analysis,
    main: &'a Source<'a>,
    partials: &'a HashMap<&'a str, Source<'a>>,
    options: &'a Options,
) {
    let mut walker = Walker {
        analysis,
        partials,
        options,
        overlays: Vec::new(),
        calls: Vec::new(),
        seen: HashMap::new(),
    };
    let mut place = Place {
        code: main.code,
        contexts: None,
        loops: None,
        params: None,
        scopes: None,
        block: None,
        guards: None,
        calls: None,
    };
    place.set_context(Known::Node(ROOT));
    walker.scoped_body(&main.body, place, &None);
    // Partials are looked at one after the other, however deep they call each other.
    while let Some(Pending { body, place, scoped }) = walker.calls.pop() {
        if scoped {
            let contexts = place.contexts.clone();
            walker.scoped_body(body, place, &contexts);
        } else {
            walker.body(body, &place);
        }
    }
}

pub(super) struct Walker<'a, 'w> {
    pub(super) analysis: &'w mut Analysis,
    pub(super) partials: &'a HashMap<&'a str, Source<'a>>,
    pub(super) options: &'a Options,
    pub(super) overlays: Vec<Overlay<'a>>,
    pub(super) calls: Vec<Pending<'a>>,
    /// Calls that would show nothing new.
    pub(super) seen: HashMap<(*const Body<'a>, NodeId, *const ()), Chain<Guard>>,
}

/// The names that a call of a partial adds to its context.
pub(super) struct Overlay<'a> {
    pub(super) base: Known,
    pub(super) names: HashMap<&'a str, Known>,
}

/// The body of a partial that is still to be looked at.
pub(super) struct Pending<'a> {
    pub(super) body: &'a Body<'a>,
    pub(super) place: Place<'a>,
    /// Whether its inline partials have yet to be given names.
    pub(super) scoped: bool,
}

/// What the first word of a tag means.
enum Head<'h> {
    BuiltIn(&'static str),
    Helper(&'h Helper),
    Value,
}

impl<'a> Walker<'a, '_> {
    /// Goes through `body`, whose inline partials see `contexts`.
    pub(super) fn scoped_body(&mut self, body: &'a Body<'a>, mut place: Place<'a>, contexts: &Chain<Context>) {
        self.open_scope(body, &mut place, contexts);
        self.body(body, &place);
    }

    pub(super) fn open_scope(&mut self, body: &'a Body<'a>, place: &mut Place<'a>, contexts: &Chain<Context>) {
        let inlines = body.nodes.iter().filter_map(|node| match node {
            Node::Inline(inline) => Some((&*inline.name, &inline.body)),
            _ => None,
        });
        let inlines: Vec<_> = inlines.collect();
        if !inlines.is_empty() {
            let scope = Scope {
                inlines,
                code: place.code,
                contexts: contexts.clone(),
                params: place.params.clone(),
            };
            push(&mut place.scopes, scope);
        }
    }

    pub(super) fn body(&mut self, body: &'a Body<'a>, place: &Place<'a>) {
        for node in &body.nodes {
            if !self.analysis.charge(1) {
                return;
            }
            match node {
                Node::Text(_) | Node::Comment(_) | Node::Inline(_) => {}
                Node::Mustache(mustache) => self.mustache(&mustache.call, place),
                Node::Block(block) => self.block(block, place),
                Node::Partial(partial) => self.partial(partial, place),
            }
        }
    }

    fn mustache(&mut self, call: &'a Call<'a>, place: &Place<'a>) {
        if is_any_placeholder(call) {
            return;
        }
        if let (Expr::Call(inner), false) = (&call.head, call.has_arguments()) {
            self.call(inner, place);
            return;
        }
        match self.head(call, place) {
            Head::Value => {
                self.value_or_key(call, place, Usage::Printed);
            }
            Head::BuiltIn("lookup") | Head::Helper(_) => {
                self.call(call, place);
            }
            Head::BuiltIn(_) => {}
        }
    }

    fn head(&self, call: &Call<'_>, place: &Place<'a>) -> Head<'a> {
        let name = match &call.head {
            Expr::Path(path) => path.simple_name(),
            Expr::Text(name) if call.has_arguments() => Some(&**name),
            _ => None,
        };
        let Some(name) = name.filter(|name| self.param(name, place).is_none()) else {
            return Head::Value;
        };
        if let Some(builtin) = BUILT_IN.into_iter().find(|builtin| *builtin == name) {
            return Head::BuiltIn(builtin);
        }
        self.options.helpers.find(name).map_or(Head::Value, Head::Helper)
    }

    /// Goes through the arguments of `lookup` or of a helper, and says what comes of them.
    pub(super) fn call(&mut self, call: &'a Call<'a>, place: &Place<'a>) -> Known {
        match self.head(call, place) {
            Head::BuiltIn("lookup") => self.lookup(call, place),
            Head::Helper(helper) => {
                let required = !matches!(helper, Helper::Inline { tolerant: true, .. });
                for value in call.params.iter().chain(call.hash.iter().map(|(_, value)| value)) {
                    self.value(value, place, Usage::Passed, required);
                }
                Known::Nothing
            }
            _ => Known::Nothing,
        }
    }

    fn lookup(&mut self, call: &'a Call<'a>, place: &Place<'a>) -> Known {
        let [object, name] = call.params.as_slice() else {
            return Known::Nothing;
        };
        let object = self.value(object, place, Usage::LookedUp, false);
        match (object, name) {
            (object, Expr::Text(name) | Expr::Number(_, name)) => {
                let found = self.property(object, name);
                if let Known::Node(node) = found {
                    let written = self.written(call.at, name.len(), place);
                    self.record(node, false, Usage::LookedUp, call.at, &written, place);
                }
                found
            }
            (_, name) => {
                self.value(name, place, Usage::LookedUp, false);
                Known::Nothing
            }
        }
    }

    /// What a literal name is called where it is used: there is no path to quote.
    fn written(&self, at: usize, length: usize, place: &Place<'a>) -> String {
        let rest = place.code.source.get(at..).unwrap_or_default();
        let end = rest.find(['}', ')']).unwrap_or(rest.len()).min(200 + length);
        crate::error::shortened(rest.get(..end).unwrap_or_default().trim())
    }

    fn value_or_key(&mut self, call: &'a Call<'a>, place: &Place<'a>, usage: Usage) -> Known {
        match &call.head {
            Expr::Path(path) => self.path(path, place, usage, true),
            Expr::Call(call) => self.call(call, place),
            literal => {
                let name = literal.original();
                let Known::Node(node) = self.property(place.context(), &name) else {
                    return Known::Nothing;
                };
                self.use_node(node, false, usage, true, call.at, &name, place);
                Known::Node(node)
            }
        }
    }

    pub(super) fn value(&mut self, expr: &'a Expr<'a>, place: &Place<'a>, usage: Usage, required: bool) -> Known {
        match expr {
            Expr::Path(path) => self.path(path, place, usage, required),
            Expr::Call(call) => self.call(call, place),
            Expr::Null | Expr::Undefined => Known::Never,
            Expr::Text(_) | Expr::Number(..) | Expr::Bool(_) => Known::Scalar,
        }
    }

    /// What the block parameter `name` stands for.
    fn param(&self, name: &str, place: &Place<'a>) -> Option<Known> {
        iter(&place.params).find_map(|params| {
            let index = params.names.iter().position(|known| *known == name)?;
            // The second is an index or a name, if it is anything.
            Some(if index == 0 { params.first } else { Known::Scalar })
        })
    }

    fn path(&mut self, path: &'a PathExpr<'a>, place: &Place<'a>, usage: Usage, required: bool) -> Known {
        let mut names = path.segments.as_slice();
        let first = names.first().map(|name| &**name);
        let param = first.filter(|_| !path.scoped && !path.data);
        let param = param.and_then(|name| self.param(name, place));
        let mut found = if let Some(param) = param {
            names = names.get(1..).unwrap_or_default();
            param
        } else if path.data {
            names = names.get(1..).unwrap_or_default();
            match first {
                Some("root") => Known::Node(ROOT),
                Some("key") => {
                    if let Some(Known::Node(node)) = iter(&place.loops).nth(path.up) {
                        self.analysis.graph.change(*node, |node| node.keyed = true);
                    }
                    Known::Nothing
                }
                _ => Known::Nothing,
            }
        } else {
            self.context_up(path.up, place)
        };
        let last = names.len().saturating_sub(1);
        for (index, name) in names.iter().enumerate() {
            if !self.analysis.charge(1) {
                return Known::Nothing;
            }
            if let (Known::Node(node), true, "length") = (found, index == last, &**name)
                && node != ROOT
            {
                self.analysis.graph.change(node, |node| node.measured = true);
                self.use_node(node, true, usage, required, path.at, &path.original, place);
                return Known::Scalar;
            }
            found = self.property(found, name);
        }
        if let Known::Node(node) = found {
            self.use_node(node, false, usage, required, path.at, &path.original, place);
        }
        if (found, required) == (Known::Never, true) && self.analysis.never.is_none() {
            let at = u32::try_from(path.at).unwrap_or_default();
            let location = place.code.location(self.options.part, at);
            self.analysis.never = Some((crate::error::shortened(&path.original), location));
        }
        found
    }

    fn context_up(&mut self, up: usize, place: &Place<'a>) -> Known {
        for (level, context) in iter(&place.contexts).enumerate() {
            if let Some(section) = context.section {
                self.analysis.graph.change(section, |node| node.scoped = true);
            }
            if level == up {
                return context.value;
            }
        }
        Known::Never
    }

    fn property(&mut self, object: Known, name: &str) -> Known {
        let mut object = object;
        loop {
            match object {
                // A literal text has a length and characters.
                Known::Scalar if name == "length" || array_index(name).is_some() => return Known::Nothing,
                Known::Scalar => return Known::Never,
                Known::Nothing | Known::Never => return object,
                Known::Node(node) => {
                    return self
                        .analysis
                        .graph
                        .field(node, name)
                        .map_or(Known::Nothing, Known::Node);
                }
                Known::Overlay(overlay) => {
                    // Overlays lie on what was there before them, so this ends.
                    let Some(overlay) = self.overlays.get(overlay).filter(|_| self.analysis.left > 0) else {
                        return Known::Nothing;
                    };
                    if let Some(value) = overlay.names.get(name) {
                        return *value;
                    }
                    object = overlay.base;
                    self.analysis.left -= 1;
                }
            }
        }
    }

    fn block(&mut self, block: &'a Block<'a>, place: &Place<'a>) {
        let mut otherwise = block.otherwise.as_ref().map(|(_, body)| body);
        let mut rest = place.clone();
        for arm in &block.arms {
            // `{{^name}}` swaps what stands before and behind its `{{else}}`.
            let (body, params) = if block.inverted {
                (otherwise.replace(&arm.body), [].as_slice())
            } else {
                (Some(&arm.body), arm.params.as_slice())
            };
            let Some(inner) = self.open_arm(&arm.call, params, &mut rest) else {
                return;
            };
            if let (Some(body), Some(inner)) = (body, inner) {
                let contexts = rest.contexts.clone();
                self.scoped_body(body, inner, &contexts);
            }
        }
        if let Some(body) = otherwise {
            let contexts = rest.contexts.clone();
            self.scoped_body(body, rest, &contexts);
        }
    }

    /// Says what names mean within an arm, if that can be reached, and lets `rest` know what holds behind it; `None` if
    /// nothing comes behind.
    fn open_arm(
        &mut self,
        call: &'a Call<'a>,
        params: &'a [Cow<'a, str>],
        rest: &mut Place<'a>,
    ) -> Option<Option<Place<'a>>> {
        let mut inner = rest.clone();
        let name_params = |inner: &mut Place<'a>, first| {
            if !params.is_empty() {
                push(&mut inner.params, Params { names: params, first });
            }
        };
        match self.head(call, rest) {
            Head::BuiltIn(helper @ ("if" | "unless")) => {
                let value = self.value(call.params.first()?, rest, Usage::Tested, false);
                for (_, value) in &call.hash {
                    self.value(value, rest, Usage::Tested, false);
                }
                self.guard(value, if helper == "if" { &mut inner } else { rest });
                if (value, helper) == (Known::Never, "if") {
                    return Some(None);
                }
            }
            Head::BuiltIn("each") => {
                let value = self.value(call.params.first()?, rest, Usage::Looped, false);
                let item = self.item(value);
                if value == Known::Never {
                    return Some(None);
                }
                if let Known::Node(node) = value {
                    self.analysis.graph.change(node, |node| node.looped = true);
                }
                self.guard(value, &mut inner);
                push(&mut inner.loops, value);
                inner.set_context(item);
                name_params(&mut inner, item);
            }
            Head::BuiltIn("with") => {
                let value = self.value(call.params.first()?, rest, Usage::Entered, false);
                if value == Known::Never {
                    return Some(None);
                }
                self.guard(value, &mut inner);
                inner.set_context(value);
                name_params(&mut inner, value);
            }
            Head::BuiltIn("lookup") => {
                self.lookup(call, rest);
                return None;
            }
            Head::BuiltIn(_) => return None,
            Head::Helper(_) => {
                self.call(call, rest);
                push(&mut inner.loops, Known::Nothing);
                name_params(&mut inner, Known::Nothing);
            }
            Head::Value => {
                let value = self.value_or_key(call, rest, Usage::Section);
                let item = self.item(value);
                self.guard(value, &mut inner);
                push(&mut inner.loops, value);
                let section = match value {
                    Known::Node(node) => Some(node),
                    _ => None,
                };
                if let (Some(node), false) = (section, params.is_empty()) {
                    self.analysis.graph.change(node, |node| node.scoped = true);
                }
                push(&mut inner.contexts, Context { value: item, section });
                name_params(&mut inner, item);
            }
        }
        Some(Some(inner))
    }

    fn item(&mut self, list: Known) -> Known {
        match list {
            Known::Node(node) => self.analysis.graph.items(node).map_or(Known::Nothing, Known::Node),
            Known::Never => Known::Never,
            _ => Known::Nothing,
        }
    }
}
