//! Handlebars and Mustache semantics, and hostile templates.

use std::time::{Duration, Instant};

use posthaste_template::{Escape, Mode, Options, Part, Program};
use serde_json::{Map, Value};

use crate::harness::{Input, Report, Set};

/// Where we differ from a vector on purpose, and why.
pub const DEVIATIONS: &[(&str, &str, &str)] = &[];

/// The sets of this area.
pub fn sets() -> Vec<Set> {
    vec![
        Set {
            name: "templates/handlebars-spec",
            run: handlebars,
        },
        Set {
            name: "templates/mustache-spec",
            run: mustache,
        },
        Set {
            name: "templates/template-security",
            run: security,
        },
    ]
}

fn cases(input: &Input, file: &str) -> Vec<Value> {
    input.json(file)["cases"].as_array().cloned().unwrap_or_default()
}

fn id(case: &Value) -> String {
    case["id"].as_str().unwrap_or("(no id)").to_owned()
}

fn text<'c>(case: &'c Value, field: &str) -> &'c str {
    case[field].as_str().unwrap_or_default()
}

/// The sources of a case's partials.
fn partials(case: &Value) -> Vec<(&str, &str)> {
    let partials = case["partials"].as_object();
    partials
        .into_iter()
        .flatten()
        .map(|(name, source)| (name.as_str(), source.as_str().unwrap_or_default()))
        .collect()
}

fn render(case: &Value, options: &Options, variables: &Map<String, Value>) -> Result<String, String> {
    let program = Program::compile_with_partials(text(case, "template"), partials(case), options);
    let program = program.map_err(|error| error.to_string())?;
    program
        .render_with(&case["data"], variables)
        .map_err(|error| error.to_string())
}

fn compare(expected: &Value, rendered: &Result<String, String>) -> Result<(), String> {
    match (expected.as_str(), rendered) {
        (Some(expected), Ok(out)) if expected == out => Ok(()),
        (expected, rendered) => Err(format!("expected {expected:?}, got {rendered:?}")),
    }
}

fn handlebars(input: &Input, report: &mut Report) {
    for case in cases(input, "templates/handlebars-spec.json") {
        let id = id(&case);
        if let Some(reason) = beyond_the_language(&case) {
            report.unsupported(id, reason);
            continue;
        }
        let (options, variables) = handlebars_options(&case);
        let rendered = render(&case, &options, &variables);
        let outcome = if case["throws"] == true {
            match rendered {
                Err(_) => Ok(()),
                Ok(out) => Err(format!("expected an error, got {out:?}")),
            }
        } else {
            compare(&case["expected"], &rendered)
        };
        report.check(&id, outcome);
    }
}

/// Why a case is about JavaScript or custom code rather than about the built-in language.
fn beyond_the_language(case: &Value) -> Option<&'static str> {
    match case["not_portable"].as_str() {
        None => {}
        // A partial that the template itself defines again need not be there before.
        Some("compiled partial") if text(case, "template").contains("{{#*inline ") => {}
        Some("compiled partial") => return Some("calls a partial that the case does not spell out"),
        Some("runtime options") => return Some("has variables that the case does not spell out"),
        Some(_) => return Some("data that JSON cannot hold: functions, prototypes, maps, undefined"),
    }
    if case["decorators"].as_array().is_some_and(|names| !names.is_empty()) {
        return Some("needs a decorator written in JavaScript");
    }
    let mentions = |name: &str| {
        let sources = partials(case);
        sources
            .iter()
            .map(|(_, source)| *source)
            .chain([text(case, "template")])
            .any(|source| mentions(source, name))
    };
    // A case may register helpers that it never calls; these two are called without being named.
    let hook = |helper: &str| matches!(helper, "helperMissing" | "blockHelperMissing");
    let mut helpers = case["helpers"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    if helpers.any(|helper| hook(helper) || mentions(helper.trim_start_matches("./"))) {
        return Some("needs a helper written in JavaScript");
    }
    if case["runtime_options"]
        .as_object()
        .is_some_and(|options| options.keys().any(|key| key.starts_with("allowed")))
    {
        return Some("is about access to JavaScript prototypes");
    }
    if case["compile_options"]["assumeObjects"] == true && case["throws"] == true {
        return Some("expects JavaScript to fail where objects are wrongly assumed");
    }
    None
}

/// Whether `source` holds `name` as a whole word.
fn mentions(source: &str, name: &str) -> bool {
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    source.match_indices(name).any(|(at, found)| {
        let (before, rest) = source.split_at(at);
        let behind = rest.strip_prefix(found).unwrap_or_default();
        !word(before.chars().next_back()) && !word(behind.chars().next())
    })
}

fn handlebars_options(case: &Value) -> (Options, Map<String, Value>) {
    let set = &case["compile_options"];
    let options = Options::new(Part::Html)
        .mode(if set["strict"] == true {
            Mode::Strict
        } else {
            Mode::Lenient
        })
        .escape(if set["noEscape"] == true {
            Escape::Never
        } else {
            Escape::HtmlPart
        })
        .standalone_lines(set["ignoreStandalone"] != true)
        .indent_partials(set["preventIndent"] != true)
        .explicit_partial_context(set["explicitPartialContext"] == true)
        .search_parents(set["compat"] == true);
    (
        options,
        case["runtime_options"]["data"].as_object().cloned().unwrap_or_default(),
    )
}

fn mustache(input: &Input, report: &mut Report) {
    for case in cases(input, "templates/mustache-spec.json") {
        let rendered = render(&case, &Options::new(Part::Html).mode(Mode::Lenient), &Map::new());
        report.check(&id(&case), compare(&case["expected"], &rendered));
    }
}

fn security(input: &Input, report: &mut Report) {
    for case in cases(input, "templates/template-security.json") {
        report.check(&id(&case), secure(&case));
    }
}

/// Spells out what a case gives as a repetition, in its template and its data; `None` if the data is no JSON then.
fn spell_out(case: &Value) -> Option<Value> {
    let mut case = case.clone();
    repeat(&mut case["template"]);
    repeat(&mut case["data"]);
    let raw = case["data"].as_str().or(case["data"]["raw_json"].as_str());
    // A repetition of brackets, or JSON whose very text matters.
    if let Some(raw) = raw.filter(|_| case["data"].is_object() || raw.is_some_and(|raw| raw.starts_with(['[', '{']))) {
        case["data"] = serde_json::from_str(raw).ok()?;
    }
    Some(case)
}

/// Replaces every `{"repeat": …}` and `{"repeat_open": …}` in `value` by the text that it describes.
fn repeat(value: &mut Value) {
    if value["times"].is_u64() && (value["repeat"].is_string() || value["repeat_open"].is_string()) {
        let times = usize::try_from(value["times"].as_u64().unwrap_or_default()).unwrap_or(usize::MAX);
        let [before, after] = [0, 1].map(|end| value["wrap"][end].as_str().unwrap_or_default().to_owned());
        let text = before
            + &text(value, "repeat").repeat(times)
            + &text(value, "repeat_open").repeat(times)
            + text(value, "mid")
            + &text(value, "repeat_close").repeat(times)
            + &after;
        *value = Value::String(text);
        return;
    }
    match value {
        Value::Object(fields) => fields.values_mut().for_each(repeat),
        Value::Array(items) => items.iter_mut().for_each(repeat),
        _ => {}
    }
}

fn secure(case: &Value) -> Result<(), String> {
    // Data that the JSON parser refuses, because it is nested too deep, is refused before it gets here.
    let Some(case) = spell_out(case) else { return Ok(()) };
    let part = match case["part"].as_str() {
        Some("subject") => Part::Subject,
        Some("text") => Part::Text,
        _ => Part::Html,
    };
    let start = Instant::now();
    let lenient = render(&case, &Options::new(part).mode(Mode::Lenient), &Map::new());
    let strict = render(&case, &Options::new(part), &Map::new());
    // One second each in a release build; this also runs in debug builds on busy machines.
    if start.elapsed() > Duration::from_secs(10) {
        return Err(format!("two renderings took {:?}", start.elapsed()));
    }
    let size = lenient
        .as_ref()
        .map_or(0, String::len)
        .max(strict.as_ref().map_or(0, String::len));
    if size > 10_000_000 {
        return Err(format!("{size} bytes of output"));
    }
    let expect = &case["expect"];
    if part == Part::Subject && lenient.as_ref().is_ok_and(|subject| subject.contains(char::is_control)) {
        return Err(format!("{lenient:?} holds control characters"));
    }
    if let Some(either) = expect["either"].as_array()
        && !either.iter().any(|outcome| meets(outcome, &lenient))
    {
        return Err(format!("expected one of {either:?}, got {lenient:?}"));
    }
    if expect["error"] == true && lenient.is_ok() {
        return Err(format!("expected an error, got {lenient:?}"));
    }
    if !expect["out"].is_null() {
        compare(&expect["out"], &lenient)?;
    }
    Ok(())
}

/// Whether `rendered` is the outcome: a text, or an error for `{"error": true}`.
fn meets(outcome: &Value, rendered: &Result<String, String>) -> bool {
    match rendered {
        Ok(out) => outcome.as_str() == Some(out),
        Err(_) => outcome["error"] == true,
    }
}
