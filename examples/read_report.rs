//! Reads what receivers report: DMARC aggregate reports, failure reports and complaints, TLS reports.
//!
//! ```text
//! cargo run --example read_report -- examples/data/reports/aggregate.xml
//! ```
//!
//! A file is a report, plain or packed, or the mail that brought one; which kind it is, is found out. It ends with 0 if the report
//! was read, and with 2 if none could be. Control characters of strangers are printed escaped.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that talks to a person"
)]

use std::error::Error;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Parser;
use posthaste_mime::RawMessage;
use posthaste_report::{Deviations, Limits, ReadError, dmarc, feedback, tls};

#[derive(Parser)]
#[command(
    about = "Reads what receivers report on a domain's mail",
    after_help = "Exit status: 0 the report was read, 2 it was not."
)]
struct Flags {
    /// A report, or the mail that brought it.
    file: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What a file is.
enum Report {
    Aggregate(dmarc::Report),
    Feedback(feedback::Report),
    Tls(tls::Report),
}

/// Finds out by trying: no kind of report can be taken for another.
fn read(octets: Vec<u8>) -> Result<Report, ReadError> {
    let limits = Limits::new();
    let aggregate = dmarc::Report::read(&octets, &limits);
    let tls = tls::Report::read(&octets, &limits);
    match (aggregate, tls) {
        (Ok(report), _) => return Ok(Report::Aggregate(report)),
        (_, Ok(report)) => return Ok(Report::Tls(report)),
        // Neither XML nor JSON: a mail.
        (Err(ReadError::Unrecognised { .. }), Err(ReadError::Unrecognised { .. })) => {}
        (Err(ReadError::Unrecognised { .. } | ReadError::Xml { .. }), Err(error)) => return Err(error),
        (Err(error), _) => return Err(error),
    }
    let mail = RawMessage::parse(octets)?;
    match feedback::Report::from_mail(&mail, &limits) {
        Err(ReadError::NoReport) => {}
        report => return report.map(Report::Feedback),
    }
    match dmarc::Report::from_mail(&mail, &limits) {
        Ok(report) => Ok(Report::Aggregate(report)),
        Err(error) => tls::Report::from_mail(&mail, &limits)
            .map(Report::Tls)
            .map_err(|_| error),
    }
}

/// A stranger's text, harmless for a terminal.
fn plain(text: Option<&str>) -> String {
    text.map_or("?".to_owned(), |text| text.escape_debug().to_string())
}

fn seconds(time: Option<SystemTime>) -> String {
    let since = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map_or("?".to_owned(), |since| since.as_secs().to_string())
}

fn aggregate(out: &mut String, report: &dmarc::Report) -> std::fmt::Result {
    let totals = report.totals();
    writeln!(
        out,
        "DMARC aggregate report of {} on {}, {} to {} (seconds since 1970)",
        plain(report.metadata.org_name.as_deref()),
        plain(report.policy.domain.as_deref()),
        seconds(report.metadata.begin),
        seconds(report.metadata.end),
    )?;
    writeln!(
        out,
        "{} messages: {} pass, {} quarantined, {} rejected",
        totals.messages, totals.passed, totals.quarantined, totals.rejected
    )?;
    for record in &report.records {
        let address = record.source_ip.map_or("?".to_owned(), |address| address.to_string());
        let count = record.count.unwrap_or(0);
        let word = if record.is_pass() { "pass" } else { "FAIL" };
        let from = plain(record.identifiers.header_from.as_deref());
        writeln!(out, "  {word} {count:>6} from {address}, as {from}")?;
    }
    deviations(out, report.deviations())
}

fn feedback_report(out: &mut String, report: &feedback::Report) -> std::fmt::Result {
    let kind = report.kind.as_ref().map_or("?".to_owned(), |kind| kind.to_string());
    writeln!(
        out,
        "feedback report ({kind}) by {}",
        plain(report.user_agent.as_deref())
    )?;
    if let Some(failure) = &report.auth_failure {
        writeln!(out, "  failed: {failure}")?;
    }
    if let Some(address) = report.source_ip {
        writeln!(out, "  from {address}")?;
    }
    for (name, values) in [
        ("domain", &report.reported_domains),
        ("recipient", &report.original_rcpt_to),
        ("results", &report.authentication_results),
    ] {
        for value in values {
            writeln!(out, "  {name}: {}", plain(Some(value)))?;
        }
    }
    deviations(out, report.deviations())
}

fn tls_report(out: &mut String, report: &tls::Report) -> std::fmt::Result {
    let totals = report.totals();
    let from = plain(report.organization_name.as_deref());
    writeln!(
        out,
        "TLS report of {from}: {} sessions encrypted, {} not",
        totals.successful, totals.failed
    )?;
    for policy in &report.policies {
        let kind = policy
            .policy
            .kind
            .as_ref()
            .map_or("?".to_owned(), |kind| kind.to_string());
        writeln!(out, "  {} ({kind})", plain(policy.policy.domain.as_deref()))?;
        for failure in &policy.failures {
            let result = failure
                .result
                .as_ref()
                .map_or("?".to_owned(), |result| result.to_string());
            let host = plain(failure.receiving_mx_hostname.as_deref());
            writeln!(out, "    {} at {host}: {result}", failure.sessions.unwrap_or(0))?;
        }
    }
    deviations(out, report.deviations())
}

fn deviations(out: &mut String, deviations: &Deviations) -> std::fmt::Result {
    for deviation in deviations.iter() {
        writeln!(out, "  against the standard: {deviation}")?;
    }
    Ok(())
}

fn run(flags: &Flags) -> Result<(), Box<dyn Error>> {
    let report = read(std::fs::read(&flags.file)?)?;
    if flags.json {
        let json = match &report {
            Report::Aggregate(report) => serde_json::to_string_pretty(report),
            Report::Feedback(report) => serde_json::to_string_pretty(report),
            Report::Tls(report) => serde_json::to_string_pretty(report),
        };
        println!("{}", json?);
        return Ok(());
    }
    let mut out = String::new();
    match &report {
        Report::Aggregate(report) => aggregate(&mut out, report)?,
        Report::Feedback(report) => feedback_report(&mut out, report)?,
        Report::Tls(report) => tls_report(&mut out, report)?,
    }
    print!("{out}");
    Ok(())
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    match run(&flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {}", flags.file.display(), error.to_string().escape_debug());
            ExitCode::from(2)
        }
    }
}
