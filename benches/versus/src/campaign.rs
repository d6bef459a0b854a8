//! A campaign's next message: rendered, built with an attachment of 200 KB that all of them share, and signed.

use std::num::NonZeroUsize;
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use futures_util::{StreamExt, stream};
use handlebars::Handlebars;
use lettre::message::dkim::{DkimConfig, DkimSigningAlgorithm, DkimSigningKey};
use mail_builder::MessageBuilder;
use mail_builder::headers::content_type::ContentType as TypeLine;
use mail_builder::mime::MimePart;
use posthaste_campaign::{Campaign, Entry};
use posthaste_mime::{Attachment, ContentType, Message};
use serde_json::Value;

use crate::mime::binary;
use crate::race::{Race, Runner};
use crate::render::{SUBJECT, TEXT, by_hand, data, html, page};
use crate::sign::{Key, Kind};

const ATTACHED: usize = 200_000;

fn campaign(key: Option<&Key>) -> Campaign {
    let template = posthaste_template::Template::builder()
        .subject(SUBJECT)
        .text(TEXT)
        .html(html());
    let pdf = ContentType::parse("application/pdf").expect("valid");
    let message = Message::builder()
        .from("Ada <ada@example.org>".parse().expect("valid"))
        .attach(Attachment::new("report.pdf", pdf, binary(ATTACHED)).expect("valid"));
    let mut campaign = Campaign::builder(template.build().expect("compiles")).message(message);
    if let Some(key) = key {
        campaign = campaign.signer(key.signer());
    }
    campaign.prepare().expect("prepares")
}

fn entry() -> Entry {
    Entry::new("bob@example.net".parse().expect("valid")).data(data())
}

fn ours(key: Option<&Key>) -> Runner {
    let (campaign, entry) = (campaign(key), entry());
    Runner::new("posthaste-campaign", move || {
        let rope = campaign.render(&entry).expect("renders").rope();
        usize::try_from(rope.len()).expect("fits")
    })
}

/// What cannot be left out: text put together and escaped, encoded by the fastest encoder there is, the hash of all of
/// it, and the private-key operation. The attachment is encoded, and no octet of it is copied.
fn floor(key: Option<&Key>) -> Runner {
    let (data, page) = (data(), page());
    let attached = posthaste_mime::Prototype::shared_chunks(campaign(None).prototype())
        .next()
        .expect("the attachment")
        .clone();
    let sign = key.map(Key::bare);
    let name = match key {
        Some(_) => "floor: text by hand, mail-builder's encoder, SHA-256, the private-key operation",
        None => "floor: text by hand, mail-builder's encoder",
    };
    Runner::new(name, move || {
        let [subject, text, html] = by_hand(&data, [&page[0], &page[1]]);
        let mut out = Vec::with_capacity(2 * (text.len() + html.len()) + subject.len());
        out.extend_from_slice(subject.as_bytes());
        MimePart::new(TypeLine::new("text/plain"), text.as_str()).write_part(&mut out);
        MimePart::new(TypeLine::new("text/html"), html.as_str()).write_part(&mut out);
        let signature = sign.as_ref().map_or(0, |sign| {
            let mut hash = Context::new(&SHA256);
            hash.update(&out);
            hash.update(&attached);
            sign(hash.finish().as_ref())
        });
        out.len() + attached.len() + signature
    })
}

/// handlebars, its three templates at hand.
fn handlebars() -> impl Fn() -> [String; 3] {
    let mut registry = Handlebars::new();
    registry.set_strict_mode(true);
    for (name, source) in [("subject", SUBJECT), ("text", TEXT), ("html", &html())] {
        registry.register_template_string(name, source).expect("compiles");
    }
    let data: Value = data();
    move || ["subject", "text", "html"].map(|name| registry.render(name, &data).expect("renders"))
}

fn mail_builder(name: &'static str, key: Option<&Key>) -> Runner {
    let (render, attached, sign) = (handlebars(), binary(ATTACHED), key.map(Key::mail_auth));
    Runner::new(name, move || {
        let [subject, text, html] = render();
        let message = MessageBuilder::new()
            .from(("Ada", "ada@example.org"))
            .to("bob@example.net")
            .message_id("1.2@example.org")
            .subject(subject)
            .text_body(text)
            .html_body(html)
            .attachment("application/pdf", "report.pdf", attached.as_ref())
            .write_to_vec()
            .expect("writes");
        let field = sign.as_ref().map_or_else(String::new, |sign| sign(&message));
        field.len() + message.len()
    })
}

fn lettre(name: &'static str, key: Option<&Key>) -> Runner {
    use lettre::message::header::ContentType;
    use lettre::message::{Attachment, MultiPart};
    let (render, attached) = (handlebars(), binary(ATTACHED));
    let dkim = key.map(|key| {
        let key = DkimSigningKey::new(&key.pkcs1_pem(), DkimSigningAlgorithm::Rsa).expect("a key");
        DkimConfig::default_config("s1".to_owned(), "example.org".to_owned(), key)
    });
    Runner::new(name, move || {
        let [subject, text, html] = render();
        let pdf = ContentType::parse("application/pdf").expect("valid");
        let body = MultiPart::mixed()
            .multipart(MultiPart::alternative_plain_html(text, html))
            .singlepart(Attachment::new("report.pdf".to_owned()).body(attached.to_vec(), pdf));
        let mut message = lettre::Message::builder()
            .from("Ada <ada@example.org>".parse().expect("valid"))
            .to("bob@example.net".parse().expect("valid"))
            .subject(subject)
            .message_id(Some("<1.2@example.org>".to_owned()))
            .multipart(body)
            .expect("builds");
        if let Some(dkim) = &dkim {
            message.sign(dkim);
        }
        message.formatted().len()
    })
}

/// How many messages each run of the question about cores makes.
const RUN: usize = 2048;

fn workers(name: &'static str, workers: usize, campaign: &Campaign) -> Runner {
    let workers = NonZeroUsize::new(workers).expect("not zero");
    let campaign = campaign.clone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let data: Arc<Value> = Arc::new(data());
    Runner::new(name, move || {
        let data = Arc::clone(&data);
        let entries = (0..RUN).map(move |number| {
            let to = format!("customer.{number}@example.net").parse().expect("valid");
            Ok::<_, std::io::Error>(Entry::new(to).data(Value::clone(&data)))
        });
        let run = campaign
            .run(stream::iter(entries))
            .in_order(false)
            .workers(workers)
            .start();
        runtime.block_on(run.count())
    })
}

pub fn races() -> Vec<Race> {
    let (rsa, ed25519) = (Key::generate(Kind::Rsa), Key::generate(Kind::Ed25519));
    let signed = "handlebars 6, mail-builder 2, mail-auth 0.13";
    let mut races = vec![
        Race::new(
            "a campaign's next message, 200 KB attached, unsigned",
            vec![
                ours(None),
                mail_builder("handlebars 6, mail-builder 2", None),
                lettre("handlebars 6, lettre 0.11", None),
                floor(None),
            ],
        ),
        Race::new(
            "a campaign's next message, 200 KB attached, Ed25519",
            vec![
                ours(Some(&ed25519)),
                mail_builder(signed, Some(&ed25519)),
                floor(Some(&ed25519)),
            ],
        ),
        Race::new(
            "a campaign's next message, 200 KB attached, RSA-2048",
            vec![
                ours(Some(&rsa)),
                mail_builder(signed, Some(&rsa)),
                lettre("handlebars 6, lettre 0.11 with its DKIM", Some(&rsa)),
                floor(Some(&rsa)),
            ],
        ),
    ];
    if std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1) {
        let campaign = campaign(Some(&rsa));
        races.push(Race::new(
            "a campaign on all cores: 2048 messages, 200 KB attached, RSA-2048",
            vec![
                workers("posthaste-campaign, two workers", 2, &campaign),
                workers("posthaste-campaign, one worker", 1, &campaign),
            ],
        ));
    }
    races
}
