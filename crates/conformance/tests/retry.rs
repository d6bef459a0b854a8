//! The suite on the retry layer: it must keep every promise of what it stands around.

#![allow(clippy::unwrap_used, reason = "a test says plainly what it expects")]

mod in_memory;

use std::process::ExitCode;
use std::sync::Arc;

use in_memory::{Impatient, InMemory};
use posthaste_transport::layers::Retry;
use posthaste_transport::{MemoryTransport, TokioTimer, TransportExt};

fn main() -> ExitCode {
    posthaste_conformance::run(|| {
        let retry = Retry::default().with_timer(Arc::new(Impatient(TokioTimer::new())));
        InMemory::layered(MemoryTransport::new(), |peer| peer.layer(retry))
    })
    .exit_code()
}
