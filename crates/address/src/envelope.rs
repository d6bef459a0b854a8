//! Who really gets a message, and what the sender wants to hear of it.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use crate::{Domain, EmailAddress, EnvelopeError, EnvelopeId, Notify, OriginalRecipient, ReturnContent};

/// The SMTP envelope: reverse-path, recipients, and wishes about delivery status and TLS.
///
/// It may differ from the message's header fields; Bcc lives only here.
///
/// # Examples
///
/// ```
/// use std::num::NonZeroUsize;
///
/// use posthaste_address::{EmailAddress, Envelope};
///
/// let recipients = (0..120).map(|n| format!("r{n}@example.net").parse()).collect::<Result<Vec<EmailAddress>, _>>()?;
/// let envelope = Envelope::new(Some("ada@example.org".parse()?), recipients)?;
/// let most = NonZeroUsize::new(50).ok_or("zero")?;
/// let sizes: Vec<usize> = envelope.batches(most).map(|batch| batch.recipients().len()).collect();
/// assert_eq!(sizes, [50, 50, 20]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "stored::Envelope"))]
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

    /// Makes the same envelope for other recipients.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError::NoRecipients`].
    pub fn with_recipients<I>(&self, recipients: I) -> Result<Self, EnvelopeError>
    where
        I: IntoIterator,
        I::Item: Into<Recipient>,
    {
        let mut other = Self::new(self.mail_from.clone(), recipients)?;
        other.envelope_id.clone_from(&self.envelope_id);
        other.return_content = self.return_content;
        other.require_tls = self.require_tls;
        Ok(other)
    }

    /// Splits it into envelopes of at most `most` recipients, in their order: servers take 100 at least (RFC 5321
    /// §4.5.3.1.8), services often fewer.
    pub fn batches(&self, most: NonZeroUsize) -> impl Iterator<Item = Self> {
        self.recipients
            .chunks(most.get())
            .filter_map(|batch| self.with_recipients(batch.iter().cloned()).ok())
    }

    /// Splits it into one envelope for each domain of its recipients, for delivery to the hosts of each.
    #[must_use]
    pub fn by_domain(&self) -> BTreeMap<Domain, Self> {
        let mut domains: BTreeMap<&Domain, Vec<Recipient>> = BTreeMap::new();
        for recipient in &self.recipients {
            domains
                .entry(recipient.address.domain())
                .or_default()
                .push(recipient.clone());
        }
        domains
            .into_iter()
            .filter_map(|(domain, recipients)| Some((domain.clone(), self.with_recipients(recipients).ok()?)))
            .collect()
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
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Recipient {
    address: EmailAddress,
    #[cfg_attr(feature = "serde", serde(default))]
    notify: Option<Notify>,
    #[cfg_attr(feature = "serde", serde(default, rename = "original_recipient"))]
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

/// An envelope as it is read: anybody may have written it.
#[cfg(feature = "serde")]
mod stored {
    use crate::{EmailAddress, EnvelopeError, EnvelopeId, Recipient, ReturnContent};

    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(super) struct Envelope {
        mail_from: Option<EmailAddress>,
        recipients: Vec<Recipient>,
        #[serde(default)]
        envelope_id: Option<EnvelopeId>,
        #[serde(default)]
        return_content: Option<ReturnContent>,
        #[serde(default)]
        require_tls: bool,
    }

    impl TryFrom<Envelope> for super::Envelope {
        type Error = EnvelopeError;

        fn try_from(stored: Envelope) -> Result<Self, EnvelopeError> {
            let mut envelope = Self::new(stored.mail_from, stored.recipients)?;
            envelope.envelope_id = stored.envelope_id;
            envelope.return_content = stored.return_content;
            envelope.require_tls = stored.require_tls;
            Ok(envelope)
        }
    }
}
