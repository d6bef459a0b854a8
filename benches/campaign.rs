//! What does a campaign's next message cost, unsigned and signed, beside the same message built at once?

#![allow(clippy::expect_used, missing_docs, reason = "a benchmark")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use posthaste_auth::dkim::{Signer, SigningKey};
use posthaste_campaign::{Campaign, CampaignBuilder, Entry};
use posthaste_mime::{Attachment, ContentType, Message, MessageBuilder};
use posthaste_template::Template;
use serde_json::{Value, json};

const ATTACHED: usize = 200_000;

fn template() -> Template {
    let lines = "<p style=\"margin: 0 0 1em 0\">Everything that you ordered is on its way to you.</p>\n".repeat(60);
    Template::builder()
        .subject("Your order, {{name}}")
        .text("Hello {{name}},\nyour total is {{total}}.\n")
        .html(format!(
            "<h1>Hello {{{{name}}}}</h1>\n{lines}<p>{{{{total}}}}</p>\n{lines}"
        ))
        .build()
        .expect("compiles")
}

fn constant() -> MessageBuilder {
    let pdf = ContentType::parse("application/pdf").expect("valid");
    let data: Vec<u8> = (0..ATTACHED).map(|n| (n * 31 % 251) as u8).collect();
    Message::builder()
        .from("Ada <ada@example.org>".parse().expect("valid"))
        .attach(Attachment::new("report.pdf", pdf, data).expect("valid"))
}

fn campaign() -> CampaignBuilder {
    Campaign::builder(template()).message(constant())
}

fn data() -> Value {
    json!({"name": "Jürgen <Groß>", "total": "99.95"})
}

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a campaign's next message, 200 KB attached");
    group.throughput(Throughput::Elements(1));
    let entry = Entry::new("bob@example.net".parse().expect("valid")).data(data());

    let (template, message, to) = (template(), constant(), "bob@example.net");
    group.bench_function("built at once, the attachment encoded before", |bencher| {
        bencher.iter(|| {
            let mail = template.render(&data()).expect("renders");
            let message = message.clone().to(to.parse().expect("valid")).subject(mail.subject);
            let message = message
                .text(mail.text.unwrap_or_default())
                .html(mail.html.unwrap_or_default());
            black_box(message.build().expect("builds").to_rope())
        });
    });
    let unsigned = campaign().prepare().expect("prepares");
    group.bench_function("from a campaign", |bencher| {
        bencher.iter(|| black_box(unsigned.render(&entry).expect("renders")));
    });
    let key = SigningKey::generate_ed25519().expect("a key");
    let signer = Signer::builder("example.org".parse().expect("valid")).key("s1".parse().expect("valid"), key);
    let signed = campaign()
        .signer(signer.build().expect("a signer"))
        .prepare()
        .expect("prepares");
    group.bench_function("from a campaign, signed with Ed25519", |bencher| {
        bencher.iter(|| black_box(signed.render(&entry).expect("renders")));
    });
    let key = SigningKey::generate_ed25519().expect("a key");
    let signer = Signer::builder("example.org".parse().expect("valid")).key("s1".parse().expect("valid"), key);
    let first = campaign()
        .message(constant().attachments_first())
        .signer(signer.build().expect("a signer"));
    let first = first.prepare().expect("prepares");
    group.bench_function(
        "the same, the attachment before the text and its hash kept",
        |bencher| {
            bencher.iter(|| black_box(first.render(&entry).expect("renders")));
        },
    );
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
