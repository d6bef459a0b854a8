//! What a reader did with a message: message/disposition-notification.

use bytes::Bytes;
use posthaste_address::EmailAddress;

use super::group::{self, Group};
use crate::text::refuse_controls;
use crate::{HeaderError, MessageId};

/// Says what a recipient, or their program, did with a message: a read receipt (RFC 8098).
///
/// # Examples
///
/// ```
/// use posthaste_mime::{Disposition, DispositionNotification, MessageId, Report};
///
/// let read = DispositionNotification::new("bob@example.net".parse()?, Disposition::Displayed)
///     .original_message_id(MessageId::parse("<1@example.org>")?);
/// assert!(Report::from(read).fields().contains("Disposition: manual-action/MDN-sent-manually; displayed\r\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct DispositionNotification {
    final_recipient: EmailAddress,
    disposition: Disposition,
    automatic: bool,
    reporting_ua: Option<String>,
    original_recipient: Option<EmailAddress>,
    original_message_id: Option<MessageId>,
}

impl DispositionNotification {
    /// Makes it for the recipient, who did it and let it be told.
    pub fn new(final_recipient: EmailAddress, disposition: Disposition) -> Self {
        Self {
            final_recipient,
            disposition,
            automatic: false,
            reporting_ua: None,
            original_recipient: None,
            original_message_id: None,
        }
    }

    /// Says that a program did it, and told it, without being asked to each time.
    pub fn automatic(mut self) -> Self {
        self.automatic = true;
        self
    }

    /// Sets the program's host and name, such as `host.example.org; Mailer 1.0`.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] for the field `Reporting-UA` when it is empty or holds a control character.
    pub fn reporting_ua(mut self, name: impl Into<String>) -> Result<Self, HeaderError> {
        const FIELD: &str = "Reporting-UA";
        let name = name.into();
        refuse_controls(FIELD, &name, false)?;
        if name.trim().is_empty() {
            return Err(HeaderError::Empty { field: FIELD });
        }
        self.reporting_ua = Some(name);
        Ok(self)
    }

    /// Sets the address that the sender gave.
    pub fn original_recipient(mut self, address: EmailAddress) -> Self {
        self.original_recipient = Some(address);
        self
    }

    /// Sets the id of the message.
    pub fn original_message_id(mut self, id: MessageId) -> Self {
        self.original_message_id = Some(id);
        self
    }

    pub(super) fn write(&self) -> Bytes {
        let mut group = Group::default();
        if let Some(name) = &self.reporting_ua {
            group.text("Reporting-UA", name);
        }
        let original = self.original_recipient.as_ref().map(group::address);
        group.optional("Original-Recipient", original.as_deref());
        group.plain("Final-Recipient", &group::address(&self.final_recipient));
        let id = self.original_message_id.as_ref().map(MessageId::to_string);
        group.optional("Original-Message-ID", id.as_deref());
        let mode = if self.automatic {
            "automatic-action/MDN-sent-automatically;"
        } else {
            "manual-action/MDN-sent-manually;"
        };
        group.plain("Disposition", &format!("{mode} {}", self.disposition.as_str()));
        group.finish()
    }
}

/// Says what was done with a message (RFC 8098 §3.2.6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Disposition {
    /// Shown to someone; nobody knows whether it was read.
    Displayed,
    /// Sent on, as by a rule.
    Dispatched,
    /// Dealt with by a program, shown to nobody.
    Processed,
    /// Thrown away.
    Deleted,
}

impl Disposition {
    /// Returns the disposition as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Displayed => "displayed",
            Self::Dispatched => "dispatched",
            Self::Processed => "processed",
            Self::Deleted => "deleted",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_written() {
        let notification = DispositionNotification::new("bob@example.net".parse().unwrap(), Disposition::Deleted)
            .automatic()
            .reporting_ua("host.example.net; Mailer 1.0")
            .unwrap()
            .original_recipient("bobby@example.net".parse().unwrap())
            .original_message_id(MessageId::parse("1@example.org").unwrap());
        let expected = "\
            Reporting-UA: host.example.net; Mailer 1.0\r\n\
            Original-Recipient: rfc822; bobby@example.net\r\n\
            Final-Recipient: rfc822; bob@example.net\r\n\
            Original-Message-ID: <1@example.org>\r\n\
            Disposition: automatic-action/MDN-sent-automatically; deleted\r\n";
        assert_eq!(notification.write(), expected);
        for name in ["", "a\nb"] {
            assert!(notification.clone().reporting_ua(name).is_err());
        }
    }
}
