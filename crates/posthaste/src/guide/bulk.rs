//! Writing to many: one template, one message, and what is each recipient's own.
//!
//! A [`Campaign`](crate::Campaign) is prepared once. What all messages have in common, attachments above all, is encoded
//! then and shared by all of them; a message costs one rendering, one hash of its body and one signature a key.
//!
//! ```
//! use futures_util::{StreamExt, stream};
//! use posthaste::address::{EmailAddress, KeyRules};
//! use posthaste::campaign::{Entry, Made};
//! use posthaste::mime::{FeedbackId, ListUnsubscribe, Precedence};
//! use posthaste::{Campaign, Mailer, Message, Template};
//! use serde_json::json;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let template = Template::builder()
//!     .subject("{{name}}, your points in {{month}}")
//!     .text("You have {{points}} points.\n")
//!     .html("<p>You have <b>{{points}}</b> points.</p>\n");
//! let message = Message::builder()
//!     .from("Example <news@example.org>".parse()?)
//!     .precedence(Precedence::Bulk)
//!     .feedback_id(FeedbackId::new(["points", "november"], "example")?);
//! let campaign = Campaign::builder(template.build()?)
//!     .message(message)
//!     .defaults(json!({"month": "November"}))
//!     .prepare()?;
//!
//! let rows = vec![("bob@example.net", 7), ("carol@example.net", 12), ("dave@@example.net", 3)];
//! let entries = rows.into_iter().map(|(address, points)| {
//!     let leave = ListUnsubscribe::new([format!("https://example.org/leave?who={address}")])?.one_click()?;
//!     let data = json!({"name": address, "points": points});
//!     Ok::<_, Box<dyn std::error::Error + Send + Sync>>(Entry::new(address.parse()?).data(data).list_unsubscribe(leave))
//! });
//!
//! let mailer = Mailer::builder(posthaste::connect("memory://")?).build(); // with a limit and retries, in earnest
//! let rules = KeyRules::default(); // when two addresses are one: here, if they differ at most in case
//! let suppressed = ["Carol@example.net".parse::<EmailAddress>()?.key(&rules)];
//! let mut run = campaign
//!     .run(stream::iter(entries))
//!     .duplicates(rules.clone())
//!     .suppress(move |address| suppressed.contains(&address.key(&rules)))
//!     .start();
//! while let Some(item) = run.next().await {
//!     match item.made {
//!         Made::Mail(mail) => {
//!             let outcome = mailer.send_with(&mail.outbound, &mail.options).await?;
//!             assert!(outcome.is_complete());
//!         }
//!         Made::Skipped(why) => println!("row {}: {why:?}", item.position),
//!         Made::Failed(error) => println!("row {}: {error}", item.position),
//!         _ => {}
//!     }
//! }
//! let progress = run.progress();
//! assert_eq!((progress.made, progress.suppressed, progress.failed), (1, 1, 1));
//! # Ok(())
//! # }
//! ```
//!
//! - **Sign in the campaign or in the mailer, not in both.** The campaign signs on all cores, with keys that are in memory
//!   ([`CampaignBuilder::signer`](crate::campaign::CampaignBuilder::signer)); the mailer's layer also knows keys in a key service.
//! - **Write down [`Run::position`](crate::campaign::Run::position)** now and then: after a crash,
//!   [`start_at`](crate::campaign::RunBuilder::start_at) goes on from there, and an idempotency key in each entry's options
//!   keeps the few in between from going out twice.
//! - **A row that fails counts as seen:** a later row for the same address is a duplicate. Mend the row and run it again.
