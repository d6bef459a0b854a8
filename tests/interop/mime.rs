//! What Python's parser makes of our messages.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use posthaste_mime::{Attachment, ContentId, ContentType, Generator, Message, MessageId};
use serde_json::json;
use std::time::{Duration, SystemTime};

use crate::Case;
use crate::programs::{Program, json, script};

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "pythons_parser_reads_back_names_subject_bodies_and_files",
        needs: &[Program::Python],
        run: everything_comes_back,
    },
    Case {
        name: "pythons_parser_reads_back_the_plainest_message",
        needs: &[Program::Python],
        run: the_plainest,
    },
];

/// What Python sees in `message`.
fn read(message: &Message) -> serde_json::Value {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("message.eml");
    std::fs::write(&path, message.to_bytes().unwrap()).unwrap();
    json(script(Program::Python, "read_message.py").arg(path))
}

/// What Python found wrong, but for one: a plain ASCII file name follows an extended one for old readers, and Python says
/// that it takes the first.
fn complaints(seen: &serde_json::Value) -> serde_json::Value {
    let expected = "Content-Disposition: duplicate parameter name; duplicate ignored";
    seen["defects"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|defect| *defect != expected)
        .cloned()
        .collect()
}

/// A text with the line ends that it had before it became a message.
fn unix(text: &serde_json::Value) -> String {
    text.as_str().unwrap().replace("\r\n", "\n")
}

fn everything_comes_back() {
    let bytes: Vec<u8> = (0..=255).cycle().take(100_003).collect();
    let picture = b"\x89PNG\r\n\x1a\n, or nearly so".to_vec();
    let text = "Grüße aus 東京\n\n.dots\nFrom here\ntrailing space \nand a line that is long: ".to_owned()
        + &"längst ".repeat(200)
        + "\n";
    let html = "<p>Schön: <img src=\"cid:logo@example.org\"></p>\n".repeat(40);
    let subject = "Un sujet très long, qui ne tient pas sur une ligne: 🎉 ".repeat(4) + "fin";
    let names = [
        "Rechnung für März.pdf",
        "発注書 2026.pdf",
        "plain.bin",
        "quote\"back\\slash;semi.bin",
        &("lang-".repeat(30) + "ö.txt"),
    ];

    let mut builder = Message::builder()
        .from("\"Lovelace, Ada\" <ada@example.org>".parse().unwrap())
        .to("Zoë Müller <zoe@bücher.example>".parse().unwrap())
        .to("山田 太郎 <taro@example.jp>".parse().unwrap())
        .cc("bob@example.net".parse().unwrap())
        .bcc("hidden@example.com".parse().unwrap())
        .subject(subject.clone())
        .text(text.clone())
        .html(html.clone())
        .inline(Attachment::inline(
            ContentId::new("logo@example.org").unwrap(),
            ContentType::parse("image/png").unwrap(),
            picture.clone(),
        ))
        .message_id(MessageId::new("1.2.3", &"example.org".parse().unwrap()).unwrap())
        .generator(&Generator::fixed(
            SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000),
            7,
        ));
    for name in names {
        let kind = ContentType::parse("application/octet-stream").unwrap();
        builder = builder.attach(Attachment::new(name, kind, bytes.clone()).unwrap());
    }
    let seen = read(&builder.build().unwrap());

    assert_eq!(complaints(&seen), json!([]));
    assert_eq!(seen["subject"], json!(subject));
    assert_eq!(seen["from"], json!([["Lovelace, Ada", "ada@example.org"]]));
    assert_eq!(
        seen["to"],
        json!([
            ["Zoë Müller", "zoe@xn--bcher-kva.example"],
            ["山田 太郎", "taro@example.jp"]
        ])
    );
    assert_eq!(seen["cc"][0][1], "bob@example.net");
    assert_eq!(seen["bcc"], json!([]));
    assert_eq!(seen["date"], "2027-01-15T08:00:00+00:00");
    assert_eq!(seen["message_id"], "<1.2.3@example.org>");
    assert_eq!(unix(&seen["text"]), text);
    assert_eq!(unix(&seen["html"]), html);

    let files = seen["files"].as_array().unwrap();
    assert_eq!(files.len(), 1 + names.len());
    assert_eq!(files[0]["id"], "<logo@example.org>");
    assert_eq!(files[0]["type"], "image/png");
    assert_eq!(files[0]["content"], json!(STANDARD.encode(&picture)));
    for (file, name) in files[1..].iter().zip(names) {
        assert_eq!(file["name"], json!(name));
        assert_eq!(file["disposition"], "attachment");
        assert_eq!(file["content"], json!(STANDARD.encode(&bytes)), "{name}");
    }
}

fn the_plainest() {
    let message = Message::builder()
        .from("ada@example.org".parse().unwrap())
        .to("bob@example.net".parse().unwrap())
        .subject("Hello")
        .text("First line\n")
        .build()
        .unwrap();
    let seen = read(&message);
    assert_eq!(seen["defects"], json!([]));
    assert_eq!(seen["subject"], "Hello");
    assert_eq!(seen["to"], json!([["", "bob@example.net"]]));
    assert_eq!(unix(&seen["text"]), "First line\n");
    assert_eq!(seen["html"], json!(null));
    assert_eq!(seen["files"], json!([]));
}
