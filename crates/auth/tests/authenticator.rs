//! The one call: what it says of messages as they come, and of those that somebody made to mislead it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test says by panicking that it failed"
)]

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use posthaste_auth::authres::{AuthenticationResults, strip};
use posthaste_auth::dkim::{DkimResult, Reason, Signer, SigningKey};
use posthaste_auth::dmarc::{DmarcResult, Policy, PolicyTag, Standing};
use posthaste_auth::iprev::IprevResult;
use posthaste_auth::{AuthReport, Authenticator, AuthorError, Check, Connection, SesVerdict, Tls, arc, spf};
use posthaste_dns::{LookupError, Record, RecordType, Zone};
use proptest::prelude::*;

const MESSAGE: &str = "From: Ada <ada@example.org>\r\nSubject: hello\r\n\r\nFirst line\r\n";

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

fn key() -> SigningKey {
    SigningKey::from_ed25519_seed(&[7; 32]).unwrap()
}

fn zone() -> Zone {
    let mut zone = Zone::parse(
        "example.org.              TXT  \"v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all\"\n\
         news.example.org.         TXT  \"v=spf1 ip4:192.0.2.1 -all\"\n\
         mail.example.org.         A    192.0.2.1\n\
         mail.example.org.         AAAA 2001:db8::1\n\
         mail.example.org.         TXT  \"v=spf1 a -all\"\n\
         _dmarc.example.org.       TXT  \"v=DMARC1; p=reject; sp=quarantine\"\n\
         1.2.0.192.in-addr.arpa.   PTR  mail.example.org.\n\
         1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. PTR mail.example.org.\n\
         stranger.example.         TXT  \"v=spf1 +all\"\n",
    )
    .unwrap();
    zone.insert("s._domainkey.example.org", Record::txt(key().dns_record()))
        .unwrap();
    zone
}

fn sign(message: &str) -> String {
    let signer = Signer::builder("example.org".parse().unwrap())
        .key("s".parse().unwrap(), key())
        .build()
        .unwrap();
    signer.sign([message.as_bytes()], now()).unwrap() + message
}

fn connection(ip: &str, helo: &str, mail_from: &str) -> Connection {
    let mail_from = (!mail_from.is_empty()).then(|| mail_from.parse().unwrap());
    Connection::new(ip.parse::<IpAddr>().unwrap(), helo, mail_from)
}

fn usual() -> Connection {
    connection("192.0.2.1", "mail.example.org", "ada@example.org")
}

async fn run(zone: Zone, connection: &Connection, message: impl AsRef<[u8]>) -> AuthReport {
    Authenticator::new(Arc::new(zone))
        .authenticate(connection, message.as_ref(), now())
        .await
}

fn parsed(report: &AuthReport) -> AuthenticationResults {
    let field = report.authentication_results("mx.example.net");
    assert!(
        field.ends_with("\r\n") && field.split("\r\n").all(|line| line.len() <= 998),
        "{field}"
    );
    assert!(!field.contains("\r\n\r\n"), "{field}");
    let value = field.strip_prefix("Authentication-Results:").unwrap();
    AuthenticationResults::parse(value).unwrap()
}

#[tokio::test]
async fn all_is_said_of_a_message_that_is_right() {
    let connection = usual().tls(Tls::new("TLSv1.3"));
    let report = run(zone(), &connection, sign(MESSAGE)).await;
    assert_eq!(report.spf().result(), spf::Result::Pass);
    assert_eq!(report.spf_helo().unwrap().result(), spf::Result::Pass);
    assert_eq!(report.dkim()[0].result(), DkimResult::Pass);
    assert_eq!(report.arc().unwrap().result(), arc::ChainResult::None);
    assert_eq!(report.iprev().unwrap().result(), IprevResult::Pass);
    assert_eq!(report.author_error(), None);
    assert_eq!(report.connection().encryption().unwrap().version(), "TLSv1.3");
    let dmarc = report.dmarc();
    assert_eq!(
        (dmarc.result(), dmarc.policy_tag()),
        (DmarcResult::Pass, Some(PolicyTag::Domain))
    );
    assert!(
        dmarc
            .identifiers()
            .iter()
            .all(|identifier| identifier.standing() == Standing::SameDomain)
    );
    assert_eq!(dmarc.identifiers().len(), 2);

    let asked: Vec<(Check, u64)> = report
        .lookups()
        .iter()
        .map(|part| (part.check(), part.count()))
        .collect();
    let expected = [
        (Check::Spf, 1),
        (Check::SpfHelo, 2),
        (Check::Dkim, 1),
        (Check::Arc, 0),
        (Check::Iprev, 2),
        (Check::Dmarc, 1),
    ];
    assert_eq!(asked, expected);
    assert_eq!(report.queries().count(), 7);
    assert_eq!(report.queries().next().unwrap().name, "example.org");

    assert_eq!(
        report.authentication_results("mx.example.net"),
        "Authentication-Results: mx.example.net;\r\n\
         \tspf=pass smtp.mailfrom=ada@example.org;\r\n\
         \tspf=pass smtp.helo=mail.example.org;\r\n\
         \tdkim=pass header.d=example.org header.s=s header.a=ed25519-sha256\r\n\
         \theader.b=B86WzZY0;\r\n"
            .replace("B86WzZY0", report.dkim()[0].signature_prefix().unwrap())
            .to_owned()
            + "\tarc=none smtp.remote-ip=192.0.2.1;\r\n\
               \tdmarc=pass header.from=example.org policy.published-domain-policy=reject;\r\n\
               \tiprev=pass (mail.example.org) policy.iprev=192.0.2.1\r\n"
    );
}

#[tokio::test]
async fn parts_that_nobody_asked_for_ask_nothing() {
    let authenticator = Authenticator::new(Arc::new(zone())).helo(false).iprev(false).arc(false);
    let report = authenticator.authenticate(&usual(), MESSAGE.as_bytes(), now()).await;
    assert!(report.spf_helo().is_none() && report.iprev().is_none() && report.arc().is_none());
    assert_eq!(report.queries().count(), 2);
    let methods: Vec<String> = parsed(&report)
        .results()
        .iter()
        .map(|result| result.method().to_owned())
        .collect();
    assert_eq!(methods, ["spf", "dkim", "dmarc"]);
}

#[tokio::test]
async fn alignment_is_spelt_out() {
    let stranger = connection("192.0.2.1", "mail.example.org", "eve@stranger.example");
    let report = run(zone(), &stranger, MESSAGE).await;
    let dmarc = report.dmarc();
    assert_eq!(
        (dmarc.result(), dmarc.disposition()),
        (DmarcResult::Fail, Policy::Reject)
    );
    assert_eq!(dmarc.identifiers()[0].standing(), Standing::OtherOrganisation);
    assert_eq!(dmarc.organisation().unwrap().as_str(), "example.org");
    assert_eq!(report.ses().dmarc_policy, Some(Policy::Reject));

    // SPF passed for a subdomain: relaxed alignment says yes, strict says no.
    let news = connection("192.0.2.1", "mail.example.org", "ada@news.example.org");
    let report = run(zone(), &news, MESSAGE).await;
    assert_eq!(report.dmarc().result(), DmarcResult::Pass);
    let identifier = &report.dmarc().identifiers()[0];
    assert_eq!(
        (identifier.standing(), identifier.is_aligned()),
        (Standing::SameOrganisation, true)
    );
    assert_eq!(identifier.organisation().unwrap().as_str(), "example.org");
    let strict = zone().to_string().replace("sp=quarantine", "aspf=s; t=y");
    let report = run(Zone::parse(&strict).unwrap(), &news, MESSAGE).await;
    let dmarc = report.dmarc();
    assert_eq!(
        (dmarc.result(), dmarc.policy()),
        (DmarcResult::Fail, Some(Policy::Reject))
    );
    assert_eq!(
        (dmarc.disposition(), dmarc.identifiers()[0].standing()),
        (Policy::Quarantine, Standing::OtherDomain)
    );
    assert!(
        report
            .authentication_results("mx")
            .contains("dmarc=fail (p=reject, t=y, disposition=quarantine)")
    );

    // From is a subdomain: sp= applies.
    let report = run(zone(), &stranger, MESSAGE.replace("@example.org", "@www.example.org")).await;
    let dmarc = report.dmarc();
    assert_eq!(
        (dmarc.policy_tag(), dmarc.disposition()),
        (Some(PolicyTag::Subdomain), Policy::Quarantine)
    );

    // And one that does not exist: np= does.
    let nonexistent = zone().to_string().replace("sp=quarantine", "sp=none; np=quarantine");
    let author = MESSAGE.replace("@example.org", "@nothing.example.org");
    let report = run(Zone::parse(&nonexistent).unwrap(), &stranger, author).await;
    let dmarc = report.dmarc();
    assert_eq!(
        (dmarc.policy_tag(), dmarc.disposition()),
        (Some(PolicyTag::Nonexistent), Policy::Quarantine)
    );
}

#[tokio::test]
async fn null_senders_are_judged_by_their_greeting() {
    let report = run(zone(), &connection("192.0.2.1", "mail.example.org", ""), MESSAGE).await;
    assert_eq!(
        (report.spf().result(), report.spf().identity()),
        (spf::Result::Pass, spf::Identity::Helo)
    );
    assert!(report.spf_helo().is_none());
    assert_eq!(report.dmarc().result(), DmarcResult::Pass);
    assert_eq!(
        parsed(&report).results()[0].value_of("smtp", "helo"),
        Some("mail.example.org")
    );
    for literal in ["[192.0.2.1]", "[IPv6:2001:db8::1]", "localhost", "", "-", "a b"] {
        let report = run(zone(), &connection("192.0.2.1", literal, ""), MESSAGE).await;
        assert_eq!(report.spf().result(), spf::Result::None, "{literal}");
        assert_eq!(report.dmarc().result(), DmarcResult::Fail);
        assert_eq!(report.ses().spf, SesVerdict::Gray);
        assert_eq!(parsed(&report).results()[0].value_of("smtp", "helo"), Some(literal));
    }
}

#[tokio::test]
async fn ipv6_and_ipv4_in_its_clothes() {
    let report = run(
        zone(),
        &connection("2001:db8::1", "mail.example.org", "ada@example.org"),
        MESSAGE,
    )
    .await;
    assert_eq!(report.spf().result(), spf::Result::Pass);
    assert_eq!(report.iprev().unwrap().name(), Some("mail.example.org"));
    let results = parsed(&report);
    let iprev = results.results().last().unwrap();
    assert_eq!(iprev.value_of("policy", "iprev"), Some("2001:db8::1"));
    let report = run(zone(), &connection("::ffff:192.0.2.1", "x", "ada@example.org"), MESSAGE).await;
    assert_eq!(report.spf().result(), spf::Result::Pass);
    assert_eq!(report.iprev().unwrap().result(), IprevResult::Pass);
}

#[tokio::test]
async fn a_message_without_one_author_domain_is_a_permanent_error_with_a_reason() {
    for (from, error) in [
        ("", AuthorError::Missing),
        (
            "From: ada@example.org\r\nFrom: ada@example.org\r\n",
            AuthorError::SeveralFields,
        ),
        (
            "From: ada@example.org\r\nfrom : eve@example.com\r\n",
            AuthorError::SeveralFields,
        ),
        (
            "From: ada@example.org, eve@example.com\r\n",
            AuthorError::SeveralDomains,
        ),
        (
            "From: Both: ada@example.org, eve@example.com;\r\n",
            AuthorError::SeveralDomains,
        ),
        ("From: ada@[192.0.2.1]\r\n", AuthorError::Literal),
        ("From: Nobody:;\r\n", AuthorError::Nobody),
        ("From: <<ada@example.org\r\n", AuthorError::Unreadable),
        ("From: ada@example.org\0\r\n", AuthorError::Unreadable),
        ("From:\r\n", AuthorError::Nobody),
    ] {
        let report = run(zone(), &usual(), format!("{from}Subject: x\r\n\r\nHi\r\n")).await;
        assert_eq!(report.author_error(), Some(error), "{from:?}");
        assert_eq!(report.dmarc().result(), DmarcResult::PermError, "{from:?}");
        let results = parsed(&report);
        let dmarc = results
            .results()
            .iter()
            .find(|result| result.method() == "dmarc")
            .unwrap();
        assert_eq!(dmarc.why(), Some(error.to_string().as_str()));
    }
    for from in [
        "From: Team: ada@example.org, bob@EXAMPLE.org;\r\n",
        "From: =?utf-8?q?Ad=C3=A9?=\r\n <ada@example.org>\r\n",
        "From: \"eve@example.com\" <ada@example.org>\r\n",
        "From: Ad\u{e9} <ada@example.org>\r\n",
    ] {
        let report = run(zone(), &usual(), format!("{from}\r\nHi\r\n")).await;
        assert_eq!(report.dmarc().result(), DmarcResult::Pass, "{from:?}");
    }
    // A display name in a charset of old.
    let latin1 = b"From: Ad\xe9 <ada@example.org>\r\nSubject: caf\xe9\r\n\r\nHi\r\n";
    let report = run(zone(), &usual(), latin1).await;
    assert_eq!(report.dmarc().result(), DmarcResult::Pass);
    assert!(report.authentication_results("mx").is_ascii());
}

#[tokio::test]
async fn a_failure_of_dns_is_never_a_fail() {
    let names = [
        ("example.org", RecordType::Txt),
        ("mail.example.org", RecordType::Txt),
        ("mail.example.org", RecordType::A),
        ("s._domainkey.example.org", RecordType::Txt),
        ("_dmarc.example.org", RecordType::Txt),
        ("1.2.0.192.in-addr.arpa", RecordType::Ptr),
    ];
    for failure in [
        LookupError::ServFail,
        LookupError::Timeout,
        LookupError::Refused,
        LookupError::Truncated,
        LookupError::Bogus,
    ] {
        let mut broken = zone();
        for (name, kind) in names {
            broken.fail(name, kind, failure.clone()).unwrap();
        }
        let report = run(broken, &usual(), sign(MESSAGE)).await;
        assert_eq!(report.spf().result(), spf::Result::TempError);
        assert_eq!(report.spf_helo().unwrap().result(), spf::Result::TempError);
        assert_eq!(report.dkim()[0].result(), DkimResult::TempError);
        assert_eq!(report.iprev().unwrap().result(), IprevResult::TempError);
        assert_eq!(
            (report.dmarc().result(), report.dmarc().disposition()),
            (DmarcResult::TempError, Policy::None)
        );
        assert_eq!(report.dmarc().error(), Some(&failure));
        let ses = report.ses();
        assert_eq!([ses.spf, ses.dkim, ses.dmarc], [SesVerdict::ProcessingFailed; 3]);
        assert!(report.queries().all(|query| query.outcome.is_err()));
        for result in parsed(&report)
            .results()
            .iter()
            .filter(|result| result.method() != "arc")
        {
            assert_eq!(
                (result.result(), result.why().is_some()),
                ("temperror", true),
                "{result:?}"
            );
        }
        // What one method cannot tell for now, another may: then it passes.
        let mut half = zone();
        half.fail("example.org", RecordType::Txt, failure.clone()).unwrap();
        assert_eq!(
            run(half, &usual(), sign(MESSAGE)).await.dmarc().result(),
            DmarcResult::Pass
        );
        // Or else nobody knows.
        let mut half = zone();
        half.fail("example.org", RecordType::Txt, failure.clone()).unwrap();
        assert_eq!(
            run(half, &usual(), MESSAGE).await.dmarc().result(),
            DmarcResult::TempError
        );
    }
}

#[tokio::test]
async fn a_thousand_signatures_cost_no_more_than_ten() {
    let signature = sign(MESSAGE).strip_suffix(MESSAGE).unwrap().to_owned();
    let message = signature.repeat(1_000) + MESSAGE;
    let begun = Instant::now();
    let report = run(zone(), &usual(), &message).await;
    assert_eq!(report.dkim().len(), 11);
    assert_eq!(report.dkim()[10].reason(), Some(&Reason::TooManySignatures(990)));
    let dkim = parsed(&report)
        .results()
        .iter()
        .filter(|result| result.method() == "dkim")
        .count();
    assert_eq!(dkim, 11);
    assert!(report.lookups()[2].count() <= 10);
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn hundred_thousand_authors_take_no_longer_than_they_must() {
    let many = "ada@example.org, ".repeat(100_000);
    let begun = Instant::now();
    let report = run(zone(), &usual(), format!("From: {many}ada@example.org\r\n\r\nHi\r\n")).await;
    assert!(report.dmarc().result() == DmarcResult::Pass || report.author_error() == Some(AuthorError::Unreadable));
    let nested = "(".repeat(100_000);
    let report = run(zone(), &usual(), format!("From: {nested}ada@example.org\r\n\r\nHi\r\n")).await;
    assert_eq!(report.dmarc().result(), DmarcResult::PermError);
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn internationalised_mail_has_its_results_in_utf8_and_other_mail_in_ascii() {
    let mut zone = zone();
    zone.insert("xn--bcher-kva.example", Record::txt("v=spf1 +all"))
        .unwrap();
    let eai = connection("192.0.2.1", "b\u{fc}cher.example", "zo\u{eb}@b\u{fc}cher.example");
    let report = run(zone.clone(), &eai, MESSAGE).await;
    let results = parsed(&report);
    assert_eq!(
        results.results()[0].value_of("smtp", "mailfrom"),
        Some("zo\u{eb}@xn--bcher-kva.example")
    );
    assert_eq!(
        results.results()[1].value_of("smtp", "helo"),
        Some("b\u{fc}cher.example")
    );
    let ascii = connection("192.0.2.1", "b\u{fc}cher.example", "eve@stranger.example");
    let field = run(zone, &ascii, MESSAGE)
        .await
        .authentication_results("m\u{fc}x.example");
    assert!(
        field.is_ascii() && field.contains("smtp.helo=xn--bcher-kva.example"),
        "{field}"
    );
    assert!(
        field.starts_with("Authentication-Results: xn--mx-xka.example;"),
        "{field}"
    );
}

#[tokio::test]
async fn a_report_does_not_depend_on_the_order_of_answers() {
    /// Answers each question only after it was polled as often as its name is long, so that answers overtake each other.
    #[derive(Debug)]
    struct Late(Zone, usize);

    impl posthaste_dns::Resolver for Late {
        fn lookup<'a>(&'a self, name: &'a str, kind: RecordType) -> posthaste_dns::LookupFuture<'a> {
            Box::pin(async move {
                for _ in 0..(name.len() * self.1) % 7 {
                    tokio::task::yield_now().await;
                }
                self.0.lookup(name, kind).await
            })
        }
    }

    let message = sign(&sign(MESSAGE));
    let prompt = run(zone(), &usual(), &message).await;
    for step in 1..7 {
        let late = Authenticator::new(Arc::new(Late(zone(), step)));
        let report = late.authenticate(&usual(), message.as_bytes(), now()).await;
        assert_eq!(report.authentication_results("mx"), prompt.authentication_results("mx"));
        assert_eq!(report.lookups(), prompt.lookups());
    }
}

#[cfg(feature = "serde")]
#[tokio::test]
async fn json_keeps_its_names() {
    let report = run(zone(), &usual().tls(Tls::new("TLSv1.2").cipher("X")), sign(MESSAGE)).await;
    let json = serde_json::to_value(&report).unwrap();
    let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(
        keys(&json),
        "connection author_error spf spf_helo dkim arc iprev dmarc ses lookups"
    );
    assert_eq!(keys(&json["connection"]), "client_ip helo mail_from tls");
    assert_eq!(
        keys(&json["spf"]),
        "result identity sender domain client_ip mechanism explanation reason lookups void_lookups"
    );
    assert_eq!(
        keys(&json["dkim"][0]),
        "result reason domain identity selector algorithm signature_prefix testing"
    );
    assert_eq!(
        keys(&json["arc"]),
        "result reason broken_at broken_field oldest_pass sets"
    );
    assert_eq!(keys(&json["iprev"]), "result reason client_ip name names");
    assert_eq!(
        keys(&json["dmarc"]),
        "result reason from organisation policy_domain record policy policy_tag testing disposition spf_alignment dkim_alignment \
         spf_aligned dkim_aligned identifiers"
    );
    assert_eq!(
        keys(&json["dmarc"]["identifiers"][0]),
        "authentication domain organisation aligned standing"
    );
    assert_eq!(
        keys(&json["ses"]),
        "spf_verdict dkim_verdict dmarc_verdict dmarc_policy"
    );
    assert_eq!(keys(&json["lookups"][0]), "check count queries");
    assert_eq!(
        keys(&json["lookups"][0]["queries"][0]),
        "name type error temporary records ttl_seconds dnssec"
    );
    assert_eq!(json["connection"]["tls"]["cipher"], "X");
    assert_eq!(json["dmarc"]["identifiers"][0]["standing"], "same_domain");
    assert_eq!(json["dmarc"]["record"], "v=DMARC1; p=reject; sp=quarantine");
}

/// The README shows the shape; it is that of a report.
#[cfg(feature = "serde")]
#[tokio::test]
async fn the_readme_shows_the_json_that_there_is() {
    use serde_json::Value;

    fn compare(shown: &Value, real: &Value, path: &str) {
        match (shown, real) {
            (Value::Object(shown), Value::Object(real)) => {
                assert_eq!(
                    shown.keys().collect::<Vec<_>>(),
                    real.keys().collect::<Vec<_>>(),
                    "{path}"
                );
                for (key, value) in shown {
                    compare(value, &real[key], &format!("{path}.{key}"));
                }
            }
            (Value::Array(shown), Value::Array(real)) => {
                for (shown, real) in shown.iter().zip(real) {
                    compare(shown, real, path);
                }
            }
            (Value::Null, _) | (_, Value::Null) => {}
            (shown, real) => assert_eq!(
                std::mem::discriminant(shown),
                std::mem::discriminant(real),
                "{path}: {shown} {real}"
            ),
        }
    }

    let readme = include_str!("../README.md");
    let shown = readme.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let report = run(zone(), &usual().tls(Tls::new("TLSv1.3")), sign(MESSAGE)).await;
    compare(
        &serde_json::from_str(shown).unwrap(),
        &serde_json::to_value(&report).unwrap(),
        "report",
    );
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the greeting, the header and the signature say: one field, which reads back as the methods that there are, with
    /// results that are ours.
    #[test]
    fn nothing_from_strangers_becomes_a_result(
        helo in prop_oneof!["\\PC{0,40}", "[ -~\r\n\t\u{0}\u{1b}\"\\\\;()=]{0,60}", Just("x; dmarc=pass header.from=example.org".to_owned())],
        local in "[a-z!#$%&'*+/=?^_`{|}~-]{1,20}",
        header in prop_oneof!["[ -~\r\n\t\u{0}\"\\\\;()=]{0,80}", "\\PC{0,60}"],
        tags in "[ -~\t\"\\\\;()=]{0,60}",
    ) {
        let message = format!("DKIM-Signature: v=1; d={tags}; s={tags}; a={tags}; b={tags}\r\nX: {header}\r\nFrom: {header}\r\n\r\n");
        let sender = format!("{local}@stranger2.example").parse().ok();
        let connection = Connection::new([198, 51, 100, 1].into(), helo, sender);
        let report = runtime().block_on(run(zone(), &connection, &message));
        let results = parsed(&report);
        prop_assert_eq!(results.authserv_id(), "mx.example.net");
        for result in results.results() {
            prop_assert!(["spf", "dkim", "arc", "dmarc", "iprev"].contains(&result.method()), "{:?}", result);
            prop_assert!(result.result() != "pass", "{:?}", result);
        }
        // What we wrote, we would take away again, and nothing else.
        let field = report.authentication_results("mx.example.net");
        let stripped = strip(message.as_bytes(), "mx.example.net");
        prop_assert_eq!(strip(format!("{field}{message}").as_bytes(), "mx.example.net"), stripped);
    }

    /// Any octets at all.
    #[test]
    fn no_octets_make_it_panic(octets in prop::collection::vec(any::<u8>(), 0..300), name in "\\PC{0,20}") {
        let report = runtime().block_on(run(zone(), &usual(), &octets));
        parsed(&report);
        let stripped = strip(&octets, &name);
        prop_assert_eq!(strip(&stripped, &name), stripped);
    }

    /// Received-SPF reads back whatever strangers called themselves.
    #[test]
    fn received_spf_reads_back(helo in prop_oneof!["\\PC{0,40}", "[ -~\r\n\t\u{0}\"\\\\;()=]{0,60}"], receiver in "\\PC{0,400}") {
        let connection = Connection::new([198, 51, 100, 1].into(), helo, None);
        let report = runtime().block_on(run(zone(), &connection, MESSAGE));
        let field = report.spf().received_spf(&receiver);
        prop_assert!(field.split("\r\n").all(|line| line.len() <= 998));
        let read = spf::ReceivedSpf::parse(field.strip_prefix("Received-SPF:").unwrap()).unwrap();
        prop_assert_eq!(read.result(), report.spf().result());
        prop_assert_eq!(read.value("client-ip"), Some("198.51.100.1"));
        prop_assert_eq!(read.value("identity"), Some("helo"));
        prop_assert_eq!(read.pairs().count(), 6);
    }
}
