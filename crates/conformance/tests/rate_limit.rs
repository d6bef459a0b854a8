//! The suite on the rate limit, with a rate that nothing here reaches.

#![allow(clippy::unwrap_used, reason = "a test says plainly what it expects")]

mod in_memory;

use std::process::ExitCode;

use in_memory::InMemory;
use posthaste_limit::{Limit, Limiter};
use posthaste_transport::layers::RateLimit;
use posthaste_transport::{MemoryTransport, TransportExt};

fn main() -> ExitCode {
    posthaste_conformance::run(|| {
        let limiter = Limiter::new(Limit::per_second(1_000_000).unwrap().burst(1_000_000).unwrap());
        InMemory::layered(MemoryTransport::new(), |peer| {
            peer.layer(RateLimit::new(limiter, "everybody"))
        })
    })
    .exit_code()
}
