//! One suite that every adapter of the crate passes, picked by what it says it can do.
//!
//! It needs no network: a client of its own stands in for the provider. Each adapter has a line in [`samples`], and a golden request
//! for a plain and for a full message in `tests/golden`; `POSTHASTE_WRITE_GOLDEN=1` writes those anew.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test"
)]

mod answers;
mod batches;
mod described;
mod fake;
mod faults;
mod features;
mod golden;
mod mail;
mod proof;
mod samples;
mod secrets;
mod streaming;

use posthaste_providers::providers;

/// Every adapter has a sample, so that none is left out.
#[test]
fn every_adapter_has_a_sample() {
    let own = samples::all()
        .iter()
        .filter(|sample| !sample.url.starts_with("generic:"));
    let known: Vec<&str> = own.map(|sample| sample.name).collect();
    let there: Vec<&str> = providers().iter().map(|entry| entry.profile().info().name()).collect();
    assert_eq!(known, there);
}
