//! Campaigns from the outside: what comes out, in which order, and what bad rows do.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "tests"
)]

mod making;
mod running;
mod signing;

use std::time::{Duration, SystemTime};

use posthaste_campaign::{Campaign, CampaignBuilder, Entry};
use posthaste_mime::{Attachment, ContentType, Generator, Message, MessageBuilder};
use posthaste_template::Template;
use serde_json::json;

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fn template() -> Template {
    Template::builder()
        .subject("Hello {{name}}")
        .text("{{company}} says hello to {{name}}.\n")
        .html("<p>{{company}} says <b>hello</b> to {{name}}.</p>\n")
        .build()
        .unwrap()
}

fn pdf(name: &str, len: usize) -> Attachment {
    let data: Vec<u8> = (0..len).map(|n| (n * 7 % 251) as u8).collect();
    Attachment::new(name, ContentType::parse("application/pdf").unwrap(), data).unwrap()
}

fn constant() -> MessageBuilder {
    Message::builder()
        .from("Ada <ada@example.org>".parse().unwrap())
        .attach(pdf("terms.pdf", 20_000))
}

fn campaign() -> CampaignBuilder {
    Campaign::builder(template())
        .message(constant())
        .defaults(json!({"company": "Example & Co"}))
        .generator(&Generator::fixed(now(), 5))
}

fn entry(number: usize) -> Entry {
    let to = format!("customer.{number}@example.net").parse().unwrap();
    Entry::new(to).data(json!({"name": format!("Customer {number}")}))
}
