//! What is one recipient's own.

use posthaste_address::{EmailAddress, Mailbox};
use posthaste_mime::{Attachment, HeaderName, HeaderValue, ListUnsubscribe, MessageId};
use posthaste_transport::SendOptions;
use serde_json::Value;

/// Holds what is one message's own: to whom it goes, and what the template says to them.
///
/// # Examples
///
/// ```
/// use posthaste_campaign::Entry;
/// use posthaste_mime::{HeaderName, HeaderValue};
/// use serde_json::json;
///
/// let entry = Entry::new("Bob <bob@example.net>".parse()?)
///     .data(json!({"name": "Bob", "total": "99.95"}))
///     .header(HeaderName::new("X-Customer")?, HeaderValue::new("1007")?);
/// assert_eq!(entry.recipients().count(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct Entry {
    pub(crate) to: Mailbox,
    pub(crate) more_to: Vec<Mailbox>,
    pub(crate) cc: Vec<Mailbox>,
    pub(crate) bcc: Vec<Mailbox>,
    pub(crate) mail_from: Option<EmailAddress>,
    pub(crate) data: Value,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) list_unsubscribe: Option<ListUnsubscribe>,
    pub(crate) message_id: Option<MessageId>,
    pub(crate) options: SendOptions,
}

impl Entry {
    /// Begins an entry for one recipient, with no data.
    pub fn new(to: Mailbox) -> Self {
        Self {
            to,
            more_to: Vec::new(),
            cc: Vec::new(),
            bcc: Vec::new(),
            mail_from: None,
            data: Value::Null,
            headers: Vec::new(),
            attachments: Vec::new(),
            list_unsubscribe: None,
            message_id: None,
            options: SendOptions::default(),
        }
    }

    /// Adds a primary recipient: all recipients of an entry get the same message and see each other in it, those too that a
    /// run leaves out of the envelope.
    pub fn to(mut self, recipient: Mailbox) -> Self {
        self.more_to.push(recipient);
        self
    }

    /// Adds a recipient of a copy.
    pub fn cc(mut self, recipient: Mailbox) -> Self {
        self.cc.push(recipient);
        self
    }

    /// Adds a blind recipient.
    pub fn bcc(mut self, recipient: Mailbox) -> Self {
        self.bcc.push(recipient);
        self
    }

    /// Sets where bounces of this message go, so that each can be told from the others (VERP); without it, it is the
    /// campaign's.
    pub fn mail_from(mut self, address: EmailAddress) -> Self {
        self.mail_from = Some(address);
        self
    }

    /// Sets the template's data: a JSON object. A name that it lacks is looked up in the campaign's defaults.
    pub fn data(mut self, data: Value) -> Self {
        self.data = data;
        self
    }

    /// Adds a header to those of the campaign.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Adds an attachment behind those of the campaign.
    pub fn attach(mut self, attachment: Attachment) -> Self {
        self.attachments.push(attachment);
        self
    }

    /// Sets how this recipient leaves the list.
    pub fn list_unsubscribe(mut self, unsubscribe: ListUnsubscribe) -> Self {
        self.list_unsubscribe = Some(unsubscribe);
        self
    }

    /// Sets the Message-ID; without it, it is the generator's.
    pub fn message_id(mut self, id: MessageId) -> Self {
        self.message_id = Some(id);
        self
    }

    /// Sets how to send it: tags, metadata, an idempotency key. They come out with the mail.
    pub fn options(mut self, options: SendOptions) -> Self {
        self.options = options;
        self
    }

    /// Returns every recipient: To, Cc, Bcc.
    pub fn recipients(&self) -> impl Iterator<Item = &Mailbox> {
        std::iter::once(&self.to)
            .chain(&self.more_to)
            .chain(&self.cc)
            .chain(&self.bcc)
    }
}

/// Shows to whom it goes, not what it says.
impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry")
            .field("to", &self.to)
            .field("recipients", &self.recipients().count())
            .field("attachments", &self.attachments.len())
            .finish_non_exhaustive()
    }
}
