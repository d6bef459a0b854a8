//! Subjects and header values: one line, whatever the data says.

use posthaste_template::{Helpers, Mode, Options, Output, Part, Program, Template};
use proptest::prelude::*;
use serde_json::{Value, json};

fn program(part: Part, source: &str) -> Program {
    let helpers = Helpers::new().inline("raw", |_| Ok(Output::safe("a\r\nBcc: v@evil.example")));
    Program::compile(source, &Options::new(part).mode(Mode::Lenient).helpers(helpers)).unwrap()
}

fn is_one_line(text: &str) -> bool {
    !text
        .chars()
        .any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))
}

#[test]
fn header_values_are_plain_text_on_one_line() {
    let value = program(
        Part::Header,
        "<mailto:leave-{{id}}@example.org?subject={{{id}}}>, x\n\ty",
    );
    assert_eq!(
        value.render(&json!({"id": "a&b\r\nX: y"})).unwrap(),
        "<mailto:leave-a&b X: y@example.org?subject=a&b X: y>, x y"
    );
    let error = Program::compile("{{", &Options::new(Part::Header)).unwrap_err();
    assert_eq!(error.part(), Part::Header);
    assert!(error.to_string().starts_with("header, line 1"), "{error}");
}

#[test]
fn no_way_in_brings_a_line_break() {
    let hostile = json!({
        "x": "a\r\nBcc: v@evil.example", "l": ["\r\n", "\n"], "o": {"\r\nX": 1},
        "u": "a\u{2028}b\u{2029}c\u{85}d\u{b}e\u{c}f\0g\u{7f}h\u{1b}i",
    });
    let ways = [
        "{{x}}",
        "{{{x}}}",
        "{{&x}}",
        "{{l}}",
        "{{#each o}}{{@key}}{{/each}}",
        "{{#each l}}{{this}}{{/each}}",
        "{{u}}",
        "{{lookup this \"x\"}}",
        "{{raw}}",
        "{{(raw)}}",
        "a\r\nb",
        "{{#*inline \"p\"}}\nX: {{x}}\n{{/inline}}{{> p}}",
        "{{#if x}}\n{{x}}\n{{/if}}",
        "{{[\r\n]}}{{\"\r\n\"}}",
        "{{> @partial-block}}{{#> q}}\r\n{{x}}{{/q}}",
    ];
    for part in [Part::Subject, Part::Header] {
        for source in ways {
            let source = source.replace("{{> @partial-block}}", "");
            let value = program(part, &source).render(&hostile).unwrap();
            assert!(
                !value
                    .chars()
                    .any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')),
                "{source}: {value:?}"
            );
        }
    }
    let template = Template::builder().subject("{{shop}} {{x}}").build().unwrap();
    let mail = template.render_over(&json!({"shop": "\r\nA: b"}), &hostile).unwrap();
    assert_eq!(mail.subject, "A: b a Bcc: v@evil.example");
}

proptest! {
    #[test]
    fn headers_hold_no_controls(before in "\\PC{0,5}", value in "[a-z \\t\\r\\n\\x00-\\x20\\x7f-\\xa0\u{2028}\u{2029}\u{2027}ä]{0,30}") {
        let source = "[{{a}}{{{b}}}]";
        let data: Value = json!({"a": before, "b": value});
        for part in [Part::Subject, Part::Header] {
            let out = program(part, source).render(&data).unwrap();
            prop_assert!(is_one_line(&out));
            let kept = |text: &str| text.chars().filter(|c| c.is_alphabetic()).collect::<String>();
            prop_assert_eq!(kept(&out), kept(&format!("{before}{value}")));
        }
    }
}
