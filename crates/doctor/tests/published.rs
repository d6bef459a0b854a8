//! What `posthaste-publish` publishes is right to the doctor.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::{fmt::Write, time::Duration};

use posthaste_auth::{
    dkim::SigningKey,
    dmarc::{self, ReportAddress},
};
use posthaste_dns::{Record, Zone};
use posthaste_doctor::{Code, Diagnosis, Doctor, Pages, Severity};
use posthaste_publish::{
    DkimKey, HostedDkim, MailFrom, Publication, Setup, bimi,
    mta_sts::{self, Mode, Policy},
    spf::{Builder, Qualifier, flatten},
    tls_rpt,
};

fn setup() -> Setup {
    let key = SigningKey::generate_rsa_2048().unwrap();
    let second = SigningKey::generate_ed25519().unwrap();
    let hosted = HostedDkim::new("example.net".parse().unwrap())
        .token("t1".parse().unwrap())
        .key(DkimKey::new("t2".parse().unwrap(), &key));
    let reports = |address| ReportAddress::new(address).unwrap();
    let policy = Policy::new(Mode::Enforce, Duration::from_secs(1_209_600)).mx("*.example.org".parse().unwrap());
    Setup::new("example.org".parse().unwrap())
        .mx(10, "mx1.example.org".parse().unwrap())
        .mx(20, "mx2.example.org".parse().unwrap())
        .spf(Builder::new().mx().include("spf.example.net").all(Qualifier::Fail))
        .dkim("r1".parse().unwrap(), &key)
        .dkim("e1".parse().unwrap(), &second)
        .hosted_dkim(hosted)
        .dmarc(
            dmarc::Record::builder(dmarc::Policy::Reject)
                .aggregate_reports_to(reports("dmarc@example.org"))
                .aggregate_reports_to(reports("example@reports.example.com"))
                .build(),
        )
        .mail_from(MailFrom::new(
            "bounce.example.org".parse().unwrap(),
            "feedback.example.net".parse().unwrap(),
            Builder::new().include("spf.example.net").all(Qualifier::SoftFail),
        ))
        .mta_sts(mta_sts::Record::new("1").unwrap(), policy)
        .policy_address([192, 0, 2, 80].into())
        .tls_rpt(tls_rpt::Record::new(["mailto:tls@example.org".parse().unwrap()]))
        .bimi(
            bimi::Record::new("https://example.org/l.svg")
                .unwrap()
                .authority("https://example.org/l.pem")
                .unwrap(),
        )
}

/// What others have: the hosts, the operator's SPF and key, the name of the sending address.
const OTHERS: &str = "\nmx1.example.org. A 192.0.2.1\nmx2.example.org. A 192.0.2.2\n\
    feedback.example.net. A 198.51.100.1\nspf.example.net. TXT \"v=spf1 ip4:198.51.100.0/24 -all\"\n\
    1.2.0.192.in-addr.arpa. PTR mx1.example.org.\n";

/// Puts a publication into the DNS, what others are to publish for it included.
fn zone(publication: &Publication) -> Zone {
    let mut text = publication.to_zone_file() + OTHERS;
    for record in publication.elsewhere() {
        writeln!(text, "{record}").unwrap();
        // The operator publishes its other keys in the same way.
        if record.name() == "t2.dkim.example.net" {
            writeln!(text, "{}", record.to_string().replace("t2.dkim", "t1.dkim")).unwrap();
        }
    }
    Zone::parse(&text).unwrap()
}

async fn examine(publication: &Publication, selectors: &[&str]) -> Diagnosis {
    let zone = zone(publication);
    let policy = publication.mta_sts_policy().map(ToString::to_string);
    let pages = Pages::new().page(
        "https://mta-sts.example.org/.well-known/mta-sts.txt",
        policy.unwrap_or_default(),
    );
    let doctor = Doctor::new(&zone)
        .selectors(selectors.iter().map(|selector| selector.parse().unwrap()))
        .sending_ips(["192.0.2.1".parse().unwrap()])
        .https(&pages);
    doctor.check(publication.domain()).await
}

#[tokio::test]
async fn what_is_published_has_neither_errors_nor_warnings() {
    let publication = setup().build().unwrap();
    let diagnosis = examine(&publication, &["r1", "e1", "t1", "t2"]).await;
    assert!(diagnosis.worst() <= Severity::Info, "{diagnosis}");
    for code in [
        Code::SpfOk,
        Code::DkimOk,
        Code::DmarcOk,
        Code::MxOk,
        Code::StsOk,
        Code::TlsRptOk,
        Code::BimiOk,
        Code::ReverseOk,
    ] {
        assert!(diagnosis.has(code), "no {code} in\n{diagnosis}");
    }
    let zone = zone(&publication);
    let bounces = Doctor::new(&zone)
        .selectors(["r1".parse().unwrap()])
        .mail_from("bounce.example.org".parse().unwrap())
        .check(publication.domain())
        .await;
    assert!(
        bounces.has(Code::MailFromOk) && bounces.count(Severity::Error) == 0,
        "{bounces}"
    );
}

#[tokio::test]
async fn a_flattened_record_is_as_good() {
    let mut spf = Builder::new().mx();
    for n in 0..12 {
        spf = spf.include(format!("spf{n}.example.net"));
    }
    let mut text = OTHERS.to_owned();
    for n in 0..12 {
        writeln!(text, "spf{n}.example.net. TXT \"v=spf1 ip4:203.0.113.{} -all\"", n * 2).unwrap();
    }
    let mut zone = Zone::parse(&format!("{text}example.org. MX 10 mx1.example.org.\n")).unwrap();
    let spf = spf.all(Qualifier::Fail);
    zone.insert("example.org", Record::txt(spf.build().unwrap())).unwrap();
    let before = Doctor::new(&zone).check(&"example.org".parse().unwrap()).await;
    assert!(before.has(Code::SpfTooManyLookups), "{before}");
    let flattened = flatten(&spf, &"example.org".parse().unwrap(), &zone).await.unwrap();
    let publication = setup().spf_flattened(&flattened).build().unwrap();
    let after = examine(&publication, &["r1"]).await;
    assert!(after.has(Code::SpfOk) && after.count(Severity::Error) == 0, "{after}");
}

#[tokio::test]
async fn a_parked_domain_is_right_too() {
    let publication = Setup::parked("example.org".parse().unwrap()).build().unwrap();
    let zone = Zone::parse(&publication.to_zone_file()).unwrap();
    let diagnosis = Doctor::new(&zone).check(publication.domain()).await;
    assert!(
        diagnosis.has(Code::DomainParked) && diagnosis.worst() <= Severity::Info,
        "{diagnosis}"
    );
}

#[tokio::test]
async fn what_is_left_out_is_found() {
    let publication = Setup::new("example.org".parse().unwrap())
        .mx(10, "mx1.example.org".parse().unwrap())
        .build()
        .unwrap();
    let diagnosis = examine(&publication, &["r1"]).await;
    for code in [Code::SpfMissing, Code::DkimMissing, Code::DmarcMissing] {
        assert!(diagnosis.has(code), "no {code} in\n{diagnosis}");
    }
}
