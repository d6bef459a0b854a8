//! Master-file text: never a panic, errors have a place, and what parses prints and parses back to the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthaste_dns::{RecordType, Zone};

fuzz_target!(|text: &str| {
    match Zone::parse(text) {
        Ok(zone) => {
            let printed = zone.to_string();
            assert_eq!(Zone::parse(&printed).as_ref(), Ok(&zone), "{printed}");
            let names: Vec<&str> = zone.records().map(|(name, _)| name).collect();
            for name in names.into_iter().take(8) {
                for &kind in RecordType::ALL {
                    let _ = zone.answer(name, kind);
                }
            }
        }
        Err(error) => assert!(error.line().is_some() && error.column().is_some(), "{error}"),
    }
    let _ = Zone::parse_known(text);
});
