//! Ten zones and what the doctor says of them.
//!
//! The expected texts stand beside the zones. After a change that is meant, write them anew with
//! `POSTHASTE_WRITE_GOLDEN=1 cargo test -p posthaste-doctor --test diagnoses`, and read the difference.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests"
)]

use std::{collections::BTreeSet, fs, path::PathBuf};

use posthaste_dns::Zone;
use posthaste_doctor::{Code, Diagnosis, Doctor, FetchError, Pages, Severity};

fn path(file: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "zones", file].iter().collect()
}

fn zone(name: &str) -> Zone {
    Zone::parse(&fs::read_to_string(path(&format!("{name}.zone"))).unwrap()).unwrap()
}

fn golden(name: &str, diagnosis: &Diagnosis) {
    let text = diagnosis.to_string();
    let steers = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!text.contains(steers), "{text:?}");
    let file = path(&format!("{name}.txt"));
    if std::env::var_os("POSTHASTE_WRITE_GOLDEN").is_some() {
        fs::write(&file, &text).unwrap();
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(text, expected, "{} differs", file.display());
}

fn doctor<'r>(zone: &'r Zone, selectors: &[&str], addresses: &[&str]) -> Doctor<'r> {
    Doctor::new(zone)
        .selectors(selectors.iter().map(|selector| selector.parse().unwrap()))
        .sending_ips(addresses.iter().map(|address| address.parse().unwrap()))
}

fn codes(diagnosis: &Diagnosis) -> BTreeSet<&'static str> {
    diagnosis
        .findings()
        .iter()
        .map(|finding| finding.code().as_str())
        .collect()
}

fn assert_codes(diagnosis: &Diagnosis, expected: &[&str]) {
    let found = codes(diagnosis);
    for code in expected {
        assert!(found.contains(code), "no {code} in\n{diagnosis}");
    }
}

const POLICY: &str = "https://mta-sts.example.org/.well-known/mta-sts.txt";

#[tokio::test]
async fn five_right_zones_have_neither_errors_nor_warnings() {
    let right = |diagnosis: &Diagnosis| assert!(diagnosis.worst() <= Severity::Info, "{diagnosis}");
    let domain = "example.org".parse().unwrap();

    let here = zone("minimal");
    let diagnosis = doctor(&here, &["s1"], &["192.0.2.1"]).check(&domain).await;
    golden("minimal", &diagnosis);
    right(&diagnosis);

    let here = zone("hosted");
    let bounce = "bounce.example.org".parse().unwrap();
    let diagnosis = doctor(&here, &["aaaa", "bbbb"], &[])
        .mail_from(bounce)
        .check(&domain)
        .await;
    golden("hosted", &diagnosis);
    right(&diagnosis);
    assert_codes(&diagnosis, &["mail_from.ok", "dkim.ok"]);

    let here = zone("full");
    let pages = Pages::new().page(
        POLICY,
        "version: STSv1\r\nmode: enforce\r\nmx: *.example.org\r\nmax_age: 1209600\r\n",
    );
    let diagnosis = doctor(&here, &["s1", "s2"], &["192.0.2.1"])
        .https(&pages)
        .check(&domain)
        .await;
    golden("full", &diagnosis);
    right(&diagnosis);
    assert_codes(
        &diagnosis,
        &[
            "mta_sts.ok",
            "dane.ok",
            "bimi.ok",
            "tls_rpt.ok",
            "dnssec.secure",
            "reverse.ok",
        ],
    );

    let here = zone("parked");
    let diagnosis = doctor(&here, &[], &[]).check(&domain).await;
    golden("parked", &diagnosis);
    right(&diagnosis);
    assert!(diagnosis.has(Code::DomainParked), "{diagnosis}");

    let here = zone("subdomain");
    let news = "news.example.org".parse().unwrap();
    let diagnosis = doctor(&here, &["s1"], &["192.0.2.3"]).check(&news).await;
    golden("subdomain", &diagnosis);
    right(&diagnosis);
    assert!(diagnosis.has(Code::DmarcInherited));
}

#[tokio::test]
async fn spf_that_is_broken() {
    let here = zone("broken-spf");
    let diagnosis = doctor(&here, &[], &["192.0.2.1"])
        .check(&"example.org".parse().unwrap())
        .await;
    golden("broken-spf", &diagnosis);
    assert_codes(
        &diagnosis,
        &[
            "spf.pass_all",
            "spf.ptr",
            "spf.redirect_ignored",
            "spf.too_many_lookups",
            "spf.void_lookups",
            "spf.include_missing",
            "spf.include_broken",
            "spf.loop",
            "dkim.not_found",
            "reverse.missing",
        ],
    );
}

#[tokio::test]
async fn advice_for_spf_is_right_itself() {
    for text in [
        "v=spf1 ptr +all",
        "v=spf1 ptr",
        "v=spf1 a ?all",
        "v=spf1 mx",
        "v=spf1 ptr redirect=b.example.org",
        "v=spf1 ptr -all",
        "v=spf1 a redirect=b.example.org +all",
    ] {
        let here = |text: &str| {
            Zone::parse(&format!("example.org. TXT \"{text}\"\nexample.org. MX 1 example.org.\nexample.org. A 192.0.2.1\nb.example.org. TXT \"v=spf1 -all\"\n")).unwrap()
        };
        let domain = "example.org".parse().unwrap();
        let diagnosis = Doctor::new(&here(text)).check(&domain).await;
        let advised: BTreeSet<String> = diagnosis
            .findings()
            .iter()
            .filter(|finding| finding.code().as_str().starts_with("spf."))
            .filter_map(|finding| match finding.advice() {
                Some(posthaste_doctor::Advice::Publish(record)) => Some(record.value()),
                _ => None,
            })
            .collect();
        assert_eq!(advised.len(), 1, "{text}: {advised:?}");
        let better = Doctor::new(&here(advised.first().unwrap())).check(&domain).await;
        assert!(better.has(Code::SpfOk), "{text}\n{better}");
    }
}

#[tokio::test]
async fn keys_that_are_broken() {
    let here = zone("broken-dkim");
    let selectors = [
        "weak", "short", "trial", "gone", "twice", "sha1", "other", "torn", "alias", "none",
    ];
    let diagnosis = doctor(&here, &selectors, &[])
        .check(&"example.org".parse().unwrap())
        .await;
    golden("broken-dkim", &diagnosis);
    assert_codes(
        &diagnosis,
        &[
            "dkim.too_short",
            "dkim.short",
            "dkim.testing",
            "dkim.revoked",
            "dkim.several",
            "dkim.sha1",
            "dkim.key_type",
            "dkim.broken",
            "dkim.dangling",
            "dkim.missing",
        ],
    );
}

#[tokio::test]
async fn dmarc_that_is_broken() {
    let here = zone("broken-dmarc");
    let diagnosis = doctor(&here, &["s1"], &[]).check(&"example.org".parse().unwrap()).await;
    golden("broken-dmarc", &diagnosis);
    assert_codes(
        &diagnosis,
        &[
            "dmarc.subdomains",
            "dmarc.percent",
            "dmarc.testing",
            "dmarc.report_address",
            "dmarc.report_unauthorized",
            "dmarc.failure_reports",
            "dmarc.strict",
            "bimi.policy",
            "bimi.certificate",
        ],
    );
    let twice = doctor(&here, &["s1"], &[])
        .check(&"twice.example.org".parse().unwrap())
        .await;
    assert_codes(&twice, &["dmarc.several"]);
    let bare = doctor(&here, &["s1"], &[])
        .check(&"bare.example.com".parse().unwrap())
        .await;
    assert_codes(&bare, &["dmarc.missing", "spf.syntax", "dkim.missing"]);
}

#[tokio::test]
async fn exchangers_and_policies_that_are_broken() {
    let here = zone("broken-mx");
    let page = "https://mta-sts.sub.example.org/.well-known/mta-sts.txt";
    let pages = Pages::new().page(
        page,
        "version: STSv1\nmode: testing\nmx: mail.example.org\nmax_age: 60\n",
    );
    let sub = "sub.example.org".parse().unwrap();
    let addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "10.0.0.1"];
    let diagnosis = doctor(&here, &[], &addresses).https(&pages).check(&sub).await;
    golden("broken-mx", &diagnosis);
    assert_codes(
        &diagnosis,
        &[
            "mx.alias",
            "mx.address",
            "mx.unresolved",
            "mx.private",
            "dane.insecure",
            "dane.usage",
            "mta_sts.testing",
            "mta_sts.short",
            "mta_sts.exchanger_testing",
            "tls_rpt.record",
            "reverse.generic",
            "reverse.unconfirmed",
            "reverse.missing",
            "reverse.private",
            "spf.address_fails",
        ],
    );
    let whole = doctor(&here, &[], &[]).check(&"example.org".parse().unwrap()).await;
    assert_codes(&whole, &["mx.null_beside"]);

    for (pages, code) in [
        (Pages::new(), "mta_sts.unreachable"),
        (
            Pages::new().failure(page, FetchError::Status(301)),
            "mta_sts.unreachable",
        ),
        (Pages::new().page(page, "no policy"), "mta_sts.policy"),
        (
            Pages::new().page(page, "version: STSv1\nmode: none\nmax_age: 60\n"),
            "mta_sts.none",
        ),
    ] {
        assert_codes(&doctor(&here, &[], &[]).https(&pages).check(&sub).await, &[code]);
    }
    assert_codes(&doctor(&here, &[], &[]).check(&sub).await, &["mta_sts.not_fetched"]);
    let policy = "version: STSv1\nmode: enforce\nmx: mail.example.org\nmax_age: 604800\n";
    let pages = Pages::new().page(POLICY, policy);
    let diagnosis = doctor(&here, &[], &[])
        .https(&pages)
        .check(&"example.org".parse().unwrap())
        .await;
    assert_codes(&diagnosis, &["mta_sts.no_record"]);
    let enforced = Pages::new().page(page, policy);
    assert_codes(
        &doctor(&here, &[], &[]).https(&enforced).check(&sub).await,
        &["mta_sts.exchanger"],
    );
}

#[tokio::test]
async fn failures_are_not_absences_and_hostile_zones_are_bounded() {
    let here = zone("hostile");
    let diagnosis = doctor(&here, &["s1", "huge"], &[])
        .check(&"example.org".parse().unwrap())
        .await;
    golden("hostile", &diagnosis);
    assert_codes(
        &diagnosis,
        &[
            "dns.failed",
            "dnssec.bogus",
            "domain.wildcard_text",
            "mx.too_many",
            "dkim.several",
        ],
    );
    for absent in [
        Code::DmarcMissing,
        Code::DkimMissing,
        Code::StsMissing,
        Code::TlsRptMissing,
    ] {
        assert!(!diagnosis.has(absent), "{absent}\n{diagnosis}");
    }
    assert!(here.queries() < 1000, "{} lookups", here.queries());
}

#[tokio::test]
async fn names_that_are_no_mail_domains() {
    let here = zone("minimal");
    let nothing = doctor(&here, &[], &[]).check(&"example.com".parse().unwrap()).await;
    assert_eq!(codes(&nothing).into_iter().collect::<Vec<_>>(), ["domain.nonexistent"]);
    let mut here = Zone::parse("co.uk. TXT \"v=spf1 -all\"\n").unwrap();
    here.fail("example.net", None, posthaste_dns::LookupError::ServFail)
        .unwrap();
    assert_codes(
        &doctor(&here, &[], &[]).check(&"co.uk".parse().unwrap()).await,
        &["domain.public_suffix", "mx.nowhere"],
    );
    let failed = doctor(&here, &[], &[]).check(&"example.net".parse().unwrap()).await;
    assert_codes(&failed, &["dns.failed"]);
    assert!(!failed.has(Code::SpfMissing));
}

#[test]
fn codes_are_unique_and_in_the_readme() {
    let words: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(words.len(), Code::ALL.len());
    let row = |code: &Code| format!("| `{code}` | {} | {} |\n", code.severity(), code.why());
    let table: String = Code::ALL.iter().map(row).collect();
    let file = [env!("CARGO_MANIFEST_DIR"), "README.md"].iter().collect::<PathBuf>();
    let readme = fs::read_to_string(&file).unwrap();
    let (head, rest) = readme.split_once("| --- | --- | --- |\n").unwrap();
    let old: String = rest
        .lines()
        .take_while(|line| line.starts_with('|'))
        .map(|line| format!("{line}\n"))
        .collect();
    if std::env::var_os("POSTHASTE_WRITE_GOLDEN").is_some() {
        let after = rest.strip_prefix(&old).unwrap();
        fs::write(&file, format!("{head}| --- | --- | --- |\n{table}{after}")).unwrap();
    } else {
        assert_eq!(old, table, "the table in README.md differs");
    }
    let bad = Code::ALL.iter().filter(|code| code.severity() > Severity::Ok);
    for code in bad {
        assert!(
            !code.why().is_empty() && !code.sources().is_empty(),
            "{code} says not why"
        );
    }
}
