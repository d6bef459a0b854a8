//! Feedback reports: any fields are read within bounds or refused, and what can be written again is read the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthaste_mime::{RawMessage, Report as Part};
use posthaste_report::{Limits, feedback::Report};

fuzz_target!(|octets: &[u8]| {
    let limits = Limits::new().max_records(100);
    if let Ok(mail) = RawMessage::parse(octets.to_vec()) {
        let _ = Report::from_mail(&mail, &limits);
    }
    let Ok(report) = Report::read(octets, &limits) else { return };
    assert!(report.other_fields.len() <= 100);
    if let Ok(fields) = report.to_fields() {
        let again = Report::read(Part::from(fields).fields().as_bytes(), &limits).expect("written");
        assert_eq!((again.kind, again.source_ip, again.arrival_date), (report.kind, report.source_ip, report.arrival_date));
        assert_eq!(again.original_rcpt_to, report.original_rcpt_to);
    }
});
