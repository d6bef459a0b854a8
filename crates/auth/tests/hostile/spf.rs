//! SPF: RFC 7208 §11.1 and what else costs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use posthaste_auth::spf::{self, Limits, Problem, Query, Report, Result as SpfResult};
use posthaste_dns::{Answer, LookupFuture, Record, RecordType, Resolver, Zone};

use crate::forge::zone;

const CLIENT: [u8; 4] = [192, 0, 2, 1];

async fn check(zone: &Zone) -> Report {
    check_as(zone, "ada@example.org").await
}

async fn check_as(zone: &Zone, sender: &str) -> Report {
    let query = Query::new(CLIENT.into(), "mail.example.org", sender);
    let begun = Instant::now();
    let report = spf::check_host(&query, zone, &Limits::default()).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert!(zone.queries() <= 121, "{} questions", zone.queries());
    report
}

#[tokio::test]
async fn loops_end_at_ten_lookups() {
    for record in [
        "v=spf1 include:example.org -all",
        "v=spf1 redirect=example.org",
        "v=spf1 ?include:example.org include:example.org redirect=example.org",
        "v=spf1 include:other.example -all",
        "v=spf1 redirect=other.example",
        "v=spf1 include:%{d} -all",
    ] {
        let zone = zone(&[
            ("example.org", record),
            ("other.example", &record.replace("other.example", "example.org")),
        ]);
        let report = check(&zone).await;
        assert_eq!(report.result(), SpfResult::PermError, "{record}");
        assert_eq!(report.problem(), Some(&Problem::Lookups), "{record}");
        assert_eq!(report.lookups(), 10);
        assert_eq!(zone.queries(), 11, "{record}");
    }
}

#[tokio::test]
async fn chains_and_trees_of_includes_end_at_ten_lookups() {
    let chain = |length: usize| {
        let mut zone = Zone::new();
        zone.insert("example.org", Record::txt("v=spf1 include:h1.example -all"))
            .unwrap();
        for hop in 1..length {
            let record = format!("v=spf1 include:h{}.example -all", hop + 1);
            zone.insert(&format!("h{hop}.example"), Record::txt(&record)).unwrap();
        }
        zone.insert(
            &format!("h{length}.example"),
            Record::txt("v=spf1 ip4:192.0.2.0/24 -all"),
        )
        .unwrap();
        zone
    };
    assert_eq!(check(&chain(10)).await.result(), SpfResult::Pass);
    let report = check(&chain(11)).await;
    assert_eq!(
        (report.result(), report.problem()),
        (SpfResult::PermError, Some(&Problem::Lookups))
    );

    // Each record includes ten others that include ten others: a million, if it were followed.
    let mut tree = Zone::new();
    let includes: String = (0..10)
        .map(|number| format!("include:%{{l1}}{number}.%{{d}} "))
        .collect();
    tree.insert("example.org", Record::txt(format!("v=spf1 {includes}-all")))
        .unwrap();
    tree.insert("*.example.org", Record::txt(format!("v=spf1 {includes}-all")))
        .unwrap();
    let report = check(&tree).await;
    assert_eq!(
        (report.result(), report.problem()),
        (SpfResult::PermError, Some(&Problem::Lookups))
    );
    assert_eq!(tree.queries(), 11);
}

#[tokio::test]
async fn two_void_lookups_are_borne_and_three_are_not() {
    for term in ["a:", "mx:", "exists:"] {
        let terms = |count: usize| {
            let terms: String = (0..count).map(|number| format!("{term}n{number}.example ")).collect();
            zone(&[("example.org", &format!("v=spf1 {terms}ip4:192.0.2.1 -all"))])
        };
        assert_eq!(check(&terms(2)).await.result(), SpfResult::Pass, "{term}");
        let report = check(&terms(3)).await;
        assert_eq!(report.result(), SpfResult::PermError, "{term}");
        assert_eq!(report.problem(), Some(&Problem::VoidLookups), "{term}");
    }
}

#[tokio::test]
async fn ten_exchangers_are_asked_for_and_eleven_are_an_error() {
    let with = |count: u16| {
        let mut zone = zone(&[("example.org", "v=spf1 mx -all")]);
        for number in 0..count {
            let name = format!("mx{number}.example.org");
            zone.insert("example.org", Record::mx(number, &name)).unwrap();
            zone.insert(&name, Record::A([198, 51, 100, 1].into())).unwrap();
        }
        zone
    };
    let ten = with(10);
    assert_eq!(check(&ten).await.result(), SpfResult::Fail);
    assert_eq!(ten.queries(), 12);
    for count in [11, 1000] {
        let many = with(count);
        let report = check(&many).await;
        assert_eq!(report.result(), SpfResult::PermError);
        assert!(matches!(report.problem(), Some(Problem::Exchangers { .. })));
        assert_eq!(many.queries(), 2);
    }
    // Ten terms of ten exchangers each are the most that a record can make anybody ask.
    let mut worst = with(10);
    let mut terms = String::new();
    for term in 0..20 {
        let domain = format!("d{term}.example");
        for number in 0..10 {
            worst
                .insert(&domain, Record::mx(number, format!("mx{number}.example.org")))
                .unwrap();
        }
        terms += &format!("mx:{domain} ");
    }
    worst
        .insert("bomb.example", Record::txt(format!("v=spf1 {terms}-all")))
        .unwrap();
    let report = check_as(&worst, "ada@bomb.example").await;
    assert_eq!(
        (report.result(), report.problem()),
        (SpfResult::PermError, Some(&Problem::Lookups))
    );
    assert!(worst.queries() <= 111, "{}", worst.queries());
}

#[tokio::test]
async fn of_a_thousand_names_of_an_address_ten_are_asked_for() {
    for record in [
        "v=spf1 ptr -all",
        "v=spf1 exists:%{p}.example.net -all",
        "v=spf1 ptr ptr:%{p} a:%{p} -all",
    ] {
        let mut zone = zone(&[("example.org", record)]);
        for number in 0..1000 {
            let name = format!("host{number}.example.net");
            zone.insert("1.2.0.192.in-addr.arpa", Record::Ptr(name.clone()))
                .unwrap();
            // The one that would match comes too late.
            let own = number == 999;
            let address = if own { CLIENT } else { [198, 51, 100, 1] };
            zone.insert(&name, Record::A(address.into())).unwrap();
        }
        let report = check(&zone).await;
        assert_eq!(report.result(), SpfResult::Fail, "{record}");
        assert!(zone.queries() <= 14, "{record}: {}", zone.queries());
    }
}

#[tokio::test]
async fn macros_make_no_bombs() {
    let local = "x".repeat(10_000);
    let sender = format!("{local}@example.org");
    let repeated = "%{l}".repeat(10_000);
    for terms in [
        "exists:%{l}.%{l}.%{l}.example.net",
        &format!("exists:{repeated}.example.net"),
        &format!("include:{repeated}"),
        "exists:%{l99999999999999999999r+-}.example.net",
        "exists:%{S}.%{L}.%{H}.%{I}.%{P}.%{V}.%{D9r}.example.net",
    ] {
        let record = format!("v=spf1 {terms} ?all");
        let zone = zone(&[("example.org", &record)]);
        let report = check_as(&zone, &sender).await;
        assert!(
            matches!(report.result(), SpfResult::Neutral | SpfResult::PermError),
            "{} {:?}",
            report.result(),
            report.problem()
        );
        assert!(zone.queries() <= 13, "{}", zone.queries());
    }
    // An explanation that would be hundreds of megabytes, or more than a line.
    let bomb = "%{s}".repeat(15_000);
    let zone = zone(&[("example.org", "v=spf1 exp=why.example -all"), ("why.example", &bomb)]);
    let report = check_as(&zone, &sender).await;
    assert_eq!((report.result(), report.explanation()), (SpfResult::Fail, None));
    let split = zone_of_explanation("%{l} may not");
    let report = check_as(&split, "a\r\nSet-Cookie: x@example.org").await;
    assert_eq!((report.result(), report.explanation()), (SpfResult::Fail, None));
}

fn zone_of_explanation(text: &str) -> Zone {
    zone(&[("example.org", "v=spf1 exp=why.example -all"), ("why.example", text)])
}

#[tokio::test]
async fn huge_answers_are_read_once() {
    // 64 KB of terms that ask nothing: all of them are read.
    let many = format!("v=spf1 {}ip4:192.0.2.1 -all", "ip4:198.51.100.1 ".repeat(3500));
    let one = zone(&[("example.org", &many)]);
    assert_eq!(check(&one).await.result(), SpfResult::Pass);
    assert_eq!(one.queries(), 1);

    // 64 KB of terms that ask: ten are.
    let asking = format!("v=spf1 {}-all", "a ".repeat(30_000));
    let mut zone_of_a = zone(&[("example.org", &asking)]);
    zone_of_a
        .insert("example.org", Record::A([198, 51, 100, 1].into()))
        .unwrap();
    let report = check(&zone_of_a).await;
    assert_eq!(
        (report.result(), report.problem()),
        (SpfResult::PermError, Some(&Problem::Lookups))
    );
    assert_eq!(zone_of_a.queries(), 11);

    // A thousand texts, of which none, one, and all are records.
    for (records, result) in [(0, SpfResult::None), (1, SpfResult::Pass), (1000, SpfResult::PermError)] {
        let mut zone = Zone::new();
        for number in 0..1000 {
            let text = if number < records {
                "v=spf1 ip4:192.0.2.1 -all"
            } else {
                "v=spf10 +all"
            };
            zone.insert("example.org", Record::txt(format!("{text}{}", " ".repeat(number % 7))))
                .unwrap();
        }
        assert_eq!(check(&zone).await.result(), result, "{records}");
    }

    // Ten thousand addresses behind one name.
    let mut zone = zone(&[("example.org", "v=spf1 a -all")]);
    for number in 0..10_000_u32 {
        zone.insert("example.org", Record::A((0x0a00_0000 + number).into()))
            .unwrap();
    }
    assert_eq!(check(&zone).await.result(), SpfResult::Fail);

    // Octets that are no text, and syntax that is nearly right.
    for octets in [
        b"v=spf1 \xff".to_vec(),
        b"v=spf1 \0 +all".to_vec(),
        [b"v=spf1 ".to_vec(), vec![b'%'; 65_000]].concat(),
        [b"v=spf1 exists:".to_vec(), b"%{".repeat(30_000)].concat(),
        b"v=spf1 ip4:1.2.3.4/33 +all".to_vec(),
        b"v=spf1 ip4:192.0.2.1/032 +all".to_vec(),
        b"v=spf1 a:/24/ +all".to_vec(),
        b"v=spf1 redirect=a.example redirect=b.example".to_vec(),
    ] {
        let mut zone = Zone::new();
        zone.insert("example.org", Record::txt(&octets)).unwrap();
        assert_eq!(check(&zone).await.result(), SpfResult::PermError, "{:?}", &octets[..20]);
        assert_eq!(zone.queries(), 1);
    }
}

#[tokio::test]
async fn senders_may_be_anything() {
    let zone = zone(&[("example.org", "v=spf1 exists:%{l}.%{o}.%{h}.example.net ?all")]);
    let long = format!("ada@{}.example.org", "x.".repeat(10_000));
    for sender in [
        "@",
        "ada@",
        "@@@",
        "ada@.",
        "ada@..",
        "\0@\0",
        "a\r\nb@example.org",
        "ada@[192.0.2.1]",
        "ada@org",
        &long,
    ] {
        let report = check_as(&zone, sender).await;
        assert!(
            !matches!(report.result(), SpfResult::Pass | SpfResult::Fail),
            "{sender:?}"
        );
        assert!(
            !report.received_spf("mx.example.net").trim_end().contains("\r\nSet"),
            "{sender:?}"
        );
    }
}

#[tokio::test]
async fn a_check_ends_when_its_time_is_up() {
    let terms: String = (0..10).map(|number| format!("a:n{number}.example ")).collect();
    let mut zone = zone(&[("example.org", &format!("v=spf1 {terms}-all"))]);
    for number in 0..10 {
        zone.insert(&format!("n{number}.example"), Record::A([198, 51, 100, 1].into()))
            .unwrap();
    }
    // Each look at the clock finds five seconds gone.
    let (start, looks) = (Instant::now(), AtomicU64::new(0));
    let limits = Limits::default().clock(move || start + Duration::from_secs(5 * looks.fetch_add(1, Ordering::SeqCst)));
    let query = Query::new(CLIENT.into(), "mail.example.org", "ada@example.org");
    let report = spf::check_host(&query, &zone, &limits).await;
    assert_eq!(
        (report.result(), report.problem()),
        (SpfResult::TempError, Some(&Problem::Timeout))
    );
    assert!(zone.queries() <= 4, "{}", zone.queries());
}

/// Answers every question for addresses with an alias alone, which is no answer to it.
#[derive(Debug)]
struct AliasesAlone(Zone);

impl Resolver for AliasesAlone {
    fn lookup<'a>(&'a self, name: &'a str, kind: RecordType) -> LookupFuture<'a> {
        if kind != RecordType::A {
            return self.0.lookup(name, kind);
        }
        let alias = Record::Cname("elsewhere.example".to_owned());
        Box::pin(async { Ok(Answer::new(vec![alias], Duration::from_secs(60))) })
    }
}

/// RFC 7208 §5.7: `exists` matches when there is an address.
#[tokio::test]
async fn what_exists_has_an_address() {
    let zone = zone(&[("example.org", "v=spf1 exists:%{i}.example.org -all")]);
    let query = Query::new(CLIENT.into(), "mail.example.org", "ada@example.org");
    let report = spf::check_host(&query, &AliasesAlone(zone), &Limits::default()).await;
    assert_eq!(report.result(), SpfResult::Fail);
}
