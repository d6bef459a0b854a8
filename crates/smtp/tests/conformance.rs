//! The published conformance suite, run on the SMTP transport and its scriptable peer, with and without PIPELINING.

#![allow(clippy::expect_used, reason = "a test says plainly what it expects")]

use std::process::ExitCode;
use std::sync::Arc;

use posthaste_conformance::{Answer, FakeSmtp, OverSmtp, Received, Subject};
use posthaste_smtp::{SmtpTransport, Tls};
use posthaste_transport::Transport;

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
    Box::new(Smtp(
        peer.with_transport(Arc::new(transport.expect("settings that can be used"))),
    ))
}

/// The fake peer, but for one thing it cannot show with a small message.
struct Smtp(OverSmtp);

impl Subject for Smtp {
    fn transport(&self) -> Arc<dyn Transport> {
        self.0.transport()
    }

    /// A small message goes into the socket's buffers whole, its final dot included, before the peer can hang up: nobody on
    /// this side can know how much of it was read, and the transport says so. With a message that does not fit, hanging
    /// up before the dot is tested in `tests/it/client.rs`.
    fn can(&self, answer: Answer) -> bool {
        answer != Answer::HangUpInMessage && self.0.can(answer)
    }

    fn answer(&self, answer: Answer) {
        self.0.answer(answer);
    }

    fn received(&self) -> Vec<Received> {
        self.0.received()
    }
}
