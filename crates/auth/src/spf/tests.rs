use std::time::{Duration, Instant, SystemTime};

use posthaste_dns::{LookupError, Record as DnsRecord, Zone};
use proptest::prelude::*;

use super::*;

async fn ask(zone: &Zone, ip: &str, mail_from: &str) -> Report {
    let query = Query::new(ip.parse().unwrap(), "mail.example.net", mail_from);
    check_host(&query, zone, &Limits::default()).await
}

/// Checks what a single record says of 192.0.2.1, among names that the mechanisms may lead to.
async fn check(record: &str, expected: Result) {
    let mut zone = Zone::parse(
        "host.test. A 192.0.2.1\n\
         six.test. AAAA 2001:db8::1\n\
         empty.test. TXT none\n\
         mx.test. MX 10 host.test.\n\
         nullmx.test. MX 0 .\n\
         other.test. TXT \"v=spf1 ip4:192.0.2.1 -all\"\n\
         refusing.test. TXT \"v=spf1 -all\"\n\
         1.2.0.192.in-addr.arpa. PTR host.test.\n",
    )
    .unwrap();
    zone.insert("x.test", DnsRecord::txt(record)).unwrap();
    zone.fail("down.test", None, LookupError::Timeout).unwrap();
    let report = ask(&zone, "192.0.2.1", "ada@x.test").await;
    assert_eq!(report.result(), expected, "{record}: {:?}", report.problem());
    assert_eq!(
        report.problem().is_some(),
        matches!(expected, Result::None | Result::TempError | Result::PermError)
    );
}

#[tokio::test]
async fn mechanisms() {
    check("v=spf1 a:host.test -all", Result::Pass).await;
    check("v=spf1 a:six.test -all", Result::Fail).await;
    check("v=spf1 a:host.test/0 -all", Result::Pass).await;
    check("v=spf1 mx:mx.test -all", Result::Pass).await;
    check("v=spf1 mx:host.test -all", Result::Fail).await;
    check("v=spf1 mx:nullmx.test -all", Result::Fail).await;
    check("v=spf1 ptr:test -all", Result::PermError).await;
    check("v=spf1 ptr:host.test -all", Result::Pass).await;
    check("v=spf1 ptr:st.test -all", Result::Fail).await;
    check("v=spf1 exists:%{p} -all", Result::Pass).await;
    check("v=spf1 exists:six.test -all", Result::Fail).await;
    check("v=spf1 ip4:192.0.2.0/24 -all", Result::Pass).await;
    check("v=spf1 ip6:::ffff:192.0.2.1 -all", Result::Fail).await;
    check("v=spf1 INCLUDE:other.test -ALL", Result::Pass).await;
    check("v=spf1 include:refusing.test ?all", Result::Neutral).await;
    check("v=spf1 ~include:other.test -all", Result::SoftFail).await;
    check("v=spf1 redirect=other.test", Result::Pass).await;
    check("v=spf1 redirect=refusing.test", Result::Fail).await;
    check("v=spf1 redirect=refusing.test ~all", Result::SoftFail).await;
    check("v=spf1", Result::Neutral).await;
    check("v=spf1 a:no..name.test -all", Result::Fail).await;
}

#[tokio::test]
async fn errors() {
    check("v=spf2 -all", Result::None).await;
    check("v=spf1 include:empty.test +all", Result::PermError).await;
    check("v=spf1 redirect=empty.test", Result::PermError).await;
    check("v=spf1 a:down.test +all", Result::TempError).await;
    check("v=spf1 include:down.test +all", Result::TempError).await;
    check("v=spf1 +all a:", Result::PermError).await;
    check("v=spf1 include:x.test +all", Result::PermError).await;
    check("v=spf1 a:n1.test a:n2.test +all", Result::Pass).await;
    check("v=spf1 a:n1.test a:n2.test a:n3.test +all", Result::PermError).await;
}

#[track_caller]
fn check_mistake(record: &str, kind: RecordErrorKind, offset: usize) {
    let error = Record::parse(record.as_bytes()).unwrap_err();
    assert_eq!((error.kind(), error.offset()), (kind, offset), "{record}: {error}");
}

#[test]
fn mistakes_have_a_kind_and_a_place() {
    check_mistake("v=spf10", RecordErrorKind::Version, 0);
    check_mistake("v=spf1 a\tb", RecordErrorKind::Character, 8);
    check_mistake("v=spf1  all moo", RecordErrorKind::Mechanism, 12);
    check_mistake("v=spf1 -all/8", RecordErrorKind::Surplus, 7);
    check_mistake("v=spf1 =x", RecordErrorKind::Modifier, 7);
    check_mistake("v=spf1 1up=x", RecordErrorKind::Modifier, 7);
    check_mistake("v=spf1 exp=a.b exp=a.b", RecordErrorKind::Twice, 15);
    check_mistake("v=spf1 include", RecordErrorKind::MissingDomain, 7);
    check_mistake("v=spf1 mx:/24", RecordErrorKind::MissingDomain, 7);
    check_mistake("v=spf1 a/24/64", RecordErrorKind::Prefix, 7);
    check_mistake("v=spf1 a/", RecordErrorKind::Surplus, 7);
    check_mistake("v=spf1 a:museum.", RecordErrorKind::Domain, 7);
    check_mistake("v=spf1 a:x.123", RecordErrorKind::Domain, 7);
    check_mistake("v=spf1 a:x.-com", RecordErrorKind::Domain, 7);
    check_mistake("v=spf1 include:x.com/24", RecordErrorKind::Domain, 7);
    check_mistake("v=spf1 a:%{d}com", RecordErrorKind::Domain, 7);
    check_mistake("v=spf1 a:%(d).com", RecordErrorKind::Macro, 7);
    check_mistake("v=spf1 a:%{d.com", RecordErrorKind::Macro, 7);
    check_mistake("v=spf1 a:%{d0}", RecordErrorKind::Macro, 7);
    check_mistake("v=spf1 a:%{d2x}", RecordErrorKind::Macro, 7);
    check_mistake("v=spf1 a:%{}", RecordErrorKind::Macro, 7);
    check_mistake("v=spf1 foo=%abc", RecordErrorKind::Macro, 7);
    check_mistake("v=spf1 exp=%{r}.x.com", RecordErrorKind::ExplanationMacro, 7);
    check_mistake("v=spf1 ip4:1.2.3", RecordErrorKind::Address, 7);
    check_mistake("v=spf1 ip4:01.2.3.4", RecordErrorKind::Address, 7);
    check_mistake("v=spf1 ip4", RecordErrorKind::Address, 7);
    check_mistake("v=spf1 ip6::::1", RecordErrorKind::Address, 7);
    check_mistake("v=spf1 ip4:1.2.3.4/032", RecordErrorKind::Prefix, 7);
    check_mistake("v=spf1 ip4:1.2.3.4/+8", RecordErrorKind::Prefix, 7);
    check_mistake("v=spf1 ip6:::1//64", RecordErrorKind::Prefix, 7);
    check_mistake("v=spf1 a//129", RecordErrorKind::Prefix, 7);
    let error = Record::parse(b"v=spf1 moo").unwrap_err();
    assert_eq!(error.to_string(), "unknown mechanism at octet 7: `moo`");
}

#[test]
fn odd_records_that_are_right() {
    for record in [
        "V=SPF1",
        "v=spf1   ",
        "v=spf1 a:foo:bar/baz.x.com/24//64",
        "v=spf1 a:%{d}/24",
        "v=spf1 foo=%{c}",
        "v=spf1 a:x%%",
    ] {
        assert!(Record::parse(record.as_bytes()).is_ok(), "{record}");
    }
    assert_eq!(
        Record::parse(b"v=spf1 a mx ptr ip4:1.2.3.4 include:a.b exists:a.b redirect=a.b")
            .unwrap()
            .lookups(),
        6
    );
}

#[tokio::test]
async fn work_is_bounded() {
    let mut zone = Zone::new();
    let wide: String = (0..20).map(|n| format!("include:w{n}.test ")).collect();
    for n in 0..20 {
        zone.insert(&format!("w{n}.test"), DnsRecord::txt(format!("v=spf1 {wide}")))
            .unwrap();
        zone.insert("many.test", DnsRecord::mx(n, format!("h{n}.test")))
            .unwrap();
    }
    zone.insert("loop.test", DnsRecord::txt("v=spf1 redirect=loop.test"))
        .unwrap();
    zone.insert("x.test", DnsRecord::txt("v=spf1 mx:many.test -all"))
        .unwrap();

    let report = ask(&zone, "192.0.2.1", "ada@w0.test").await;
    assert_eq!(
        (report.result(), report.problem()),
        (Result::PermError, Some(&Problem::Lookups))
    );
    assert_eq!((report.lookups(), zone.queries()), (10, 11));
    assert_eq!(
        ask(&zone, "192.0.2.1", "ada@loop.test").await.problem(),
        Some(&Problem::Lookups)
    );
    let report = ask(&zone, "192.0.2.1", "ada@x.test").await;
    assert_eq!(
        report.problem(),
        Some(&Problem::Exchangers {
            domain: "many.test".into()
        })
    );
}

#[tokio::test]
async fn deep_includes_do_not_recurse() {
    let mut zone = Zone::new();
    for n in 0..256 {
        let record = format!("v=spf1 include:d{}.test ?all", n + 1);
        zone.insert(&format!("d{n}.test"), DnsRecord::txt(record)).unwrap();
    }
    zone.insert("d250.test", DnsRecord::txt("nothing")).unwrap();
    let query = Query::new([192, 0, 2, 1].into(), "h.test", "ada@d0.test");
    let report = check_host(&query, &zone, &Limits::default().lookups(u8::MAX)).await;
    assert_eq!((report.result(), report.lookups()), (Result::PermError, 255));
}

#[tokio::test]
async fn time_is_bounded() {
    let zone = Zone::parse("x.test. TXT \"v=spf1 a a a -all\"\nx.test. A 198.51.100.1").unwrap();
    let start = Instant::now();
    let calls = std::sync::atomic::AtomicU64::new(0);
    let clock =
        move || start + Duration::from_secs(8) * calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) as u32;
    let query = Query::new([192, 0, 2, 1].into(), "h.test", "ada@x.test");
    let report = check_host(&query, &zone, &Limits::default().clock(clock)).await;
    assert_eq!(
        (report.result(), report.problem()),
        (Result::TempError, Some(&Problem::Timeout))
    );
    assert_eq!(zone.queries(), 2);
}

#[tokio::test]
async fn explanations() {
    let zone = Zone::parse(
        "x.test. TXT \"v=spf1 -all exp=why.x.test\"\n\
         why.x.test. TXT \"%{c} at %{t}: ask %{r} about %{S}\"\n\
         y.test. TXT \"v=spf1 include:x.test -all exp=why.y.test\"\n\
         why.y.test. TXT \"see %{d}\"\n\
         z.test. TXT \"v=spf1 redirect=x.test exp=why.y.test\"\n",
    )
    .unwrap();
    let query = Query::new("::ffff:192.0.2.1".parse().unwrap(), "h.test", "a b@x.test")
        .receiver("mx.test")
        .at(SystemTime::UNIX_EPOCH + Duration::from_secs(42));
    let report = check_host(&query, &zone, &Limits::default()).await;
    assert_eq!(
        report.explanation(),
        Some("192.0.2.1 at 42: ask mx.test about a%20b%40x.test")
    );
    // The including record explains, not the included one; the record redirected to explains, not the redirecting one.
    assert_eq!(
        ask(&zone, "192.0.2.1", "ada@y.test").await.explanation(),
        Some("see y.test")
    );
    assert_eq!(
        ask(&zone, "192.0.2.1", "ada@z.test").await.explanation(),
        Some("192.0.2.1 at 0: ask unknown about ada%40z.test")
    );
}

#[tokio::test]
async fn explanations_cannot_carry_line_ends() {
    let zone = Zone::parse("x.test. TXT \"v=spf1 -all exp=y.test\"\ny.test. TXT \"%{l} %{h}\"").unwrap();
    let query = Query::new([192, 0, 2, 1].into(), "h\r\n250 ok", "ada@x.test");
    let report = check_host(&query, &zone, &Limits::default()).await;
    assert_eq!((report.result(), report.explanation()), (Result::Fail, None));
    let long = "x".repeat(5000);
    let query = Query::new([192, 0, 2, 1].into(), &long, "ada@x.test");
    assert_eq!(check_host(&query, &zone, &Limits::default()).await.explanation(), None);
}

#[tokio::test]
async fn what_is_no_domain_is_not_looked_up() {
    let zone = Zone::new();
    for sender in [
        "ada@localhost",
        "ada@a..test",
        "ada@[192.0.2.1]",
        "ada@",
        "@",
        &format!("ada@{}.test", "a".repeat(64)),
    ] {
        let report = ask(&zone, "192.0.2.1", sender).await;
        assert_eq!(report.result(), Result::None, "{sender}");
        assert!(matches!(report.problem(), Some(Problem::Domain { .. })));
    }
    assert_eq!(zone.queries(), 0);
}

#[tokio::test]
async fn names_in_other_scripts_are_looked_up_as_a_labels() {
    let zone = Zone::parse("xn--bcher-kva.example. TXT \"v=spf1 +all\"").unwrap();
    let report = ask(&zone, "192.0.2.1", "ada@bücher.example").await;
    assert_eq!(
        (report.result(), report.domain()),
        (Result::Pass, "xn--bcher-kva.example")
    );
}

#[tokio::test]
async fn bounces_are_checked_by_greeting() {
    let zone = Zone::parse("mail.example.net. TXT \"v=spf1 -all\"").unwrap();
    let report = ask(&zone, "192.0.2.1", "").await;
    assert_eq!((report.result(), report.identity()), (Result::Fail, Identity::Helo));
    assert_eq!(report.sender(), "postmaster@mail.example.net");
}

#[tokio::test]
async fn the_header_field_holds_nothing_that_breaks_it() {
    let zone = Zone::parse("x.test. TXT \"v=spf1 -all\"").unwrap();
    let query = Query::new("2001:db8::1".parse().unwrap(), "h\r\nBcc: x", "\"a\"@x.test");
    let field = check_host(&query, &zone, &Limits::default())
        .await
        .received_spf("mx.test");
    assert_eq!(
        field,
        "Received-SPF: fail (the sender's domain does not permit this host)\r\n \
         client-ip=\"2001:db8::1\"; envelope-from=\"\\\"a\\\"@x.test\";\r\n \
         helo=\"h??Bcc: x\"; receiver=mx.test; identity=mailfrom;\r\n mechanism=-all\r\n"
    );
}

fn term() -> impl Strategy<Value = String> {
    let text = prop::collection::vec(
        prop_oneof![
            "%\\{[slodipvhcrtSLOD][0-9]{0,3}r?[.+,/_=-]{0,2}\\}",
            "%[%_-]",
            "[a-z./:-]{1,8}",
            "[ -~]"
        ],
        0..6,
    );
    let head = prop_oneof![
        "[+?~-]?(a|mx|ptr|include|exists)[:/]?",
        "(redirect|exp|foo)=",
        "ip[46]:[0-9a-f:.]{0,12}/?[0-9]{0,3}",
        Just("all".to_owned()),
    ];
    (head, text).prop_map(|(head, text)| head + &text.concat())
}

proptest! {
    #[test]
    fn no_octets_make_the_parser_panic(text in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = Record::parse(&[b"v=spf1 ", &text[..]].concat());
        let _ = Record::parse(&text);
    }

    #[test]
    fn every_check_ends_within_its_limits(
        records in prop::collection::vec(prop::collection::vec(term(), 0..6), 1..4),
        helo in "\\PC{0,12}",
        sender in "[a-z]{0,5}@?x[0-3]\\.test",
    ) {
        let mut zone = Zone::new();
        for (n, terms) in records.iter().enumerate() {
            zone.insert(&format!("x{n}.test"), DnsRecord::txt(format!("v=spf1 {}", terms.join(" ")))).unwrap();
        }
        let query = Query::new([192, 0, 2, 1].into(), &helo, &sender);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let report = runtime.block_on(check_host(&query, &zone, &Limits::default()));
        prop_assert!(report.lookups() <= 10 && zone.queries() <= 150);
        prop_assert_eq!(report.received_spf("mx.test").matches("\r\n").count(), 4);
    }
}
