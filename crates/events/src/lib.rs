//! What became of mail that was sent.
//!
//! Mail comes back: as delivery reports (RFC 3464), as words of some program, as complaints (RFC 5965), as replies of somebody who is
//! away (RFC 3834). [`mail::Returned`] reads all of it, and says recipient by recipient what happened, why, and whether the address
//! may be used again.
//!
//! ```
//! use posthaste_events::bounce::{Permanence, Reason};
//! use posthaste_events::mail::Returned;
//!
//! # fn handle(mail: Vec<u8>) -> Result<(), Box<dyn std::error::Error>> {
//! match Returned::read(mail)? {
//!     Returned::Delivery(report) => {
//!         for recipient in report.recipients() {
//!             if recipient.permanence() == Some(Permanence::Hard) {
//!                 println!("no more mail to {:?}: {:?}", recipient.recipient(), recipient.reason());
//!             }
//!         }
//!     }
//!     Returned::Complaint(complaint) => println!("{} by {:?}", complaint.kind(), complaint.recipients()),
//!     Returned::AutoReply(_) | Returned::Other | _ => {}
//! }
//! # Ok(())
//! # }
//! # let mail = b"From: MAILER-DAEMON@example.net\r\nSubject: Undelivered\r\n\r\n<bob@example.net>: 550 5.1.1 User unknown\r\n";
//! # handle(mail.to_vec()).unwrap();
//! ```
//!
//! [`Returned::events`](mail::Returned::events) says the same in the one model of events that webhooks are read into, and
//! [`event_about`](mail::Returned::event_about) whose bounce it is where the reverse-path tells.
//!
//! Providers tell by webhooks. [`webhook::Receiver`] checks them as each provider signs, and only what was checked can be read:
//!
//! ```
//! use std::time::SystemTime;
//! use posthaste_events::webhook::{Mailgun, Receiver, RecentKeys, Request};
//!
//! # fn handle(body: Vec<u8>) -> Result<(), Box<dyn std::error::Error>> {
//! let receiver = Receiver::new(Mailgun::new("the webhook signing key")?).replay_guard(RecentKeys::new(100_000));
//! let request = Request::post("https://example.org/hooks/mailgun", body).header("Content-Type", "application/json");
//! for event in receiver.verify(request, SystemTime::now())?.parse()?.events {
//!     println!("{} {:?} {:?}", event.kind, event.recipient, event.permanence());
//! }
//! # Ok(())
//! # }
//! # assert!(handle(b"{}".to_vec()).is_err());
//! ```
//!
//! # Where to look
//!
//! - [`event`]: what happened to a message, in one model for all providers.
//! - [`inbound`]: mail that came in, in one model for all providers and for mail as it is.
//! - [`webhook`]: requests of providers, checked and read: Amazon SES, SendGrid, Mailgun, Postmark, Resend, Brevo, Mailjet, SparkPost,
//!   MailerSend, Mailtrap, Mandrill, Azure, Scaleway, ZeptoMail, Unisender Go and Postal; [`webhook::Signer`] and
//!   [`webhook::Destination`] for webhooks of one's own.
//! - [`mail`]: mail that came back, read.
//! - [`bounce`]: why, in a word ([`bounce::Reason`]), and for how long ([`bounce::Permanence`]), from what a server said: also
//!   for replies of one's own SMTP sessions. [`bounce::SesBounce`]: SES's words, read and said.
//! - [`verp`]: reverse-paths by which real bounces are known from forged ones.
//!
//! # Features
//!
//! | name | what it adds | pulls in |
//! | --- | --- | --- |
//! | `axum` | `webhook::axum`, an extractor of verified webhooks | axum |
//! | `serde` | `Serialize` for [`event::Event`] | serde |
//! | `suppression` | `suppression`, from events to a list of addresses not to write to | posthaste-suppression |
//!
//! # Standards
//!
//! RFC 3461 to 3464 (delivery reports), 6522 (multipart/report), 5965 (feedback), 3834 (automatic replies), 5321 §4.2 (reply codes),
//! 7504 and 7505 (hosts and domains without mail), 7578 (forms), 6890 (special addresses), Standard Webhooks 1.0.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod bounce;
mod cut;
pub mod event;
pub mod inbound;
pub mod mail;
#[cfg(feature = "suppression")]
#[cfg_attr(docsrs, doc(cfg(feature = "suppression")))]
pub mod suppression;
pub mod verp;
pub mod webhook;

/// The README's example, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
