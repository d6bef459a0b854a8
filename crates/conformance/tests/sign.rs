//! The suite on the signing layer: behind its signature, everything arrives as it does without.

#![allow(clippy::unwrap_used, reason = "a test says plainly what it expects")]

mod in_memory;

use std::process::ExitCode;
use std::sync::Arc;

use in_memory::InMemory;
use posthaste_auth::dkim::{Selector, Signer, SigningKey};
use posthaste_conformance::{Answer, Received, Subject};
use posthaste_transport::layers::Sign;
use posthaste_transport::{MemoryTransport, Transport, TransportExt};

/// Looks behind the signature that is in front of each message, and insists that there is one.
struct BehindSignature(Box<dyn Subject>);

impl Subject for BehindSignature {
    fn transport(&self) -> Arc<dyn Transport> {
        self.0.transport()
    }

    fn can(&self, answer: Answer) -> bool {
        self.0.can(answer)
    }

    fn answer(&self, answer: Answer) {
        self.0.answer(answer);
    }

    fn received(&self) -> Vec<Received> {
        let unsigned = self.0.received().into_iter().map(|received| {
            let bytes = received.bytes().clone();
            assert!(
                bytes.starts_with(b"DKIM-Signature: "),
                "a message came without a signature"
            );
            // The field ends at the first line end that no fold follows.
            let end = bytes
                .windows(3)
                .position(|window| window.starts_with(b"\r\n") && !window.ends_with(b" ") && !window.ends_with(b"\t"));
            let sender = received.mail_from().map(str::to_owned);
            Received::new(sender, received.recipients().to_vec(), bytes.slice(end.unwrap() + 2..))
        });
        unsigned.collect()
    }
}

fn main() -> ExitCode {
    let selector: Selector = "s1".parse().unwrap();
    let key = SigningKey::from_ed25519_seed(&[7; 32]).unwrap();
    let signer = Signer::builder("example.org".parse().unwrap())
        .key(selector, key)
        .build()
        .unwrap();
    posthaste_conformance::run(|| {
        let sign = Sign::new(signer.clone());
        Box::new(BehindSignature(InMemory::layered(MemoryTransport::new(), |peer| {
            peer.layer(sign)
        })))
    })
    .exit_code()
}
