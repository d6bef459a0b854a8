//! Two relays as one transport: what happens when the first goes away, and when nobody knows whether it took a message.
//!
//! ```text
//! cargo run --example failover
//! ```
//!
//! Both relays are servers in this process. In a program of yours it is one URL:
//! `failover(retry(smtps://user:password@one.example) ses://eu-west-1)?rest=30`.

#![expect(clippy::print_stdout, reason = "a program that talks to a person")]

use std::error::Error;
use std::sync::Arc;

use posthaste::smtp::SmtpTransport;
use posthaste::smtp::server::Verdict;
use posthaste::smtp::testing::{Fault, Stage, TestServer};
use posthaste::transport::layers::{Failover, HealthPolicy};
use posthaste::{Message, Transport, TransportExt};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (first, second) = (TestServer::start().await?, TestServer::start().await?);
    let relays = Failover::new([
        Arc::new(SmtpTransport::from_url(&first.url())?) as Arc<dyn Transport>,
        Arc::new(SmtpTransport::from_url(&second.url())?),
    ])
    .with_health(HealthPolicy::default().with_failures(2));

    send(&relays, "both are well").await?;

    first.fail(Fault::reply(
        Stage::Mail,
        Verdict::defer(451, (3, 2), "back in a minute"),
    ));
    send(&relays, "the first is busy").await?;
    send(&relays, "the first is busy still").await?;
    send(&relays, "the first rests now, and is not asked").await?;

    // The second takes the message and dies before it says so: to send it again could mean a second mail.
    second.fail(Fault::lose_reply().times(1));
    match send(&relays, "the answer is lost").await {
        Ok(()) => println!("  which was not to be expected"),
        Err(error) => println!("  {error}"),
    }

    println!(
        "the first relay has {}, the second {}; nothing was sent twice",
        first.received().len(),
        second.received().len()
    );
    Ok(())
}

async fn send(relays: &Failover, subject: &str) -> Result<(), Box<dyn Error>> {
    let message = Message::builder()
        .from("Ada <ada@example.org>".parse()?)
        .to("bob@example.net".parse()?)
        .subject(subject)
        .text("First line")
        .build()?;
    println!("{subject}:");
    let outcome = relays.send_message(message).await?;
    println!("  accepted, at attempt {}", outcome.attempts());
    Ok(())
}
