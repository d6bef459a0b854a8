//! Enters and leaves blocks.

use serde_json::Value;

use super::{Activation, Context, Failure, Frame, Items, Kind, Machine, NONE, Params, Turn, index_of_last};
use crate::code::{Expr, ExprId, Pc};
use crate::options::Mode;
use crate::value::Val;

impl<'a> Machine<'a, '_> {
    /// Remembers everything that [`Self::leave`] puts back.
    pub(super) fn enter(&mut self, kind: Kind<'a>) {
        self.memory.stack.push(Activation {
            kind,
            context: self.context,
            frame: self.frame,
            params: self.params,
            scope: self.scope,
            contexts: self.memory.contexts.len(),
            frames: self.memory.frames.len(),
            param_frames: self.memory.param_frames.len(),
            scopes: self.memory.scopes.len(),
            blocks: self.memory.blocks.len(),
            overlays: self.memory.overlays.len(),
        });
    }

    pub(super) fn leave(&mut self) -> Result<(), Failure> {
        let Some(activation) = self.memory.stack.pop() else {
            return Ok(());
        };
        self.context = activation.context;
        self.frame = activation.frame;
        self.params = activation.params;
        self.scope = activation.scope;
        self.memory.contexts.truncate(activation.contexts);
        self.memory.frames.truncate(activation.frames);
        self.memory.param_frames.truncate(activation.param_frames);
        self.memory.scopes.truncate(activation.scopes);
        self.memory.blocks.truncate(activation.blocks);
        self.memory.overlays.truncate(activation.overlays);
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

    /// Makes `value` the context; the same value again is no new level, as in handlebars.js.
    pub(super) fn set_context(&mut self, value: Val<'a>) -> Result<(), Failure> {
        if let (Val::Text(_) | Val::Json(Value::String(_)), Val::Text(text)) = (value, self.current().scalar()) {
            self.charge(text.len() / 64)?;
        }
        if !self.current().is_same(value) || self.context == NONE {
            self.memory.contexts.push(Context {
                value,
                parent: self.context,
            });
            self.context = index_of_last(&self.memory.contexts);
        }
        Ok(())
    }

    pub(super) fn set_params(&mut self, wanted: bool, first: Val<'a>, second: Val<'a>) {
        if wanted {
            self.memory.param_frames.push(Params {
                first,
                second,
                parent: self.params,
            });
            self.params = index_of_last(&self.memory.param_frames);
        }
    }

    pub(super) fn section(&mut self, expr: ExprId, params: bool, otherwise: Pc) -> Result<(), Failure> {
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
            Val::Json(Value::Array(_)) => self.start_loop(value, params, otherwise)?,
            _ => {
                self.enter(Kind::Context);
                self.set_context(value)?;
                self.set_params(params, value, Val::Missing);
            }
        }
        Ok(())
    }

    pub(super) fn start_loop(&mut self, value: Val<'a>, params: bool, otherwise: Pc) -> Result<(), Failure> {
        let items = match value {
            Val::Json(Value::Array(items)) => Items::Array(items.iter()),
            Val::Json(Value::Object(fields)) => Items::Object(fields.iter()),
            Val::Overlay(overlay) => Items::Made(self.overlay_items(overlay)?.into_iter()),
            Val::Merged => Items::Made(self.merged_items()?.into_iter()),
            _ => {
                self.pc = otherwise;
                return Ok(());
            }
        };
        self.run_loop(items, params, otherwise)
    }

    pub(super) fn run_loop(&mut self, items: Items<'a>, params: bool, otherwise: Pc) -> Result<(), Failure> {
        if items.is_empty() {
            self.pc = otherwise;
            return Ok(());
        }
        self.enter(Kind::Loop(items));
        self.memory.frames.push(Frame {
            turn: None,
            ..self.inner_frame()
        });
        self.frame = index_of_last(&self.memory.frames);
        self.set_params(params, Val::Missing, Val::Missing);
        self.next_item()?;
        Ok(())
    }

    /// Goes to the next item of the innermost block; false if that is no loop or has no more.
    pub(super) fn next_item(&mut self) -> Result<bool, Failure> {
        let memory = &mut self.memory;
        let Some(activation) = memory.stack.last_mut() else {
            return Ok(false);
        };
        let Kind::Loop(items) = &mut activation.kind else {
            return Ok(false);
        };
        let Some((key, value, last)) = items.next() else {
            return Ok(false);
        };
        let (outer, contexts) = (activation.context, activation.contexts);
        let frame = memory.frames.get_mut(self.frame as usize);
        let mut turn = Turn { index: 0, key, last };
        if let Some(frame) = frame {
            turn.index = frame.turn.map_or(0, |turn| turn.index + 1);
            frame.turn = Some(turn);
        }
        self.memory.contexts.truncate(contexts);
        self.context = outer;
        let name = turn.name();
        if let Some(value) = value {
            self.set_context(value)?;
        }
        if self.params != NONE
            && activation_has_params(self.memory.stack.last(), self.params)
            && let Some(params) = self.memory.param_frames.get_mut(self.params as usize)
        {
            params.first = value.unwrap_or(name);
            params.second = name;
        }
        Ok(true)
    }

    /// The names and values of an overlay and of the object under it.
    pub(super) fn overlay_items(&mut self, overlay: u32) -> Result<Vec<(&'a str, Val<'a>)>, Failure> {
        let mut items: Vec<(&'a str, Val<'a>)> = Vec::new();
        let mut layers = Vec::new();
        let mut next = Val::Overlay(overlay);
        while let Val::Overlay(index) = next {
            let Some(layer) = self.memory.overlays.get(index as usize) else {
                break;
            };
            layers.push(index);
            next = layer.base;
        }
        if let Val::Merged = next {
            items = self.merged_items()?;
        } else if let Val::Json(Value::Object(fields)) = next {
            items.extend(fields.iter().map(|(key, value)| (key.as_str(), Val::Json(value))));
        }
        for layer in layers.into_iter().rev() {
            let added = self
                .memory
                .overlays
                .get(layer as usize)
                .map_or(0, |layer| layer.added.len());
            self.charge((items.len() + added).saturating_mul(added) / 8)?;
            for (name, value) in self
                .memory
                .overlays
                .get(layer as usize)
                .into_iter()
                .flat_map(|layer| &layer.added)
            {
                match items.iter_mut().find(|(key, _)| key == name) {
                    Some(item) => item.1 = *value,
                    None => items.push((name, *value)),
                }
            }
        }
        Ok(items)
    }

    /// The defaults in their order, each with what the data makes of it, then what only the data has.
    pub(super) fn merged_items(&mut self) -> Result<Vec<(&'a str, Val<'a>)>, Failure> {
        let [Some(data), Some(defaults)] = self.merged else {
            return Ok(Vec::new());
        };
        self.charge((data.len() + defaults.len()) / 8)?;
        let mut items = Vec::with_capacity(defaults.len() + data.len());
        items.extend(
            defaults
                .iter()
                .map(|(key, value)| (key.as_str(), Val::Json(data.get(key).unwrap_or(value)))),
        );
        items.extend(
            data.iter()
                .filter(|(key, _)| !defaults.contains_key(*key))
                .map(|(key, value)| (key.as_str(), Val::Json(value))),
        );
        Ok(items)
    }
}

/// Whether the innermost block made block parameters of its own.
fn activation_has_params(activation: Option<&Activation<'_>>, params: u32) -> bool {
    activation.is_some_and(|activation| activation.params != params)
}
