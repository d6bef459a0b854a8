//! Makes bulk mail: one template and one message for many recipients, rendered, built and signed on all cores.
//!
//! A [`Campaign`] is prepared once: attachments encoded, fixed headers written. A message then costs one rendering, one
//! pass over its body for the hash, and the private-key operations. The crate sends nothing; it makes
//! [`Outbound`](posthaste_transport::Outbound)s for any transport.
//!
//! ```
//! use futures_util::{StreamExt, stream};
//! use posthaste_campaign::{Campaign, Entry, Made};
//! use posthaste_mime::Message;
//! use posthaste_template::Template;
//! use posthaste_transport::{MemoryTransport, Transport};
//! use serde_json::json;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let template = Template::builder().subject("Hello {{name}}").text("Your total is {{total}}.").build()?;
//! let campaign = Campaign::builder(template)
//!     .message(Message::builder().from("Ada <ada@example.org>".parse()?))
//!     .prepare()?;
//!
//! let rows = ["bob@example.net 7", "carol@example.net 12", "bob@example.net 7", "dave@@example.net 3"];
//! let entries = rows.map(|row| -> Result<Entry, posthaste_address::AddressError> {
//!     let (address, total) = row.split_once(' ').unwrap_or_default();
//!     Ok(Entry::new(address.parse()?).data(json!({"name": address, "total": total})))
//! });
//! let transport = MemoryTransport::new();
//! let mut run = campaign.run(stream::iter(entries)).start();
//! while let Some(item) = run.next().await {
//!     match item.made {
//!         Made::Mail(mail) => {
//!             transport.send(&mail.outbound, &mail.options).await?;
//!         }
//!         Made::Failed(error) => println!("row {}: {error}", item.position),
//!         _ => {}
//!     }
//! }
//! let progress = run.progress();
//! assert_eq!((progress.made, progress.duplicates, progress.failed), (2, 1, 1));
//! # Ok(())
//! # }
//! ```
//!
//! # Where to look
//!
//! - [`Campaign`] and [`CampaignBuilder`]: what all messages have in common; [`Campaign::render`] makes one message.
//! - [`Entry`]: what is one message's own.
//! - [`Campaign::run`], [`RunBuilder`], [`Run`]: many entries from a stream; in order or not, with suppressed and repeated
//!   recipients left out, and a position to resume at.
//! - [`Stages`]: where the time went.
//!
//! # What it costs
//!
//! Memory: a few batches of messages (at most 48 for each worker), whose attachments are shared; and some 32 octets for each
//! address, by which repeated ones are found, unless [`RunBuilder::allow_duplicates`].
#![cfg_attr(docsrs, feature(doc_cfg))]

mod body;
mod campaign;
mod crew;
mod entry;
mod error;
mod handed_out;
mod run;
mod seen;
mod stages;
mod working;

pub use campaign::{Campaign, CampaignBuilder, Mail};
pub use entry::Entry;
pub use error::{CampaignError, EntryError};
pub use run::{Item, Made, Progress, Run, RunBuilder, Skip};
pub use stages::Stages;

/// The README's example, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
