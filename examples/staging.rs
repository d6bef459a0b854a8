//! Sends a newsletter on a staging machine: nobody real gets it, and every mail becomes a page for the browser.
//!
//! `cargo run --example staging -- FOLDER` (a folder for the pages; `target/mails` if it is left out)

#![expect(clippy::print_stdout, reason = "a program that talks to a person")]

use posthaste::transport::layers::{DryRun, Preview, Redirect};
use posthaste::transport::{MemoryTransport, Outbound, SendOptions, Transport, TransportExt};
use posthaste_mime::Message;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "target/mails".to_owned());
    // In place of the relay; `connect("smtps://…")` returns a transport too.
    let relay = MemoryTransport::new();
    let transport = relay
        .clone()
        .layer(Preview::new(&folder))
        .layer(Redirect::to(["tester@example.org".parse()?]).with_allowed_domain("example.com".parse()?));
    for customer in ["bob@example.net", "ann@example.com"] {
        let message = Message::builder()
            .from("Shop <shop@example.org>".parse()?)
            .to(customer.parse()?)
            .subject("Our summer sale")
            .text("Everything is half the price.")
            .html("<h1>Summer sale</h1><p>Everything is <b>half</b> the price.</p>")
            .build()?;
        let outcome = transport.send(&Outbound::new(message)?, &SendOptions::new()).await?;
        println!(
            "{customer}: {}",
            if outcome.is_complete() { "accepted" } else { "refused" }
        );
    }
    for mail in relay.sent() {
        let reached: Vec<String> = mail.accepted().iter().map(ToString::to_string).collect();
        println!("really sent to: {}", reached.join(", "));
    }
    // With a dry run inside, nothing would have been sent at all.
    let dry = relay.clone().layer(DryRun::new());
    let message = Message::builder()
        .from("shop@example.org".parse()?)
        .to("bob@example.net".parse()?)
        .subject("Hello")
        .text("First line")
        .build()?;
    assert!(dry.send_message(message).await?.is_complete());
    println!("{} messages sent, pages in {folder}/index.html", relay.sent().len());
    Ok(())
}
