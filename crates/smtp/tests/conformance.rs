//! The published conformance suite, run on the SMTP transport and its scriptable peer, with and without PIPELINING.

#![allow(clippy::expect_used, reason = "a test says plainly what it expects")]

use std::process::ExitCode;
use std::sync::Arc;

use posthaste_conformance::{FakeSmtp, Subject};
use posthaste_smtp::{SmtpTransport, Tls};

fn main() -> ExitCode {
    let mut failed = 0;
    for pipelining in [true, false] {
        failed += posthaste_conformance::run(|| subject(pipelining)).failed();
    }
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn subject(pipelining: bool) -> Box<dyn Subject> {
    let peer = FakeSmtp::start().expect("a socket on loopback");
    let transport = SmtpTransport::builder("127.0.0.1")
        .port(peer.port())
        .tls(Tls::None)
        .pipelining(pipelining)
        .build();
    Box::new(peer.with_transport(Arc::new(transport.expect("settings that can be used"))))
}
