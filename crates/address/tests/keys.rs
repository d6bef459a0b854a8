//! When addresses count as one.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeSet, HashSet};

use posthaste_address::{AddressKey, Domain, EmailAddress, KeyRules, ParseOptions};
use proptest::prelude::*;

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse_with(text, &ParseOptions::default().domain_literals(true)).unwrap()
}

#[track_caller]
fn check(rules: &KeyRules, text: &str, expected: &str) {
    assert_eq!(address(text).key(rules).as_str(), expected, "{text:?}");
}

#[test]
fn exact_keys_are_addresses_in_their_one_spelling() {
    let rules = KeyRules::exact();
    check(&rules, r#""Ada"@EXAMPLE.org"#, "Ada@example.org");
    check(&rules, "u\u{308}@bücher.example", "ü@xn--bcher-kva.example");
    check(&rules, r#""a b"@[192.0.2.1]"#, r#""a b"@[192.0.2.1]"#);
    check(&rules, "Ada+x@example.org", "Ada+x@example.org");
    check(&rules, "POSTMASTER@example.org", "postmaster@example.org");
    check(&rules, r#""a\"B"@example.org"#, r#""a\"B"@example.org"#);
    check(&rules, r#"""@example.org"#, r#"""@example.org"#);
}

#[test]
fn default_keys_ignore_case_and_nothing_else() {
    let rules = KeyRules::default();
    check(&rules, "Ada.Lovelace+X@Example.org", "ada.lovelace+x@example.org");
    check(&rules, r#""A B"@example.org"#, r#""a b"@example.org"#);
    check(&rules, "ÄÖÜ@example.org", "äöü@example.org");
    check(&rules, "ΟΔΟΣ@example.org", "οδοσ@example.org");
    check(&rules, "οδος@example.org", "οδοσ@example.org");
    check(&rules, "GROẞ@example.org", "groß@example.org");
    check(&rules, "gross@example.org", "gross@example.org");
    check(&rules, "ａda@example.org", "ａda@example.org");
    check(
        &KeyRules::default().ignore_case(false),
        "Ada@example.org",
        "Ada@example.org",
    );
}

#[test]
fn subaddresses_are_dropped_where_asked() {
    let rules = KeyRules::exact().ignore_subaddress('+');
    check(&rules, "ada+a+b@example.org", "ada@example.org");
    check(&rules, "ada+@example.org", "ada@example.org");
    check(&rules, "+ada@example.org", "+ada@example.org");
    check(&rules, "ada-x@example.org", "ada-x@example.org");
    check(&rules, r#""a b+c d"@example.org"#, r#""a b"@example.org"#);
    check(&rules, "ada.+x@example.org", r#""ada."@example.org"#);
    let hyphen = rules.ignore_subaddress_at("example.net".parse().unwrap(), '-');
    check(&hyphen, "ada-x@example.net", "ada@example.net");
    check(&hyphen, "ada+x@example.net", "ada+x@example.net");
    check(&hyphen, "ada-x+y@example.org", "ada-x@example.org");
}

#[test]
fn habits_of_a_provider_are_its_own() {
    let rules = KeyRules::default().gmail();
    check(&rules, "A.da.+news@googlemail.com", "ada@gmail.com");
    check(&rules, "a.da+news@gmail.com", "ada@gmail.com");
    check(&rules, "a.da+news@mail.gmail.com", "a.da+news@mail.gmail.com");
    check(&rules, "a.da+news@example.org", "a.da+news@example.org");
    check(&rules, r#"".."@gmail.com"#, r#"".."@gmail.com"#);
}

#[test]
fn other_names_of_a_domain_are_no_chain() {
    let name = |text: &str| text.parse::<Domain>().unwrap();
    let rules = KeyRules::exact()
        .same_domain(name("a.example"), name("b.example"))
        .same_domain(name("b.example"), name("c.example"))
        .same_domain(name("d.example"), name("a.example"))
        .same_domain(name("c.example"), name("a.example"));
    for domain in ["a", "b", "c", "d"] {
        check(&rules, &format!("ada@{domain}.example"), "ada@c.example");
    }
}

#[test]
fn keys_are_looked_up_as_text() {
    let keys: HashSet<AddressKey> = [address("Ada@example.org").key(&KeyRules::default())].into();
    assert!(keys.contains("ada@example.org"));
    let sorted: BTreeSet<AddressKey> = ["b@example.org", "a@example.org"]
        .map(|text| text.parse().unwrap())
        .into();
    assert_eq!(sorted.first().unwrap().to_string(), "a@example.org");
}

#[test]
fn what_is_no_key_says_why() {
    for (text, expected) in [
        ("", "address is empty at byte 0"),
        ("ada", "`@` is missing at byte 3"),
        ("ada@", "domain is empty at byte 4"),
        ("ada@a b", "character not allowed at byte 5"),
        ("ada\r\n@example.org", "control character at byte 3"),
    ] {
        assert_eq!(
            text.parse::<AddressKey>().unwrap_err().to_string(),
            expected,
            "{text:?}"
        );
    }
    assert_eq!(
        "Postmaster@Example.org".parse::<AddressKey>().unwrap().as_str(),
        "postmaster@example.org"
    );
}

fn any_rules() -> impl Strategy<Value = KeyRules> {
    let separator = prop_oneof![Just('+'), Just('-'), Just('='), Just('.'), Just('a'), any::<char>()];
    (
        any::<bool>(),
        proptest::option::of(separator),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(ignore_case, separator, dots, gmail)| {
            let mut rules = KeyRules::exact().ignore_case(ignore_case);
            if let Some(separator) = separator {
                rules = rules.ignore_subaddress(separator);
            }
            if dots {
                rules = rules.ignore_dots_at("example.org".parse().unwrap());
            }
            if gmail { rules.gmail() } else { rules }
        })
}

fn any_address() -> impl Strategy<Value = EmailAddress> {
    (
        prop_oneof![
            "[a-zA-Z.+\\-=]{1,12}",
            "[ -~]{0,12}",
            "\\PC{1,10}",
            "[İIıKÅẞßΣσςǅǄǆ.+a\u{301}\u{323}\u{345}]{1,8}"
        ],
        prop_oneof![
            Just("example.org"),
            Just("GMAIL.com"),
            Just("googlemail.com"),
            Just("[192.0.2.1]")
        ],
    )
        .prop_filter_map("an address", |(local, domain)| {
            let options = ParseOptions::default().domain_literals(true);
            let quoted = local.replace('\\', "\\\\").replace('"', "\\\"");
            EmailAddress::parse_with(&format!("\"{quoted}\"@{domain}"), &options).ok()
        })
}

proptest! {
    #[test]
    fn a_key_is_its_own_key(address in any_address(), rules in any_rules()) {
        let key = address.key(&rules);
        prop_assert_eq!(&key.as_str().parse::<AddressKey>().unwrap(), &key);
        let options = ParseOptions::default().domain_literals(true);
        // A letter may be longer in lower case, and the address then too long.
        if let Ok(again) = EmailAddress::parse_with(key.as_str(), &options) {
            prop_assert_eq!(again.key(&rules), key);
        }
    }

    #[test]
    fn a_key_of_ascii_is_an_address(local in "[ -~]{1,60}", rules in any_rules()) {
        let domain: Domain = "example.org".parse().unwrap();
        // Quotes count to the length.
        if let Ok(address) = EmailAddress::from_parts(&local, &domain) {
            let key = address.key(&rules);
            prop_assert!(key.as_str().parse::<EmailAddress>().is_ok(), "{:?}", key);
        }
    }

    #[test]
    fn exact_keys_are_equal_as_addresses_are(one in any_address(), other in any_address()) {
        let rules = KeyRules::exact();
        if one == other {
            prop_assert_eq!(one.key(&rules), other.key(&rules));
        } else if !one.local_part().eq_ignore_ascii_case("postmaster") {
            prop_assert_ne!(one.key(&rules), other.key(&rules));
        }
    }

    #[test]
    fn looser_rules_join_no_fewer(one in any_address(), other in any_address(), rules in any_rules()) {
        if one.key(&KeyRules::exact()) == other.key(&KeyRules::exact()) {
            prop_assert_eq!(one.key(&rules), other.key(&rules));
        }
    }

    #[test]
    fn case_of_ascii_makes_no_difference_by_default(local in "[a-zA-Z0-9.+ ]{1,12}") {
        let domain: Domain = "example.org".parse().unwrap();
        let of = |local: &str| EmailAddress::from_parts(local, &domain).unwrap().key(&KeyRules::default());
        prop_assert_eq!(of(&local), of(&local.to_ascii_uppercase()));
    }

    #[test]
    fn no_key_holds_a_line_break(address in any_address(), rules in any_rules()) {
        let key = address.key(&rules);
        let is_break = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        prop_assert!(!key.as_str().contains(is_break));
    }
}
