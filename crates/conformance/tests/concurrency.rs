//! The suite on the concurrency limit: it must keep every promise of what it stands around.

#![allow(clippy::unwrap_used, reason = "a test says plainly what it expects")]

mod in_memory;

use std::process::ExitCode;

use in_memory::InMemory;
use posthaste_transport::layers::ConcurrencyLimit;
use posthaste_transport::{MemoryTransport, TransportExt};

fn main() -> ExitCode {
    posthaste_conformance::run(|| {
        InMemory::layered(MemoryTransport::new(), |peer| {
            peer.layer(ConcurrencyLimit::new(std::num::NonZeroU32::MIN.saturating_add(7)))
        })
    })
    .exit_code()
}
