//! The suite on the preview: it must keep every promise of what it stands around.

#![allow(clippy::unwrap_used, reason = "a test says plainly what it expects")]

mod in_memory;

use std::process::ExitCode;

use in_memory::InMemory;
use posthaste_transport::layers::Preview;
use posthaste_transport::{MemoryTransport, TransportExt};

fn main() -> ExitCode {
    let folder = tempfile::tempdir().unwrap();
    posthaste_conformance::run(move || {
        InMemory::layered(MemoryTransport::new(), |peer| peer.layer(Preview::new(folder.path())))
    })
    .exit_code()
}
