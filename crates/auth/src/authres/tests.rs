//! Fields of others, and fields that are hostile.

use super::*;

fn parse(value: &str) -> AuthenticationResults {
    AuthenticationResults::parse(value).unwrap()
}

#[test]
fn fields_of_others_parse() {
    let value = " mx.example.net 1; dkim=pass (2048-bit key) reason=\"good \\\"enough\\\"\"\r\n\theader.d=example.org \
                 header.i=@example.org; spf/1=fail smtp.mailfrom=ada@example.org;";
    let parsed = parse(value);
    assert_eq!((parsed.authserv_id(), parsed.version()), ("mx.example.net", 1));
    let dkim = &parsed.results()[0];
    assert_eq!(
        (dkim.method(), dkim.result(), dkim.why(), dkim.remark()),
        ("dkim", "pass", Some("good \"enough\""), Some("2048-bit key"))
    );
    assert_eq!(dkim.properties()[1].value(), "@example.org");
    assert_eq!(dkim.value_of("Header", "D"), Some("example.org"));
    assert_eq!(parsed.results()[1].result(), "fail");
    assert!(parse(" mx; none").results().is_empty());
    assert!(parse(" mx 1 ;\r\n none (nothing)").results().is_empty());
}

/// The examples of RFC 8601 Appendix B, with comments in every place where they may be.
#[test]
fn comments_and_versions_may_be_anywhere() {
    let value = "(a) foo.example.net (b (c) \\) d) / ";
    assert!(AuthenticationResults::parse(value).is_err());
    let value = " foo.example.net (foobar) 1 (baz);\r\n    dkim (Because I like it) / 1 (One yay) = (wait for it) fail\r\n      \
                 policy (A dot can go here) . (like that) expired\r\n      (this surprised me) = (as I wasn't expecting it) 1362471462";
    let parsed = parse(value);
    assert_eq!((parsed.authserv_id(), parsed.version()), ("foo.example.net", 1));
    let [dkim] = parsed.results() else { panic!("one") };
    assert_eq!((dkim.method(), dkim.version(), dkim.result()), ("dkim", 1, "fail"));
    assert_eq!(dkim.value_of("policy", "expired"), Some("1362471462"));
    assert_eq!(parse("(a(b\\)c) d)\"m\\\"x\" 2; none").authserv_id(), "m\"x");
}

#[test]
fn what_is_not_in_the_grammar_and_in_use() {
    let microsoft = "mx.example; spf=pass (sender IP is 192.0.2.1)\r\n smtp.mailfrom=example.org; dkim=none (message not signed)\r\n \
                     header.d=none;dmarc=pass action=none\r\n header.from=example.org;compauth=pass reason=100";
    let parsed = parse(microsoft);
    assert_eq!(parsed.results().len(), 4);
    assert_eq!(parsed.results()[2].value_of("", "action"), Some("none"));
    assert_eq!(parsed.results()[3].why(), Some("100"));
    let ses = "amazonses.com; spf=pass (spfCheck: domain of example.com designates 203.0.113.0 as permitted sender) \
               client-ip=203.0.113.0; envelope-from=a@example.com; helo=mail.example.com; dkim=pass header.i=@example.com; \
               dmarc=none header.from=example.com;";
    let parsed = parse(ses);
    assert_eq!(parsed.results().len(), 3);
    assert_eq!(parsed.results()[0].value_of("", "envelope-from"), Some("a@example.com"));
    let adsp = parse("mx; dkim-adsp=discard (x) header.from=\"a b\"@example.org; x-own=pass x_a.b_c=d");
    assert_eq!(
        adsp.results()[0].value_of("header", "from"),
        Some("\"a b\"@example.org")
    );
    assert_eq!(adsp.results()[1].value_of("x_a", "b_c"), Some("d"));
    let reason = parse("mx; a=b c=d; reason=\"x y\"; e=f.g");
    assert_eq!((reason.results().len(), reason.results()[0].why()), (1, Some("x y")));
    for parsed in [parse(microsoft), parse(ses), adsp, reason] {
        let written = parsed.to_string();
        assert_eq!(parse(written.strip_prefix("Authentication-Results:").unwrap()), parsed);
    }
}

#[test]
fn errors_say_what_is_wrong_and_where() {
    use ParseErrorKind::{Comment, Equals, Name, Quote, Semicolon, TooMany, Value, Version};
    let many_results = format!("mx{}", "; a=b".repeat(101));
    let many_properties = format!("mx; a=b{}", " c.d=e".repeat(1_001));
    for (value, kind, offset) in [
        ("", Value, 0),
        ("; spf=pass", Value, 0),
        (" mx; dkim", Equals, 9),
        (" mx; dkim=", Value, 10),
        ("mx;", Name, 3),
        ("mx; =pass", Name, 4),
        ("mx 1x; none", Version, 3),
        ("mx; dkim/x=pass", Version, 9),
        ("mx spf=pass", Semicolon, 3),
        ("mx; spf=pass a", Equals, 14),
        ("mx; none; spf=pass", Equals, 8),
        ("mx (", Comment, 4),
        ("mx; spf=\"pass", Quote, 13),
        ("mx; spf=\"pass\\", Quote, 14),
        (&many_results, TooMany, many_results.len()),
        (&many_properties, TooMany, many_properties.len()),
    ] {
        let error = AuthenticationResults::parse(value).unwrap_err();
        assert_eq!((error.kind(), error.offset()), (kind, offset), "{value:.40}: {error}");
    }
    assert!(AuthenticationResults::parse(&"(".repeat(100_000)).is_err());
}

#[test]
fn nothing_breaks_out_of_a_value() {
    let field = AuthenticationResults::new("mx")
        .with(
            MethodResult::new("spf", "pass")
                .comment("nothing) dkim=pass (\\")
                .property("smtp", "mailfrom", "a\r\nX-Evil: 1; dkim=pass\"@b"),
        )
        .to_string();
    assert_eq!(
        field,
        "Authentication-Results: mx;\r\n\tspf=pass (nothing\\) dkim=pass \\(\\\\) \
         smtp.mailfrom=\"aX-Evil: 1;\r\n dkim=pass\\\"@b\"\r\n"
    );
    let parsed = parse(field.strip_prefix("Authentication-Results:").unwrap());
    assert_eq!(parsed.results().len(), 1);
    assert_eq!(parsed.results()[0].remark(), Some("nothing) dkim=pass (\\"));
    let turned = MethodResult::new("a", "b").reason("\u{202e}ssap\u{2028}\u{85}\u{0}\u{1b}[31m");
    assert_eq!(turned.why(), Some("ssap[31m"));
}

#[test]
fn other_mail_gets_ascii() {
    let field =
        AuthenticationResults::new("mx").with(MethodResult::new("spf", "pass").property("smtp", "helo", "é.example"));
    assert!(field.to_string().contains("smtp.helo=\"é.example\""));
    assert!(field.to_ascii().to_string().contains("smtp.helo=\"?.example\""));
}

#[test]
fn a_name_dressed_up_is_the_same_name() {
    for id in [
        "mx/1",
        "mx.",
        "MX:25",
        "\u{a0}mx",
        "\"mx\"",
        "mx\u{a0}",
        "(us)mx",
        "(a (b) \\) c)\r\n\t\"m\\x\" (us) 1",
        "m\u{ad}x",
        "\u{ff4d}\u{ff58}",
        "=?utf-8?q?mx?=",
        "mx 99",
        "mx\u{0}",
    ] {
        let message = format!("Authentication-Results: {id}; spf=pass\r\n\r\nbody\r\n");
        assert_eq!(strip(message.as_bytes(), "mx"), b"\r\nbody\r\n", "{id:?}");
    }
    for id in ["mx2", "x.mx", "mx-1", "a; x=mx"] {
        let other = format!("Authentication-Results: {id}; spf=pass\r\n\r\n");
        assert_eq!(strip(other.as_bytes(), "mx"), other.as_bytes(), "{id:?}");
    }
}

#[test]
fn labels_are_the_same_in_either_form() {
    let forms = [
        "b\u{fc}cher.example",
        "xn--bcher-kva.example",
        "XN--BCHER-KVA.EXAMPLE.",
        "bu\u{308}cher.example",
        "B\u{dc}CHER\u{3002}example",
    ];
    for found in forms {
        for ours in forms {
            let message = format!("Authentication-Results: {found}; spf=pass\r\nA: 1\r\n\r\n");
            assert_eq!(strip(message.as_bytes(), ours), b"A: 1\r\n\r\n", "{found} {ours}");
        }
    }
}

#[test]
fn a_field_name_dressed_up_is_the_same_name() {
    let name = "Authentication-Results";
    for name in [
        "AUTHENTICATION-RESULTS".to_owned(),
        format!("{name} "),
        format!("{name}\t"),
        format!("{name}\r\n "),
        format!("{name}\0"),
        format!("\0{name}"),
        name.replace('-', "\0-"),
        name.replace('-', "-\u{ad}"),
        name.replace('-', "\u{7f}- "),
    ] {
        let message = format!("A: 1\r\n{name}: mx; spf=pass\r\n\tx.y=z\r\nB: 2\r\n\r\n");
        assert_eq!(strip(message.as_bytes(), "mx"), b"A: 1\r\nB: 2\r\n\r\n", "{name:?}");
    }
    let other = "X-Authentication-Results: mx; spf=pass\r\nARC-Authentication-Results: i=1; mx; spf=pass\r\n\r\n";
    assert_eq!(strip(other.as_bytes(), "mx"), other.as_bytes());
}

#[test]
fn lines_that_belong_to_no_field_are_looked_at() {
    let rest = "A: 1\r\n\r\nbody";
    for leading in [
        " Authentication-Results: mx; spf=pass\r\n",
        "\tAuthentication-Results: mx; spf=pass\r\n",
        " Authentication-Results: mx; spf=pass\r\n x.y=z\r\n",
        " X: 1\r\n Authentication-Results: mx; spf=pass\r\n",
        " x\rAuthentication-Results: mx; spf=pass\r\n",
        " Authentication-Results:\r\n mx; spf=pass\r\n",
    ] {
        assert_eq!(
            strip(format!("{leading}{rest}").as_bytes(), "mx"),
            rest.as_bytes(),
            "{leading:?}"
        );
    }
    let others = " Authentication-Results: other; spf=pass\r\n x.y=z\r\nA: 1\r\n\r\n";
    assert_eq!(strip(others.as_bytes(), "mx"), others.as_bytes());
}

#[test]
fn a_lone_carriage_return_hides_nothing() {
    for (before, after) in [
        (
            "A: 1\rAuthentication-Results: mx; spf=pass\r\nB: 2\r\n\r\n",
            "A: 1\r\nB: 2\r\n\r\n",
        ),
        (
            "A: 1\rAuthentication-Results: mx; spf=pass\r x.y=z\r\nB: 2\r\n\r\n",
            "A: 1\r\nB: 2\r\n\r\n",
        ),
        (
            "A: 1\r\n 2\rAuthentication-Results:\r mx; spf=pass\rC: 3\nB: 2\r\n\r\n",
            "A: 1\r\n 2\nB: 2\r\n\r\n",
        ),
        (
            "A: 1\r\rAuthentication-Results\0: mx; spf=pass\r\n\r\n",
            "A: 1\r\r\n\r\n",
        ),
        ("A: 1\rAuthentication-Results: mx; spf=pass", "A: 1"),
        (
            "Authentication-Results: mx; spf=pass\rB: 2\r\nC: 3\r\n\r\n",
            "C: 3\r\n\r\n",
        ),
        (
            "Authentication-Results: other; a=b\rAuthentication-Results: mx; a=b\r\n\r\n",
            "\r\n",
        ),
    ] {
        assert_eq!(strip(before.as_bytes(), "mx"), after.as_bytes(), "{before:?}");
    }
    for kept in [
        "A: 1\rAuthentication-Results: other; spf=pass\r\nB: 2\r\n\r\n",
        "A: 1\r Authentication-Results: mx; spf=pass\r\n\r\n",
        "A: 1\rB: 2\r\n\r\nx\rAuthentication-Results: mx; spf=pass\r\n",
    ] {
        assert_eq!(strip(kept.as_bytes(), "mx"), kept.as_bytes(), "{kept:?}");
    }
}

#[test]
fn forged_fields_go_and_the_rest_stays() {
    let message = b"A: 1\r\nAuthentication-Results: MX.example; spf=pass\r\n x.y=z\r\nAuthentication-Results: other; spf=pass\r\n\
        authentication-results: ((\r\nB: 2\r\n\r\nAuthentication-Results: mx.example; in the body\r\n";
    let expected = b"A: 1\r\nAuthentication-Results: other; spf=pass\r\nB: 2\r\n\r\n\
        Authentication-Results: mx.example; in the body\r\n";
    assert_eq!(strip(message, "mx.example"), expected);
}

#[test]
fn a_megabyte_of_hidden_fields_takes_no_longer_than_it_must() {
    let begun = std::time::Instant::now();
    for hostile in ["\rAuthentication-Results: other; a=b", "\r", "\r ", "(", "\u{0}"] {
        let message = format!("A: 1{}\r\n\r\n", hostile.repeat(1_000_000 / hostile.len()));
        assert_eq!(strip(message.as_bytes(), "mx"), message.as_bytes());
    }
    assert!(begun.elapsed() < std::time::Duration::from_secs(20));
}

/// A reader that takes any CR or LF for a line end and does not see what is not printable: does it find a field of ours?
fn finds_ours(message: &[u8], ours: &str) -> bool {
    let fields = crate::dkim::Fields::parse(message);
    let header = &message[..fields.body_offset()];
    let lines: Vec<&[u8]> = header
        .split(|octet| matches!(octet, b'\r' | b'\n'))
        .filter(|line| !line.is_empty())
        .collect();
    let is_folded = |line: &&&[u8]| line.first().is_some_and(|octet| matches!(octet, b' ' | b'\t'));
    (0..lines.len())
        .filter(|&index| !is_folded(&&lines[index]))
        .any(|index| {
            let folded = lines[index + 1..].iter().take_while(is_folded).copied();
            let text = std::iter::once(lines[index])
                .chain(folded)
                .collect::<Vec<_>>()
                .join(&b' ');
            let text = String::from_utf8_lossy(&text).into_owned();
            let Some((name, value)) = text.split_once(':') else {
                return false;
            };
            let name: String = name.chars().filter(char::is_ascii_graphic).collect();
            name.eq_ignore_ascii_case("authentication-results")
                && AuthenticationResults::parse(value).is_ok_and(|found| found.authserv_id().eq_ignore_ascii_case(ours))
        })
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_reader_finds_ours_in_what_was_stripped(
        pieces in proptest::collection::vec(proptest::sample::select(&[
            "Authentication-Results", "authentication-results:", ": mx; spf=pass", ": other; spf=pass", "mx", ":", ";", " ", "\t", "\r", "\n",
            "\r\n", "\0", "(", ")", "\"", "x=y", "A: 1\r\n", "1", "Authentication-Results: mx; a=b", "Authentication-Results: other; a=b\r\n",
        ][..]), 0..14),
    ) {
        let message = pieces.concat();
        let stripped = strip(message.as_bytes(), "mx");
        proptest::prop_assert!(!finds_ours(&stripped, "mx"), "{:?} of {:?}", String::from_utf8_lossy(&stripped), message);
        proptest::prop_assert_eq!(&strip(&stripped, "mx"), &stripped, "{:?}", message);
        let mut rest = message.bytes();
        proptest::prop_assert!(stripped.iter().all(|octet| rest.any(|other| other == *octet)));
    }
}
