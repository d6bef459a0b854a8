//! Messages before they are sent.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use posthaste_doctor::{Code, Context, Diagnosis, Severity, preflight, preflight_raw};
use posthaste_mime::{Attachment, ContentType, ListUnsubscribe, Message, MessageBuilder, RawMessage};
use proptest::prelude::*;

fn message() -> MessageBuilder {
    Message::builder()
        .from("Ada <ada@example.org>".parse().unwrap())
        .to("bob@example.net".parse().unwrap())
        .subject("News")
        .text("See https://www.example.org/news.")
}

fn context() -> Context {
    Context::new()
        .mail_from("bounce@mail.example.org".parse().unwrap())
        .signed_by("example.org".parse().unwrap())
}

fn raw(text: &str, context: &Context) -> Diagnosis {
    preflight_raw(
        &RawMessage::parse(text.replace('\n', "\r\n").into_bytes()).unwrap(),
        context,
    )
}

fn html(html: &str) -> Diagnosis {
    preflight(&message().html(html).build().unwrap(), &context())
}

#[track_caller]
fn assert_has(diagnosis: &Diagnosis, codes: &[Code]) {
    for code in codes {
        assert!(diagnosis.has(*code), "no {code} in\n{diagnosis}");
    }
}

const HEADER: &str =
    "From: ada@example.org\nDate: Mon, 23 Nov 2026 12:00:00 +0000\nMessage-ID: <1@example.org>\nSubject: Hello\n";

#[test]
fn a_good_message_is_good() {
    let unsubscribe = ListUnsubscribe::new(["https://example.org/u"])
        .unwrap()
        .one_click()
        .unwrap();
    let message = message()
        .html("<p><a href=\"https://www.example.org/\">www.example.org</a></p>")
        .list_unsubscribe(unsubscribe)
        .build()
        .unwrap();
    let context = context()
        .bulk(true)
        .signed_fields(["from", "list-unsubscribe", "list-unsubscribe-post"]);
    let diagnosis = preflight(&message, &context);
    assert_eq!(diagnosis.worst(), Severity::Ok, "{diagnosis}");
    assert_has(&diagnosis, &[Code::AlignOk, Code::UnsubscribeOk]);
    let again = RawMessage::parse(message.to_bytes().unwrap()).unwrap();
    assert_eq!(preflight_raw(&again, &context), diagnosis);
}

#[test]
fn alignment_is_that_of_the_organisation() {
    let plain = message().build().unwrap();
    let other = Context::new().mail_from("b@example.net".parse().unwrap());
    assert_has(&preflight(&plain, &other), &[Code::AlignNone, Code::AlignUnsigned]);
    let spf_only = context();
    assert!(preflight(&plain, &spf_only).has(Code::AlignOk));
    let foreign_key = Context::new()
        .mail_from("b@example.org".parse().unwrap())
        .signed_by("example.net".parse().unwrap());
    assert_has(&preflight(&plain, &foreign_key), &[Code::AlignDkim]);
    let dkim_only = other.signed_by("mail.example.org".parse().unwrap());
    let diagnosis = preflight(&plain, &dkim_only);
    assert!(
        diagnosis.has(Code::AlignSpf) && !diagnosis.has(Code::AlignNone),
        "{diagnosis}"
    );
    let signed = format!("DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=a\n{HEADER}\nHi\n");
    assert!(!raw(&signed, &Context::new()).has(Code::AlignUnsigned));
}

#[test]
fn authors_and_fields() {
    let cases = [
        ("From: a@example.org, b@example.org", Code::FromSeveral),
        ("From: a@example.org\nFrom: b@example.org", Code::FromSeveral),
        ("From:", Code::FromMissing),
        ("X-Nothing: 1", Code::FromMissing),
        ("From: a@localhost", Code::FromDomain),
        ("From: a@example.org\nSubject: a\nSubject: b", Code::HeaderRepeated),
        ("From: a@example.org\nReply-To: b@example.net", Code::ReplyTo),
        ("From: a@example.org\nSubject: \u{e4}", Code::HeaderEightBit),
        ("From: a@example.org\nno field", Code::HeaderDefect),
    ];
    for (header, code) in cases {
        assert_has(
            &raw(&format!("{header}\n\nHi\n"), &context()),
            &[code, Code::HeaderMissing, Code::HeaderNoId],
        );
    }
    assert_has(&raw("From: a@example.org\n\nHi\n", &context()), &[Code::SubjectEmpty]);
    assert!(!raw(&format!("{HEADER}\nHi\n"), &context()).has(Code::HeaderMissing));
    let long = format!("{HEADER}X-Long: {}\n\nHi\n", "x".repeat(999));
    assert_has(&raw(&long, &context()), &[Code::HeaderDefect]);
}

#[test]
fn bulk_mail_says_how_to_leave() {
    let bulk = context().bulk(true);
    let with = |more: &str| raw(&format!("{HEADER}{more}\nHi\n"), &bulk);
    assert_has(&with(""), &[Code::UnsubscribeMissing]);
    assert!(!raw(&format!("{HEADER}\nHi\n"), &context()).has(Code::UnsubscribeMissing));
    let post = "List-Unsubscribe-Post: List-Unsubscribe=One-Click\n";
    assert_has(
        &with(&format!("List-Unsubscribe: <mailto:u@example.org>\n{post}")),
        &[Code::UnsubscribeClick],
    );
    assert_has(
        &with("List-Unsubscribe: <https://example.org/u>\n"),
        &[Code::UnsubscribeClick],
    );
    let wrong = "List-Unsubscribe: <https://example.org/u>\nList-Unsubscribe-Post: yes\n";
    assert_has(&with(wrong), &[Code::UnsubscribeClick]);
    let right = format!("{HEADER}List-Unsubscribe: <https://example.org/u>\n{post}\nHi\n");
    assert_has(&raw(&right, &bulk), &[Code::UnsubscribeOk]);
    assert_has(
        &raw(&right, &bulk.signed_fields(["From"])),
        &[Code::UnsubscribeUnsigned],
    );
}

#[test]
fn links_lead_where_they_say() {
    let cases = [
        ("<a href='http://example.org/'>x</a>", Code::LinkPlain),
        ("<A HREF=https://192.0.2.1/>x</A>", Code::LinkAddress),
        ("<a href=\"https://bit.ly/x\">x</a>", Code::LinkShortener),
        (
            "<a href=\"https://example.net/\"><b>https://bank.example.org/</b></a>",
            Code::LinkMismatch,
        ),
        (
            "<a class=\"b\" href=\"https://example.net/\">www.example.org</a>",
            Code::LinkMismatch,
        ),
        ("<a href=\"https://example.net/\">x</a>", Code::LinkForeign),
        ("<a href=\"https://ex\u{430}mple.org/\">x</a>", Code::LinkHomograph),
        (
            "<a href=\"https://\u{430}\u{440}\u{440}\u{435}.com/\">x</a>",
            Code::LinkHomograph,
        ),
        ("<a href=\"https://example.org@example.net/\">x</a>", Code::LinkUser),
    ];
    for (text, code) in cases {
        assert_has(&html(text), &[code]);
    }
    for fine in [
        "<a href=\"https://example.org/\">notes.txt</a>",
        "<a href=\"https://example.org/\">x</a> www.example.net",
        "<a href=\"mailto:ada@example.org\">ada@example.org</a>",
        "<a href=\"https://m\u{fc}nchen.example.org/\">x</a>",
    ] {
        assert_eq!(html(fine).worst(), Severity::Ok, "{fine}\n{}", html(fine));
    }
}

#[test]
fn bodies_files_and_size() {
    let only_html = Message::builder()
        .from("ada@example.org".parse().unwrap())
        .to("b@example.net".parse().unwrap())
        .html("<p>x</p>")
        .build()
        .unwrap();
    assert_has(
        &preflight(&only_html, &context()),
        &[Code::BodyNoText, Code::SubjectEmpty],
    );
    assert_has(&raw(&format!("{HEADER}\n"), &context()), &[Code::BodyEmpty]);
    let program = Attachment::new("run.EXE", ContentType::parse("application/octet-stream").unwrap(), "MZ").unwrap();
    let with_program = message().attach(program).build().unwrap();
    assert_has(&preflight(&with_program, &context()), &[Code::AttachmentBlocked]);
    assert_has(
        &preflight(&with_program, &context().size_limit(100)),
        &[Code::SizeLimit],
    );
    let large = Attachment::new("a.bin", ContentType::parse("image/png").unwrap(), vec![0; 20 << 20]).unwrap();
    assert_has(
        &preflight(&message().attach(large).build().unwrap(), &context()),
        &[Code::SizeReceivers],
    );
}

proptest! {
    #[test]
    fn no_message_breaks_it(body in "(<a href=|[\"'<>&@:/. a-zа\u{202e}\u{7}]|https?://|</a>){0,60}", header in "[ -~\r\n]{0,120}") {
        let text = format!("{header}\r\nContent-Type: text/html\r\n\r\n{body}");
        if let Ok(message) = RawMessage::parse(text.into_bytes()) {
            let shown = preflight_raw(&message, &Context::new().bulk(true)).to_string();
            let steers = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            prop_assert!(!shown.contains(steers), "{}", shown);
        }
    }
}
