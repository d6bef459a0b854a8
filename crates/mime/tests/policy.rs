//! What a service refuses is refused before it is asked.

#![allow(clippy::unwrap_used, reason = "tests")]

use posthaste_address::{EmailAddress, Envelope};
use posthaste_mime::{
    Attachment, Calendar, ContentId, ContentType, DeliveryAction, DeliveryStatus, HeaderName, HeaderValue, Message,
    MessageBuilder, Policy, PolicyError, PolicyLimit, PolicyViolation, RawMessage, RawOptions, RecipientStatus, Report,
};
use proptest::prelude::*;

fn kind(text: &str) -> ContentType {
    ContentType::parse(text).unwrap()
}

fn builder() -> MessageBuilder {
    Message::builder()
        .from("Ada <ada@example.org>".parse().unwrap())
        .to("bob@example.net".parse().unwrap())
        .subject("Hello")
        .text("Hello")
}

fn file(name: &str) -> Attachment {
    Attachment::new(name, kind("application/octet-stream"), "x").unwrap()
}

fn said(outcome: Result<(), PolicyError>) -> Vec<String> {
    outcome.map_or_else(
        |error| error.violations().iter().map(ToString::to_string).collect(),
        |()| Vec::new(),
    )
}

/// Checks a message under the strictest of the policies.
#[track_caller]
fn check(message: MessageBuilder, expected: &[&str]) {
    assert_eq!(said(Policy::ses_v2().check(&message.build().unwrap())), expected);
}

#[track_caller]
fn check_raw(message: &str, expected: &[&str]) {
    let message = RawMessage::parse(message.replace('\n', "\r\n")).unwrap();
    assert_eq!(said(Policy::ses_raw().check_raw(&message)), expected);
}

#[test]
fn an_everyday_message_is_taken() {
    let message = builder()
        .html("<p>Hello</p>")
        .attach(file("report.pdf"))
        .build()
        .unwrap();
    for policy in [Policy::new(), Policy::ses_v1(), Policy::ses_v2(), Policy::ses_raw()] {
        assert_eq!(policy.check(&message), Ok(()));
        let raw = RawMessage::parse(message.to_bytes().unwrap()).unwrap();
        assert_eq!(policy.check_raw(&raw), Ok(()));
        assert_eq!(policy.check_envelope(&message.envelope().unwrap()), Ok(()));
    }
}

#[test]
fn everything_wrong_is_said_at_once() {
    let message = builder()
        .reply_to("é@example.org".parse().unwrap())
        .attach(file("a.exe"))
        .attach(file("b.Vbs"))
        .build()
        .unwrap();
    let policy = Policy::ses_v2().limit(PolicyLimit::MessageSize, 100);
    let error = policy.check(&message).unwrap_err();
    assert_eq!(error.violations().len(), 4);
    let fields: Vec<&str> = error.violations().iter().map(PolicyViolation::field).collect();
    assert_eq!(fields, ["message", "Reply-To", "a.exe", "b.Vbs"]);
    let text = error.to_string();
    assert!(
        text.starts_with("the message breaks the policy: octets of the message: "),
        "{text}"
    );
    assert!(
        text.ends_with("attachment b.Vbs: files named .vbs are refused"),
        "{text}"
    );
}

#[test]
fn sizes_are_those_of_the_finished_message() {
    let message = builder().attach(file("a.bin")).build().unwrap();
    let size = message.to_rope().len();
    let policy = |most| Policy::new().limit(PolicyLimit::MessageSize, most);
    assert_eq!(policy(size).check(&message), Ok(()));
    assert!(policy(size - 1).check(&message).is_err());
    let raw = RawMessage::parse(message.to_bytes().unwrap()).unwrap();
    assert_eq!(policy(size).check_raw(&raw), Ok(()));
    assert!(policy(size - 1).check_raw(&raw).is_err());

    assert_eq!(Policy::ses_v1().check_size(10 * 1024 * 1024), Ok(()));
    assert_eq!(
        said(Policy::ses_v1().check_size(10 * 1024 * 1024 + 1)),
        ["octets of the message: 10485761, at most 10485760"]
    );
    assert_eq!(Policy::ses_v2().check_size(40 * 1024 * 1024), Ok(()));
    assert!(Policy::ses_raw().check_size(40 * 1024 * 1024 + 1).is_err());
    assert_eq!(
        Policy::ses_v2().unlimit(PolicyLimit::MessageSize).check_size(u64::MAX),
        Ok(())
    );
}

#[test]
fn recipients_of_all_kinds_are_counted() {
    let list = |n: usize| (0..n).map(|n| format!("r{n}@example.net")).collect::<Vec<_>>();
    let with = |to: usize, cc: usize, bcc: usize| {
        let mut message = Message::builder().from("ada@example.org".parse().unwrap()).text("x");
        for text in list(to) {
            message = message.to(text.parse().unwrap());
        }
        for text in list(cc) {
            message = message.cc(text.parse().unwrap());
        }
        for text in list(bcc) {
            message = message.bcc(text.parse().unwrap());
        }
        message
    };
    check(with(48, 1, 1), &[]);
    check(with(49, 1, 1), &["recipients: 51, at most 50"]);

    let addresses: Vec<EmailAddress> = list(51).iter().map(|text| text.parse().unwrap()).collect();
    assert_eq!(
        said(Policy::ses_v2().check_recipients(addresses.iter().take(50))),
        [""; 0]
    );
    assert_eq!(
        said(Policy::ses_v2().check_recipients(&addresses)),
        ["recipients: 51, at most 50"]
    );
    let to: Vec<&str> = vec!["a@example.org"; 51];
    check_raw(
        &format!("From: a@example.org\nTo: {}\n\nx\n", to.join(",\n ")),
        &["recipients: 51, at most 50"],
    );
}

#[test]
fn addresses_are_ascii_and_not_endless() {
    let envelope = Envelope::new(
        Some("ä@example.org".parse().unwrap()),
        ["ö@example.org".parse::<EmailAddress>().unwrap()],
    )
    .unwrap();
    assert_eq!(
        said(Policy::ses_v2().check_envelope(&envelope)),
        [
            "reverse-path: the address ä@example.org is not ASCII in front of the @",
            "recipient: the address ö@example.org is not ASCII in front of the @",
        ]
    );
    assert_eq!(
        Policy::ses_v2().ascii_addresses(false).check_envelope(&envelope),
        Ok(())
    );
    let long = format!("{} <ada@example.org>", "a".repeat(302));
    check(builder().to(long.parse().unwrap()), &[]);
    let long = format!("{} <ada@example.org>", "a".repeat(303));
    check(
        builder().to(long.parse().unwrap()),
        &["To: characters of an address with its name: 321, at most 320"],
    );
}

#[test]
fn files_are_refused_by_their_extensions() {
    let policy = Policy::ses_v2();
    assert_eq!(policy.blocked_extensions().count(), 90);
    for extension in policy.blocked_extensions() {
        let name = format!("a.{}", extension.to_ascii_uppercase());
        assert!(policy.check_attachment_name(&name).is_err(), "{name}");
    }
    for name in [
        "a.exe",
        "A.EXE",
        "a.pdf.exe",
        ".exe",
        "a.exe.",
        "a.exe. ",
        "a.exe ",
        "C:\\x\\a.exe",
        "../a.exe",
        "a.exe:b",
        "a.exe::$DATA",
        "a.ex\u{200b}e",
        "a\u{202e}fdp.exe",
        "a.ps1xml",
        "a.js",
    ] {
        assert!(policy.check_attachment_name(name).is_err(), "{name:?}");
        assert!(Policy::ses_raw().check_attachment_name(name).is_err(), "{name:?}");
    }
    for name in ["a.pdf", "exe", "a.exe.pdf", "a.exe_", "a.", "", "a.json", "a.exe/b.pdf"] {
        assert_eq!(policy.check_attachment_name(name), Ok(()), "{name:?}");
    }
    assert_eq!(
        policy.clone().allow_extension(".EXE").check_attachment_name("a.exe"),
        Ok(())
    );
    assert!(policy.block_extension(".Zip").check_attachment_name("a.ZIP").is_err());
}

#[test]
fn both_names_of_a_part_are_looked_at() {
    let typed = Attachment::new("a.txt", kind("text/plain; name=a.bat"), "x").unwrap();
    check(
        builder().attach(typed),
        &["attachment a.bat: files named .bat are refused"],
    );
    let inline = Attachment::inline(ContentId::new("x").unwrap(), kind("image/png; name=\"b.scr\""), "x");
    check(
        builder().html("<img src=cid:x>").inline(inline),
        &["attachment b.scr: files named .scr are refused"],
    );
    check_raw(
        "From: a@example.org\nContent-Type: application/x; name=\"a.cmd\"\n\
         Content-Disposition: attachment; filename*=utf-8''b%2ecom\n\nx\n",
        &[
            "attachment b.com: files named .com are refused",
            "attachment a.cmd: files named .cmd are refused",
        ],
    );
}

#[test]
fn attached_messages_are_looked_into() {
    let inner = builder().attach(file("a.exe")).build().unwrap().to_bytes().unwrap();
    let outer = builder().attach(Attachment::new("inner.eml", kind("message/rfc822"), inner).unwrap());
    let expected = ["attachment a.exe: files named .exe are refused"];
    check(outer.clone(), &expected);
    let raw = RawMessage::parse(outer.build().unwrap().to_bytes().unwrap()).unwrap();
    assert_eq!(said(Policy::ses_raw().check_raw(&raw)), expected);

    let many = format!("From: a@b\n{}\n", "X: y\n".repeat(10_001));
    let many = Attachment::new("many.eml", kind("message/rfc822"), many).unwrap();
    check(
        builder().attach(many),
        &["many.eml: cannot be looked into: header section of part 0 has more than 10000 fields"],
    );
}

#[test]
fn attachments_have_short_names() {
    let id = |length: usize| ContentId::new(&format!("a@{}", "b".repeat(length - 2))).unwrap();
    let named = |length: usize| file(&format!("{}.pdf", "ü".repeat(length - 4)));
    let described = |length: usize| file("a.pdf").description("d".repeat(length)).unwrap();
    let typed = |length: usize| Attachment::new("a.pdf", kind(&format!("a/{}", "b".repeat(length - 2))), "x").unwrap();
    check(
        builder()
            .attach(named(255))
            .attach(described(1000))
            .attach(file("a.pdf").identified(id(78)))
            .attach(typed(78)),
        &[],
    );
    check(
        builder().attach(described(1001)),
        &["a.pdf: characters of a description: 1001, at most 1000"],
    );
    check(
        builder().attach(file("a.pdf").identified(id(79))),
        &["a.pdf: characters of a Content-ID: 79, at most 78"],
    );
    check(
        builder().attach(typed(79)),
        &["a.pdf: characters of a media type: 79, at most 78"],
    );
    let found = Policy::ses_v2().check_attachment(&named(256)).unwrap_err();
    assert!(
        found
            .to_string()
            .ends_with("characters of a file name: 256, at most 255")
    );
    // What is finished MIME has no such limits.
    assert_eq!(Policy::ses_raw().check_attachment(&typed(79)), Ok(()));
    assert_eq!(Policy::ses_raw().check_attachment(&named(256)), Ok(()));
}

#[test]
fn header_fields_of_ones_own_are_few_and_short() {
    let with = |count: usize| {
        (0..count).fold(builder(), |message, n| {
            message.header(
                HeaderName::new(&format!("X-{n}")).unwrap(),
                HeaderValue::new("x").unwrap(),
            )
        })
    };
    check(with(15), &[]);
    check(with(16), &["header fields of one's own: 16, at most 15"]);
    assert_eq!(Policy::ses_raw().check(&with(16).build().unwrap()), Ok(()));

    let policy = Policy::ses_v2();
    assert_eq!(policy.check_header("X", &"v".repeat(995)), Ok(()));
    assert_eq!(policy.check_header(&"x".repeat(126), &"v".repeat(870)), Ok(()));
    for (name, value, expected) in [
        (
            "X".to_owned(),
            "v".repeat(996),
            vec![
                "X: octets of a header field's value: 996, at most 995",
                "X: octets of a header field's name and value: 997, at most 996",
            ],
        ),
        (
            "XY".to_owned(),
            "v".repeat(995),
            vec!["XY: octets of a header field's name and value: 997, at most 996"],
        ),
        (String::new(), "v".to_owned(), vec![": the name is empty"]),
        ("X".to_owned(), String::new(), vec!["X: the value is empty"]),
        (
            "X:".to_owned(),
            "v".to_owned(),
            vec!["X:: the name holds at byte 1 what is not printable ASCII or not allowed there"],
        ),
        (
            "X Y".to_owned(),
            "v".to_owned(),
            vec!["X Y: the name holds at byte 1 what is not printable ASCII or not allowed there"],
        ),
        (
            "X".to_owned(),
            "vé".to_owned(),
            vec!["X: the value holds at byte 1 what is not printable ASCII or not allowed there"],
        ),
        (
            "X".to_owned(),
            "v\r\nBcc: e@f".to_owned(),
            vec!["X: the value holds at byte 1 what is not printable ASCII or not allowed there"],
        ),
    ] {
        assert_eq!(said(policy.check_header(&name, &value)), expected);
    }
    assert!(policy.check_header(&"x".repeat(127), "v").is_err());
    assert_eq!(Policy::ses_raw().check_header("X", "é"), Ok(()));
    // A long value is encoded and folded, and counted as it goes over the wire.
    let long = builder().header(
        HeaderName::new("X-Long").unwrap(),
        HeaderValue::new("é".repeat(400)).unwrap(),
    );
    let error = policy.check(&long.build().unwrap()).unwrap_err();
    assert!(error.violations().iter().any(|violation| violation.field() == "X-Long"));
}

#[test]
fn some_header_fields_stand_once() {
    assert_eq!(
        Policy::ses_v2().check_header_names(["To", "To", "Received", "received", "X-A", "x-a", "Subject"]),
        Ok(())
    );
    assert_eq!(
        said(Policy::ses_raw().check_header_names(["Subject", "SUBJECT", "subject", "Thread-Index", "thread-index"])),
        [
            "subject: stands 3 times, may stand once",
            "thread-index: stands 2 times, may stand once"
        ]
    );
    assert!(
        Policy::new()
            .once("X-One")
            .check_header_names(["x-one", "X-ONE"])
            .is_err()
    );
    check_raw(
        "From: a@example.org\nSubject: a\nDKIM-Signature: x\nSubject: b\nX-A: 1\nX-A: 2\nDKIM-Signature: y\n\n",
        &[
            "dkim-signature: stands 2 times, may stand once",
            "subject: stands 2 times, may stand once",
        ],
    );
    check(
        builder()
            .header(HeaderName::new("Keywords").unwrap(), HeaderValue::new("a").unwrap())
            .header(HeaderName::new("keywords").unwrap(), HeaderValue::new("b").unwrap()),
        &["keywords: stands 2 times, may stand once"],
    );
}

/// Checks that the parts of a message are counted as they are found on the wire; says how many there are.
#[track_caller]
fn check_parts(message: MessageBuilder) -> u64 {
    let message = message.build().unwrap();
    let raw = RawMessage::parse(message.to_bytes().unwrap()).unwrap();
    let count = raw.part_count().unwrap() as u64;
    let policy = |most| Policy::new().limit(PolicyLimit::Parts, most);
    assert_eq!(policy(count).check(&message), Ok(()));
    assert_eq!(policy(count).check_raw(&raw), Ok(()));
    let expected = [format!("parts: {count}, at most {}", count - 1)];
    assert_eq!(said(policy(count - 1).check(&message)), expected);
    assert_eq!(said(policy(count - 1).check_raw(&raw)), expected);
    count
}

#[test]
fn parts_are_counted_as_they_go_over_the_wire() {
    let bare = || Message::builder().from("ada@example.org".parse().unwrap());
    let image = |n: usize| {
        let id = ContentId::new(&format!("i{n}")).unwrap();
        Attachment::inline(id, kind("image/png"), "x")
    };
    let ics = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Example//EN\nMETHOD:REQUEST\nEND:VCALENDAR\n";
    let calendar = || Calendar::new(ics).unwrap();
    assert_eq!(check_parts(bare()), 1);
    assert_eq!(check_parts(bare().text("x")), 1);
    assert_eq!(check_parts(bare().html("x")), 1);
    assert_eq!(check_parts(bare().attach(file("a"))), 2);
    assert_eq!(check_parts(bare().text("x").attach(file("a")).attach(file("b"))), 4);
    assert_eq!(check_parts(bare().text("x").html("x")), 3);
    assert_eq!(check_parts(bare().html("x").inline(image(1))), 3);
    assert_eq!(check_parts(bare().text("x").amp("x").html("x").calendar(calendar())), 5);
    let everything = bare().text("x").amp("x").html("x").calendar(calendar());
    let everything = everything.inline(image(1)).inline(image(2)).attach(file("a"));
    assert_eq!(check_parts(everything.clone()), 10);

    let inner = everything.build().unwrap().to_bytes().unwrap();
    let nested = Attachment::new("a.eml", kind("message/rfc822"), inner.clone()).unwrap();
    assert_eq!(check_parts(bare().text("x").attach(nested)), 13);

    let failed = RecipientStatus::new(
        "bob@example.net".parse().unwrap(),
        DeliveryAction::Failed,
        "5.1.1".parse().unwrap(),
    );
    let report = || Report::from(DeliveryStatus::new("mx.example.org".parse().unwrap(), failed.clone()));
    assert_eq!(check_parts(bare().text("x").report(report())), 3);
    let with_header = report().returned_header("Subject: x\r\n").unwrap();
    assert_eq!(check_parts(bare().text("x").report(with_header)), 4);
    let with_message = report().returned_message(inner).unwrap();
    assert_eq!(check_parts(bare().text("x").html("x").report(with_message)), 16);

    let parts = "--b\n\nx\n".repeat(500);
    let many = format!("From: a@example.org\nContent-Type: multipart/mixed; boundary=b\n\n{parts}--b--\n");
    check_raw(&many, &["parts: 501, at most 500"]);
    let narrow = RawMessage::parse_with(many, &RawOptions::new().max_parts(10)).unwrap();
    assert_eq!(
        said(Policy::ses_raw().check_raw(&narrow)),
        ["message: cannot be looked into: more than 10 parts"]
    );
}

#[test]
fn lines_end_in_time() {
    let with = |length: usize, ends: &str| {
        let raw = format!("From: a@example.org\r\n\r\nx{ends}{}{ends}y", "z".repeat(length));
        said(Policy::ses_raw().check_raw(&RawMessage::parse(raw).unwrap()))
    };
    for ends in ["\r\n", "\n"] {
        assert_eq!(with(998, ends), [""; 0]);
        assert_eq!(with(999, ends), ["octets of a line: 1001, at most 1000"]);
    }
    let endless = format!("From: a@example.org\r\n\r\n{}", "z".repeat(999));
    let endless = RawMessage::parse(endless).unwrap();
    assert!(Policy::ses_raw().check_raw(&endless).is_err());
    let mut edited = RawMessage::parse(format!("From: a@example.org\r\n\r\n{}\r\n", "z".repeat(998))).unwrap();
    edited.prepend(&HeaderName::new("X").unwrap(), &HeaderValue::new("y").unwrap());
    assert_eq!(Policy::ses_raw().check_raw(&edited), Ok(()));
}

#[test]
fn people_of_a_received_message_can_be_read() {
    check_raw("To: a@example.org\n\n", &["From: is missing"]);
    check_raw(
        "From: a@example.org\nTo: b@@example.org\nReply-To: c\nSender: d@example.org, e@example.org\nCc: f@example.org\n\n",
        &[
            "Sender names 2 mailboxes, not one",
            "Reply-To (number 0 of its name) is no list of addresses",
            "To (number 0 of its name) is no list of addresses",
        ],
    );
    check_raw(
        "From: a b\n\n",
        &["From (number 0 of its name) is no list of addresses"],
    );
}

#[test]
fn what_a_message_says_does_not_break_the_words_of_an_error() {
    let name = format!("{}\r\nBcc: eve\u{202e}.exe", "a".repeat(10));
    let error = Policy::ses_v2().check_attachment_name(&name).unwrap_err().to_string();
    assert!(!error.contains(['\r', '\n']), "{error:?}");
    let long = format!("{}.exe", "a".repeat(100_000));
    assert!(
        Policy::ses_raw()
            .check_attachment_name(&long)
            .unwrap_err()
            .to_string()
            .len()
            < 200
    );
    let header = Policy::ses_v2()
        .check_header("X-Secret", "pass\u{7f}word")
        .unwrap_err()
        .to_string();
    assert!(!header.contains("pass"), "{header}");
}

proptest! {
    #[test]
    fn no_received_message_is_too_odd_to_check(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(message) = RawMessage::parse(bytes) {
            drop(Policy::ses_v2().check_raw(&message));
        }
    }

    #[test]
    fn no_name_is_too_odd_to_check(name in any::<String>()) {
        let policy = Policy::ses_v2();
        let outcome = policy.check_attachment_name(&name);
        prop_assert!(!said(outcome).concat().contains(['\r', '\n']));
        let program = name.clone() + ".exe";
        prop_assert!(policy.check_attachment_name(&program).is_err());
        drop(policy.check_header(&name, &name));
    }

    #[test]
    fn what_the_builder_makes_is_judged_alike_before_and_after(
        recipients in 1_usize..5,
        files in proptest::collection::vec("[a-z]{1,3}\\.(exe|pdf|js|txt)", 0..4),
        headers in 0_usize..4,
    ) {
        let mut message = Message::builder().from("ada@example.org".parse().unwrap()).text("x");
        for n in 0..recipients {
            message = message.to(format!("r{n}@example.net").parse().unwrap());
        }
        for name in &files {
            message = message.attach(file(name));
        }
        for n in 0..headers {
            message = message.header(HeaderName::new(&format!("X-{n}")).unwrap(), HeaderValue::new("x").unwrap());
        }
        let message = message.build().unwrap();
        let policy = Policy::ses_v2().limit(PolicyLimit::Recipients, 3).limit(PolicyLimit::Headers, 2);
        let raw = RawMessage::parse(message.to_bytes().unwrap()).unwrap();
        let (mut before, mut after) = (said(policy.check(&message)), said(policy.check_raw(&raw)));
        before.sort();
        after.sort();
        prop_assert_eq!(before, after);
    }
}
