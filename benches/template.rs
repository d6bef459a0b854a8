//! How fast is a template, compared with writing the same mail by hand?
//!
//! One mail: a subject, a text and 11 KB of HTML with a loop over 20 items and conditions; the data is ready. `by hand`
//! is what no template can beat: `push_str` and an escape. Competitors are in `benches/versus`.

#![allow(missing_docs, clippy::unwrap_used, reason = "a bench says plainly what it expects")]

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use posthaste_template::{Options, Part, Program, Template};
use serde_json::{Value, json};

const SUBJECT: &str = "Order {{number}} for {{name}}";
const TEXT: &str = "Dear {{name}},\n{{#each items}}\n- {{name}}: {{../currency}}{{price}}\n{{/each}}\nSee {{link}}\n";
const ROW: &str = "{{#each items}}\n<tr><td>{{@index}}</td><td>{{name}}</td><td>{{../currency}}{{price}}</td>\
    <td>{{#if stock}}in stock{{else}}soon{{/if}}</td></tr>\n{{/each}}\n";
const FILLER: &str = "<p style=\"font-family: sans-serif; color: #223\">Constant text of a mail, as newsletters have \
    a lot of it, between the few places that change.</p>\n";

fn html() -> String {
    format!(
        "<html><body><h1>Hello {{{{name}}}}</h1>\n{}<table>\n{ROW}</table>\n{{{{#if vip}}}}\n<p>Thank you, {{{{name}}}}.</p>\n\
         {{{{else}}}}\n<p>Until soon.</p>\n{{{{/if}}}}\n<a href=\"{{{{link}}}}\">Your order</a></body></html>\n",
        FILLER.repeat(68)
    )
}

fn data() -> Value {
    let item = |index: u32| json!({"name": format!("Tea & biscuits {index}"), "price": f64::from(index) + 0.5, "stock": !index.is_multiple_of(3)});
    json!({
        "number": 12_345,
        "name": "Ada O'Brien",
        "currency": "EUR ",
        "vip": true,
        "link": "https://shop.example/orders?number=12345&from=mail",
        "items": (0..20).map(item).collect::<Vec<_>>(),
    })
}

fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#x27;"),
            '`' => out.push_str("&#x60;"),
            '=' => out.push_str("&#x3D;"),
            c => out.push(c),
        }
    }
}

/// The HTML part, written as a program.
fn by_hand(filler: &str, data: &Value) -> String {
    let text = |value: &'_ Value| value.as_str().unwrap_or_default().to_owned();
    let mut out = String::with_capacity(filler.len() + 4096);
    let (name, currency, link) = (text(&data["name"]), text(&data["currency"]), text(&data["link"]));
    out.push_str("<html><body><h1>Hello ");
    escape(&mut out, &name);
    out.push_str("</h1>\n");
    out.push_str(filler);
    out.push_str("<table>\n");
    for (index, item) in data["items"].as_array().into_iter().flatten().enumerate() {
        let _ = write!(out, "<tr><td>{index}</td><td>");
        escape(&mut out, item["name"].as_str().unwrap_or_default());
        out.push_str("</td><td>");
        escape(&mut out, &currency);
        let _ = write!(out, "{}</td>", item["price"]);
        out.push_str(if item["stock"] == true {
            "<td>in stock</td></tr>\n"
        } else {
            "<td>soon</td></tr>\n"
        });
    }
    out.push_str("</table>\n");
    if data["vip"] == true {
        out.push_str("<p>Thank you, ");
        escape(&mut out, &name);
        out.push_str(".</p>\n");
    }
    out.push_str("<a href=\"");
    escape(&mut out, &link);
    out.push_str("\">Your order</a></body></html>\n");
    out
}

fn template(criterion: &mut Criterion) {
    let (html, data) = (html(), data());
    let whole = Template::builder()
        .subject(SUBJECT)
        .text(TEXT)
        .html(html.as_str())
        .build()
        .unwrap();
    let only_html = Program::compile(&html, &Options::new(Part::Html)).unwrap();
    let filler = FILLER.repeat(68);
    assert_eq!(only_html.render(&data).unwrap(), by_hand(&filler, &data));

    let mut group = criterion.benchmark_group("template");
    group.throughput(Throughput::Bytes(by_hand(&filler, &data).len() as u64));
    group.bench_function("render subject, text and HTML", |bench| {
        bench.iter(|| whole.render(black_box(&data)).unwrap())
    });
    group.bench_function("render HTML", |bench| {
        bench.iter(|| only_html.render(black_box(&data)).unwrap())
    });
    group.bench_function("HTML by hand", |bench| {
        bench.iter(|| by_hand(black_box(&filler), black_box(&data)))
    });
    group.bench_function("compile HTML", |bench| {
        bench.iter(|| Program::compile(black_box(&html), &Options::new(Part::Html)).unwrap());
    });
    let huge = "{{#if a}}{{b.c}} and some text, {{/if}}\n".repeat(500_000 / 39);
    group.throughput(Throughput::Bytes(huge.len() as u64));
    group.bench_function("compile 500 KB of tags", |bench| {
        bench.iter(|| Program::compile(black_box(&huge), &Options::new(Part::Html)).unwrap());
    });
    group.finish();
}

criterion_group!(benches, template);
criterion_main!(benches);
