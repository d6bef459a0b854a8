//! Makes DKIM keys for a domain, keeps the private halves in files, and prints the DNS records of the public ones.
//!
//! ```text
//! cargo run --example keygen -- example.org --selector 2026a --key both --out keys --format zone
//! ```
//!
//! The files are readable by their owner alone, and none is ever overwritten.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that talks to a person"
)]

use std::error::Error;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use posthaste_address::Domain;
use posthaste_auth::dkim::{KeyError, Selector, SigningKey};
use posthaste_publish::{DkimKey, Setup};

#[derive(Parser)]
#[command(about = "Makes DKIM keys for a domain, and prints the DNS records to publish")]
struct Flags {
    /// The domain that will sign.
    domain: Domain,
    /// What to make: `both` is an RSA key of 2048 bits, which all verifiers know, and an Ed25519 key.
    #[arg(long, value_enum, default_value = "rsa-2048")]
    key: Kind,
    /// The selector; with `both`, the selectors are this with `-rsa` and `-ed25519` behind it.
    #[arg(long)]
    selector: Selector,
    /// The folder for the private keys.
    #[arg(long, default_value = ".")]
    out: PathBuf,
    /// How to print the records.
    #[arg(long, value_enum, default_value = "zone")]
    format: Format,
    /// Mark the keys as a test: verifiers then treat the mail as unsigned.
    #[arg(long)]
    testing: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    #[value(name = "rsa-2048")]
    Rsa2048,
    #[value(name = "rsa-3072")]
    Rsa3072,
    #[value(name = "rsa-4096")]
    Rsa4096,
    Ed25519,
    Both,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Zone,
    Json,
    Table,
}

type Generate = fn() -> Result<SigningKey, KeyError>;

/// What to make, and what to put behind the selector.
fn plan(kind: Kind) -> Vec<(&'static str, Generate)> {
    match kind {
        Kind::Rsa2048 => vec![("", SigningKey::generate_rsa_2048)],
        Kind::Rsa3072 => vec![("", SigningKey::generate_rsa_3072)],
        Kind::Rsa4096 => vec![("", SigningKey::generate_rsa_4096)],
        Kind::Ed25519 => vec![("", SigningKey::generate_ed25519)],
        Kind::Both => vec![
            ("-rsa", SigningKey::generate_rsa_2048),
            ("-ed25519", SigningKey::generate_ed25519),
        ],
    }
}

/// Writes a new file for its owner alone.
fn write_private(path: &Path, text: &str) -> Result<(), Box<dyn Error>> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options
        .open(path)
        .map_err(|error| format!("{}: {error}", path.display()))?;
    file.write_all(text.as_bytes())?;
    Ok(file.sync_all()?)
}

fn run(flags: &Flags) -> Result<(), Box<dyn Error>> {
    let mut files = Vec::new();
    for (suffix, generate) in plan(flags.key) {
        let selector: Selector = format!("{}{suffix}", flags.selector).parse()?;
        let path = flags.out.join(format!("{selector}.{}.pem", flags.domain));
        // Asked here too, so that no key is written when another could not be.
        if path.try_exists()? {
            return Err(format!("{} is there already: it is not overwritten", path.display()).into());
        }
        files.push((selector, path, generate));
    }
    let mut setup = Setup::new(flags.domain.clone());
    for (selector, path, generate) in files {
        let key = generate()?;
        write_private(&path, &key.to_pem()?)?;
        eprintln!("{}: the private key of {selector}; keep it secret", path.display());
        setup = setup.dkim_key(DkimKey::new(selector, &key).testing(flags.testing));
    }
    let publication = setup.build()?;
    match flags.format {
        Format::Zone => print!("{}", publication.to_zone_file()),
        Format::Json => print!("{}", publication.to_json()),
        Format::Table => print!("{}", publication.to_table()),
    }
    for warning in publication.warnings() {
        eprintln!("note: {warning}");
    }
    Ok(())
}

fn main() -> ExitCode {
    match run(&Flags::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("no key made: {error}");
            ExitCode::FAILURE
        }
    }
}
