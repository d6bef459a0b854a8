//! The size of a message is known before it is written.

use bytes::Bytes;
use posthaste_mime::{Attachment, Charset, ContentId, ContentType, Flowed, Message, MessageBuilder, Prototype};
use proptest::prelude::*;

use crate::wire;

#[track_caller]
fn check(message: &Message) {
    let before = message.encoded_len();
    assert_eq!(before, message.to_rope().len());
    assert_eq!(before, message.encoded_len(), "encoding changes nothing");
    assert_eq!(before, message.to_bytes().unwrap().len() as u64);
}

fn data(len: usize) -> Bytes {
    Bytes::from(vec![7; len])
}

fn kind() -> ContentType {
    ContentType::parse("application/octet-stream").unwrap()
}

#[test]
fn of_nothing_and_of_everything() {
    check(&wire::builder().build().unwrap());
    let message = || {
        wire::builder()
            .text("Grüße")
            .html("<p>")
            .amp("a")
            .inline(Attachment::inline(ContentId::new("a").unwrap(), kind(), data(99)))
            .attach(Attachment::new("é.bin", kind(), data(1000)).unwrap())
            .attach(Attachment::from_source("s.bin", kind(), data(200_000)).unwrap())
            .attach(Attachment::message("m.eml", "A: b\n\nhello\n").unwrap())
    };
    check(&message().build().unwrap());
    check(&message().prepare().unwrap().message().text("other").build().unwrap());
}

#[test]
fn nothing_is_read_to_know_it() {
    #[derive(Debug)]
    struct Unreadable;
    impl posthaste_mime::Source for Unreadable {
        fn len(&self) -> u64 {
            1 << 40
        }
        fn open(&self) -> std::io::Result<Box<dyn std::io::Read + Send>> {
            panic!("opened")
        }
    }
    let attachment = Attachment::from_source("huge.bin", kind(), Unreadable).unwrap();
    let message = wire::builder().attach(attachment).build().unwrap();
    assert!(message.encoded_len() > (1 << 40) / 3 * 4);
    assert_eq!(message.encoded_len(), message.to_rope().len());
}

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-zA-Z ,.]{1,60}",
        2 => "[ =\t]{1,3}",
        2 => prop_oneof![Just("\r\n"), Just("\n"), Just("\r"), Just("\n\n"), Just(" \n")].prop_map(str::to_owned),
        1 => "[äöüé]{1,8}",
        1 => "[日本語🎉]{1,30}",
        1 => "[a-z]{70,160}",
        1 => "[ -~]{73,79}",
        1 => "\\PC{1,6}",
        1 => Just("\0".to_owned()),
        1 => Just("\u{7f}".to_owned()),
        1 => Just("\u{1b}".to_owned()),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn with_all(
    builder: MessageBuilder,
    (text, html, amp): (Option<String>, Option<String>, bool),
    (flowed, charset): (Option<bool>, bool),
    attachments: &[(u8, usize)],
) -> MessageBuilder {
    let mut builder = builder;
    if let Some(text) = text {
        builder = builder.text(text);
    }
    if let Some(html) = html {
        if amp {
            builder = builder.amp(html.clone());
        }
        builder = builder
            .html(html)
            .inline(Attachment::inline(ContentId::new("i").unwrap(), kind(), data(5)));
    }
    match flowed {
        Some(true) => builder = builder.flowed(Flowed::new().delete_spaces()),
        Some(false) => builder = builder.flowed(Flowed::new()),
        None => {}
    }
    if charset {
        builder = builder.charset(Charset::from_label("gb18030").unwrap());
    }
    for (kind_of, len) in attachments {
        builder = builder.attach(match kind_of % 3 {
            0 => Attachment::new("a.bin", kind(), data(*len)).unwrap(),
            1 => Attachment::from_source("b.bin", kind(), data(*len)).unwrap(),
            _ => Attachment::message("c.eml", format!("A: b\n\n{}", "x\n".repeat(len % 50))).unwrap(),
        });
    }
    builder
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn of_any_text(text in text()) {
        check(&wire::builder().text(text).build().unwrap());
    }

    #[test]
    fn of_any_message(
        bodies in (prop::option::of(text()), prop::option::of(text()), any::<bool>()),
        how in (prop::option::of(any::<bool>()), any::<bool>()),
        attachments in prop::collection::vec((any::<u8>(), 0_usize..300), 0..4),
        subject in "\\PC{0,60}",
        prepared in any::<bool>(),
    ) {
        let start = if prepared {
            let terms = Attachment::new("terms.pdf", kind(), data(100)).unwrap();
            Prototype::message(&wire::builder().attach(terms).prepare().unwrap())
        } else {
            wire::builder()
        };
        if let Ok(message) = with_all(start, bodies, how, &attachments).subject(subject).build() {
            check(&message);
        }
    }
}

#[test]
fn of_text_that_is_said_to_be_common() {
    for line in [
        "日本語日本語日本語日本語\n",
        "plain text that many read \n",
        "日本語 and letters, of both\n",
    ] {
        let common = line.repeat(40);
        let prototype = wire::builder()
            .common_text(format!("\n{common}"))
            .common_html(format!("<p>\n{common}"))
            .prepare()
            .unwrap();
        for (before, after) in [("", ""), ("a\n", ""), ("", "a"), ("é\n", "é\n")] {
            let text = format!("{before}{common}{after}");
            let common = prototype
                .message()
                .text(text.clone())
                .html(text.clone())
                .build()
                .unwrap();
            check(&common);
            let plain = wire::builder().text(text.clone()).html(text).build().unwrap();
            assert_eq!(common.encoded_len(), plain.encoded_len());
        }
    }
}
