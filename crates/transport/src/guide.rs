//! How to write a transport.
//!
//! # A whole one
//!
//! This transport hands each message to a worker over a channel, and waits for the worker's word on each recipient. It has
//! every part that a transport over the network has: the plan, the work within the deadline, and the three ways of ending.
//!
//! ```
//! use posthaste_transport::{
//!     Capabilities, Disposition, ErrorKind, Fate, Outbound, Outcome, RecipientOutcome, SendError, SendFuture, SendOptions,
//!     TokioTimer, Transport, TransportInfo, plan, within,
//! };
//! use tokio::sync::{mpsc, oneshot};
//!
//! /// What the worker gets: a message, and where to answer with one fate for each recipient.
//! type Job = (Outbound, oneshot::Sender<Vec<Fate>>);
//!
//! #[derive(Debug)]
//! struct Handover(mpsc::Sender<Job>);
//!
//! const INFO: TransportInfo = TransportInfo::new("handover", Capabilities::wire().with_max_recipients(100));
//!
//! impl Transport for Handover {
//!     fn info(&self) -> TransportInfo {
//!         INFO
//!     }
//!
//!     fn send<'a>(&'a self, mail: &'a Outbound, options: &'a SendOptions) -> SendFuture<'a> {
//!         Box::pin(async move {
//!             plan(mail, options, &INFO)?; // before any I/O: can this be done at all?
//!             let error = |kind, disposition| SendError::new(kind, disposition).with_transport("handover");
//!             let mut disposition = Disposition::NotAccepted;
//!             let work = async {
//!                 let (answer, answered) = oneshot::channel();
//!                 let permit = self.0.reserve().await.map_err(|_| error(ErrorKind::Unavailable, Disposition::NotAccepted))?;
//!                 disposition = Disposition::Ambiguous; // from here on the worker may have it
//!                 permit.send((mail.clone(), answer));
//!                 answered.await.map_err(|_| error(ErrorKind::Unavailable, Disposition::Ambiguous))
//!             };
//!             let fates = match within(&TokioTimer::new(), options.deadline(), work).await {
//!                 Some(result) => result?,
//!                 None => return Err(error(ErrorKind::Timeout, disposition)),
//!             };
//!             let recipients = mail.envelope().recipients().iter().map(|recipient| recipient.address().clone());
//!             let outcome = recipients.zip(fates).map(|(address, fate)| RecipientOutcome::new(address, fate));
//!             Outcome::new(outcome).settle("handover") // `Ok` if anyone was accepted, the right error if not
//!         })
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use posthaste_transport::TransportExt;
//! let (sender, mut jobs) = mpsc::channel::<Job>(8);
//! tokio::spawn(async move {
//!     while let Some((mail, answer)) = jobs.recv().await {
//!         let fates = mail.envelope().recipients().iter().map(|_| Fate::Accepted).collect();
//!         let _ = answer.send(fates);
//!     }
//! });
//! # let message = posthaste_mime::Message::builder()
//! #     .from("ada@example.org".parse()?).to("bob@example.net".parse()?).subject("Hello").text("First line").build()?;
//! assert!(Handover(sender).send_message(message).await?.is_complete());
//! # Ok(())
//! # }
//! ```
//!
//! # What to get right
//!
//! 1. **Describe it truly.** [`Capabilities`] start from [`none`](crate::Capabilities::none) for a provider with fields of its own,
//!    or from [`wire`](crate::Capabilities::wire) for one that takes bytes; add what there is, and its limits. The suite picks its
//!    cases by them.
//! 2. **Plan first.** [`plan()`] refuses what you do not have, everything at once, and before a connection is opened. When the
//!    caller chose [`Degrade`](crate::OnUnsupported::Degrade), leave out what [`Plan::keeps`] says no to.
//! 3. **Know the moment of no return.** Before the last byte that makes a message complete, a failure is
//!    [`NotAccepted`](crate::Disposition::NotAccepted). After it, until the answer is read and understood, it is
//!    [`Ambiguous`](crate::Disposition::Ambiguous): for SMTP that is the final dot, for HTTP the request's last byte. An answer
//!    that makes no sense is no answer.
//!    A message whose attachment cannot be read to its end must never look complete: read it with
//!    [`ContentReader`], which blocks nothing and holds little, drop the connection when it fails, and answer
//!    [`Unreadable`](crate::ErrorKind::Unreadable). Only the last piece of a message proves that it is whole.
//! 4. **Answer for each recipient**, in the envelope's order, and let [`Outcome::settle`] choose between `Ok` and `Err`.
//! 5. **Keep the deadline.** [`within`] does it for one future. Drop a connection that timed out: an answer that is still on
//!    its way must not be read as the next send's.
//! 6. **Map errors to a kind and keep the source.** For SMTP, [`SendError::from_reply`] does both. Pass on what the peer says
//!    about waiting with [`SendError::with_retry_after`]. No credentials and no content go into details.
//!
//! # Check it
//!
//! posthaste-conformance runs one suite on any transport. Its `Subject` is your transport and the peer that it talks to: tell
//! the suite how to script the peer (accept, refuse, hang up, ...) and what the peer received, and it does the rest.
//!
//! ```text
//! // tests/conformance.rs, with `harness = false` in Cargo.toml
//! fn main() -> std::process::ExitCode {
//!     posthaste_conformance::run(|| Box::new(HandoverAndWorker::start())).exit_code()
//! }
//! ```
//!
//! For SMTP there is a ready peer, `posthaste_conformance::FakeSmtp`.
//!
//! # Write a layer
//!
//! A layer is two types: the value that is configured, which implements [`Layer`], and the transport that it makes around
//! another one. Put `#[deny(clippy::missing_trait_methods)]` on its [`Transport`] implementation, so that a new method of the
//! trait is forwarded on purpose. Give it `get_ref` and `into_inner`, say in its docs which order of stacking is right and
//! which is wrong, and run the suite on it: a layer is a transport too.
//!
//! [`Capabilities`]: crate::Capabilities
//! [`ContentReader`]: crate::ContentReader
//! [`plan()`]: crate::plan()
//! [`Plan::keeps`]: crate::Plan::keeps
//! [`Outcome::settle`]: crate::Outcome::settle
//! [`within`]: crate::within
//! [`SendError::from_reply`]: crate::SendError::from_reply
//! [`SendError::with_retry_after`]: crate::SendError::with_retry_after
//! [`Layer`]: crate::Layer
//! [`Transport`]: crate::Transport
