//! The way to a message.

use std::time::SystemTime;

use posthaste_address::{Address, Group, Mailbox};

use crate::content::{Content, View};
use crate::message::Finished;
use crate::{
    Attachment, AutoSubmitted, BuildError, BuildProblem, Generator, HeaderName, HeaderValue, ListId, ListUnsubscribe,
    Message, MessageId, Prototype, check, date,
};

/// Collects what a message shall hold.
///
/// Setters never fail; [`MessageBuilder::build`] names everything that is wrong at once. Setting a thing of which there
/// is one (subject, text, date …) again replaces it; recipients, headers and attachments add up.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct MessageBuilder {
    base: Option<Prototype>,
    content: Content,
    date: Option<SystemTime>,
    message_id: Option<MessageId>,
    generator: Option<Generator>,
}

impl MessageBuilder {
    /// Begins a message that has everything that `base` has.
    pub(crate) fn on(base: Prototype) -> Self {
        Self {
            base: Some(base),
            ..Self::default()
        }
    }

    /// Adds an author. With several, [`MessageBuilder::sender`] is needed too (RFC 5322 §3.6.2).
    pub fn from(mut self, author: Mailbox) -> Self {
        self.content.from.push(author);
        self
    }

    /// Sets who sends it on the authors' behalf.
    pub fn sender(mut self, sender: Mailbox) -> Self {
        self.content.sender = Some(sender);
        self
    }

    /// Adds a mailbox to which answers shall go.
    pub fn reply_to(mut self, mailbox: Mailbox) -> Self {
        self.content.reply_to.push(mailbox);
        self
    }

    /// Adds a primary recipient.
    pub fn to(mut self, recipient: Mailbox) -> Self {
        self.content.to.push(Address::Mailbox(recipient));
        self
    }

    /// Adds primary recipients.
    pub fn to_all(mut self, recipients: impl IntoIterator<Item = Mailbox>) -> Self {
        self.content.to.extend(recipients.into_iter().map(Address::Mailbox));
        self
    }

    /// Adds a group of primary recipients.
    pub fn to_group(mut self, group: Group) -> Self {
        self.content.to.push(Address::Group(group));
        self
    }

    /// Adds a recipient of a copy.
    pub fn cc(mut self, recipient: Mailbox) -> Self {
        self.content.cc.push(Address::Mailbox(recipient));
        self
    }

    /// Adds recipients of a copy.
    pub fn cc_all(mut self, recipients: impl IntoIterator<Item = Mailbox>) -> Self {
        self.content.cc.extend(recipients.into_iter().map(Address::Mailbox));
        self
    }

    /// Adds a group of recipients of a copy.
    pub fn cc_group(mut self, group: Group) -> Self {
        self.content.cc.push(Address::Group(group));
        self
    }

    /// Adds a blind recipient: it stands in the envelope and never in the message.
    pub fn bcc(mut self, recipient: Mailbox) -> Self {
        self.content.bcc.push(recipient);
        self
    }

    /// Adds blind recipients.
    pub fn bcc_all(mut self, recipients: impl IntoIterator<Item = Mailbox>) -> Self {
        self.content.bcc.extend(recipients);
        self
    }

    /// Sets the subject: any text without line breaks and control characters, its spaces kept.
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.content.subject = Some(subject.into());
        self
    }

    /// Sets the plain text body. Line breaks of any kind are written as CRLF.
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.content.text = Some(text.into());
        self
    }

    /// Sets the HTML body. With a plain text body too, readers choose (multipart/alternative).
    pub fn html(mut self, html: impl Into<String>) -> Self {
        self.content.html = Some(html.into());
        self
    }

    /// Adds a part that the HTML body shows by its Content-ID (multipart/related).
    pub fn inline(mut self, part: Attachment) -> Self {
        self.content.inlines.push(part);
        self
    }

    /// Adds an attachment (multipart/mixed).
    pub fn attach(mut self, attachment: Attachment) -> Self {
        self.content.attachments.push(attachment);
        self
    }

    /// Adds a header that the builder has no method for.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.content.headers.push((name, value));
        self
    }

    /// Sets the date; without it, it is the generator's.
    pub fn date(mut self, date: SystemTime) -> Self {
        self.date = Some(date);
        self
    }

    /// Sets the Message-ID; without it, it is the generator's.
    pub fn message_id(mut self, id: MessageId) -> Self {
        self.message_id = Some(id);
        self
    }

    /// Adds the id of a message that this one answers.
    pub fn in_reply_to(mut self, id: MessageId) -> Self {
        self.content.in_reply_to.push(id);
        self
    }

    /// Adds ids of the thread's messages, oldest first.
    pub fn references(mut self, ids: impl IntoIterator<Item = MessageId>) -> Self {
        self.content.references.extend(ids);
        self
    }

    /// Sets how to leave the list.
    pub fn list_unsubscribe(mut self, unsubscribe: ListUnsubscribe) -> Self {
        self.content.list_unsubscribe = Some(unsubscribe);
        self
    }

    /// Sets the list's identifier.
    pub fn list_id(mut self, id: ListId) -> Self {
        self.content.list_id = Some(id);
        self
    }

    /// Says that a program made the message.
    pub fn auto_submitted(mut self, kind: AutoSubmitted) -> Self {
        self.content.auto_submitted = Some(kind);
        self
    }

    /// Sets where date, Message-ID and boundaries come from; without it, [`Generator::system`].
    pub fn generator(mut self, generator: &Generator) -> Self {
        self.generator = Some(generator.clone());
        self
    }

    /// Writes the attachments before the text instead of behind it.
    ///
    /// Legal, and some programs then show the text last; it is for mass mail whose signatures are to share the hash of
    /// the attachments. See [`Prototype`].
    pub fn attachments_first(mut self) -> Self {
        self.content.attachments_first = true;
        self
    }

    /// Checks what was set so far and lays it out once, for messages that differ in the rest.
    ///
    /// # Errors
    ///
    /// [`BuildError`], as [`MessageBuilder::build`], but for what a message needs and each may get on its own: an author,
    /// an HTML body for inline parts.
    pub fn prepare(mut self) -> Result<Prototype, BuildError> {
        let mut problems = Vec::new();
        if let Some(base) = &self.base {
            self.content.inherit(base.content());
        }
        check::values(&self.content, &mut problems);
        let view = View {
            own: &self.content,
            base: None,
        };
        check::content_ids(view, &mut problems);
        if !problems.is_empty() {
            return Err(BuildError::new(problems));
        }
        let generator = self
            .generator
            .or_else(|| self.base.map(|base| base.generator().clone()));
        Ok(Prototype::new(self.content, generator.unwrap_or_default()))
    }

    /// Checks everything and makes the message. A message without any body is allowed: its text is empty.
    ///
    /// # Errors
    ///
    /// [`BuildError`] lists every problem with the name of its field: a missing author or sender, a display name or
    /// subject with control characters, a free header that belongs to the builder or stands twice, an inline part that
    /// nothing can show, a date that cannot be written.
    pub fn build(mut self) -> Result<Message, BuildError> {
        let mut problems = Vec::new();
        let base = self.base.as_ref().map(Prototype::content);
        if let Some(base) = base {
            self.content.add_to(base);
        }
        let view = View {
            own: &self.content,
            base,
        };
        check::whole(view, &mut problems);
        check::values(&self.content, &mut problems);

        let system;
        let generator = match (&self.generator, &self.base) {
            (Some(generator), _) => generator,
            (None, Some(base)) => base.generator(),
            (None, None) => {
                system = Generator::default();
                &system
            }
        };
        let date = self.date.unwrap_or_else(|| generator.now());
        let date_text = date::format(date);
        if date_text.is_none() {
            problems.push(BuildProblem::DateOutOfRange);
        }
        let (Some(date_text), Some(author)) = (date_text, view.list(|content| &content.from).first()) else {
            return Err(BuildError::new(problems));
        };
        if !problems.is_empty() {
            return Err(BuildError::new(problems));
        }

        // One id for both: a boundary must not be known before the parts are, and nobody sees the Message-ID earlier.
        let id = generator.next_id();
        let message_id = self.message_id.unwrap_or_else(|| {
            let domain = generator.own_domain().unwrap_or_else(|| author.address().domain());
            MessageId::generate(id, domain)
        });
        Ok(Message::new(Finished {
            base: self.base,
            content: self.content,
            date,
            date_text,
            message_id,
            boundary_id: id,
        }))
    }
}
