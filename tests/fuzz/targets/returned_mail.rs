//! Mail that came back: any octets are read, or refused with an error.

#![no_main]

use libfuzzer_sys::fuzz_target;
use posthaste_events::bounce::{Codes, Phase, Reason};
use posthaste_events::mail::Returned;

fuzz_target!(|data: &[u8]| {
    if let Ok(Returned::Delivery(report)) = Returned::read(data.to_vec()) {
        assert!(!report.recipients().is_empty());
        for recipient in report.recipients() {
            assert_eq!(recipient.reason().is_some(), recipient.permanence().is_some());
            assert!(recipient.diagnostic().is_none_or(|text| text.len() <= 2000));
        }
    }
    let text = String::from_utf8_lossy(data);
    let _ = (Codes::find(&text), Reason::find(&text, Phase::find(&text)));
});
