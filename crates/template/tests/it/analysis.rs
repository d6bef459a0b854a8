//! What a template reads, found out without rendering.
#![allow(clippy::indexing_slicing, clippy::string_slice, reason = "a test may well fail so")]

use posthaste_template::{Helpers, Mode, Options, Part, Program, RenderError, Template};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn program(source: &str, partials: &[(&str, &str)]) -> Program {
    let options = Options::new(Part::Text)
        .helpers(Helpers::standard().block("repeat", |_| Ok(posthaste_template::Block::times(2))));
    Program::compile_with_partials(source, partials.iter().copied(), &options).unwrap()
}

#[track_caller]
fn lists(source: &str, partials: &[(&str, &str)], expected: &[&str]) {
    let variables = program(source, partials).variables();
    let found: Vec<String> = variables
        .iter()
        .map(|variable| {
            format!(
                "{} {}{}",
                variable.path,
                variable.usage,
                if variable.required { "!" } else { "" }
            )
        })
        .collect();
    assert_eq!(found, expected, "{source}");
}

#[track_caller]
fn describes(source: &str, partials: &[(&str, &str)], expected: &Value) {
    let mut schema = program(source, partials).schema();
    assert_eq!(
        schema.as_object_mut().unwrap().remove("$schema").unwrap(),
        "https://json-schema.org/draft/2020-12/schema"
    );
    assert_eq!(schema, *expected, "{source}: {schema:#}");
}

#[test]
fn names_are_followed_through_scopes() {
    lists("{{a}}{{b.c}}{{a}}", &[], &["a printed!", "b.c printed!"]);
    lists(
        "{{#each l}}{{x}}{{../y}}{{this.z}}{{@root.r}}{{@index}}{{/each}}",
        &[],
        &["l looped", "l[].x printed!", "y printed", "l[].z printed!", "r printed"],
    );
    lists(
        "{{#with u}}{{n}}{{#with ../v as |w|}}{{w.q}}{{../n}}{{/with}}{{/with}}",
        &[],
        &["u entered", "u.n printed!", "v entered", "v.q printed!"],
    );
    lists(
        "{{#each l as |x i|}}{{x.a}}{{i}}{{x}}{{/each}}",
        &[],
        &["l looped", "l[].a printed!", "l[] printed!"],
    );
    lists(
        "{{#s}}{{x}}{{../y}}{{/s}}{{^t}}{{z}}{{/t}}",
        &[],
        &["s section!", "s[].x printed!", "y printed!", "t section!", "z printed!"],
    );
    lists(
        "{{lookup l i}}{{lookup o \"k\"}}{{#with (lookup o \"m\")}}{{n}}{{/with}}",
        &[],
        &[
            "l looked up",
            "i looked up",
            "o.k looked up",
            "o looked up",
            "o.m looked up",
            "o.m.n printed!",
        ],
    );
    lists(
        "{{upper a}}{{#if (eq b \"x\")}}{{default c \"d\"}}{{/if}}{{#repeat n}}{{e}}{{/repeat}}",
        &[],
        &["a passed!", "b passed", "c passed", "n passed!", "e printed!"],
    );
    lists(
        "{{l.length}}{{#if m.length}}{{m.0.x}}{{/if}}{{[a b].c}}{{\"d\"}}",
        &[],
        &[
            "l.length printed!",
            "m.length tested!",
            "m.0.x printed!",
            "[a b].c printed!",
            "d printed!",
        ],
    );
    lists(
        "{{ses:openTracker}}{{amazonSESUnsubscribeUrl}}{{! x }}{{log y}}",
        &[],
        &[],
    );
}

#[test]
fn guards_make_names_optional() {
    lists(
        "{{#if a}}{{a}}{{a.b}}{{c}}{{else}}{{a.d}}{{/if}}",
        &[],
        &["a tested!", "a printed!", "a.b printed!", "c printed!", "a.d printed!"],
    );
    lists(
        "{{#if a}}{{a.b}}{{c}}{{/if}}",
        &[],
        &["a tested", "a.b printed!", "c printed"],
    );
    lists("{{#unless a}}{{else}}{{a}}{{/unless}}", &[], &["a tested", "a printed"]);
    lists(
        "{{#unless a}}{{b}}{{else if c}}{{a}}{{c}}{{/unless}}",
        &[],
        &["a tested", "b printed!", "c tested", "a printed", "c printed"],
    );
    describes(
        "{{#if a.b}}{{a.b.c}}{{a.d}}{{e}}{{/if}}",
        &[],
        &json!({
            "type": "object",
            "properties": {
                "a": {
                    "type": ["object", "null"],
                    "properties": {
                        "b": {
                            "type": ["object", "null"],
                            "properties": {"c": {"type": ["string", "number", "boolean"]}},
                            "required": ["c"],
                        },
                        "d": {"type": ["string", "number", "boolean"]},
                    },
                    "dependentRequired": {"b": ["d"]},
                },
                "e": {"type": ["string", "number", "boolean"]},
            },
            "dependentRequired": {"a": ["e"]},
        }),
    );
}

#[test]
fn partials_are_followed() {
    let card = [
        ("card", "{{title}}{{../x}}{{by.name}}"),
        ("layout", "{{head}}{{> @partial-block}}"),
    ];
    lists(
        "{{> card book}}{{> card title=name by=author}}",
        &card,
        &[
            "book entered!",
            "name passed!",
            "author passed!",
            "name printed!",
            "book.title printed!",
            "author.name printed!",
            "book.by.name printed!",
        ],
    );
    lists(
        "{{#> layout}}{{body}}{{/layout}}{{#> nope}}{{rest}}{{/nope}}",
        &card,
        &["body printed!", "rest printed!", "head printed!"],
    );
    lists(
        "{{#*inline \"p\"}}{{a}}{{../b}}{{/inline}}{{#*inline \"q\"}}{{c}}{{/inline}}{{#each l}}{{> p}}{{/each}}",
        &[],
        &["l[].a printed!", "l looped"],
    );
    lists(
        "{{> (lookup . \"kind\") x}}{{> (upper k)}}",
        &card,
        &["kind looked up", "x entered", "k passed!"],
    );
}

#[test]
fn recursion_is_described_by_reference() {
    let node = [("node", "{{name}}{{#each children}}{{> node}}{{/each}}")];
    lists(
        "{{> node tree}}",
        &node,
        &["tree entered!", "tree.name printed!", "tree.children looped"],
    );
    describes(
        "{{> node tree}}",
        &node,
        &json!({
            "type": "object",
            "properties": {"tree": {"$ref": "#/$defs/part1"}},
            "required": ["tree"],
            "$defs": {"part1": {
                "type": "object",
                "properties": {
                    "children": {"type": ["array", "null"], "items": {"$ref": "#/$defs/part1"}},
                    "name": {"type": ["string", "number", "boolean"]},
                },
                "required": ["name"],
            }},
        }),
    );
    let reply = [("reply", "{{text}}{{#with parent}}{{> reply}}{{/with}}")];
    describes(
        "{{> reply}}",
        &reply,
        &json!({
            "type": "object",
            "properties": {"parent": {"$ref": "#"}, "text": {"type": ["string", "number", "boolean"]}},
            "required": ["text"],
        }),
    );
}

#[test]
fn shapes_are_inferred() {
    describes("plain", &[], &json!({"type": "object"}));
    describes(
        "{{#if a}}{{/if}}{{{b}}}{{#each c}}{{this}}{{/each}}{{d.length}}{{e.1.f}}",
        &[],
        &json!({
            "type": "object",
            "properties": {
                "a": {},
                "b": {"type": ["string", "number", "boolean"]},
                "c": {"type": ["array", "null"], "items": {"type": ["string", "number", "boolean"]}},
                "d": {"type": ["array", "string"]},
                "e": {
                    "type": "array",
                    "minItems": 2,
                    "prefixItems": [
                        {},
                        {
                            "type": "object",
                            "properties": {"f": {"type": ["string", "number", "boolean"]}},
                            "required": ["f"],
                        },
                    ],
                },
            },
            "required": ["b", "d", "e"],
        }),
    );
    describes(
        "{{#each o}}{{@key}}{{this}}{{/each}}{{#s}}{{/s}}{{#t}}{{this}}{{/t}}",
        &[],
        &json!({
            "type": "object",
            "properties": {
                "o": {
                    "type": ["array", "object", "null"],
                    "items": {"type": ["string", "number", "boolean"]},
                    "additionalProperties": {"type": ["string", "number", "boolean"]},
                },
                "s": {},
                "t": {"anyOf": [
                    {"enum": [false, null]},
                    {"type": "array", "items": {"type": ["string", "number"]}},
                    {"type": ["string", "number"]},
                ]},
            },
            "required": ["s", "t"],
        }),
    );
}

#[test]
fn parts_share_one_schema() {
    let template = Template::builder()
        .name("t")
        .subject("{{a}}")
        .text("{{#if b}}{{b}}{{/if}}")
        .html("{{b.c}}{{> p}}")
        .partial("p", "\n{{a}}");
    let template = template.build().unwrap();
    assert_eq!(template.schema()["required"], json!(["a", "b"]));
    assert_eq!(template.schema()["title"], "t");
    let found: Vec<String> = template
        .variables()
        .iter()
        .map(|variable| format!("{} {} {}", variable.path, variable.name, variable.location))
        .collect();
    assert_eq!(
        found,
        [
            "a a subject, line 1, column 3",
            "b b text, line 1, column 7",
            "b b text, line 1, column 12",
            "b.c b.c html, line 1, column 3",
            "a a html, partial `p`, line 2, column 3",
        ]
    );
}

#[test]
fn hostile_templates_are_analysed_in_bounded_work() {
    let doubling: Vec<(String, String)> = (0..31)
        .map(|level| {
            (
                format!("p{level}"),
                format!(
                    "{{{{a}}}}{0}{0}{{{{#if b}}}}{0}{{{{/if}}}}",
                    format!("{{{{> p{} x=a}}}}", level + 1)
                ),
            )
        })
        .collect();
    let doubling: Vec<(&str, &str)> = doubling
        .iter()
        .map(|(name, source)| (name.as_str(), source.as_str()))
        .collect();
    let schema = program("{{> p0}}", &doubling).schema();
    assert!(schema["$comment"].is_string());
    let deep = program(&format!("{{{{{}x}}}}{{{{y}}}}", "a.".repeat(20_000)), &[]);
    assert!(deep.schema().to_string().len() < 10_000);
    assert_eq!(deep.variables().len(), 1);
    let long = program(
        &format!("{{{{#with {}}}}}{}{{{{/with}}}}", "x".repeat(20_000), "{{a}}{{b}}"),
        &[],
    );
    assert!(long.variables().iter().all(|variable| variable.path.len() < 300));
    let wide: String = (0..20_000).map(|index| format!("{{{{a{index}}}}}\n")).collect();
    let variables = program(&wide, &[]).variables();
    assert_eq!((variables.len(), variables[19_999].location.line), (20_000, 20_000));
    for recursion in [
        "{{> p}}",
        "{{> p x}}",
        "{{> p y=x}}",
        "{{#each x}}{{> p}}{{> p ../x}}{{/each}}",
        "{{> p @root}}",
        "{{#> p}}{{> p}}{{x}}{{> @partial-block}}{{/p}}",
    ] {
        let schema = program("{{> p a}}", &[("p", &format!("{{{{z}}}}{recursion}"))]).schema();
        assert!(schema["properties"]["a"].is_object(), "{recursion}: {schema}");
    }
}

/// Makes data that fits a schema: anything that the keywords leave open is drawn from `choices`.
struct Maker<'s> {
    root: &'s Value,
    choices: u64,
    /// Set when only endless data would fit.
    endless: bool,
}

impl Maker<'_> {
    fn choose(&mut self, count: usize) -> usize {
        // Knuth's generator: enough for choosing.
        self.choices = self
            .choices
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.choices >> 33).unwrap() % count
    }

    fn make(&mut self, schema: &Value, depth: usize) -> Value {
        if depth > 30 || self.endless {
            self.endless = true;
            return Value::Null;
        }
        if let Some(reference) = schema["$ref"].as_str() {
            let target = self.root.pointer(&reference[1..]).unwrap();
            return self.make(target, depth);
        }
        if let Some(forms) = schema["anyOf"].as_array() {
            let index = if depth > 6 { 0 } else { self.choose(forms.len()) };
            return self.make(&forms[index], depth + 1);
        }
        if let Some(values) = schema["enum"].as_array() {
            return values[self.choose(values.len())].clone();
        }
        let types: Vec<&str> = match &schema["type"] {
            Value::String(only) => vec![only],
            Value::Array(several) => several.iter().map(|one| one.as_str().unwrap()).collect(),
            _ => {
                let anything = [
                    json!(null),
                    json!(true),
                    json!(0),
                    json!("x"),
                    json!([]),
                    json!({}),
                    json!([1]),
                    json!({"a": "b"}),
                ];
                return anything[self.choose(anything.len())].clone();
            }
        };
        let kind = if depth > 6 && types.contains(&"null") {
            "null"
        } else {
            types[self.choose(types.len())]
        };
        match kind {
            "null" => Value::Null,
            "boolean" => Value::from(self.choose(2) == 0),
            "number" => Value::from(self.choose(3)),
            "string" => Value::from(["", "x", "yz"][self.choose(3)]),
            "array" => {
                let least = usize::try_from(schema["minItems"].as_u64().unwrap_or(0)).unwrap();
                let more = if depth > 6 { 0 } else { self.choose(3) };
                let prefix = schema["prefixItems"].as_array();
                let item = |index: usize| prefix.and_then(|prefix| prefix.get(index)).unwrap_or(&schema["items"]);
                (0..least + more)
                    .map(|index| self.make(item(index), depth + 1))
                    .collect()
            }
            "object" => self.object(schema, depth),
            other => panic!("{other}"),
        }
    }

    fn object(&mut self, schema: &Value, depth: usize) -> Value {
        let names = |list: &Value| -> Vec<String> {
            list.as_array()
                .into_iter()
                .flatten()
                .map(|name| name.as_str().unwrap().to_owned())
                .collect()
        };
        let mut wanted = names(&schema["required"]);
        for name in schema["properties"].as_object().into_iter().flat_map(Map::keys) {
            if depth <= 6 && self.choose(2) == 0 {
                wanted.push(name.clone());
            }
        }
        let mut object = Map::new();
        while let Some(name) = wanted.pop() {
            if object.contains_key(&name) {
                continue;
            }
            object.insert(name.clone(), self.make(&schema["properties"][&name], depth + 1));
            wanted.extend(names(&schema["dependentRequired"][&name]));
        }
        if depth <= 6 && schema["additionalProperties"].is_object() {
            for index in 0..self.choose(3) {
                object.insert(
                    format!("more{index}"),
                    self.make(&schema["additionalProperties"], depth + 1),
                );
            }
        }
        Value::Object(object)
    }
}

/// Renders with data made from the schema: nothing may be missing, whatever else may go wrong.
#[track_caller]
fn holds(program: &Program, choices: u64) {
    let schema = program.schema();
    if schema["$comment"].is_string() {
        return;
    }
    let mut maker = Maker {
        root: &schema,
        choices,
        endless: false,
    };
    let data = maker.make(&schema, 0);
    if maker.endless {
        return;
    }
    if let Err(error @ RenderError::Missing(_)) = program.render(&data) {
        panic!("{}\n{schema:#}\n{data:#}\n{error}", program.source());
    }
}

/// Templates whose names can all be followed: no value is reached in two ways, or is a list here and an object there.
fn template() -> impl Strategy<Value = String> {
    let path = prop::sample::select(vec![
        "a",
        "b",
        "c.d",
        "a.b",
        "../a",
        "x",
        "x.b",
        "y",
        "@root.b",
        "@root.c.e",
        "../../d",
        "n.length",
        "l.0",
        "l.1.b",
        "this.c",
    ]);
    let context = prop::sample::select(vec!["a", "b", "c.d", "l", "m.l", "../a", "x", "../l", "w"]);
    let leaf = prop_oneof![
        Just("-".to_owned()),
        path.clone().prop_map(|path| format!("{{{{{path}}}}}")),
        path.clone()
            .prop_map(|path| format!("{{{{upper {path}}}}}{{{{#if (eq {path} {path})}}}}{{{{/if}}}}")),
        path.clone().prop_map(|path| format!("{{{{> shared x={path} b=a}}}}")),
        context.clone().prop_map(|path| format!("{{{{> shared {path}}}}}")),
        Just("{{> node}}".to_owned()),
        Just("{{> wrap}}".to_owned()),
    ];
    leaf.prop_recursive(5, 40, 4, move |inner| {
        let body = prop::collection::vec(inner, 0..4).prop_map(|parts| parts.concat());
        let block = prop::sample::select(vec!["if", "unless", "each", "with"]);
        prop_oneof![
            (block, context.clone(), body.clone(), body.clone()).prop_map(|(block, path, first, second)| format!(
                "{{{{#{block} {path}}}}}{first}{{{{else}}}}{second}{{{{/{block}}}}}"
            )),
            (context.clone(), body.clone(), body.clone(), body.clone()).prop_map(
                |(path, first, second, third)| format!(
                    "{{{{#if {path}}}}}{first}{{{{else if b}}}}{second}{{{{else unless c}}}}{third}{{{{/if}}}}"
                )
            ),
            (body.clone(), context.clone())
                .prop_map(|(body, path)| format!("{{{{#each {path} as |x y|}}}}{body}{{{{/each}}}}")),
            (body.clone(), context.clone())
                .prop_map(|(body, path)| format!("{{{{#with {path} as |x|}}}}{body}{{{{/with}}}}")),
            (body.clone(), body.clone())
                .prop_map(|(body, other)| format!("{{{{#repeat 2 as |z|}}}}{body}{{{{else}}}}{other}{{{{/repeat}}}}")),
            (body.clone(), context.clone())
                .prop_map(|(body, path)| format!("{{{{#> wrap {path}}}}}{body}{{{{/wrap}}}}")),
            body.prop_map(|body| format!("{{{{#*inline \"p\"}}}}{body}{{{{/inline}}}}{{{{> p a}}}}")),
        ]
    })
}

const PARTIALS: [(&str, &str); 3] = [
    ("shared", "{{a.b}}{{#if x}}{{x.d}}{{/if}}{{b}}"),
    ("node", "{{name}}{{#each children}}{{> node}}{{/each}}"),
    ("wrap", "{{#if @partial-block}}{{> @partial-block}}{{/if}}{{k}}"),
];

#[test]
fn data_that_fits_renders() {
    let sources = [
        "{{#s}}{{x}}{{../y}}{{^}}{{z}}{{/s}}{{^t}}{{z}}{{else}}{{u}}{{/t}}",
        "{{#s}}{{#t}}{{this}}{{../x}}{{/t}}{{/s}}",
        "{{#each l}}{{#each ../l}}{{q}}{{/each}}{{@key}}{{/each}}{{l.length}}",
        "{{#each o}}{{this}}{{/each}}{{o.name}}",
        "{{#each l}}{{this.x}}{{/each}}{{l.2.y}}{{#if l.3}}{{l.3.z}}{{/if}}",
        "{{#if a}}{{#if b}}{{c}}{{d.e}}{{/if}}{{/if}}{{#unless f}}{{g}}{{else}}{{f.h}}{{/unless}}",
        "{{#with (lookup o \"k\")}}{{n}}{{/with}}{{#each (lookup o \"l\")}}{{m}}{{/each}}",
        "{{#> wrap user}}{{name}}{{../title}}{{/wrap}}{{> node tree}}{{> node name=n children=c}}",
        "{{#*inline \"p\"}}{{a}}{{../b}}{{#each l}}{{> p}}{{/each}}{{/inline}}{{#with w}}{{> p}}{{/with}}",
        "{{#s}}{{/s}}{{#if s}}{{s.x}}{{/if}}{{#each s}}{{y}}{{/each}}",
        "{{#s as |x|}}{{x.a}}{{/s}}{{#with t as |x|}}{{#each x as |y i|}}{{y.b}}{{x.c}}{{i}}{{/each}}{{/with}}",
    ];
    for source in sources {
        let program = program(source, &PARTIALS);
        for choices in 0..300 {
            holds(&program, choices);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn data_that_fits_any_template_renders(source in template(), choices in any::<u64>()) {
        let program = program(&source, &PARTIALS);
        for turn in 0..5 {
            holds(&program, choices.wrapping_add(turn));
        }
        for variable in program.variables() {
            prop_assert!(!variable.path.is_empty() && variable.location.line > 0);
        }
    }

    #[test]
    fn any_mode_has_the_same_variables(source in template()) {
        let options = |mode| Options::new(Part::Text).mode(mode).helpers(Helpers::standard().block("repeat", |_| Ok(posthaste_template::Block::once())));
        let list = |mode| Program::compile_with_partials(&source, PARTIALS, &options(mode)).unwrap().variables();
        prop_assert_eq!(list(Mode::Strict), list(Mode::Lenient));
    }
}
