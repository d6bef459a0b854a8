//! Data laid over defaults.

use posthaste_template::{Mode, Options, Part, Program, Template};
use proptest::prelude::*;
use serde_json::{Value, json};

fn over(source: &str, defaults: &Value, data: &Value) -> String {
    let program = Program::compile(source, &Options::new(Part::Text).mode(Mode::Lenient)).unwrap();
    program.render_over(defaults, data).unwrap()
}

#[test]
fn data_wins_name_by_name() {
    let (defaults, data) = (json!({"a": 1, "b": {"x": 1, "y": 2}}), json!({"b": {"x": 3}, "c": 4}));
    assert_eq!(over("{{a}} {{b.x}} {{b.y}} {{c}}", &defaults, &data), "1 3  4");
    assert_eq!(
        over("{{@root.a}}{{this.c}}{{lookup this \"a\"}}", &defaults, &data),
        "141"
    );
    assert_eq!(over("{{#with b}}{{../a}}{{x}}{{/with}}", &defaults, &data), "13");
    assert_eq!(
        over("{{#if a}}{{#unless d}}yes{{/unless}}{{/if}}{{this}}", &defaults, &data),
        "yes[object Object]"
    );
    assert_eq!(over("{{a}}.", &json!({"a": 1}), &json!({"a": null})), ".");
}

#[test]
fn loops_see_the_merged_object() {
    let (defaults, data) = (json!({"a": 1, "b": 2}), json!({"c": 3, "b": 4}));
    let source = "{{#each this}}{{@key}}={{this}}{{#unless @last}},{{/unless}}{{/each}}";
    assert_eq!(over(source, &defaults, &data), "a=1,b=4,c=3");
    let source = "{{#*inline \"p\"}}{{#each this}}{{@key}}={{this}};{{/each}}{{a}}{{/inline}}{{> p b=5 d=6}}";
    assert_eq!(over(source, &defaults, &data), "a=1;b=5;c=3;d=6;1");
}

#[test]
fn what_is_no_object_is_not_merged() {
    let defaults = json!({"a": 1});
    for data in [json!({}), json!(null)] {
        assert_eq!(over("{{a}}{{#each this}}{{@key}}{{/each}}", &defaults, &data), "1a");
    }
    assert_eq!(over("{{a}}{{this}}", &defaults, &json!("x")), "x");
    assert_eq!(over("{{a}}", &json!([1]), &json!({"a": 2})), "2");
}

#[test]
fn hints_know_both() {
    let template = Template::builder()
        .subject("{{nmae}} {{shpo}} {{shop.nmae}}")
        .build()
        .unwrap();
    let error = template
        .render_over(&json!({"shop": {"name": 1}}), &json!({"name": 1}))
        .unwrap_err();
    let hints: Vec<_> = error
        .missing()
        .iter()
        .map(|missing| missing.nearest.as_deref().unwrap())
        .collect();
    assert_eq!(hints, ["name", "shop", "shop.name"]);
}

proptest! {
    #[test]
    fn merging_first_comes_to_the_same(
        defaults in prop::collection::vec(("[a-d]", 0..9_u8), 0..5),
        data in prop::collection::vec(("[a-d]", 0..9_u8), 0..5),
    ) {
        let object = |pairs: &[(String, u8)]| -> Value {
            Value::Object(pairs.iter().map(|(name, value)| (name.clone(), Value::from(*value))).collect())
        };
        let (defaults, data) = (object(&defaults), object(&data));
        let mut merged = defaults.clone();
        for (name, value) in data.as_object().unwrap() {
            merged[name] = value.clone();
        }
        let source = "{{a}}/{{b}}/{{@root.c}}/{{#each this}}{{@key}}{{this}}{{@index}}{{/each}}";
        let program = Program::compile(source, &Options::new(Part::Text).mode(Mode::Lenient)).unwrap();
        prop_assert_eq!(program.render_over(&defaults, &data).unwrap(), program.render(&merged).unwrap());
        let strict = Program::compile("{{a}}{{b}}", &Options::new(Part::Text)).unwrap();
        let names = |outcome: Result<String, posthaste_template::RenderError>| {
            outcome.map_err(|error| error.missing().iter().map(|missing| missing.name.clone()).collect::<Vec<_>>())
        };
        prop_assert_eq!(names(strict.render_over(&defaults, &data)), names(strict.render(&merged)));
    }
}
