//! Makes a personal, signed mail with an attachment for each row of a CSV or NDJSON file, on all cores, and counts what comes
//! out. Without a file it writes one of its own first, with a few bad rows.
//!
//! ```text
//! cargo run --release --example bulk
//! cargo run --release --example bulk -- --rows 100000 --keys both --attach 200
//! cargo run --release --example bulk -- recipients.ndjson --from "Ada <ada@example.org>" --start-at 40000
//! ```
//!
//! Rows of NDJSON are objects with `email`, perhaps `display_name`, and whatever else the template uses; columns of CSV likewise,
//! as text.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that talks to a person"
)]

mod counting;
mod input;
mod report;
mod sample;

use std::error::Error;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, ValueEnum};
use futures_util::{StreamExt, stream};
use posthaste::campaign::{Campaign, Made};
use posthaste::dkim::{Signer, SigningKey};
use posthaste::{Attachment, ContentType, Mailbox, Message, Template, Transport};
use serde_json::json;

use counting::Counting;
use report::Report;

const TEMPLATE: &str = include_str!("../data/bulk/template.json");

#[derive(Parser)]
struct Flags {
    /// The rows: a file that ends with .csv or .ndjson. Without it, a sample is written and used.
    file: Option<PathBuf>,
    /// How many rows the sample has.
    #[arg(long, default_value_t = 100_000)]
    rows: u64,
    /// Who it is from.
    #[arg(long, default_value = "posthaste <team@posthaste.example>")]
    from: Mailbox,
    /// What every message is signed with.
    #[arg(long, value_enum, default_value_t = Keys::Rsa)]
    keys: Keys,
    /// The size of the attachment, in KB.
    #[arg(long, default_value_t = 20)]
    attach: usize,
    /// How many messages are made at the same time; without it, as many as there are cores.
    #[arg(long)]
    workers: Option<NonZeroUsize>,
    /// Takes messages as soon as they are made, instead of in the order of the rows.
    #[arg(long)]
    unordered: bool,
    /// Begins at this row, counted from 0: where an earlier run was stopped.
    #[arg(long, default_value_t = 0)]
    start_at: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Keys {
    None,
    Rsa,
    Ed25519,
    Both,
}

impl Keys {
    /// A signer with new keys; nobody could look them up anyway.
    fn signer(self) -> Result<Option<Signer>, Box<dyn Error>> {
        if self == Self::None {
            return Ok(None);
        }
        let mut signer = Signer::builder("posthaste.example".parse()?);
        if self != Self::Ed25519 {
            signer = signer.key("rsa".parse()?, SigningKey::generate_rsa_2048()?);
        }
        if self != Self::Rsa {
            signer = signer.key("ed25519".parse()?, SigningKey::generate_ed25519()?);
        }
        Ok(Some(signer.build()?))
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Flags::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bulk: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(flags: Flags) -> Result<(), Box<dyn Error>> {
    let sample = match &flags.file {
        Some(_) => None,
        None => Some(sample::write(flags.rows)?),
    };
    let file = flags.file.as_deref().or(sample.as_deref()).ok_or("no file")?;
    let total = input::count(file)?;

    let terms = vec![b'.'; flags.attach * 1000];
    let message = Message::builder().from(flags.from).attach(Attachment::new(
        "Terms.pdf",
        ContentType::parse("application/pdf")?,
        terms,
    )?);
    let clock = Instant::now();
    let mut campaign = Campaign::builder(Template::from_ses_json(TEMPLATE)?)
        .message(message)
        .defaults(json!({"company": "posthaste", "support": "help@posthaste.example", "month": "November"}))
        .stopwatch(move || clock.elapsed());
    if let Some(signer) = flags.keys.signer()? {
        campaign = campaign.signer(signer);
    }

    let entries = stream::iter(input::entries(file)?);
    let mut run = campaign
        .prepare()?
        .run(entries)
        .in_order(!flags.unordered)
        .start_at(flags.start_at);
    if let Some(workers) = flags.workers {
        run = run.workers(workers);
    }
    let mut run = run.start();

    let transport = Counting::default();
    let mut report = Report::new(total.saturating_sub(flags.start_at));
    while let Some(item) = run.next().await {
        match item.made {
            Made::Mail(mail) => {
                report.made(&mail);
                report.sent(&transport.send(&mail.outbound, &mail.options).await?);
            }
            Made::Failed(error) => report.failed(item.position, &error),
            _ => {}
        }
        report.step();
    }
    report.print(&run.progress(), &transport, clock.elapsed());
    Ok(())
}
