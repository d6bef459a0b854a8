//! Every kind of part and header that the builder knows, as an independent parser sees it.

use mail_parser::MessageParser;
use posthaste_mime::{
    Attachment, BuildProblem, Calendar, CalendarMethod, Charset, ContentId, ContentType, DeliveryAction,
    DeliveryStatus, Disposition, DispositionNotification, FeedbackId, FeedbackReport, FeedbackType, Flowed, HeaderName,
    HeaderValue, Importance, ListCommands, Message, MessageBuilder, Precedence, RecipientStatus, Report,
    text_from_html,
};

use crate::wire;

fn logo() -> Attachment {
    let id = ContentId::new("logo").unwrap();
    Attachment::inline(id, ContentType::parse("image/png").unwrap(), vec![3, 4])
}

fn pdf() -> Attachment {
    Attachment::new("a.pdf", ContentType::parse("application/pdf").unwrap(), vec![0, 1, 2]).unwrap()
}

fn invitation() -> Calendar {
    let object = "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nSUMMARY:Frühstück\nEND:VEVENT\nEND:VCALENDAR\n";
    Calendar::new(object).unwrap()
}

fn bounce() -> DeliveryStatus {
    let failed = RecipientStatus::new(
        "bob@example.net".parse().unwrap(),
        DeliveryAction::Failed,
        "5.1.1".parse().unwrap(),
    );
    DeliveryStatus::new("mx.example.org".parse().unwrap(), failed)
}

fn written(builder: MessageBuilder) -> String {
    String::from_utf8(wire::bytes(&builder.build().unwrap())).unwrap()
}

#[track_caller]
fn tree(builder: MessageBuilder, expected: &str) {
    assert_eq!(wire::tree(&wire::bytes(&builder.build().unwrap())), expected);
}

#[track_caller]
fn refused(builder: MessageBuilder, expected: &[&str]) {
    let error = builder.build().expect_err("refused");
    let said: Vec<String> = error.problems().iter().map(ToString::to_string).collect();
    assert_eq!(said, expected);
}

#[test]
fn alternatives_stand_from_the_plainest_to_the_richest() {
    let new = wire::builder;
    tree(
        new().text("t").amp("a"),
        "multipart/alternative(text/plain, text/x-amp-html)",
    );
    tree(new().calendar(invitation()), "text/calendar");
    tree(
        new().calendar(invitation()).html("h"),
        "multipart/alternative(text/html, text/calendar)",
    );
    tree(
        new()
            .calendar(invitation())
            .amp("a")
            .html("h")
            .text("t")
            .inline(logo())
            .attach(pdf()),
        "multipart/mixed(multipart/alternative(text/plain, text/x-amp-html, multipart/related(text/html, image/png), \
         text/calendar), application/pdf)",
    );
    tree(
        new()
            .calendar(invitation())
            .attach(invitation().to_attachment("invite.ics").unwrap()),
        "multipart/mixed(text/calendar, application/ics)",
    );
    refused(new().amp("a"), &["amp body without a text or html body beside it"]);
}

#[test]
fn an_invitation_says_what_it_wants() {
    let message = written(wire::builder().text("t").calendar(invitation()));
    assert!(
        message.contains("\r\nContent-Type: text/calendar; method=REQUEST; charset=utf-8\r\n"),
        "{message}"
    );
    let parsed = MessageParser::default().parse(message.as_bytes()).unwrap();
    assert_eq!(parsed.part(2).unwrap().text_contents(), Some(invitation().as_str()));
    let built = wire::builder().calendar(invitation()).build().unwrap();
    assert_eq!(built.calendar().map(Calendar::method), Some(CalendarMethod::Request));
}

#[test]
fn tls_reports_have_a_file() {
    let report = |name: &str| Report::tls(name, b"\x1f\x8b\xff".to_vec());
    let file = report("a.example!b.example!1!2.json.gz").unwrap();
    assert_eq!(file.essence(), "application/tlsrpt+gzip");
    assert_eq!(file, report("a.example!b.example!1!2.json.gz").unwrap());
    assert_ne!(file, report("a.example!b.example!1!3.json.gz").unwrap());
    assert!(report("a\r\nb").is_err());
    tree(
        wire::builder().text("t").report(file.clone()),
        "multipart/report(text/plain, application/tlsrpt+gzip)",
    );
    let message = written(wire::builder().text("t").report(file));
    for line in [
        "Content-Type: multipart/report; report-type=tlsrpt;\r\n boundary=\"",
        "Content-Disposition: attachment; filename=a.example!b.example!1!2.json.gz\r\n",
        "Content-Transfer-Encoding: base64\r\n\r\nH4v/\r\n",
    ] {
        assert!(message.contains(line), "{message}");
    }
}

#[test]
fn reports_have_three_parts() {
    let inner = wire::bytes(&wire::builder().subject("inner").build().unwrap());
    let reports = [
        (Report::from(bounce()), "delivery-status"),
        (
            Report::from(DispositionNotification::new(
                "bob@example.net".parse().unwrap(),
                Disposition::Displayed,
            )),
            "disposition-notification",
        ),
        (
            Report::from(FeedbackReport::new(FeedbackType::Abuse, "Agent/1").unwrap()),
            "feedback-report",
        ),
    ];
    for (report, name) in reports {
        assert_eq!(report.essence(), format!("message/{name}"));
        let with = |report: &Report| wire::builder().text("t").html("<p>").report(report.clone());
        let start = format!("multipart/report(multipart/alternative(text/plain, text/html), message/{name}");
        tree(with(&report), &format!("{start})"));
        let message = written(with(&report));
        assert!(
            message.contains(&format!(
                "Content-Type: multipart/report; report-type={name};\r\n boundary=\""
            )),
            "{message}"
        );
        assert!(message.contains(report.fields()), "{message}");

        let returned = report.clone().returned_message(inner.clone()).unwrap();
        tree(with(&returned), &format!("{start}, message/rfc822)"));
        let bytes = wire::bytes(&with(&returned).build().unwrap());
        let parsed = MessageParser::default().parse(&bytes).unwrap();
        let inner = parsed.parts.iter().find_map(|part| part.message()).unwrap();
        assert_eq!(inner.subject(), Some("inner"));

        let returned = report.returned_header(inner.raw_message.to_vec()).unwrap();
        tree(with(&returned), &format!("{start}, text/rfc822-headers)"));
    }
    tree(
        wire::builder().report(bounce()),
        "multipart/report(text/plain, message/delivery-status)",
    );
}

#[test]
fn what_has_no_place_in_a_report_is_refused() {
    refused(
        wire::builder().report(bounce()).attach(pdf()),
        &["attachment beside a report, which has no place for it"],
    );
    let report = || Report::from(bounce());
    assert_eq!(
        report().returned_message("é".to_owned()).unwrap_err().field(),
        "returned message"
    );
    assert_eq!(
        report().returned_header("a".repeat(999)).unwrap_err().field(),
        "returned header"
    );
    assert!(report().returned_header("Subject: a\r\n\r\nécole").is_ok());
}

#[test]
fn attached_messages_keep_their_type() {
    let inner = wire::builder().subject("inner").build().unwrap();
    let attached = Attachment::message("inner.eml", inner.to_bytes().unwrap()).unwrap();
    let bytes = wire::bytes(&wire::builder().attach(attached).build().unwrap());
    let parsed = MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(
        parsed.attachment(0).unwrap().message().unwrap().subject(),
        Some("inner")
    );
    let inner = wire::builder().to("jörg@example.net".parse().unwrap()).build().unwrap();
    let attached = Attachment::message("inner.eml", inner.to_bytes().unwrap()).unwrap();
    assert_eq!(attached.content_type().essence(), "message/global");
}

#[test]
fn the_text_is_made_of_the_html_if_there_is_none() {
    let html = "<h1>Hello</h1><p>See <a href='https://example.org/'>here</a>";
    let message = wire::builder().html(html).text_from_html().build().unwrap();
    assert_eq!(message.text(), Some(text_from_html(html).as_str()));
    tree(
        wire::builder().html(html).text_from_html(),
        "multipart/alternative(text/plain, text/html)",
    );
    let own = wire::builder().html(html).text("own").text_from_html().build().unwrap();
    assert_eq!(own.text(), Some("own"));
    tree(wire::builder().text_from_html(), "text/plain");

    let prototype = Message::builder().html(html).text_from_html().prepare().unwrap();
    let from = |builder: MessageBuilder| builder.from("a@example.org".parse().unwrap()).build().unwrap();
    assert_eq!(from(prototype.message()).text(), message.text());
    assert_eq!(from(prototype.message().html("<p>other")).text(), Some("other\n"));
}

#[test]
fn text_flows() {
    let text = "word ".repeat(30).trim_end().to_owned() + "\n> quoted\n-- \nAda\n";
    let message = written(wire::builder().text(text.clone()).flowed(Flowed::new()));
    assert!(
        message.contains("\r\nContent-Type: text/plain; charset=utf-8; format=flowed\r\n"),
        "{message}"
    );
    let parsed = MessageParser::default().parse(message.as_bytes()).unwrap();
    assert_eq!(parsed.body_text(0).unwrap(), Flowed::new().encode(&text));
    let message = written(
        wire::builder()
            .text(text.clone())
            .html("h")
            .flowed(Flowed::new().delete_spaces()),
    );
    assert!(
        message.contains("text/plain; charset=utf-8; format=flowed; delsp=yes\r\n"),
        "{message}"
    );
    let built = wire::builder()
        .text(text.clone())
        .flowed(Flowed::new())
        .build()
        .unwrap();
    assert_eq!(
        (built.text(), built.flowed()),
        (Some(text.as_str()), Some(Flowed::new()))
    );
}

#[test]
fn other_charsets_are_written_and_named() {
    for (label, text) in [
        ("iso-2022-jp", "こんにちは、\nお元気ですか。\n"),
        ("shift_jis", "ｶﾀｶﾅ と漢字\n"),
        ("gbk", "你好，世界\n"),
        ("windows-1252", "naïve café – 5 €\n"),
        ("iso-8859-1", "naïve café\n"),
        ("koi8-r", "Привет\n"),
        ("us-ascii", "plain\n"),
    ] {
        let charset = Charset::from_label(label).unwrap();
        let subject = text.lines().next().unwrap();
        let html = format!("<p>{text}");
        let message = wire::builder()
            .subject(subject)
            .text(text)
            .html(html.clone())
            .charset(charset);
        let bytes = wire::bytes(&message.build().unwrap());
        let wire = String::from_utf8(bytes.clone()).unwrap();
        assert!(
            wire.contains(&format!("Content-Type: text/plain; charset={}\r\n", charset.name())),
            "{wire}"
        );
        assert!(!wire.contains("=?utf-8"), "{wire}");
        let parsed = MessageParser::default().parse(&bytes).unwrap();
        assert_eq!(parsed.subject(), Some(subject));
        assert_eq!(parsed.body_text(0).unwrap(), text.replace('\n', "\r\n"));
        assert_eq!(parsed.body_html(0).unwrap(), html.replace('\n', "\r\n"));
    }
    let japanese = Charset::from_label("iso-2022-jp").unwrap();
    let message = written(wire::builder().text("日本\n").charset(japanese));
    assert!(message.ends_with("7bit\r\n\r\n\x1b$BF|K\\\x1b(B\r\n"), "{message:?}");
    let flowed = written(wire::builder().text("日本\n").charset(japanese).flowed(Flowed::new()));
    assert!(
        flowed.contains("text/plain; charset=ISO-2022-JP; format=flowed\r\n"),
        "{flowed}"
    );
}

#[test]
fn what_a_charset_lacks_is_refused_with_its_place() {
    let latin = Charset::from_label("iso-8859-1").unwrap();
    refused(
        wire::builder().subject("5 €").text("a\nłódź").html("ok").charset(latin),
        &[
            "text holds 'ł' at byte 3, which iso-8859-1 does not have",
            "Subject holds '€' at byte 2, which iso-8859-1 does not have",
        ],
    );
    let builder = wire::builder()
        .subject("5 €")
        .text_charset(latin)
        .html_charset(latin)
        .html("łódź");
    let other = builder.clone().html("ok").build().unwrap();
    assert_eq!(
        (other.subject_charset(), other.text_charset(), other.html_charset()),
        (Charset::UTF_8, latin, latin)
    );
    let error = builder.clone().build().unwrap_err();
    assert!(matches!(
        error.problems(),
        [BuildProblem::NotInCharset {
            field: "html",
            character: 'ł',
            ..
        }]
    ));
    assert_eq!(error.problems()[0].field(), "html");
    assert!(builder.prepare().is_err());
}

#[test]
fn typed_headers_are_written() {
    let message = wire::builder()
        .precedence(Precedence::Bulk)
        .importance(Importance::Low)
        .feedback_id(FeedbackId::new(["a", "b", "c"], "posthaste").unwrap())
        .list_commands(
            ListCommands::new()
                .help(["mailto:help@example.org", "https://example.org/help"])
                .unwrap()
                .no_posting(),
        )
        .build()
        .unwrap();
    let bytes = wire::bytes(&message);
    let text = String::from_utf8(bytes).unwrap();
    for line in [
        "List-Help: <mailto:help@example.org>, <https://example.org/help>",
        "List-Post: NO",
        "Precedence: bulk",
        "Importance: low",
        "Feedback-ID: a:b:c:posthaste",
    ] {
        assert!(text.contains(&format!("\r\n{line}\r\n")), "{line} in:\n{text}");
    }
    assert_eq!(message.precedence(), Some(Precedence::Bulk));
    assert_eq!(message.importance(), Some(Importance::Low));
    assert_eq!(message.feedback_id().map(FeedbackId::sender), Some("posthaste"));
    assert!(message.list_commands().is_some_and(ListCommands::forbids_posting));
}

#[test]
fn typed_and_free_headers_do_not_stand_side_by_side() {
    let free = |name: &str| wire::builder().header(HeaderName::new(name).unwrap(), HeaderValue::new("x").unwrap());
    let id = || FeedbackId::new([], "posthaste").unwrap();
    for name in ["precedence", "Importance", "FEEDBACK-ID", "List-Help"] {
        assert!(free(name).build().is_ok());
        let both = free(name)
            .precedence(Precedence::Junk)
            .importance(Importance::High)
            .feedback_id(id())
            .list_commands(ListCommands::new().help(["https://example.org"]).unwrap());
        refused(both.clone(), &[&format!("header {name} may stand only once")]);
        assert!(both.prepare().is_err());
    }
    let prototype = Message::builder().precedence(Precedence::Bulk).prepare().unwrap();
    let message = prototype.message().from("a@example.org".parse().unwrap());
    let message = message.header(HeaderName::new("Precedence").unwrap(), HeaderValue::new("x").unwrap());
    refused(message, &["header Precedence may stand only once"]);
}

#[test]
fn no_debug_output_shows_what_a_message_says() {
    let report = Report::from(bounce()).returned_message("Subject: secret\r\n").unwrap();
    assert!(!format!("{report:?}").contains("secret"));
    assert!(!format!("{:?}", invitation()).contains("Fr"));
}
