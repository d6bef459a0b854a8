//! DMARC: records that are several, huge or not meant, domains that are deep, authors that are many.

use std::sync::Arc;
use std::time::{Duration, Instant};

use posthaste_address::Domain;
use posthaste_auth::dmarc::{
    self, DmarcResult, Input, Method, Policy, Record as PolicyRecord, ReportConsent, report_consent,
};
use posthaste_auth::{Authenticator, Connection};
use posthaste_dns::{LookupError, Record, RecordType, Zone};

use crate::forge::{now, zone};

const NAME: &str = "_dmarc.example.org";

fn domain(name: &str) -> Domain {
    name.parse().unwrap()
}

async fn evaluate(zone: &Zone, input: &Input) -> DmarcResult {
    dmarc::evaluate(input, zone).await.result()
}

#[tokio::test]
async fn of_two_records_none_counts() {
    for (one, two) in [
        ("v=DMARC1; p=none", "v=DMARC1; p=reject"),
        ("v=DMARC1; p=reject", "v=DMARC1; p=reject; pct=0"),
        ("v=DMARC1; p=reject", "v=DMARC1"),
    ] {
        let zone = zone(&[(NAME, one), (NAME, two)]);
        for method in [Method::TreeWalk, Method::PublicSuffixList] {
            let input = Input::new(domain("example.org")).method(method);
            assert_eq!(evaluate(&zone, &input).await, DmarcResult::None, "{one} {two}");
        }
    }
    // Other texts beside a record are no records.
    let beside = zone(&[
        (NAME, "v=DMARC1; p=reject"),
        (NAME, "v=DMARC10; p=none"),
        (NAME, "v=spf1 -all"),
    ]);
    assert_eq!(
        evaluate(&beside, &Input::new(domain("example.org"))).await,
        DmarcResult::Fail
    );
}

#[tokio::test]
async fn neighbours_look_alikes_and_suffixes_are_not_aligned() {
    let zone = zone(&[
        (NAME, "v=DMARC1; p=reject"),
        ("_dmarc.org", "v=DMARC1; p=none; psd=y"),
        ("_dmarc.badexample.org", "v=DMARC1; p=none"),
    ]);
    for other in [
        "badexample.org",
        "example.org.evil.example",
        "org",
        "example.com",
        "xample.org",
    ] {
        for method in [Method::TreeWalk, Method::PublicSuffixList] {
            let input = Input::new(domain("example.org")).method(method);
            let input = input.dkim_pass(domain(other)).spf_pass(domain(other));
            assert_eq!(evaluate(&zone, &input).await, DmarcResult::Fail, "{other} {method:?}");
        }
    }
}

#[tokio::test]
async fn a_walk_asks_eight_questions_however_deep_the_name_is() {
    let deep = format!("{}example.org", "a.".repeat(115));
    let zone = zone(&[(NAME, "v=DMARC1; p=reject")]);
    let report = dmarc::evaluate(&Input::new(domain(&deep)), &zone).await;
    assert_eq!(report.result(), DmarcResult::Fail);
    // The walk, and whether the name exists.
    assert!(zone.queries() <= 9, "{}", zone.queries());
}

#[tokio::test]
async fn a_thousand_authenticated_domains_cost_no_more_than_twenty() {
    let zone = zone(&[(NAME, "v=DMARC1; p=reject")]);
    let mut input = Input::new(domain("example.org"));
    for number in 0..1000 {
        let name = domain(&format!("a.b.c.d.e.f.g.h.n{number}.example.org"));
        input = input.dkim_pass(name.clone()).spf_pass(name.clone()).undecided(name);
    }
    let begun = Instant::now();
    let report = dmarc::evaluate(&input, &zone).await;
    assert!(matches!(
        report.result(),
        DmarcResult::Pass | DmarcResult::Fail | DmarcResult::TempError
    ));
    assert!(zone.queries() <= 8 * 31, "{}", zone.queries());
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn strangers_cost_nothing() {
    let zone = zone(&[(NAME, "v=DMARC1; p=reject")]);
    let mut input = Input::new(domain("example.org"));
    for number in 0..1000 {
        input = input.dkim_pass(domain(&format!("n{number}.stranger.example")));
    }
    assert_eq!(evaluate(&zone, &input).await, DmarcResult::Fail);
    assert!(zone.queries() <= 8, "{}", zone.queries());
}

#[tokio::test]
async fn huge_answers_are_read_once() {
    let begun = Instant::now();
    let unknown = (0..8000).map(|number| format!(" x{number}=y;")).collect::<String>();
    for (record, result) in [
        (format!("v=DMARC1; p=reject;{}", " ".repeat(64_000)), DmarcResult::Fail),
        (
            format!("v=DMARC1; p=reject; rua={}", "mailto:a@example.org,".repeat(3000)),
            DmarcResult::Fail,
        ),
        (format!("v=DMARC1;{}", "=".repeat(64_000)), DmarcResult::None),
    ] {
        let zone = zone(&[(NAME, &record)]);
        assert_eq!(
            evaluate(&zone, &Input::new(domain("example.org"))).await,
            result,
            "{:.40}",
            record
        );
    }
    let zone_of_tags = zone(&[(NAME, &format!("v=DMARC1; p=reject;{unknown}"))]);
    let found = evaluate(&zone_of_tags, &Input::new(domain("example.org"))).await;
    assert!(matches!(found, DmarcResult::Fail | DmarcResult::None), "{found}");
    let mut many = Zone::new();
    for number in 0..1000 {
        many.insert(NAME, Record::txt(format!("not a record {number}")))
            .unwrap();
    }
    assert_eq!(
        evaluate(&many, &Input::new(domain("example.org"))).await,
        DmarcResult::None
    );
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn sizes_and_lists_of_reports_have_bounds() {
    let record = |rua: &str| format!("v=DMARC1; p=none; rua={rua}").parse::<PolicyRecord>();
    for size in [
        "!18446744073709551616t",
        "!99999999999999999999999999999",
        "!-1",
        "!",
        "!1x",
        "!k",
    ] {
        if let Ok(record) = record(&format!("mailto:a@example.org{size}")) {
            let reports = record.aggregate_reports();
            assert!(
                reports
                    .iter()
                    .all(|report| report.max_size().is_none_or(|size| size > 0)),
                "{size} {reports:?}"
            );
        }
    }
    let many = vec!["mailto:a@example.org"; 100_000].join(",");
    assert!(record(&many).is_ok_and(|record| record.aggregate_reports().len() == 64));
}

/// RFC 9989 §5.3.1; whoever has several authors has none.
#[tokio::test]
async fn authors_that_are_several_or_none_are_a_permanent_error() {
    let zone = zone(&[(NAME, "v=DMARC1; p=reject"), ("example.org", "v=spf1 +all")]);
    let authenticator = Authenticator::new(Arc::new(zone));
    let sender = Some("ada@example.org".parse().unwrap());
    let connection = Connection::new([192, 0, 2, 1].into(), "mail.example.org", sender);
    let thousand = format!("From: {}\r\n", vec!["ada@example.org"; 1000].join(", "));
    let mixed = format!(
        "From: {}, eve@example.com\r\n",
        vec!["ada@example.org"; 1000].join(", ")
    );
    let nested = format!("From: {}ada@example.org\r\n", "(".repeat(100_000));
    let quoted = format!("From: {}@example.org\r\n", "\"\\\"".repeat(50_000));
    for (from, may_pass) in [
        ("From: ada@example.org\r\n", true),
        (thousand.as_str(), true),
        (&mixed, false),
        ("From: ada@example.org\r\nFrom: eve@example.com\r\n", false),
        ("From: ada@example.org\r\nfrom : ada@example.org\r\n", false),
        ("From\0: eve@example.com\r\nFrom: ada@example.org\r\n", false),
        (" From: eve@example.com\r\nFrom: ada@example.org\r\n", false),
        (" x\r\n\tFrom: eve@example.com\r\nFrom: ada@example.org\r\n", false),
        ("From: ada@example.org\r\nX: y\rFrom: eve@example.com\r\n", false),
        ("X: y\r\n From: eve@example.com\r\nFrom: ada@example.org\r\n", true),
        ("From: ada@example.org, eve@example.com\r\n", false),
        ("From: \"ada@example.org\" <eve@example.com>\r\n", false),
        ("From: eve@example.com (ada@example.org)\r\n", false),
        ("From: <ada@example.org>, <eve@example.com>;\r\n", false),
        ("From: undisclosed:;\r\n", false),
        ("From:\r\n", false),
        ("Sender: ada@example.org\r\n", false),
        (&nested, false),
        (&quoted, false),
    ] {
        let message = format!("{from}\r\nHello\r\n");
        let begun = Instant::now();
        let report = authenticator.authenticate(&connection, message.as_bytes(), now()).await;
        assert_eq!(
            report.dmarc().result() == DmarcResult::Pass,
            may_pass,
            "{from:.60}: {}",
            report.dmarc().result()
        );
        assert!(begun.elapsed() < Duration::from_secs(5), "{from:.60}");
    }
}

#[tokio::test]
async fn a_test_mode_and_a_policy_of_none_are_no_rejection() {
    let zone = zone(&[(NAME, "v=DMARC1; p=reject; t=y")]);
    let report = dmarc::evaluate(&Input::new(domain("example.org")), &zone).await;
    assert_eq!(
        (report.result(), report.disposition()),
        (DmarcResult::Fail, Policy::Quarantine)
    );
}

/// What the host of an address says of reports about `example.org` there.
async fn consent(zone: &Zone, address: &str) -> Result<ReportConsent, LookupError> {
    let record: PolicyRecord = format!("v=DMARC1; p=none; rua=mailto:{address}").parse().unwrap();
    let address = &record.aggregate_reports()[0];
    report_consent(&domain("example.org"), address, zone, Method::TreeWalk).await
}

/// RFC 9990 §4: a record may name a victim's address.
#[tokio::test]
async fn reports_go_to_strangers_only_where_they_agree() {
    let zone = zone(&[
        (NAME, "v=DMARC1; p=none"),
        ("example.org._report._dmarc.plain.example", "v=DMARC1"),
        ("*._report._dmarc.any.example", "v=DMARC1;"),
        ("other.example._report._dmarc.other-only.example", "v=DMARC1"),
        ("example.org._report._dmarc.junk.example", "yes, please"),
        ("example.org._report._dmarc.junk.example", "v=DMARC10"),
        (
            "example.org._report._dmarc.moved.example",
            "v=DMARC1; rua=mailto:new@moved.example,mailto:x@victim.example",
        ),
        ("example.org._report._dmarc.beside.example", "something else"),
        (
            "example.org._report._dmarc.beside.example",
            "v=DMARC1; ruf=mailto:f@beside.example!1m",
        ),
    ]);
    for own in ["a@example.org", "a@Example.ORG", "a@reports.example.org"] {
        assert_eq!(consent(&zone, own).await, Ok(ReportConsent::SameOrganisation), "{own}");
    }
    for stranger in [
        "a@victim.example",
        "a@other-only.example",
        "a@junk.example",
        "a@badexample.org",
        "a@[192.0.2.1]",
    ] {
        assert_eq!(consent(&zone, stranger).await, Ok(ReportConsent::Missing), "{stranger}");
    }
    for agreed in ["a@plain.example", "a@any.example", "a@beside.example"] {
        assert!(consent(&zone, agreed).await.unwrap().is_given(), "{agreed}");
    }
    // It may have them sent to another address of its own, and to nobody else's.
    let Ok(ReportConsent::Given { aggregate, failure }) = consent(&zone, "old@moved.example").await else {
        panic!("no consent");
    };
    let addresses: Vec<&str> = aggregate.iter().map(dmarc::ReportAddress::address).collect();
    assert_eq!(addresses, ["new@moved.example"]);
    assert_eq!(failure, []);
}

#[tokio::test]
async fn a_consent_that_the_dns_does_not_tell_is_none_for_now() {
    let name = "example.org._report._dmarc.plain.example";
    let mut zone = zone(&[(NAME, "v=DMARC1; p=none"), (name, "v=DMARC1")]);
    zone.fail(name, RecordType::Txt, LookupError::ServFail).unwrap();
    assert_eq!(consent(&zone, "a@plain.example").await, Err(LookupError::ServFail));
    let mut huge = Zone::new();
    for number in 0..1000 {
        huge.insert(name, Record::txt(format!("{number}{}", "v=DMARC1".repeat(8))))
            .unwrap();
    }
    assert_eq!(consent(&huge, "a@plain.example").await, Ok(ReportConsent::Missing));
    assert!(huge.queries() <= 17, "{}", huge.queries());
}
