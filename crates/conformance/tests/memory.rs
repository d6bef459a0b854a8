//! The suite on the memory transport.

#![allow(clippy::unwrap_used, reason = "a test says plainly what it expects")]

mod in_memory;

use std::process::ExitCode;

use in_memory::InMemory;
use posthaste_transport::MemoryTransport;

fn main() -> ExitCode {
    posthaste_conformance::run(|| InMemory::layered(MemoryTransport::new(), |peer| peer)).exit_code()
}
