//! Who really gets a message, and what the sender wants to hear of it.

use crate::{EmailAddress, EnvelopeError, EnvelopeId, Notify, OriginalRecipient, ReturnContent};

/// The SMTP envelope: reverse-path, recipients, and wishes about delivery status and TLS.
///
/// It may differ from the message's header fields; Bcc lives only here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    mail_from: Option<EmailAddress>,
    recipients: Vec<Recipient>,
    envelope_id: Option<EnvelopeId>,
    return_content: Option<ReturnContent>,
    require_tls: bool,
}

impl Envelope {
    /// Makes an envelope; `None` is the null reverse-path `<>` of bounces (RFC 5321 §4.5.5).
    ///
    /// # Errors
    ///
    /// [`EnvelopeError::NoRecipients`].
    pub fn new<I>(mail_from: Option<EmailAddress>, recipients: I) -> Result<Self, EnvelopeError>
    where
        I: IntoIterator,
        I::Item: Into<Recipient>,
    {
        let recipients: Vec<Recipient> = recipients.into_iter().map(Into::into).collect();
        if recipients.is_empty() {
            return Err(EnvelopeError::NoRecipients);
        }
        Ok(Self {
            mail_from,
            recipients,
            envelope_id: None,
            return_content: None,
            require_tls: false,
        })
    }

    /// Sets the id that delivery status notifications repeat (RFC 3461 §4.4).
    #[must_use]
    pub fn with_envelope_id(mut self, id: EnvelopeId) -> Self {
        self.envelope_id = Some(id);
        self
    }

    /// Sets how much of the message a failure report returns (RFC 3461 §4.3).
    #[must_use]
    pub fn with_return_content(mut self, content: ReturnContent) -> Self {
        self.return_content = Some(content);
        self
    }

    /// Asks for TLS on every hop (RFC 8689).
    #[must_use]
    pub fn with_require_tls(mut self, require: bool) -> Self {
        self.require_tls = require;
        self
    }

    /// The reverse-path; `None` is the null one.
    #[must_use]
    pub fn mail_from(&self) -> Option<&EmailAddress> {
        self.mail_from.as_ref()
    }

    /// The recipients, at least one.
    #[must_use]
    pub fn recipients(&self) -> &[Recipient] {
        &self.recipients
    }

    /// The id for delivery status notifications.
    #[must_use]
    pub fn envelope_id(&self) -> Option<&EnvelopeId> {
        self.envelope_id.as_ref()
    }

    /// How much of the message a failure report returns.
    #[must_use]
    pub fn return_content(&self) -> Option<ReturnContent> {
        self.return_content
    }

    /// Whether TLS is asked for on every hop.
    #[must_use]
    pub fn require_tls(&self) -> bool {
        self.require_tls
    }

    /// Says whether any address in it needs SMTPUTF8 (RFC 6531).
    #[must_use]
    pub fn needs_smtputf8(&self) -> bool {
        self.mail_from
            .iter()
            .chain(self.recipients.iter().map(Recipient::address))
            .any(EmailAddress::needs_smtputf8)
    }
}

/// One recipient, with what the sender wants to hear of its delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    address: EmailAddress,
    notify: Option<Notify>,
    original: Option<OriginalRecipient>,
}

impl Recipient {
    /// Where the message goes.
    #[must_use]
    pub fn address(&self) -> &EmailAddress {
        &self.address
    }

    /// Which delivery status notifications are wanted; `None` leaves it to the server.
    #[must_use]
    pub fn notify(&self) -> Option<Notify> {
        self.notify
    }

    /// The recipient as the sender first knew it.
    #[must_use]
    pub fn original_recipient(&self) -> Option<&OriginalRecipient> {
        self.original.as_ref()
    }

    /// Sets which delivery status notifications are wanted (RFC 3461 §4.1).
    #[must_use]
    pub fn with_notify(mut self, notify: Notify) -> Self {
        self.notify = Some(notify);
        self
    }

    /// Sets the recipient as the sender first knew it (RFC 3461 §4.2).
    #[must_use]
    pub fn with_original_recipient(mut self, original: OriginalRecipient) -> Self {
        self.original = Some(original);
        self
    }
}

impl From<EmailAddress> for Recipient {
    fn from(address: EmailAddress) -> Self {
        Self {
            address,
            notify: None,
            original: None,
        }
    }
}
