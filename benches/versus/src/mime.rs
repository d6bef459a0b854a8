//! Building one message once: posthaste-mime, mail-builder, lettre, and mail-builder's encoders alone.

use std::sync::Arc;

use bytes::Bytes;
use lettre::message::{Attachment as LettreAttachment, MultiPart, SinglePart, header::ContentType as LettreType};
use mail_builder::MessageBuilder;
use mail_builder::headers::content_type::ContentType as TypeLine;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::MimePart;
use posthaste_mime::{Attachment, ContentId, ContentType, Message};

use crate::race::{Race, Runner};

const SUBJECT: &str = "Grüße aus Köln: Ihre Bestellung ist unterwegs";

/// What all of them are given.
struct Letter {
    text: String,
    html: String,
    /// An attachment and an inline picture.
    binary: Option<(Bytes, Bytes)>,
}

impl Letter {
    /// Text and HTML of 8 KB each, with a few letters beyond ASCII.
    fn new(attached: Option<usize>) -> Self {
        let line = "Die Bestellung von heute früh ist verpackt und geht gleich auf die Reise; wir melden uns.\r\n";
        let paragraph = "<p>Die Bestellung von heute früh ist <b>unterwegs</b>.</p>\r\n".repeat(138);
        Self {
            text: line.repeat(88),
            html: format!("<html><body>{paragraph}</body></html>"),
            binary: attached.map(|length| (binary(length), binary(20_000))),
        }
    }
}

/// Bytes that don't repeat soon.
pub fn binary(length: usize) -> Bytes {
    let mut state = 0x2545_f491_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

fn ours(letter: &Letter) -> usize {
    let mut builder = Message::builder()
        .from("Grüße Versand <versand@example.org>".parse().expect("valid"))
        .to("Jürgen Groß <juergen@example.net>".parse().expect("valid"))
        .subject(SUBJECT)
        .text(letter.text.as_str())
        .html(letter.html.as_str());
    if let Some((bytes, image)) = &letter.binary {
        let png = ContentType::parse("image/png").expect("valid");
        let pdf = ContentType::parse("application/pdf").expect("valid");
        let cid = ContentId::new("logo@example.org").expect("valid");
        builder = builder
            .inline(Attachment::inline(cid, png, image.clone()))
            .attach(Attachment::new("Rechnung März.pdf", pdf, bytes.clone()).expect("valid"));
    }
    let rope = builder.build().expect("builds").to_rope();
    usize::try_from(rope.len()).expect("fits")
}

fn mail_builder(letter: &Letter) -> usize {
    let mut builder = MessageBuilder::new()
        .from(("Grüße Versand", "versand@example.org"))
        .to(("Jürgen Groß", "juergen@example.net"))
        .subject(SUBJECT)
        .message_id("1.2@example.org")
        .text_body(letter.text.as_str())
        .html_body(letter.html.as_str());
    if let Some((bytes, image)) = &letter.binary {
        builder = builder
            .inline("image/png", "logo@example.org", image.as_ref())
            .attachment("application/pdf", "Rechnung März.pdf", bytes.as_ref());
    }
    builder.write_to_vec().expect("writes").len()
}

fn lettre(letter: &Letter) -> usize {
    let builder = lettre::Message::builder()
        .from("Grüße Versand <versand@example.org>".parse().expect("valid"))
        .to("Jürgen Groß <juergen@example.net>".parse().expect("valid"))
        .subject(SUBJECT)
        .message_id(Some("<1.2@example.org>".to_owned()));
    let (text, html) = (letter.text.clone(), letter.html.clone());
    let body = match &letter.binary {
        None => MultiPart::alternative_plain_html(text, html),
        Some((bytes, image)) => {
            let png = LettreType::parse("image/png").expect("valid");
            let pdf = LettreType::parse("application/pdf").expect("valid");
            let image = LettreAttachment::new_inline("logo@example.org".to_owned()).body(image.to_vec(), png);
            let related = MultiPart::related()
                .singlepart(SinglePart::html(html))
                .singlepart(image);
            MultiPart::mixed()
                .multipart(
                    MultiPart::alternative()
                        .singlepart(SinglePart::plain(text))
                        .multipart(related),
                )
                .singlepart(LettreAttachment::new("Rechnung März.pdf".to_owned()).body(bytes.to_vec(), pdf))
        }
    };
    builder.multipart(body).expect("builds").formatted().len()
}

/// mail-builder's encoders, into a buffer that is large enough: no headers, no checks.
fn encoders(letter: &Letter) -> usize {
    let attached = letter
        .binary
        .as_ref()
        .map_or(0, |(bytes, image)| bytes.len() + image.len());
    let mut out = Vec::with_capacity(2 * (letter.text.len() + letter.html.len()) + attached * 3 / 2 + 4096);
    for (kind, text) in [("text/plain", &letter.text), ("text/html", &letter.html)] {
        MimePart::new(TypeLine::new(kind), text.as_str()).write_part(&mut out);
    }
    for bytes in letter.binary.iter().flat_map(|(bytes, image)| [bytes, image]) {
        MimePart::raw(bytes.as_ref())
            .header("Content-Type", Raw::new("a/b"))
            .write_part(&mut out);
    }
    out.len()
}

pub fn races() -> Vec<Race> {
    [
        ("build a message of 20 KB: text and HTML, 8 KB each", None),
        (
            "build a message of 184 KB: the same, 100 KB attached, 20 KB inline",
            Some(100_000),
        ),
        ("build a message of 1.5 MB: the same with 1 MB attached", Some(1 << 20)),
    ]
    .into_iter()
    .map(|(question, attached)| {
        let letter = Arc::new(Letter::new(attached));
        let runner = |name, build: fn(&Letter) -> usize| {
            let letter = Arc::clone(&letter);
            Runner::new(name, move || build(&letter))
        };
        let runners = vec![
            runner("posthaste-mime", ours),
            runner("mail-builder 2", mail_builder),
            runner("lettre 0.11", lettre),
            runner("mail-builder's encoders alone, no headers", encoders),
        ];
        Race::new(question, runners)
    })
    .collect()
}
