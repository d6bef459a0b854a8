//! What is printed parses back.

use std::time::Duration;

use posthaste_auth::{
    dmarc::{self, Alignment, FailureOptions, Policy as DmarcPolicy, PublicSuffix, ReportAddress},
    spf::{Builder, Mechanism, Qualifier, Record as SpfRecord, Term},
};
use posthaste_publish::{
    bimi,
    mta_sts::{self, Mode, MxPattern, Policy},
    tls_rpt,
};
use proptest::prelude::*;

fn qualifier() -> impl Strategy<Value = Qualifier> {
    prop_oneof![
        Just(Qualifier::Pass),
        Just(Qualifier::Fail),
        Just(Qualifier::SoftFail),
        Just(Qualifier::Neutral)
    ]
}

fn mechanism() -> impl Strategy<Value = Mechanism> {
    let name = || "([a-z0-9_-]{1,8}\\.){1,3}[a-z]{2,6}|%\\{[dlsoihv][1-9]?r?[.+,/_=-]{0,2}\\}\\.[a-z]{2,4}";
    let host = || (proptest::option::of(name()), 0_u8..=32, 0_u8..=128);
    prop_oneof![
        Just(Mechanism::All),
        name().prop_map(Mechanism::Include),
        name().prop_map(Mechanism::Exists),
        proptest::option::of(name()).prop_map(Mechanism::Ptr),
        host().prop_map(|(domain, ip4_prefix, ip6_prefix)| Mechanism::A {
            domain,
            ip4_prefix,
            ip6_prefix
        }),
        host().prop_map(|(domain, ip4_prefix, ip6_prefix)| Mechanism::Mx {
            domain,
            ip4_prefix,
            ip6_prefix
        }),
        (any::<u32>(), 0_u8..=32).prop_map(|(bits, prefix)| Mechanism::Ip4(bits.into(), prefix)),
        (any::<u128>(), 0_u8..=128).prop_map(|(bits, prefix)| Mechanism::Ip6(bits.into(), prefix)),
    ]
}

fn policy() -> impl Strategy<Value = DmarcPolicy> {
    prop_oneof![
        Just(DmarcPolicy::None),
        Just(DmarcPolicy::Quarantine),
        Just(DmarcPolicy::Reject)
    ]
}

fn report_address() -> impl Strategy<Value = ReportAddress> {
    (
        "[!-~äß€]{1,12}@[a-z]{1,8}\\.[a-z]{2,4}",
        proptest::option::of(0_u64..1 << 44),
    )
        .prop_map(|(address, size)| {
            let address = ReportAddress::new(address).unwrap();
            match size {
                Some(size) => address.with_max_size(size),
                None => address,
            }
        })
}

fn pattern() -> impl Strategy<Value = MxPattern> {
    "(\\*\\.)?([a-z0-9]{1,8}\\.){0,3}[a-z0-9]([a-z0-9-]{0,5}[a-z0-9])?".prop_map(|text| text.parse().unwrap())
}

proptest! {
    #[test]
    fn spf(terms in prop::collection::vec((qualifier(), mechanism()), 0..12), redirect in any::<bool>()) {
        let mut builder: Builder = terms
            .into_iter()
            .map(|(qualifier, mechanism)| Term::Directive(qualifier, mechanism))
            .collect();
        if redirect {
            builder = builder.redirect("_spf.example.org").explanation("why.example.org");
        }
        let text = builder.build().unwrap();
        prop_assert!(SpfRecord::parse(text.as_bytes()).is_ok());
        prop_assert_eq!(Builder::from_record(&text).unwrap(), builder);
    }

    #[test]
    fn dmarc(
        p in policy(),
        sp in proptest::option::of(policy()),
        np in proptest::option::of(policy()),
        flags in any::<(bool, bool, bool, bool, bool, bool)>(),
        psd in 0_usize..3,
        rua in prop::collection::vec(report_address(), 0..4),
        ruf in prop::collection::vec(report_address(), 0..3),
    ) {
        let alignment = |strict| if strict { Alignment::Strict } else { Alignment::Relaxed };
        let mut builder = dmarc::Record::builder(p)
            .dkim_alignment(alignment(flags.0))
            .spf_alignment(alignment(flags.1))
            .testing(flags.2)
            .failure_options(FailureOptions::default().any(flags.3).dkim(flags.4).spf(flags.5))
            .public_suffix([PublicSuffix::Yes, PublicSuffix::No, PublicSuffix::Unknown][psd]);
        if let Some(sp) = sp {
            builder = builder.subdomain_policy(sp);
        }
        if let Some(np) = np {
            builder = builder.nonexistent_policy(np);
        }
        builder = rua.into_iter().fold(builder, |builder, address| builder.aggregate_reports_to(address));
        builder = ruf.into_iter().fold(builder, |builder, address| builder.failure_reports_to(address));
        let record = builder.build();
        let text = record.to_string();
        prop_assert!(text.is_ascii());
        prop_assert_eq!(text.parse::<dmarc::Record>().unwrap(), record, "{}", text);
    }

    #[test]
    fn mta_sts_policies(
        mode in prop_oneof![Just(Mode::Enforce), Just(Mode::Testing), Just(Mode::None)],
        age in 0_u64..40_000_000,
        patterns in prop::collection::vec(pattern(), 1..8),
    ) {
        let policy = patterns.into_iter().fold(Policy::new(mode, Duration::from_secs(age)), Policy::mx);
        prop_assert_eq!(Policy::parse(policy.to_string().as_bytes()).unwrap(), policy);
    }

    #[test]
    fn mta_sts_records(id in "[a-zA-Z0-9]{1,32}") {
        let record = mta_sts::Record::new(id).unwrap();
        prop_assert_eq!(record.to_string().parse::<mta_sts::Record>().unwrap(), record);
    }

    #[test]
    fn tls_rpt_records(uris in prop::collection::vec("mailto:[a-z%0-9]{1,5}@[a-z.]{1,9}|https://[a-z.]{1,9}[a-z/?=&]{0,9}", 1..4)) {
        // What cannot be an address is left out.
        let uris: Vec<tls_rpt::ReportUri> = uris.iter().filter_map(|uri| uri.parse().ok()).collect();
        prop_assume!(!uris.is_empty());
        let record = tls_rpt::Record::new(uris);
        prop_assert_eq!(record.to_string().parse::<tls_rpt::Record>().unwrap(), record);
    }

    #[test]
    fn bimi_records(logo in "https://[a-z.]{1,9}/[a-z?=&%0-9]{0,9}", certificate in proptest::option::of("https://[a-z]{1,9}/c\\.pem")) {
        let record = bimi::Record::new(logo);
        prop_assume!(record.is_ok());
        let record = match certificate {
            Some(certificate) => record.unwrap().authority(certificate).unwrap(),
            None => record.unwrap(),
        };
        prop_assert_eq!(record.to_string().parse::<bimi::Record>().unwrap(), record);
    }

    #[test]
    fn no_text_makes_a_parser_panic(text in "(v=STSv1|v=TLSRPTv1|v=BIMI1|version: STSv1\nmode: )?[ -~\r\n\tä;=:]{0,60}") {
        if let Ok(record) = text.parse::<mta_sts::Record>() {
            prop_assert_eq!(record.to_string().parse::<mta_sts::Record>(), Ok(record));
        }
        if let Ok(policy) = Policy::parse(text.as_bytes()) {
            prop_assert_eq!(policy.to_string().parse::<Policy>(), Ok(policy));
        }
        if let Ok(record) = text.parse::<tls_rpt::Record>() {
            prop_assert_eq!(record.to_string().parse::<tls_rpt::Record>(), Ok(record));
        }
        if let Ok(record) = text.parse::<bimi::Record>() {
            prop_assert_eq!(record.to_string().parse::<bimi::Record>(), Ok(record));
        }
    }
}
