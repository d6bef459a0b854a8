//! DMARC aggregate reports: any octets are read within bounds or refused, and what can be written again is read the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthaste_report::{Limits, dmarc};

fuzz_target!(|octets: &[u8]| {
    let limits = Limits::new().max_decompressed(200_000).max_records(1000);
    let Ok(report) = dmarc::Report::read(octets, &limits) else { return };
    assert!(report.records.len() <= 1000);
    if let Ok(xml) = report.to_xml() {
        let again = dmarc::Report::read(xml.as_bytes(), &Limits::new()).expect("written");
        assert_eq!(again.records.len(), report.records.len());
        assert_eq!(again.totals(), report.totals());
    }
});
