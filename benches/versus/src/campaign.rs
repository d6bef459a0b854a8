//! A campaign's next message: rendered, built with an attachment of 200 KB that all of them share, and signed.

use bytes::Bytes;
use handlebars::Handlebars;
use mail_builder::MessageBuilder;
use posthaste_mime::{Attachment, ContentType, Message};
use serde_json::Value;

use crate::mime::binary;
use crate::race::{Race, Runner};
use crate::render::{SUBJECT, TEXT, data, html};
use crate::sign::{Key, Kind, now};

const ATTACHED: usize = 200_000;

fn ours(key: Option<&Key>) -> Runner {
    let template = posthaste_template::Template::builder()
        .subject(SUBJECT)
        .text(TEXT)
        .html(html());
    let template = template.build().expect("compiles");
    let pdf = ContentType::parse("application/pdf").expect("valid");
    let attachment = Attachment::new("report.pdf", pdf, binary(ATTACHED)).expect("valid");
    let (data, signer) = (data(), key.map(Key::signer));
    Runner::new("posthaste", move || {
        let mail = template.render(&data).expect("renders");
        let message = Message::builder()
            .from("Ada <ada@example.org>".parse().expect("valid"))
            .to("bob@example.net".parse().expect("valid"))
            .subject(mail.subject)
            .text(mail.text.expect("a text"))
            .html(mail.html.expect("a page"))
            .attach(attachment.clone())
            .build()
            .expect("builds");
        let mut rope = message.to_rope();
        if let Some(signer) = &signer {
            let chunks = rope.in_memory().expect("nothing is streamed").map(Bytes::as_ref);
            rope.prepend(Bytes::from(signer.sign(chunks, now()).expect("signs")));
        }
        usize::try_from(rope.len()).expect("fits")
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

fn lettre() -> Runner {
    use lettre::message::header::ContentType;
    use lettre::message::{Attachment, MultiPart};
    let (render, attached) = (handlebars(), binary(ATTACHED));
    Runner::new("handlebars 6, lettre 0.11", move || {
        let [subject, text, html] = render();
        let pdf = ContentType::parse("application/pdf").expect("valid");
        let body = MultiPart::mixed()
            .multipart(MultiPart::alternative_plain_html(text, html))
            .singlepart(Attachment::new("report.pdf".to_owned()).body(attached.to_vec(), pdf));
        let message = lettre::Message::builder()
            .from("Ada <ada@example.org>".parse().expect("valid"))
            .to("bob@example.net".parse().expect("valid"))
            .subject(subject)
            .message_id(Some("<1.2@example.org>".to_owned()))
            .multipart(body)
            .expect("builds");
        message.formatted().len()
    })
}

pub fn races() -> Vec<Race> {
    let (rsa, ed25519) = (Key::generate(Kind::Rsa), Key::generate(Kind::Ed25519));
    let signed = "handlebars 6, mail-builder 2, mail-auth 0.13";
    vec![
        Race::new(
            "a campaign's next message, 200 KB attached, unsigned",
            vec![ours(None), mail_builder("handlebars 6, mail-builder 2", None), lettre()],
        ),
        Race::new(
            "the same, signed with Ed25519",
            vec![ours(Some(&ed25519)), mail_builder(signed, Some(&ed25519))],
        ),
        Race::new(
            "the same, signed with RSA-2048",
            vec![ours(Some(&rsa)), mail_builder(signed, Some(&rsa))],
        ),
    ]
}
