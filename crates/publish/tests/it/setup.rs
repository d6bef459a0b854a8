//! From a setup to records, and to what they are written as.

use std::time::{Duration, SystemTime};

use posthaste_auth::{
    dkim::{DkimResult, PublicKey, Signer, SigningKey, verify},
    dmarc::{self, ReportAddress},
};
use posthaste_dns::{Record, RecordType, ResolverExt, Zone};
use posthaste_publish::{
    DkimKey, HostedDkim, MailFrom, Publication, Setup, SetupError, Warning, ZoneRecord, bimi,
    mta_sts::{self, Mode, Policy},
    spf::{self, Builder, Qualifier, flatten},
    tls_rpt,
};
use proptest::prelude::*;

use crate::run;

fn example() -> Setup {
    Setup::new("example.org".parse().unwrap())
}

fn everything() -> Publication {
    let key = SigningKey::generate_ed25519().unwrap();
    let hosted = HostedDkim::new("example.net".parse().unwrap())
        .token("t1".parse().unwrap())
        .token("t2".parse().unwrap())
        .key(DkimKey::new("t3".parse().unwrap(), &key));
    let reports = |address| ReportAddress::new(address).unwrap();
    let policy = Policy::new(Mode::Enforce, Duration::from_secs(604_800)).mx("*.example.org".parse().unwrap());
    let bounces = Builder::new().include("example.net").all(Qualifier::SoftFail);
    example()
        .ttl(Duration::from_secs(7200))
        .mx(10, "mx1.example.org".parse().unwrap())
        .mx(20, "mx2.example.org".parse().unwrap())
        .spf(Builder::new().mx().include("spf.example.net").all(Qualifier::Fail))
        .dkim("e1".parse().unwrap(), &key)
        .dkim_key(DkimKey::new(
            "r1".parse().unwrap(),
            &SigningKey::generate_rsa_2048().unwrap(),
        ))
        .dkim_key(DkimKey::revoked("r0".parse().unwrap()))
        .hosted_dkim(hosted)
        .dmarc(
            dmarc::Record::builder(dmarc::Policy::Reject)
                .aggregate_reports_to(reports("dmarc@mail.example.org"))
                .aggregate_reports_to(reports("example@reports.example.com"))
                .failure_reports_to(reports("example@reports.example.com"))
                .build(),
        )
        .mail_from(MailFrom::new(
            "bounce.example.org".parse().unwrap(),
            "feedback.example.net".parse().unwrap(),
            bounces,
        ))
        .mta_sts(mta_sts::Record::new("1").unwrap(), policy)
        .policy_address([192, 0, 2, 80].into())
        .policy_address("2001:db8::80".parse().unwrap())
        .tls_rpt(tls_rpt::Record::new(["mailto:tls@example.org".parse().unwrap()]))
        .bimi(
            bimi::Record::new("https://example.org/l.svg")
                .unwrap()
                .authority("https://example.org/l.pem")
                .unwrap(),
        )
        .bimi_at(&"none".parse().unwrap(), bimi::Record::declined())
        .build()
        .unwrap()
}

fn lines(records: &[ZoneRecord]) -> Vec<String> {
    records.iter().map(ToString::to_string).collect()
}

#[test]
fn everything_that_a_domain_needs() {
    let publication = everything();
    let lines = lines(publication.records());
    for expected in [
        "example.org. 7200 IN MX 10 mx1.example.org.",
        "example.org. 7200 IN MX 20 mx2.example.org.",
        "example.org. 7200 IN TXT \"v=spf1 mx include:spf.example.net -all\"",
        "r0._domainkey.example.org. 7200 IN TXT \"v=DKIM1; p=\"",
        "t1._domainkey.example.org. 7200 IN CNAME t1.dkim.example.net.",
        "t2._domainkey.example.org. 7200 IN CNAME t2.dkim.example.net.",
        "t3._domainkey.example.org. 7200 IN CNAME t3.dkim.example.net.",
        "bounce.example.org. 7200 IN MX 10 feedback.example.net.",
        "bounce.example.org. 7200 IN TXT \"v=spf1 include:example.net ~all\"",
        "default._bimi.example.org. 7200 IN TXT \"v=BIMI1\\; l=https://example.org/l.svg\\; a=https://example.org/l.pem\"",
        "none._bimi.example.org. 7200 IN TXT \"v=BIMI1\\; l=\\; a=\"",
        "_mta-sts.example.org. 7200 IN TXT \"v=STSv1\\; id=1\"",
        "mta-sts.example.org. 7200 IN A 192.0.2.80",
        "mta-sts.example.org. 7200 IN AAAA 2001:db8::80",
        "_smtp._tls.example.org. 7200 IN TXT \"v=TLSRPTv1\\; rua=mailto:tls@example.org\"",
    ] {
        let expected = expected.replace("\\;", ";");
        assert!(lines.contains(&expected), "no {expected} in {lines:#?}");
    }
    assert_eq!(lines.len(), 18);
    assert_eq!(publication.warnings(), [], "all is well");
    let elsewhere: Vec<&str> = publication.elsewhere().iter().map(ZoneRecord::name).collect();
    assert_eq!(
        elsewhere,
        ["t3.dkim.example.net", "example.org._report._dmarc.reports.example.com"]
    );
    assert_eq!(publication.elsewhere()[1].value(), "v=DMARC1");
    assert!(
        publication
            .mta_sts_policy()
            .unwrap()
            .to_string()
            .contains("mx: *.example.org\r\n")
    );
}

#[test]
fn the_zone_file_reads_back() {
    let publication = everything();
    let zone = Zone::parse(&publication.to_zone_file()).unwrap();
    let mut read: Vec<(String, Record)> = zone
        .records()
        .map(|(name, record)| (name.to_owned(), record.clone()))
        .collect();
    let mut written: Vec<(String, Record)> = publication
        .records()
        .iter()
        .map(|record| (record.name().to_owned(), record.data().clone()))
        .collect();
    let by_text = |one: &(String, Record)| format!("{one:?}");
    read.sort_by_key(by_text);
    written.sort_by_key(by_text);
    assert_eq!(read, written);
    let answer = zone.answer("example.org", RecordType::Mx).unwrap();
    assert_eq!(answer.ttl(), Duration::from_secs(7200));
}

#[test]
fn published_keys_verify_signatures() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let keys = [
        SigningKey::generate_rsa_2048().unwrap(),
        SigningKey::generate_rsa_3072().unwrap(),
        SigningKey::generate_rsa_4096().unwrap(),
        SigningKey::generate_ed25519().unwrap(),
    ];
    for key in keys {
        let published = DkimKey::new("s1".parse().unwrap(), &key);
        let hosted = HostedDkim::new("example.net".parse().unwrap()).key(DkimKey::new("t1".parse().unwrap(), &key));
        let direct = example().dkim_key(published.strict(true)).build().unwrap();
        let behind = example().hosted_dkim(hosted).build().unwrap();
        let pem = key.to_pem().unwrap();
        for (publication, selector) in [(direct, "s1"), (behind, "t1")] {
            let key = SigningKey::from_pem(&pem).unwrap();
            let message = "From: ada@example.org\r\nSubject: Hello\r\n\r\nFirst line\r\n";
            let signer = Signer::builder("example.org".parse().unwrap())
                .key(selector.parse().unwrap(), key)
                .build()
                .unwrap();
            let signed = signer.sign([message.as_bytes()], now).unwrap() + message;
            // As it stands in the zone file; what the operator publishes is in comments there.
            let text = publication
                .to_zone_file()
                .replace("; t1.dkim", "t1.dkim")
                .replace("; Others", ";");
            let zone = Zone::parse(&text).unwrap();
            let verdicts = run(verify(signed.as_bytes(), &zone, now));
            assert_eq!(verdicts[0].result(), DkimResult::Pass, "{text}");
        }
    }
}

#[test]
fn long_texts_are_cut_into_strings() {
    let publication = example()
        .dkim("s1".parse().unwrap(), &SigningKey::generate_rsa_2048().unwrap())
        .build()
        .unwrap();
    let Record::Txt(text) = publication.records()[0].data() else {
        panic!("a text");
    };
    assert_eq!(text.segments().map(<[u8]>::len).max(), Some(255));
    assert_eq!(text.segments().count(), 2);
    PublicKey::parse(&text.to_text()).unwrap();
}

#[test]
fn json_has_it_all() {
    let publication = everything();
    let json: serde_json::Value = serde_json::from_str(&publication.to_json()).unwrap();
    assert_eq!(json["domain"], "example.org");
    let records = json["records"].as_array().unwrap();
    assert_eq!(records.len(), publication.records().len());
    for (record, read) in publication.records().iter().zip(records) {
        assert_eq!(read["name"], record.name());
        assert_eq!(read["type"], record.kind().as_str());
        assert_eq!(read["ttl"], 7200);
        assert_eq!(read["value"], record.value());
        assert_eq!(read["priority"].as_u64(), record.priority().map(u64::from));
        if record.kind() == RecordType::Txt {
            let strings: Vec<&str> = read["strings"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one.as_str().unwrap())
                .collect();
            assert_eq!(strings.concat(), record.value());
        }
    }
    assert_eq!(records[0]["host"], "@");
    assert_eq!(json["elsewhere"].as_array().unwrap().len(), 2);
    assert_eq!(
        json["mta_sts_policy"]["url"],
        "https://mta-sts.example.org/.well-known/mta-sts.txt"
    );
    assert_eq!(json["warnings"], serde_json::json!([]));

    let bare: serde_json::Value =
        serde_json::from_str(&example().ttl(Duration::ZERO).build().unwrap().to_json()).unwrap();
    assert_eq!(bare["records"], serde_json::json!([]));
    assert!(bare["mta_sts_policy"].is_null());
    assert_eq!(bare["warnings"][0]["code"], "dns.short_ttl");
}

#[test]
fn a_table_is_for_consoles() {
    let publication = Setup::parked("example.com".parse().unwrap()).build().unwrap();
    assert_eq!(
        publication.to_table(),
        "Host    Type  Priority  TTL   Value\n\
         @       MX    0         3600  .\n\
         @       TXT             3600  v=spf1 -all\n\
         _dmarc  TXT             3600  v=DMARC1; p=reject\n"
    );
    assert_eq!(publication.warnings(), []);
}

#[test]
fn spf_is_merged_with_what_is_there() {
    let there = Zone::parse("example.org. TXT \"v=spf1 ip4:192.0.2.1 ~all\"\nexample.org. TXT \"site=1\"\n").unwrap();
    let setup = example().existing_zone(&there);
    let ours = Builder::new().include("spf.example.net").all(Qualifier::Fail);
    let text = |setup: Setup| setup.build().unwrap().records()[0].value();
    assert_eq!(
        text(setup.clone().spf(ours.clone())),
        "v=spf1 ip4:192.0.2.1 include:spf.example.net ~all"
    );
    let flat = run(flatten(
        &Builder::new().all(Qualifier::Fail),
        &"example.org".parse().unwrap(),
        &there,
    ))
    .unwrap();
    assert_eq!(text(setup.clone().spf_flattened(&flat)), "v=spf1 -all");

    let broken = Zone::parse("example.org. TXT \"v=spf1 foo\"\n").unwrap();
    assert_eq!(
        text(example().existing_zone(&broken).spf(ours)),
        "v=spf1 include:spf.example.net -all"
    );
    let parked = Setup::parked("example.org".parse().unwrap())
        .existing_zone(&there)
        .build()
        .unwrap();
    assert_eq!(parked.records()[1].value(), "v=spf1 -all");
}

#[test]
fn flattened_records_come_with_their_parts() {
    let zone = Zone::parse("a.example.net. 120 A 192.0.2.1\n").unwrap();
    let mut record = Builder::new().a_of("a.example.net");
    for last in 0..40 {
        record = record.ip4([10, 0, 0, last * 2].into(), 32);
    }
    let record = record.all(Qualifier::Fail);
    let flat = run(flatten(&record, &"example.org".parse().unwrap(), &zone)).unwrap();
    let publication = example().spf_flattened(&flat).build().unwrap();
    let names: Vec<&str> = publication.records().iter().map(ZoneRecord::name).collect();
    assert_eq!(names, ["example.org", "_spf1.example.org", "_spf2.example.org"]);
    assert!(
        publication
            .records()
            .iter()
            .all(|record| record.ttl() == Duration::from_secs(120))
    );
    assert!(publication.warnings().contains(&Warning::SpfFlattened { seconds: 120 }));
    // What is not published yet counts all the same.
    let budget = run(publication.spf_budget(&zone)).unwrap();
    assert_eq!((budget.lookups(), budget.is_within()), (2, true));
    assert_eq!(run(example().build().unwrap().spf_budget(&zone)), None);
}

#[test]
fn a_preview_answers_for_the_rest_too() {
    let there = Zone::parse("www.example.org. A 192.0.2.1\nexample.org. A 192.0.2.2\n").unwrap();
    let publication = example().mx(10, "mx.example.org".parse().unwrap()).build().unwrap();
    let preview = publication.preview(&there);
    run(async {
        assert_eq!(preview.mx("example.org").await.unwrap().len(), 1);
        assert_eq!(preview.a("example.org").await.unwrap().len(), 1);
        assert_eq!(preview.a("www.example.org").await.unwrap().len(), 1);
        assert!(preview.a("gone.example.org").await.unwrap_err().is_nx_domain());
    });
}

#[test]
fn what_cannot_be_published_is_refused() {
    let options = posthaste_address::ParseOptions::default().domain_literals(true);
    let literal = posthaste_address::EmailAddress::parse_with("ada@[192.0.2.1]", &options).unwrap();
    let error = Setup::new(literal.domain().clone()).build().unwrap_err();
    assert!(matches!(error, SetupError::Literal { .. }));
    assert_eq!(error.to_string(), "`[192.0.2.1]` is an address, not a domain");

    let host = || "mx.example.org".parse().unwrap();
    assert_eq!(example().mx(10, host()).null_mx().build(), Err(SetupError::NullMx));
    for name in ["example.org", "badexample.org", "example.net"] {
        let mail_from = MailFrom::new(name.parse().unwrap(), host(), Builder::new());
        let error = example().mail_from(mail_from).build().unwrap_err();
        assert!(matches!(error, SetupError::MailFrom { .. }), "{name}");
    }
    let error = example().spf(Builder::new().include("a b")).build().unwrap_err();
    assert!(
        matches!(&error, SetupError::Spf { name, error: spf_error } if name == "example.org"
        && matches!(spf_error, posthaste_auth::spf::BuildError::Term(_)))
    );
    let long = ["a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(60)].join(".");
    let error = Setup::parked(long.parse().unwrap()).build().unwrap_err();
    assert!(matches!(error, SetupError::Name(_)), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is asked for, the zone file and the JSON read back to the same records.
    #[test]
    fn what_is_written_reads_back(
        domain in "[a-z0-9]{1,10}(\\.[a-z0-9]{1,10}){1,3}",
        hosts in prop::collection::vec((any::<u16>(), "[a-z]{1,8}\\.example"), 0..4),
        selectors in prop::collection::vec("[a-zA-Z0-9]{1,10}", 0..4),
        ttl in any::<u64>(),
        id in "[a-zA-Z0-9]{1,32}",
        includes in prop::collection::vec("[a-z]{1,8}\\.example", 0..20),
    ) {
        let mut setup = Setup::new(domain.parse().unwrap()).ttl(Duration::from_secs(ttl));
        for (preference, host) in hosts {
            setup = setup.mx(preference, host.parse().unwrap());
        }
        for selector in selectors {
            setup = setup.dkim_key(DkimKey::revoked(selector.parse().unwrap()));
        }
        let spf: Builder = includes.into_iter().map(|name| {
            spf::Term::Directive(Qualifier::Pass, spf::Mechanism::Include(name))
        }).collect();
        let publication = setup
            .spf(spf)
            .mta_sts(mta_sts::Record::new(id).unwrap(), Policy::new(Mode::None, Duration::ZERO))
            .build()
            .unwrap();
        let zone = Zone::parse(&publication.to_zone_file()).unwrap();
        prop_assert_eq!(zone.records().count(), publication.records().len());
        for record in publication.records() {
            prop_assert!(zone.records().any(|(name, data)| name == record.name() && data == record.data()), "{}", record);
        }
        let json: serde_json::Value = serde_json::from_str(&publication.to_json()).unwrap();
        prop_assert_eq!(json["records"].as_array().unwrap().len(), publication.records().len());
        prop_assert_eq!(publication.to_table().lines().count(), publication.records().len() + 1);
    }
}
