//! The same vectors through posthaste-auth, the crate mail-auth and, where they are installed, pyspf, dkimpy and authheaders.
//!
//! `POSTHASTE_VECTORS=DIR cargo xtask compare` installs the Python programs where it may and prints Markdown: how many cases each
//! answers as the vectors expect, and every case where somebody does not. A set is a file or folder in the format that
//! `tests/vectors` reads. The exit status is 1 if posthaste-auth misses a case.
//!
//! mail-auth asks a name server on loopback that serves the zone of the case. The Python programs get the same records from a
//! function in the place of their DNS library.

#![allow(
    clippy::print_stdout,
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a program that talks to a person"
)]

mod case;
mod mail_auth_peer;
mod ours;
mod python;
#[path = "../../crates/dns/tests/it/responder.rs"]
mod responder;
mod table;
mod vectors;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/vectors");
    let root = std::env::var_os("POSTHASTE_VECTORS").map_or(own, PathBuf::from);
    let cases = vectors::read(&root);
    if cases.is_empty() {
        println!("no set that can be compared was found below {}", root.display());
        return ExitCode::FAILURE;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let ours: Vec<_> = cases.iter().map(|case| runtime.block_on(ours::answer(case))).collect();
    let mail_auth: Vec<_> = cases
        .iter()
        .map(|case| runtime.block_on(mail_auth_peer::answer(case)))
        .collect();
    let python = python::answers(&cases);
    table::print(&cases, &ours, &mail_auth, python.as_deref());
    let missed = cases
        .iter()
        .zip(&ours)
        .any(|(case, answer)| answer.as_ref().is_some_and(|answer| !case.accepts(answer)));
    if missed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
