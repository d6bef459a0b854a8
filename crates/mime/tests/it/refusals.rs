//! What the builder refuses, and what it says.

use std::time::{Duration, SystemTime};

use posthaste_mime::{Attachment, ContentId, ContentType, HeaderName, HeaderValue, Message, MessageBuilder};

use crate::wire;

#[track_caller]
fn check(builder: MessageBuilder, expected: &[&str]) {
    let error = builder.build().expect_err("refused");
    let said: Vec<String> = error.problems().iter().map(ToString::to_string).collect();
    assert_eq!(said, expected);
}

fn free(name: &str) -> MessageBuilder {
    wire::builder().header(HeaderName::new(name).unwrap(), HeaderValue::new("x").unwrap())
}

#[test]
fn authors_are_needed() {
    check(Message::builder(), &["From is missing"]);
    let two = wire::builder().from("eve@example.com".parse().unwrap());
    check(two.clone(), &["Sender is missing, and From names several mailboxes"]);
    assert!(two.sender("eve@example.com".parse().unwrap()).build().is_ok());
}

#[test]
fn every_problem_is_named() {
    check(
        Message::builder().subject("a\r\nBcc: x@example.org"),
        &[
            "From is missing",
            "Subject holds the control character U+000D at byte 1",
        ],
    );
}

#[test]
fn the_builders_own_headers_cannot_be_set_freely() {
    check(
        free("bCC"),
        &["header bCC cannot be set freely: use MessageBuilder::bcc, which puts it into the envelope only"],
    );
    check(
        free("message-id"),
        &["header message-id cannot be set freely: use MessageBuilder::message_id"],
    );
    check(
        free("DATE"),
        &["header DATE cannot be set freely: use MessageBuilder::date"],
    );
    assert!(free("Content-Type").build().is_err());
    assert!(free("DKIM-Signature").build().is_err());
}

#[test]
fn single_headers_stand_once() {
    let again = |name: &str| free(name).header(HeaderName::new(&name.to_uppercase()).unwrap(), "y".parse().unwrap());
    check(again("Precedence"), &["header PRECEDENCE may stand only once"]);
    assert!(again("X-Tag").build().is_ok());
}

#[test]
fn inline_parts_are_shown_by_html() {
    let png = || ContentType::parse("image/png").unwrap();
    let logo = || Attachment::inline(ContentId::new("logo").unwrap(), png(), vec![1]);
    check(
        wire::builder().text("t").inline(logo()),
        &["inline part without an html body to show it"],
    );
    let nameless = Attachment::new("a.png", png(), vec![1]).unwrap();
    check(
        wire::builder().html("h").inline(nameless),
        &["inline part without a Content-ID"],
    );
    check(
        wire::builder().html("h").inline(logo()).inline(logo()),
        &["Content-ID <logo> is used twice"],
    );
    let nested = Attachment::inline(
        ContentId::new("x").unwrap(),
        ContentType::parse("message/rfc822").unwrap(),
        "x",
    );
    assert!(wire::builder().html("h").inline(nested).build().is_err());
}

#[test]
fn dates_have_four_digit_years() {
    let far = SystemTime::UNIX_EPOCH + Duration::from_secs(400_000_000_000);
    check(wire::builder().date(far), &["Date is outside the years 1900 to 9999"]);
}

#[test]
fn a_message_without_recipients_has_no_envelope() {
    let message = Message::builder()
        .from("a@example.org".parse().unwrap())
        .build()
        .unwrap();
    assert!(message.envelope().is_err());
}

#[test]
fn envelopes_hold_each_recipient_once() {
    let message = wire::builder()
        .cc("Bob <bob@EXAMPLE.net>".parse().unwrap())
        .bcc("eve@example.net".parse().unwrap())
        .build()
        .unwrap();
    let envelope = message.envelope().unwrap();
    let recipients: Vec<String> = envelope.recipients().iter().map(|r| r.address().to_string()).collect();
    assert_eq!(recipients, ["bob@example.net", "eve@example.net"]);
}
