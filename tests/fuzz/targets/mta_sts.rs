//! What a domain says of TLS: never a panic, nothing over the limits is read, and what is read is written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthaste_publish::{bimi, mta_sts, tls_rpt};

fuzz_target!(|octets: &[u8]| {
    match mta_sts::Policy::parse(octets) {
        Ok(policy) => {
            assert!(octets.len() <= mta_sts::Policy::MAX_OCTETS);
            assert!(policy.max_age() <= mta_sts::Policy::LONGEST_AGE);
            for pattern in policy.patterns() {
                assert!(pattern.is_wildcard() || policy.allows(pattern.name()));
            }
            let again = mta_sts::Policy::parse(policy.to_string().as_bytes()).expect("written");
            // A pattern that stands there twice is written as often.
            assert_eq!(again, policy);
        }
        Err(mta_sts::PolicyError::Text(offset)) => assert!(offset < octets.len()),
        Err(_) => {}
    }
    if let Ok(record) = mta_sts::Record::select([octets]) {
        assert!(octets.starts_with(b"v=STSv1;") && (1..=32).contains(&record.id().len()));
        assert_eq!(mta_sts::Record::select([record.to_string()]), Ok(record));
    }
    if let Ok(record) = tls_rpt::Record::select([octets]) {
        assert!(!record.uris().is_empty());
        assert_eq!(tls_rpt::Record::select([record.to_string()]), Ok(record));
    }
    let text = String::from_utf8_lossy(octets);
    if let Ok(record) = text.parse::<bimi::Record>() {
        assert_eq!(record.to_string().parse(), Ok(record));
    }
    // A pattern and a host: whatever they are, an answer.
    if let Some((pattern, host)) = text.split_once('\n') {
        assert!(!mta_sts::mx_matches(pattern, host) || !host.is_empty());
    }
});
