//! The suite on a memory transport that poses as a provider with fields of its own and nothing else.

#![allow(clippy::unwrap_used, reason = "a test says plainly what it expects")]

mod in_memory;

use std::process::ExitCode;

use in_memory::InMemory;
use posthaste_transport::{Capabilities, MemoryTransport, TransportInfo};

const FIELDS: TransportInfo = TransportInfo::new("fields", Capabilities::none());

fn main() -> ExitCode {
    posthaste_conformance::run(|| InMemory::layered(MemoryTransport::new().with_info(FIELDS), |peer| peer)).exit_code()
}
