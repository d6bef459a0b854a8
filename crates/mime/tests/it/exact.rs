//! Whole messages, byte by byte.

use posthaste_mime::{
    Attachment, AutoSubmitted, ContentId, ContentType, HeaderName, HeaderValue, ListId, ListUnsubscribe, MessageId,
};

use crate::wire;

#[test]
fn a_message_with_everything_reads_like_this() {
    let logo = Attachment::inline(
        ContentId::new("logo@example.org").unwrap(),
        ContentType::parse("image/png").unwrap(),
        &b"\x89PNG"[..],
    );
    let report = Attachment::new(
        "Bericht März.csv",
        ContentType::parse("text/csv; charset=utf-8").unwrap(),
        "a;b\n".to_owned(),
    );
    let message = wire::builder()
        .sender("Post Office <post@example.org>".parse().unwrap())
        .reply_to("\"Ada, private\" <ada@example.com>".parse().unwrap())
        .cc("Jörg Müller <joerg@bücher.example>".parse().unwrap())
        .bcc("hidden@example.net".parse().unwrap())
        .subject("Grüße zum Monatsende")
        .in_reply_to(MessageId::parse("<1@example.net>").unwrap())
        .references([
            MessageId::parse("0@example.net").unwrap(),
            MessageId::parse("1@example.net").unwrap(),
        ])
        .list_id(
            ListId::new("reports.example.org")
                .unwrap()
                .description("Reports")
                .unwrap(),
        )
        .list_unsubscribe(
            ListUnsubscribe::new(["https://example.org/u?id=1", "mailto:leave@example.org"])
                .and_then(ListUnsubscribe::one_click)
                .unwrap(),
        )
        .auto_submitted(AutoSubmitted::Generated)
        .header(
            HeaderName::new("X-Campaign").unwrap(),
            HeaderValue::new("november").unwrap(),
        )
        .text("Hello Bob,\n\nsee the report.\n")
        .html("<p>Hello Bob, déjà vu: <img src=\"cid:logo@example.org\"></p>\n")
        .inline(logo)
        .attach(report.unwrap())
        .build()
        .unwrap();
    let written = String::from_utf8(wire::bytes(&message)).unwrap();
    let expected = include_str!("everything.eml").replace('\n', "\r\n");
    assert_eq!(written, expected, "\n{written}");
}
