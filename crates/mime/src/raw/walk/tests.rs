use std::fmt::Write as _;

use super::*;

/// The types of the parts, each indented by its depth.
fn outline(message: &str) -> String {
    let header = Header::parse(&Bytes::from(message.to_owned()), RawOptions::default()).unwrap();
    let (parts, _) = parts(&header, RawOptions::default()).unwrap();
    let mut outline = String::new();
    for part in &parts {
        let body = String::from_utf8_lossy(part.encoded());
        let shown = if part.is_multipart() || part.is_message() {
            ""
        } else {
            &*body
        };
        let _ = writeln!(outline, "{}{} {shown:?}", " ".repeat(part.depth()), part.content_type());
    }
    outline
}

#[track_caller]
fn check(message: &str, expected: &[&str]) {
    assert_eq!(outline(message).lines().collect::<Vec<_>>(), expected, "{message}");
}

/// Reads `message` and checks that each octet was looked at a bounded number of times.
#[track_caller]
fn check_work(name: &str, message: &str) -> Result<Vec<RawPart>, RawError> {
    let bytes = Bytes::from(message.to_owned());
    let header = Header::parse(&bytes, RawOptions::default())?;
    let (parts, work) = parts(&header, RawOptions::default())?;
    let limit = 70 * (bytes.len() as u64 + 100);
    assert!(work < limit, "{name}: {work} steps for {} octets", bytes.len());
    Ok(parts)
}

#[test]
fn a_message_without_parts_is_one_part() {
    check("Subject: x\r\n\r\nbody", &["text/plain \"body\""]);
    check("", &["text/plain \"\""]);
    check("Content-Type: TEXT/Html\r\n\r\n", &["text/html \"\""]);
}

#[test]
fn parts_are_cut_at_delimiters() {
    check(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\n\r\none\r\n\r\n--b \t\r\n\
         Content-Type: text/html\r\n\r\ntwo\r\n--b--\r\nepilogue\r\n--b\r\n\r\nno part",
        &[
            "multipart/mixed \"\"",
            " text/plain \"one\\r\\n\"",
            " text/html \"two\"",
        ],
    );
    check(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n",
        &["multipart/mixed \"\"", " text/plain \"one\""],
    );
}

#[test]
fn lines_that_begin_with_one_dash_are_text() {
    for text in ["-", "-\r\n", "- -\r\n-", "-\r\n-\r\n-x", "x-\r\n-", "a\r\n-b--\r\n"] {
        let message = format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{text}");
        check(&message, &["multipart/mixed \"\""]);
        let message = format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n{text}\r\n--b--");
        check(&message, &["multipart/mixed \"\"", &format!(" text/plain {text:?}")]);
    }
}

#[test]
fn empty_parts_are_parts() {
    check(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n--b\r\nX: y\r\n--b\r\n\r\n--b--",
        &[
            "multipart/mixed \"\"",
            " text/plain \"\"",
            " text/plain \"\"",
            " text/plain \"\"",
        ],
    );
    check(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b--",
        &["multipart/mixed \"\""],
    );
}

#[test]
fn one_boundary_may_begin_with_another() {
    let nested = |outer: &str, inner: &str| {
        format!(
            "Content-Type: multipart/mixed; boundary=\"{outer}\"\r\n\r\n--{outer}\r\n\
             Content-Type: multipart/alternative; boundary=\"{inner}\"\r\n\r\n--{inner}\r\n\r\none\r\n--{inner}\r\n\r\n\
             two\r\n--{inner}--\r\n--{outer}\r\n\r\nthree\r\n--{outer}--\r\n"
        )
    };
    for (outer, inner) in [
        ("b", "b-1"),
        ("b-1", "b"),
        ("b", "b--c"),
        ("b--c", "b"),
        ("b", "b c"),
        ("b c", "b"),
    ] {
        check(
            &nested(outer, inner),
            &[
                "multipart/mixed \"\"",
                " multipart/alternative \"\"",
                "  text/plain \"one\"",
                "  text/plain \"two\"",
                " text/plain \"three\"",
            ],
        );
    }
}

#[test]
fn an_outer_delimiter_ends_what_is_inside() {
    check(
        "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n--a\r\n\r\nlast\r\n--a--\r\n",
        &[
            "multipart/mixed \"\"",
            " multipart/mixed \"\"",
            "  message/rfc822 \"\"",
            "   text/plain \"\"",
            " text/plain \"last\"",
        ],
    );
}

#[test]
fn messages_are_looked_into_encoded_or_not() {
    check(
        "Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\ninner",
        &["message/rfc822 \"\"", " text/plain \"inner\""],
    );
    // Content-Type: text/html, an empty line, "x".
    check(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\
         Content-Transfer-Encoding: base64\r\n\r\nQ29udGVudC1UeXBlOiB0ZXh0L2h0bWwNCg0KeA==\r\n--b\r\n\r\nlast\r\n--b--",
        &[
            "multipart/mixed \"\"",
            " message/rfc822 \"\"",
            "  text/html \"x\"",
            " text/plain \"last\"",
        ],
    );
    check(
        "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: x\r\n\r\ninner\r\n--b--",
        &[
            "multipart/digest \"\"",
            " message/rfc822 \"\"",
            "  text/plain \"inner\"",
        ],
    );
}

#[test]
fn what_has_no_boundary_is_one_piece() {
    for boundary in ["", "; boundary", "; boundary=", "; boundary=\"\"", "; boundary*=x"] {
        check(
            &format!("Content-Type: multipart/mixed{boundary}\r\n\r\n--\r\n\r\nx"),
            &["multipart/mixed \"\""],
        );
    }
}

#[test]
fn defects_of_the_structure_are_noted() {
    let defects = |message: &str| -> Vec<RawDefect> {
        let header = Header::parse(&Bytes::from(message.to_owned()), RawOptions::default()).unwrap();
        let (parts, _) = parts(&header, RawOptions::default()).unwrap();
        parts.iter().flat_map(RawPart::defects).collect()
    };
    assert_eq!(defects("Content-Type: text/plain\r\n\r\n"), []);
    assert_eq!(defects("Content-Type: text\r\n\r\n"), [RawDefect::InvalidContentType]);
    assert_eq!(
        defects("Content-Type: multipart/mixed\r\n\r\n"),
        [RawDefect::NoBoundary]
    );
    assert_eq!(
        defects("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx"),
        [RawDefect::Unclosed]
    );
    assert_eq!(
        defects("Content-Type: multipart/mixed; boundary=a; boundary=b\r\n\r\n--a\r\n\r\n--a--"),
        [RawDefect::RepeatedParameter {
            parameter: "boundary".to_owned()
        }]
    );
    assert_eq!(
        defects("Content-Type: multipart/x; boundary=b\r\nContent-Transfer-Encoding: base64\r\n\r\n--b--"),
        [RawDefect::EncodedMultipart, RawDefect::NoParts]
    );
    assert_eq!(
        defects("Content-Transfer-Encoding: x-uuencode\r\n\r\n"),
        [RawDefect::UnknownEncoding]
    );
    assert_eq!(
        defects("Content-Type: text/plain\r\nContent-type: text/html\r\n\r\n"),
        [RawDefect::Repeated { field: "content-type" }]
    );
}

#[test]
fn limits_are_errors_that_name_them() {
    let flat = format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}",
        "--b\r\n\r\nx\r\n".repeat(499)
    );
    assert_eq!(check_work("500 parts", &flat).unwrap().len(), 500);
    let more = format!("{flat}--b\r\n\r\nx\r\n");
    assert_eq!(
        check_work("501 parts", &more).unwrap_err(),
        RawError::TooManyParts { limit: 500 }
    );
    let mut nested = String::new();
    for depth in 0..10_000 {
        let _ = write!(
            nested,
            "Content-Type: multipart/mixed; boundary=b{depth}\r\n\r\n--b{depth}\r\n"
        );
    }
    assert_eq!(
        check_work("10000 multiparts", &nested).unwrap_err(),
        RawError::TooDeep { limit: 64 }
    );
    let messages = "Content-Type: message/rfc822\r\n\r\n".repeat(10_000);
    assert_eq!(
        check_work("10000 messages", &messages).unwrap_err(),
        RawError::TooDeep { limit: 64 }
    );
    let header = format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n{}",
        "X: y\r\n".repeat(10_001)
    );
    assert_eq!(
        check_work("10001 fields", &header).unwrap_err(),
        RawError::TooManyFields { part: 1, limit: 10_000 }
    );
}

#[test]
fn hostile_megabytes_cost_a_bounded_number_of_steps() {
    const MEGABYTE: usize = 1 << 20;
    let repeated = |text: &str| text.repeat(MEGABYTE / text.len());
    let multipart = |body: String| format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{body}");
    // As many boundaries as may be nested, each with the same long beginning.
    let long = "x".repeat(500);
    let mut deep = String::new();
    for depth in 0..60 {
        let _ = write!(
            deep,
            "Content-Type: multipart/mixed; boundary=\"{long}{depth}\"\r\n\r\n--{long}{depth}\r\n"
        );
    }
    let cases = [
        ("dashes", multipart(repeated("-"))),
        ("lines of dashes", multipart(repeated("--\r\n"))),
        ("almost delimiters", multipart(repeated("--bx\r\n"))),
        ("padding", multipart(format!("--b{}x\r\n", repeated(" ")))),
        ("closing delimiters", multipart(repeated("--b--\r\n"))),
        ("line feeds", multipart(repeated("\n"))),
        ("one line", multipart(repeated("a"))),
        ("deep", format!("{deep}\r\n{}", repeated(&format!("--{long}\r\n")))),
        ("deep, blank", format!("{deep}\r\n{}", repeated("--\r\n"))),
        ("no multipart", format!("\r\n{}", repeated("--b\r\n"))),
    ];
    for (name, message) in cases {
        assert!(check_work(name, &message).is_ok(), "{name}");
    }
    // Each encoded message holds another one.
    let mut encoded = "Subject: innermost\r\n\r\n".to_owned();
    for _ in 0..20 {
        let body: String = encoded.bytes().map(|byte| format!("={byte:02X}")).collect();
        if body.len() > MEGABYTE {
            break;
        }
        encoded = format!("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{body}");
    }
    assert!(check_work("encoded messages", &encoded).unwrap().len() > 5);
}
