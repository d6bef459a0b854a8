//! Sends an attachment that no memory holds: signed with DKIM, over SMTP, to a server in this program that counts.
//!
//! ```text
//! cargo run --release --example large_attachment -- --gigabytes 1
//! ```
//!
//! The attachment is made up as it is read, twice: once to be hashed for the signature, once to be sent. Prints what went
//! over the wire, how long it took, and the most memory that the whole program had, server included.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that talks to a person"
)]

mod generated;
mod sink;

use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use posthaste::dkim::{Signer, SigningKey};
use posthaste::smtp::{SmtpTransport, Tls};
use posthaste::{Attachment, ContentType, Mailer, Message};

use generated::Generated;
use sink::Sink;

#[derive(Parser)]
struct Flags {
    /// How large the attachment is, in GB of 2^30 bytes.
    #[arg(long, default_value_t = 1.0)]
    gigabytes: f64,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Flags::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("not sent: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(flags: &Flags) -> Result<(), Box<dyn Error>> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of bytes that a person gave; out of range is the nearest one"
    )]
    let size = (flags.gigabytes * f64::from(1 << 30)) as u64;
    let kind = ContentType::parse("application/octet-stream")?;
    // For a file on the disk: `Attachment::from_file("disk.img", kind)?`.
    let attachment = Attachment::from_source("disk.img", kind, Generated(size))?;
    let message = Message::builder()
        .from("Ada <ada@example.org>".parse()?)
        .to("bob@example.net".parse()?)
        .subject("The disk image")
        .text("Here it is.")
        .attach(attachment)
        .build()?;
    let length = message.to_rope().len();

    let sink = Sink::start().await?;
    let smtp = SmtpTransport::builder("127.0.0.1")
        .port(sink.port())
        .tls(Tls::None)
        .build()?;
    let signer = Signer::builder("example.org".parse()?)
        .key("s2026".parse()?, SigningKey::generate_ed25519()?)
        .build()?;
    let mailer = Mailer::builder(smtp).sign(signer).build();

    let bar = ProgressBar::new(length).with_style(ProgressStyle::with_template(
        "{bar:30} {bytes}/{total_bytes}  {bytes_per_sec}  {eta}",
    )?);
    let start = Instant::now();
    let sending = mailer.send(message);
    let mut sending = std::pin::pin!(sending);
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    let outcome = loop {
        tokio::select! {
            outcome = &mut sending => break outcome?,
            _ = tick.tick() => bar.set_position(sink.bytes()),
        }
    };
    let seconds = start.elapsed().as_secs_f64();
    bar.finish_and_clear();
    if !outcome.is_complete() || sink.messages() != 1 {
        return Err("the message did not arrive".into());
    }
    println!("attachment     {size:>13} bytes");
    println!("on the wire    {:>13} bytes, signature included", sink.bytes());
    #[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
    let rate = size as f64 / f64::from(1 << 20) / seconds;
    println!("time           {seconds:>13.2} s, {rate:.0} MB of attachment per second");
    match peak_memory() {
        Some(kilobytes) => println!("peak memory    {kilobytes:>13} kB"),
        None => println!("peak memory    not known on this system"),
    }
    Ok(())
}

/// The most memory that this process had, in kB, where the system says so.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}
