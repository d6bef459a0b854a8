//! Messages made from a prototype say what one builder would have made them say.

use std::time::{Duration, SystemTime};

use posthaste_mime::{
    Attachment, BuildProblem, Calendar, Charset, ContentId, ContentType, Flowed, Generator, HeaderName, HeaderValue,
    Message, MessageBuilder, Precedence,
};

fn generator() -> Generator {
    Generator::fixed(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000), 3)
}

fn attachment(name: &str) -> Attachment {
    Attachment::new(name, ContentType::parse("application/pdf").unwrap(), vec![7; 300]).unwrap()
}

fn inline(id: &str) -> Attachment {
    let id = ContentId::new(id).unwrap();
    Attachment::inline(id, ContentType::parse("image/png").unwrap(), vec![9; 30])
}

fn header(builder: MessageBuilder, name: &str) -> MessageBuilder {
    builder.header(HeaderName::new(name).unwrap(), HeaderValue::new("value").unwrap())
}

fn constant(builder: MessageBuilder) -> MessageBuilder {
    let builder = builder
        .from("Ada <ada@example.org>".parse().unwrap())
        .reply_to("answers@example.org".parse().unwrap())
        .inline(inline("logo"))
        .attach(attachment("terms.pdf"));
    header(builder, "X-Campaign")
}

fn personal(builder: MessageBuilder) -> MessageBuilder {
    builder
        .to("Bob <bob@example.net>".parse().unwrap())
        .subject("Hello Bob")
        .text("Grüße")
        .html("<p><img src=\"cid:logo\"></p>")
}

/// Takes out what is random: the boundary's tag and the Message-ID.
fn without_ids(message: &Message) -> String {
    let text = String::from_utf8(message.to_rope().to_bytes().unwrap().to_vec()).unwrap();
    let tag = text
        .split_once("boundary=\"=_1_")
        .map(|(_, rest)| rest.split_once('"').unwrap().0.to_owned());
    let text = text.replace(message.message_id().as_str(), "ID");
    tag.map_or(text.clone(), |tag| text.replace(&tag, "TAG"))
}

#[track_caller]
fn same(extra: impl Fn(MessageBuilder) -> MessageBuilder) {
    let at_once = extra(personal(constant(Message::builder())))
        .generator(&generator())
        .build()
        .unwrap();
    let prototype = constant(Message::builder()).generator(&generator()).prepare().unwrap();
    let from_prototype = extra(personal(prototype.message())).build().unwrap();
    assert_eq!(without_ids(&from_prototype), without_ids(&at_once));
    assert_eq!(from_prototype.attachments().len(), at_once.attachments().len());
    assert_eq!(from_prototype.headers(), at_once.headers());
    assert_eq!(from_prototype.from(), at_once.from());
    assert_eq!(from_prototype.envelope().unwrap(), at_once.envelope().unwrap());
    let (header, body) = from_prototype.to_header_and_body();
    let whole = [header.as_ref(), &body.to_bytes().unwrap()].concat();
    assert!(header.ends_with(b"\r\n\r\n"));
    assert_eq!(whole, from_prototype.to_rope().to_bytes().unwrap());
}

#[test]
fn a_prototype_changes_nothing() {
    same(|builder| builder);
    same(|builder| builder.attach(attachment("own.pdf")));
    same(|builder| builder.inline(inline("own")));
    same(|builder| header(builder, "X-Own"));
    same(|builder| builder.reply_to("other@example.org".parse().unwrap()));
    same(|builder| builder.amp("<html amp4email>").precedence(Precedence::Bulk));
    same(|builder| {
        builder
            .charset(Charset::from_label("iso-8859-1").unwrap())
            .flowed(Flowed::new())
    });
    same(|builder| {
        let object = "BEGIN:VCALENDAR\nMETHOD:CANCEL\nEND:VCALENDAR";
        builder.calendar(Calendar::new(object).unwrap())
    });
    same(|builder| {
        builder
            .sender("sec@example.org".parse().unwrap())
            .from("Eve <eve@example.org>".parse().unwrap())
    });
    same(MessageBuilder::attachments_first);
}

#[test]
fn attachments_may_come_first() {
    let prototype = constant(Message::builder()).attachments_first().prepare().unwrap();
    let message = personal(prototype.message()).build().unwrap();
    let text = String::from_utf8(message.to_rope().to_bytes().unwrap().to_vec()).unwrap();
    assert!(text.find("terms.pdf").unwrap() < text.find("multipart/alternative").unwrap());
}

#[test]
fn messages_share_what_is_encoded() {
    let prototype = constant(Message::builder()).prepare().unwrap();
    let pointers = |builder: MessageBuilder| {
        let rope = personal(builder).build().unwrap().to_rope();
        rope.chunks().map(|chunk| chunk.unwrap().as_ptr()).collect::<Vec<_>>()
    };
    let (first, second) = (pointers(prototype.message()), pointers(prototype.message()));
    for chunk in prototype.shared_chunks() {
        assert!(first.contains(&chunk.as_ptr()) && second.contains(&chunk.as_ptr()));
    }
    assert_eq!(prototype.shared_chunks().count(), 2);
}

#[test]
fn a_text_that_knows_the_boundary_gets_another() {
    let prototype = constant(Message::builder()).generator(&generator()).prepare().unwrap();
    let first = personal(prototype.message()).build().unwrap();
    let text = String::from_utf8(first.to_rope().to_bytes().unwrap().to_vec()).unwrap();
    let (_, rest) = text.split_once("boundary=\"").unwrap();
    let (boundary, _) = rest.split_once('"').unwrap();
    let forged = format!("--{boundary}\r\nContent-Type: text/html\r\n\r\nforged");
    let message = personal(prototype.message()).text(forged.clone()).build().unwrap();
    let text = String::from_utf8(message.to_rope().to_bytes().unwrap().to_vec()).unwrap();
    assert_eq!(text.matches(boundary).count(), 1, "only where the text says it");
    assert_eq!(message.text(), Some(forged.as_str()));
}

#[test]
fn a_prototype_of_a_prototype_has_both() {
    let german = constant(Message::builder())
        .prepare()
        .unwrap()
        .message()
        .subject("Hallo")
        .attach(attachment("de.pdf"))
        .prepare()
        .unwrap();
    let message = german
        .message()
        .to("bob@example.net".parse().unwrap())
        .html("<p>")
        .build()
        .unwrap();
    assert_eq!(message.subject(), Some("Hallo"));
    assert_eq!(message.attachments().len(), 2);
    assert_eq!(message.from().len(), 1);
}

#[test]
fn what_is_wrong_is_said_where_it_was_set() {
    let header = |builder: MessageBuilder| header(builder, "Feedback-ID");
    let error = header(header(Message::builder())).prepare().unwrap_err();
    assert!(matches!(error.problems(), [BuildProblem::Repeated { .. }]), "{error}");
    let error = Message::builder().subject("a\r\nb").prepare().unwrap_err();
    assert_eq!(error.problems()[0].field(), "Subject");

    let prototype = header(constant(Message::builder())).prepare().unwrap();
    let error = header(personal(prototype.message())).build().unwrap_err();
    assert!(matches!(error.problems(), [BuildProblem::Repeated { .. }]), "{error}");
    let error = personal(prototype.message()).attach(attachment("x").identified(ContentId::new("logo").unwrap()));
    let error = error.build().unwrap_err();
    assert!(
        matches!(error.problems(), [BuildProblem::RepeatedContentId { .. }]),
        "{error}"
    );
    let error = prototype.message().text("no page").build().unwrap_err();
    assert_eq!(error.problems(), [BuildProblem::InlineWithoutHtml]);

    let nobody = Message::builder().prepare().unwrap();
    let error = nobody.message().build().unwrap_err();
    assert_eq!(error.problems(), [BuildProblem::MissingFrom]);
}

#[test]
fn what_is_said_to_be_common_changes_nothing() {
    let lines =
        "<p style=\"margin: 0\">Grüße an alle, die das lesen, und an alle anderen auch = alle.</p>\r\n".repeat(20);
    let page = |name: &str| format!("<h1>{name}</h1>{lines}<hr>\n{lines}{name}");
    let letter = |name: &str| format!("{lines}{name}");
    for name in ["Bob", "Zoë", "a line\nand another", &lines, ""] {
        let write = |builder: MessageBuilder| {
            let prototype = constant(builder.generator(&generator())).prepare().unwrap();
            let message = personal(prototype.message()).text(letter(name)).html(page(name));
            without_ids(&message.build().unwrap())
        };
        let common = Message::builder().common_text(lines.clone()).common_html(lines.clone());
        let common = common
            .common_html(format!("<hr>\n{lines}"))
            .common_html("not there\n".repeat(100));
        assert_eq!(write(common), write(Message::builder()));
    }
}
