//! Finished messages.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use posthaste_address::{Address, EmailAddress, Envelope, EnvelopeError, Mailbox};

use crate::layout::lay_out;
use crate::{
    Attachment, AutoSubmitted, HeaderName, HeaderValue, ListId, ListUnsubscribe, MessageBuilder, MessageId, Rope,
};

/// Holds a message: what its recipients see.
///
/// A message is complete and valid: it has an author, a date and a Message-ID, and none of its parts can be mistaken
/// for another. Clones share everything. Who gets it is the [`Envelope`]'s business; blind recipients are known here
/// and never written.
///
/// # Examples
///
/// ```
/// use posthaste_mime::Message;
///
/// let message = Message::builder()
///     .from("Ada <ada@example.org>".parse()?)
///     .to("Bob <bob@example.net>".parse()?)
///     .bcc("eve@example.com".parse()?)
///     .subject("Grüße")
///     .text("Hello Bob")
///     .html("<p>Hello Bob</p>")
///     .build()?;
/// assert_eq!(message.envelope()?.recipients().len(), 2);
/// assert!(!String::from_utf8(message.to_bytes().to_vec())?.contains("eve@"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Message {
    content: Arc<Content>,
}

pub(crate) struct Content {
    pub(crate) from: Vec<Mailbox>,
    pub(crate) sender: Option<Mailbox>,
    pub(crate) reply_to: Vec<Mailbox>,
    pub(crate) to: Vec<Address>,
    pub(crate) cc: Vec<Address>,
    pub(crate) bcc: Vec<Mailbox>,
    pub(crate) subject: Option<String>,
    pub(crate) date: SystemTime,
    pub(crate) date_text: String,
    pub(crate) message_id: MessageId,
    pub(crate) in_reply_to: Vec<MessageId>,
    pub(crate) references: Vec<MessageId>,
    pub(crate) list_id: Option<ListId>,
    pub(crate) list_unsubscribe: Option<ListUnsubscribe>,
    pub(crate) auto_submitted: Option<AutoSubmitted>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) text: Option<String>,
    pub(crate) html: Option<String>,
    pub(crate) inlines: Vec<Attachment>,
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) boundary_id: [u8; 16],
}

impl Message {
    /// Begins a message.
    pub fn builder() -> MessageBuilder {
        MessageBuilder::default()
    }

    pub(crate) fn new(content: Content) -> Self {
        Self {
            content: Arc::new(content),
        }
    }

    /// Returns the authors; there is at least one.
    pub fn from(&self) -> &[Mailbox] {
        &self.content.from
    }

    /// Returns who sent it, if that was set.
    pub fn sender(&self) -> Option<&Mailbox> {
        self.content.sender.as_ref()
    }

    /// Returns where answers shall go.
    pub fn reply_to(&self) -> &[Mailbox] {
        &self.content.reply_to
    }

    /// Returns the primary recipients, groups included.
    pub fn to(&self) -> &[Address] {
        &self.content.to
    }

    /// Returns the recipients of a copy, groups included.
    pub fn cc(&self) -> &[Address] {
        &self.content.cc
    }

    /// Returns the blind recipients, which stand in no header.
    pub fn bcc(&self) -> &[Mailbox] {
        &self.content.bcc
    }

    /// Returns every recipient once for each time it was given: To, Cc, Bcc, with the members of groups.
    pub fn recipients(&self) -> impl Iterator<Item = &Mailbox> {
        let visible = self
            .content
            .to
            .iter()
            .chain(&self.content.cc)
            .flat_map(Address::mailboxes);
        visible.chain(&self.content.bcc)
    }

    /// Returns the subject.
    pub fn subject(&self) -> Option<&str> {
        self.content.subject.as_deref()
    }

    /// Returns the plain text body.
    pub fn text(&self) -> Option<&str> {
        self.content.text.as_deref()
    }

    /// Returns the HTML body.
    pub fn html(&self) -> Option<&str> {
        self.content.html.as_deref()
    }

    /// Returns the parts that the HTML body shows.
    pub fn inlines(&self) -> &[Attachment] {
        &self.content.inlines
    }

    /// Returns the attachments.
    pub fn attachments(&self) -> &[Attachment] {
        &self.content.attachments
    }

    /// Returns the headers that were set freely, in order.
    pub fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.content.headers
    }

    /// Returns the Message-ID.
    pub fn message_id(&self) -> &MessageId {
        &self.content.message_id
    }

    /// Returns the date.
    pub fn date(&self) -> SystemTime {
        self.content.date
    }

    /// Returns the ids of the messages that this one answers.
    pub fn in_reply_to(&self) -> &[MessageId] {
        &self.content.in_reply_to
    }

    /// Returns the ids of the messages of the thread, oldest first.
    pub fn references(&self) -> &[MessageId] {
        &self.content.references
    }

    /// Returns how to leave the list.
    pub fn list_unsubscribe(&self) -> Option<&ListUnsubscribe> {
        self.content.list_unsubscribe.as_ref()
    }

    /// Returns the list's identifier.
    pub fn list_id(&self) -> Option<&ListId> {
        self.content.list_id.as_ref()
    }

    /// Returns how the message came to be, if a program made it.
    pub fn auto_submitted(&self) -> Option<AutoSubmitted> {
        self.content.auto_submitted
    }

    /// Tells whether a header holds a local part that is not ASCII: only servers with SMTPUTF8 take such a message
    /// (RFC 6531). It is the one thing that makes a message more than 7-bit.
    pub fn needs_smtputf8(&self) -> bool {
        let content = &self.content;
        let authors = content.from.iter().chain(&content.sender).chain(&content.reply_to);
        let recipients = content.to.iter().chain(&content.cc).flat_map(Address::mailboxes);
        authors
            .chain(recipients)
            .any(|mailbox| mailbox.address().needs_smtputf8())
    }

    /// Makes the envelope that the headers imply: from the sender, or the first author; to every recipient once.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError`] when there is no recipient.
    pub fn envelope(&self) -> Result<Envelope, EnvelopeError> {
        let author = self
            .content
            .sender
            .as_ref()
            .or(self.content.from.first())
            .map(|m| m.address().clone());
        let mut seen: HashSet<&EmailAddress> = HashSet::new();
        let recipients: Vec<EmailAddress> = self
            .recipients()
            .map(Mailbox::address)
            .filter(|address| seen.insert(address))
            .cloned()
            .collect();
        Envelope::new(author, recipients)
    }

    /// Writes the message: CRLF line breaks, no line above 998 octets, no blind recipients.
    ///
    /// The encoded form of each attachment is a chunk of its own that all messages with it share. Every call writes
    /// the same bytes.
    pub fn to_rope(&self) -> Rope {
        lay_out(&self.content)
    }

    /// Writes the message in one piece, as [`Message::to_rope`].
    pub fn to_bytes(&self) -> Bytes {
        self.to_rope().to_bytes()
    }
}

/// Shows which message it is, not what it says.
impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message")
            .field("message_id", &self.content.message_id)
            .field("from", &self.content.from)
            .field("recipients", &self.recipients().count())
            .field("attachments", &self.content.attachments.len())
            .finish_non_exhaustive()
    }
}
