//! Sends one message through whatever `POSTHASTE_URL` names.
//!
//! ```text
//! POSTHASTE_URL=smtps://user:password@smtp.example.org \
//!     cargo run --example send -- --from ada@example.org --to bob@example.net --subject Hello --text "First line"
//! ```
//!
//! `file:///tmp/out` writes the message into a folder instead, `memory://` only says what would happen to it.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that talks to a person"
)]

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use posthaste::{Attachment, ContentType, Mailbox, Mailer, Message, RetryPolicy};

#[derive(Parser)]
struct Flags {
    /// Where to send it: smtp://, smtps://, lmtp://, file:// or memory://.
    #[arg(long, env = "POSTHASTE_URL", hide_env_values = true)]
    url: String,
    /// Who it is from: `ada@example.org` or `Ada <ada@example.org>`.
    #[arg(long)]
    from: Mailbox,
    /// Who gets it; may be given several times.
    #[arg(long, required = true)]
    to: Vec<Mailbox>,
    /// Who gets it unseen; may be given several times.
    #[arg(long)]
    bcc: Vec<Mailbox>,
    /// What it is about.
    #[arg(long)]
    subject: String,
    /// The plain text.
    #[arg(long)]
    text: String,
    /// The same as HTML.
    #[arg(long)]
    html: Option<String>,
    /// A file to attach; may be given several times.
    #[arg(long)]
    attach: Vec<PathBuf>,
}

fn message(flags: Flags) -> Result<Message, Box<dyn Error>> {
    let mut builder = Message::builder()
        .from(flags.from)
        .subject(flags.subject)
        .text(flags.text);
    for mailbox in flags.to {
        builder = builder.to(mailbox);
    }
    for mailbox in flags.bcc {
        builder = builder.bcc(mailbox);
    }
    if let Some(html) = flags.html {
        builder = builder.html(html);
    }
    for path in flags.attach {
        let kind = ContentType::parse("application/octet-stream")?;
        // Read while it is sent, so that it may be large.
        builder = builder.attach(Attachment::from_file(path, kind)?);
    }
    Ok(builder.build()?)
}

async fn run(flags: Flags) -> Result<bool, Box<dyn Error>> {
    let mailer = Mailer::builder(posthaste::connect(&flags.url)?)
        .retry(RetryPolicy::default())
        .build();
    let outcome = mailer.send(message(flags)?).await?;
    for recipient in outcome.recipients() {
        println!("{}: {}", recipient.address(), recipient.fate());
    }
    Ok(outcome.is_complete())
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Flags::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprint!("not sent: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                eprint!(": {cause}");
                source = cause.source();
            }
            eprintln!();
            ExitCode::FAILURE
        }
    }
}
