//! Lines are short where they can be.

use mail_parser::{MessageParser, MimeHeaders as _};
use posthaste_address::Mailbox;
use posthaste_mime::{
    Attachment, ContentType, DeliveryAction, DeliveryStatus, HeaderName, HeaderValue, ListCommands, ListUnsubscribe,
    MessageId, RecipientStatus, Report,
};
use proptest::prelude::*;

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

/// A URL of any length that fits on a line.
fn url() -> impl Strategy<Value = String> {
    ("[a-z0-9]{1,20}", "[a-zA-Z0-9/&=%_.-]{0,900}").prop_map(|(host, path)| format!("https://{host}.example/{path}"))
}

/// Words with nothing in them that has to be encoded or quoted, none of them too long for a line of ordinary length.
fn words() -> impl Strategy<Value = String> {
    prop::collection::vec("[a-zA-Z0-9.,:;!&()'/_-]{1,50}", 1..30).prop_map(|words| words.join(" "))
}

fn mixed() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop_oneof![3 => "[a-zA-Z0-9.,-]{1,40}", 1 => "[äöüß日本語🎉 ]{1,30}"],
        1..20,
    )
    .prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn lines_are_short_where_they_can_be(
        subject in mixed(),
        names in prop::collection::vec(mixed(), 1..6),
        value in mixed(),
        structured in words(),
        description in mixed(),
        file_name in mixed(),
        diagnostic in mixed(),
    ) {
        let kind = ContentType::parse("application/pdf").unwrap();
        let attachment = Attachment::new(file_name.clone(), kind, vec![1; 200]).unwrap();
        let recipients = names.iter().map(|name| Mailbox::with_name(name, "someone@example.org".parse().unwrap()).unwrap());
        let message = wire::builder()
            .to_all(recipients)
            .subject(subject.clone())
            .header(HeaderName::new("X-Free").unwrap(), HeaderValue::new(value.clone()).unwrap())
            .header(HeaderName::new("X-Structured").unwrap(), HeaderValue::structured(structured.clone()).unwrap())
            .attach(attachment.description(description.clone()).unwrap())
            .build()
            .unwrap();
        let bytes = wire::bytes(&message);
        let text = String::from_utf8(bytes.clone()).unwrap();
        for line in text.split("\r\n") {
            prop_assert!(line.len() <= 78, "{}", line);
            for word in line.split(' ').filter(|word| word.contains("=?utf-8?")) {
                prop_assert!(word.len() <= 76, "{}", word);
            }
        }
        let parsed = MessageParser::default().parse(&bytes).unwrap();
        prop_assert_eq!(parsed.subject(), Some(subject.as_str()));
        prop_assert_eq!(wire::text_of(&bytes, "X-Free"), value);
        let unfolded = text.replace("\r\n ", " ");
        prop_assert!(unfolded.contains(&format!("\r\nX-Structured: {structured}\r\n")), "{}", text);
        let part = parsed.attachment(0).unwrap();
        prop_assert_eq!(part.attachment_name(), Some(file_name.as_str()));
        prop_assert_eq!(part.content_description(), Some(description.as_str()));

        let failed = RecipientStatus::new("bob@example.net".parse().unwrap(), DeliveryAction::Failed, "5.0.0".parse().unwrap());
        let status = DeliveryStatus::new("mx.example.org".parse().unwrap(), failed.diagnostic(diagnostic).unwrap());
        prop_assert!(Report::from(status).fields().split("\r\n").all(|line| line.len() <= 78));
    }

    #[test]
    fn urls_and_tokens_stay_whole(urls in prop::collection::vec(url(), 1..6), subject in url(), id in "[a-zA-Z0-9.]{1,400}@[a-z]{1,200}") {
        let id = MessageId::parse(&id).unwrap();
        let commands = ListCommands::new().help(urls.clone()).unwrap().archive(urls.clone()).unwrap();
        let message = wire::builder()
            .subject(format!("See {subject} now"))
            .list_unsubscribe(ListUnsubscribe::new(urls.clone()).unwrap())
            .list_commands(commands)
            .references([id.clone(), id.clone()])
            .header(HeaderName::new("X-Urls").unwrap(), HeaderValue::structured(urls.join(" ")).unwrap())
            .build()
            .unwrap();
        let text = String::from_utf8(wire::bytes(&message)).unwrap();
        for url in urls.iter().map(|url| format!("<{url}>")) {
            prop_assert!(text.matches(&url).count() >= 3, "{} in {}", url, text);
        }
        for url in urls.iter().chain([&subject]) {
            prop_assert!(text.contains(url), "{} in {}", url, text);
        }
        prop_assert!(text.matches(&id.to_string()).count() >= 2);
        // What is longer than a line of ordinary length has one of its own.
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        for line in head.split("\r\n").filter(|line| line.len() > 78) {
            prop_assert!(line.trim_start().split(' ').count() <= 2, "{}", line);
        }
    }
}
