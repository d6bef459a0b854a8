//! A transport that keeps what it is given.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use posthaste_address::{EmailAddress, Envelope};
use posthaste_mime::Rope;

use crate::timer::within;
use crate::{
    Capabilities, ContentReader, Disposition, ErrorKind, Fate, Feature, Outbound, Outcome, Refusal, SendError,
    SendFuture, SendOptions, Timer, TokioTimer, Transport, TransportInfo, Unsupported, plan,
};

/// How large a message with streamed attachments may be, if nobody says otherwise.
const MOST_STREAMED: u64 = 64 << 20;

/// Keeps messages in memory until [`clear`](Self::clear), and answers as it is told. Clones share what they keep.
///
/// Streamed attachments are read and kept too, up to a [limit](Self::with_streaming_limit); a larger message is refused, as
/// unsupported in its size.
///
/// It can do everything, so that tests see what a message asked for; [`with_info`](Self::with_info) makes it pose as
/// another transport.
///
/// # Examples
///
/// ```
/// use posthaste_mime::Message;
/// use posthaste_transport::{ErrorKind, MemoryTransport, Refusal, Scripted, TransportExt};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let memory = MemoryTransport::new();
/// let message = Message::builder()
///     .from("ada@example.org".parse()?)
///     .to("bob@example.net".parse()?)
///     .subject("Hello")
///     .text("First line")
///     .build()?;
///
/// memory.answer(Scripted::RefuseAll(Refusal::permanent()));
/// let error = memory.send_message(message.clone()).await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Rejected);
///
/// memory.send_message(message).await?;
/// assert_eq!(memory.sent().len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct MemoryTransport {
    info: TransportInfo,
    timer: Arc<dyn Timer>,
    most_streamed: u64,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    script: VecDeque<Scripted>,
    sent: Vec<Captured>,
    attempts: usize,
}

impl MemoryTransport {
    const INFO: TransportInfo = TransportInfo::new("memory", Capabilities::all());

    /// Starts empty, and accepts everything.
    #[must_use]
    pub fn new() -> Self {
        Self {
            info: Self::INFO,
            timer: Arc::new(TokioTimer::new()),
            most_streamed: MOST_STREAMED,
            state: Arc::default(),
        }
    }

    /// Poses as a transport with that name and those capabilities.
    #[must_use]
    pub fn with_info(mut self, info: TransportInfo) -> Self {
        self.info = info;
        self
    }

    /// Replaces the timer, by which [`Scripted::Hang`] ends at a deadline.
    #[must_use]
    pub fn with_timer(mut self, timer: Arc<dyn Timer>) -> Self {
        self.timer = timer;
        self
    }

    /// Replaces the size in bytes up to which a message with streamed attachments is taken, encoded and all; 64 MiB if it
    /// is not set.
    #[must_use]
    pub const fn with_streaming_limit(mut self, bytes: u64) -> Self {
        self.most_streamed = bytes;
        self
    }

    /// Adds an answer to the script: each send takes the next one, and is accepted when there is none.
    pub fn answer(&self, answer: Scripted) {
        self.state().script.push_back(answer);
    }

    /// Returns what was accepted, oldest first.
    #[must_use]
    pub fn sent(&self) -> Vec<Captured> {
        self.state().sent.clone()
    }

    /// Returns how many sends got as far as an answer, accepted or not.
    #[must_use]
    pub fn attempts(&self) -> usize {
        self.state().attempts
    }

    /// Forgets what was accepted, and the rest of the script.
    pub fn clear(&self) {
        *self.state() = State::default();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held, and the state is whole between statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(&self, mail: &Outbound, options: &SendOptions, outcome: &Outcome) {
        let accepted: Vec<EmailAddress> = outcome.accepted().chain(outcome.unknown()).cloned().collect();
        let captured = Captured {
            mail: mail.clone(),
            options: options.clone(),
            accepted,
        };
        self.state().sent.push(captured);
    }

    fn error(&self, kind: ErrorKind, disposition: Disposition) -> SendError {
        SendError::new(kind, disposition).with_transport(self.info.name().to_owned())
    }

    /// Reads what is streamed, as a peer would get it.
    async fn collect(&self, mail: &Outbound, options: &SendOptions) -> Result<Outbound, SendError> {
        let rope = mail.rope();
        if rope.in_memory().is_some() {
            return Ok(mail.clone());
        }
        if rope.len() > self.most_streamed {
            let too_large = Unsupported::too_many(Feature::MessageSize, rope.len(), self.most_streamed);
            return Err(SendError::unsupported_features(vec![too_large]).with_transport(self.info.name().to_owned()));
        }
        let read = async {
            let mut reader = ContentReader::new(&rope);
            let mut collected = Rope::new();
            while let Some(chunk) = reader.next().await {
                collected.push(chunk?);
            }
            Ok(collected)
        };
        match within(&*self.timer, options.deadline(), read).await {
            Some(Ok(collected)) => Ok(mail.with_rope(collected)),
            Some(Err(error)) => {
                let error: std::io::Error = error;
                Err(self
                    .error(ErrorKind::Unreadable, Disposition::NotAccepted)
                    .with_source(error))
            }
            None => Err(self.error(ErrorKind::Timeout, Disposition::NotAccepted)),
        }
    }

    async fn answer_to(&self, mail: &Outbound, options: &SendOptions) -> Result<Outcome, SendError> {
        plan(mail, options, &self.info)?;
        let mail = &self.collect(mail, options).await?;
        let answer = {
            let mut state = self.state();
            state.attempts = state.attempts.saturating_add(1);
            state.script.pop_front().unwrap_or(Scripted::Accept)
        };
        let decide = |fate: &dyn Fn(&EmailAddress) -> Fate| Outcome::decide(mail, fate);
        let outcome = match answer {
            Scripted::Accept => decide(&|_| Fate::Accepted),
            Scripted::Refuse(refusals) => decide(&|address| {
                let refusal = refusals.iter().find(|(refused, _)| refused == address);
                refusal.map_or(Fate::Accepted, |(_, refusal)| Fate::Refused(refusal.clone()))
            }),
            Scripted::RefuseAll(refusal) => decide(&|_| Fate::Refused(refusal.clone())),
            Scripted::Fail(error) => return Err(error),
            Scripted::Hang(disposition) => {
                if disposition != Disposition::NotAccepted {
                    self.accept(mail, options, &decide(&|_| Fate::Unknown));
                }
                within(&*self.timer, options.deadline(), std::future::pending::<()>()).await;
                return Err(self.error(ErrorKind::Timeout, disposition));
            }
            Scripted::LoseAnswer => {
                self.accept(mail, options, &decide(&|_| Fate::Unknown));
                return Err(self.error(ErrorKind::Unavailable, Disposition::Ambiguous));
            }
        };
        let outcome = outcome.settle(self.info.name().to_owned())?;
        self.accept(mail, options, &outcome);
        Ok(outcome)
    }
}

impl Default for MemoryTransport {
    fn default() -> Self {
        Self::new()
    }
}

impl Transport for MemoryTransport {
    fn info(&self) -> TransportInfo {
        self.info.clone()
    }

    fn send<'a>(&'a self, mail: &'a Outbound, options: &'a SendOptions) -> SendFuture<'a> {
        Box::pin(self.answer_to(mail, options))
    }
}

/// One answer of a [`MemoryTransport`].
#[derive(Debug)]
#[non_exhaustive]
pub enum Scripted {
    /// Accept every recipient.
    Accept,
    /// Refuse those recipients, accept the others.
    Refuse(Vec<(EmailAddress, Refusal)>),
    /// Refuse every recipient.
    RefuseAll(Refusal),
    /// Fail, keeping nothing.
    Fail(SendError),
    /// Never answer; the deadline ends it, with that disposition. Unless it is [`Disposition::NotAccepted`], the message
    /// is kept.
    Hang(Disposition),
    /// Keep the message, and lose the answer: the send is ambiguous.
    LoseAnswer,
}

/// What a [`MemoryTransport`] kept of one send.
#[derive(Clone)]
pub struct Captured {
    mail: Outbound,
    options: SendOptions,
    accepted: Vec<EmailAddress>,
}

impl Captured {
    /// Returns envelope and content, as they were given; the bytes of streamed attachments are those that were read.
    #[must_use]
    pub fn mail(&self) -> &Outbound {
        &self.mail
    }

    /// Returns the envelope, refused recipients included.
    #[must_use]
    pub fn envelope(&self) -> &Envelope {
        self.mail.envelope()
    }

    /// Returns the recipients that were accepted.
    #[must_use]
    pub fn accepted(&self) -> &[EmailAddress] {
        &self.accepted
    }

    /// Returns the options, as they were given.
    #[must_use]
    pub const fn options(&self) -> &SendOptions {
        &self.options
    }

    /// Returns the bytes.
    #[must_use]
    pub fn rope(&self) -> Rope {
        self.mail.rope()
    }
}

impl fmt::Debug for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Captured")
            .field("mail", &self.mail)
            .field("options", &self.options)
            .field("accepted", &self.accepted)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::testing::{Generated, Stopwatch, mail, streaming};
    use crate::{Retry, TransportExt};

    #[tokio::test]
    async fn clones_share_what_they_keep() {
        let memory = MemoryTransport::new();
        assert!(
            memory
                .clone()
                .send(&mail(&["bob@example.net"]), &SendOptions::new())
                .await
                .is_ok()
        );
        assert_eq!((memory.sent().len(), memory.attempts()), (1, 1));
        memory.clear();
        assert!(memory.sent().is_empty());
    }

    #[tokio::test]
    async fn a_script_is_followed_and_then_all_is_accepted() {
        let memory = MemoryTransport::new();
        let bob = "bob@example.net".parse().unwrap();
        memory.answer(Scripted::Refuse(vec![(bob, Refusal::permanent())]));
        let mail = mail(&["bob@example.net", "zoe@example.net"]);
        let outcome = memory.send(&mail, &SendOptions::new()).await.unwrap();
        assert_eq!(outcome.refused().count(), 1);
        assert_eq!(memory.sent()[0].accepted().len(), 1);
        assert!(memory.send(&mail, &SendOptions::new()).await.unwrap().is_complete());
    }

    #[tokio::test]
    async fn a_hang_ends_by_the_deadline_of_the_timer_given() {
        let watch = Stopwatch::default();
        let memory = MemoryTransport::new().with_timer(Arc::new(watch.clone()));
        memory.answer(Scripted::Hang(Disposition::NotAccepted));
        let options = SendOptions::new().with_deadline(Duration::from_secs(3));
        let error = memory.send(&mail(&["bob@example.net"]), &options).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Timeout, Retry::Safe));
        assert_eq!(watch.sleeps(), [Duration::from_secs(3)]);
        assert!(memory.sent().is_empty());
    }

    #[tokio::test]
    async fn what_is_not_supported_is_not_an_attempt() {
        let memory = MemoryTransport::new().with_info(TransportInfo::new("none", Capabilities::none()));
        let tagged = SendOptions::new().with_tag("a").unwrap();
        assert!(memory.send(&mail(&["bob@example.net"]), &tagged).await.is_err());
        assert_eq!(memory.attempts(), 0);
    }

    #[tokio::test]
    async fn what_is_streamed_is_read_and_kept() {
        let memory = MemoryTransport::new();
        let mail = streaming(Generated::new(100_000));
        assert!(memory.send(&mail, &SendOptions::new()).await.is_ok());
        let kept = memory.sent()[0].rope();
        assert!(kept.in_memory().is_some());
        assert_eq!(kept.to_bytes().unwrap(), mail.rope().to_bytes().unwrap());
        assert_eq!(memory.sent()[0].mail().message_id(), mail.message_id());
    }

    #[tokio::test]
    async fn what_is_too_large_or_cannot_be_read_is_not_kept() {
        let memory = MemoryTransport::new().with_streaming_limit(100_000);
        let large = streaming(Generated::new(100_000));
        let error = memory.send(&large, &SendOptions::new()).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Unsupported, Retry::Never));
        assert!(error.to_string().contains("100000"), "{error}");
        let broken = streaming(Generated::new(50_000).failing_at(10));
        let error = memory.send(&broken, &SendOptions::new()).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Unreadable, Retry::Never));
        assert_eq!((memory.sent().len(), memory.attempts()), (0, 0));
    }

    #[tokio::test]
    async fn boxes_and_arcs_are_transports_too() {
        let memory = MemoryTransport::new();
        let boxed: Box<dyn Transport> = Box::new(memory.clone());
        let shared: Arc<dyn Transport> = Arc::new(boxed);
        assert_eq!(shared.info().name(), "memory");
        let message = mail(&["bob@example.net"]).message().cloned().unwrap();
        assert!(shared.send_message(message).await.is_ok());
        assert_eq!(memory.sent().len(), 1);
    }
}
