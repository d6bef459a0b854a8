//! Finds values: in the data, around it, and in what the template itself made.

use serde_json::{Map, Value};

use super::{Context, Failure, Frame, Machine, NONE, item};
use crate::code::{Base, Expr, ExprId, LoopVariable, Path, Segment, array_index};
use crate::value::{Val, utf16_length, write_f64, write_integer, write_number};

impl<'a> Machine<'a, '_> {
    pub(super) fn value(&mut self, expr: ExprId) -> Result<Val<'a>, Failure> {
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
            Some(Expr::Helper(call)) => match code.helpers.get(*call as usize) {
                Some(call) => self.helper_value(call)?,
                None => Val::Missing,
            },
            Some(Expr::Undefined) | None => Val::Missing,
        })
    }

    pub(super) fn lookup(&mut self, object: Val<'a>, name: Val<'a>) -> Result<Val<'a>, Failure> {
        if object.is_empty(false) && !matches!(object, Val::Json(Value::Array(_))) {
            return Ok(object);
        }
        let mut text = String::new();
        match name.scalar() {
            Val::Text(name) => {
                self.charge(name.len() / 64)?;
                return self.property(object, name, array_index(name));
            }
            Val::Index(index) => write_integer(&mut text, index as u64),
            Val::Number(number) => write_f64(&mut text, number),
            Val::Json(Value::Number(number)) => write_number(&mut text, number),
            Val::Bool(value) => text.push_str(if value { "true" } else { "false" }),
            _ => return Ok(Val::Missing),
        }
        self.property(object, &text, array_index(&text))
    }

    pub(super) fn property(&mut self, object: Val<'a>, key: &str, index: Option<u32>) -> Result<Val<'a>, Failure> {
        let mut object = object;
        // Overlays lie on what was there before them, so this ends.
        while let Val::Overlay(overlay) = object {
            let Some(overlay) = self.memory.overlays.get(overlay as usize) else {
                break;
            };
            if let Some((_, value)) = overlay.added.iter().rev().find(|(name, _)| *name == key) {
                return Ok(*value);
            }
            let (base, cost) = (overlay.base, 1 + overlay.added.len() / 8);
            self.charge(cost)?;
            object = base;
        }
        Ok(match object {
            Val::Json(Value::Object(fields)) => field(fields, key).map_or(Val::Missing, Val::Json),
            Val::Json(Value::Array(items)) => match index {
                Some(index) => items.get(index as usize).map_or(Val::Missing, Val::Json),
                None if key == "length" => Val::Index(items.len()),
                None => Val::Missing,
            },
            Val::Merged => self.merged_field(key),
            Val::Text(text) => self.text_property(text, key, index)?,
            Val::Json(Value::String(text)) => self.text_property(text, key, index)?,
            _ => Val::Missing,
        })
    }

    /// The length of a text, or one of its characters.
    pub(super) fn text_property(&mut self, text: &'a str, key: &str, index: Option<u32>) -> Result<Val<'a>, Failure> {
        if let Some(index) = index.map(|index| index as usize).filter(|&index| index < text.len()) {
            self.charge(index / 256)?;
            let found = text.char_indices().nth(index);
            let character = found.and_then(|(start, c)| text.get(start..start + c.len_utf8()));
            return Ok(character.map_or(Val::Missing, Val::Text));
        }
        if key != "length" {
            return Ok(Val::Missing);
        }
        self.charge(text.len() / 256)?;
        Ok(Val::Index(utf16_length(text)))
    }

    pub(super) fn path(&mut self, path: &'a Path) -> Result<Val<'a>, Failure> {
        let code = self.code;
        let segments = code.segments.get(path.first as usize..path.end as usize);
        let segments = segments.unwrap_or_default();
        if path.cost > 0 {
            self.charge(path.cost as usize)?;
        }
        // Nearly every path is one name in the current object.
        if let (Base::Context(0), [only], false) = (path.base, segments, self.search_parents)
            && let Val::Json(Value::Object(fields)) = self.current()
        {
            return Ok(only.find(fields).map_or(Val::Missing, Val::Json));
        }
        let mut segments = segments.iter();
        let mut value = match path.base {
            Base::Context(0) if self.search_parents && path.unscoped => match segments.next() {
                Some(segment) => self.search(segment)?,
                None => Val::Missing,
            },
            Base::Context(up) => self.context_up(up),
            Base::Root => self.root,
            Base::Loop(variable, up) => self.loop_variable(variable, up),
            Base::PartialBlock => match item(&self.memory.frames, self.frame) {
                Some(Frame { block, .. }) if *block != NONE => Val::Opaque,
                _ => Val::Missing,
            },
            Base::Variable => {
                let found = segments.next().map(|segment| self.variable(&segment.key));
                found.unwrap_or(Val::Missing)
            }
            Base::BlockParam(up, index) => self.block_param(up, index),
        };
        for segment in segments {
            value = match value {
                Val::Json(Value::Object(fields)) => segment.find(fields).map_or(Val::Missing, Val::Json),
                value => self.property(value, &segment.key, segment.index)?,
            };
            if matches!(value, Val::Missing) {
                break;
            }
        }
        Ok(value)
    }

    pub(super) fn current(&self) -> Val<'a> {
        item(&self.memory.contexts, self.context).map_or(Val::Missing, |context| context.value)
    }

    pub(super) fn context_up(&self, up: u32) -> Val<'a> {
        let mut found = item(&self.memory.contexts, self.context);
        for _ in 0..up {
            found = found.and_then(|context| item(&self.memory.contexts, context.parent));
            if found.is_none() {
                break;
            }
        }
        found.map_or(Val::Missing, |context| context.value)
    }

    /// Looks for a name in the current context and those around it.
    pub(super) fn search(&mut self, segment: &Segment) -> Result<Val<'a>, Failure> {
        let mut at = self.context;
        while let Some(&Context { value, parent }) = item(&self.memory.contexts, at) {
            self.charge(1)?;
            let found = self.property(value, &segment.key, segment.index)?;
            if !found.is_nothing() {
                return Ok(found);
            }
            at = parent;
        }
        Ok(Val::Missing)
    }

    pub(super) fn loop_variable(&self, variable: LoopVariable, up: u32) -> Val<'a> {
        let mut frame = item(&self.memory.frames, self.frame);
        for _ in 0..up {
            frame = frame.and_then(|frame| item(&self.memory.frames, frame.parent));
            if frame.is_none() {
                break;
            }
        }
        let Some(turn) = frame.and_then(|frame| frame.turn) else {
            // Outside of loops these are names like any other.
            let name = match variable {
                LoopVariable::Index => "index",
                LoopVariable::Key => "key",
                LoopVariable::First => "first",
                LoopVariable::Last => "last",
            };
            return self.variable(name);
        };
        match variable {
            LoopVariable::Index => Val::Index(turn.index),
            LoopVariable::Key => turn.name(),
            LoopVariable::First => Val::Bool(turn.index == 0),
            LoopVariable::Last => Val::Bool(turn.last),
        }
    }

    fn variable(&self, name: &str) -> Val<'a> {
        let found = self.variables.and_then(|variables| variables.get(name));
        found.map_or(Val::Missing, Val::Json)
    }

    /// A field of the data, or else of its defaults.
    fn merged_field(&self, key: &str) -> Val<'a> {
        let mut objects = self.merged.iter().flatten();
        let found = objects.find_map(|fields| field(fields, key));
        found.map_or(Val::Missing, Val::Json)
    }

    pub(super) fn block_param(&self, up: u32, index: u32) -> Val<'a> {
        let mut found = item(&self.memory.param_frames, self.params);
        for _ in 0..up {
            found = found.and_then(|params| item(&self.memory.param_frames, params.parent));
        }
        match (found, index) {
            (Some(params), 0) => params.first,
            (Some(params), 1) => params.second,
            _ => Val::Missing,
        }
    }
}

/// Looks for a field; in small objects without hashing its name.
fn field<'a>(fields: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    if fields.len() > 8 {
        return fields.get(key);
    }
    fields.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
}
