//! The language, one line a rule.

use posthaste_template::{Options, Part, Program};
use serde_json::{Value, json};

use crate::{lenient, with_partials};

fn check(source: &str, data: &Value, expected: &str) {
    assert_eq!(lenient(source, data), expected, "{source}");
}

#[test]
fn paths() {
    let data = json!({"a": {"b": [{"c": 1}, "x"], "d e": 2, "": 3}, "0": "zero", "true": "yes", "s": "häß"});
    check(
        "{{a.b.0.c}} {{a.b.[1]}} {{a/b/1}} {{a.[d e]}} {{this.a.[d e]}} {{./s}}",
        &data,
        "1 x x 2 2 häß",
    );
    check("{{a.b.length}} {{s.length}} {{s.[1]}}", &data, "2 3 ä");
    check(
        "{{0}} {{\"0\"}} {{'true'}} {{true}} {{[true]}}",
        &data,
        "zero zero yes yes yes",
    );
    check(
        "{{#with a}}{{#with b}}{{../../s}}{{/with}}{{@root.s}}{{/with}}{{../s}}",
        &data,
        "häßhäß",
    );
    check("{{a.b.7}}{{a.x.y}}{{s.t}}{{@nothing}}{{@index}}", &data, "");
}

#[test]
fn values_are_written_as_in_javascript() {
    let data = json!([
        1,
        [2.0, null, [true]],
        {},
        1.5e300,
        1e21,
        9_007_199_254_740_993_u64,
        -0.0,
        "x"
    ]);
    check(
        "{{this}}",
        &data,
        "1,2,,true,[object Object],1.5e+300,1e+21,9007199254740993,0,x",
    );
    check(
        "{{a}}{{b}}{{c}}{{d}}",
        &json!({"a": false, "b": 0, "c": null, "d": ""}),
        "false0",
    );
}

#[test]
fn escaping() {
    let data = json!({"x": "<&>\"'`=", "l": ["<", ["&"]]});
    check("{{x}}", &data, "&lt;&amp;&gt;&quot;&#x27;&#x60;&#x3D;");
    check("{{{x}}}{{&x}}{{& x }}", &data, &"<&>\"'`=".repeat(3));
    check("{{l}}{{{l}}}", &data, "&lt;,&amp;<,&");
    check(r"\{{x}} \\{{{x}}} \\\{{x}}", &json!({"x": 1}), r"{{x}} \1 \\1");
}

#[test]
fn conditions() {
    let data = json!({"t": 1, "z": 0, "e": [], "o": {}, "n": null, "s": "", "f": false});
    for name in ["z", "e", "n", "s", "f", "missing", "missing.deeper"] {
        check(&format!("{{{{#if {name}}}}}1{{{{else}}}}2{{{{/if}}}}"), &data, "2");
        check(&format!("{{{{#unless {name}}}}}1{{{{^}}}}2{{{{/unless}}}}"), &data, "1");
        check(&format!("{{{{^if {name}}}}}1{{{{else}}}}2{{{{/if}}}}"), &data, "1");
    }
    check(
        "{{#if t}}1{{/if}}{{#if o}}2{{/if}}{{#if z includeZero=true}}3{{/if}}",
        &data,
        "123",
    );
    check(
        "{{#if f}}1{{else if n}}2{{else unless t}}3{{else with o}}4{{else}}5{{/if}}",
        &data,
        "4",
    );
    check("{{#if f}}1{{else each e}}2{{else}}3{{/if}}", &data, "3");
}

#[test]
fn loops() {
    let data = json!({"l": ["a", "b"], "o": {"z": 1, "a": 2}, "n": [[1, 2], [3]]});
    check(
        "{{#each l}}{{@index}}{{@key}}{{.}}{{@first}}{{@last}};{{/each}}",
        &data,
        "00atruefalse;11bfalsetrue;",
    );
    check(
        "{{#each o}}{{@key}}={{this}}{{#unless @last}},{{/unless}}{{/each}}",
        &data,
        "z=1,a=2",
    );
    check(
        "{{#each n}}{{#each this}}{{@../index}}{{@index}}{{this}} {{/each}}{{/each}}",
        &data,
        "001 012 103 ",
    );
    check(
        "{{#each l as |v i|}}{{i}}{{v}}{{#each ../n as |v|}}({{v}}{{i}}){{/each}}{{/each}}",
        &data,
        "0a(1,20)(30)1b(1,21)(31)",
    );
    check(
        "{{#each x}}1{{else}}none{{/each}}{{#each o.z}}1{{else}}none{{/each}}",
        &data,
        "nonenone",
    );
    check(
        "{{#each l}}{{../o.z}}{{#if true}}{{../o.a}}{{/if}}{{/each}}",
        &data,
        "1212",
    );
}

#[test]
fn contexts_and_sections() {
    let data = json!({"o": {"k": "v"}, "l": [{"k": 1}, {"k": 2}], "t": true, "f": false, "z": 0, "e": []});
    check(
        "{{#with o}}{{k}}{{/with}}{{#with o as |p|}}{{p.k}}{{/with}}{{#with e}}1{{else}}2{{/with}}",
        &data,
        "vv2",
    );
    check(
        "{{#o}}{{k}}{{/o}}{{#l}}{{k}}{{@index}}{{/l}}{{#t}}{{o.k}}{{/t}}",
        &data,
        "v1021v",
    );
    check(
        "{{#f}}1{{^}}2{{/f}}{{^e}}3{{/e}}{{^t}}4{{/t}}{{#z}}5{{/z}}{{^missing}}6{{/missing}}",
        &data,
        "2356",
    );
    check("{{#l as |x|}}{{x.k}}{{/l}}{{#o as |x|}}{{x.k}}{{/o}}", &data, "12v");
    check(
        "{{#each l}}{{#with ../o}}{{k}}{{../k}}{{/with}}{{/each}}",
        &data,
        "v1v2",
    );
}

#[test]
fn lookup() {
    let data = json!({"l": ["a", "b"], "m": {"x": {"y": 1}}, "k": "x", "i": 1});
    check(
        "{{lookup l i}}{{lookup m k}}{{lookup (lookup m k) \"y\"}}{{lookup m 'nope'}}",
        &data,
        "b[object Object]1",
    );
    check(
        "{{#each l}}{{lookup ../l @index}}{{/each}}{{#if (lookup m \"x\")}}!{{/if}}",
        &data,
        "ab!",
    );
    check("{{(lookup l 0)}}{{{(lookup (lookup m \"x\") 'y')}}}", &data, "a1");
    check("{{#with (lookup m k)}}{{y}}{{/with}}{{lookup missing 0}}", &data, "1");
}

#[test]
fn comments_raw_blocks_and_log() {
    let data = json!({"x": 1, "l": [1, 2]});
    check("a{{! b }}c{{!-- {{x}} --}}d{{!}}e{{!----}}f", &data, "acdef");
    check(
        "{{{{x}}}}{{a}} {{{{b}}}}{{c}}{{{{/b}}}}{{{{/x}}}}|",
        &data,
        "{{a}} {{{{b}}}}{{c}}{{{{/b}}}}|",
    );
    check(
        "{{#if z}}1{{else log x}}2{{/if}}|{{#if x}}1{{else log x}}2{{/if}}",
        &data,
        "|1",
    );
    check(
        "{{#if z}}1{{else lookup l 1}}2{{else}}3{{/if}}{{#if x}}4{{else lookup l 1}}5{{/if}}",
        &data,
        "24",
    );
    check("{{log x \"y\" level=1}}{{#log x}}y{{/log}}", &data, "");
}

#[test]
fn partials() {
    let data = json!({"a": 1, "o": {"a": 2}, "l": [{"a": 3}, {"a": 4}], "name": "p"});
    let parts = [
        ("p", "[{{a}}{{b}}]"),
        ("wrap", "<{{> @partial-block}}>"),
        ("q", "{{> p b=a}}"),
    ];
    let check = |source: &str, expected: &str| assert_eq!(with_partials(source, &parts, &data), expected, "{source}");
    check(
        "{{> p}}{{> p o}}{{> p b='x'}}{{> p o b=a}}{{> (lookup this 'name')}}{{> q}}",
        "[1][2][1x][21][1][11]",
    );
    check("{{#each l}}{{> p}}{{/each}}{{> \"p\"}}{{> [p]}}", "[3][4][1][1]");
    check(
        "{{#> wrap}}{{a}}{{/wrap}}{{#> nope}}{{a}}{{/nope}}{{#> wrap o}}{{a}}{{../a}}{{/wrap}}",
        "<1>1<21>",
    );
    check(
        "{{#*inline \"i\"}}({{a}}){{/inline}}{{> i}}{{> i o}}{{#each l}}{{> i}}{{/each}}",
        "(1)(2)(3)(4)",
    );
    check("{{> i}}{{#*inline \"i\"}}hoisted{{/inline}}", "hoisted");
    check(
        "{{#with o}}{{#*inline \"p\"}}own{{/inline}}{{> p}}{{/with}}{{> p}}",
        "own[1]",
    );
    check("{{#> wrap}}{{#> wrap}}{{a}}{{/wrap}}{{/wrap}}", "<<1>>");
    check(
        "{{#each (lookup this 'l') as |x i|}}{{#*inline \"i\"}}{{i}}{{x.a}}{{/inline}}{{> i}}{{/each}}",
        "0314",
    );
}

#[test]
fn arguments_of_a_partial_are_an_object() {
    let parts = [
        ("show", "{{#each this}}{{@key}}={{this}};{{/each}}{{this}}"),
        ("pass", "{{> show c=3 a=0}}"),
    ];
    let data = json!({"a": 1, "b": 2});
    assert_eq!(with_partials("{{> show}}", &parts, &data), "a=1;b=2;[object Object]");
    assert_eq!(
        with_partials("{{> show b=5 c=6}}", &parts, &data),
        "a=1;b=5;c=6;[object Object]"
    );
    assert_eq!(
        with_partials("{{> pass b=9}}", &parts, &data),
        "a=0;b=9;c=3;[object Object]"
    );
}

#[test]
fn data_is_never_a_template() {
    let data = json!({"x": "{{y}}", "y": "SECRET", "{{y}}": "key", "p": "{{> p}}"});
    check("{{{x}}}{{{p}}}", &data, "{{y}}{{> p}}");
    check("{{lookup this x}}", &data, "key");
}

#[test]
fn javascript_properties_are_plain_names() {
    for name in [
        "constructor",
        "__proto__",
        "prototype",
        "hasOwnProperty",
        "toString",
        "__lookupGetter__",
    ] {
        check(
            &format!("[{{{{{name}}}}}{{{{x.{name}}}}}{{{{lookup x \"{name}\"}}}}]"),
            &json!({"x": "s"}),
            "[]",
        );
        check(&format!("{{{{{name}}}}}"), &json!({name: "own"}), "own");
    }
}

#[test]
fn variables_beside_the_data() {
    let program = Program::compile(
        "{{@a}}{{@b.c}}{{@index}}{{#each l}}{{@a}}{{@index}}{{/each}}",
        &Options::new(Part::Text),
    );
    let variables = json!({"a": 1, "b": {"c": 2}, "index": 3});
    let out = program
        .unwrap()
        .render_with(&json!({"l": [0]}), variables.as_object().unwrap());
    assert_eq!(out.unwrap(), "12310");
}
