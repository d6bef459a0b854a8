//! What must hold for any input.

#![allow(clippy::unwrap_used, reason = "tests")]

use posthaste_address::{Address, AddressList, Domain, EmailAddress, EnvelopeId, Group, Mailbox, ParseOptions};
#[cfg(feature = "serde")]
use posthaste_address::{AddressKey, Envelope, Notify, OriginalRecipient, Recipient, ReturnContent};
use proptest::prelude::*;

fn has_line_break(text: &str) -> bool {
    text.chars()
        .any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))
}

/// Text that resembles addresses more often than chance would have it.
fn address_like() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![
            Just("@".to_owned()),
            Just("example.org".to_owned()),
            Just("\"".to_owned()),
            Just("<".to_owned()),
            Just(">".to_owned()),
            Just("(".to_owned()),
            Just(")".to_owned()),
            Just("\\".to_owned()),
            Just("[192.0.2.1]".to_owned()),
            Just(":".to_owned()),
            Just(";".to_owned()),
            Just(", ".to_owned()),
            Just("\r\n ".to_owned()),
            Just("\r\n".to_owned()),
            Just("ü".to_owned()),
            "[a-z.]{1,4}",
            any::<char>().prop_map(String::from),
        ],
        0..12,
    )
    .prop_map(|pieces| pieces.concat())
}

fn valid_address() -> impl Strategy<Value = EmailAddress> {
    (
        "[a-z0-9]{1,8}(\\.[a-z0-9]{1,8}){0,2}|\"[ -~&&[^\"\\\\]]{0,12}\"|[äöü漢]{1,5}",
        "[a-z]{1,8}(\\.[a-z]{2,5}){1,2}|bücher\\.example",
    )
        .prop_map(|(local, domain)| format!("{local}@{domain}").parse().unwrap())
}

fn name() -> impl Strategy<Value = String> {
    "[^\\p{Cc}\u{2028}\u{2029}]{0,20}"
}

proptest! {
    #[test]
    fn parsers_never_panic_and_errors_point_into_the_text(text in address_like()) {
        if let Err(error) = text.parse::<EmailAddress>() { prop_assert!(error.offset() <= text.len()); }
        if let Err(error) = text.parse::<Domain>() { prop_assert!(error.offset() <= text.len()); }
        if let Err(error) = text.parse::<Mailbox>() { prop_assert!(error.offset() <= text.len()); }
        if let Err(error) = text.parse::<AddressList>() { prop_assert!(error.offset() <= text.len()); }
    }

    #[test]
    fn nothing_that_parses_holds_a_line_break(text in address_like()) {
        let literals = ParseOptions::default().domain_literals(true);
        if let Ok(address) = EmailAddress::parse_with(&text, &literals) {
            prop_assert!(!has_line_break(&address.to_string()));
        }
        if let Ok(list) = text.parse::<AddressList>() {
            prop_assert!(!has_line_break(&list.to_string()));
        }
    }

    #[test]
    fn what_parses_reads_back(text in address_like()) {
        let literals = ParseOptions::default().domain_literals(true);
        if let Ok(address) = EmailAddress::parse_with(&text, &literals) {
            prop_assert_eq!(EmailAddress::parse_with(&address.to_string(), &literals).unwrap(), address);
        }
        if let Ok(list) = AddressList::parse_with(&text, &literals) {
            prop_assert_eq!(AddressList::parse_with(&list.to_string(), &literals).unwrap(), list);
        }
        if let Ok(domain) = text.parse::<Domain>() {
            prop_assert_eq!(&domain.as_str().parse::<Domain>().unwrap(), &domain);
            prop_assert_eq!(domain.to_unicode().parse::<Domain>().unwrap(), domain);
        }
    }

    #[test]
    fn any_local_part_reads_back(local in "\\PC{1,12}", domain in "\\PC{1,8}(\\.[a-z]{2,4})?") {
        for text in [format!("{local}@example.org"), format!("\"{local}\"@example.org"), format!("a@{domain}")] {
            if let Ok(address) = text.parse::<EmailAddress>() {
                let wire = address.to_string();
                prop_assert_eq!(&wire.parse::<EmailAddress>().unwrap(), &address);
                prop_assert!(wire.len() <= 254 && address.domain().as_str().is_ascii());
            }
        }
    }

    #[test]
    fn an_address_reads_back(address in valid_address()) {
        prop_assert_eq!(&address.to_string().parse::<EmailAddress>().unwrap(), &address);
        prop_assert_eq!(&address.to_unicode().parse::<EmailAddress>().unwrap(), &address);
    }

    #[test]
    fn a_mailbox_reads_back(name in name(), address in valid_address()) {
        let mailbox = Mailbox::with_name(name, address).unwrap();
        prop_assert_eq!(&mailbox.to_string().parse::<Mailbox>().unwrap(), &mailbox);
    }

    #[test]
    fn a_list_reads_back(boxes in proptest::collection::vec((name(), valid_address()), 0..5), group in "[a-z]{1,8}") {
        let boxes: Vec<Mailbox> =
            boxes.into_iter().map(|(name, address)| Mailbox::with_name(name, address).unwrap()).collect();
        let group = Group::new(group, boxes.iter().take(2).cloned()).unwrap();
        let list: AddressList = boxes.into_iter().map(Address::from).chain([Address::from(group)]).collect();
        prop_assert_eq!(&list.to_string().parse::<AddressList>().unwrap(), &list);
    }

    #[test]
    fn a_header_folded_anywhere_means_the_same(address in valid_address()) {
        let folded = format!("\r\n \"A B\"\r\n\t<{address}>(c\r\n d)");
        let mailbox: Mailbox = folded.parse().unwrap();
        prop_assert_eq!(mailbox.address(), &address);
    }

    #[test]
    fn xtext_is_one_printable_word(id in "[ -~]{1,100}") {
        let xtext = EnvelopeId::new(&id).unwrap().to_xtext();
        prop_assert!(xtext.bytes().all(|byte| (b'!'..=b'~').contains(&byte)));
    }

    #[test]
    fn domains_compare_without_case(name in "[a-zA-Z]{1,10}\\.[a-zA-Z]{2,5}") {
        prop_assert_eq!(name.parse::<Domain>().unwrap(), name.to_ascii_uppercase().parse::<Domain>().unwrap());
    }
}

#[test]
fn deep_nesting_costs_no_stack() {
    for pair in [("(", ")"), ("<", ">"), ("a:", ";"), ("\"", "\"")] {
        let text = pair.0.repeat(200_000) + "a@example.org" + &pair.1.repeat(200_000);
        drop(text.parse::<AddressList>());
    }
}

#[test]
fn a_quoted_local_part_routes_to_its_own_domain() {
    let address: EmailAddress = "\"victim@example.com x\"@attacker.example".parse().unwrap();
    assert_eq!(address.domain().as_str(), "attacker.example");
    assert_eq!(address.to_string(), "\"victim@example.com x\"@attacker.example");
}

#[test]
fn errors_say_where_and_why() {
    for (text, expected) in [
        ("", "address is empty at byte 0"),
        ("ada", "`@` is missing at byte 3"),
        ("ada..b@example.org", "misplaced dot at byte 4"),
        ("ada@exam ple.org", "character not allowed at byte 8"),
        ("ada\r\n@example.org", "control character at byte 3"),
        ("ada@[192.0.2.1]", "address literal is not allowed here at byte 4"),
    ] {
        assert_eq!(
            text.parse::<EmailAddress>().unwrap_err().to_string(),
            expected,
            "{text:?}"
        );
    }
    let error = "Ada <ada@example.org>, \"Bob <bob@example.net>"
        .parse::<AddressList>()
        .unwrap_err();
    assert_eq!(error.to_string(), "quoted string is not closed at byte 23");
}

#[cfg(feature = "serde")]
#[track_caller]
fn check_json<T>(text: &str)
where
    T: std::str::FromStr + PartialEq + std::fmt::Debug + serde::Serialize + serde::de::DeserializeOwned,
    T::Err: std::fmt::Debug,
{
    let value: T = text.parse().unwrap();
    let json = serde_json::to_value(&value).unwrap();
    assert!(json.is_string(), "{json}");
    assert_eq!(serde_json::from_value::<T>(json).unwrap(), value);
}

#[cfg(feature = "serde")]
#[test]
fn json_both_ways_is_text() {
    check_json::<Domain>("bücher.example");
    check_json::<EmailAddress>("\"a b\"@bücher.example");
    check_json::<Mailbox>("\"Groß, Jürgen\" <j@bücher.example>");
    check_json::<Group>("A: a@example.org, B <b@example.org>;");
    check_json::<Address>("A:;");
    check_json::<AddressList>("A:;, b@example.org");
    check_json::<EnvelopeId>("a b");
    let key: AddressKey = serde_json::from_str("\"ada@[192.0.2.1]\"").unwrap();
    assert_eq!(serde_json::to_string(&key).unwrap(), "\"ada@[192.0.2.1]\"");
    check_json::<Notify>("SUCCESS,DELAY");
    check_json::<ReturnContent>("HDRS");
    check_json::<OriginalRecipient>("rfc822;a@example.org");
}

#[cfg(feature = "serde")]
#[test]
fn envelopes_read_back_from_json() {
    let recipient = Recipient::from("ü@example.org".parse::<EmailAddress>().unwrap())
        .with_notify(Notify::on(true, false, true))
        .with_original_recipient("rfc822;a@example.org".parse().unwrap());
    let plain = Recipient::from("bob@example.net".parse::<EmailAddress>().unwrap());
    let envelope = Envelope::new(None, [recipient, plain])
        .unwrap()
        .with_envelope_id(EnvelopeId::new("a b").unwrap())
        .with_return_content(ReturnContent::Headers)
        .with_require_tls(true);
    let json = serde_json::to_string(&envelope).unwrap();
    assert_eq!(serde_json::from_str::<Envelope>(&json).unwrap(), envelope);

    let short = r#"{"mail_from": "ada@example.org", "recipients": [{"address": "bob@example.net"}]}"#;
    let short: Envelope = serde_json::from_str(short).unwrap();
    assert!(!short.require_tls() && short.recipients().first().unwrap().notify().is_none());
    for (json, expected) in [
        (r#"{"mail_from": null, "recipients": []}"#, "at least one recipient"),
        (
            r#"{"mail_from": null, "recipients": [{"address": "a@b@c"}]}"#,
            "not allowed at byte 3",
        ),
        (
            r#"{"mail_from": null, "recipients": [{"address": "a@b"}], "requiretls": true}"#,
            "unknown field",
        ),
        (
            r#"{"mail_from": null, "recipients": [{"address": "a@b", "notifi": "NEVER"}]}"#,
            "unknown field",
        ),
        (
            r#"{"recipients": [{"address": "a@b"}], "envelope_id": "\u0000"}"#,
            "envelope id",
        ),
    ] {
        let error = serde_json::from_str::<Envelope>(json).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[cfg(feature = "serde")]
#[test]
fn json_that_is_no_address_says_why() {
    for (json, expected) in [
        ("\"a@@b\"", "character not allowed at byte 2"),
        ("\"a@[192.0.2.1]\"", "address literal is not allowed here at byte 2"),
        ("7", "expected an email address"),
    ] {
        let error = serde_json::from_str::<EmailAddress>(json).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
