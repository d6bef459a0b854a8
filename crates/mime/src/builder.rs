//! The way to a message.

use std::collections::HashSet;
use std::time::SystemTime;

use posthaste_address::{Address, Group, Mailbox};

use crate::message::Content;
use crate::text::refuse_controls;
use crate::{
    Attachment, AutoSubmitted, BuildError, BuildProblem, ContentId, Generator, HeaderName, HeaderValue, ListId,
    ListUnsubscribe, Message, MessageId, date,
};

/// Collects what a message shall hold.
///
/// Setters never fail; [`MessageBuilder::build`] names everything that is wrong at once. Setting a thing of which there
/// is one (subject, text, date …) again replaces it; recipients, headers and attachments add up.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct MessageBuilder {
    from: Vec<Mailbox>,
    sender: Option<Mailbox>,
    reply_to: Vec<Mailbox>,
    to: Vec<Address>,
    cc: Vec<Address>,
    bcc: Vec<Mailbox>,
    subject: Option<String>,
    date: Option<SystemTime>,
    message_id: Option<MessageId>,
    in_reply_to: Vec<MessageId>,
    references: Vec<MessageId>,
    list_id: Option<ListId>,
    list_unsubscribe: Option<ListUnsubscribe>,
    auto_submitted: Option<AutoSubmitted>,
    headers: Vec<(HeaderName, HeaderValue)>,
    text: Option<String>,
    html: Option<String>,
    inlines: Vec<Attachment>,
    attachments: Vec<Attachment>,
    generator: Option<Generator>,
}

impl MessageBuilder {
    /// Adds an author. With several, [`MessageBuilder::sender`] is needed too (RFC 5322 §3.6.2).
    pub fn from(mut self, author: Mailbox) -> Self {
        self.from.push(author);
        self
    }

    /// Sets who sends it on the authors' behalf.
    pub fn sender(mut self, sender: Mailbox) -> Self {
        self.sender = Some(sender);
        self
    }

    /// Adds a mailbox to which answers shall go.
    pub fn reply_to(mut self, mailbox: Mailbox) -> Self {
        self.reply_to.push(mailbox);
        self
    }

    /// Adds a primary recipient.
    pub fn to(mut self, recipient: Mailbox) -> Self {
        self.to.push(Address::Mailbox(recipient));
        self
    }

    /// Adds primary recipients.
    pub fn to_all(mut self, recipients: impl IntoIterator<Item = Mailbox>) -> Self {
        self.to.extend(recipients.into_iter().map(Address::Mailbox));
        self
    }

    /// Adds a group of primary recipients.
    pub fn to_group(mut self, group: Group) -> Self {
        self.to.push(Address::Group(group));
        self
    }

    /// Adds a recipient of a copy.
    pub fn cc(mut self, recipient: Mailbox) -> Self {
        self.cc.push(Address::Mailbox(recipient));
        self
    }

    /// Adds recipients of a copy.
    pub fn cc_all(mut self, recipients: impl IntoIterator<Item = Mailbox>) -> Self {
        self.cc.extend(recipients.into_iter().map(Address::Mailbox));
        self
    }

    /// Adds a group of recipients of a copy.
    pub fn cc_group(mut self, group: Group) -> Self {
        self.cc.push(Address::Group(group));
        self
    }

    /// Adds a blind recipient: it stands in the envelope and never in the message.
    pub fn bcc(mut self, recipient: Mailbox) -> Self {
        self.bcc.push(recipient);
        self
    }

    /// Adds blind recipients.
    pub fn bcc_all(mut self, recipients: impl IntoIterator<Item = Mailbox>) -> Self {
        self.bcc.extend(recipients);
        self
    }

    /// Sets the subject: any text without line breaks and control characters, its spaces kept.
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Sets the plain text body. Line breaks of any kind are written as CRLF.
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// Sets the HTML body. With a plain text body too, readers choose (multipart/alternative).
    pub fn html(mut self, html: impl Into<String>) -> Self {
        self.html = Some(html.into());
        self
    }

    /// Adds a part that the HTML body shows by its Content-ID (multipart/related).
    pub fn inline(mut self, part: Attachment) -> Self {
        self.inlines.push(part);
        self
    }

    /// Adds an attachment (multipart/mixed).
    pub fn attach(mut self, attachment: Attachment) -> Self {
        self.attachments.push(attachment);
        self
    }

    /// Adds a header that the builder has no method for.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
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
        self.in_reply_to.push(id);
        self
    }

    /// Adds ids of the thread's messages, oldest first.
    pub fn references(mut self, ids: impl IntoIterator<Item = MessageId>) -> Self {
        self.references.extend(ids);
        self
    }

    /// Sets how to leave the list.
    pub fn list_unsubscribe(mut self, unsubscribe: ListUnsubscribe) -> Self {
        self.list_unsubscribe = Some(unsubscribe);
        self
    }

    /// Sets the list's identifier.
    pub fn list_id(mut self, id: ListId) -> Self {
        self.list_id = Some(id);
        self
    }

    /// Says that a program made the message.
    pub fn auto_submitted(mut self, kind: AutoSubmitted) -> Self {
        self.auto_submitted = Some(kind);
        self
    }

    /// Sets where date, Message-ID and boundaries come from; without it, [`Generator::system`].
    pub fn generator(mut self, generator: &Generator) -> Self {
        self.generator = Some(generator.clone());
        self
    }

    /// Checks everything and makes the message. A message without any body is allowed: its text is empty.
    ///
    /// # Errors
    ///
    /// [`BuildError`] lists every problem with the name of its field: a missing author or sender, a display name or
    /// subject with control characters, a free header that belongs to the builder or stands twice, an inline part that
    /// nothing can show, a date that cannot be written.
    pub fn build(self) -> Result<Message, BuildError> {
        let mut problems = Vec::new();
        self.check_addresses(&mut problems);
        if let Some(subject) = &self.subject {
            problems.extend(refuse_controls("Subject", subject, true).err().map(BuildProblem::from));
        }
        self.check_headers(&mut problems);
        self.check_parts(&mut problems);

        let generator = self.generator.unwrap_or_default();
        let date = self.date.unwrap_or_else(|| generator.now());
        let date_text = date::format(date);
        if date_text.is_none() {
            problems.push(BuildProblem::DateOutOfRange);
        }
        let (Some(date_text), Some(author)) = (date_text, self.from.first()) else {
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
        Ok(Message::new(Content {
            from: self.from,
            sender: self.sender,
            reply_to: self.reply_to,
            to: self.to,
            cc: self.cc,
            bcc: self.bcc,
            subject: self.subject,
            date,
            date_text,
            message_id,
            in_reply_to: self.in_reply_to,
            references: self.references,
            list_id: self.list_id,
            list_unsubscribe: self.list_unsubscribe,
            auto_submitted: self.auto_submitted,
            headers: self.headers,
            text: self.text,
            html: self.html,
            inlines: self.inlines,
            attachments: self.attachments,
            boundary_id: id,
        }))
    }

    fn check_addresses(&self, problems: &mut Vec<BuildProblem>) {
        match self.from.as_slice() {
            [] => problems.push(BuildProblem::MissingFrom),
            [_] => {}
            _ if self.sender.is_none() => problems.push(BuildProblem::MissingSender),
            _ => {}
        }
        let authors = self.from.iter().map(|mailbox| ("From", mailbox));
        let sender = self.sender.iter().map(|mailbox| ("Sender", mailbox));
        let reply_to = self.reply_to.iter().map(|mailbox| ("Reply-To", mailbox));
        let to = self
            .to
            .iter()
            .flat_map(Address::mailboxes)
            .map(|mailbox| ("To", mailbox));
        let cc = self
            .cc
            .iter()
            .flat_map(Address::mailboxes)
            .map(|mailbox| ("Cc", mailbox));
        let named = authors.chain(sender).chain(reply_to).chain(to).chain(cc);
        let names = named.filter_map(|(field, mailbox)| mailbox.name().map(|name| (field, name)));
        let groups = |field, addresses: &'_ [Address]| -> Vec<(&'static str, String)> {
            addresses
                .iter()
                .filter_map(|address| match address {
                    Address::Group(group) => Some((field, group.name().to_owned())),
                    _ => None,
                })
                .collect()
        };
        for (field, name) in names {
            problems.extend(refuse_controls(field, name, true).err().map(BuildProblem::from));
        }
        for (field, name) in groups("To", &self.to).into_iter().chain(groups("Cc", &self.cc)) {
            problems.extend(refuse_controls(field, &name, true).err().map(BuildProblem::from));
        }
    }

    fn check_headers(&self, problems: &mut Vec<BuildProblem>) {
        let mut seen: HashSet<&HeaderName> = HashSet::new();
        for (name, _) in &self.headers {
            if let Some(instead) = name.reserved() {
                problems.push(BuildProblem::Reserved {
                    name: name.clone(),
                    instead,
                });
            } else if !seen.insert(name) && !name.may_repeat() {
                problems.push(BuildProblem::Repeated { name: name.clone() });
            }
        }
    }

    fn check_parts(&self, problems: &mut Vec<BuildProblem>) {
        if !self.inlines.is_empty() && self.html.is_none() {
            problems.push(BuildProblem::InlineWithoutHtml);
        }
        if self.inlines.iter().any(|inline| inline.content_id().is_none()) {
            problems.push(BuildProblem::InlineWithoutContentId);
        }
        for part in &self.inlines {
            problems.extend(part.check_type().err().map(BuildProblem::from));
        }
        let mut seen: HashSet<&ContentId> = HashSet::new();
        for id in self
            .inlines
            .iter()
            .chain(&self.attachments)
            .filter_map(Attachment::content_id)
        {
            if !seen.insert(id) {
                problems.push(BuildProblem::RepeatedContentId { id: id.clone() });
            }
        }
    }
}
