//! What the runner prints and counts.

use posthaste_conformance::{cases, run_cases};
use posthaste_transport::{MemoryTransport, Outbound, SendFuture, SendOptions, Transport, TransportInfo};

use crate::in_memory::InMemory;

#[derive(Debug)]
struct Panics;

impl Transport for Panics {
    fn info(&self) -> TransportInfo {
        MemoryTransport::new().info()
    }

    fn send<'a>(&'a self, _: &'a Outbound, _: &'a SendOptions) -> SendFuture<'a> {
        Box::pin(async { panic!("on purpose") })
    }
}

fn picked<'a>(names: &'a [&'a str]) -> impl Iterator<Item = &'static posthaste_conformance::Case> {
    cases().iter().filter(move |case| names.contains(&case.name()))
}

#[test]
fn each_case_has_a_line_and_the_last_one_counts() {
    let names = [
        "what_is_accepted_is_received",
        "too_many_recipients_are_an_error_before_any_io",
    ];
    let mut out = Vec::new();
    let summary = run_cases(
        picked(&names),
        || InMemory::layered(MemoryTransport::new(), |peer| peer),
        &mut out,
    );
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "what_is_accepted_is_received ... ok\n\
         too_many_recipients_are_an_error_before_any_io ... ignored: the transport has no limit of 5000 recipients or fewer\n\
         1 passed, 0 failed, 1 skipped\n"
    );
    assert_eq!((summary.passed(), summary.failed(), summary.skipped()), (1, 0, 1));
}

#[test]
fn a_transport_that_panics_fails_one_case() {
    let names = ["what_is_accepted_is_received"];
    let summary = run_cases(
        picked(&names),
        || InMemory::layered(MemoryTransport::new(), |_| Panics),
        &mut Vec::new(),
    );
    assert_eq!((summary.passed(), summary.failed()), (0, 1));
}

#[test]
fn names_are_sentences_and_differ() {
    let names: std::collections::BTreeSet<&str> = cases().iter().map(posthaste_conformance::Case::name).collect();
    assert_eq!(names.len(), cases().len());
    assert!(cases().len() >= 60, "{} cases", cases().len());
    assert!(names.iter().all(|name| name.matches('_').count() >= 3));
}
