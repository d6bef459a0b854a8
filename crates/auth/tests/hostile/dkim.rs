//! DKIM: RFC 6376 §8 and what else is tried.

use std::sync::Arc;
use std::time::{Duration, Instant};

use posthaste_auth::dkim::{DkimResult, KeyRecordError, Reason, SignError, SignatureError, Signer, SigningKey, verify};
use posthaste_auth::dmarc::DmarcResult;
use posthaste_auth::{Authenticator, Connection};
use posthaste_dns::{Record, Zone};

use crate::forge::{BODY, FIELDS, Forged, KEY_NAME, NOW, key_record, now, rsa_record, text, zone, zone_with_key};

/// What comes of the first signature.
async fn verdict(message: &str, zone: &Zone) -> (DkimResult, Option<Reason>) {
    let verdicts = verify(message.as_bytes(), zone, now()).await;
    (verdicts[0].result(), verdicts[0].reason().cloned())
}

async fn check(message: &str, expected: DkimResult, reason: impl Into<Option<Reason>>) {
    assert_eq!(
        verdict(message, &zone_with_key()).await,
        (expected, reason.into()),
        "{message}"
    );
}

#[tokio::test]
async fn an_honest_signature_passes() {
    check(&Forged::default().message(), DkimResult::Pass, None).await;
}

#[tokio::test]
async fn a_body_that_is_signed_in_part_or_too_short_does_not_pass() {
    let tags = "d=example.org; s=s; l=12";
    let forged = Forged {
        tags,
        ..Forged::default()
    };
    check(&forged.message(), DkimResult::Pass, None).await;
    let appended = forged.message() + "<h1>Buy!</h1>\r\n";
    check(&appended, DkimResult::Neutral, Reason::PartlySigned).await;
    for tags in [
        "d=example.org; s=s; l=13",
        "d=example.org; s=s; l=99999999999999999999999999",
    ] {
        let forged = Forged {
            tags,
            ..Forged::default()
        };
        check(&forged.message(), DkimResult::PermError, Reason::LengthTooLong).await;
    }
    let none = Forged {
        tags: "d=example.org; s=s; l=0",
        body: "",
        ..Forged::default()
    };
    check(&none.message(), DkimResult::Neutral, Reason::PartlySigned).await;
    for length in ["-1", "12x", "", "0x0c"] {
        let tags = format!("d=example.org; s=s; l={length}");
        let forged = Forged {
            tags: &tags,
            ..Forged::default()
        };
        let reason = Reason::Signature(SignatureError::Invalid("l"));
        check(&forged.message(), DkimResult::PermError, reason).await;
    }
}

/// RFC 6376 §5.4.2 and §8.15: a field is put on top of the signed one. Only a signer that also signs the absence of a further
/// one is safe; what we sign is.
#[tokio::test]
async fn a_second_field_breaks_a_signature_that_signs_its_absence() {
    for (name, value) in [
        ("from", "eve@example.com"),
        ("subject", "send money"),
        ("content-type", "text/html; boundary=x"),
    ] {
        let fields = [FIELDS, &[("content-type", "text/plain")]].concat();
        let once = Forged {
            names: "from:subject:content-type",
            ..Forged::default()
        };
        let signed = once.field(&fields) + &text(&fields, BODY);
        let attacked = format!("{name}: {value}\r\n{signed}");
        check(&attacked, DkimResult::Pass, None).await;
        let twice = Forged {
            names: "from:from:subject:subject:content-type:content-type",
            ..Forged::default()
        };
        let signed = twice.field(&fields) + &text(&fields, BODY);
        check(&signed, DkimResult::Pass, None).await;
        let attacked = format!("{name}: {value}\r\n{signed}");
        check(&attacked, DkimResult::Fail, Reason::Mismatch).await;
    }
}

/// The signature says nothing of the From field that a reader sees: DMARC refuses to choose.
#[tokio::test]
async fn two_from_fields_are_no_dmarc_pass_even_under_a_signature_that_holds() {
    let mut zone = zone_with_key();
    zone.insert("_dmarc.example.org", Record::txt("v=DMARC1; p=reject"))
        .unwrap();
    let authenticator = Authenticator::new(Arc::new(zone));
    let connection = Connection::new([192, 0, 2, 1].into(), "mail.example.org", None);
    for from in ["eve@example.com", "eve@example.org"] {
        let message = format!("from: {from}\r\n{}", Forged::default().message());
        let report = authenticator.authenticate(&connection, message.as_bytes(), now()).await;
        assert_eq!(report.dkim()[0].result(), DkimResult::Pass);
        assert_eq!(report.dmarc().result(), DmarcResult::PermError, "{from}");
    }
}

#[tokio::test]
async fn short_rsa_keys_are_policy_whatever_they_signed() {
    let forged = Forged {
        algorithm: "rsa-sha256",
        ..Forged::default()
    };
    for bits in [64, 512, 768, 1023] {
        let zone = zone(&[(KEY_NAME, &rsa_record(bits))]);
        let found = verdict(&forged.message(), &zone).await;
        let reason = Reason::Key(KeyRecordError::TooShort);
        assert_eq!(found, (DkimResult::Policy, Some(reason)), "{bits}");
    }
    for bits in [1024, 2048, 4096] {
        let zone = zone(&[(KEY_NAME, &rsa_record(bits))]);
        let found = verdict(&forged.message(), &zone).await;
        assert_eq!(found, (DkimResult::Fail, Some(Reason::Mismatch)), "{bits}");
    }
    // As large as a TXT record can be had: refused, not computed with.
    let zone = zone(&[(KEY_NAME, &rsa_record(65_536))]);
    let (result, _) = verdict(&forged.message(), &zone).await;
    assert_ne!(result, DkimResult::Pass);
}

#[tokio::test]
async fn signatures_that_are_none_ask_the_dns_nothing() {
    let zone = zone_with_key();
    let perm = |error: SignatureError| Some(Reason::Signature(error));
    for (forged, reason) in [
        (
            Forged {
                algorithm: "rsa-sha1",
                ..Forged::default()
            },
            perm(SignatureError::Sha1),
        ),
        (
            Forged {
                algorithm: "rsa-md5",
                ..Forged::default()
            },
            perm(SignatureError::Algorithm),
        ),
        (
            Forged {
                names: "subject:to",
                ..Forged::default()
            },
            perm(SignatureError::FromNotSigned),
        ),
        (
            Forged {
                tags: "d=example.org; s=s; i=@example.com",
                ..Forged::default()
            },
            perm(SignatureError::Identity),
        ),
        (
            Forged {
                tags: "d=example.org; s=s; i=@badexample.org",
                ..Forged::default()
            },
            perm(SignatureError::Identity),
        ),
        (
            Forged {
                tags: "d=example.org; s=s; i=@org",
                ..Forged::default()
            },
            perm(SignatureError::Identity),
        ),
        (
            Forged {
                tags: "d=org; s=s",
                ..Forged::default()
            },
            perm(SignatureError::Invalid("d")),
        ),
        (
            Forged {
                tags: "d=example.org; s=s; t=1700000000; x=1700000000",
                ..Forged::default()
            },
            perm(SignatureError::ExpiryBeforeTime),
        ),
        (
            Forged {
                tags: "d=example.org; s=s; t=1700000000; x=1600000000",
                ..Forged::default()
            },
            perm(SignatureError::ExpiryBeforeTime),
        ),
        (
            Forged {
                tags: "d=example.org; s=s; t=1600000000; x=1699999999",
                ..Forged::default()
            },
            Some(Reason::Expired),
        ),
        (
            Forged {
                tags: "d=example.org; s=s; x=0",
                ..Forged::default()
            },
            Some(Reason::Expired),
        ),
        (
            Forged {
                tags: "d=example.org; s=s; t=1700100000",
                ..Forged::default()
            },
            Some(Reason::Future),
        ),
        (
            Forged {
                tags: "d=example.org; s=s; t=999999999999",
                ..Forged::default()
            },
            Some(Reason::Future),
        ),
    ] {
        let found = verdict(&forged.message(), &zone).await;
        assert_eq!(found, (DkimResult::PermError, reason), "{forged:?}");
    }
    assert_eq!(zone.queries(), 0);
}

#[tokio::test]
async fn clocks_may_differ_a_little() {
    let soon = format!("d=example.org; s=s; t={}", NOW + 3600);
    let forged = Forged {
        tags: &soon,
        ..Forged::default()
    };
    check(&forged.message(), DkimResult::Pass, None).await;
    let just = format!("d=example.org; s=s; x={NOW}");
    let forged = Forged {
        tags: &just,
        ..Forged::default()
    };
    check(&forged.message(), DkimResult::Pass, None).await;
}

#[tokio::test]
async fn junk_in_tags_is_a_permanent_error_and_asks_the_dns_nothing() {
    let zone = zone_with_key();
    let honest = Forged::default().message();
    let (_, rest) = honest.split_once("v=1;").unwrap();
    let long = "x".repeat(100_000);
    let many = "a=b;".repeat(50_000);
    for junk in [
        "",
        ";",
        "=;",
        "v;",
        "v=1; v=1;",
        "v=2;",
        "v=1; d=example.com;",
        "v=1; 1a=x;",
        "v=1; a b=x;",
        "v=1; x-\u{e9}=1;",
        "v=1\u{0};",
        "v=1; q=http;",
        "v=1; c=strict;",
        "v=1; bh=;",
        &long,
        &many,
    ] {
        // The tags that are there already make some of them duplicates.
        let message = format!("DKIM-Signature: {junk}{rest}");
        let (result, reason) = verdict(&message, &zone).await;
        let start: String = junk.chars().take(20).collect();
        assert_eq!(result, DkimResult::PermError, "{start:?}");
        assert!(matches!(reason, Some(Reason::Signature(_))), "{start:?}: {reason:?}");
    }
    let octets = [&b"DKIM-Signature: v=1; \xff\xfe"[..], rest.as_bytes()].concat();
    let verdicts = verify(&octets, &zone, now()).await;
    assert_eq!(verdicts[0].result(), DkimResult::PermError);
    assert_eq!(zone.queries(), 0);
}

#[tokio::test]
async fn keys_that_may_not_be_used_have_their_reasons() {
    let good = key_record();
    let key = good.split_once("p=").unwrap().1;
    let strict = format!("v=DKIM1; k=ed25519; t=y:s; p={key}");
    let below = Forged {
        tags: "d=example.org; s=s; i=@news.example.org",
        ..Forged::default()
    };
    let found = verdict(&below.message(), &zone(&[(KEY_NAME, &strict)])).await;
    assert_eq!(found, (DkimResult::PermError, Some(Reason::StrictIdentity)));
    check(&below.message(), DkimResult::Pass, None).await;
    for (record, reason) in [
        ("v=DKIM1; k=ed25519; p=".to_owned(), KeyRecordError::Revoked),
        (
            format!("v=DKIM1; k=ed25519; h=sha1; p={key}"),
            KeyRecordError::HashNotAllowed,
        ),
        (
            format!("v=DKIM1; k=ed25519; s=tlsrpt; p={key}"),
            KeyRecordError::NotForEmail,
        ),
        (format!("k=ed25519; v=DKIM1; p={key}"), KeyRecordError::Version),
        (format!("v=DKIM2; k=ed25519; p={key}"), KeyRecordError::Version),
        (format!("v=DKIM1; k=ed448; p={key}"), KeyRecordError::KeyType),
        (format!("v=DKIM1; k=ed25519; p={key}AAAA"), KeyRecordError::Malformed),
        (format!("v=DKIM1; k=ed25519; p={key}; p={key}"), KeyRecordError::Syntax),
    ] {
        let found = verdict(&Forged::default().message(), &zone(&[(KEY_NAME, &record)])).await;
        assert_eq!(found, (DkimResult::PermError, Some(Reason::Key(reason))), "{record}");
    }
}

#[tokio::test]
async fn thousands_of_signatures_cost_ten() {
    for count in [200, 1000, 100_000] {
        let field = Forged::default().field(FIELDS);
        let message = field.repeat(count) + &text(FIELDS, BODY);
        let zone = zone_with_key();
        let begun = Instant::now();
        let verdicts = verify(message.as_bytes(), &zone, now()).await;
        assert!(zone.queries() <= 10, "{}", zone.queries());
        assert_eq!(verdicts.len(), 11);
        assert!(
            verdicts[..10]
                .iter()
                .all(|verdict| verdict.result() == DkimResult::Pass)
        );
        assert_eq!(verdicts[10].result(), DkimResult::Neutral);
        assert_eq!(verdicts[10].reason(), Some(&Reason::TooManySignatures(count - 10)));
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "{count}: {:?}",
            begun.elapsed()
        );
    }
}

/// Each of them asks for another key, and for the hash of another part of the body.
#[tokio::test]
async fn different_signatures_cost_no_more_questions_and_hashes_than_are_allowed() {
    let body = "x".repeat(1_000_000) + "\r\n";
    let mut message = String::new();
    for number in 0..1000 {
        let tags = format!("d=example.org; s=s{number}; l={number}");
        let forged = Forged {
            tags: &tags,
            body: body.get(..number).unwrap(),
            ..Forged::default()
        };
        message += &forged.field(FIELDS);
    }
    message += &text(FIELDS, &body);
    let zone = Zone::new();
    let begun = Instant::now();
    let verdicts = verify(message.as_bytes(), &zone, now()).await;
    assert!(zone.queries() <= 10, "{}", zone.queries());
    assert_eq!(verdicts.len(), 11);
    assert!(verdicts.iter().all(|verdict| verdict.result() != DkimResult::Pass));
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_list_of_a_hundred_thousand_names_is_no_work() {
    let names = "from:subject:".to_owned() + &"x:from:".repeat(50_000) + "to";
    let forged = Forged {
        names: &names,
        ..Forged::default()
    };
    let begun = Instant::now();
    let _ = verdict(&forged.message(), &zone_with_key()).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn huge_dns_answers_are_read_in_part_or_in_no_time() {
    // 64 KB of notes around a good key: still that key.
    let good = key_record();
    let padded = format!("{good}; n={}", "x".repeat(65_000));
    let begun = Instant::now();
    let found = verdict(&Forged::default().message(), &zone(&[(KEY_NAME, &padded)])).await;
    assert_eq!(found, (DkimResult::Pass, None));

    // A thousand records, none of which fits: one question, and an end.
    let mut many = Zone::new();
    for number in 0..1000 {
        let junk = format!("v=DKIM1; k=ed25519; n={number}; p={}", "A".repeat(43) + "=");
        many.insert(KEY_NAME, Record::txt(&junk)).unwrap();
    }
    let (result, reason) = verdict(&Forged::default().message(), &many).await;
    assert!(
        matches!(result, DkimResult::PermError | DkimResult::Fail),
        "{result} {reason:?}"
    );
    assert_eq!(many.queries(), 1);

    // 64 KB of nonsense, in octets that are no text.
    for octets in [
        vec![b';'; 65_000],
        vec![0xff; 65_000],
        b"p=".repeat(32_000),
        b"a=b;".repeat(16_000),
    ] {
        let mut zone = Zone::new();
        zone.insert(KEY_NAME, Record::txt(&octets)).unwrap();
        let (result, reason) = verdict(&Forged::default().message(), &zone).await;
        assert_eq!(result, DkimResult::PermError, "{reason:?}");
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

/// RFC 6376 §3.4.2 unfolds at CRLF alone. Some readers end a line at a CR, too, and would find a field that nobody signed.
#[tokio::test]
async fn a_carriage_return_in_a_signed_field_is_text() {
    let signed = [
        ("from", "ada@example.org"),
        ("subject", "helloReply-To: eve@example.com"),
    ];
    let honest = Forged::default().field(&signed) + &text(&signed, BODY);
    check(&honest, DkimResult::Pass, None).await;
    let split = honest.replace("Reply-To", "\rReply-To");
    check(&split, DkimResult::Fail, Reason::Mismatch).await;
}

/// RFC 6376 §3.8: a header section ends at such a line for some readers, and they show what follows as the body.
#[tokio::test]
async fn a_line_that_is_no_field_is_a_permanent_error() {
    let honest = Forged::default().message();
    for line in [
        "Buy!",
        "Dear Bob: buy!",
        "From eve Mon Nov 23",
        "From\0: eve@example.com",
        ": x",
    ] {
        let smuggled = honest.replace("\r\n\r\n", &format!("\r\n{line}\r\n\r\n"));
        check(&smuggled, DkimResult::PermError, Reason::StrayLine).await;
    }
    // How a message begins in an mbox.
    let kept = format!("From ada@example.org Mon Nov 23 12:00:00 2026\r\n{honest}");
    check(&kept, DkimResult::Pass, None).await;
}

#[tokio::test]
async fn a_key_on_trial_is_known_as_such_when_its_signature_fails() {
    let changed = Forged::default().message().replace("subject: hello", "subject: hell");
    let testing = key_record().replace("k=ed25519;", "k=ed25519; t=y;");
    for (record, expected) in [(key_record(), false), (testing, true)] {
        let verdicts = verify(changed.as_bytes(), &zone(&[(KEY_NAME, &record)]), now()).await;
        assert_eq!(
            (verdicts[0].result(), verdicts[0].is_testing()),
            (DkimResult::Fail, expected)
        );
    }
}

/// RFC 8616 §3: `d=`, `s=` and `i=` may have U-labels, and are asked for as A-labels.
#[tokio::test]
async fn international_domains_and_selectors_are_asked_for_as_a_labels() {
    let tags = "d=b\u{fc}cher.example; s=schl\u{fc}ssel; i=j\u{f6}rg@news.b\u{fc}cher.example";
    let forged = Forged {
        tags,
        ..Forged::default()
    };
    let name = "xn--schlssel-95a._domainkey.xn--bcher-kva.example";
    let verdicts = verify(forged.message().as_bytes(), &zone(&[(name, &key_record())]), now()).await;
    assert_eq!(verdicts[0].result(), DkimResult::Pass, "{:?}", verdicts[0]);
    assert_eq!(verdicts[0].domain().unwrap().as_str(), "xn--bcher-kva.example");
    assert_eq!(verdicts[0].identity().unwrap().as_str(), "news.xn--bcher-kva.example");
    assert_eq!(verdicts[0].selector().unwrap().as_str(), "xn--schlssel-95a");
    for tags in [
        "d=example.org; s=a\u{a0}b",
        "d=example.org; s=\u{202e}s",
        "d=exa\u{7f}mple.org; s=s",
    ] {
        let forged = Forged {
            tags,
            ..Forged::default()
        };
        let verdicts = verify(forged.message().as_bytes(), &zone_with_key(), now()).await;
        assert_eq!(verdicts[0].result(), DkimResult::PermError, "{tags}");
    }
}

#[test]
fn a_message_from_an_mbox_is_not_signed_as_it_stands() {
    let key = SigningKey::generate_ed25519().unwrap();
    let domain = "example.org".parse().unwrap();
    let signer = Signer::builder(domain).key("s".parse().unwrap(), key).build().unwrap();
    let message = format!("From ada Mon Nov 23 10:00:00 2026\r\n{}", text(FIELDS, BODY));
    assert_eq!(signer.sign([message.as_bytes()], now()), Err(SignError::StrayLine));
}
