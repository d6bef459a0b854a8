//! The tree of parts.

use mail_parser::{MessageParser, MimeHeaders as _};
use posthaste_mime::{Attachment, ContentId, ContentType, MessageBuilder};

use crate::wire;

fn pdf() -> Attachment {
    Attachment::new("a.pdf", ContentType::parse("application/pdf").unwrap(), vec![0, 1, 2]).unwrap()
}

fn logo() -> Attachment {
    Attachment::inline(
        ContentId::new("logo").unwrap(),
        ContentType::parse("image/png").unwrap(),
        vec![3, 4],
    )
}

#[track_caller]
fn check(builder: MessageBuilder, expected: &str) {
    assert_eq!(wire::tree(&wire::bytes(&builder.build().unwrap())), expected);
}

#[test]
fn every_combination_has_its_tree() {
    let new = wire::builder;
    check(new(), "text/plain");
    check(new().text("t"), "text/plain");
    check(new().html("h"), "text/html");
    check(
        new().text("t").html("h"),
        "multipart/alternative(text/plain, text/html)",
    );
    check(
        new().html("h").inline(logo()),
        "multipart/related(text/html, image/png)",
    );
    check(
        new().text("t").html("h").inline(logo()),
        "multipart/alternative(text/plain, multipart/related(text/html, image/png))",
    );
    check(new().attach(pdf()), "multipart/mixed(application/pdf)");
    check(
        new().text("t").attach(pdf()),
        "multipart/mixed(text/plain, application/pdf)",
    );
    check(
        new().text("t").html("h").inline(logo()).attach(pdf()).attach(pdf()),
        "multipart/mixed(multipart/alternative(text/plain, multipart/related(text/html, image/png)), \
         application/pdf, application/pdf)",
    );
}

#[test]
fn attached_messages_stay_readable() {
    let inner = wire::bytes(&wire::builder().subject("inner").text("hello").build().unwrap());
    let attached = Attachment::new("m.eml", ContentType::parse("message/rfc822").unwrap(), inner).unwrap();
    let bytes = wire::bytes(&wire::builder().subject("outer").attach(attached).build().unwrap());
    let parsed = MessageParser::default().parse(&bytes).unwrap();
    let inner = parsed.attachment(0).unwrap().message().unwrap();
    assert_eq!(inner.subject(), Some("inner"));
    assert_eq!(inner.body_text(0).unwrap(), "hello");
}

#[test]
fn ids_and_descriptions_reach_the_part() {
    let part = logo()
        .named("logo.png")
        .unwrap()
        .description("Das Zeichen über allem")
        .unwrap();
    let bytes = wire::bytes(
        &wire::builder()
            .html("<img src=\"cid:logo\">")
            .inline(part)
            .build()
            .unwrap(),
    );
    let parsed = MessageParser::default().parse(&bytes).unwrap();
    let part = &parsed.parts[2];
    assert_eq!(part.content_id(), Some("logo"));
    assert_eq!(part.content_description(), Some("Das Zeichen über allem"));
    assert_eq!(part.attachment_name(), Some("logo.png"));
    assert!(part.content_disposition().unwrap().is_inline());
    assert_eq!(part.contents(), [3, 4]);
}

#[test]
fn a_boundary_that_stands_in_the_text_is_not_used() {
    let builder = || wire::builder().html("<p>");
    let plain = String::from_utf8(wire::bytes(&builder().text("x").build().unwrap())).unwrap();
    let boundary = plain.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap();
    let hostile = format!("before\r\n--{boundary}\r\nContent-Type: text/html\r\n\r\n<script>\r\n--{boundary}--\r\n");
    let bytes = wire::bytes(&builder().text(hostile.clone()).build().unwrap());
    assert_eq!(wire::tree(&bytes), "multipart/alternative(text/plain, text/html)");
    assert_eq!(
        MessageParser::default().parse(&bytes).unwrap().body_text(0).unwrap(),
        hostile
    );
}

#[test]
fn encoded_attachments_are_shared_between_messages() {
    let attachment = Attachment::new("a", ContentType::parse("application/x").unwrap(), vec![7; 10_000]).unwrap();
    let chunk = |subject: &str| {
        let message = wire::builder()
            .subject(subject)
            .attach(attachment.clone())
            .build()
            .unwrap();
        message.to_rope().chunks().nth(1).unwrap().unwrap()
    };
    let (first, second) = (chunk("a"), chunk("b"));
    assert!(first.len() > 13_000);
    assert_eq!(first.as_ptr(), second.as_ptr());
}

#[test]
fn writing_twice_gives_the_same_bytes() {
    let message = wire::builder().text("t").html("h").attach(pdf()).build().unwrap();
    assert_eq!(message.to_bytes().unwrap(), message.to_bytes().unwrap());
}
