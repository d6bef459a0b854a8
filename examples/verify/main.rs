//! Says whether a message is from whom it says: SPF, DKIM, ARC, iprev and DMARC, with reasons.
//!
//! ```text
//! cargo run --example verify -- examples/data/verify/newsletter.eml \
//!     --ip 192.0.2.1 --helo mail.example.org --mail-from ada@example.org --zone examples/data/verify/zone.txt
//! ```
//!
//! Without `--zone` it asks the system's name servers. It ends with 0 if DMARC passes, with 1 if it does not, and with 2 if that
//! cannot be told: flags or files are wrong, or the DNS failed for now. What comes from the message is printed with control
//! characters escaped, so that it cannot steer a terminal.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that talks to a person"
)]

mod escaped;
mod instant;
mod printed;

use std::error::Error;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use clap::Parser;
use posthaste::EmailAddress;
use posthaste::auth::dmarc::{DmarcResult, Method};
use posthaste::auth::{AuthReport, Authenticator, Connection};
use posthaste::dns::{HickoryResolver, Resolver, Zone};

#[derive(Parser)]
#[command(
    about = "Says whether a message is from whom it says",
    after_help = "Exit status: 0 DMARC passes, 1 it does not, 2 it cannot be told: wrong flags, an unreadable file, or the DNS \
                  failed for now."
)]
struct Flags {
    /// The message as it was received.
    file: PathBuf,
    /// The address of the client that brought it.
    #[arg(long)]
    ip: IpAddr,
    /// The name that the client greeted with.
    #[arg(long)]
    helo: String,
    /// The reverse-path; `<>` or nothing is the null one of bounces.
    #[arg(long, default_value = "", hide_default_value = true)]
    mail_from: String,
    /// A zone file to answer from, instead of the system's name servers.
    #[arg(long)]
    zone: Option<PathBuf>,
    /// What time it is: RFC 3339, or seconds since 1970. Now, unless given.
    #[arg(long, value_parser = instant::parse)]
    now: Option<SystemTime>,
    /// Who checks, for Authentication-Results.
    #[arg(long, default_value = "mx.example.net")]
    authserv_id: String,
    /// Find organisational domains by the Public Suffix List (RFC 7489) instead of by DNS (RFC 9989).
    #[arg(long)]
    psl: bool,
    /// List what the DNS was asked.
    #[arg(long)]
    lookups: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn resolver(flags: &Flags) -> Result<Arc<dyn Resolver>, Box<dyn Error>> {
    Ok(match &flags.zone {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
            Arc::new(Zone::parse(&text).map_err(|error| format!("{}: {error}", path.display()))?)
        }
        None => Arc::new(HickoryResolver::from_system()?),
    })
}

/// The message; files that were saved with LF alone get their CRLF back.
fn message(flags: &Flags) -> Result<Vec<u8>, Box<dyn Error>> {
    let octets = std::fs::read(&flags.file).map_err(|error| format!("{}: {error}", flags.file.display()))?;
    if octets.windows(2).any(|pair| pair == b"\r\n") {
        return Ok(octets);
    }
    let lines: Vec<&[u8]> = octets.split(|&octet| octet == b'\n').collect();
    Ok(lines.join(b"\r\n".as_slice()))
}

async fn run(flags: &Flags) -> Result<AuthReport, Box<dyn Error>> {
    let path = flags.mail_from.trim();
    let path = path
        .strip_prefix('<')
        .and_then(|path| path.strip_suffix('>'))
        .unwrap_or(path);
    let mail_from = match path {
        "" => None,
        path => Some(
            path.parse::<EmailAddress>()
                .map_err(|error| format!("--mail-from: {error}"))?,
        ),
    };
    let method = if flags.psl {
        Method::PublicSuffixList
    } else {
        Method::TreeWalk
    };
    let authenticator = Authenticator::new(resolver(flags)?).dmarc_method(method);
    let connection = Connection::new(flags.ip, &flags.helo, mail_from);
    let now = flags.now.unwrap_or_else(SystemTime::now);
    Ok(authenticator.authenticate(&connection, &message(flags)?, now).await)
}

#[tokio::main]
async fn main() -> ExitCode {
    let flags = Flags::parse();
    let report = match run(&flags).await {
        Ok(report) => report,
        Err(error) => {
            eprintln!("not verified: {}", escaped::line(&error.to_string()));
            return ExitCode::from(2);
        }
    };
    if flags.json {
        match serde_json::to_string_pretty(&report) {
            Ok(json) => println!("{}", escaped::json(&json)),
            Err(error) => {
                eprintln!("not verified: {error}");
                return ExitCode::from(2);
            }
        }
    } else {
        print!("{}", printed::text(&report, &flags.authserv_id, flags.lookups));
    }
    match report.dmarc().result() {
        DmarcResult::Pass => ExitCode::SUCCESS,
        DmarcResult::TempError => ExitCode::from(2),
        _ => ExitCode::FAILURE,
    }
}
