//! What holds for any template and any data.

use posthaste_template::{Escape, Limits, Mode, Options, Part, Program};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Pieces that make random text likely to be almost a template.
const PIECES: [&str; 44] = [
    "{{",
    "}}",
    "{{{",
    "}}}",
    "{{{{",
    "}}}}",
    "{{#",
    "{{/",
    "{{^",
    "{{>",
    "{{#>",
    "{{#*inline \"p\"}}",
    "{{/inline}}",
    "{{else}}",
    "{{else if ",
    "~",
    "if",
    "each",
    "with",
    "lookup",
    "(",
    ")",
    "a",
    "b.c",
    "../",
    "./",
    "@index",
    "@root",
    "this",
    ".",
    "[",
    "]",
    "\"",
    "'",
    "=",
    "|",
    " as |x y|",
    "{{!--",
    "--}}",
    "\\",
    "\n",
    " ",
    "0",
    "ä\0",
];

fn almost_template() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..40).prop_map(|pieces| pieces.concat())
}

/// Templates that mostly compile.
fn template() -> impl Strategy<Value = String> {
    let path = prop::sample::select(vec![
        "a",
        "b",
        "c.d",
        "this",
        "../a",
        "@index",
        "@key",
        "x",
        "a.[0]",
        "c.length",
        "@root.b",
        "(lookup a b)",
        "1",
    ]);
    let leaf = prop_oneof![
        "[a-z \n]{0,5}",
        path.clone().prop_map(|path| format!("{{{{lookup {path} 0}}}}")),
        Just("{{> p}}".to_owned()),
        Just("{{~! x ~}}".to_owned()),
        Just("{{a}}".to_owned()),
        Just("\n  {{> q a=b}}\n".to_owned()),
        Just("{{> @partial-block}}".to_owned()),
    ];
    leaf.prop_recursive(6, 60, 4, move |inner| {
        let body = prop::collection::vec(inner, 0..4).prop_map(|parts| parts.concat());
        let block = prop::sample::select(vec!["if", "unless", "each", "with"]);
        prop_oneof![
            (block, path.clone(), body.clone(), body.clone()).prop_map(|(block, path, first, second)| {
                format!("{{{{#{block} {path}}}}}{first}{{{{else}}}}{second}{{{{/{block}}}}}")
            }),
            (body.clone(), path.clone())
                .prop_map(|(body, path)| format!("{{{{#each {path} as |x y|}}}}{body}{{{{/each}}}}")),
            body.clone().prop_map(|body| format!("{{{{#a}}}}{body}{{{{/a}}}}")),
            body.clone()
                .prop_map(|body| format!("{{{{#*inline \"p\"}}}}{body}{{{{/inline}}}}")),
            body.prop_map(|body| format!("{{{{#> q}}}}{body}{{{{/q}}}}")),
        ]
    })
}

fn data() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[abcd]", inner, 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Compiles and renders in every mode, with tight limits, and checks what must hold of the output.
fn survive(source: &str, data: &Value) {
    let limits = Limits::default().steps(20_000).output(20_000);
    for (part, mode, escape) in [
        (Part::Subject, Mode::Strict, Escape::HtmlPart),
        (Part::Text, Mode::Ses, Escape::HtmlPart),
        (Part::Html, Mode::Lenient, Escape::Never),
        (Part::Html, Mode::Lenient, Escape::HtmlPart),
    ] {
        let options = Options::new(part)
            .mode(mode)
            .escape(escape)
            .limits(limits)
            .search_parents(escape == Escape::Never);
        let partials = [("q", "<{{a}}{{> @partial-block}}>\n{{../b}}"), ("p", "{{> p}}")];
        let Ok(program) = Program::compile_with_partials(source, partials, &options) else {
            return;
        };
        match program.render(data) {
            Ok(out) => {
                assert!(out.len() <= 20_000);
                assert!(part != Part::Subject || !out.contains(char::is_control));
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_text_is_survived(source in almost_template(), data in data()) {
        survive(&source, &data);
    }

    #[test]
    fn random_templates_are_survived(source in template(), data in data()) {
        survive(&source, &data);
    }

    #[test]
    fn text_without_mustaches_is_itself(source in "([^{]|\\{[^{])*") {
        prop_assume!(!source.contains("{{"));
        let options = Options::new(Part::Html);
        prop_assert_eq!(Program::compile(&source, &options).unwrap().render(&json!({})).unwrap(), source);
    }

    #[test]
    fn a_value_is_written_as_it_is(value in ".{0,40}") {
        let program = Program::compile("[{{{x}}}]", &Options::new(Part::Html)).unwrap();
        prop_assert_eq!(program.render(&json!({"x": value})).unwrap(), format!("[{value}]"));
    }

    #[test]
    fn escaped_values_hold_no_markup(value in ".{0,40}") {
        let program = Program::compile("{{x}}", &Options::new(Part::Html)).unwrap();
        let out = program.render(&json!({"x": value})).unwrap();
        prop_assert!(!out.contains(['<', '>', '"', '\'', '`', '=']));
    }

    #[test]
    fn compiling_is_repeatable(source in almost_template()) {
        let options = Options::new(Part::Text);
        let (first, second) = (Program::compile(&source, &options), Program::compile(&source, &options));
        prop_assert_eq!(first.is_ok(), second.is_ok());
        prop_assert_eq!(first.err(), second.err());
    }
}
