//! Sets of `mime/`: what posthaste-mime writes, read back by an independent parser and a scan of the raw lines.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test program: what cannot be read is a failure that the runner catches"
)]

mod bodies;
mod corpora;
mod elsewhere;
mod filenames;
mod headers;
mod injection;
mod jsmime;
mod reading;
mod wire;

use crate::harness::{Input, Set};

/// Where an accepted deviation stands and why.
pub const DEVIATIONS: &[(&str, &str, &str)] = &[
    (
        "mime/header-roundtrip, mime/jsmime-headers",
        "text with control characters (tabs outside of display names excepted) or Unicode line breaks",
        "refused with an error that names the field, never encoded: readers that decode them before they split lines \
         can be injected into",
    ),
    (
        "mime/jsmime-headers",
        "a list that is read holds a control character, something that is no address, a local part with a space and no \
         quotes, or an address before another one in brackets",
        "refused with an error: which mailbox is meant would be a guess, and guesses differ between programs",
    ),
    (
        "mime/jsmime-headers",
        "a list that is read holds comments beside a name",
        "RFC 5322 §3.2.2: comments are no part of a name; the addresses are compared",
    ),
    (
        "mime/jsmime-headers",
        "an address that is read holds an encoded-word",
        "RFC 2047 §5: it stands for itself there, and decoding it could name another mailbox",
    ),
    (
        "mime/mime4j",
        "a line that is no header field starts the body",
        "the second line of such a body is expected to be lost; here it is kept",
    ),
    (
        "mime/mime4j",
        "the message ends with a closing delimiter and LF alone",
        "that line break is expected to be an epilogue; with CRLF it is expected to be none, and here it is none either way",
    ),
];

/// Every set of this area.
pub fn sets() -> Vec<Set> {
    vec![
        Set {
            name: "mime/injection-matrix",
            run: injection::run,
        },
        Set {
            name: "mime/header-roundtrip",
            run: headers::run,
        },
        Set {
            name: "mime/filenames",
            run: filenames::run,
        },
        Set {
            name: "mime/body-roundtrip",
            run: bodies::run,
        },
        Set {
            name: "mime/jsmime-headers",
            run: jsmime::run,
        },
        Set {
            name: "mime/cpython",
            run: |input, report| corpora::run(input, report, "mime/cpython", &[".txt"]),
        },
        Set {
            name: "mime/mime4j",
            run: corpora::run_mime4j,
        },
        Set {
            name: "mime/mimekit",
            run: |input, report| corpora::run(input, report, "mime/mimekit", &[""]),
        },
        Set {
            name: "mime/stalwart-rfc",
            run: |input, report| corpora::run(input, report, "mime/stalwart-rfc", &[""]),
        },
    ]
}

/// Returns the cases of a set's file.
fn cases(input: &Input, file: &str) -> Vec<serde_json::Value> {
    let document = input.json(file);
    let cases = document.get("cases").unwrap_or(&document);
    cases.as_array().cloned().unwrap_or_default()
}

/// Returns a string field of a case.
fn string<'a>(case: &'a serde_json::Value, key: &str) -> &'a str {
    case.get(key).and_then(serde_json::Value::as_str).unwrap_or_default()
}

/// Tells whether `text` holds what the headers of this build refuse.
fn holds_controls(text: &str) -> bool {
    text.chars()
        .any(|c| (c.is_control() && c != '\t') || matches!(c, '\u{2028}' | '\u{2029}'))
}
