//! TLS reports: any octets are read within bounds or refused, and what can be written again is read the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthaste_report::{Limits, tls};

fuzz_target!(|octets: &[u8]| {
    let limits = Limits::new().max_decompressed(200_000).max_records(1000);
    let Ok(report) = tls::Report::read(octets, &limits) else { return };
    assert!(report.policies.len() <= 1000);
    if let Ok(json) = report.to_json() {
        let again = tls::Report::read(json.as_bytes(), &Limits::new()).expect("written");
        assert!(again.deviations().is_empty());
        assert_eq!((&again.policies, again.begin), (&report.policies, report.begin));
    }
});
