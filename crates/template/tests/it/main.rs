//! What the crate promises, seen from outside.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests say plainly what they expect")]

mod analysis;
mod defaults;
mod errors;
mod headers;
mod helpers;
mod language;
mod limits;
mod properties;
mod sets;
mod whitespace;

use posthaste_template::{Mode, Options, Part, Program};
use serde_json::Value;

/// Renders `source` as plain Handlebars would, as HTML.
fn lenient(source: &str, data: &Value) -> String {
    let program = Program::compile(source, &Options::new(Part::Html).mode(Mode::Lenient)).unwrap();
    program.render(data).unwrap()
}

/// Renders `source` with partials.
fn with_partials(source: &str, partials: &[(&str, &str)], data: &Value) -> String {
    let options = Options::new(Part::Html).mode(Mode::Lenient);
    let program = Program::compile_with_partials(source, partials.iter().copied(), &options).unwrap();
    program.render(data).unwrap()
}
