//! Helpers written in Rust.

use posthaste_template::{
    Block, HelperError, Helpers, Limit, Limits, Mode, Options, Output, Part, Program, RenderError, Template,
};
use serde_json::{Value, json};

fn helpers() -> Helpers {
    Helpers::standard()
        .inline("split", |arguments| {
            let text = arguments.text(0)?.into_owned();
            Ok(text.split(',').map(Value::from).collect::<Vec<_>>())
        })
        .inline("bold", |arguments| {
            Ok(Output::safe(format!("<b>{}</b>", arguments.text(0)?)))
        })
        .inline("same", |_| Ok(Output::argument(0)))
        .inline("nothing", |_| Ok(Output::nothing()))
        .inline("answer", |_| Ok(42))
        .inline("part", |arguments| Ok(arguments.part().to_string()))
        .inline("names", |arguments| {
            let fields = arguments.get(0).as_object().ok_or("no object")?;
            Ok(fields.keys().cloned().map(Value::from).collect::<Vec<_>>())
        })
        .inline("many", |arguments| {
            Ok("x".repeat(usize::try_from(arguments.get(0).as_u64().unwrap()).unwrap()))
        })
        .block("repeat", |arguments| {
            Ok(Block::times(arguments.get(0).as_u64().ok_or("takes a count")?))
        })
        .block("when", |arguments| {
            Ok(Block::when(arguments.get(0).as_str() == arguments.named("is").as_str()))
        })
        .block("at", |_| Ok(Block::with(Output::argument(0))))
        .block("all", |_| Ok(Block::each(Output::argument(0))))
        .block("pair", |_| Ok(Block::each(vec![json!({"x": 1}), json!({"x": 2})])))
        .block("never", |_| Ok(Block::skip()))
        .block("always", |_| Ok(Block::once()))
}

fn options(mode: Mode) -> Options {
    Options::new(Part::Html).mode(mode).helpers(helpers())
}

#[track_caller]
fn check(source: &str, data: &Value, expected: &str) {
    let program = Program::compile(source, &options(Mode::Strict)).unwrap();
    assert_eq!(program.render(data).unwrap(), expected, "{source}");
}

#[track_caller]
fn fails(source: &str, data: &Value, expected: &str) {
    let error = Program::compile(source, &options(Mode::Strict))
        .unwrap()
        .render(data)
        .unwrap_err();
    assert_eq!(error.to_string(), expected, "{source}");
}

#[track_caller]
fn does_not_compile(source: &str, expected: &str) {
    let error = Program::compile(source, &options(Mode::Strict)).unwrap_err();
    assert_eq!(error.to_string(), expected, "{source}");
}

#[test]
fn inline_helpers_make_values() {
    let data = json!({"name": "Ada & Bob", "plan": "pro", "tags": "a,b", "n": 3, "o": {"k": [1, 2]}});
    check("{{upper name}} {{{upper name}}}", &data, "ADA &amp; BOB ADA & BOB");
    check(
        "{{upper \"x\"}}{{lower (upper \"aBc\")}}{{\"upper\" plan}}",
        &data,
        "XabcPRO",
    );
    check("{{#if (eq plan \"pro\")}}yes{{else}}no{{/if}}", &data, "yes");
    check(
        "{{#unless (gt n 2)}}few{{else if (eq n 3)}}three{{/unless}}",
        &data,
        "three",
    );
    check(
        "{{#each (split tags)}}{{@index}}{{this}}{{#unless @last}};{{/unless}}{{/each}}",
        &data,
        "0a;1b",
    );
    check("{{#each (split tags) as |tag i|}}{{i}}{{tag}}{{/each}}", &data, "0a1b");
    check("{{#with (split tags)}}{{length}}{{[1]}}{{../n}}{{/with}}", &data, "2b3");
    check(
        "{{lookup (split tags) 1}}{{(split tags)}}{{split tags}}",
        &data,
        "ba,ba,b",
    );
    check(
        "{{bold name}}|{{upper (bold \"x\")}}|{{(bold \"y\")}}",
        &data,
        "<b>Ada & Bob</b>|&lt;B&gt;X&lt;/B&gt;|<b>y</b>",
    );
    check(
        "{{same o.k}}{{#with (same o)}}{{k.length}}{{/with}}{{same n}}",
        &data,
        "1,223",
    );
    check(
        "{{nothing}}{{#if (nothing)}}x{{/if}}{{answer}}{{part}}",
        &data,
        "42html",
    );
    check(
        "{{#with (same this)}}{{n}}{{/with}}{{names this}}",
        &data,
        "3name,plan,tags,n,o",
    );
}

#[test]
fn helpers_hide_names_but_paths_do_not_call() {
    let data = json!({"answer": 1, "upper": "up", "n": [7]});
    check("{{answer}}{{this.answer}}{{./answer}}{{upper.length}}", &data, "42112");
    check("{{#each n as |answer|}}{{answer}}{{/each}}", &data, "7");
    check(
        "{{#*inline \"p\"}}{{answer}}{{x}}{{/inline}}{{> p x=(answer)}}",
        &data,
        "4242",
    );
    check(
        "{{#*inline \"42\"}}found{{/inline}}{{> (trim \" 42 \")}}",
        &data,
        "found",
    );
}

#[test]
fn helpers_see_objects_that_are_made_of_two() {
    let program = Program::compile("{{names this}}", &options(Mode::Strict)).unwrap();
    assert_eq!(program.render_over(&json!({"a": 1}), &json!({"b": 2})).unwrap(), "a,b");
    check(
        "{{#*inline \"p\"}}{{names this}}{{/inline}}{{> p x=1}}",
        &json!({"a": 1}),
        "a,x",
    );
}

#[test]
fn block_helpers_say_how_often() {
    let data = json!({"n": 3, "plan": "pro", "o": {"x": 5}, "l": [1, 2], "big": 9_007_199_254_740_991_u64});
    check(
        "{{#repeat n}}{{@index}}{{plan}}{{#unless @last}},{{/unless}}{{/repeat}}",
        &data,
        "0pro,1pro,2pro",
    );
    check(
        "{{#repeat 2 as |i|}}{{i}}{{#repeat 2 as |j|}}{{i}}{{j}}{{@../index}} {{/repeat}}{{/repeat}}",
        &data,
        "0000 010 1101 111 ",
    );
    check(
        "{{#repeat 0}}x{{else}}none{{/repeat}}{{^repeat 0}}none{{/repeat}}",
        &data,
        "nonenone",
    );
    check(
        "{{#when plan is=\"pro\"}}{{o.x}}{{else when plan is=\"x\"}}b{{else}}c{{/when}}",
        &data,
        "5",
    );
    check(
        "{{#when plan is=\"y\"}}a{{else when plan is=\"pro\"}}b{{else}}c{{/when}}",
        &data,
        "b",
    );
    check(
        "{{#at o}}{{x}}{{../n}}{{/at}}{{#at o as |p|}}{{p.x}}{{/at}}",
        &data,
        "535",
    );
    check(
        "{{#all l}}{{this}}{{/all}}{{#all o}}{{@key}}{{/all}}{{#all n}}{{else}}-{{/all}}",
        &data,
        "12x-",
    );
    check(
        "{{#pair}}{{x}}{{@index}}{{/pair}}{{#never}}x{{/never}}{{#always}}{{n}}{{/always}}",
        &data,
        "10213",
    );
    let program = Program::compile("{{#repeat big}}{{/repeat}}", &options(Mode::Strict)).unwrap();
    assert!(matches!(
        program.render(&data).unwrap_err(),
        RenderError::LimitExceeded {
            limit: Limit::Steps,
            ..
        }
    ));
}

#[test]
fn errors_have_a_place() {
    let data = json!({"x": {}, "n": 1, "s": "a\nb"});
    fails(
        "\n {{#if n}}{{upper x}}{{/if}}",
        &data,
        "html, line 2, column 13: `upper`: argument 1 is no text",
    );
    fails(
        "{{#repeat s}}{{/repeat}}",
        &data,
        "html, line 1, column 4: `repeat`: takes a count",
    );
    fails(
        "{{upper}}",
        &data,
        "html, line 1, column 3: `upper`: takes 1 arguments, not 0",
    );
    fails(
        "{{number n decimal=2}}",
        &data,
        "html, line 1, column 3: `number`: there is no argument `decimal`",
    );
    fails(
        "{{upper (nothing)}}",
        &data,
        "html, line 1, column 3: `upper`: argument 1 is missing",
    );
    let partials = [("p", "\n{{number s}}")];
    let program = Program::compile_with_partials("{{> p}}", partials, &options(Mode::Strict)).unwrap();
    let error = program.render(&data).unwrap_err();
    assert_eq!(
        error.to_string(),
        "html, partial `p`, line 2, column 3: `number`: argument 1 is no number"
    );
    assert_eq!(error.location().unwrap().line, 2);
    let loud = Helpers::new().inline("loud", |_| {
        Err::<Output, _>(HelperError::new(format!("\u{1b}[2J\n{}", "x".repeat(9999))))
    });
    let program = Program::compile("{{loud}}", &Options::new(Part::Text).helpers(loud)).unwrap();
    let text = program.render(&data).unwrap_err().to_string();
    assert!(text.len() < 700 && !text.contains(char::is_control), "{text}");
}

#[test]
fn a_missing_argument_is_a_missing_variable() {
    let render = |mode| {
        let program = Program::compile("{{upper nmae}}{{default nick \"you\"}}{{lower x.y}}", &options(mode)).unwrap();
        program.render(&json!({"name": 1}))
    };
    let error = render(Mode::Strict).unwrap_err();
    let names: Vec<_> = error
        .missing()
        .iter()
        .map(|m| (m.name.as_str(), m.nearest.as_deref()))
        .collect();
    assert_eq!(names, [("nmae", Some("name")), ("x.y", None)]);
    assert_eq!(
        render(Mode::Ses).unwrap_err().to_string(),
        "Attribute 'nmae' is not present in the rendering data."
    );
    assert_eq!(render(Mode::Lenient).unwrap(), "you");
}

#[test]
fn misuse_does_not_compile() {
    does_not_compile("{{nope x}}", "html, line 1, column 3: there is no helper `nope`");
    does_not_compile(
        "{{repeat 3}}",
        "html, line 1, column 3: `repeat` is a block helper: write `{{#name …}}…{{/name}}`",
    );
    does_not_compile(
        "{{#if (repeat 3)}}{{/if}}",
        "html, line 1, column 8: `repeat` is a block helper: write `{{#name …}}…{{/name}}`",
    );
    does_not_compile(
        "{{#upper x}}{{/upper}}",
        "html, line 1, column 4: `upper` is an inline helper: write `{{name …}}` or `(name …)`",
    );
    let each = Template::builder()
        .subject("x")
        .helper("each", |_| Ok(1))
        .build()
        .unwrap_err();
    assert_eq!(
        each.to_string(),
        "subject, line 1, column 1: `each` is built in: no helper can take its name"
    );
}

#[test]
fn helpers_do_not_outgrow_limits() {
    let exceeds = |source: &str, expected: Limit| {
        let limits = Limits::default().output(5000).steps(50_000);
        let program = Program::compile(source, &options(Mode::Strict).limits(limits)).unwrap();
        let data = json!({"l": vec!["y"; 1000], "t": "z".repeat(4000)});
        match program.render(&data).unwrap_err() {
            RenderError::LimitExceeded { limit, .. } => assert_eq!(limit, expected, "{source}"),
            other => panic!("{source}: {other}"),
        }
    };
    exceeds("{{many 6000}}", Limit::Output);
    exceeds("{{many 3000}}{{many 3000}}", Limit::Output);
    exceeds("{{#if (many 6000)}}{{/if}}", Limit::Output);
    exceeds("{{#each l}}{{#if (many 100)}}{{/if}}{{/each}}", Limit::Output);
    exceeds(
        "{{#repeat 100}}{{#with (split ../t)}}{{/with}}{{#if (join l)}}{{/if}}{{/repeat}}",
        Limit::Output,
    );
    exceeds("{{join l \"long separator\"}}", Limit::Output);
    exceeds(
        "{{#each l}}{{#each ../l}}{{#if (eq ../../t ../../t)}}{{/if}}{{/each}}{{/each}}",
        Limit::Steps,
    );
    exceeds(
        "{{#repeat 3}}{{#repeat 100000}}{{answer}}{{/repeat}}{{/repeat}}",
        Limit::Output,
    );
}

#[test]
fn sets_of_helpers_are_joined() {
    let more = Helpers::new()
        .inline("upper", |_| Ok("mine"))
        .inline("other", |_| Ok(true));
    let joined = Helpers::standard().and(&more);
    assert!(format!("{joined:?}").contains("\"other\""));
    assert_eq!(more.names().collect::<Vec<_>>(), ["other", "upper"]);
    let program = Program::compile(
        "{{upper}}{{other}}{{lower \"X\"}}",
        &Options::new(Part::Text).helpers(joined),
    )
    .unwrap();
    assert_eq!(program.render(&json!({})).unwrap(), "minetruex");
}

#[test]
fn standard_helpers() {
    let data = json!({
        "n": 1_234_567.891, "i": 42, "u": u64::MAX, "v": u64::MAX - 1, "e": "", "z": null, "l": ["a", 2, null, true], "t": "  x ", "one": 1.0,
        "neg": -1234.5, "tiny": -0.004
    });
    check(
        "{{eq i 42}} {{eq one 1}} {{eq \"1\" 1}} {{ne i 43}} {{eq z q}} {{eq u v}}",
        &data,
        "true true false true true false",
    );
    check(
        "{{lt 1 2}} {{gte i 42}} {{gt \"b\" \"a\"}} {{lte \"a\" \"b\"}} {{lt n i}}",
        &data,
        "true true true true false",
    );
    check(
        "{{and i e}}|{{or e i}}|{{and 1 2}}|{{or e z}}|{{not e}}|{{not i}}|{{or q e \"x\"}}",
        &data,
        "|42|2||true|false|x",
    );
    check(
        "{{default q z e \"d\"}} {{default i 1}} {{default q false}}",
        &data,
        "d 42 false",
    );
    check(
        "[{{trim t}}] {{upper \"straße\"}} {{lower \"ÄÖ\"}}",
        &data,
        "[x] STRASSE äö",
    );
    check(
        "{{join l}} {{join l \"-\"}} {{join l \", \" last=\" and \"}}",
        &data,
        "a, 2, , true a-2--true a, 2,  and true",
    );
    check(
        "{{number n}} {{number n decimals=2 group=\",\"}} {{number n decimals=1 point=\",\" group=\".\"}}",
        &data,
        "1234568 1,234,567.89 1.234.567,9",
    );
    check(
        "{{number neg group=\" \" decimals=2}} {{number tiny decimals=2}} {{number i}}",
        &data,
        "-1 234.50 0.00 42",
    );
    fails(
        "{{lt l 1}}",
        &data,
        "html, line 1, column 3: `lt`: compares two numbers or two texts",
    );
    fails(
        "{{number n decimals=21}}",
        &data,
        "html, line 1, column 3: `number`: `decimals` is a whole number from 0 to 20",
    );
    fails(
        "{{join i}}",
        &data,
        "html, line 1, column 3: `join`: argument 1 is no array",
    );
    fails("{{lt q 1}}", &data, "not in the data: `q` (html, line 1, column 6)");
}
