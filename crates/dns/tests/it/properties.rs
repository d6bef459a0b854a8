//! What holds for any input.

use posthaste_dns::{Dnssec, LookupError, Negative, Record, RecordType, Tlsa, Txt, Zone};
use proptest::prelude::*;

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z_*-]{1,8}(\\.[a-z0-9-]{1,8}){0,3}",
        "[!-~&&[^.]]{1,10}(\\.[!-~&&[^.]]{1,10}){0,2}",
        "\\PC{1,12}"
    ]
    .prop_filter("a name", |name| Zone::new().insert(name, Record::txt("")).is_ok())
}

fn record() -> impl Strategy<Value = Record> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(|octets| Record::A(octets.into())),
        any::<[u8; 16]>().prop_map(|octets| Record::Aaaa(octets.into())),
        (any::<u16>(), name()).prop_map(|(preference, name)| Record::mx(preference, name)),
        (any::<[u16; 3]>(), name()).prop_map(|([a, b, c], name)| Record::Srv(posthaste_dns::Srv::new(a, b, c, name))),
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..4)
            .prop_map(|strings| Record::Txt(Txt::from_segments(strings))),
        name().prop_map(Record::Ptr),
        name().prop_map(Record::Cname),
        name().prop_map(Record::Ns),
        (any::<[u8; 3]>(), prop::collection::vec(any::<u8>(), 0..40))
            .prop_map(|([usage, selector, matching], data)| Record::Tlsa(Tlsa::new(usage, selector, matching, data))),
    ]
}

fn kind() -> impl Strategy<Value = Option<RecordType>> {
    prop::option::of(prop::sample::select(RecordType::ALL))
}

fn failure() -> impl Strategy<Value = LookupError> {
    prop::sample::select(vec![
        LookupError::NxDomain(Negative::default()),
        LookupError::NoData(Negative::default()),
        LookupError::ServFail,
        LookupError::Refused,
        LookupError::Timeout,
        LookupError::Truncated,
        LookupError::Bogus,
    ])
}

fn status() -> impl Strategy<Value = Dnssec> {
    prop::sample::select(vec![
        Dnssec::Secure,
        Dnssec::Insecure,
        Dnssec::Bogus,
        Dnssec::Indeterminate,
    ])
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,200}") {
        let _ = Zone::parse(&text);
    }

    #[test]
    fn nor_does_text_that_looks_like_a_zone(
        words in prop::collection::vec(
            prop_oneof![
                Just("$ORIGIN".to_owned()), Just("$TTL".to_owned()), Just("@".to_owned()), Just("IN".to_owned()),
                Just("TXT".to_owned()), Just("MX".to_owned()), Just("SOA".to_owned()), Just("TLSA".to_owned()),
                Just("(".to_owned()), Just(")".to_owned()), Just("\n".to_owned()), Just("\"".to_owned()),
                Just("\\".to_owned()), Just(";".to_owned()), "[0-9]{1,12}[smhdw]?", "[a-z.]{1,8}",
                Just("$FAIL".to_owned()), Just("$DNSSEC".to_owned()), Just("bogus".to_owned()), Just("SRV".to_owned()), "\\\\[0-9]{1,4}",
            ],
            0..40,
        )
    ) {
        let text = words.join(" ");
        for read in [Zone::parse(&text), Zone::parse_known(&text)] {
            if let Err(error) = read {
                prop_assert!(error.line().is_some() && error.column().is_some());
            }
        }
    }

    #[test]
    fn what_is_printed_reads_back(
        records in prop::collection::vec((name(), record()), 0..20),
        failures in prop::collection::vec((name(), kind(), failure()), 0..4),
        statuses in prop::collection::vec((name(), kind(), status()), 0..4),
    ) {
        let mut zone = Zone::new();
        for (name, record) in records {
            zone.insert(&name, record).unwrap();
        }
        for (name, kind, error) in failures {
            zone.fail(&name, kind, error).unwrap();
        }
        for (name, kind, status) in statuses {
            zone.set_dnssec(&name, kind, status).unwrap();
        }
        let text = zone.to_string();
        prop_assert_eq!(Zone::parse(&text).unwrap(), zone, "{}", text);
    }

    #[test]
    fn every_question_has_an_end(
        records in prop::collection::vec((name(), record()), 0..20),
        asked in "\\PC{0,20}",
    ) {
        let mut zone = Zone::new();
        for (name, record) in &records {
            zone.insert(name, record.clone()).unwrap();
        }
        for name in records.iter().map(|(name, _)| name).chain([&asked]) {
            for &kind in RecordType::ALL {
                if let Ok(answer) = zone.answer(name, kind) {
                    prop_assert!(!answer.records().is_empty() && answer.is_of(kind));
                }
            }
        }
    }
}
