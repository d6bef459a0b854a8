//! Lists of suppressed addresses as CSV: what is read is written and read again the same, and reading ends.

#![no_main]

use std::time::{Duration, SystemTime};

use libfuzzer_sys::fuzz_target;
use posthaste_suppression::{CsvReader, CsvWriter, Entry, Reason};

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fuzz_target!(|data: &[u8]| {
    let Some((&first, file)) = data.split_first() else {
        return;
    };
    let mut reader = CsvReader::new(file, now());
    if first & 1 != 0 {
        reader = reader.with_delimiter(b';');
    }
    if first & 2 != 0 {
        reader = reader.with_reason(Reason::Bounce);
    }
    let mut entries: Vec<Entry> = Vec::new();
    for (records, record) in reader.enumerate() {
        assert!(records <= file.len(), "more records than octets");
        match record {
            Ok(entry) => entries.push(entry),
            Err(error) => assert!(error.line() >= 1 && error.line() <= file.len() as u64 + 1),
        }
    }
    let mut writer = CsvWriter::new(Vec::new());
    for entry in &entries {
        writer.write(entry).expect("memory takes it");
    }
    let written = writer.finish().expect("memory takes it");
    let again: Result<Vec<Entry>, _> = CsvReader::new(&written[..], now()).collect();
    assert_eq!(again.expect("what was written is read"), entries);
});
