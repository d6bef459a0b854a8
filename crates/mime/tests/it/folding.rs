//! Lines are short where they can be.

use mail_parser::MessageParser;
use posthaste_address::Mailbox;
use posthaste_mime::{HeaderName, HeaderValue, MessageId};

use crate::wire;

/// Checks that no line of the head that could be folded is longer than 78 octets.
#[track_caller]
fn check_folds(bytes: &[u8]) {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let (head, _) = text.split_once("\r\n\r\n").unwrap();
    for line in head.split("\r\n") {
        let body = line.trim_start();
        assert!(line.len() <= 78 || !body.contains(' '), "could be folded: {line}");
        for word in body.split(' ').filter(|word| word.contains("=?")) {
            assert!(word.len() <= 75 && line.len() <= 78, "long encoded-word in {line}");
        }
    }
}

#[test]
fn five_hundred_recipients_fit() {
    let recipients = (0..500).map(|n| {
        let address = format!("user{n}@example.org").parse().unwrap();
        Mailbox::with_name(format!("Recipient {n} of Many"), address).unwrap()
    });
    let message = wire::builder().to_all(recipients).build().unwrap();
    let bytes = wire::bytes(&message);
    check_folds(&bytes);
    let parsed = MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(parsed.to().unwrap().iter().count(), 501);
    let text = String::from_utf8(bytes).unwrap();
    assert!(
        text.contains("\r\n Recipient 7 of Many <user7@example.org>,"),
        "not folded between addresses:\n{text}"
    );
}

#[test]
fn long_names_values_and_ids_fold() {
    let name = Mailbox::with_name("Ünsäglich ".repeat(30).trim(), "a@example.org".parse().unwrap()).unwrap();
    let ids = (0..20).map(|n| MessageId::parse(&format!("{n}.aaaaaaaaaaaaaaaaaaaaaaaaaaaaa@example.org")).unwrap());
    let message = wire::builder()
        .cc(name)
        .subject("日本語の件名 ".repeat(20))
        .references(ids)
        .header(
            HeaderName::new(&"X".repeat(76)).unwrap(),
            HeaderValue::new("été ".repeat(40)).unwrap(),
        )
        .header(
            HeaderName::new("X-List").unwrap(),
            HeaderValue::structured("a=b; ".repeat(60)).unwrap(),
        )
        .build()
        .unwrap();
    check_folds(&wire::bytes(&message));
}

#[test]
fn long_words_of_text_are_encoded_only_if_they_cannot_stand_on_a_line() {
    let url = format!("https://example.org/{}", "a".repeat(200));
    let bytes = wire::bytes(&wire::builder().subject(format!("See {url} now")).build().unwrap());
    assert!(String::from_utf8_lossy(&bytes).contains(&url));
    check_folds(&bytes);
    let long = "w".repeat(10_000);
    let bytes = wire::bytes(&wire::builder().subject(long.clone()).build().unwrap());
    assert_eq!(wire::text_of(&bytes, "Subject"), long);
    check_folds(&bytes);
}

#[test]
fn utf8_local_parts_are_raw_and_domains_are_ascii() {
    let message = wire::builder()
        .cc("üser@bücher.example".parse().unwrap())
        .build()
        .unwrap();
    assert!(message.needs_smtputf8());
    let text = String::from_utf8(wire::bytes(&message)).unwrap();
    assert!(text.contains("\r\nCc: üser@xn--bcher-kva.example\r\n"), "{text}");
    assert!(!wire::builder().build().unwrap().needs_smtputf8());
}
