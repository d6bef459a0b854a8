//! Writes values as text.

use serde_json::Value;

use super::{Failure, Machine};
use crate::code::{Expr, ExprId};
use crate::error::Limit;
use crate::escape::escape_into;
use crate::options::Mode;
use crate::value::{Val, write_f64, write_integer, write_number};

impl<'a> Machine<'a, '_> {
    #[inline]
    pub(super) fn write(&mut self, text: &str, escape: bool) -> Result<(), Failure> {
        if self.out.len() + text.len() > self.room {
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

    pub(super) fn check_output(&self) -> Result<(), Failure> {
        if self.out.len() > self.room {
            return Err(self.exceeded(Limit::Output, self.shared.limits.output));
        }
        Ok(())
    }

    /// As [`Self::print`], of the name `segment` in the current context.
    #[inline]
    pub(super) fn print_field(&mut self, expr: ExprId, segment: u32, escape: bool) -> Result<(), Failure> {
        let code = self.code;
        if let Val::Json(Value::Object(fields)) = self.current()
            && let Some(segment) = code.segments.get(segment as usize)
            && let Some(value) = segment.find(fields)
        {
            match value {
                Value::String(text) => return self.write(text, escape && self.escape),
                Value::Number(number) => {
                    write_number(&mut self.out, number);
                    return self.check_output();
                }
                _ => {}
            }
        }
        self.print(expr, escape)
    }

    pub(super) fn print(&mut self, expr: ExprId, escape: bool) -> Result<(), Failure> {
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
            Some(Expr::Helper(call)) => {
                return match code.helpers.get(*call as usize) {
                    Some(call) => self.print_helper(call, escape && self.escape),
                    None => Ok(()),
                };
            }
            _ => self.value(expr)?,
        };
        self.write_value(value, escape && self.escape)
    }

    pub(super) fn write_value(&mut self, value: Val<'a>, escape: bool) -> Result<(), Failure> {
        match value {
            Val::Missing | Val::Null | Val::Opaque => Ok(()),
            Val::Text(text) => self.write(text, escape),
            Val::Json(Value::String(text)) => self.write(text, escape),
            Val::Bool(value) => self.write(if value { "true" } else { "false" }, false),
            Val::Number(number) => {
                write_f64(&mut self.out, number);
                self.check_output()
            }
            Val::Index(index) => {
                write_integer(&mut self.out, index as u64);
                self.check_output()
            }
            Val::Overlay(_) | Val::Merged => self.write("[object Object]", false),
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
    pub(super) fn write_array(&mut self, items: &'a [Value], escape: bool) -> Result<(), Failure> {
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

    /// Puts `indent` before every line written since `start`.
    pub(super) fn indent(&mut self, start: usize, indent: &str) -> Result<(), Failure> {
        let written = self.out.split_off(start.min(self.out.len()));
        for line in written.split_inclusive('\n') {
            self.write(indent, false)?;
            self.write(line, false)?;
        }
        self.charge(written.len() / 1024)
    }
}
