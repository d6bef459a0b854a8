//! What a mail that came back is.

use std::fmt;

use bytes::Bytes;
use posthaste_mime::{RawError, RawMessage, RawOptions};

use super::text::Texts;
use super::{AutoReply, Complaint, DeliveryReport, auto_reply, complaint, delivery, notification};

/// What a mail says of one that was sent before.
///
/// # Examples
///
/// ```
/// use posthaste_events::bounce::{Permanence, Reason};
/// use posthaste_events::mail::Returned;
///
/// let mail = b"From: MAILER-DAEMON@mx.example.net\r\nSubject: failure notice\r\n\r\n\
///     Hi. This is the qmail-send program at mx.example.net.\r\n\r\n\
///     <bob@example.net>:\r\nSorry, no mailbox here by that name. (#5.1.1)\r\n\r\n\
///     --- Below this line is a copy of the message.\r\n\r\nSubject: Hello\r\n";
///
/// let Returned::Delivery(report) = Returned::read(mail.to_vec())? else { panic!("no bounce") };
/// let bounce = &report.recipients()[0];
/// assert_eq!(bounce.recipient(), Some("bob@example.net"));
/// assert_eq!((bounce.reason(), bounce.permanence()), (Some(Reason::NoMailbox), Some(Permanence::Hard)));
/// # Ok::<(), posthaste_events::mail::ReadError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Returned {
    /// It says what became of a message: it bounced, is late, or arrived (RFC 3464, or in plain words).
    Delivery(DeliveryReport),
    /// Somebody complains of a message (RFC 5965).
    Complaint(Complaint),
    /// A program answers for somebody who is away (RFC 3834).
    AutoReply(AutoReply),
    /// It is none of these: as far as can be told, somebody wrote it.
    Other,
}

/// A mail as it came. `Debug` shows its size only.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Octets(pub(super) Bytes);

impl fmt::Debug for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} octets", self.0.len())
    }
}

/// Why a mail cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// It has more parts than one may have, or they are nested too deep.
    #[error(transparent)]
    Message(#[from] RawError),
}

impl Returned {
    /// Reads a mail.
    ///
    /// Nothing that is in it can be trusted: anybody can write a bounce. An address with a code in it that only the sender can
    /// make, as in VERP, tells real ones.
    ///
    /// # Errors
    ///
    /// [`ReadError::Message`] when the parts are more than [`RawOptions`] allows, or nested deeper.
    pub fn read(mail: impl Into<Bytes>) -> Result<Self, ReadError> {
        Self::read_with(mail, &RawOptions::default())
    }

    /// Reads a mail, within limits of the caller's.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn read_with(mail: impl Into<Bytes>, options: &RawOptions) -> Result<Self, ReadError> {
        let octets = mail.into();
        let mut returned = Self::sort(&RawMessage::parse_with(octets.clone(), options)?)?;
        match &mut returned {
            Self::Delivery(report) => report.raw = Octets(octets),
            Self::Complaint(complaint) => complaint.raw = Octets(octets),
            Self::AutoReply(reply) => reply.raw = Octets(octets),
            Self::Other => {}
        }
        Ok(returned)
    }

    fn sort(mail: &RawMessage) -> Result<Self, ReadError> {
        let parts = mail.own_parts()?;
        if let Some(complaint) = complaint::read(mail, &parts) {
            return Ok(Self::Complaint(complaint));
        }
        let texts = Texts::of(mail, &parts);
        if let Some(returned) = notification::read(mail, &texts) {
            return Ok(returned);
        }
        if let Some(report) = delivery::read_fields(mail, &parts, &texts) {
            return Ok(Self::Delivery(report));
        }
        if let Some(reply) = auto_reply::read(mail, &texts) {
            return Ok(Self::AutoReply(reply));
        }
        Ok(delivery::read_words(mail, &parts, &texts).map_or(Self::Other, Self::Delivery))
    }
}
