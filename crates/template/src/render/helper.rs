//! Calls helpers.

use serde_json::Value;

use super::{Failure, Items, Kind, Machine};
use crate::arena::keep;
use crate::code::{Expr, HelperCall, Pc};
use crate::error::{Limit, RenderError, shortened};
use crate::helper::{Arguments, Block, BlockKind, Helper, HelperError, HelperErrorKind, Output, OutputKind};
use crate::options::Mode;
use crate::value::Val;

/// How many characters of a helper's message an error repeats.
const LONGEST_MESSAGE: usize = 500;

impl<'a> Machine<'a, '_> {
    /// The value of an inline helper; it lives as long as the rendering.
    pub(super) fn helper_value(&mut self, call: &'a HelperCall) -> Result<Val<'a>, Failure> {
        let Some(output) = self.inline(call)? else {
            return Ok(Val::Missing);
        };
        self.keep_output(call, output)
    }

    /// Writes what an inline helper returns.
    pub(super) fn print_helper(&mut self, call: &'a HelperCall, escape: bool) -> Result<(), Failure> {
        let Some(output) = self.inline(call)? else {
            return Ok(());
        };
        match output.into_kind() {
            OutputKind::Text(text) => {
                self.charge(text.len() / 64)?;
                self.write(&text, escape)
            }
            OutputKind::Safe(text) => {
                self.charge(text.len() / 64)?;
                self.write(&text, false)
            }
            OutputKind::Value(value @ (Value::Array(_) | Value::Object(_))) => {
                let value = self.keep_value(value)?;
                self.write_value(value, escape)
            }
            OutputKind::Value(value) => match &value {
                Value::String(text) => {
                    self.charge(text.len() / 64)?;
                    self.write(text, escape)
                }
                Value::Bool(value) => self.write(if *value { "true" } else { "false" }, false),
                Value::Number(number) => {
                    crate::value::write_number(&mut self.out, number);
                    self.check_output()
                }
                _ => Ok(()),
            },
            OutputKind::Argument(index) => {
                let value = self.argument(call, index)?;
                self.write_value(value, escape)
            }
        }
    }

    /// Enters the block of a block helper as often as that says, or jumps.
    pub(super) fn block_helper(&mut self, call: &'a HelperCall, params: bool, otherwise: Pc) -> Result<(), Failure> {
        let Helper::Block(function) = &call.helper else {
            return Ok(());
        };
        let block = self.with_arguments(call, |arguments| function(arguments))?;
        match block.map_or(BlockKind::Skip, Block::into_kind) {
            BlockKind::Skip => self.pc = otherwise,
            BlockKind::Once => {
                self.enter(Kind::Context);
                self.set_params(params, Val::Missing, Val::Missing);
            }
            BlockKind::Times(count) => self.run_loop(Items::Times(0..count), params, otherwise)?,
            BlockKind::With(context) => {
                let value = self.keep_output(call, context)?;
                self.enter(Kind::Context);
                self.set_context(value)?;
                self.set_params(params, value, Val::Missing);
            }
            BlockKind::Each(items) => {
                let value = self.keep_output(call, items)?;
                self.start_loop(value, params, otherwise)?;
            }
        }
        Ok(())
    }

    /// Calls an inline helper; `None` if an argument is missing and that is no error (yet).
    fn inline(&mut self, call: &'a HelperCall) -> Result<Option<Output>, Failure> {
        match &call.helper {
            Helper::Inline { function, .. } => self.with_arguments(call, |arguments| function(arguments)),
            Helper::Block(_) => Ok(None),
        }
    }

    fn with_arguments<T>(
        &mut self,
        call: &'a HelperCall,
        run: impl FnOnce(&Arguments<'_>) -> Result<T, HelperError>,
    ) -> Result<Option<T>, Failure> {
        let start = self.memory.arguments.len();
        for expr in &call.arguments {
            // As deep as the source nests subexpressions, which the parser bounds.
            let value = self.value(*expr)?;
            let value = self.as_json(value)?;
            self.charge(1 + weight(value))?;
            self.memory.arguments.push(value);
        }
        self.charge(1)?;
        let arguments = Arguments {
            values: self.memory.arguments.get(start..).unwrap_or_default(),
            names: &call.names,
            part: self.part,
            room: self.room.saturating_sub(self.out.len()),
        };
        let outcome = run(&arguments);
        self.memory.returned.clear();
        let values = self.memory.arguments.drain(start..);
        self.memory.returned.extend(values);
        match outcome {
            Ok(result) => Ok(Some(result)),
            Err(error) => self.helper_failed(call, &error).map(|()| None),
        }
    }

    /// Positional argument `index` of the call that has just returned.
    fn argument(&mut self, call: &'a HelperCall, index: usize) -> Result<Val<'a>, Failure> {
        let positional = call.arguments.len() - call.names.len();
        let found = self.memory.returned.get(index).filter(|_| index < positional);
        let value = found.copied().unwrap_or(Val::Missing);
        let tolerant = matches!(call.helper, Helper::Inline { tolerant: true, .. });
        if matches!(value, Val::Missing) && !tolerant {
            self.missing_argument(call, index)?;
        }
        Ok(value)
    }

    /// Reports argument `index` as missing, if it is a variable.
    fn missing_argument(&mut self, call: &'a HelperCall, index: usize) -> Result<bool, Failure> {
        let code = self.code;
        let expr = call
            .arguments
            .get(index)
            .and_then(|expr| code.exprs.get(*expr as usize));
        match expr {
            Some(Expr::Path(path)) => self.missing(path).map(|()| true),
            _ => Ok(self.mode == Mode::Lenient),
        }
    }

    fn helper_failed(&mut self, call: &'a HelperCall, error: &HelperError) -> Result<(), Failure> {
        let message = match error.kind() {
            HelperErrorKind::TooLong => return Err(self.exceeded(Limit::Output, self.shared.limits.output)),
            HelperErrorKind::Missing(index) if self.missing_argument(call, *index)? => return Ok(()),
            HelperErrorKind::Missing(_) => error.to_string(),
            HelperErrorKind::Message(message) => message.chars().take(LONGEST_MESSAGE).collect(),
        };
        Err(Box::new(RenderError::Helper {
            name: shortened(&call.name),
            message,
            location: self.code.location(self.part, call.at),
        }))
    }

    fn keep_output(&mut self, call: &'a HelperCall, output: Output) -> Result<Val<'a>, Failure> {
        match output.into_kind() {
            OutputKind::Text(text) | OutputKind::Safe(text) => self.keep_value(Value::String(text)),
            OutputKind::Value(value) => self.keep_value(value),
            OutputKind::Argument(index) => {
                let positional = call.arguments.len() - call.names.len();
                let found = self.memory.returned.get(index).filter(|_| index < positional);
                Ok(found.copied().unwrap_or(Val::Missing))
            }
        }
    }

    /// Keeps a value that a helper has made; it counts as output unless it is small.
    fn keep_value(&mut self, value: Value) -> Result<Val<'a>, Failure> {
        match &value {
            Value::Null => return Ok(Val::Null),
            Value::Bool(value) => return Ok(Val::Bool(*value)),
            Value::Number(number) => {
                // Unless it has more digits than that.
                let exact = number
                    .as_f64()
                    .filter(|number| number.abs() < 1e15 || number.fract() != 0.0);
                if let Some(number) = exact {
                    return Ok(Val::Number(number));
                }
            }
            _ => {}
        }
        let bytes = size(&value);
        self.charge(bytes / 64)?;
        // What is kept is a little more than its text.
        let Some(room) = self.room.checked_sub(bytes).filter(|room| self.out.len() <= *room) else {
            return Err(self.exceeded(Limit::Output, self.shared.limits.output));
        };
        self.room = room;
        Ok(Val::Json(keep(&mut self.shared.end, value)))
    }

    /// Makes a real object of what only looks like one.
    fn as_json(&mut self, value: Val<'a>) -> Result<Val<'a>, Failure> {
        let items = match value {
            Val::Overlay(overlay) => self.overlay_items(overlay)?,
            Val::Merged => self.merged_items()?,
            other => return Ok(other),
        };
        let mut fields = serde_json::Map::new();
        for (name, value) in items {
            let value = match value {
                Val::Overlay(_) | Val::Merged => Value::Null,
                value => crate::helper::Argument(value).to_value(),
            };
            self.charge(1 + size(&value) / 64)?;
            fields.insert(name.to_owned(), value);
        }
        self.keep_value(Value::Object(fields))
    }
}

/// What it costs to look at an argument, beside the call.
fn weight(value: Val<'_>) -> usize {
    match value.scalar() {
        Val::Text(text) => text.len() / 64,
        Val::Json(Value::Array(items)) => items.len() / 8,
        Val::Json(Value::Object(fields)) => fields.len() / 8,
        _ => 0,
    }
}

/// How many bytes a value holds, about.
fn size(value: &Value) -> usize {
    const NODE: usize = 8;
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => return NODE,
        Value::String(text) => return NODE + text.len(),
        Value::Array(_) | Value::Object(_) => {}
    }
    let mut bytes: usize = 0;
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        bytes = bytes.saturating_add(NODE);
        match value {
            Value::String(text) => bytes = bytes.saturating_add(text.len()),
            Value::Array(items) => open.extend(items),
            Value::Object(fields) => {
                for (name, value) in fields {
                    bytes = bytes.saturating_add(name.len());
                    open.push(value);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    bytes
}
