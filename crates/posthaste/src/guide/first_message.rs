//! From nothing to a message on its way.
//!
//! # The message
//!
//! A [`Message`](crate::Message) is what the recipient sees. Its builder takes values that are valid already: a
//! [`Mailbox`](crate::Mailbox) can hold no line break, so nobody can smuggle a header in through a display name.
//!
//! ```
//! use posthaste::{Attachment, ContentId, ContentType, Message};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let logo = ContentId::new("logo@example.org")?;
//! let message = Message::builder()
//!     .from("Ada Lovelace <ada@example.org>".parse()?)
//!     .to("Jürgen Groß <juergen@bücher.example>".parse()?)
//!     .bcc("archive@example.org".parse()?)
//!     .subject("Grüße aus London")
//!     .text("Dear Jürgen, the report is attached.")
//!     .html("<p><img src=\"cid:logo@example.org\"> Dear Jürgen, the report is attached.</p>")
//!     .inline(Attachment::inline(logo, ContentType::parse("image/png")?, b"...".to_vec()))
//!     .attach(Attachment::new("Bericht März.pdf", ContentType::parse("application/pdf")?, b"...".to_vec())?)
//!     .build()?;
//!
//! // Bcc is part of the envelope, never of the bytes.
//! assert_eq!(message.envelope()?.recipients().len(), 2);
//! assert!(!String::from_utf8_lossy(&message.to_bytes()?).contains("archive@"));
//! # Ok(())
//! # }
//! ```
//!
//! # The transport
//!
//! [`connect`](crate::connect) makes one from a URL, so that the same program writes files on a laptop and talks to a relay in
//! production. [`Mailer`](crate::Mailer) puts layers around it.
//!
//! # A template
//!
//! ```
//! use posthaste::{Mailer, Message, RetryPolicy, Template};
//! use serde_json::json;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let template = Template::builder()
//!     .subject("Your order {{order}}")
//!     .text("Hello {{name}},\n{{#each items}}\n- {{this}}\n{{/each}}\n")
//!     .build()?;
//! let mailer = Mailer::builder(posthaste::connect("memory://")?).retry(RetryPolicy::default()).build();
//!
//! let rendered = template.render(&json!({"order": 17, "name": "Bob", "items": ["tea", "milk"]}))?;
//! let message = Message::builder()
//!     .from("shop@example.org".parse()?)
//!     .to("bob@example.net".parse()?)
//!     .subject(rendered.subject)
//!     .text(rendered.text.unwrap_or_default())
//!     .build()?;
//! mailer.send(message).await?;
//!
//! // A missing variable is an error that names it; nothing half-rendered is ever sent.
//! let error = template.render(&json!({"order": 18, "items": []})).unwrap_err();
//! assert!(error.to_string().contains("name"));
//! # Ok(())
//! # }
//! ```
