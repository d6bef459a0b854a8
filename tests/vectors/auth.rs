//! DKIM, DMARC, ARC and Ed25519.

use crate::harness::Set;

mod arc;
mod dkim;
mod dkimpy;
mod dmarc;
mod ed25519;
mod messages;

/// Deviations accepted on purpose.
pub const DEVIATIONS: &[(&str, &str, &str)] = &[(
    "dkim/dkimpy, dkim/mimekit",
    "a private RSA key is shorter than 2048 bits",
    "RFC 8301 §3.2: signers should use 2048 bits at least; signatures of shorter keys are verified, from 1024 bits on",
)];

/// The sets of this area.
pub fn sets() -> Vec<Set> {
    vec![
        Set {
            name: "arc/sign",
            run: arc::seal,
        },
        Set {
            name: "arc/validation",
            run: arc::validate,
        },
        Set {
            name: "dkim/dkim-verify",
            run: dkim::verify,
        },
        Set {
            name: "dkim/dkimpy",
            run: dkimpy::files,
        },
        Set {
            name: "dkim/mail-auth",
            run: messages::with_records,
        },
        Set {
            name: "dkim/mimekit",
            run: messages::with_key_files,
        },
        Set {
            name: "dmarc/dmarc-eval",
            run: dmarc::evaluate,
        },
        Set {
            name: "dmarc/dmarc-records",
            run: dmarc::records,
        },
        Set {
            name: "crypto/ed25519_test",
            run: ed25519::verify,
        },
    ]
}

/// Runs a future to its end on this thread.
fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime")
        .block_on(future)
}

/// A message file with the line ends that it had on the wire.
fn on_the_wire(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 32);
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(line) => {
                out.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
                out.extend_from_slice(b"\r\n");
            }
            None => out.extend_from_slice(line),
        }
    }
    out
}
