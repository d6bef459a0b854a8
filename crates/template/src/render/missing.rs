//! Names what the data lacks.

use serde_json::Value;

use super::{Context, Failure, Machine, NONE, item};
use crate::code::{Base, Code, Path};
use crate::error::{MissingVariable, RenderError, shortened};
use crate::nearest::nearest;
use crate::options::Mode;
use crate::value::Val;

/// How many missing variables one error names.
const MOST_MISSING: usize = 100;

impl<'a> Machine<'a, '_> {
    pub(super) fn missing(&mut self, path: &'a Path) -> Result<(), Failure> {
        if self.mode == Mode::Lenient {
            return Ok(());
        }
        let name = self.code.name(path);
        let known = |place: &(*const Code, &str)| std::ptr::eq(place.0, self.code) && place.1 == name;
        if self.shared.missing.len() >= MOST_MISSING || self.shared.places.iter().any(known) {
            return self.charge(1 + self.shared.places.len() * (1 + name.len() / 64) / 8);
        }
        let variable = MissingVariable {
            name: shortened(name),
            location: self.code.location(self.part, path.at),
            nearest: self.hint(path)?,
        };
        if self.mode == Mode::Ses {
            return Err(Box::new(RenderError::MissingAttribute(variable)));
        }
        self.shared.places.push((std::ptr::from_ref(self.code), name));
        self.shared.missing.push(variable);
        Ok(())
    }

    /// What the author of `path` probably meant.
    pub(super) fn hint(&mut self, path: &'a Path) -> Result<Option<String>, Failure> {
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
                let mut at = item(&self.memory.contexts, self.context).map_or(NONE, |context| context.parent);
                while let Some(&Context { value, parent }) = item(&self.memory.contexts, at) {
                    if !self.property(value, &segment.key, segment.index)?.is_nothing() {
                        let name = "../".repeat(level) + &shortened(code.name(path));
                        return Ok(Some(name));
                    }
                    level += 1;
                    at = parent;
                }
            }
            let known = match value {
                Val::Json(Value::Object(fields)) => [Some(fields), None],
                Val::Merged => self.merged,
                _ => return Ok(None),
            };
            let names = known.into_iter().flatten().flat_map(|fields| fields.keys());
            let found = nearest(&segment.key, names.map(String::as_str));
            return Ok(found.map(|name| {
                let before = segments
                    .get(..index)
                    .unwrap_or_default()
                    .iter()
                    .map(|segment| &*segment.key);
                shortened(&("../".repeat(up as usize) + &before.chain([name]).collect::<Vec<_>>().join(".")))
            }));
        }
        Ok(None)
    }
}
