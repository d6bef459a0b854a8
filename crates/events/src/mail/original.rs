//! The message that a report is about, as far as it came back.

use bytes::Bytes;
use posthaste_mime::{RawMessage, RawPart};

/// In which field Microsoft's complaints have the recipient.
const COMPLAINER: &str = "X-HmXmrOriginalRecipient";

/// What is known of the message that was sent: what its header says, if it came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Original {
    message_id: Option<String>,
    recipients: Vec<String>,
    header: Bytes,
}

impl Original {
    /// Reads it from the returned part, or else from the text that stands behind a program's words.
    pub(super) fn find(parts: &[RawPart], behind: &str) -> Option<Self> {
        let part = parts.iter().find(|part| {
            part.depth() > 0
                && (part.is_message() && part.content_type() != "message/delivery-status"
                    || part.content_type() == "text/rfc822-headers"
                    || part.content_type() == "message/rfc822-headers")
        });
        if let Some(part) = part {
            let octets = Bytes::from(part.decoded().into_owned());
            if let Some(found) = Self::read(&octets) {
                return Some(found);
            }
        }
        let behind = behind.trim_start();
        let start = header_start(behind)?;
        Self::read(&Bytes::from(start.as_bytes().to_vec()))
    }

    fn read(octets: &Bytes) -> Option<Self> {
        let message = RawMessage::parse(octets.clone()).ok()?;
        let recipients: Vec<String> = [COMPLAINER, "To"]
            .iter()
            .filter_map(|name| message.field(name))
            .flat_map(|field| {
                field
                    .addresses_leniently()
                    .mailboxes()
                    .map(|mailbox| mailbox.address().to_string())
                    .collect::<Vec<_>>()
            })
            .collect();
        let found = Self {
            message_id: message.message_id(),
            recipients,
            header: octets.slice(..octets.len().saturating_sub(message.body().len())),
        };
        (found.message_id.is_some() || !found.recipients.is_empty()).then_some(found)
    }

    /// Returns its Message-ID, without angle brackets.
    #[must_use]
    pub fn message_id(&self) -> Option<&str> {
        self.message_id.as_deref()
    }

    /// Returns the addresses of its To field.
    #[must_use]
    pub fn recipients(&self) -> &[String] {
        &self.recipients
    }

    /// Tells whether Microsoft's field is there that says who complains.
    pub(super) fn names_complainer(&self) -> bool {
        let header = RawMessage::parse(self.header.clone());
        header.is_ok_and(|header| header.field(COMPLAINER).is_some())
    }

    /// Returns its header as it came back.
    #[must_use]
    pub fn header(&self) -> &Bytes {
        &self.header
    }
}

/// Finds the first line that is a header field.
fn header_start(text: &str) -> Option<&str> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let name = line.split(':').next().unwrap_or_default();
        let is_field = line.contains(':')
            && !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if is_field {
            return text.get(at..);
        }
        at += line.len();
    }
    None
}
