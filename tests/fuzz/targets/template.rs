//! Templates: compiling never panics and errors have a place; rendering, alone or over defaults and with helpers, stays
//! within its limits; what is read can be told without rendering. A first line that is JSON is the data.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthaste_template::{Block, Helpers, Limits, Options, Output, Part, Program};
use serde_json::{Value, json};

const MAX_OUTPUT: usize = 10_000;

fn helpers() -> Helpers {
    Helpers::standard()
        .inline("safe", |arguments| Ok(Output::safe(arguments.text(0)?)))
        .inline("list", |arguments| {
            Ok(arguments.iter().map(|argument| argument.to_value()).collect::<Vec<_>>())
        })
        .block("repeat", |arguments| {
            Ok(Block::times(arguments.get(0).as_u64().unwrap_or(2)))
        })
        .block("at", |_| Ok(Block::with(Output::argument(0))))
        .block("all", |_| Ok(Block::each(Output::argument(0))))
}

fuzz_target!(|text: &str| {
    let (data, source) = match text.split_once('\n') {
        Some((first, rest)) => match serde_json::from_str::<Value>(first) {
            Ok(data) => (data, rest),
            Err(_) => (json!({ "a": [1, { "b": "<c>" }], "d": "e\r\nf" }), text),
        },
        None => (json!({}), text),
    };
    let defaults = json!({ "a": [{ "b": 1.25 }, "x"], "b": { "c": null }, "d": "y\nz" });
    for part in [Part::Subject, Part::Header, Part::Html] {
        let options = Options::new(part)
            .limits(Limits::default().steps(10_000).output(MAX_OUTPUT))
            .helpers(helpers());
        let partials = [
            ("p", "{{a}}{{#each this}}{{> q x=this}}{{/each}}"),
            ("q", "{{x}}{{> @partial-block}}{{../d}}"),
        ];
        match Program::compile_with_partials(source, partials, &options) {
            Ok(program) => {
                for outcome in [program.render(&data), program.render_over(&defaults, &data)] {
                    match outcome {
                        Ok(output) => {
                            assert!(output.len() <= MAX_OUTPUT);
                            assert!(part == Part::Html || !output.contains(char::is_control), "{output:?}");
                        }
                        Err(error) => assert!(!error.to_string().contains(char::is_control), "{error:?}"),
                    }
                }
                for variable in program.variables() {
                    assert!(
                        variable.location.line > 0 && variable.location.column > 0,
                        "{variable:?}"
                    );
                }
                assert!(program.schema()["type"] == "object");
            }
            Err(error) => {
                assert!(error.line() > 0 && error.column() > 0, "{error}");
                assert!(!error.to_string().contains(char::is_control), "{error:?}");
            }
        }
    }
});
