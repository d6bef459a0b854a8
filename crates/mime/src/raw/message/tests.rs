use super::*;
use crate::raw::options::JunkLines;

fn read(message: &'static str) -> RawMessage {
    RawMessage::parse(message).unwrap()
}

fn name(name: &str) -> HeaderName {
    HeaderName::new(name).unwrap()
}

fn value(value: &str) -> HeaderValue {
    HeaderValue::new(value).unwrap()
}

fn names(message: &RawMessage) -> Vec<String> {
    message.fields().map(|field| field.name().to_owned()).collect()
}

#[test]
fn fields_are_found_as_they_stand() {
    let message = read("A: 1\r\nb : 2\r\n\t3 \r\nA:4\r\n\r\nC: body");
    assert_eq!(names(&message), ["A", "b", "A"]);
    assert_eq!(message.count("a"), 2);
    let field = message.field("B").unwrap();
    assert_eq!(&*field.value(), b"2\t3");
    assert_eq!(field.raw(), b"b : 2\r\n\t3 \r\n");
    assert_eq!(message.body(), "C: body");
}

#[test]
fn what_is_not_edited_is_one_shared_chunk() {
    let bytes = Bytes::from_static(b"A: 1\r\n\r\nbody");
    let message = RawMessage::parse(bytes.clone()).unwrap();
    assert_eq!(message.to_bytes().as_ptr(), bytes.as_ptr());
    assert!(!message.is_edited());
    let mut edited = message;
    edited.remove("A");
    assert!(edited.is_edited());
    assert_eq!(edited.to_bytes().as_ptr(), bytes.slice(6..).as_ptr());
}

#[test]
fn edits_touch_nothing_else() {
    let mut message = read("A: 1\r\nB :  2\r\n  3\r\nA: 4\r\n\r\nbody\n");
    message.prepend(&name("First"), &value("x"));
    message.append(&name("Last"), &value("y"));
    assert!(message.replace(&name("a"), &value("z")));
    assert!(!message.replace(&name("None"), &value("z")));
    assert_eq!(
        message.to_bytes(),
        "First: x\r\na: z\r\nB :  2\r\n  3\r\nA: 4\r\nLast: y\r\n\r\nbody\n"
    );
    message.set(&name("A"), &value("only"));
    message.set(&name("New"), &value("n"));
    assert_eq!(message.remove("b"), 1);
    assert_eq!(
        message.to_bytes(),
        "First: x\r\nA: only\r\nLast: y\r\nNew: n\r\n\r\nbody\n"
    );
    assert_eq!(message.len(), message.to_bytes().len());
}

#[test]
fn the_line_breaks_of_the_message_are_kept() {
    let mut message = read("A: 1\n\nbody\n");
    message.prepend(&name("B"), &value(&"word ".repeat(30)));
    message.prepend_written("C: 1\r\n 2").unwrap();
    assert!(!message.to_bytes().contains(&b'\r'));
    let mut empty = read("\nbody");
    empty.append(&name("B"), &value("1"));
    assert_eq!(empty.to_bytes(), "B: 1\n\nbody");
}

#[test]
fn a_missing_line_break_is_added_before_another_field() {
    let mut message = read("A: 1");
    message.append(&name("B"), &value("2"));
    assert_eq!(message.to_bytes(), "A: 1\r\nB: 2\r\n");
    let mut message = read("A: 1\nB: 2\r");
    message.append(&name("C"), &value("3"));
    assert_eq!(message.to_bytes(), "A: 1\nB: 2\r\r\nC: 3\n");
}

#[test]
fn nothing_is_put_where_it_would_become_something_else() {
    let mut message = read("From someone Mon Jan  1 00:00:00 2024\r\nA: 1\r\n\r\n");
    message.prepend(&name("B"), &value("2"));
    assert!(message.to_bytes().starts_with(b"From someone"));
    assert_eq!(names(&message), ["B", "A"]);

    let mut message = read(" leading\r\nA: 1\r\n\r\n");
    message.prepend(&name("B"), &value("2"));
    assert_eq!(message.to_bytes(), " leading\r\nB: 2\r\nA: 1\r\n\r\n");

    let mut message = read("A: 1\r\njunk\r\nC: 3\r\n\r\n");
    message.append(&name("B"), &value("2"));
    assert_eq!(message.to_bytes(), "A: 1\r\nB: 2\r\njunk\r\nC: 3\r\n\r\n");
}

#[test]
fn junk_lines_are_kept_or_start_the_body() {
    let text = "A: 1\r\njunk\r\n more: junk\r\nB: 2\r\n\r\nbody";
    let message = read(text);
    assert_eq!(names(&message), ["A", "B"]);
    assert_eq!(message.body(), "body");
    let options = RawOptions::new().junk_lines(JunkLines::StartBody);
    let mut message = RawMessage::parse_with(text, &options).unwrap();
    assert_eq!(names(&message), ["A"]);
    assert_eq!(message.body(), "junk\r\n more: junk\r\nB: 2\r\n\r\nbody");
    message.remove("A");
    assert_eq!(message.to_bytes(), "\r\njunk\r\n more: junk\r\nB: 2\r\n\r\nbody");
}

#[test]
fn control_fields_can_be_taken() {
    let mut message = read("X-A: 1\r\nTo: b\r\nx-a: 2\r\n\r\n");
    let taken = message.take("X-A");
    assert_eq!(taken.iter().map(RawField::decoded).collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(message.remove_where(|field| field.is("to")), 1);
    assert_eq!(message.to_bytes(), "\r\n");
    assert!(message.take("X-A").is_empty());
}

#[test]
fn written_fields_are_checked() {
    let mut message = read("A: 1\r\n\r\n");
    for field in [
        "",
        "B",
        "B\r\n",
        ": x",
        "B x: y",
        "B: x\r\n\r\n",
        "B: x\r\nC: y",
        "B: x\r\n \r\n",
        "B: x\n y",
        "B: x\ry",
        "B: \0",
        "B: x\u{2028}y",
        "é: x",
    ] {
        assert!(message.prepend_written(field).is_err(), "{field:?}");
    }
    assert!(message.prepend_written(&format!("B: {}", "x".repeat(999))).is_err());
    assert_eq!(
        message.prepend_written("B: x\r\n \u{7}"),
        Err(HeaderError::Control {
            field: "header field",
            character: '\u{7}',
            offset: 7
        })
    );
    assert!(!message.is_edited());
    message.prepend_written("B: x;\r\n\ty=é\r\n").unwrap();
    assert_eq!(message.to_bytes(), "B: x;\r\n\ty=é\r\nA: 1\r\n\r\n");
}

#[test]
fn people_are_read_or_named_as_errors() {
    let mut message = read(
        "From: Ada <ada@example.org>\r\nSender: =?utf-8?Q?Zo=C3=AB?= <zoe@example.org>\r\nTo: a@example.net, \r\n \
         Friends: b@example.net;\r\nTo: c@example.net\r\nCc: broken@\r\nBcc: d@example.net\r\n\
         Resent-To: e@example.net\r\nResent-Bcc: f@example.net\r\n\r\n",
    );
    assert_eq!(message.from().unwrap().len(), 1);
    assert_eq!(message.sender().unwrap().unwrap().name(), Some("Zoë"));
    let recipients = message.recipients();
    assert_eq!(recipients.to().len(), 3);
    assert_eq!(recipients.bcc().len(), 1);
    assert_eq!(recipients.iter().count(), 4);
    assert_eq!(
        recipients.errors()[0].to_string(),
        "Cc (number 0 of its name) is no list of addresses"
    );
    assert_eq!(message.resent_recipients().iter().count(), 2);
    assert_eq!(message.take_bcc().bcc().len(), 2);
    assert_eq!(message.count("Bcc") + message.count("Resent-Bcc"), 0);
}

#[test]
fn a_sender_is_one_person() {
    let found = |text: &'static str| match read(text).sender() {
        Err(RawFieldError::NotOne { found, .. }) => found,
        other => panic!("{other:?}"),
    };
    assert_eq!(found("Sender: a@example.org, b@example.org\r\n\r\n"), 2);
    assert_eq!(found("Sender: x:;\r\n\r\n"), 0);
    assert_eq!(read("From: a@example.org\r\n\r\n").sender(), Ok(None));
}

#[test]
fn addresses_can_be_set() {
    let mut message = read("To: a@example.net\r\nX: y\r\nTo: b@example.net\r\n\r\n");
    let list: AddressList = "Zoë <zoe@example.net>, c@example.net".parse().unwrap();
    message.set_addresses(&name("To"), &list);
    assert_eq!(message.count("To"), 1);
    assert_eq!(message.addresses("To").unwrap(), list);
    assert_eq!(names(&message), ["To", "X"]);
}

#[test]
fn message_ids_are_read() {
    let id = |text: &'static str| read(text).message_id();
    assert_eq!(id("Message-ID: <a@b>\r\n\r\n").as_deref(), Some("a@b"));
    assert_eq!(id("message-id:\r\n <a@b> (x)\r\n\r\n").as_deref(), Some("a@b"));
    assert_eq!(id("Message-ID: a@b\r\n\r\n"), None);
    assert_eq!(id("Message-ID: <a b>\r\n\r\n"), None);
    assert_eq!(id("Message-ID: <>\r\n\r\n"), None);
    assert_eq!(id("Message-ID: (<x@y>) <a@b>\r\n\r\n").as_deref(), Some("a@b"));
    assert_eq!(id("Message-ID: <a\0@b>\r\n\r\n"), None);
    assert_eq!(id("\r\nMessage-ID: <a@b>\r\n"), None);
}

#[test]
fn limits_are_errors() {
    let options = RawOptions::new().max_header(20).max_fields(2);
    let error = |text: &str| RawMessage::parse_with(text.to_owned(), &options).unwrap_err();
    assert_eq!(
        error("A: 1\r\nB: 1\r\nC: 1\r\n\r\n"),
        RawError::TooManyFields { part: 0, limit: 2 }
    );
    assert_eq!(error(&"x".repeat(21)), RawError::HeaderTooLong { part: 0, limit: 20 });
    assert!(RawMessage::parse_with(format!("A: {}\r\n\r\n{}", "x".repeat(15), "y".repeat(100)), &options).is_ok());
    let few = RawOptions::new().max_parts(0);
    assert_eq!(
        RawMessage::parse_with("A: 1", &few).unwrap().part_count(),
        Err(RawError::TooManyParts { limit: 0 })
    );
}

#[test]
fn defects_are_listed() {
    let defects = |text: &'static str| read(text).defects();
    assert_eq!(defects("A: 1\r\n b\r\n\r\n"), []);
    assert_eq!(
        defects("A: 1\r\njunk\r\nB: 1\r\n\r\n"),
        [RawDefect::JunkLine { offset: 6 }]
    );
    assert_eq!(defects(" x\r\n\r\n"), [RawDefect::LeadingSpace]);
    assert_eq!(defects("A: 1"), [RawDefect::NoEmptyLine]);
    assert_eq!(defects("A: 1\r\n\t\r\n\r\n"), [RawDefect::BlankFold { offset: 0 }]);
    assert_eq!(defects("A: 1\rBcc: x\r\n\r\n"), [RawDefect::BareCr { offset: 4 }]);
    assert_eq!(defects("A: 1\n\r\n"), [RawDefect::BareLf { offset: 4 }]);
    assert_eq!(defects("A: 1\r\n\n"), [RawDefect::BareLf { offset: 6 }]);
    assert_eq!(defects("A: \0\r\n\r\n"), [RawDefect::Nul { offset: 3 }]);
    assert_eq!(
        defects("Subject: 1\r\nSUBJECT: 2\r\n\r\n"),
        [RawDefect::Repeated { field: "subject" }]
    );
    let long = format!("A: {}\r\n\r\n", "x".repeat(996));
    let message = RawMessage::parse(long).unwrap();
    assert_eq!(message.defects(), [RawDefect::LongLine { offset: 0 }]);
}

#[test]
fn debug_shows_no_content() {
    let message = read("Subject: secret\r\n\r\nsecret");
    let shown = format!("{message:?} {:?} {:?}", message.field("Subject"), message.parts());
    assert!(!shown.contains("secret"), "{shown}");
}
