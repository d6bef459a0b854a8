//! SPF records: never a panic, and only what is an SPF record at all gets past the version.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthaste_auth::spf::{Record, RecordErrorKind};

fuzz_target!(|record: &[u8]| {
    match Record::parse(record) {
        Ok(parsed) => {
            assert!(Record::is_spf(record));
            assert!(parsed.lookups() <= record.len());
        }
        Err(error) => {
            assert_eq!(error.kind() == RecordErrorKind::Version, !Record::is_spf(record));
            assert!(error.offset() <= record.len());
        }
    }
});
