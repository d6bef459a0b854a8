//! What is taken, what is refused, and how it is spelt afterwards.

#![allow(clippy::unwrap_used, reason = "tests")]

use posthaste_address::{Address, AddressList, Domain, EmailAddress, Group, Mailbox, ParseOptions};
use posthaste_address::{Envelope, EnvelopeError, EnvelopeId, Notify, OriginalRecipient, Recipient, ReturnContent};

fn literals() -> ParseOptions {
    ParseOptions::default().domain_literals(true)
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let found = match EmailAddress::parse_with(text, &literals()) {
        Ok(address) => address.to_string(),
        Err(error) => error.to_string(),
    };
    assert_eq!(found, expected, "{text:?}");
}

#[test]
fn quotes_stay_only_where_they_are_needed() {
    check(r#""ada"@example.org"#, "ada@example.org");
    check(r#""a\d\a"@example.org"#, "ada@example.org");
    check(r#""ada.b"@example.org"#, "ada.b@example.org");
    check(r#""ada..b"@example.org"#, r#""ada..b"@example.org"#);
    check(r#""ada b"@example.org"#, r#""ada b"@example.org"#);
    check(r#""a\"\\"@example.org"#, r#""a\"\\"@example.org"#);
    check(r#"""@example.org"#, r#"""@example.org"#);
    check(r#""ada"b@example.org"#, "character not allowed at byte 5");
    check("\"a\tb\"@example.org", "control character at byte 2");
    check("\"a\\ü\"@example.org", "character not allowed at byte 3");
}

#[test]
fn local_parts_beyond_ascii_have_one_spelling() {
    check("u\u{308}@example.org", "ü@example.org");
    // The Greek question mark is a semicolon after normalising, so it must not stand bare.
    check("a\u{37e}b@example.org", "\"a;b\"@example.org");
    check("\u{212a}elvin@example.org", "Kelvin@example.org");
    check("a\u{202e}b@example.org", "character not allowed at byte 1");
    check("a\u{a0}b@example.org", "character not allowed at byte 1");
    check("a\u{e000}b@example.org", "character not allowed at byte 1");
    check("a\u{2028}b@example.org", "control character at byte 1");
    check("a\u{85}b@example.org", "control character at byte 1");
    // Joiners are part of how some scripts are written.
    check("a\u{200d}b@example.org", "a\u{200d}b@example.org");
}

#[test]
fn lengths_are_octets_of_the_wire_form() {
    let longest = "a".repeat(64);
    check(&format!("{longest}@example.org"), &format!("{longest}@example.org"));
    check(
        &format!("a{longest}@example.org"),
        "local part is longer than 64 octets at byte 64",
    );
    check(
        &format!("{}@example.org", "ü".repeat(33)),
        "local part is longer than 64 octets at byte 64",
    );
    let label = "a".repeat(63);
    check(&format!("a@{label}.org"), &format!("a@{label}.org"));
    check(
        &format!("a@b.a{label}.org"),
        "domain label is empty or longer than 63 octets at byte 4",
    );
    let domain = format!("{label}.{label}.{label}.{}", "a".repeat(61));
    assert!(domain.parse::<Domain>().is_ok());
    check(&format!("a@{domain}"), "address is longer than 254 octets at byte 254");
    check(&format!("a@{domain}a"), "domain is longer than 253 octets at byte 255");
    check(
        &format!("a@{}.org", "ü".repeat(100_000)),
        "domain is longer than 253 octets at byte 255",
    );
}

#[test]
fn domains_in_addresses_are_host_names() {
    check("ada@EXAMPLE.org", "ada@example.org");
    check("ada@Bücher.example", "ada@xn--bcher-kva.example");
    check("ada@example\u{3002}org", "ada@example.org");
    check("ada@faß.example", "ada@xn--fa-hia.example");
    check("ada@example.org.", "misplaced dot at byte 15");
    check(
        "ada@example..org",
        "domain label is empty or longer than 63 octets at byte 12",
    );
    check("ada@a_b.org", "character not allowed at byte 5");
    check("ada@b.-a.org", "domain is not valid at byte 6");
    check("ada@b.ab--c.org", "domain is not valid at byte 6");
    check("ada@b.ü\u{200d}.org", "domain is not valid at byte 6");
    check("ada@b.a\u{37e}c.org", "character not allowed at byte 6");
    check("ada@b.a\u{ff20}c.org", "character not allowed at byte 6");
    check("ada@", "domain is empty at byte 4");
    check("ada@exam\u{2029}ple.org", "control character at byte 8");
}

#[test]
fn names_of_dns_are_wider() {
    let domain: Domain = "_dmarc.Example.ORG.".parse().unwrap();
    assert_eq!(domain.as_str(), "_dmarc.example.org");
    assert!(domain.is_subdomain_of(&"example.org".parse().unwrap()));
    assert!(domain.is_subdomain_of(&domain));
    assert!(
        !"badexample.org"
            .parse::<Domain>()
            .unwrap()
            .is_subdomain_of(&"example.org".parse().unwrap())
    );
    assert_eq!(domain.registrable().unwrap().as_str(), "example.org");
    assert_eq!("co.uk".parse::<Domain>().unwrap().registrable(), None);
    for refused in ["", ".", "..", "example..org", "[192.0.2.1]", "a b", "a\0b", "-a.org"] {
        assert!(refused.parse::<Domain>().is_err(), "{refused:?}");
    }
}

#[test]
fn literals_are_asked_for() {
    check("ada@[192.0.2.1]", "ada@[192.0.2.1]");
    check("ada@[ipv6:2001:DB8:0:0::1]", "ada@[IPv6:2001:db8::1]");
    check("ada@[IPv6:2001:db8::zz]", "address literal is not valid at byte 10");
    check("ada@[192.0.2]", "address literal is not valid at byte 5");
    check("ada@[192.0.2.1", "address literal is not allowed here at byte 4");
    check("ada@[192.0.2.1]x", "address literal is not allowed here at byte 4");
    for text in ["ada@[192.0.2.1]", "ada@[IPv6:::1]"] {
        assert!(text.parse::<EmailAddress>().is_err());
        assert!(text.parse::<Mailbox>().is_err());
        assert!(text.parse::<AddressList>().is_err());
        let address = EmailAddress::parse_with(text, &literals()).unwrap();
        assert!(address.domain().is_literal());
        assert!(address.domain().literal().is_some());
        assert_eq!(address.domain().registrable(), None);
        let mailbox = Mailbox::with_name("Ada", address).unwrap();
        assert_eq!(Mailbox::parse_with(&mailbox.to_string(), &literals()).unwrap(), mailbox);
    }
}

#[test]
fn a_label_that_says_punycode_is_punycode() {
    check("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example");
    // It decodes to a capital letter, which IDNA would map away; DNS can be asked for it all the same.
    check("ada@xn--example.com", "ada@xn--example.com");
    check("ada@b.xn--0.org", "domain is not valid at byte 6");
    check("ada@b.XN--.org", "domain is not valid at byte 6");
    assert!("xn--0.example".parse::<Domain>().is_ok());
    assert_eq!("xn--0.example".parse::<Domain>().unwrap().to_unicode(), "xn--0.example");
}

#[test]
fn stricter_options_say_what_they_refuse() {
    let strict = ParseOptions::default().public_domains(true).identifiers(true);
    for (text, expected) in [
        ("ada@example.org", "ada@example.org"),
        ("jürgen@bücher.рф", "jürgen@xn--bcher-kva.xn--p1ai"),
        ("उदाहरण.परीक्षा@example.org", "उदाहरण.परीक्षा@example.org"),
        ("ada@localhost", "domain is not one of the public DNS at byte 4"),
        ("ada@10.0.0.1", "domain is not one of the public DNS at byte 11"),
        ("ada@example.x2", "domain is not one of the public DNS at byte 12"),
        ("ada@xn--bcher-kva", "domain is not one of the public DNS at byte 4"),
        ("a€@example.org", "character not allowed at byte 1"),
        ("\"a \u{2014}\"@example.org", "character not allowed at byte 3"),
        ("a\u{1f680}@example.org", "character not allowed at byte 1"),
    ] {
        let found = match EmailAddress::parse_with(text, &strict) {
            Ok(address) => address.to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected, "{text:?}");
        let in_list = AddressList::parse_with(&format!("Ada <{text}>"), &strict);
        assert_eq!(
            in_list.is_ok(),
            EmailAddress::parse_with(text, &strict).is_ok(),
            "{text:?}"
        );
        assert!(text.parse::<EmailAddress>().is_ok(), "{text:?}");
    }
    let error = AddressList::parse_with("Ada <a.é€@example.org>", &strict).unwrap_err();
    assert_eq!(error.to_string(), "character not allowed at byte 9");
    let literals = strict.domain_literals(true);
    assert!(EmailAddress::parse_with("ada@[192.0.2.1]", &literals).is_ok());
}

#[test]
fn addresses_are_made_of_parts() {
    let domain: Domain = "example.org".parse().unwrap();
    for (local, expected) in [
        ("ada", "ada@example.org"),
        ("a b", r#""a b"@example.org"#),
        (r#"a@"\"#, r#""a@\"\\"@example.org"#),
        ("u\u{308}", "ü@example.org"),
        ("", "local part is empty at byte 0"),
        ("a\nb", "control character at byte 1"),
        ("ab\u{202e}", "character not allowed at byte 2"),
    ] {
        let found = match EmailAddress::from_parts(local, &domain) {
            Ok(address) => {
                assert_eq!(address.to_string().parse::<EmailAddress>().unwrap(), address);
                if local.is_ascii() {
                    assert_eq!(address.unquoted_local_part(), local);
                }
                address.to_string()
            }
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected, "{local:?}");
    }
    let error = EmailAddress::from_parts(&"a".repeat(65), &domain).unwrap_err();
    assert_eq!(error.to_string(), "local part is longer than 64 octets at byte 64");
    let underscore = "a_b.example.org".parse().unwrap();
    let error = EmailAddress::from_parts("ada", &underscore).unwrap_err();
    assert_eq!(error.to_string(), "character not allowed at byte 5");
    assert!(EmailAddress::from_parts("ada", &"xn--0.org".parse().unwrap()).is_err());
}

#[track_caller]
fn check_list(text: &str, expected: &str) {
    let found = match text.parse::<AddressList>() {
        Ok(list) => list.to_string(),
        Err(error) => error.to_string(),
    };
    assert_eq!(found, expected, "{text:?}");
}

#[test]
fn lists_take_comments_folding_and_old_forms() {
    check_list("(to) ada (her) @ (host) example . org (end)", "end <ada@example.org>");
    check_list(
        "ada@example.org (Ada (\\(L\\)) Lovelace)",
        "\"Ada ((L)) Lovelace\" <ada@example.org>",
    );
    check_list("\"a\".b . \"c d\"@example.org", "\"a.b.c d\"@example.org");
    check_list(
        "Ada\r\n Lovelace\r\n\t<ada@example.org>",
        "Ada Lovelace <ada@example.org>",
    );
    check_list("<@relay.example,@other.example:ada@example.org>", "ada@example.org");
    check_list(
        "田中\u{3000}太郎 <ada@example.org>",
        "田中\u{3000}太郎 <ada@example.org>",
    );
    check_list(
        ",, ada@example.org ,, bob@example.net;",
        "ada@example.org, bob@example.net",
    );
    check_list("Nobody:; ada@example.org", "Nobody:;, ada@example.org");
    check_list(
        "\"A, B\": a@example.org, \"C\" <c@example.org>;",
        "\"A, B\": a@example.org, C <c@example.org>;",
    );
    check_list("\"\\ü a\"@example.org", "\"ü a\"@example.org");
    check_list("", "");
}

#[test]
fn lists_do_not_guess() {
    check_list("Lovelace, Ada <ada@example.org>", "`@` is missing at byte 8");
    check_list("Ada ada@example.org", "character not allowed at byte 4");
    check_list("ada@example.org Ada", "unexpected text at byte 16");
    check_list("Ada <ada@example.org> <eve@example.com>", "unexpected text at byte 22");
    check_list("Ada <ada@example.org", "angle bracket is not closed at byte 4");
    check_list("A: B: ada@example.org;;", "group is not allowed here at byte 4");
    check_list("A: ada@example.org", "group is not closed at byte 1");
    check_list("ada@example.org (never", "comment is not closed at byte 16");
    check_list(
        "ada@example.org\r\nBcc: eve@example.com",
        "control character at byte 15",
    );
    check_list("ada@example.org\n bob@example.net", "control character at byte 15");
    check_list("\"Ada\nBcc\" <ada@example.org>", "control character at byte 4");
    check_list("Ada <>", "local part is empty at byte 5");
    check_list("Ada <ada@example.org@example.com>", "character not allowed at byte 20");
    check_list("ada@(at)example . (dot) o_rg", "character not allowed at byte 25");
    check_list("ada@example(dot).(dot)-org (x)", "domain is not valid at byte 22");
}

#[test]
fn one_thing_is_not_another() {
    assert!("A: ada@example.org;".parse::<Mailbox>().is_err());
    assert!("ada@example.org".parse::<Group>().is_err());
    assert!("ada@example.org, bob@example.net".parse::<Mailbox>().is_err());
    assert!(matches!("A:;".parse::<Address>().unwrap(), Address::Group(_)));
    assert_eq!("A: a@b, c@d;".parse::<Group>().unwrap().members().len(), 2);
    assert!("A: a@[192.0.2.1];".parse::<Group>().is_err());
    assert!(Group::parse_with("A: a@[192.0.2.1];", &literals()).is_ok());
    assert!(Address::parse_with("a@[192.0.2.1]", &literals()).is_ok());
}

#[test]
fn lists_grow() {
    let mut list = AddressList::from("Ada <ada@example.org>".parse::<Mailbox>().unwrap());
    list.push("bob@example.net".parse::<EmailAddress>().unwrap());
    list.extend(["A:;".parse::<Address>().unwrap()]);
    assert_eq!(list.to_string(), "Ada <ada@example.org>, bob@example.net, A:;");
}

#[test]
fn names_cannot_end_a_line() {
    let address: EmailAddress = "ada@example.org".parse().unwrap();
    for bad in [
        "\r", "\n", "\0", "\t", "\u{b}", "\u{c}", "\u{7f}", "\u{85}", "\u{2028}", "\u{2029}",
    ] {
        let error = Mailbox::with_name(format!("Ada{bad}"), address.clone()).unwrap_err();
        assert_eq!(error.to_string(), "control character at byte 3", "{bad:?}");
        assert!(Group::new(bad, []).is_err());
    }
    let named = Mailbox::with_name("Ada \u{1f680} (L.) \"x\"", address).unwrap();
    assert_eq!(named.to_string(), "\"Ada \u{1f680} (L.) \\\"x\\\"\" <ada@example.org>");
}

#[test]
fn envelopes_carry_wishes() {
    let ada: EmailAddress = "ada@example.org".parse().unwrap();
    let none: [EmailAddress; 0] = [];
    assert_eq!(Envelope::new(None, none), Err(EnvelopeError::NoRecipients));
    let recipient = Recipient::from("ü@example.org".parse::<EmailAddress>().unwrap())
        .with_notify(Notify::on(true, false, true))
        .with_original_recipient(OriginalRecipient::new("rfc822", "a+b=c d@example.org").unwrap());
    let envelope = Envelope::new(Some(ada.clone()), [recipient])
        .unwrap()
        .with_envelope_id(EnvelopeId::new("a b").unwrap())
        .with_return_content(ReturnContent::Headers)
        .with_require_tls(true);
    assert!(envelope.needs_smtputf8() && envelope.require_tls());
    assert_eq!(envelope.mail_from(), Some(&ada));
    assert_eq!(envelope.envelope_id().unwrap().to_xtext(), "a+20b");
    assert_eq!(envelope.return_content().unwrap().to_string(), "HDRS");
    let recipient = envelope.recipients().first().unwrap();
    assert_eq!(recipient.notify().unwrap().to_string(), "SUCCESS,DELAY");
    assert_eq!(
        recipient.original_recipient().unwrap().to_xtext(),
        "rfc822;a+2Bb+3Dc+20d@example.org"
    );
}

#[test]
fn envelopes_are_split() {
    let recipients = ["a@example.org", "b@example.net", "c@example.org"];
    let recipients = recipients.map(|text| Recipient::from(text.parse::<EmailAddress>().unwrap()));
    let recipients = recipients.map(|recipient| recipient.with_notify(Notify::Never));
    let whole = Envelope::new(None, recipients)
        .unwrap()
        .with_envelope_id(EnvelopeId::new("x").unwrap())
        .with_return_content(ReturnContent::Full)
        .with_require_tls(true);
    let batches: Vec<Envelope> = whole.batches(2.try_into().unwrap()).collect();
    assert_eq!(
        batches.iter().map(|batch| batch.recipients().len()).collect::<Vec<_>>(),
        [2, 1]
    );
    let domains = whole.by_domain();
    assert_eq!(
        domains.keys().map(Domain::as_str).collect::<Vec<_>>(),
        ["example.net", "example.org"]
    );
    for part in batches.iter().chain(domains.values()) {
        assert_eq!(part, &whole.with_recipients(part.recipients().iter().cloned()).unwrap());
        assert!(part.require_tls() && part.envelope_id().is_some() && part.return_content().is_some());
        assert_eq!(part.recipients().first().unwrap().notify(), Some(Notify::Never));
    }
    let joined = domains.values().flat_map(|part| part.recipients().iter().cloned());
    assert_eq!(whole.with_recipients(joined).unwrap().recipients().len(), 3);
    assert_eq!(
        whole.with_recipients(Vec::<Recipient>::new()),
        Err(EnvelopeError::NoRecipients)
    );
}

#[test]
fn wishes_read_back_and_refuse_the_rest() {
    for text in ["NEVER", "SUCCESS", "FAILURE,DELAY"] {
        assert_eq!(text.parse::<Notify>().unwrap().to_string(), text);
    }
    for text in ["", "NEVER,SUCCESS", "DELAY,DELAY", "SUCCESS,", "MAYBE"] {
        assert_eq!(text.parse::<Notify>(), Err(EnvelopeError::Notify), "{text:?}");
    }
    assert_eq!("full".parse(), Ok(ReturnContent::Full));
    assert_eq!("BODY".parse::<ReturnContent>(), Err(EnvelopeError::ReturnContent));
    for id in ["", "a\r\nb", "ü", &"a".repeat(101)] {
        assert_eq!(EnvelopeId::new(id), Err(EnvelopeError::EnvelopeId), "{id:?}");
    }
    let original: OriginalRecipient = "utf-8;ü+=\\@example.org".parse().unwrap();
    assert_eq!(original.to_xtext(), "utf-8;\\x{FC}\\x{2B}\\x{3D}\\x{5C}@example.org");
    for (kind, address) in [
        ("", "a@b"),
        ("rfc 822", "a@b"),
        ("rfc822", ""),
        ("rfc822", "ü@b"),
        ("utf-8", "a\nb"),
    ] {
        assert_eq!(
            OriginalRecipient::new(kind, address),
            Err(EnvelopeError::OriginalRecipient),
            "{address:?}"
        );
    }
}
