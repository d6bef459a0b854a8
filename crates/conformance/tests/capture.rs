//! The suite on the capture: it must keep every promise of what it stands around.

#![allow(clippy::unwrap_used, reason = "a test says plainly what it expects")]

mod in_memory;

use std::process::ExitCode;

use in_memory::InMemory;
use posthaste_transport::layers::Capture;
use posthaste_transport::{MemoryTransport, TransportExt};

fn main() -> ExitCode {
    posthaste_conformance::run(|| InMemory::layered(MemoryTransport::new(), |peer| peer.layer(Capture::new(10))))
        .exit_code()
}
