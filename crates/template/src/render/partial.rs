//! Calls partials.

use super::{Block, Failure, Frame, Kind, Machine, NONE, Overlay, Scope, Target, index_of_last, item, text_of};
use crate::code::{Call, CallBlock, PartialName};
use crate::error::{Limit, RenderError, shortened};
use crate::value::Val;

impl<'a> Machine<'a, '_> {
    pub(super) fn open_scope(&mut self, first: u32, end: u32, context: u32) {
        self.memory.scopes.push(Scope {
            parent: self.scope,
            code: self.code,
            first,
            end,
            context,
            params: self.params,
        });
        self.scope = index_of_last(&self.memory.scopes);
    }

    pub(super) fn call(&mut self, index: u32) -> Result<(), Failure> {
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
        if let (Val::Overlay(_), Some(activation)) = (value, self.memory.stack.last_mut()) {
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
                self.memory.frames.push(Frame {
                    block,
                    ..self.inner_frame()
                });
                self.frame = index_of_last(&self.memory.frames);
            }
        }
        let Some((code, pc)) = entry else {
            return Err(self.not_found(call));
        };
        self.code = code;
        self.pc = pc;
        self.params = params;
        self.context = context;
        self.set_context(value)
    }

    /// A frame within the current one.
    pub(super) fn inner_frame(&self) -> Frame<'a> {
        let current = item(&self.memory.frames, self.frame);
        Frame {
            parent: self.frame,
            block: current.map_or(NONE, |frame| frame.block),
            turn: current.and_then(|frame| frame.turn),
        }
    }

    /// Makes the block of a call `@partial-block` for the partial called.
    pub(super) fn pass_block(&mut self, block: &CallBlock) {
        let frame = self.inner_frame();
        self.memory.blocks.push(Block {
            code: self.code,
            entry: block.entry,
            context: self.context,
            params: self.params,
            scope: self.scope,
            outer: frame.block,
        });
        self.memory.frames.push(Frame {
            block: index_of_last(&self.memory.blocks),
            ..frame
        });
        self.frame = index_of_last(&self.memory.frames);
    }

    pub(super) fn partial_context(&mut self, call: &'a Call) -> Result<Val<'a>, Failure> {
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
        self.memory.overlays.push(Overlay { base, added });
        Ok(Val::Overlay(index_of_last(&self.memory.overlays)))
    }

    /// Finds what a call means; `None` if there is no such partial.
    pub(super) fn resolve(&mut self, call: &'a Call) -> Result<Option<Target<'a>>, Failure> {
        Ok(match &call.name {
            PartialName::Static(name) => self.named(name)?,
            PartialName::Block => {
                let frame = item(&self.memory.frames, self.frame);
                let block = frame.and_then(|frame| item(&self.memory.blocks, frame.block));
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

    pub(super) fn named(&mut self, name: &str) -> Result<Option<Target<'a>>, Failure> {
        self.charge(name.len() / 64)?;
        let mut at = self.scope;
        while let Some(&scope) = item(&self.memory.scopes, at) {
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

    pub(super) fn not_found(&mut self, call: &'a Call) -> Failure {
        let name = match &call.name {
            PartialName::Static(name) => name.to_string(),
            PartialName::Block => "@partial-block".to_owned(),
            PartialName::Dynamic(expr) => match self.value(*expr).map(Val::scalar) {
                Ok(Val::Text(name)) => name.chars().take(100).collect(),
                _ => "undefined".to_owned(),
            },
        };
        Box::new(RenderError::PartialNotFound {
            name: shortened(&name),
            location: self.code.location(self.part, call.at),
        })
    }
}
