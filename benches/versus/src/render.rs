//! Rendering one compiled template with data at hand: posthaste-template, tera, minijinja, handlebars.

use std::fmt::Write;

use handlebars::Handlebars;
use posthaste_template::Template;
use serde_json::{Value, json};

use crate::race::{Race, Runner};

/// Renders one page; the floor that no template engine can beat.
pub fn by_hand(data: &Value, [before, after]: [&str; 2]) -> [String; 3] {
    let order = &data["order"];
    let (name, vip) = (string(&data["name"]), data["vip"] == true);
    let subject = ["Your order ", string(&order["id"]), ", ", name].concat();
    let mut text = [
        "Hello ",
        name,
        ",\n",
        if vip { "thank you, as always." } else { "welcome." },
        "\n",
    ]
    .concat();
    let mut html = String::with_capacity(before.len() + after.len() + 4096);
    html.push_str("<html><body><h1>Hello ");
    escape(&mut html, name);
    html.push_str("</h1>");
    html.push_str(before);
    html.push_str(if vip { "<p>As always.</p>" } else { "<p>Welcome.</p>" });
    html.push_str("<table>");
    for (index, item) in data["items"].as_array().expect("an array").iter().enumerate() {
        let (title, count) = (string(&item["title"]), item["count"].as_i64().expect("a number"));
        writeln!(text, "{index}. {title} x {count}").expect("a String takes it");
        html.push_str("<tr><td>");
        escape(&mut html, title);
        write!(html, "</td><td>{count}</td></tr>\n").expect("a String takes it");
    }
    for piece in ["Total: ", string(&order["total"]), "\n"] {
        text.push_str(piece);
    }
    html.push_str("</table>");
    html.push_str(after);
    html.push_str("</body></html>");
    [subject, text, html]
}

fn string(value: &Value) -> &str {
    value.as_str().expect("a string")
}

fn escape(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"']) {
        out.push_str(&rest[..at]);
        out.push_str(match rest.as_bytes()[at] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            _ => "&quot;",
        });
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}

pub const SUBJECT: &str = "Your order {{order.id}}, {{name}}";
pub const TEXT: &str = "Hello {{name}},\n{{#if vip}}thank you, as always.{{else}}welcome.{{/if}}\n\
    {{#each items}}{{@index}}. {{this.title}} x {{this.count}}\n{{/each}}Total: {{order.total}}\n";

/// Half of what the page says to everybody.
fn filler() -> String {
    "<p style=\"margin: 0 0 1em 0; color: #333\">Everything that you ordered is on its way to you.</p>\n".repeat(55)
}

/// What the page says to everybody, before and after its own.
pub fn page() -> [String; 2] {
    [filler(), filler()]
}

pub fn html() -> String {
    format!(
        "<html><body><h1>Hello {{{{name}}}}</h1>{}{{{{#if vip}}}}<p>As always.</p>{{{{else}}}}<p>Welcome.</p>{{{{/if}}}}<table>\
         {{{{#each items}}}}<tr><td>{{{{this.title}}}}</td><td>{{{{this.count}}}}</td></tr>\n{{{{/each}}}}</table>{}</body></html>",
        filler(),
        filler(),
    )
}

/// The same template in Jinja's syntax.
fn jinja(handlebars: &str) -> String {
    handlebars
        .replace("{{#if vip}}", "{% if vip %}")
        .replace("{{else}}", "{% else %}")
        .replace("{{/if}}", "{% endif %}")
        .replace("{{#each items}}", "{% for this in items %}")
        .replace("{{/each}}", "{% endfor %}")
        .replace("{{@index}}", "{{ loop.index0 }}")
}

pub fn data() -> Value {
    let items: Vec<Value> = (0..20)
        .map(|n| json!({"title": format!("Tea & biscuits no. {n}"), "count": n}))
        .collect();
    json!({"name": "Jürgen <Groß>", "vip": true, "order": {"id": "A-1007", "total": "99.95"}, "items": items})
}

/// Subject, text and HTML of all engines and of the floor must agree, or the race is not one.
fn check(name: &str, data: &Value, rendered: [&str; 3]) {
    assert_eq!(by_hand(data, [&filler(), &filler()]), rendered, "{name}");
}

fn ours() -> Runner {
    let template = template(html());
    let data = data();
    let mail = template.render(&data).expect("renders");
    let parts = [mail.text.as_deref(), mail.html.as_deref()].map(|part| part.expect("a part"));
    check("posthaste-template", &data, [&mail.subject, parts[0], parts[1]]);
    Runner::new("posthaste-template", move || {
        let rendered = template.render(&data).expect("renders");
        rendered.subject.len() + rendered.text.map_or(0, |text| text.len()) + rendered.html.map_or(0, |html| html.len())
    })
}

fn template(html: String) -> Template {
    Template::builder()
        .subject(SUBJECT)
        .text(TEXT)
        .html(html)
        .build()
        .expect("compiles")
}

fn minijinja() -> Runner {
    let mut environment = minijinja::Environment::new();
    let syntax = minijinja::syntax::SyntaxConfig::builder()
        .keep_trailing_newline(true)
        .build();
    environment.set_syntax(syntax.expect("a syntax"));
    for (name, source) in [("subject", SUBJECT), ("text", TEXT), ("page.html", &html())] {
        environment.add_template_owned(name, jinja(source)).expect("compiles");
    }
    let values: minijinja::Value = minijinja::value::Serde(data()).into();
    let render = move |name| -> String {
        environment
            .get_template(name)
            .and_then(|template| template.render(&values))
            .expect("renders")
    };
    check(
        "minijinja",
        &data(),
        [&render("subject"), &render("text"), &render("page.html")],
    );
    Runner::new("minijinja 3", move || {
        ["subject", "text", "page.html"]
            .map(|name| render(name).len())
            .iter()
            .sum()
    })
}

fn tera() -> Runner {
    let tera = compiled_tera(&html());
    let context = tera::Context::from_serialize(&data()).expect("an object");
    let render = move |name| tera.render(name, &context).expect("renders");
    check(
        "tera",
        &data(),
        [&render("subject"), &render("text"), &render("page.html")],
    );
    Runner::new("tera 2", move || {
        ["subject", "text", "page.html"]
            .map(|name| render(name).len())
            .iter()
            .sum()
    })
}

fn compiled_tera(page: &str) -> tera::Tera {
    let mut tera = tera::Tera::new();
    let sources = [("subject", SUBJECT), ("text", TEXT), ("page.html", page)];
    tera.add_raw_templates(sources.map(|(name, source)| (name, jinja(source))))
        .expect("compiles");
    tera
}

fn handlebars() -> Runner {
    let mut registry = Handlebars::new();
    registry.set_strict_mode(true);
    registry.register_template_string("html", html()).expect("compiles");
    for (name, source) in [("subject", SUBJECT), ("text", TEXT)] {
        // As the other two do it: only HTML is escaped.
        registry
            .register_template_string(name, triple(source))
            .expect("compiles");
    }
    let data = data();
    let names = ["subject", "text", "html"];
    let [subject, text, page] = names.map(|name| registry.render(name, &data).expect("renders"));
    check("handlebars", &data, [&subject, &text, &page]);
    Runner::new("handlebars 6", move || {
        names
            .map(|name| registry.render(name, &data).expect("renders").len())
            .iter()
            .sum()
    })
}

/// The same template with its values written as they are.
fn triple(source: &str) -> String {
    let mut out = source.to_owned();
    for name in ["order.id", "name", "@index", "this.title", "this.count", "order.total"] {
        out = out.replace(&format!("{{{{{name}}}}}"), &format!("{{{{{{{name}}}}}}}"));
    }
    out
}

fn floor() -> Runner {
    let (data, filler) = (data(), filler());
    Runner::new("floor: written by hand, text pushed and escaped", move || {
        by_hand(&data, [&filler, &filler]).iter().map(String::len).sum()
    })
}

pub fn races() -> Vec<Race> {
    let page = html();
    let [our_page, same_page] = [page.clone(), page.clone()];
    vec![
        Race::new(
            "render subject, text and 11 KB of HTML with a loop of 20, data at hand",
            vec![ours(), tera(), minijinja(), handlebars(), floor()],
        ),
        Race::new(
            "compile the same template",
            vec![
                Runner::new("posthaste-template", move || {
                    drop(template(our_page.clone()));
                    1
                }),
                Runner::new("tera 2", move || {
                    drop(compiled_tera(&same_page));
                    1
                }),
                Runner::new("handlebars 6", move || {
                    [SUBJECT, TEXT, &page]
                        .iter()
                        .filter(|source| handlebars::Template::compile(source).is_ok())
                        .count()
                }),
            ],
        ),
    ]
}
