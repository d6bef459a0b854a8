//! Says what is right, wrong or weak about a mail domain, and what to publish instead.
//!
//! ```text
//! cargo run --example doctor -- example.org --zone examples/data/verify/zone.txt --selector r2026 --ip 192.0.2.1
//! ```
//!
//! Without `--zone` it asks the system's name servers, and fetches the policy of MTA-STS. It ends with 0 if there are no
//! errors, with 1 if there are, and with 2 if it could not run.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that talks to a person"
)]

use std::error::Error;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use posthaste_address::Domain;
use posthaste_auth::dkim::Selector;
use posthaste_dns::{HickoryResolver, Resolver, Zone};
use posthaste_doctor::{Diagnosis, Doctor, HttpsClient, Severity};

#[derive(Parser)]
#[command(
    about = "Says what is right, wrong or weak about a mail domain",
    after_help = "Exit status: 0 no errors, 1 errors, 2 it could not run."
)]
struct Flags {
    /// The domain to look at.
    domain: Domain,
    /// A zone file to answer from, instead of the system's name servers.
    #[arg(long)]
    zone: Option<PathBuf>,
    /// A selector of a DKIM key; without any, common ones are tried.
    #[arg(long)]
    selector: Vec<Selector>,
    /// An address that mail is sent from.
    #[arg(long)]
    ip: Vec<IpAddr>,
    /// The domain of the reverse-path, if it is another one.
    #[arg(long)]
    mail_from: Option<Domain>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn resolver(flags: &Flags) -> Result<Arc<dyn Resolver>, Box<dyn Error>> {
    Ok(match &flags.zone {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
            Arc::new(Zone::parse_known(&text).map_err(|error| format!("{}: {error}", path.display()))?)
        }
        None => Arc::new(HickoryResolver::from_system()?),
    })
}

async fn run(flags: &Flags) -> Result<Diagnosis, Box<dyn Error>> {
    let resolver = resolver(flags)?;
    let mut doctor = Doctor::new(&resolver)
        .selectors(flags.selector.iter().cloned())
        .sending_ips(flags.ip.iter().copied());
    if let Some(mail_from) = &flags.mail_from {
        doctor = doctor.mail_from(mail_from.clone());
    }
    // A zone file has no pages: with one, nothing is fetched.
    let https = match flags.zone {
        None => Some(HttpsClient::new()?),
        Some(_) => None,
    };
    if let Some(https) = &https {
        doctor = doctor.https(https);
    }
    let diagnosis = doctor.check(&flags.domain).await;
    if flags.json {
        println!("{}", serde_json::to_string_pretty(&diagnosis)?);
    } else {
        print!("{diagnosis}");
    }
    Ok(diagnosis)
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Flags::parse()).await {
        Ok(diagnosis) if diagnosis.worst() < Severity::Error => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            eprintln!("not looked at: {}", error.to_string().escape_debug());
            ExitCode::from(2)
        }
    }
}
