//! Finished messages.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use posthaste_address::{Address, EmailAddress, Envelope, EnvelopeError, Mailbox};

use crate::content::{Content, View};
use crate::readable::Readable;
use crate::{
    Attachment, AutoSubmitted, Calendar, Charset, FeedbackId, Flowed, HeaderName, HeaderValue, Importance,
    ListCommands, ListId, ListUnsubscribe, MessageBuilder, MessageId, Precedence, Prototype, Report, Rope, layout,
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
/// assert!(!String::from_utf8(message.to_bytes()?.to_vec())?.contains("eve@"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Message {
    finished: Arc<Finished>,
}

/// A complete message.
pub(crate) struct Finished {
    pub(crate) base: Option<Prototype>,
    /// What was added to the base, and all there is if it has none.
    pub(crate) content: Content,
    pub(crate) readable: Readable,
    pub(crate) date: SystemTime,
    pub(crate) date_text: String,
    pub(crate) message_id: MessageId,
    pub(crate) boundary_id: [u8; 16],
}

impl Finished {
    pub(crate) fn view(&self) -> View<'_> {
        View {
            own: &self.content,
            base: self.base.as_ref().map(Prototype::content),
        }
    }
}

impl Message {
    /// Begins a message.
    pub fn builder() -> MessageBuilder {
        MessageBuilder::default()
    }

    pub(crate) fn new(finished: Finished) -> Self {
        Self {
            finished: Arc::new(finished),
        }
    }

    fn view(&self) -> View<'_> {
        self.finished.view()
    }

    /// Returns the authors; there is at least one.
    pub fn from(&self) -> &[Mailbox] {
        self.view().list(|content| &content.from)
    }

    /// Returns who sent it, if that was set.
    pub fn sender(&self) -> Option<&Mailbox> {
        self.view().one(|content| content.sender.as_ref())
    }

    /// Returns where answers shall go.
    pub fn reply_to(&self) -> &[Mailbox] {
        self.view().list(|content| &content.reply_to)
    }

    /// Returns the primary recipients, groups included.
    pub fn to(&self) -> &[Address] {
        self.view().list(|content| &content.to)
    }

    /// Returns the recipients of a copy, groups included.
    pub fn cc(&self) -> &[Address] {
        self.view().list(|content| &content.cc)
    }

    /// Returns the blind recipients, which stand in no header.
    pub fn bcc(&self) -> &[Mailbox] {
        self.view().list(|content| &content.bcc)
    }

    /// Returns every recipient once for each time it was given: To, Cc, Bcc, with the members of groups.
    pub fn recipients(&self) -> impl Iterator<Item = &Mailbox> {
        let visible = self.to().iter().chain(self.cc()).flat_map(Address::mailboxes);
        visible.chain(self.bcc())
    }

    /// Returns the subject.
    pub fn subject(&self) -> Option<&str> {
        self.view().one(|content| content.subject.as_deref())
    }

    /// Returns the plain text body.
    pub fn text(&self) -> Option<&str> {
        self.view().one(|content| content.text.as_deref())
    }

    /// Returns the HTML body.
    pub fn html(&self) -> Option<&str> {
        self.view().one(|content| content.html.as_deref())
    }

    /// Returns how the plain text body flows, if it does.
    pub fn flowed(&self) -> Option<Flowed> {
        self.view().one(|content| content.flowed.as_ref()).copied()
    }

    /// Returns the charset of the subject.
    pub fn subject_charset(&self) -> Charset {
        let charset = self.view().one(|content| content.subject_charset.as_ref());
        charset.copied().unwrap_or_default()
    }

    /// Returns the charset of the plain text body.
    pub fn text_charset(&self) -> Charset {
        let charset = self.view().one(|content| content.text_charset.as_ref());
        charset.copied().unwrap_or_default()
    }

    /// Returns the charset of the HTML body.
    pub fn html_charset(&self) -> Charset {
        let charset = self.view().one(|content| content.html_charset.as_ref());
        charset.copied().unwrap_or_default()
    }

    /// Returns the AMP body.
    pub fn amp(&self) -> Option<&str> {
        self.view().one(|content| content.amp.as_deref())
    }

    /// Returns the invitation that the message brings.
    pub fn calendar(&self) -> Option<&Calendar> {
        self.view().one(|content| content.calendar.as_ref())
    }

    /// Returns what makes the message a report.
    pub fn report(&self) -> Option<&Report> {
        self.view().one(|content| content.report.as_ref())
    }

    /// Returns the parts that the HTML body shows.
    pub fn inlines(&self) -> &[Attachment] {
        self.view().list(|content| &content.inlines)
    }

    /// Returns the attachments.
    pub fn attachments(&self) -> &[Attachment] {
        self.view().list(|content| &content.attachments)
    }

    /// Returns the headers that were set freely, in order.
    pub fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        self.view().list(|content| &content.headers)
    }

    /// Returns the Message-ID.
    pub fn message_id(&self) -> &MessageId {
        &self.finished.message_id
    }

    /// Returns the date.
    pub fn date(&self) -> SystemTime {
        self.finished.date
    }

    /// Returns the ids of the messages that this one answers.
    pub fn in_reply_to(&self) -> &[MessageId] {
        self.view().list(|content| &content.in_reply_to)
    }

    /// Returns the ids of the messages of the thread, oldest first.
    pub fn references(&self) -> &[MessageId] {
        self.view().list(|content| &content.references)
    }

    /// Returns how to leave the list.
    pub fn list_unsubscribe(&self) -> Option<&ListUnsubscribe> {
        self.view().one(|content| content.list_unsubscribe.as_ref())
    }

    /// Returns the list's identifier.
    pub fn list_id(&self) -> Option<&ListId> {
        self.view().one(|content| content.list_id.as_ref())
    }

    /// Returns where to turn to with what one may want of the list.
    pub fn list_commands(&self) -> Option<&ListCommands> {
        self.view().one(|content| content.list_commands.as_ref())
    }

    /// Returns how many the message says it goes to.
    pub fn precedence(&self) -> Option<Precedence> {
        self.view().one(|content| content.precedence.as_ref()).copied()
    }

    /// Returns how much the message says it matters.
    pub fn importance(&self) -> Option<Importance> {
        self.view().one(|content| content.importance.as_ref()).copied()
    }

    /// Returns the name of the campaign for the feedback that Gmail gives.
    pub fn feedback_id(&self) -> Option<&FeedbackId> {
        self.view().one(|content| content.feedback_id.as_ref())
    }

    /// Returns how the message came to be, if a program made it.
    pub fn auto_submitted(&self) -> Option<AutoSubmitted> {
        self.view().one(|content| content.auto_submitted.as_ref()).copied()
    }

    /// Tells whether a header holds a local part that is not ASCII: only servers with SMTPUTF8 take such a message
    /// (RFC 6531). It is the one thing that makes a message more than 7-bit.
    pub fn needs_smtputf8(&self) -> bool {
        let authors = self.from().iter().chain(self.sender()).chain(self.reply_to());
        let recipients = self.to().iter().chain(self.cc()).flat_map(Address::mailboxes);
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
        let author = self.sender().or(self.from().first()).map(|m| m.address().clone());
        let mut seen: HashSet<&EmailAddress> = HashSet::new();
        let recipients: Vec<EmailAddress> = self
            .recipients()
            .map(Mailbox::address)
            .filter(|address| seen.insert(address))
            .cloned()
            .collect();
        Envelope::new(author, recipients)
    }

    /// Returns how many octets the message has when it is written: exactly those of [`Message::to_rope`], without
    /// encoding or reading any attachment.
    pub fn encoded_len(&self) -> u64 {
        layout::length(&self.finished)
    }

    /// Writes the message: CRLF line breaks, no line above 998 octets, no blind recipients.
    ///
    /// The encoded form of each attachment is a chunk of its own that all messages with it share. Every call writes
    /// the same bytes.
    pub fn to_rope(&self) -> Rope {
        layout::whole(&self.finished)
    }

    /// Writes the message as [`Message::to_rope`], in two: the header section with the empty line that ends it, and the body.
    ///
    /// For signers, which treat the two differently.
    pub fn to_header_and_body(&self) -> (Bytes, Rope) {
        layout::header_and_body(&self.finished)
    }

    /// Writes the message in one piece, as [`Message::to_rope`].
    ///
    /// # Errors
    ///
    /// What went wrong while reading a streamed attachment; it cannot fail if there is none.
    pub fn to_bytes(&self) -> io::Result<Bytes> {
        self.to_rope().to_bytes()
    }
}

/// Shows which message it is, not what it says.
impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message")
            .field("message_id", &self.finished.message_id)
            .field("from", &self.from())
            .field("recipients", &self.recipients().count())
            .field("attachments", &self.attachments().len())
            .finish_non_exhaustive()
    }
}
