//! What a template may cost.

use posthaste_template::{Limit, Limits, Mode, Options, Part, Program, RenderError, Template};
use serde_json::{Value, json};

fn options(limits: Limits) -> Options {
    Options::new(Part::Text).mode(Mode::Lenient).limits(limits)
}

fn exceeds(source: &str, partials: &[(&str, &str)], data: &Value, limits: Limits, expected: Limit) {
    let program = Program::compile_with_partials(source, partials.iter().copied(), &options(limits)).unwrap();
    match program.render(data) {
        Err(RenderError::LimitExceeded { limit, .. }) => assert_eq!(limit, expected, "{source}"),
        other => panic!("{source}: {other:?}"),
    }
}

#[test]
fn loops_run_out_of_steps() {
    let list: Vec<u32> = (0..1000).collect();
    let source = "{{#each l}}{{#each ../l}}{{#each ../l}}{{#if x}}{{/if}}{{/each}}{{/each}}{{/each}}";
    exceeds(source, &[], &json!({"l": list}), Limits::default(), Limit::Steps);
}

#[test]
fn output_is_bounded() {
    let data = json!({"l": vec![0; 100], "big": "x".repeat(100)});
    let limits = Limits::default().output(5000);
    exceeds("{{#each l}}{{@root.big}}{{/each}}", &[], &data, limits, Limit::Output);
    exceeds(
        "{{l}}{{l}}{{l}}{{#each l}}{{../l}}{{/each}}",
        &[],
        &data,
        limits,
        Limit::Output,
    );
    let escaped = Options::new(Part::Html).limits(limits);
    let quotes = json!({"q": "\"".repeat(1000)});
    assert!(Program::compile("{{q}}", &escaped).unwrap().render(&quotes).is_err());
    assert_eq!(
        Program::compile("{{{q}}}", &escaped)
            .unwrap()
            .render(&quotes)
            .unwrap()
            .len(),
        1000
    );
}

#[test]
fn output_is_bounded_for_the_set_as_a_whole() {
    let template = Template::builder()
        .subject("{{x}}")
        .text("{{x}}")
        .html("{{x}}")
        .limits(Limits::default().output(250));
    let template = template.build().unwrap();
    assert!(template.render(&json!({"x": "x".repeat(80)})).is_ok());
    let error = template.render(&json!({"x": "x".repeat(100)})).unwrap_err();
    assert_eq!(error.to_string(), "html: more than 250 bytes of output");
}

#[test]
fn recursion_ends() {
    let itself = "{{#*inline \"p\"}}{{> p}}{{/inline}}{{> p}}";
    exceeds(itself, &[], &json!({}), Limits::default(), Limit::PartialDepth);
    exceeds(
        "{{> a}}",
        &[("a", "{{> b}}"), ("b", "{{> a}}")],
        &json!({}),
        Limits::default(),
        Limit::PartialDepth,
    );
    exceeds(
        "{{> a}}",
        &[("a", "{{#> a}}x{{/a}}")],
        &json!({}),
        Limits::default(),
        Limit::PartialDepth,
    );
    exceeds(
        "{{> a}}",
        &[("a", "{{> a x=1}}{{> a}}")],
        &json!({}),
        Limits::default(),
        Limit::PartialDepth,
    );
    let deep = Limits::default().partial_depth(1_000_000);
    exceeds(
        "{{> a}}",
        &[("a", "{{> a x=y y=x}}{{z}}")],
        &json!({}),
        deep,
        Limit::Steps,
    );
}

#[test]
fn recursion_over_data_works() {
    let mut tree = json!({"name": "leaf", "children": []});
    for level in 0..20 {
        tree = json!({"name": level, "children": [tree]});
    }
    let parts = [("node", "{{name}} {{#each children}}{{> node}}{{/each}}")];
    let program = Program::compile_with_partials("{{> node}}", parts, &options(Limits::default())).unwrap();
    assert!(program.render(&tree).unwrap().ends_with(" 0 leaf "));
}

#[test]
fn nesting_is_bounded() {
    let nested = |times: usize| format!("{}x{}", "{{#if a}}".repeat(times), "{{/if}}".repeat(times));
    assert_eq!(
        Program::compile(&nested(64), &options(Limits::default()))
            .unwrap()
            .render(&json!({"a": 1}))
            .unwrap(),
        "x"
    );
    for source in [
        nested(65),
        nested(30_000),
        format!("{{{{{}a", "lookup (".repeat(10_000)),
        "{{#*inline \"x\"}}".repeat(10_000),
        "{{#> x}}".repeat(10_000),
        "{{^x}}".repeat(10_000),
    ] {
        let error = Program::compile(&source, &options(Limits::default())).unwrap_err();
        assert!(error.to_string().ends_with("nested deeper than 64 levels"), "{error}");
    }
    assert!(
        Program::compile(
            &nested(100_000),
            &options(Limits::default().depth(usize::MAX).source(usize::MAX))
        )
        .is_err()
    );
}

#[test]
fn sources_are_bounded() {
    let error = Program::compile("12345", &options(Limits::default().source(4))).unwrap_err();
    assert_eq!(error.to_string(), "text, line 1, column 1: longer than 4 bytes");
}

#[test]
fn long_chains_and_paths_are_no_nesting() {
    let chain = format!("{{{{#if a}}}}{}{{{{else}}}}x{{{{/if}}}}", "{{else if a}}".repeat(5000));
    assert_eq!(
        Program::compile(&chain, &options(Limits::default()))
            .unwrap()
            .render(&json!({}))
            .unwrap(),
        "x"
    );
    for source in [
        format!("{{{{{}a}}}}", "a.".repeat(50_000)),
        format!("{{{{{}a}}}}", "../".repeat(100_000)),
    ] {
        assert_eq!(
            Program::compile(&source, &options(Limits::default()))
                .unwrap()
                .render(&json!({}))
                .unwrap(),
            ""
        );
    }
}

#[test]
fn deep_data_is_written_without_recursion() {
    // As deep as anything that drops it without overflowing the stack.
    let mut deep = json!(1);
    for _ in 0..1000 {
        deep = Value::Array(vec![deep]);
    }
    let data = json!({"deep": deep});
    assert_eq!(
        Program::compile("{{deep}}", &options(Limits::default()))
            .unwrap()
            .render(&data)
            .unwrap(),
        "1"
    );
}
