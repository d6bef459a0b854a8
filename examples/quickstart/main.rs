//! Sends a few hundred welcome mails, each personal, with a PDF, an inline image and two DKIM signatures, over real SMTP
//! with STARTTLS to a mail server of our own in the same process, which verifies SPF, DKIM and DMARC of every one.
//!
//! ```text
//! cargo run --release --example quickstart
//! ```
//!
//! Some rows of `examples/data/welcome/recipients.csv` are bad on purpose; the exit status is 0 only if every row had
//! the outcome that its last column expects.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that talks to a person"
)]

mod input;
mod progress;
mod receiver;
mod summary;

use std::collections::HashSet;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use posthaste::dkim::{Signer, SigningKey};
use posthaste::smtp::{SmtpTransport, Tls};
use posthaste::{EmailAddress, Limit, Mailer, Message, RetryPolicy};

use input::{Row, Welcome};
use progress::Progress;
use receiver::Receiver;
use summary::{Fate, Summary};

/// Mails a second; a real provider would tell you yours.
const RATE: f64 = 200.0;

/// How many may go out at once after a pause.
const BURST: u32 = 10;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("quickstart: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<bool, Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data/welcome");
    let welcome = Welcome::load(&folder)?;
    let rows = input::rows(&folder.join("recipients.csv"))?;

    let rsa = SigningKey::generate_rsa_2048()?;
    let ed25519 = SigningKey::generate_ed25519()?;
    let receiver = Receiver::start(&rsa, &ed25519).await?;
    let signer = Signer::builder("posthaste.example".parse()?)
        .key("rsa".parse()?, rsa)
        .key("ed25519".parse()?, ed25519)
        .build()?;
    let transport = SmtpTransport::builder("127.0.0.1")
        .port(receiver.port())
        .tls(Tls::Required)
        .add_root_pem(receiver.certificate_pem())?
        .helo("out.posthaste.example")
        .build()?;
    let mailer = Mailer::builder(transport)
        .sign(signer)
        .limit(Limit::per_second(RATE)?.burst(BURST)?)
        .retry(RetryPolicy::default())
        .build();

    println!(
        "{} rows, {RATE} mails a second, received mail goes to {}",
        rows.len(),
        receiver.folder().display()
    );
    let progress = Progress::new(rows.len());
    let mut summary = Summary::default();
    let mut seen = HashSet::new();
    let start = Instant::now();
    for row in rows {
        let fate = send(&mailer, &welcome, &row, &mut seen).await;
        progress.step(&fate);
        summary.add(row, fate);
    }
    progress.finish();
    let elapsed = start.elapsed();

    let received = receiver.stop().await?;
    Ok(summary.print(elapsed, &received))
}

/// Sends one row's mail. Whatever is wrong with the row is its fate, never an error of the run.
async fn send(mailer: &Mailer, welcome: &Welcome, row: &Row, seen: &mut HashSet<EmailAddress>) -> Fate {
    let message = match message(welcome, row, seen) {
        Ok(message) => message,
        Err(fate) => return fate,
    };
    match mailer.send(message).await {
        Ok(outcome) if outcome.is_complete() => Fate::Sent,
        Ok(outcome) => Fate::refused(outcome.reply()),
        Err(error) => Fate::from_error(&error),
    }
}

fn message(welcome: &Welcome, row: &Row, seen: &mut HashSet<EmailAddress>) -> Result<Message, Fate> {
    let to = row.mailbox()?;
    if !seen.insert(to.address().clone()) {
        return Err(Fate::Bad {
            what: "duplicate",
            why: format!("{} was written to already", to.address()),
        });
    }
    let mail = welcome.render(row)?;
    let message = Message::builder()
        .from(row.sender()?)
        .to(to)
        .subject(mail.subject)
        .text(mail.text.unwrap_or_default())
        .html(mail.html.unwrap_or_default())
        .inline(welcome.logo.clone())
        .attach(welcome.first_steps.clone());
    message.build().map_err(|error| Fate::Bad {
        what: "invalid message",
        why: error.to_string(),
    })
}
