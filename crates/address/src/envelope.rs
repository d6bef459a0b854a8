//! Who really gets a message, and what the sender wants to hear of it.

use std::fmt;

use crate::{EmailAddress, EnvelopeError};

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

/// Which delivery status notifications a sender wants (RFC 3461 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notify {
    /// None at all.
    Never,
    /// Those named, at least one.
    On {
        /// When it was delivered.
        success: bool,
        /// When it could not be delivered.
        failure: bool,
        /// When it is late.
        delay: bool,
    },
}

impl Notify {
    /// Wants the notifications named; none of them is [`Notify::Never`].
    #[must_use]
    pub fn on(success: bool, failure: bool, delay: bool) -> Self {
        if success || failure || delay {
            Self::On {
                success,
                failure,
                delay,
            }
        } else {
            Self::Never
        }
    }
}

impl fmt::Display for Notify {
    /// Writes the value of the `NOTIFY` parameter.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Never => f.write_str("NEVER"),
            Self::On {
                success,
                failure,
                delay,
            } => {
                let words = [(success, "SUCCESS"), (failure, "FAILURE"), (delay, "DELAY")];
                let words: Vec<&str> = words
                    .into_iter()
                    .filter(|(wanted, _)| *wanted)
                    .map(|(_, word)| word)
                    .collect();
                f.write_str(&words.join(","))
            }
        }
    }
}

/// How much of a message its failure report returns (RFC 3461 §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReturnContent {
    /// All of it.
    Full,
    /// Its header fields.
    Headers,
}

/// An id that delivery status notifications repeat (RFC 3461 §4.4).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EnvelopeId(Box<str>);

impl fmt::Display for EnvelopeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for EnvelopeId {
    type Err = EnvelopeError;

    fn from_str(text: &str) -> Result<Self, EnvelopeError> {
        Self::new(text)
    }
}

impl EnvelopeId {
    /// Takes 1 to 100 printable ASCII characters.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError::EnvelopeId`] for anything else.
    pub fn new(id: &str) -> Result<Self, EnvelopeError> {
        let id_is_valid = (1..=100).contains(&id.len()) && id.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
        if id_is_valid {
            Ok(Self(id.into()))
        } else {
            Err(EnvelopeError::EnvelopeId)
        }
    }

    /// The id itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id as `xtext`, the form that goes over the wire.
    #[must_use]
    pub fn to_xtext(&self) -> String {
        to_xtext(&self.0)
    }
}

/// A recipient as the sender first knew it, with the type of its address (RFC 3461 §4.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OriginalRecipient {
    address_type: Box<str>,
    address: Box<str>,
}

impl OriginalRecipient {
    /// Takes an address type such as `rfc822` or `utf-8`, and an address of at most 500 octets.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError::OriginalRecipient`] if the type is not an atom, or the address is empty, too long, holds a control
    /// character, or is not ASCII while its type is not `utf-8` (RFC 6533).
    pub fn new(address_type: &str, address: &str) -> Result<Self, EnvelopeError> {
        let type_is_valid = !address_type.is_empty()
            && address_type
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let text_is_valid = address.is_ascii() || address_type.eq_ignore_ascii_case("utf-8");
        let address_is_valid = (1..=500).contains(&address.len()) && !address.chars().any(crate::email::is_break);
        if type_is_valid && text_is_valid && address_is_valid {
            Ok(Self {
                address_type: address_type.into(),
                address: address.into(),
            })
        } else {
            Err(EnvelopeError::OriginalRecipient)
        }
    }

    /// The type of the address.
    #[must_use]
    pub fn address_type(&self) -> &str {
        &self.address_type
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// `type;address` as it goes over the wire, the address as `xtext`.
    #[must_use]
    pub fn to_xtext(&self) -> String {
        format!("{};{}", self.address_type, to_xtext(&self.address))
    }
}

/// RFC 3461 §4 `xtext`; characters beyond ASCII as RFC 6533 §3 `utf-8-addr-xtext` embeds them.
fn to_xtext(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '+' | '=' | ' ' => out.push_str(&format!("+{:02X}", u32::from(c))),
            '\\' if !text.is_ascii() => out.push_str("\\x{5C}"),
            '!'..='~' => out.push(c),
            c => out.push_str(&format!("\\x{{{:X}}}", u32::from(c))),
        }
    }
    out
}
