//! `cargo xtask`: the project's own commands.
//!
//! `cargo xtask test` runs every test there is: those of `cargo test --workspace`, and those against real programs, which
//! it installs where it may, from Debian and PyPI. It prints each command that it runs, names at the end what it left out, and closes with
//! `N passed, N failed, N skipped`.
//!
//! `cargo xtask compare` prints what others answer to the same vectors (`tests/compare`).

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command that talks to a person"
)]

mod command;
mod programs;
mod python;
mod tally;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use command::Command;
use programs::Programs;
use tally::Tally;

const USAGE: &str = "\
usage: cargo xtask test | compare

  test      runs all tests, those against real programs included
  compare   prints what posthaste-auth, mail-auth, pyspf, dkimpy and authheaders answer to the vectors below POSTHASTE_VECTORS

POSTHASTE_NO_INSTALL=1 keeps it from installing the packages that it misses.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["test"] => test(),
        ["compare"] => compare(),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn test() -> ExitCode {
    let started = Instant::now();
    let root = workspace();
    let folder = root.join("target/programs");
    let programs = Programs::find_or_install(&folder);
    let moto = python::MOTO.find_or_install(&folder);

    let mut tally = Tally::default();
    let mut cargo = Command::new(cargo(), ["test", "--workspace", "--no-fail-fast"]).in_folder(&root);
    for (variable, value) in programs.environment() {
        cargo = cargo.env(variable, value);
    }
    if let Some(python) = &moto {
        cargo = cargo.env("POSTHASTE_INTEROP_MOTO", python.display().to_string());
    }
    let passed = cargo.run_and_read(|line| tally.read(line));

    println!();
    for line in programs.left_out() {
        println!("left out: {line}");
    }
    if moto.is_none() {
        let packages = python::MOTO.packages.join(", ");
        println!("left out: tests with moto (install {packages} with pip)");
    }
    // A tally without a single test means that its lines were not understood, and that is no success.
    let success = passed && tally.is_success();
    let end = if success {
        "all tests passed"
    } else {
        "there were failures"
    };
    println!("cargo xtask test: {end} in {} s", started.elapsed().as_secs());
    println!("{tally}");
    match success {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// Runs `tests/compare`, with the Python programs if they are there or may be installed.
fn compare() -> ExitCode {
    let root = workspace();
    let mut cargo = Command::new(cargo(), ["test", "--quiet", "--test", "compare"]).in_folder(&root);
    match python::COMPARE.find_or_install(&root.join("target/programs")) {
        Some(python) => cargo = cargo.env("POSTHASTE_COMPARE_PYTHON", python.display().to_string()),
        None => println!(
            "left out: {} (install them with pip)",
            python::COMPARE.packages.join(", ")
        ),
    }
    match cargo.run() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// The folder of the workspace: two above this crate.
fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// The cargo that runs this, so that `cargo +1.95 xtask test` tests with 1.95.
fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}
