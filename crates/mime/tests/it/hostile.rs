//! Whatever text a field is given: it is refused by name, or nothing but that field's text changes.

use mail_parser::{Address, HeaderName as ParsedName, MessageParser};
use posthaste_address::{Group, Mailbox};
use posthaste_mime::{
    Attachment, Calendar, Charset, ContentId, ContentType, DeliveryAction, DeliveryStatus, Disposition,
    DispositionNotification, FeedbackId, FeedbackReport, FeedbackType, Flowed, HeaderName, HeaderValue, ListCommands,
    ListId, ListUnsubscribe, Message, MessageBuilder, MessageId, RecipientStatus, Report,
};
use proptest::prelude::*;

use crate::wire;

type Put = fn(MessageBuilder, &str) -> Result<MessageBuilder, String>;

/// A way for text to get into a message: the name that an error must have, a harmless text, and the way itself.
type Way = (&'static str, &'static str, Put);

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn named(name: &str) -> Result<Mailbox, String> {
    Mailbox::with_name(name, "someone@example.com".parse().unwrap()).map_err(said)
}

fn kind() -> ContentType {
    ContentType::parse("image/png").unwrap()
}

fn attached() -> Attachment {
    Attachment::new("b.png", kind(), vec![1]).unwrap()
}

fn recipient() -> RecipientStatus {
    let address = "bob@example.net".parse().unwrap();
    RecipientStatus::new(address, DeliveryAction::Failed, "5.0.0".parse().unwrap())
}

fn bounce(status: RecipientStatus) -> DeliveryStatus {
    DeliveryStatus::new("mx.example.org".parse().unwrap(), status)
}

/// The base message by another author, for fields of which the base has one.
fn by(author: Mailbox) -> MessageBuilder {
    let builder = Message::builder().generator(&wire::generator()).from(author);
    builder.to("bob@example.net".parse().unwrap()).text("t").html("h")
}

const HEADERS: &[Way] = &[
    ("subject", "x", |b, v| Ok(b.subject(v))),
    ("subject", "x", |b, v| {
        Ok(b.subject(v).charset(Charset::from_label("iso-2022-jp").unwrap()))
    }),
    ("", "x", |_, v| Ok(by(named(v)?))),
    ("", "x", |b, v| Ok(b.sender(named(v)?))),
    ("", "x", |b, v| Ok(b.reply_to(named(v)?))),
    ("", "x", |b, v| Ok(b.to(named(v)?))),
    ("", "x", |b, v| Ok(b.cc(named(v)?))),
    ("", "x", |b, v| Ok(b.bcc(named(v)?))),
    ("", "x", |b, v| Ok(b.to_group(Group::new(v, []).map_err(said)?))),
    ("", "a@example.net", |b, v| Ok(b.to(v.parse().map_err(said)?))),
    ("", "a@example.net", |b, v| Ok(b.bcc(v.parse().map_err(said)?))),
    ("header value", "x", |b, v| {
        Ok(b.header(HeaderName::new("X-A").unwrap(), HeaderValue::new(v).map_err(said)?))
    }),
    ("header value", "x", |b, v| {
        Ok(b.header(
            HeaderName::new("X-A").unwrap(),
            HeaderValue::structured(v).map_err(said)?,
        ))
    }),
    ("message id", "a@b", |b, v| {
        Ok(b.message_id(MessageId::parse(v).map_err(said)?))
    }),
    ("message id", "a@b", |b, v| {
        Ok(b.in_reply_to(MessageId::parse(v).map_err(said)?))
    }),
    ("message id", "a@b", |b, v| {
        Ok(b.references([MessageId::parse(v).map_err(said)?]))
    }),
    ("list-id", "a.b", |b, v| Ok(b.list_id(ListId::new(v).map_err(said)?))),
    ("list-id", "x", |b, v| {
        Ok(b.list_id(ListId::new("a.b").unwrap().description(v).map_err(said)?))
    }),
    ("list-unsubscribe", "https://a.example/", |b, v| {
        Ok(b.list_unsubscribe(ListUnsubscribe::new([v]).map_err(said)?))
    }),
    ("list-unsubscribe", "x", |b, v| {
        Ok(b.list_unsubscribe(ListUnsubscribe::new([format!("https://a.example/{v}")]).map_err(said)?))
    }),
    ("list-help", "x", |b, v| {
        Ok(b.list_commands(
            ListCommands::new()
                .help([format!("https://a.example/{v}")])
                .map_err(said)?,
        ))
    }),
    ("list-subscribe", "x", |b, v| {
        Ok(b.list_commands(
            ListCommands::new()
                .subscribe([format!("mailto:a@b?subject={v}")])
                .map_err(said)?,
        ))
    }),
    ("list-post", "x", |b, v| {
        Ok(b.list_commands(
            ListCommands::new()
                .post([format!("mailto:a@b?subject={v}")])
                .map_err(said)?,
        ))
    }),
    ("list-owner", "x", |b, v| {
        Ok(b.list_commands(
            ListCommands::new()
                .owner([format!("mailto:a@b?subject={v}")])
                .map_err(said)?,
        ))
    }),
    ("list-archive", "x", |b, v| {
        Ok(b.list_commands(
            ListCommands::new()
                .archive([format!("https://a.example/{v}")])
                .map_err(said)?,
        ))
    }),
    ("feedback-id", "x", |b, v| {
        Ok(b.feedback_id(FeedbackId::new([v], "sender").map_err(said)?))
    }),
    ("feedback-id", "sender", |b, v| {
        Ok(b.feedback_id(FeedbackId::new([], v).map_err(said)?))
    }),
    ("feedback-id", "a:sender", |b, v| {
        Ok(b.feedback_id(v.parse().map_err(said)?))
    }),
];

const PARTS: &[Way] = &[
    ("text", "x", |b, v| Ok(b.text(v))),
    ("html", "x", |b, v| Ok(b.html(v))),
    ("html", "x", |b, v| Ok(b.text("").html(v).text_from_html())),
    ("amp", "x", |b, v| Ok(b.amp(v))),
    ("text", "x", |b, v| Ok(b.text(v).flowed(Flowed::new()))),
    ("text", "x", |b, v| Ok(b.text(v).flowed(Flowed::new().delete_spaces()))),
    ("text", "x", |b, v| {
        Ok(b.text(v).html(v).charset(Charset::from_label("iso-2022-jp").unwrap()))
    }),
    ("text", "x", |b, v| {
        Ok(b.text(v).html(v).charset(Charset::from_label("gb18030").unwrap()))
    }),
    ("charset", "utf-8", |b, v| {
        Ok(b.charset(Charset::from_label(v).map_err(said)?))
    }),
    ("calendar", "x", |b, v| {
        let object = format!("BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nSUMMARY:{v}\r\nEND:VCALENDAR\r\n");
        Ok(b.calendar(Calendar::new(&object).map_err(said)?))
    }),
    ("filename", "x", |b, v| {
        Ok(b.attach(Attachment::new(v, kind(), vec![1]).map_err(said)?))
    }),
    ("filename", "x", |b, v| {
        Ok(b.attach(Attachment::message(v, "A: b\r\n\r\n").map_err(said)?))
    }),
    ("description", "x", |b, v| {
        Ok(b.attach(attached().description(v).map_err(said)?))
    }),
    ("content id", "x", |b, v| {
        Ok(b.attach(attached().identified(ContentId::new(v).map_err(said)?)))
    }),
    ("content id", "x", |b, v| {
        Ok(b.inline(Attachment::inline(ContentId::new(v).map_err(said)?, kind(), vec![1])))
    }),
    ("content type", "a/b", |b, v| {
        Ok(b.attach(Attachment::new("c", ContentType::parse(v).map_err(said)?, vec![1]).map_err(said)?))
    }),
    ("content type", "x", |b, v| {
        let kind = kind().with_parameter("x-a", v).map_err(said)?;
        Ok(b.attach(Attachment::new("c", kind, vec![1]).map_err(said)?))
    }),
    ("attachment content", "x", |b, v| {
        Ok(b.attach(Attachment::message("c", format!("A: b\r\n\r\n{v}")).map_err(said)?))
    }),
    ("diagnostic-code", "x", |b, v| {
        Ok(b.report(bounce(recipient().diagnostic(v).map_err(said)?)))
    }),
    ("original-envelope-id", "x", |b, v| {
        Ok(b.report(bounce(recipient()).original_envelope_id(v).map_err(said)?))
    }),
    ("", "a@example.net", |b, v| {
        Ok(b.report(bounce(recipient().original_recipient(v.parse().map_err(said)?))))
    }),
    ("reporting-ua", "x", |b, v| {
        let notification = DispositionNotification::new("a@example.net".parse().unwrap(), Disposition::Deleted);
        Ok(b.report(notification.reporting_ua(v).map_err(said)?))
    }),
    ("user-agent", "x", |b, v| {
        Ok(b.report(FeedbackReport::new(FeedbackType::Other, v).map_err(said)?))
    }),
    ("returned message", "x", |b, v| {
        Ok(b.report(
            Report::from(bounce(recipient()))
                .returned_message(v.to_owned())
                .map_err(said)?,
        ))
    }),
    ("returned header", "x", |b, v| {
        Ok(b.report(
            Report::from(bounce(recipient()))
                .returned_header(v.to_owned())
                .map_err(said)?,
        ))
    }),
];

fn base() -> MessageBuilder {
    wire::builder().text("t").html("h")
}

/// The boundary that the base message has.
fn boundary() -> String {
    let text = String::from_utf8(wire::bytes(&base().build().unwrap())).unwrap();
    let (_, after) = text.split_once("boundary=\"").unwrap();
    after.split_once('"').unwrap().0.to_owned()
}

/// What of a message a field's text must not change: the names of its header fields, its recipients, its parts and where they
/// end.
fn shape(bytes: &[u8]) -> (Vec<String>, Vec<usize>, String, usize) {
    let parsed = MessageParser::default().parse(bytes).expect("a message");
    let names = parsed
        .headers()
        .iter()
        .map(|header| header.name().to_lowercase())
        .collect();
    let count = |name: ParsedName<'static>| match parsed.header(name).and_then(|value| value.as_address()) {
        Some(Address::List(list)) => list.len(),
        Some(Address::Group(groups)) => groups.iter().map(|group| group.addresses.len()).sum(),
        None => 0,
    };
    let recipients = vec![count(ParsedName::To), count(ParsedName::Cc), count(ParsedName::Bcc)];
    let end = wire::find(bytes, b"\r\n\r\n").expect("an empty line");
    let fields = bytes[..end]
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.starts_with(b" "))
        .count();
    (names, recipients, wire::tree(bytes), fields)
}

#[track_caller]
fn check(way: &Way, value: &str) {
    let (name, benign, put) = way;
    let expected = put(base(), benign).unwrap().build().unwrap();
    let error = match put(base(), value).map(MessageBuilder::build) {
        Ok(Ok(message)) => {
            let bytes = wire::bytes(&message);
            assert_eq!(shape(&bytes), shape(&wire::bytes(&expected)), "{name}: {value:?}");
            let recipients = |message: &Message| message.envelope().unwrap().recipients().len();
            assert_eq!(recipients(&message), recipients(&expected), "{name}: {value:?}");
            return;
        }
        Ok(Err(error)) => error.to_string(),
        Err(error) => error,
    };
    assert!(
        error.to_lowercase().contains(name),
        "{name}: {value:?} is refused with: {error}"
    );
}

#[test]
fn known_tricks() {
    let boundary = boundary();
    let mut tricks: Vec<String> = [
        "",
        "\r",
        "\n",
        "\0",
        "\u{85}",
        "\u{2028}",
        "\u{2029}",
        "\u{b}",
        "\u{c}",
        "\u{7f}",
        "x\r\nBcc: victim@example.org",
        "x\nBcc: victim@example.org",
        "x\r\n\r\n<script>",
        "x\r\n .\r\n",
        "x\u{560a}Bcc: victim@example.org",
        "x\u{560d}\u{560a}Bcc: victim@example.org",
        "=?utf-8?Q?x=0D=0ABcc:_victim@example.org?=",
        "=?utf-8?B?DQpCY2M6IHZpY3RpbQ==?=",
        "a@example.org, victim@example.org",
        "a@example.org> , <victim@example.org",
        "\"a\" <victim@example.org>",
        "a\" <victim@example.org>, \"",
        "group: victim@example.org;",
        "\\\"",
        "(",
        ")",
        "a;b=c",
        "a\"; filename=\"b",
        "\u{202e}",
        "\u{1b}$B",
        "\u{1b}(B\r\nBcc: x",
    ]
    .map(str::to_owned)
    .to_vec();
    tricks.push(format!(
        "\r\n--{boundary}\r\nContent-Type: text/html\r\n\r\nx\r\n--{boundary}--\r\n"
    ));
    tricks.push(format!("--{boundary}--"));
    tricks.push(format!("\r\n--{}\r\n\r\n", boundary.replace("=_2_", "=_1_")));
    tricks.push(format!("\r\n--{}\r\n\r\n", boundary.replace("=_2_", "=_4_")));
    tricks.push("x".repeat(3000));
    tricks.push("é".repeat(3000));
    for way in HEADERS.iter().chain(PARTS) {
        for trick in &tricks {
            check(way, trick);
        }
    }
}

fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("\r\n".to_owned()),
        Just("\r".to_owned()),
        Just("\n".to_owned()),
        Just("\0".to_owned()),
        Just("\u{85}".to_owned()),
        Just("\u{2028}".to_owned()),
        Just("\u{560a}\u{560d}".to_owned()),
        Just("\u{1b}$B".to_owned()),
        Just("=?utf-8?Q?=0D=0ABcc:_x?=".to_owned()),
        Just("=?".to_owned()),
        Just("?=".to_owned()),
        Just("\r\nBcc: victim@example.org".to_owned()),
        Just("\r\n\r\n".to_owned()),
        Just("--=_1_".to_owned()),
        Just(format!("\r\n--{}", boundary())),
        Just(format!("--{}--\r\n", boundary())),
        Just("END:VCALENDAR".to_owned()),
        "[,;:<>()@\"\\\\. \t]{1,4}",
        "[a-z]{1,8}",
        "[a-z@.]{1,12}",
        "[éß日本👋]{1,4}",
        "\\PC{1,4}",
        "[a-z]{900,1100}",
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn headers(way in prop::sample::select(HEADERS), value in hostile()) {
        check(&way, &value);
    }

    #[test]
    fn parts(way in prop::sample::select(PARTS), value in hostile()) {
        check(&way, &value);
    }

    #[test]
    fn names_of_headers(name in hostile()) {
        let Ok(name) = HeaderName::new(&name) else { return Ok(()) };
        let Ok(message) = base().header(name.clone(), HeaderValue::new("x").unwrap()).build() else { return Ok(()) };
        let bytes = wire::bytes(&message);
        let (mut names, recipients, tree, fields) = shape(&bytes);
        let added = names.iter().position(|known| known.eq_ignore_ascii_case(name.as_str()));
        names.remove(added.expect("the name is there"));
        prop_assert_eq!((names, recipients, tree, fields - 1), shape(&wire::bytes(&base().build().unwrap())));
    }
}
