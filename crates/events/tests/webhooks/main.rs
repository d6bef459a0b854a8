//! Webhooks: what is taken, what is refused, and what they say.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "tests"
)]

mod any_octets;
#[cfg(feature = "axum")]
mod extractor;
mod inbound;
mod providers;
mod receiver;
mod signatures;
mod signing;
mod sns;

use std::time::{Duration, SystemTime};

use posthaste_events::webhook::{AcceptUnsigned, Parsed, Provider, Receiver, Request};

const URL: &str = "https://example.org/hooks";

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Reads a body that nobody signed.
fn read(provider: impl Provider, body: &str) -> Parsed {
    let request = Request::post(URL, body.to_owned());
    let unsigned = AcceptUnsigned::because("a test of the parser");
    let verified = Receiver::new(provider).accept_unsigned(request, unsigned).unwrap();
    verified.parse().unwrap()
}
