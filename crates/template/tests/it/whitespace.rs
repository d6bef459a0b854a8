//! `~`, and lines that hold nothing but a tag.

use serde_json::{Value, json};

use crate::{lenient, with_partials};

fn check(source: &str, expected: &str) {
    let data: Value = json!({"x": "X", "l": [1, 2], "t": true, "f": false});
    assert_eq!(lenient(source, &data), expected, "{source:?}");
}

#[test]
fn tildes_strip() {
    check(" {{~x~}} \n {{x}} ", "XX ");
    check("a \n {{~#if t~}} \n b \n {{~else~}} c {{~/if~}} \n d", "abd");
    check("a {{~! c ~}} b {{!-- c --~}} d", "ab d");
    check("a {{~{x}~}} b {{~&x~}} c", "aXbXc");
    check("a {{~^f~}} b {{~/f~}} c", "abc");
}

#[test]
fn standalone_tags_take_their_line_along() {
    check("a\n{{#if t}}\nb\n{{/if}}\nc", "a\nb\nc");
    check("a\r\n  {{#if t}}  \r\nb\r\n  {{/if}}\r\nc", "a\r\nb\r\nc");
    check("{{#each l}}\n  {{this}}\n{{/each}}\n", "  1\n  2\n");
    check("{{#if f}}\na\n{{else}}\nb\n{{/if}}\n", "b\n");
    check("a\n  {{! c }}  \nb", "a\nb");
    check("{{! c }}\na\n{{! c }}", "a\n");
    check("a {{#if t}}\nb\n{{/if}} c", "a \nb\n c");
    check("{{x}}\n{{x}}\n", "X\nX\n");
    check(
        "  {{#if f}}\n  {{else if t}}\n  a\n  {{else}}\n  b\n  {{/if}}\nc",
        "  a\nc",
    );
}

#[test]
fn standalone_partials_are_indented() {
    let parts = [("p", "1\n{{> q}}\n2\n"), ("q", "q\nq\n")];
    assert_eq!(
        with_partials("a\n  {{> p}}\nb", &parts, &json!({})),
        "a\n  1\n  q\n  q\n  2\nb"
    );
    assert_eq!(with_partials("a\n  -{{> q}}\nb", &parts, &json!({})), "a\n  -q\nq\n\nb");
    assert_eq!(with_partials("a\n  {{~> q}}\nb", &parts, &json!({})), "aq\nq\nb");
}
