//! The suite on the layers that change nothing about a send that goes well: each must keep every promise of what it stands
//! around.

#![allow(clippy::unwrap_used, reason = "a test says plainly what it expects")]

mod in_memory;

use std::process::ExitCode;

use in_memory::{InMemory, Peer};
use posthaste_conformance::{Subject, run};
use posthaste_suppression::MemorySuppressionList;
use posthaste_transport::layers::{Idempotency, Measure, Suppress, Trace};
use posthaste_transport::{Layer, MemoryTransport, Transport, TransportExt};

fn on<L>(layer: impl Fn() -> L + Clone + Send + Sync + 'static) -> usize
where
    L: Layer<Peer>,
    L::Transport: Transport,
{
    run(move || -> Box<dyn Subject> {
        let layer = layer();
        InMemory::layered(MemoryTransport::new(), |peer| peer.layer(layer))
    })
    .failed()
}

fn main() -> ExitCode {
    let failed = on(Idempotency::in_memory)
        + on(|| Trace)
        + on(Measure::new)
        + on(|| Suppress::new(MemorySuppressionList::new()));
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
