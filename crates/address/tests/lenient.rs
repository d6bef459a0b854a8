//! Lists as people write them.

#![allow(clippy::unwrap_used, reason = "tests")]

use posthaste_address::{AddressList, ParseOptions};
use proptest::prelude::*;

/// Entries as they are written again, and in brackets what is unreadable with its error.
fn read(text: &str) -> Vec<String> {
    let options = ParseOptions::default().domain_literals(true);
    AddressList::parse_leniently(text, &options)
        .entries()
        .map(|entry| match entry {
            Ok(address) => address.to_string(),
            Err(unreadable) => format!("[{}] {}", unreadable.text(), unreadable.error()),
        })
        .collect()
}

#[track_caller]
fn check<const N: usize>(text: &str, expected: [&str; N]) {
    assert_eq!(read(text), expected, "{text:?}");
}

#[test]
fn what_follows_the_grammar_is_read_by_it() {
    check("", []);
    check(" ,; ", []);
    check("(nobody), ()", []);
    check(
        "Ada <ada@example.org>, bob@example.net (Bob)",
        ["Ada <ada@example.org>", "Bob <bob@example.net>"],
    );
    check("\"A, B; C: D\" <ada@example.org>", ["\"A, B; C: D\" <ada@example.org>"]);
    check("<@a.example,@b.example:ada@example.org>", ["ada@example.org"]);
    check(
        "ada@[IPv6:2001:db8::1], bob@[192.0.2.1]",
        ["ada@[IPv6:2001:db8::1]", "bob@[192.0.2.1]"],
    );
    check(
        "A (x, y): ada@example.org, bob@example.net;",
        ["A: ada@example.org, bob@example.net;"],
    );
    check("\"x@y.example\"@example.org", ["\"x@y.example\"@example.org"]);
    check(
        "Ada\r\n\t<ada@example.org>,\r\n bob@example.net",
        ["Ada <ada@example.org>", "bob@example.net"],
    );
}

#[test]
fn names_torn_by_commas_are_joined() {
    check(
        "Lovelace, Ada <ada@example.org>",
        ["\"Lovelace, Ada\" <ada@example.org>"],
    );
    check("A, B, C <d@e.com>", ["\"A, B, C\" <d@e.com>"]);
    check(
        "a@b.com, Foo, Bar <c@d.com>, e@f.com",
        ["a@b.com", "\"Foo, Bar\" <c@d.com>", "e@f.com"],
    );
    check("A, B, C, D, <e@f.com>", ["\"A, B, C, D\" <e@f.com>"]);
    check(
        "A, B, C, D, E, F <g@h.com>",
        [
            "[A] `@` is missing at byte 1",
            "[B] `@` is missing at byte 4",
            "[C] `@` is missing at byte 7",
            "[D] `@` is missing at byte 10",
            "\"E, F\" <g@h.com>",
        ],
    );
    check(
        "Ada, bob@example.net",
        ["[Ada] `@` is missing at byte 3", "bob@example.net"],
    );
    check(
        "Ada; Bob <bob@example.net>",
        ["[Ada] `@` is missing at byte 3", "Bob <bob@example.net>"],
    );
    check("O'Neill", ["[O'Neill] `@` is missing at byte 7"]);
}

#[test]
fn words_beside_an_address_are_its_name() {
    check("bob@example.com BOB", ["BOB <bob@example.com>"]);
    check("Bob B. bob@example.com", ["\"Bob B.\" <bob@example.com>"]);
    check("andris@tr.ee (reinman) andris", ["andris <andris@tr.ee>"]);
    check("<bob@example.com> Bob (x)", ["Bob <bob@example.com>"]);
    check("<bob@example.com> >", ["bob@example.com"]);
    check(
        r#""First \" \\\\, Last \(T\)" test@example.com"#,
        [r#""First \" \\\\, Last (T)" <test@example.com>"#],
    );
    check("ada@example.org <ada@example.org>", ["ada@example.org"]);
}

#[test]
fn one_entry_is_never_two_recipients() {
    check(
        "ada@example.org bob@example.net",
        ["[ada@example.org bob@example.net] unexpected text at byte 16"],
    );
    check(
        "Ada <ada@example.org> Bob <bob@example.net>, eve@example.com",
        [
            "[Ada <ada@example.org> Bob <bob@example.net>] unexpected text at byte 22",
            "eve@example.com",
        ],
    );
    check(
        "eve@example.com <ada@example.org>",
        ["[eve@example.com <ada@example.org>] unexpected text at byte 16"],
    );
    check(
        "ada@example.org@example.com",
        ["[ada@example.org@example.com] unexpected text at byte 15"],
    );
}

#[test]
fn lost_brackets_and_quotes_swallow_nothing() {
    check(
        "reinman > andris < test <andris@tr.ee>",
        ["\"reinman > andris\" <andris@tr.ee>"],
    );
    check(
        "Ada <ada@example.org, bob@example.net",
        ["Ada <ada@example.org>", "bob@example.net"],
    );
    check(
        "alice@example.com, bob[@example.com, carol@example.com",
        [
            "alice@example.com",
            "[bob[@example.com] character not allowed at byte 22",
            "carol@example.com",
        ],
    );
    check(
        "a@[b, c@[192.0.2.1]",
        ["[a@[b] address literal is not allowed here at byte 2", "c@[192.0.2.1]"],
    );
    check(
        "\"Ada <ada@example.org>, bob@example.net",
        ["Ada <ada@example.org>", "bob@example.net"],
    );
    check(
        "(Ada <ada@example.org>, bob@example.net",
        ["\"(Ada\" <ada@example.org>", "bob@example.net"],
    );
    check(
        "Ada <>, bob@example.net",
        ["[Ada <>] local part is empty at byte 5", "bob@example.net"],
    );
}

#[test]
fn groups_end_and_hold_no_groups() {
    check(
        "A: ada@example.org, bob@example.net",
        ["A: ada@example.org, bob@example.net;"],
    );
    check(
        "A: B: ada@example.org;; bob@example.net",
        ["A: ada@example.org;", "bob@example.net"],
    );
    check(
        "A: x, ada@example.org;",
        ["[x] `@` is missing at byte 4", "A: ada@example.org;"],
    );
    check("A :: B <ada@example.org>", ["A: B <ada@example.org>;"]);
    check(":;", []);
    check("\"\": ada@example.org;", ["ada@example.org"]);
}

#[test]
fn line_breaks_are_unreadable_but_for_folding() {
    check(
        "ada@example.org\r\nBcc: eve@example.com",
        ["[ada@example.org\r\nBcc: eve@example.com] control character at byte 15"],
    );
    check("Bcc\n: eve@example.com", ["Bcc: eve@example.com;"]);
    check(
        "ada@example.org,\nbob@example.net\n",
        ["ada@example.org", "bob@example.net"],
    );
    check(
        "\"A\nB\" <ada@example.org>",
        ["[\"A\nB\" <ada@example.org>] control character at byte 2"],
    );
    check(
        "A\u{2028} ada@example.org",
        ["[A\u{2028} ada@example.org] control character at byte 1"],
    );
    check("\"a\\\r\n b\" c ada@example.org", ["a b c <ada@example.org>"]);
}

/// Text that resembles lists more often than chance would have it.
fn list_like() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[@<>\"()\\\\,;:.\\[\\] ]",
        "[@<>\"()\\\\,;:.\\[\\] ]",
        Just("ada@example.org".to_owned()),
        Just("[192.0.2.1]".to_owned()),
        Just("\r\n ".to_owned()),
        "[a-zü\t\r\n\0\u{85}\u{2028}]{1,3}",
        any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn nothing_panics_and_everything_reads_back(text in list_like()) {
        let options = ParseOptions::default().domain_literals(true);
        let read = AddressList::parse_leniently(&text, &options);
        for unreadable in read.unreadable() {
            prop_assert!(unreadable.error().offset() <= text.len());
            prop_assert!(text.contains(unreadable.text()));
        }
        let list = read.into_list();
        let written = list.to_string();
        let is_break = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        prop_assert!(!written.contains(is_break));
        prop_assert_eq!(AddressList::parse_with(&written, &options).unwrap(), list);
    }

    #[test]
    fn what_the_grammar_takes_means_the_same(text in list_like()) {
        let options = ParseOptions::default().domain_literals(true);
        if let Ok(strict) = AddressList::parse_with(&text, &options) {
            let lenient = AddressList::parse_leniently(&text, &options);
            prop_assert_eq!(lenient.unreadable().count(), 0);
            prop_assert_eq!(lenient.into_list(), strict);
        }
    }
}

#[test]
fn hostile_lists_cost_linear_time() {
    for pattern in [
        "(", "\"", "<", "a:", "@[", "<@", "a,", "\\", "(\"<", "a@b.c,", ";", "\"(", "<\"", " (",
    ] {
        let text = pattern.repeat(400_000 / pattern.len());
        drop(AddressList::parse_leniently(&text, &ParseOptions::default()));
    }
}
