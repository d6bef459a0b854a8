//! What is not wise.

use std::{collections::BTreeSet, time::Duration};

use posthaste_auth::{
    dkim::SigningKey,
    dmarc::{self, Policy as DmarcPolicy, ReportAddress},
};
use posthaste_dns::{Record, Zone};
use posthaste_publish::{
    DkimKey, HostedDkim, Setup, Warning, ZoneRecord, bimi,
    mta_sts::{self, Mode, Policy},
    spf::{Builder, Mechanism, Qualifier},
    tls_rpt,
};

fn example() -> Setup {
    Setup::new("example.org".parse().unwrap())
}

/// Builds, and gives the codes of what is not wise.
fn codes(setup: Setup) -> Vec<&'static str> {
    let publication = setup.build().unwrap();
    for warning in publication.warnings() {
        let text = warning.to_string();
        assert!(!text.is_empty() && !text.ends_with('.'), "{text}");
    }
    publication.warnings().iter().map(Warning::code).collect()
}

fn existing(text: &str) -> Setup {
    example().existing_zone(&Zone::parse(text).unwrap())
}

fn dmarc(policy: DmarcPolicy) -> dmarc::RecordBuilder {
    dmarc::Record::builder(policy).aggregate_reports_to(ReportAddress::new("d@example.org").unwrap())
}

fn hosted() -> HostedDkim {
    HostedDkim::new("example.net".parse().unwrap()).token("t1".parse().unwrap())
}

fn spf() -> Builder {
    Builder::new().mx().all(Qualifier::Fail)
}

#[test]
fn aliases_stand_alone() {
    let there = existing("t1._domainkey.example.org. TXT \"v=DKIM1; p=\"\n");
    assert_eq!(codes(there.hosted_dkim(hosted())), ["dns.cname_conflict"]);
    let both = example()
        .hosted_dkim(hosted())
        .dkim_key(DkimKey::revoked("t1".parse().unwrap()));
    assert_eq!(codes(both), ["dns.cname_conflict"]);
    let apex = existing("example.org. CNAME example.com.\n").mx(10, "mx.example.org".parse().unwrap());
    assert_eq!(codes(apex), ["dns.cname_conflict"]);
    let same = existing("t1._domainkey.example.org. CNAME t1.dkim.example.net.\n");
    assert_eq!(codes(same.hosted_dkim(hosted())), [""; 0]);
    let mx = existing("mx.example.org. CNAME host.example.org.\n").mx(10, "mx.example.org".parse().unwrap());
    assert_eq!(codes(mx), ["mx.alias"]);
}

#[test]
fn what_must_go_is_named() {
    let there = existing(
        "example.org. TXT \"v=spf1 a -all\"\n\
         example.org. TXT \"other=1\"\n\
         example.org. MX 5 old.example.org.\n\
         _dmarc.example.org. TXT \"v=DMARC1; p=none\"\n\
         t1._domainkey.example.org. CNAME t1.dkim.example.com.\n",
    );
    let publication = there
        .mx(10, "mx.example.org".parse().unwrap())
        .spf(spf())
        .dmarc(dmarc(DmarcPolicy::Reject).build())
        .hosted_dkim(hosted())
        .build()
        .unwrap();
    let gone: BTreeSet<String> = publication.warnings().iter().map(ToString::to_string).collect();
    let expected = [
        "`example.org` has a TXT record that must go: v=spf1 a -all",
        "`example.org` has a MX record that must go: old.example.org",
        "`_dmarc.example.org` has a TXT record that must go: v=DMARC1; p=none",
        "`t1._domainkey.example.org` has a CNAME record that must go: t1.dkim.example.com",
    ];
    assert_eq!(gone, expected.map(str::to_owned).into());
}

#[test]
fn what_is_there_steers_no_terminal() {
    let mut there = Zone::new();
    there
        .insert("_dmarc.example.org", Record::txt("v=DMARC1; p=\u{1b}[2J\r\n"))
        .unwrap();
    let setup = example()
        .existing_zone(&there)
        .dmarc(dmarc(DmarcPolicy::Reject).build());
    let publication = setup.build().unwrap();
    let text = publication.warnings()[0].to_string();
    assert!(text.contains("must go") && !text.contains(char::is_control), "{text:?}");
}

#[test]
fn what_is_there_already_is_no_trouble() {
    let there = existing("example.org. TXT \"v=spf1 mx -all\"\n_dmarc.example.org. TXT \"v=DMARC1; p=reject\"\n");
    assert_eq!(codes(there.spf(spf())), [""; 0]);
    let record = ZoneRecord::new("example.org", Duration::ZERO, Record::mx(10, "mx.example.org")).unwrap();
    assert_eq!(
        codes(example().existing(record).mx(10, "mx.example.org".parse().unwrap())),
        [""; 0]
    );
}

#[test]
fn one_of_each() {
    let key = || DkimKey::revoked("s1".parse().unwrap());
    assert_eq!(codes(example().dkim_key(key()).dkim_key(key())), ["dns.duplicate"]);
    let other = DkimKey::new("s1".parse().unwrap(), &SigningKey::generate_rsa_2048().unwrap());
    let two = example()
        .dkim_key(key())
        .dkim_key(other)
        .dmarc(dmarc(DmarcPolicy::Reject).build());
    assert_eq!(codes(two), ["dns.several"]);
}

#[test]
fn long_answers() {
    let key = |key| {
        example()
            .dkim("s1".parse().unwrap(), &key)
            .dmarc(dmarc(DmarcPolicy::Reject).build())
    };
    assert_eq!(codes(key(SigningKey::generate_rsa_2048().unwrap())), [""; 0]);
    assert_eq!(
        codes(key(SigningKey::generate_rsa_4096().unwrap())),
        ["dns.long_answer"]
    );
    let mut crowded = Zone::new();
    for number in 0..8 {
        let text = format!("verification-{number}={}", "x".repeat(50));
        crowded.insert("example.org", Record::txt(text)).unwrap();
    }
    let setup = example()
        .existing_zone(&crowded)
        .spf(spf())
        .dmarc(dmarc(DmarcPolicy::Reject).build());
    assert_eq!(codes(setup), ["dns.long_answer"]);
}

#[test]
fn times_to_live() {
    assert_eq!(codes(example().ttl(Duration::from_secs(60))), ["dns.short_ttl"]);
    assert_eq!(codes(example().ttl(Duration::from_secs(604_800))), ["dns.long_ttl"]);
    assert_eq!(codes(example().ttl(Duration::from_secs(300))), [""; 0]);
    assert_eq!(codes(example().ttl(Duration::from_secs(86_400))), [""; 0]);
}

#[test]
fn spf_records() {
    let with = |record: Builder| codes(example().spf(record).dmarc(dmarc(DmarcPolicy::Reject).build()));
    let many = (0..11).fold(spf(), |record, number| record.include(format!("s{number}.example.net")));
    assert_eq!(with(many), ["spf.too_many_lookups"]);
    assert_eq!(with(Builder::new().mx()), ["spf.open"]);
    assert_eq!(with(Builder::new().mx().all(Qualifier::Neutral)), ["spf.open"]);
    assert_eq!(with(Builder::new().redirect("example.net")), [""; 0]);
    assert_eq!(with(Builder::new().all(Qualifier::Pass)), ["spf.allows_all"]);
    assert_eq!(with(spf().pass(Mechanism::Ptr(None))), ["spf.ptr"]);
}

#[test]
fn keys() {
    let ed25519 = SigningKey::generate_ed25519().unwrap();
    let rsa = SigningKey::generate_rsa_2048().unwrap();
    let with_policy = || example().dmarc(dmarc(DmarcPolicy::Reject).build());
    let only = with_policy().dkim("e1".parse().unwrap(), &ed25519);
    assert_eq!(codes(only.clone()), ["dkim.no_rsa"]);
    assert_eq!(codes(only.dkim("r1".parse().unwrap(), &rsa)), [""; 0]);
    let testing = with_policy().dkim_key(DkimKey::new("r1".parse().unwrap(), &rsa).testing(true));
    assert_eq!(codes(testing), ["dkim.testing"]);
}

#[test]
fn dmarc_policies() {
    assert_eq!(codes(example().spf(spf())), ["dmarc.missing"]);
    assert_eq!(codes(example().dmarc(dmarc(DmarcPolicy::None).build())), ["dmarc.none"]);
    assert_eq!(
        codes(example().dmarc(dmarc(DmarcPolicy::Reject).testing(true).build())),
        ["dmarc.testing"]
    );
    let weaker = dmarc(DmarcPolicy::Reject)
        .subdomain_policy(DmarcPolicy::Quarantine)
        .build();
    assert_eq!(codes(example().dmarc(weaker)), ["dmarc.subdomains"]);
    let silent = dmarc::Record::builder(DmarcPolicy::Reject).build();
    assert_eq!(codes(example().dmarc(silent)), ["dmarc.no_reports"]);
}

#[test]
fn tls() {
    let id = || mta_sts::Record::new("1").unwrap();
    let policy = |mode, seconds| Policy::new(mode, Duration::from_secs(seconds)).mx("mx.example.org".parse().unwrap());
    let reports = tls_rpt::Record::new(["mailto:t@example.org".parse().unwrap()]);
    let setup = || {
        example()
            .policy_host("www.example.org".parse().unwrap())
            .tls_rpt(reports.clone())
    };

    assert_eq!(codes(setup().mta_sts(id(), policy(Mode::Enforce, 604_800))), [""; 0]);
    assert_eq!(
        codes(setup().mta_sts(id(), policy(Mode::Testing, 60))),
        ["mta_sts.max_age"]
    );
    let uncovered = setup().mx(10, "mx2.example.org".parse().unwrap());
    assert_eq!(
        codes(uncovered.mta_sts(id(), policy(Mode::Enforce, 604_800))),
        ["mta_sts.exchanger"]
    );
    let bare = example().mta_sts(id(), policy(Mode::Enforce, 604_800));
    assert_eq!(codes(bare), ["mta_sts.host", "tls_rpt.missing"]);
    let there =
        existing("mta-sts.example.org. A 192.0.2.1\n_smtp._tls.example.org. TXT \"v=TLSRPTv1; rua=mailto:a@b\"\n");
    assert_eq!(codes(there.mta_sts(id(), policy(Mode::Enforce, 604_800))), [""; 0]);
    assert_eq!(
        codes(example().mta_sts(id(), Policy::new(Mode::None, Duration::ZERO))),
        [""; 0],
        "a policy that ends needs no more"
    );

    let changed = |new: &str| {
        setup()
            .previous_mta_sts(id(), policy(Mode::Testing, 604_800))
            .mta_sts(mta_sts::Record::new(new).unwrap(), policy(Mode::Enforce, 604_800))
    };
    assert_eq!(codes(changed("1")), ["mta_sts.id"]);
    assert_eq!(codes(changed("2")), [""; 0]);
}

#[test]
fn logos() {
    let logo = || bimi::Record::new("https://example.org/l.svg").unwrap();
    let full = logo().authority("https://example.org/l.pem").unwrap();
    let with = |policy| example().dmarc(dmarc(policy).build());
    assert_eq!(codes(with(DmarcPolicy::Reject).bimi(full.clone())), [""; 0]);
    assert_eq!(codes(with(DmarcPolicy::Reject).bimi(logo())), ["bimi.certificate"]);
    assert_eq!(codes(with(DmarcPolicy::None).bimi(full)), ["dmarc.none", "bimi.policy"]);
    assert_eq!(
        codes(with(DmarcPolicy::None).bimi(bimi::Record::declined())),
        ["dmarc.none"]
    );
}
