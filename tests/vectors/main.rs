//! Runs folders of public test vectors and prints one line a set.
//!
//! `POSTHASTE_VECTORS=DIR cargo test --test vectors` runs every set below `DIR` that a built crate can answer; without
//! the variable the project's own small vectors in `tests/data/vectors` are run. A set is a file `AREA/NAME.json` or a
//! folder `AREA/NAME`; what no crate answers yet is printed as such and counted as skipped, never left out. Accepted
//! deviations are printed with their reasons. The exit status is 1 if any case failed.

#![allow(
    clippy::print_stdout,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::string_slice,
    unreachable_pub,
    reason = "a test program that talks to a person"
)]

mod harness;

mod address;
mod auth;
mod bounce;
mod mime;
mod providers;
mod reports;
mod smtp;
mod spf;
mod templates;
mod tls;
mod webhook;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use harness::{Input, Report, Set};

/// How many failing or unanswered cases are spelt out for each set.
const SHOWN: usize = 400;

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == "--list") {
        println!("vectors: test");
        return ExitCode::SUCCESS;
    }
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/vectors");
    let root = std::env::var_os("POSTHASTE_VECTORS").map_or(own, PathBuf::from);
    let Ok(present) = sets_below(&root) else {
        println!("the vectors folder {} cannot be read", root.display());
        return ExitCode::FAILURE;
    };
    let input = Input::new(&root);
    let known: BTreeMap<&str, Set> = all_sets().into_iter().map(|set| (set.name, set)).collect();

    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for (name, path) in &present {
        let Some(set) = known.get(name.as_str()) else {
            let cases = count_cases(path);
            skipped += cases;
            println!("{name}: not answered by this build, {cases} cases");
            continue;
        };
        let report = run(set, &input);
        passed += report.passed;
        failed += report.failed.len();
        skipped += report.unsupported.len();
        println!(
            "{name}: {} passed, {} failed, {} unsupported",
            report.passed,
            report.failed.len(),
            report.unsupported.len()
        );
        print_reasons(&report);
    }
    print_deviations();
    if passed + failed == 0 {
        println!("no set of vectors was found below {}", root.display());
        return ExitCode::FAILURE;
    }
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Every set that a built crate answers.
fn all_sets() -> Vec<Set> {
    [
        address::sets(),
        auth::sets(),
        bounce::sets(),
        mime::sets(),
        providers::sets(),
        reports::sets(),
        smtp::sets(),
        spf::sets(),
        templates::sets(),
        tls::sets(),
        webhook::sets(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Runs one set; a panic in it is a failure of the set, not the end of the run.
fn run(set: &Set, input: &Input) -> Report {
    let mut report = Report::default();
    if catch_unwind(AssertUnwindSafe(|| (set.run)(input, &mut report))).is_err() {
        report.fail("(set)", "panicked");
    }
    if report.passed + report.failed.len() + report.unsupported.len() == 0 {
        report.fail("(set)", "holds no case");
    }
    report
}

/// Prints failing cases one a line, and unanswered ones grouped by reason.
fn print_reasons(report: &Report) {
    for (id, why) in report.failed.iter().take(SHOWN) {
        println!("    failed {id}: {why}");
    }
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (id, why) in &report.unsupported {
        by_reason.entry(why).or_default().push(id);
    }
    for (why, ids) in by_reason {
        let more = if ids.len() > 8 { ", …" } else { "" };
        let first: Vec<&str> = ids.iter().take(8).copied().collect();
        println!(
            "    unsupported, {why}: {} cases ({}{more})",
            ids.len(),
            first.join(", ")
        );
    }
}

/// Prints where an accepted deviation from a vector's expectation stands, and why.
fn print_deviations() {
    let tables = [
        address::DEVIATIONS,
        auth::DEVIATIONS,
        bounce::DEVIATIONS,
        mime::DEVIATIONS,
        providers::DEVIATIONS,
        reports::DEVIATIONS,
        smtp::DEVIATIONS,
        spf::DEVIATIONS,
        templates::DEVIATIONS,
        tls::DEVIATIONS,
        webhook::DEVIATIONS,
    ];
    if tables.iter().all(|table| table.is_empty()) {
        return;
    }
    println!("accepted deviations:");
    for (set, rule, reason) in tables.into_iter().flatten() {
        println!("    {set}: {rule}: {reason}");
    }
}

/// Finds the sets below `root`: `AREA/NAME.json`, `AREA/NAME.txt` and folders `AREA/NAME`.
fn sets_below(root: &Path) -> std::io::Result<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    for area in std::fs::read_dir(root)? {
        let area = area?.path();
        if !area.is_dir() {
            continue;
        }
        let area_name = file_name(&area);
        for entry in std::fs::read_dir(&area)? {
            let path = entry?.path();
            let name = file_name(&path);
            if path.is_dir() {
                found.insert(format!("{area_name}/{name}"), path);
            } else if let Some(stem) = name.strip_suffix(".json").or_else(|| name.strip_suffix(".txt")) {
                found.insert(format!("{area_name}/{stem}"), path);
            }
        }
    }
    Ok(found)
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Counts the cases of a set that nobody answers: a JSON file's cases, or a folder's files.
fn count_cases(path: &Path) -> usize {
    if path.is_dir() {
        return walkdir::WalkDir::new(path)
            .into_iter()
            .filter_map(Result::ok)
            .filter(|entry| entry.file_type().is_file())
            .filter(|entry| !entry.file_name().to_string_lossy().starts_with("LICENSE"))
            .count();
    }
    let text = std::fs::read_to_string(path).unwrap_or_default();
    match serde_json::from_str::<serde_json::Value>(&text) {
        Ok(serde_json::Value::Array(cases)) => cases.len(),
        Ok(serde_json::Value::Object(fields)) => fields
            .values()
            .filter_map(serde_json::Value::as_array)
            .map(Vec::len)
            .sum::<usize>()
            .max(1),
        _ => text.lines().count().max(1),
    }
}
