//! What errors say, and where they point.

use posthaste_template::{CompileErrorKind, Mode, Options, Part, Program, RenderError, Template};
use serde_json::{Value, json};

fn compile(source: &str, expected: &str) {
    let error = match Program::compile(source, &Options::new(Part::Text)) {
        Err(error) => error,
        Ok(_) => panic!("{source:?} compiled"),
    };
    assert_eq!(error.to_string(), format!("text, {expected}"), "{source:?}");
}

#[test]
fn unclosed_things() {
    compile("ä {{", "line 1, column 3: this tag is never closed");
    compile("a\nb {{x", "line 2, column 3: this tag is never closed");
    compile(
        "{{x}}}",
        "line 1, column 4: expected a name, a literal or a subexpression, found `}}}`",
    );
    compile("{{! x", "line 1, column 1: this comment is never closed");
    compile("{{!-- x }}", "line 1, column 1: this comment is never closed");
    compile("{{x \"a}}", "line 1, column 5: this string is never closed");
    compile("{{#if a}}\n", "line 1, column 1: block `if` is never closed");
    compile("{{{{a}}}} {{{{/b", "line 1, column 1: block `a` is never closed");
}

#[test]
fn blocks_must_match() {
    compile(
        "{{#if a}}{{/each}}",
        "line 1, column 10: `{{/each}}` does not close `if`",
    );
    compile("{{#a.b}}{{/a.c}}", "line 1, column 9: `{{/a.c}}` does not close `a.b`");
    compile("x{{/if}}", "line 1, column 2: `{{/if}}` closes nothing");
    compile("x{{else}}", "line 1, column 2: `else` belongs to no block here");
    compile(
        "{{#if a}}{{else}}{{else}}{{/if}}",
        "line 1, column 18: `else` belongs to no block here",
    );
    compile(
        "{{#> p}}{{else}}{{/p}}",
        "line 1, column 9: `else` belongs to no block here",
    );
}

#[test]
fn names_and_arguments_must_make_sense() {
    compile("{{upper name}}", "line 1, column 3: there is no helper `upper`");
    compile(
        "{{#list items}}{{/list}}",
        "line 1, column 4: there is no helper `list`",
    );
    compile("{{lookup (len x) 1}}", "line 1, column 11: there is no helper `len`");
    compile(
        "{{helperMissing}}",
        "line 1, column 3: there is no helper `helperMissing`",
    );
    compile("{{#if}}{{/if}}", "line 1, column 4: `if` takes exactly one argument");
    compile(
        "{{#each a b}}{{/each}}",
        "line 1, column 4: `each` takes exactly one argument",
    );
    compile(
        "{{lookup a}}",
        "line 1, column 3: `lookup` takes two arguments, an object or array and a name or index",
    );
    compile("{{* d}}", "line 1, column 5: there is no decorator `d`");
    compile(
        "{{#*inline p}}{{/inline}}",
        "line 1, column 5: `inline` takes one argument, the quoted name of the partial",
    );
    compile("{{a/../b}}", "line 1, column 3: invalid path: `a/..`");
    compile("{{a.this}}", "line 1, column 3: invalid path: `a.this`");
    compile(
        "{{> /etc/passwd}}",
        "line 1, column 5: expected a name, a literal or a subexpression, found a separator",
    );
    compile(
        "{{a b=1 c}}",
        "line 1, column 9: expected `name=` or the end of the tag, found `c`",
    );
}

#[test]
fn compile_errors_name_the_part_and_the_partial() {
    let error = Program::compile_with_partials("{{> p}}", [("p", "\n {{/x}}")], &Options::new(Part::Html)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "html, partial `p`, line 2, column 2: `{{/x}}` closes nothing"
    );
    assert_eq!((error.part(), error.line(), error.column()), (Part::Html, 2, 2));
    assert_eq!(
        error.kind(),
        &CompileErrorKind::UnexpectedClose { name: "x".to_owned() }
    );
}

fn missing(mode: Mode, source: &str, data: &Value) -> Result<String, RenderError> {
    Program::compile(source, &Options::new(Part::Text).mode(mode))
        .unwrap()
        .render(data)
}

#[test]
fn strict_names_everything_that_is_missing_once() {
    let source = "{{nmae}} {{user.frist}}\n{{#each items}}{{pirce}}{{currency}}{{../nope}}{{/each}}{{nmae}}{{@idx}}";
    let data = json!({"name": 1, "user": {"first": 2}, "currency": "EUR", "items": [{"price": 1}, {"price": 2}]});
    let error = missing(Mode::Strict, source, &data).unwrap_err();
    let found: Vec<String> = error.missing().iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "`nmae` (text, line 1, column 3; did you mean `name`?)",
            "`user.frist` (text, line 1, column 12; did you mean `user.first`?)",
            "`pirce` (text, line 2, column 18; did you mean `price`?)",
            "`currency` (text, line 2, column 27; did you mean `../currency`?)",
            "`../nope` (text, line 2, column 39)",
            "`@idx` (text, line 2, column 67)",
        ]
    );
    assert!(
        error
            .to_string()
            .starts_with("not in the data: `nmae` (text, line 1, column 3; did you mean `name`?), `user")
    );
}

#[test]
fn asking_is_not_an_error() {
    let source =
        "{{#if a}}{{b}}{{/if}}{{#unless a}}{{/unless}}{{#each a}}{{/each}}{{#with a}}{{/with}}{{lookup a b}}{{n}}";
    for mode in [Mode::Strict, Mode::Lenient] {
        assert_eq!(missing(mode, source, &json!({"n": null})).unwrap(), "");
    }
    assert!(missing(Mode::Strict, "{{#a}}{{/a}}", &json!({})).is_err());
    assert!(missing(Mode::Strict, "{{^a}}{{/a}}", &json!({})).is_err());
    assert_eq!(
        missing(Mode::Ses, "{{#a}}x{{/a}}{{^a}}y{{/a}}", &json!({})).unwrap(),
        "y"
    );
}

#[test]
fn ses_speaks_as_ses_does() {
    let check = |source: &str, data: Value, name: &str| {
        let error = missing(Mode::Ses, source, &data).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("Attribute '{name}' is not present in the rendering data.")
        );
    };
    check("{{a}}{{b}}{{c}}", json!({"a": 1}), "b");
    check("{{a.b}}", json!({"a": {}}), "a.b");
    check("{{a}}", json!({"a": null}), "a");
    check("{{#each l}}{{name}}{{/each}}", json!({"l": [{}]}), "name");
}

#[test]
fn missing_partials_are_named() {
    let error = missing(Mode::Lenient, "a\n{{> (lookup . 'p')}}", &json!({"p": "/etc/passwd"})).unwrap_err();
    assert_eq!(
        error.to_string(),
        "text, line 2, column 5: there is no partial `/etc/passwd`"
    );
    let error = missing(Mode::Lenient, "{{> @partial-block}}", &json!({})).unwrap_err();
    assert_eq!(
        error.to_string(),
        "text, line 1, column 5: there is no partial `@partial-block`"
    );
}

#[test]
fn names_in_errors_are_short_and_plain() {
    let long = "x".repeat(100_000);
    let wild = "a\u{1b}[31m\r\nb\u{202e}c'd\"e";
    let source = format!("{{{{[{long}]}}}}{{{{[{wild}]}}}}");
    for mode in [Mode::Strict, Mode::Ses] {
        let error = missing(mode, &source, &json!({})).unwrap_err();
        assert_eq!(error.missing()[0].name.chars().count(), 201);
        assert!(error.missing()[0].name.ends_with("x…"));
        assert!(error.to_string().len() < 1000);
        assert!(error.ses_message().len() < 1000);
    }
    let error = missing(Mode::Ses, &format!("{{{{[{wild}]}}}}"), &json!({})).unwrap_err();
    let said = "Attribute 'a\\u{1b}[31m\\r\\nb\\u{202e}c'd\"e' is not present in the rendering data.";
    assert_eq!(error.to_string(), said);
    assert_eq!(error.ses_message(), said);
    assert_eq!(error.missing_attribute(), Some(wild));
    let error = missing(Mode::Strict, &format!("{{{{[{wild}]}}}}"), &json!({})).unwrap_err();
    assert!(
        error.to_string().starts_with("not in the data: `a\\u{1b}[31m\\r\\nb"),
        "{error}"
    );
    let error = missing(Mode::Lenient, &format!("{{{{> [{long}]}}}}"), &json!({})).unwrap_err();
    assert!(error.to_string().len() < 1000);
    for source in [
        format!("{{{{{long} y}}}}"),
        format!("{{{{#{long}}}}}"),
        format!("{{{{#a}}}}{{{{/{long}}}}}"),
        format!("{{{{/{long}}}}}"),
        format!("{{{{* {long}}}}}"),
        format!("{{{{a/{long}/..}}}}"),
        format!("{{{{a b=1 {long}}}}}"),
    ] {
        let error = Program::compile(&source, &Options::new(Part::Text))
            .unwrap_err()
            .to_string();
        assert!(error.len() < 1200, "{} bytes", error.len());
    }
}

#[test]
fn failures_are_told_as_ses_tells_them() {
    let template = Template::builder()
        .name("t")
        .subject("s")
        .text("{{a}}")
        .html("{{b}}{{> p}}")
        .build()
        .unwrap();
    let error = template.render(&json!({})).unwrap_err();
    let failure = template.failure(&error);
    assert_eq!(
        failure.error_message,
        "html, line 1, column 10: there is no partial `p`"
    );
    let template = Template::builder()
        .subject("s")
        .text("{{a}}")
        .html("{{b}}")
        .build()
        .unwrap();
    let failure = template.failure(&template.render(&json!({})).unwrap_err());
    assert_eq!(
        failure.error_message,
        "Attribute 'a' is not present in the rendering data."
    );
    assert_eq!(
        (failure.part, failure.template_name.as_deref()),
        (Some(Part::Text), None)
    );
    assert_eq!(failure.to_json()["templateName"], "");
}
