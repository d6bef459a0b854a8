//! Mail as it is, read.

use bytes::Bytes;
use posthaste_mime::{RawError, RawMessage, RawOptions};

use super::{Inbound, InboundAttachment, InboundContent};

impl Inbound {
    /// Reads a mail as it is.
    ///
    /// # Errors
    ///
    /// [`RawError`] when it has more parts than [`RawOptions`] allows, or they are nested deeper.
    pub fn read(mail: impl Into<Bytes>) -> Result<Self, RawError> {
        let mut inbound = Self::default();
        inbound.read_raw(mail.into())?;
        Ok(inbound)
    }

    /// Takes a mail that a provider passes on whole.
    pub(crate) fn read_raw(&mut self, mail: Bytes) -> Result<(), RawError> {
        let message = RawMessage::parse_with(mail.clone(), &RawOptions::default())?;
        self.headers = message
            .fields()
            .map(|field| (field.name().to_owned(), field.decoded().trim().to_owned()))
            .collect();
        let list = |name| {
            message
                .field(name)
                .map(|field| field.addresses_leniently().mailboxes().cloned().collect::<Vec<_>>())
        };
        self.from = list("from").and_then(|all| all.into_iter().next());
        self.to = list("to").unwrap_or_default();
        self.cc = list("cc").unwrap_or_default();
        self.subject = message.field("subject").map(|field| field.decoded().trim().to_owned());
        self.message_id = message.message_id();
        for part in message.own_parts()? {
            if part.is_multipart() {
                continue;
            }
            let kind = part.content_type().to_owned();
            let is_attached = part
                .disposition()
                .is_some_and(|disposition| disposition.value().eq_ignore_ascii_case("attachment"));
            let is_body = !is_attached && part.file_name().is_none();
            match kind.as_str() {
                "text/plain" if is_body && self.text.is_none() => self.text = part.text(),
                "text/html" if is_body && self.html.is_none() => self.html = part.text(),
                _ => {
                    let id = part.field("content-id").map(|field| field.decoded());
                    let content = InboundContent::Octets(part.decoded().into_owned().into());
                    let mut attachment = InboundAttachment::new(part.file_name(), &kind, id.as_deref(), content);
                    attachment.is_inline &= !is_attached;
                    self.attachments.push(attachment);
                }
            }
        }
        self.raw = Some(mail);
        Ok(())
    }
}
