//! The suite on the failover, over a peer and a spare that is never needed: it must keep every promise of what it stands around.

#![allow(clippy::unwrap_used, reason = "a test says plainly what it expects")]

mod in_memory;

use std::process::ExitCode;
use std::sync::Arc;

use in_memory::InMemory;
use posthaste_transport::layers::Failover;
use posthaste_transport::{MemoryTransport, TokioTimer, Transport};

fn main() -> ExitCode {
    posthaste_conformance::run(|| {
        InMemory::layered(MemoryTransport::new(), |peer| {
            let member = Arc::new(peer) as Arc<dyn Transport>;
            Failover::new([member]).with_timer(Arc::new(TokioTimer::new()))
        })
    })
    .exit_code()
}
