//! Goes through sources as rendering would.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::rc::Rc;

use super::scope::{Active, Chain, Context, Guard, Known, Params, PartialBlock, Place, Scope, iter, push};
use super::shape::{NodeId, ROOT, Step};
use super::{Analysis, First, Source, Use};
use crate::ast::{Block, Body, Call, Expr, Node, Partial, PathExpr};
use crate::code::{Code, array_index};
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

struct Walker<'a, 'w> {
    analysis: &'w mut Analysis,
    partials: &'a HashMap<&'a str, Source<'a>>,
    options: &'a Options,
    overlays: Vec<Overlay<'a>>,
    calls: Vec<Pending<'a>>,
    /// Calls that would show nothing new.
    seen: HashMap<(*const Body<'a>, NodeId, *const ()), Chain<Guard>>,
}

/// The names that a call of a partial adds to its context.
struct Overlay<'a> {
    base: Known,
    names: HashMap<&'a str, Known>,
}

/// The body of a partial that is still to be looked at.
struct Pending<'a> {
    body: &'a Body<'a>,
    place: Place<'a>,
    /// Whether its inline partials have yet to be given names.
    scoped: bool,
}

/// What the first word of a tag means.
enum Head<'h> {
    BuiltIn(&'static str),
    Helper(&'h Helper),
    Value,
}

impl<'a> Walker<'a, '_> {
    /// Goes through `body`, whose inline partials see `contexts`.
    fn scoped_body(&mut self, body: &'a Body<'a>, mut place: Place<'a>, contexts: &Chain<Context>) {
        self.open_scope(body, &mut place, contexts);
        self.body(body, &place);
    }

    fn open_scope(&mut self, body: &'a Body<'a>, place: &mut Place<'a>, contexts: &Chain<Context>) {
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

    fn body(&mut self, body: &'a Body<'a>, place: &Place<'a>) {
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
    fn call(&mut self, call: &'a Call<'a>, place: &Place<'a>) -> Known {
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

    fn value(&mut self, expr: &'a Expr<'a>, place: &Place<'a>, usage: Usage, required: bool) -> Known {
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

    #[expect(clippy::too_many_arguments, reason = "what is used, how, and where")]
    fn use_node(
        &mut self,
        node: NodeId,
        length: bool,
        usage: Usage,
        required: bool,
        at: usize,
        name: &str,
        place: &Place<'a>,
    ) {
        if !length {
            self.analysis.graph.change(node, |node| match usage {
                Usage::Printed => node.printed = true,
                Usage::Looped => node.looped = true,
                Usage::Section => node.section = true,
                Usage::Passed if required => node.passed = true,
                _ => node.tested = true,
            });
        }
        if required {
            self.require(node, place);
        }
        self.record(node, length, usage, at, name, place);
    }

    fn record(&mut self, node: NodeId, length: bool, usage: Usage, at: usize, name: &str, place: &Place<'a>) {
        let used = Use {
            part: self.options.part,
            partial: place.code.partial.clone(),
            node: self.analysis.graph.find(node),
            length,
            usage,
        };
        match self.analysis.uses.entry(used) {
            Entry::Occupied(mut known) if known.get().at > at => {
                known.insert(First {
                    at,
                    name: name.to_owned(),
                });
            }
            Entry::Occupied(_) => return,
            Entry::Vacant(new) => {
                new.insert(First {
                    at,
                    name: name.to_owned(),
                });
            }
        }
        self.analysis.charge(name.len() / 64);
    }

    /// Says that the value must be there at this place, and with it whatever holds it.
    fn require(&mut self, node: NodeId, place: &Place<'a>) {
        let mut at = self.analysis.graph.find(node);
        loop {
            let guards = iter(&place.guards).count();
            if !self.analysis.charge(1 + guards / 4) {
                return;
            }
            let graph = &mut self.analysis.graph;
            let parent = graph.node(at).and_then(|node| node.parent.clone());
            let Some((object, Step::Field(name))) = parent else {
                // All the data, or an item of a list: it is there if anything is.
                graph.change(at, |node| node.needed = true);
                return;
            };
            let object = graph.find(object);
            let mut beside = iter(&place.guards).filter(|guard| graph.find(guard.object) == object);
            let first = beside.next();
            if first.into_iter().chain(beside).any(|guard| guard.name == name) {
                // Somebody has asked.
                return;
            }
            let with = first.map(|guard| Rc::clone(&guard.name));
            graph.change(at, |node| node.needed = true);
            graph.change(object, |object| {
                if let Some(field) = object.fields.get_mut(&name) {
                    match with {
                        None => field.required = true,
                        Some(with) => drop(field.with.insert(with)),
                    }
                }
            });
            at = object;
        }
    }

    /// Says that behind this, `value` is there.
    fn guard(&mut self, value: Known, place: &mut Place<'a>) {
        let Known::Node(mut at) = value else { return };
        while let Some((object, Step::Field(name))) = self.analysis.graph.node(at).and_then(|node| node.parent.clone())
        {
            if !self.analysis.charge(1) {
                return;
            }
            push(&mut place.guards, Guard { object, name });
            at = object;
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

    fn partial(&mut self, partial: &'a Partial<'a>, place: &Place<'a>) {
        let call = &partial.call;
        let mut context = match call.params.first() {
            Some(param) => self.value(param, place, Usage::Entered, false),
            None if self.options.explicit_partial_context => Known::Never,
            None => place.context(),
        };
        let mut arguments = Vec::new();
        if !call.hash.is_empty() {
            let mut names = HashMap::new();
            for (name, value) in &call.hash {
                let value = self.value(value, place, Usage::Passed, false);
                names.insert(&**name, value);
                arguments.push(value);
            }
            self.overlays.push(Overlay { base: context, names });
            context = Known::Overlay(self.overlays.len() - 1);
        }
        let found = self.target(&call.head, place);
        // What is called sees all that is seen here, but for what its own kind changes.
        let mut inner = place.clone();
        if let Some((body, _)) = &partial.block {
            self.open_scope(body, &mut inner, &place.contexts);
        }
        let (body, scoped) = match (found, &partial.block) {
            (Some(target), block) => {
                if let Some((body, _)) = block {
                    inner.block = Some(Rc::new(PartialBlock {
                        body,
                        code: place.code,
                        contexts: place.contexts.clone(),
                        params: place.params.clone(),
                        scopes: inner.scopes.clone(),
                        outer: place.block.clone(),
                    }));
                }
                (inner.contexts, inner.params, inner.code) = (target.contexts, target.params, target.code);
                if let Some(block) = target.block {
                    inner.scopes = block.scopes.clone();
                    inner.block = block.outer.clone();
                }
                (target.body, !target.is_block)
            }
            // What stands in the block is for when there is no such partial.
            (None, Some((body, _))) => (body, false),
            (None, None) => return,
        };
        let fresh = inner.contexts.is_none() && inner.scopes.is_none() && inner.block.is_none();
        inner.set_context(context);
        if self.is_new(body, partial, context, arguments, &mut inner, place.code, fresh) {
            self.calls.push(Pending {
                body,
                place: inner,
                scoped,
            });
        }
    }

    /// Whether it is worthwhile to look at `body` from here: not if it is being looked at with the same data.
    #[expect(clippy::too_many_arguments, reason = "who calls what with what")]
    fn is_new(
        &mut self,
        body: &'a Body<'a>,
        site: &'a Partial<'a>,
        context: Known,
        arguments: Vec<Known>,
        place: &mut Place<'a>,
        caller: &'a Code,
        fresh: bool,
    ) -> bool {
        let mut base = self.base(context);
        let mut arguments: Vec<Known> = arguments.into_iter().map(|argument| self.base(argument)).collect();
        let block = place.block.as_ref().map(|block| std::ptr::from_ref(block.body));
        let recursive = caller.partial.is_some() && std::ptr::eq(caller, place.code) && place.block.is_none();
        let mut depth = 0;
        let mut alike = Vec::new();
        for active in iter(&place.calls) {
            depth += 1;
            if !std::ptr::eq(active.body, body) {
                continue;
            }
            let known: Vec<Known> = active.arguments.iter().map(|argument| self.base(*argument)).collect();
            let same_arguments = known == arguments;
            let known_base = self.base(active.context);
            if same_arguments && known_base == base && active.block == block {
                return false;
            }
            // What recurses sees data of one shape: a tag reached from itself, or one in the partial that it calls.
            if recursive || std::ptr::eq(active.site, site) {
                let pairs = known.into_iter().zip(arguments.iter().copied());
                for (a, b) in std::iter::once((known_base, base)).chain(pairs) {
                    if let (Known::Node(a), Known::Node(b)) = (a, b)
                        && a != b
                    {
                        alike.push((a, b));
                    }
                }
            }
        }
        if depth >= self.options.limits.partial_depth || !self.analysis.charge(8 + depth) {
            return false;
        }
        if !alike.is_empty() {
            for (a, b) in alike {
                // It won't be looked at on its own, so what it needs above itself is said now.
                self.require(b, place);
                self.analysis.graph.unify(a, b);
            }
            base = self.base(base);
            arguments = arguments.into_iter().map(|argument| self.base(argument)).collect();
            // What was asked about one of them says nothing about the other, but that it is there.
            place.guards = None;
            self.guard(base, place);
        }
        if let (true, Known::Node(node), true) = (fresh, base, arguments.is_empty()) {
            let guards = place
                .guards
                .as_ref()
                .map_or(std::ptr::null(), |guards| Rc::as_ptr(guards).cast());
            // The guards are kept, so that their address stays theirs.
            let key = (std::ptr::from_ref(body), node, guards);
            if self.seen.insert(key, place.guards.clone()).is_some() {
                return false;
            }
        }
        push(
            &mut place.calls,
            Active {
                body,
                site,
                context: base,
                arguments,
                block,
            },
        );
        true
    }

    /// What lies under all overlays.
    fn base(&self, value: Known) -> Known {
        let mut value = value;
        while let Known::Overlay(overlay) = value {
            value = self
                .overlays
                .get(overlay)
                .map_or(Known::Nothing, |overlay| overlay.base);
        }
        match value {
            Known::Node(node) => Known::Node(self.analysis.graph.find(node)),
            other => other,
        }
    }

    /// Finds what a call means, as far as the source tells.
    fn target(&mut self, head: &'a Expr<'a>, place: &Place<'a>) -> Option<Target<'a>> {
        let name = match head {
            Expr::Call(call) => {
                self.call(call, place);
                return None;
            }
            Expr::Path(path) if path.original == "@partial-block" => {
                let block = place.block.clone()?;
                return Some(Target {
                    body: block.body,
                    code: block.code,
                    contexts: block.contexts.clone(),
                    params: block.params.clone(),
                    block: Some(block),
                    is_block: true,
                });
            }
            head => head.original(),
        };
        for scope in iter(&place.scopes) {
            if !self.analysis.charge(1 + scope.inlines.len() / 8) {
                return None;
            }
            if let Some((_, body)) = scope.inlines.iter().rev().find(|(known, _)| *known == name) {
                return Some(Target {
                    body,
                    code: scope.code,
                    contexts: scope.contexts.clone(),
                    params: scope.params.clone(),
                    block: None,
                    is_block: false,
                });
            }
        }
        let source = self.partials.get(&*name)?;
        Some(Target {
            body: &source.body,
            code: source.code,
            contexts: if self.options.search_parents {
                place.contexts.clone()
            } else {
                None
            },
            params: None,
            block: None,
            is_block: false,
        })
    }
}

/// Where a partial's name leads.
struct Target<'a> {
    body: &'a Body<'a>,
    code: &'a Code,
    contexts: Chain<Context>,
    params: Chain<Params<'a>>,
    /// The partial block that it is.
    block: Option<Rc<PartialBlock<'a>>>,
    is_block: bool,
}
