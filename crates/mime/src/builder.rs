//! The way to a message.

use std::time::SystemTime;

use posthaste_address::{Address, Group, Mailbox};

use crate::content::{Content, View};
use crate::message::Finished;
use crate::readable::Readable;
use crate::{
    Attachment, AutoSubmitted, BuildError, BuildProblem, Calendar, Charset, FeedbackId, Flowed, Generator, HeaderName,
    HeaderValue, Importance, ListCommands, ListId, ListUnsubscribe, Message, MessageId, Precedence, Prototype, Report,
    check, date, text_from_html,
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

    /// Sets the AMP body, `text/x-amp-html`: programs that know AMP show it in place of the HTML body.
    ///
    /// It needs a text or HTML body beside it, and is always UTF-8.
    pub fn amp(mut self, amp: impl Into<String>) -> Self {
        self.content.amp = Some(amp.into());
        self
    }

    /// Sets the invitation that the message brings: the last of the alternatives, so that programs which know it prefer it
    /// (RFC 6047 §2.4).
    ///
    /// Some programs want it as an attachment too: [`Calendar::to_attachment`].
    pub fn calendar(mut self, calendar: Calendar) -> Self {
        self.content.calendar = Some(calendar);
        self
    }

    /// Makes the message a report: its bodies are for people, the report is for programs (multipart/report, RFC 6522).
    ///
    /// A report has no attachments.
    pub fn report(mut self, report: impl Into<Report>) -> Self {
        self.content.report = Some(report.into());
        self
    }

    /// Makes the plain text body of the HTML body, with [`text_from_html`], if no text is set.
    pub fn text_from_html(mut self) -> Self {
        self.content.text_from_html = true;
        self
    }

    /// Has the plain text body flow (format=flowed, RFC 3676).
    pub fn flowed(mut self, flowed: Flowed) -> Self {
        self.content.flowed = Some(flowed);
        self
    }

    /// Sets the charset of subject, text and HTML; without it they are UTF-8, as all else always is.
    pub fn charset(self, charset: Charset) -> Self {
        self.subject_charset(charset)
            .text_charset(charset)
            .html_charset(charset)
    }

    /// Sets the charset of the subject.
    pub fn subject_charset(mut self, charset: Charset) -> Self {
        self.content.subject_charset = Some(charset);
        self
    }

    /// Sets the charset of the plain text body.
    pub fn text_charset(mut self, charset: Charset) -> Self {
        self.content.text_charset = Some(charset);
        self
    }

    /// Sets the charset of the HTML body. What the HTML itself says of its charset is not looked at.
    pub fn html_charset(mut self, charset: Charset) -> Self {
        self.content.html_charset = Some(charset);
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

    /// Sets where to turn to with what one may want of the list.
    pub fn list_commands(mut self, commands: ListCommands) -> Self {
        self.content.list_commands = Some(commands);
        self
    }

    /// Says that the message goes to many.
    pub fn precedence(mut self, precedence: Precedence) -> Self {
        self.content.precedence = Some(precedence);
        self
    }

    /// Says how much the message matters.
    pub fn importance(mut self, importance: Importance) -> Self {
        self.content.importance = Some(importance);
        self
    }

    /// Names the campaign for the feedback that Gmail gives.
    pub fn feedback_id(mut self, id: FeedbackId) -> Self {
        self.content.feedback_id = Some(id);
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

    /// Says what the text bodies of a [`Prototype`]'s messages have word for word, so that it is encoded once: the fixed text
    /// of a template, piece by piece, in the order in which it comes. Pieces of a few hundred octets and more count.
    ///
    /// It changes nothing of what is written, and nothing at all in a message that is built at once.
    pub fn common_text(mut self, text: impl Into<String>) -> Self {
        self.content.common_text.push(text.into());
        self
    }

    /// Says what the HTML bodies have word for word, as [`MessageBuilder::common_text`].
    pub fn common_html(mut self, html: impl Into<String>) -> Self {
        self.content.common_html.push(html.into());
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
        check::headers_set_twice(view, &mut problems);
        Readable::of(view, &mut problems);
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
    /// nothing can show, a date that cannot be written, a text that its charset does not have.
    pub fn build(mut self) -> Result<Message, BuildError> {
        let mut problems = Vec::new();
        if let Some(base) = &self.base {
            self.content.add_to(base.content());
        }
        self.make_text();
        let base = self.base.as_ref().map(Prototype::content);
        let view = View {
            own: &self.content,
            base,
        };
        let readable = Readable::of(view, &mut problems);
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
            readable,
            date,
            date_text,
            message_id,
            boundary_id: id,
        }))
    }

    /// Makes the text of the HTML if it is asked for.
    fn make_text(&mut self) {
        let view = View {
            own: &self.content,
            base: self.base.as_ref().map(Prototype::content),
        };
        let asked = self.content.text_from_html || view.base.is_some_and(|base| base.text_from_html);
        if asked && view.one(|content| content.text.as_deref()).is_none() {
            self.content.text = view.one(|content| content.html.as_deref()).map(text_from_html);
        }
    }
}
