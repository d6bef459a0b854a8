//! Looks at whole messages.

use bytes::Bytes;
use posthaste_address::{Address, Mailbox};

use super::violation::shown;
use super::{Policy, PolicyError, PolicyLimit, PolicyViolation};
use crate::{Attachment, Message, RawError, RawField, RawMessage, RawPart, Report, Rope};

/// What the builder and every API have a parameter for: not a header field of one's own.
const NOT_OWN: [&str; 10] = [
    "bcc",
    "cc",
    "date",
    "from",
    "message-id",
    "mime-version",
    "reply-to",
    "return-path",
    "subject",
    "to",
];

impl Policy {
    /// Checks a message as it will go over the wire: its size, header fields, recipients, parts and attachments.
    ///
    /// It lays the message out, but reads no attachment that is read when needed; attached messages are looked into where
    /// they are in memory.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] with everything that is wrong.
    pub fn check(&self, message: &Message) -> Result<(), PolicyError> {
        let mut found = Vec::new();
        let (header, body) = message.to_header_and_body();
        self.amount(
            PolicyLimit::MessageSize,
            None,
            header.len() as u64 + body.len(),
            &mut found,
        );
        match RawMessage::parse(header) {
            Ok(header) => self.fields(&header, &mut found),
            Err(error) => found.push(unreadable("header", error)),
        }
        let mut mailboxes = |field, mailboxes: &mut dyn Iterator<Item = &Mailbox>| {
            let mut count = 0;
            for mailbox in mailboxes {
                count += 1;
                self.mailbox(field, mailbox, &mut found);
            }
            count
        };
        mailboxes("From", &mut message.from().iter());
        mailboxes("Sender", &mut message.sender().into_iter());
        mailboxes("Reply-To", &mut message.reply_to().iter());
        let recipients = mailboxes("To", &mut message.to().iter().flat_map(Address::mailboxes))
            + mailboxes("Cc", &mut message.cc().iter().flat_map(Address::mailboxes))
            + mailboxes("Bcc", &mut message.bcc().iter());
        self.amount(PolicyLimit::Recipients, None, recipients, &mut found);
        let mut parts = tree_of(message);
        let file = message.report().and_then(Report::file);
        for attachment in message.inlines().iter().chain(message.attachments()).chain(file) {
            parts += self.attachment(attachment, &mut found);
        }
        if let Some(returned) = message.report().and_then(Report::returned) {
            parts += self.inner(returned.essence(), "returned message", returned.octets(), &mut found);
        }
        self.amount(PolicyLimit::Parts, None, parts, &mut found);
        PolicyError::of(found)
    }

    /// Checks a received message: its size, lines, header fields, the recipients that it names, its parts and their file
    /// names, those in attached messages included.
    ///
    /// Who really gets it is for [`Policy::check_envelope`].
    ///
    /// # Errors
    ///
    /// [`PolicyError`] with everything that is wrong.
    pub fn check_raw(&self, message: &RawMessage) -> Result<(), PolicyError> {
        let mut found = Vec::new();
        self.amount(PolicyLimit::MessageSize, None, message.len() as u64, &mut found);
        if self.limits.contains_key(&PolicyLimit::Line) {
            let longest = longest_line(&message.to_rope());
            self.amount(PolicyLimit::Line, None, longest, &mut found);
        }
        self.fields(message, &mut found);
        self.people(message, &mut found);
        match message.parts() {
            Ok(parts) => {
                self.amount(PolicyLimit::Parts, None, parts.len() as u64, &mut found);
                for part in &parts {
                    self.part(part, &mut found);
                }
            }
            Err(error) => found.push(self.too_many_or("message", error)),
        }
        PolicyError::of(found)
    }

    /// Looks at the header section.
    fn fields(&self, message: &RawMessage, found: &mut Vec<PolicyViolation>) {
        let fields: Vec<RawField> = message.fields().collect();
        self.repeats(fields.iter().map(RawField::name), found);
        let is_own = |field: &&RawField| {
            let name = field.name().to_ascii_lowercase();
            !NOT_OWN.contains(&name.as_str()) && !name.starts_with("content-")
        };
        let mut count = 0;
        for field in fields.iter().filter(is_own) {
            count += 1;
            self.header(field.name(), &field.value(), found);
        }
        self.amount(PolicyLimit::Headers, None, count, found);
    }

    /// Looks at whom a received message names.
    fn people(&self, message: &RawMessage, found: &mut Vec<PolicyViolation>) {
        match message.from() {
            Ok(authors) if authors.is_empty() => found.push(PolicyViolation::MissingFrom),
            Ok(authors) => {
                for author in &authors {
                    self.mailbox("From", author, found);
                }
            }
            Err(error) => found.push(PolicyViolation::Field(error)),
        }
        match message.sender() {
            Ok(Some(sender)) => self.mailbox("Sender", &sender, found),
            Ok(None) => {}
            Err(error) => found.push(PolicyViolation::Field(error)),
        }
        match message.addresses("Reply-To") {
            Ok(list) => {
                for mailbox in list.mailboxes() {
                    self.mailbox("Reply-To", mailbox, found);
                }
            }
            Err(error) => found.push(PolicyViolation::Field(error)),
        }
        let recipients = message.recipients();
        for (field, mailboxes) in [
            ("To", recipients.to()),
            ("Cc", recipients.cc()),
            ("Bcc", recipients.bcc()),
        ] {
            for mailbox in mailboxes {
                self.mailbox(field, mailbox, found);
            }
        }
        self.amount(PolicyLimit::Recipients, None, recipients.iter().count() as u64, found);
        found.extend(recipients.errors().iter().cloned().map(PolicyViolation::Field));
    }

    /// Looks at a part of a received message.
    fn part(&self, part: &RawPart, found: &mut Vec<PolicyViolation>) {
        // Readers differ about which of two names they use.
        let disposed = part.disposition().and_then(|disposition| disposition.get("filename"));
        let typed = part.content_type_parameters().get("name");
        for name in disposed.into_iter().chain(typed.filter(|name| disposed != Some(name))) {
            self.file_name(name, found);
        }
        let name = disposed.or(typed).unwrap_or(part.content_type());
        if !part.is_multipart() {
            self.length(PolicyLimit::ContentType, name, part.content_type(), found);
        }
        if let Some(id) = part.field("Content-ID") {
            let id = id.decoded();
            let id = id.trim().trim_start_matches('<').trim_end_matches('>');
            self.length(PolicyLimit::ContentId, name, id, found);
        }
        if let Some(description) = part.field("Content-Description") {
            self.length(PolicyLimit::AttachmentDescription, name, &description.decoded(), found);
        }
    }

    /// Looks at an attachment; says how many parts are in it, if it is a message.
    pub(super) fn attachment(&self, attachment: &Attachment, found: &mut Vec<PolicyViolation>) -> u64 {
        let kind = attachment.content_type();
        let file_name = attachment.file_name().map(|name| name.as_str());
        let name = file_name.unwrap_or(kind.essence());
        for file_name in file_name.into_iter().chain(kind.parameter("name")) {
            self.file_name(file_name, found);
        }
        self.length(PolicyLimit::ContentType, name, kind.essence(), found);
        if let Some(id) = attachment.content_id() {
            self.length(PolicyLimit::ContentId, name, id.as_str(), found);
        }
        if let Some(description) = attachment.description_text() {
            self.length(PolicyLimit::AttachmentDescription, name, description, found);
        }
        match attachment.data() {
            Some(data) => self.inner(kind.essence(), name, data, found),
            None => 0,
        }
    }

    /// Looks into what is attached if its `kind` is a message; says how many parts are in it.
    fn inner(&self, kind: &str, name: &str, data: &Bytes, found: &mut Vec<PolicyViolation>) -> u64 {
        if !matches!(kind, "message/rfc822" | "message/global") {
            return 0;
        }
        match RawMessage::parse(data.clone()).and_then(|message| message.parts()) {
            Ok(parts) => {
                for part in &parts {
                    self.part(part, found);
                }
                parts.len() as u64
            }
            Err(error) => {
                found.push(self.too_many_or(name, error));
                0
            }
        }
    }

    /// Says that there are too many parts, if that is why a message was not looked into.
    fn too_many_or(&self, name: &str, error: RawError) -> PolicyViolation {
        match (error, self.limit_of(PolicyLimit::Parts)) {
            (RawError::TooManyParts { limit }, Some(most)) if limit as u64 >= most => PolicyViolation::TooMuch {
                limit: PolicyLimit::Parts,
                of: None,
                found: limit as u64 + 1,
                most,
            },
            (error, _) => unreadable(name, error),
        }
    }
}

fn unreadable(name: &str, error: RawError) -> PolicyViolation {
    PolicyViolation::Unreadable {
        name: shown(name),
        error,
    }
}

/// Counts the parts of the tree that the builder makes, multiparts included, but not what is in attached messages.
fn tree_of(message: &Message) -> u64 {
    let bodies = usize::from(message.text().is_some())
        + usize::from(message.html().is_some())
        + usize::from(message.amp().is_some())
        + usize::from(message.calendar().is_some());
    let (inlines, attachments) = (message.inlines().len(), message.attachments().len());
    let readable = match bodies {
        0 => usize::from(attachments == 0),
        bodies => bodies + usize::from(bodies > 1),
    };
    let related = if inlines > 0 { 1 + inlines } else { 0 };
    let rest = match message.report() {
        Some(report) => 2 + usize::from(report.returned().is_some()),
        None if attachments > 0 => 1 + attachments,
        None => 0,
    };
    (readable + related + rest) as u64
}

/// Length of the longest line, with a CRLF.
fn longest_line(message: &Rope) -> u64 {
    let (mut longest, mut line, mut last) = (0_u64, 0_u64, 0_u8);
    for chunk in message.in_memory().into_iter().flatten() {
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            line += piece.len() as u64;
            if let Some(text) = piece.strip_suffix(b"\n") {
                let before = text.last().copied().unwrap_or(last);
                longest = longest.max(line - 1 - u64::from(before == b'\r' && line > 1));
                line = 0;
            }
            last = piece.last().copied().unwrap_or(last);
        }
    }
    longest.max(line) + 2
}
