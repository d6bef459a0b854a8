//! What became of a message: message/delivery-status.

use std::str::FromStr;
use std::time::SystemTime;

use bytes::Bytes;
use posthaste_address::{Domain, EmailAddress};

use super::group::{self, Group};
use crate::HeaderError;
use crate::text::refuse_controls;

/// Says what became of a message, for its recipients one by one (RFC 3464).
///
/// [`Report`](crate::Report) has an example.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct DeliveryStatus {
    reporting_mta: Domain,
    original_envelope_id: Option<String>,
    received_from: Option<Domain>,
    arrival_date: Option<String>,
    recipients: Vec<RecipientStatus>,
}

impl DeliveryStatus {
    /// Begins what the server `reporting_mta` has to say, with the first recipient.
    pub fn new(reporting_mta: Domain, recipient: RecipientStatus) -> Self {
        Self {
            reporting_mta,
            original_envelope_id: None,
            received_from: None,
            arrival_date: None,
            recipients: vec![recipient],
        }
    }

    /// Adds a recipient.
    pub fn recipient(mut self, recipient: RecipientStatus) -> Self {
        self.recipients.push(recipient);
        self
    }

    /// Sets the id that the sender gave the envelope: `ENVID` of RFC 3461, decoded.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] for the field `Original-Envelope-Id` when it is not printable ASCII.
    pub fn original_envelope_id(mut self, id: &str) -> Result<Self, HeaderError> {
        self.original_envelope_id = Some(group::structured("Original-Envelope-Id", id)?);
        Ok(self)
    }

    /// Sets the server from which the message came.
    pub fn received_from(mut self, host: Domain) -> Self {
        self.received_from = Some(host);
        self
    }

    /// Sets when the message arrived.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] for the field `Arrival-Date` outside the years 1900 to 9999.
    pub fn arrival_date(mut self, time: SystemTime) -> Result<Self, HeaderError> {
        self.arrival_date = Some(group::instant("Arrival-Date", time)?);
        Ok(self)
    }

    pub(super) fn write(&self) -> Bytes {
        let mut group = Group::default();
        group.optional("Original-Envelope-Id", self.original_envelope_id.as_deref());
        group.plain("Reporting-MTA", &group::mta(&self.reporting_mta));
        group.optional(
            "Received-From-MTA",
            self.received_from.as_ref().map(group::mta).as_deref(),
        );
        group.optional("Arrival-Date", self.arrival_date.as_deref());
        for recipient in &self.recipients {
            group.end();
            recipient.write(&mut group);
        }
        group.finish()
    }
}

/// Says what became of a message for one recipient (RFC 3464 §2.3).
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct RecipientStatus {
    final_recipient: EmailAddress,
    original_recipient: Option<EmailAddress>,
    action: DeliveryAction,
    status: StatusCode,
    remote_mta: Option<Domain>,
    diagnostic: Option<String>,
    last_attempt: Option<String>,
    will_retry_until: Option<String>,
}

impl RecipientStatus {
    /// Makes it for the address that the server tried.
    pub fn new(final_recipient: EmailAddress, action: DeliveryAction, status: StatusCode) -> Self {
        Self {
            final_recipient,
            original_recipient: None,
            action,
            status,
            remote_mta: None,
            diagnostic: None,
            last_attempt: None,
            will_retry_until: None,
        }
    }

    /// Sets the address that the sender gave: `ORCPT` of RFC 3461.
    pub fn original_recipient(mut self, address: EmailAddress) -> Self {
        self.original_recipient = Some(address);
        self
    }

    /// Sets the server whose answer it was.
    pub fn remote_mta(mut self, host: Domain) -> Self {
        self.remote_mta = Some(host);
        self
    }

    /// Sets what that server said over SMTP, in one line.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] for the field `Diagnostic-Code` when it is empty or holds a line break or another control character.
    pub fn diagnostic(mut self, answer: impl Into<String>) -> Result<Self, HeaderError> {
        const FIELD: &str = "Diagnostic-Code";
        let answer = answer.into();
        refuse_controls(FIELD, &answer, true)?;
        if answer.trim().is_empty() {
            return Err(HeaderError::Empty { field: FIELD });
        }
        self.diagnostic = Some(answer);
        Ok(self)
    }

    /// Sets when delivery was last tried.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] for the field `Last-Attempt-Date` outside the years 1900 to 9999.
    pub fn last_attempt(mut self, time: SystemTime) -> Result<Self, HeaderError> {
        self.last_attempt = Some(group::instant("Last-Attempt-Date", time)?);
        Ok(self)
    }

    /// Sets until when delivery is tried again.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] for the field `Will-Retry-Until` outside the years 1900 to 9999.
    pub fn will_retry_until(mut self, time: SystemTime) -> Result<Self, HeaderError> {
        self.will_retry_until = Some(group::instant("Will-Retry-Until", time)?);
        Ok(self)
    }

    fn write(&self, group: &mut Group) {
        let original = self.original_recipient.as_ref().map(group::address);
        group.optional("Original-Recipient", original.as_deref());
        group.plain("Final-Recipient", &group::address(&self.final_recipient));
        group.plain("Action", self.action.as_str());
        group.plain("Status", &self.status.to_string());
        group.optional("Remote-MTA", self.remote_mta.as_ref().map(group::mta).as_deref());
        if let Some(answer) = &self.diagnostic {
            group.typed_text("Diagnostic-Code", "smtp", answer);
        }
        group.optional("Last-Attempt-Date", self.last_attempt.as_deref());
        group.optional("Will-Retry-Until", self.will_retry_until.as_deref());
    }
}

/// Says what a server did for a recipient (RFC 3464 §2.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeliveryAction {
    /// Gave up.
    Failed,
    /// Could not deliver yet, and tries on.
    Delayed,
    /// Delivered it.
    Delivered,
    /// Gave it to a server that reports nothing.
    Relayed,
    /// Delivered it, and it goes on to several others.
    Expanded,
}

impl DeliveryAction {
    /// Returns the action as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Delayed => "delayed",
            Self::Delivered => "delivered",
            Self::Relayed => "relayed",
            Self::Expanded => "expanded",
        }
    }
}

/// Says in three numbers why: `class.subject.detail` (RFC 3463).
///
/// # Examples
///
/// ```
/// use posthaste_mime::StatusCode;
///
/// assert_eq!("4.2.2".parse(), StatusCode::new(4, 2, 2));
/// assert!(StatusCode::new(3, 0, 0).is_err());
/// # Ok::<(), posthaste_mime::HeaderError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StatusCode {
    class: u8,
    subject: u16,
    detail: u16,
}

impl StatusCode {
    /// Makes a code of class 2 (success), 4 (for now not) or 5 (not).
    ///
    /// # Errors
    ///
    /// [`HeaderError`] for the field `Status` when the class is another, or the subject or detail is above 999.
    pub fn new(class: u8, subject: u16, detail: u16) -> Result<Self, HeaderError> {
        if !matches!(class, 2 | 4 | 5) || subject > 999 || detail > 999 {
            return Err(not_a_code());
        }
        Ok(Self { class, subject, detail })
    }
}

fn not_a_code() -> HeaderError {
    HeaderError::Syntax {
        field: "Status",
        expected: "a code such as 5.1.1",
    }
}

impl FromStr for StatusCode {
    type Err = HeaderError;

    fn from_str(text: &str) -> Result<Self, HeaderError> {
        let mut numbers = text.split('.').map(|number| {
            let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            number.parse::<u16>().ok().filter(|_| digits)
        });
        let mut next = || numbers.next().flatten();
        match (next(), next(), next(), numbers.next()) {
            (Some(class), Some(subject), Some(detail), None) => {
                Self::new(u8::try_from(class).map_err(|_| not_a_code())?, subject, detail)
            }
            _ => Err(not_a_code()),
        }
    }
}

impl std::fmt::Display for StatusCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn fields_stand_in_groups() {
        let time = SystemTime::UNIX_EPOCH;
        let first = RecipientStatus::new(
            "bob@example.net".parse().unwrap(),
            DeliveryAction::Delayed,
            StatusCode::new(4, 2, 2).unwrap(),
        )
        .original_recipient("bobby@example.com".parse().unwrap())
        .remote_mta("mx.example.net".parse().unwrap())
        .diagnostic("452 4.2.2 full")
        .unwrap()
        .last_attempt(time)
        .unwrap()
        .will_retry_until(time + Duration::from_secs(86_400))
        .unwrap();
        let second = RecipientStatus::new(
            "jörg+x@example.net".parse().unwrap(),
            DeliveryAction::Failed,
            "5.0.0".parse().unwrap(),
        );
        let status = DeliveryStatus::new("mail.example.org".parse().unwrap(), first)
            .recipient(second)
            .original_envelope_id("QQ314159")
            .unwrap()
            .received_from("client.example.org".parse().unwrap())
            .arrival_date(time)
            .unwrap();
        let expected = "\
            Original-Envelope-Id: QQ314159\r\n\
            Reporting-MTA: dns; mail.example.org\r\n\
            Received-From-MTA: dns; client.example.org\r\n\
            Arrival-Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n\
            \r\n\
            Original-Recipient: rfc822; bobby@example.com\r\n\
            Final-Recipient: rfc822; bob@example.net\r\n\
            Action: delayed\r\n\
            Status: 4.2.2\r\n\
            Remote-MTA: dns; mx.example.net\r\n\
            Diagnostic-Code: smtp; 452 4.2.2 full\r\n\
            Last-Attempt-Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n\
            Will-Retry-Until: Fri, 2 Jan 1970 00:00:00 +0000\r\n\
            \r\n\
            Final-Recipient: utf-8; j\\x{F6}rg\\x{2B}x@example.net\r\n\
            Action: failed\r\n\
            Status: 5.0.0\r\n";
        assert_eq!(String::from_utf8(status.write().to_vec()).unwrap(), expected);
    }

    #[test]
    fn codes_are_three_numbers() {
        assert_eq!("5.7.26".parse(), StatusCode::new(5, 7, 26));
        for text in [
            "",
            "5",
            "5.1",
            "5.1.1.1",
            "5..1",
            "+5.1.1",
            "3.1.1",
            "5.1000.1",
            "5.1.x",
            "5.1.1 ",
            "5.1.1\r\n",
        ] {
            assert!(text.parse::<StatusCode>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn answers_are_one_line() {
        let status = || {
            RecipientStatus::new(
                "a@example.net".parse().unwrap(),
                DeliveryAction::Failed,
                StatusCode::new(5, 0, 0).unwrap(),
            )
        };
        for answer in ["", " ", "550 a\r\nFinal-Recipient: b", "550\u{2028}", "\0"] {
            assert_eq!(status().diagnostic(answer).unwrap_err().field(), "Diagnostic-Code");
        }
        let late = SystemTime::UNIX_EPOCH + Duration::from_secs(400_000_000_000);
        assert!(status().last_attempt(late).is_err() && status().will_retry_until(late).is_err());
        let status = DeliveryStatus::new("a.example".parse().unwrap(), status().diagnostic("550 “no”").unwrap());
        assert!(status.clone().arrival_date(late).is_err());
        assert!(status.clone().original_envelope_id("a\r\nb").is_err());
        assert!(status.write().is_ascii());
    }
}
