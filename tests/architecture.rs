//! The crate edges, checked against the table in `ARCHITECTURE.md`, and what the prose claims about the manifests.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test that reads the repository itself"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo metadata runs")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("the file is there")
}

/// The published crates by folder name, with the sibling crates that each depends on.
fn edges(metadata: &Metadata) -> BTreeMap<String, BTreeSet<String>> {
    let short = |name: &str| name.strip_prefix("posthaste-").unwrap_or(name).to_owned();
    metadata
        .packages
        .iter()
        .filter(|package| package.name.starts_with("posthaste") && package.name.as_str() != "posthaste-workspace")
        .map(|package| {
            let siblings = package
                .dependencies
                .iter()
                .filter(|dependency| dependency.kind != DependencyKind::Development)
                .filter(|dependency| dependency.name.starts_with("posthaste"))
                .map(|dependency| short(&dependency.name))
                .collect();
            (short(&package.name), siblings)
        })
        .collect()
}

/// The table in `ARCHITECTURE.md`, in its order: crate, and the sibling crates that it stands on.
fn table() -> Vec<(String, BTreeSet<String>)> {
    let page = read("ARCHITECTURE.md");
    let rows: Vec<(String, BTreeSet<String>)> = page
        .lines()
        .skip_while(|line| !line.starts_with("| crate |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let name = cells[0].trim_matches('`').to_owned();
            let siblings = cells[2]
                .split(',')
                .map(|cell| cell.trim().trim_matches('`').to_owned())
                .filter(|cell| !cell.is_empty() && cell != "-")
                .collect();
            (name, siblings)
        })
        .collect();
    assert!(rows.len() >= 10, "the crate table was not found in ARCHITECTURE.md");
    rows
}

#[test]
fn crate_edges_are_those_of_the_table() {
    let documented: BTreeMap<String, BTreeSet<String>> = table().into_iter().collect();
    assert_eq!(
        edges(&metadata()),
        documented,
        "left: Cargo.toml files, right: ARCHITECTURE.md"
    );
}

#[test]
fn no_crate_depends_on_one_below_it() {
    let mut above = BTreeSet::new();
    for (name, siblings) in table() {
        let below: Vec<_> = siblings.difference(&above).collect();
        assert!(
            below.is_empty(),
            "{name} depends on {below:?}, which the table lists below it"
        );
        above.insert(name);
    }
}

#[test]
fn stated_rust_version_is_the_manifests() {
    let metadata = metadata();
    let version = metadata.packages[0]
        .rust_version
        .as_ref()
        .expect("the workspace states one")
        .to_string();
    let version = version.trim_end_matches(".0");
    for package in &metadata.packages {
        let own = package
            .rust_version
            .as_ref()
            .expect("every crate states one")
            .to_string();
        assert_eq!(own.trim_end_matches(".0"), version, "{}", package.name);
    }
    assert!(
        read("README.md").contains(&format!("Rust {version}")),
        "README.md names Rust {version}"
    );
}

#[test]
fn every_crate_has_a_front_page() {
    for package in &metadata().packages {
        if !package.name.starts_with("posthaste") || package.name.as_str() == "posthaste-workspace" {
            continue;
        }
        assert!(package.description.is_some(), "{} has a description", package.name);
        assert!(package.readme.is_some(), "{} has a README", package.name);
        let lib = package
            .targets
            .iter()
            .find(|target| target.is_lib())
            .expect("a library");
        let source = std::fs::read_to_string(&lib.src_path).expect("its source");
        assert!(source.starts_with("//! "), "{} begins with its purpose", lib.src_path);
        assert!(source.contains("//! ```"), "{} shows an example", lib.src_path);
    }
}

#[test]
fn every_dependency_says_why_it_is_there() {
    let manifest = read("Cargo.toml");
    let section = manifest.split("[workspace.dependencies]").nth(1).expect("the section");
    let section = section.split("\n[").next().expect("its end");
    for line in section
        .lines()
        .filter(|line| line.contains(" = ") && !line.starts_with("posthaste"))
    {
        assert!(line.contains(" # "), "no reason given: {line}");
    }
}

#[test]
fn no_second_tls_stack_or_crypto_library() {
    // Cargo.lock may name a crate that no feature turns on; `cargo tree` prints only what is built.
    let output = std::process::Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args([
            "tree",
            "--workspace",
            "--all-features",
            "--target",
            "all",
            "--edges",
            "all",
            "--prefix",
            "none",
        ])
        .output()
        .expect("cargo tree runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8_lossy(&output.stdout).into_owned();
    let built: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(
        built.contains("aws-lc-rs") && built.contains("rustls"),
        "the tree was not read"
    );
    for banned in ["openssl", "openssl-sys", "native-tls", "ring", "rsa", "boring"] {
        assert!(!built.contains(banned), "{banned} is built");
    }
}

#[test]
fn the_readme_lists_every_crate_and_example() {
    let readme = read("README.md");
    for (name, _) in table() {
        assert!(readme.contains(&format!("`{name}`")), "README.md does not list {name}");
    }
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")).expect("examples") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        if name != "data" {
            assert!(
                readme.contains(&format!("--example {name}")),
                "README.md does not show {name}"
            );
        }
    }
}
