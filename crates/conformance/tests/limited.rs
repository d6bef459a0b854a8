//! The suite on a memory transport that poses as one that can do little, so that what is refused is checked too.

#![allow(clippy::unwrap_used, reason = "a test says plainly what it expects")]

mod in_memory;

use std::process::ExitCode;

use in_memory::InMemory;
use posthaste_transport::{Capabilities, Feature, MemoryTransport, TransportInfo};

const LIMITED: TransportInfo = TransportInfo::new(
    "limited",
    Capabilities::wire()
        .without(Feature::EightBit)
        .without(Feature::NullSender)
        .with_max_recipients(3)
        .with_max_message_size(100_000),
);

fn main() -> ExitCode {
    posthaste_conformance::run(|| InMemory::layered(MemoryTransport::new().with_info(LIMITED), |peer| peer)).exit_code()
}
