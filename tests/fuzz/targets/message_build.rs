//! Text of strangers in every field of a message that we build: it is refused, or stays in its field.
#![no_main]

use std::time::{Duration, SystemTime};

use libfuzzer_sys::fuzz_target;
use posthaste_address::Mailbox;
use posthaste_mime::{
    Attachment, Charset, ContentType, Flowed, Generator, HeaderName, HeaderValue, Message, RawMessage, text_from_html,
};

fuzz_target!(|input: &str| {
    let mut pieces = input.split('\u{1F}');
    let mut next = || pieces.next().unwrap_or_default();
    let settings = next().as_bytes().first().copied().unwrap_or_default();

    let html = next();
    assert!(!text_from_html(html).contains('\0'));
    let mut builder = Message::builder()
        .generator(&Generator::fixed(
            SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000),
            7,
        ))
        .to(name(next(), "bob@example.net"))
        .from(name(next(), "ada@example.org"))
        .subject(next())
        .html(html);
    builder = match settings % 4 {
        0 => builder.text(next()),
        1 => builder.text_from_html(),
        2 => builder.text(next()).flowed(Flowed::new()),
        _ => match Charset::from_label(next()) {
            Ok(charset) => builder.text(next()).charset(charset),
            Err(_) => return,
        },
    };
    if let (Ok(name), Ok(value)) = (HeaderName::new(next()), HeaderValue::new(next())) {
        builder = builder.header(name, value);
    }
    let plain = ContentType::parse("text/plain").expect("valid");
    if let Ok(attachment) = Attachment::new(next(), plain, next().to_owned()) {
        builder = builder.attach(attachment);
    }
    let Ok(message) = builder.build() else {
        return;
    };
    let bytes = message.to_bytes().expect("in memory");
    assert_eq!(u64::try_from(bytes.len()).expect("fits"), message.encoded_len());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        assert!(line.len() <= 1000 && !line.contains(&0));
        let content = line.strip_suffix(b"\r\n").unwrap_or(line);
        assert!(!content.contains(&b'\r') && !content.contains(&b'\n'));
    }
    let raw = RawMessage::parse(bytes).expect("a message");
    for once in [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "MIME-Version",
        "Content-Type",
    ] {
        assert_eq!(raw.count(once), 1, "{once}");
    }
    assert_eq!(raw.count("Bcc"), 0);
    let fields = 7 + message.headers().len() + raw.count("Content-Transfer-Encoding");
    assert_eq!(raw.fields().count(), fields);
    let leaves = 2 + message.attachments().len();
    let parts = raw.parts().expect("few parts");
    assert_eq!(
        parts
            .iter()
            .filter(|part| !part.content_type().starts_with("multipart/"))
            .count(),
        leaves
    );
});

fn name(text: &str, address: &str) -> Mailbox {
    let address = address.parse().expect("valid");
    Mailbox::with_name(text, address).unwrap_or_else(|_| Mailbox::new("nobody@example.net".parse().expect("valid")))
}
