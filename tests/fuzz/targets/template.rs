//! Templates: compiling never panics and errors have a place; rendering stays within its limits. A first line that is
//! JSON is the data.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthaste_template::{Limits, Options, Part, Program};
use serde_json::{Value, json};

const MAX_OUTPUT: usize = 10_000;

fuzz_target!(|text: &str| {
    let (data, source) = match text.split_once('\n') {
        Some((first, rest)) => match serde_json::from_str::<Value>(first) {
            Ok(data) => (data, rest),
            Err(_) => (json!({ "a": [1, { "b": "<c>" }], "d": "e\r\nf" }), text),
        },
        None => (json!({}), text),
    };
    for part in [Part::Subject, Part::Html] {
        let options = Options::new(part.clone()).limits(Limits::default().steps(10_000).output(MAX_OUTPUT));
        match Program::compile(source, &options) {
            Ok(program) => {
                if let Ok(output) = program.render(&data) {
                    assert!(output.len() <= MAX_OUTPUT);
                    assert!(part != Part::Subject || !output.contains(['\r', '\n']), "{output:?}");
                }
            }
            Err(error) => assert!(error.line() > 0 && error.column() > 0, "{error}"),
        }
    }
});
