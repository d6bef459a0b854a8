//! Follows calls of partials.

use std::collections::HashMap;
use std::rc::Rc;

use super::scope::{Active, Chain, Context, Known, Params, PartialBlock, Place, iter, push};
use super::walk::{Overlay, Pending, Walker};
use crate::ast::{Body, Expr, Partial};
use crate::code::Code;
use crate::variable::Usage;

impl<'a> Walker<'a, '_> {
    pub(super) fn partial(&mut self, partial: &'a Partial<'a>, place: &Place<'a>) {
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
