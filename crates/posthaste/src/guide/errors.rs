//! What an outcome and an error say, and when a message may be sent again.
//!
//! `Ok` means that the transport's peer took the message for at least one recipient. Look at each:
//!
//! ```
//! use posthaste::{Mailer, MemoryTransport, Message};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mailer = Mailer::builder(MemoryTransport::new()).build();
//! # let message = Message::builder()
//! #     .from("ada@example.org".parse()?)
//! #     .to("bob@example.net".parse()?)
//! #     .text("Hello")
//! #     .build()?;
//! match mailer.send(message).await {
//!     Ok(outcome) => {
//!         for (address, refusal) in outcome.refused() {
//!             eprintln!("{address}: {refusal}");
//!         }
//!     }
//!     Err(error) => match error.retry() {
//!         posthaste::Retry::Never => eprintln!("don't: {error}"),
//!         posthaste::Retry::Safe => eprintln!("later: {error}"),
//!         posthaste::Retry::MayDuplicate => eprintln!("it may have arrived: {error}"),
//!         _ => eprintln!("{error}"),
//!     },
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What is wrong on this side
//!
//! An attachment made by [`Attachment::from_file`](crate::Attachment::from_file) is read while the message is signed and sent.
//! If the file is gone, fails, or is not what it was, the error's kind is
//! [`Unreadable`](crate::transport::ErrorKind::Unreadable): nobody got the message, not even half of it, and no layer repeats the
//! send by itself.
//!
//! # The window that nobody can close
//!
//! A client that has sent the final dot and loses the connection before the reply cannot know whether the server took the
//! message (RFC 1047). Most libraries call that a failure, and the caller's retry sends the mail twice. Here it is
//! [`Disposition::Ambiguous`](crate::Disposition::Ambiguous): [`RetryPolicy`](crate::RetryPolicy) leaves it alone unless it
//! is told otherwise, and you decide what is worse for this mail, twice or never.
