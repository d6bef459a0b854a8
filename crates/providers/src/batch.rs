//! One text to many people, each with data of their own.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use posthaste_address::{EmailAddress, Mailbox};
use posthaste_mime::{HeaderName, HeaderValue, Message};
use posthaste_transport::{OptionError, RateInfo, RecipientOutcome, SendError, SendOptions, Transport};
use serde_json::{Map, Value};

/// A message with a template of the provider, or with data of each recipient's own, or both.
///
/// Who gets it is said explicitly. [`Recipients::Shared`], the default: one message, to those whom the message's own
/// headers name, who see each other. [`Recipients::Individual`]: a message each; nobody sees another's address. Then the
/// message's own `To` must be empty, and its `Cc` and `Bcc` get a copy of each.
///
/// With a stored template the texts come from there; a subject or a text of the message itself is sent along where the
/// provider takes it.
///
/// # Examples
///
/// ```
/// use posthaste_mime::Message;
/// use posthaste_providers::{Batch, Personal};
///
/// let message = Message::builder().from("shop@example.org".parse()?).build()?;
/// let batch = Batch::new(message)
///     .with_template("order-sent")
///     .with_data("shop", "The Shop")
///     .to_each([
///         Personal::new("Ana <ana@example.net>".parse()?).with_data("order", 1),
///         Personal::new("bo@example.net".parse()?).with_data("order", 2),
///     ]);
/// assert_eq!(batch.recipients().len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Batch {
    message: Message,
    template: Option<String>,
    data: Map<String, Value>,
    recipients: Recipients,
}

/// Who gets a [`Batch`], and what they see of each other.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Recipients {
    /// One message to everybody in the message's headers.
    #[default]
    Shared,
    /// A message each.
    Individual(Vec<Personal>),
}

impl Recipients {
    /// Returns how many messages they get: one if it is shared.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self {
            Self::Shared => 1,
            Self::Individual(everybody) => everybody.len(),
        }
    }

    /// Tells whether nobody gets anything.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Batch {
    /// Begins with the message that is common to all, which is shared by the people in its headers.
    #[must_use]
    pub fn new(message: Message) -> Self {
        Self {
            message,
            template: None,
            data: Map::new(),
            recipients: Recipients::default(),
        }
    }

    /// Names a template that is stored at the provider, by whatever the provider calls it: an id, a name, an alias.
    #[must_use]
    pub fn with_template(mut self, id: impl Into<String>) -> Self {
        self.template = Some(id.into());
        self
    }

    /// Sets data that all recipients share; their own goes before it.
    #[must_use]
    pub fn with_data(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.data.insert(key.into(), value.into());
        self
    }

    /// Sends a message to each of `recipients`.
    #[must_use]
    pub fn to_each(mut self, recipients: impl IntoIterator<Item = Personal>) -> Self {
        self.recipients = Recipients::Individual(recipients.into_iter().collect());
        self
    }

    /// Returns the message that is common to all.
    #[must_use]
    pub const fn message(&self) -> &Message {
        &self.message
    }

    /// Returns the template at the provider.
    #[must_use]
    pub fn template(&self) -> Option<&str> {
        self.template.as_deref()
    }

    /// Returns the data that all recipients share.
    #[must_use]
    pub const fn data(&self) -> &Map<String, Value> {
        &self.data
    }

    /// Returns who gets it.
    #[must_use]
    pub const fn recipients(&self) -> &Recipients {
        &self.recipients
    }
}

/// One recipient of a [`Batch`] with what is theirs alone.
#[derive(Clone)]
pub struct Personal {
    mailbox: Mailbox,
    data: Map<String, Value>,
    /// Holds nothing but metadata, which it checks.
    metadata: SendOptions,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Personal {
    /// Begins with whom it goes to.
    #[must_use]
    pub fn new(mailbox: Mailbox) -> Self {
        Self {
            mailbox,
            data: Map::new(),
            metadata: SendOptions::new(),
            headers: Vec::new(),
        }
    }

    /// Sets data for the template or the text.
    #[must_use]
    pub fn with_data(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.data.insert(key.into(), value.into());
        self
    }

    /// Sets a pair that comes back with this recipient's events; it goes before one that all share.
    ///
    /// # Errors
    ///
    /// [`OptionError`] naming `metadata key` or `metadata value`.
    pub fn with_metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Result<Self, OptionError> {
        self.metadata = self.metadata.with_metadata(key, value)?;
        Ok(self)
    }

    /// Sets a header field of this recipient's message; it goes before the message's own of that name.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.retain(|(own, _)| *own != name);
        self.headers.push((name, value));
        self
    }

    /// Returns whom it goes to.
    #[must_use]
    pub const fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// Returns the data.
    #[must_use]
    pub const fn data(&self) -> &Map<String, Value> {
        &self.data
    }

    /// Goes through the metadata, in the order it was added.
    pub fn metadata(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.metadata.metadata()
    }

    /// Returns the header fields.
    #[must_use]
    pub fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.headers
    }
}

/// Shows the keys and not the values of what is personal.
impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Personal")
            .field("data", &self.data.keys().collect::<Vec<_>>())
            .field("metadata", &self.metadata().map(|(key, _)| key).collect::<Vec<_>>())
            .field(
                "headers",
                &self.headers.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            )
            .finish_non_exhaustive()
    }
}

/// What [`BatchTransport::send_batch`] returns.
pub type BatchFuture<'a> = Pin<Box<dyn Future<Output = Result<BatchOutcome, SendError>> + Send + 'a>>;

/// A transport that also sends a [`Batch`]: every [`Provider`](crate::Provider), whatever its adapter.
pub trait BatchTransport: Transport {
    /// Sends `batch` in as few calls as the provider allows, each recipient in one call only.
    ///
    /// All calls are written before the first goes out, so that what is wrong with one is known before anybody got anything. A
    /// call that fails does not stop the others, unless it failed for what would fail them too: who we are, or how fast
    /// we go.
    ///
    /// # Errors
    ///
    /// [`SendError`] before any I/O, for what the provider cannot do, for every recipient alike. What happens after that is
    /// in the outcome.
    fn send_batch<'a>(&'a self, batch: &'a Batch, options: &'a SendOptions) -> BatchFuture<'a>;
}

#[deny(clippy::missing_trait_methods)]
impl<T: BatchTransport + ?Sized> BatchTransport for Arc<T> {
    fn send_batch<'a>(&'a self, batch: &'a Batch, options: &'a SendOptions) -> BatchFuture<'a> {
        (**self).send_batch(batch, options)
    }
}

/// Says what became of a [`Batch`]: one outcome a recipient, in the order they were given, and why calls failed that did.
#[derive(Debug)]
#[must_use = "recipients may have been refused"]
pub struct BatchOutcome {
    pub(crate) recipients: Vec<RecipientOutcome>,
    pub(crate) failures: Vec<SendError>,
    pub(crate) calls: u32,
    pub(crate) rate: Option<RateInfo>,
}

impl BatchOutcome {
    /// Returns the fate of each recipient, in the order of the batch. Those of a call that failed are refused if nothing
    /// can have been accepted, else unknown.
    #[must_use]
    pub fn recipients(&self) -> &[RecipientOutcome] {
        &self.recipients
    }

    /// Returns why calls failed, in order. A batch that one call holds fails as a whole or not at all.
    #[must_use]
    pub fn failures(&self) -> &[SendError] {
        &self.failures
    }

    /// Takes the first failure away, for a caller who wants nothing else.
    pub fn take_failure(&mut self) -> Option<SendError> {
        (!self.failures.is_empty()).then(|| self.failures.remove(0))
    }

    /// Returns how many calls were made.
    #[must_use]
    pub const fn calls(&self) -> u32 {
        self.calls
    }

    /// Returns what the answer that left least said of the provider's limit on calls, if any said anything.
    #[must_use]
    pub const fn rate(&self) -> Option<&RateInfo> {
        self.rate.as_ref()
    }

    /// Goes through the recipients that were accepted.
    pub fn accepted(&self) -> impl Iterator<Item = &EmailAddress> {
        self.recipients
            .iter()
            .filter(|recipient| recipient.fate().is_accepted())
            .map(RecipientOutcome::address)
    }

    /// Says whether every recipient was accepted.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.recipients.iter().all(|recipient| recipient.fate().is_accepted())
    }
}
