//! Authentication-Results and Received-SPF of others, and whole messages from which those that claim to be ours are taken.
#![no_main]

use libfuzzer_sys::fuzz_target;
use posthaste_auth::authres::{AuthenticationResults, strip};
use posthaste_auth::spf::ReceivedSpf;

const OURS: &str = "mx.example.net";

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    match AuthenticationResults::parse(&text) {
        Ok(results) => {
            let written = results.to_string();
            assert!(written.split("\r\n").all(|line| line.len() <= 998), "{written}");
            assert!(!written.trim_end().contains("\r\n\r\n"), "{written}");
            let value = written.strip_prefix("Authentication-Results:").unwrap_or_default();
            assert_eq!(AuthenticationResults::parse(value).as_ref(), Ok(&results), "{written}");
            assert!(results.to_ascii().to_string().is_ascii());
        }
        Err(error) => assert!(error.offset() <= text.len()),
    }
    if let Err(error) = ReceivedSpf::parse(&text) {
        assert!(error.offset() <= text.len());
    }
    // What is left is part of what was there, has nothing of ours in it, and stays as it is.
    let stripped = strip(input, OURS);
    assert!(stripped.len() <= input.len());
    assert_eq!(strip(&stripped, OURS), stripped);
    let mut rest = input.iter();
    assert!(stripped.iter().all(|octet| rest.any(|other| other == octet)));
});
