//! posthaste against real programs: Postfix and its smtp-sink and smtp-source, Cyrus SASL, Exim, Dovecot, aiosmtpd, swaks, msmtp,
//! moto with Amazon's SDK for Python, Chromium, Nodemailer, aiosmtplib, Python's smtplib and email, dkimpy, Mail::DKIM, opendkim, and the crates lettre and mail-auth.
//!
//! `cargo xtask test` finds or installs the programs and says in variables where they are. A case whose program is not
//! there is printed as left out and counted as skipped. A word on the command line keeps the cases that contain it. Every
//! program gets a port and a folder of its own, and is stopped when its case ends.

#![allow(
    clippy::print_stdout,
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test program that talks to a person and says plainly what it expects"
)]

mod arc;
mod browser;
mod clients;
mod dkim;
mod mime;
mod moto;
mod programs;
mod receiver;
mod relays;
mod smtp;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use programs::Program;

/// One meeting with the outside: a sentence, the programs that it takes, and what happens.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    needs: &'static [Program],
    run: fn(),
}

fn main() -> ExitCode {
    let cases = [
        smtp::CASES,
        relays::postfix::CASES,
        relays::exim::CASES,
        relays::dovecot::CASES,
        clients::CASES,
        dkim::CASES,
        arc::CASES,
        mime::CASES,
        moto::CASES,
        browser::CASES,
    ]
    .concat();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        for case in cases {
            println!("{}: test", case.name);
        }
        return ExitCode::SUCCESS;
    }
    let word = arguments.iter().find(|argument| !argument.starts_with('-'));

    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for case in cases {
        if word.is_some_and(|word| !case.name.contains(word.as_str())) {
            continue;
        }
        let missing: Vec<&str> = case
            .needs
            .iter()
            .filter(|need| need.path().is_none())
            .map(|need| need.name())
            .collect();
        if !missing.is_empty() {
            skipped += 1;
            println!("left out {}: needs {}", case.name, missing.join(", "));
        } else if catch_unwind(AssertUnwindSafe(case.run)).is_ok() {
            passed += 1;
            println!("ok {}", case.name);
        } else {
            failed += 1;
            println!("FAILED {}", case.name);
        }
    }
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
