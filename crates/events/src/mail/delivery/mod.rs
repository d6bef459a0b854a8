//! Delivery reports: what became of a message, recipient by recipient.

mod from_fields;
mod from_words;
mod sender;

use std::time::SystemTime;

use bytes::Bytes;
use posthaste_transport::EnhancedStatus;

use super::original::Original;
use super::returned::Octets;
pub(super) use from_fields::read_fields;
pub(super) use from_words::read_words;

use crate::bounce::{Codes, Permanence, Phase, Reason, SesBounce, judge};

/// Longest diagnostic that is kept, in octets.
const DIAGNOSTIC: usize = 2000;

/// What a mail system says became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryReport {
    form: Form,
    reporting_mta: Option<String>,
    envelope_id: Option<String>,
    date: Option<SystemTime>,
    recipients: Vec<RecipientReport>,
    original: Option<Original>,
    pub(super) raw: Octets,
}

/// In which form a report came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Form {
    /// As fields, as RFC 3464 has them.
    Fields,
    /// As words for people, of which a program made what it could.
    Words,
    /// As a notification of Amazon SES.
    Notification,
}

/// What became of a message for one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientReport {
    recipient: Option<String>,
    original_recipient: Option<String>,
    action: Action,
    codes: Codes,
    diagnostic: Option<String>,
    remote_mta: Option<String>,
    reason: Option<Reason>,
    /// What Amazon SES says of it.
    in_ses_words: Option<SesBounce>,
}

/// What was done with a message for one recipient (RFC 3464 §2.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// It was given up.
    Failed,
    /// It is late, and still tried.
    Delayed,
    /// It was delivered.
    Delivered,
    /// It went to a system that sends no such reports.
    Relayed,
    /// It went to the members of a list.
    Expanded,
}

impl DeliveryReport {
    pub(super) fn new(
        form: Form,
        reporting_mta: Option<String>,
        date: Option<SystemTime>,
        recipients: Vec<RecipientReport>,
    ) -> Self {
        Self {
            form,
            reporting_mta,
            envelope_id: None,
            date,
            recipients,
            original: None,
            raw: Octets::default(),
        }
    }

    /// Returns in which form it came: words are less sure than fields.
    #[must_use]
    pub fn form(&self) -> Form {
        self.form
    }

    /// Returns which system reports, as it names itself.
    #[must_use]
    pub fn reporting_mta(&self) -> Option<&str> {
        self.reporting_mta.as_deref()
    }

    /// Returns the ENVID of the message (RFC 3461 §4.4).
    #[must_use]
    pub fn envelope_id(&self) -> Option<&str> {
        self.envelope_id.as_deref()
    }

    /// Returns the Date of the mail that brought it.
    #[must_use]
    pub fn date(&self) -> Option<SystemTime> {
        self.date
    }

    /// Returns what is said of each recipient: one at least.
    #[must_use]
    pub fn recipients(&self) -> &[RecipientReport] {
        &self.recipients
    }

    /// Returns what came back of the message.
    #[must_use]
    pub fn original(&self) -> Option<&Original> {
        self.original.as_ref()
    }

    /// Returns the mail as it came; it is kept as long as this is.
    #[must_use]
    pub fn raw(&self) -> &Bytes {
        &self.raw.0
    }
}

impl RecipientReport {
    /// What a notification says of a recipient.
    pub(super) fn of_notification(
        recipient: Option<String>,
        action: Action,
        status: Option<String>,
        diagnostic: Option<String>,
        in_ses_words: Option<SesBounce>,
    ) -> Self {
        let said = diagnostic.clone().unwrap_or_default();
        let status = status.and_then(|status| status.parse().ok());
        let codes = better(Codes::find(&said), Codes::new(None, status));
        Self {
            recipient,
            original_recipient: None,
            action,
            codes,
            diagnostic,
            remote_mta: None,
            reason: (!action.arrived()).then(|| match judge(&[&said], codes, Phase::find(&said)) {
                Reason::Unknown => in_ses_words.map_or(Reason::Unknown, SesBounce::reason),
                reason => reason,
            }),
            in_ses_words,
        }
    }

    /// Returns the address that it failed for, as it is written; `None` if none is named.
    #[must_use]
    pub fn recipient(&self) -> Option<&str> {
        self.recipient.as_deref()
    }

    /// Returns the address that the sender wrote to, if another one came of it on the way.
    #[must_use]
    pub fn original_recipient(&self) -> Option<&str> {
        self.original_recipient.as_deref()
    }

    /// Tells whether it speaks of an address, be it the final or the original one.
    pub(super) fn is_for(&self, address: &str) -> bool {
        let mut own = self.recipient.iter().chain(&self.original_recipient);
        own.any(|own| own.eq_ignore_ascii_case(address))
    }

    /// Returns what was done.
    #[must_use]
    pub fn action(&self) -> Action {
        self.action
    }

    pub(super) fn codes(&self) -> Codes {
        self.codes
    }

    /// Returns the enhanced status: that of the last server rather than that of the one that reports.
    #[must_use]
    pub fn status(&self) -> Option<EnhancedStatus> {
        self.codes.status()
    }

    /// Returns the reply code of the last server.
    #[must_use]
    pub fn reply_code(&self) -> Option<u16> {
        self.codes.reply()
    }

    /// Returns what was said, as text of one line; cut at 2000 octets.
    #[must_use]
    pub fn diagnostic(&self) -> Option<&str> {
        self.diagnostic.as_deref()
    }

    /// Returns the server that said it.
    #[must_use]
    pub fn remote_mta(&self) -> Option<&str> {
        self.remote_mta.as_deref()
    }

    /// Returns why; `None` if the message arrived.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        self.reason
    }

    /// Returns whether the address may be used again; `None` if the message arrived.
    ///
    /// What was only late is soft, and so is a domain that was not found for now. What Amazon SES calls permanent is hard.
    #[must_use]
    pub fn permanence(&self) -> Option<Permanence> {
        let reason = self.reason?;
        if let Some(bounce) = self.in_ses_words {
            return Some(bounce.permanence());
        }
        let is_temporary = match self.codes.status() {
            Some(status) => status.class() == 4,
            None => self.codes.reply().is_some_and(|code| code < 500),
        };
        Some(match reason {
            _ if self.action == Action::Delayed && reason != Reason::NoMail => Permanence::Soft,
            Reason::NoDomain | Reason::NoMail if is_temporary => Permanence::Soft,
            Reason::Unknown if is_temporary => Permanence::Soft,
            reason => reason.permanence(),
        })
    }
}

impl Action {
    /// Returns it in the word of RFC 3464: `failed`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Delayed => "delayed",
            Self::Delivered => "delivered",
            Self::Relayed => "relayed",
            Self::Expanded => "expanded",
        }
    }

    fn read(text: &str) -> Option<Self> {
        let word = text.trim().to_ascii_lowercase();
        Some(match word.split([' ', '(', ';']).next()? {
            "failed" | "failure" | "expired" | "error" => Self::Failed,
            "delayed" | "deferred" => Self::Delayed,
            "delivered" | "deliverable" => Self::Delivered,
            "relayed" => Self::Relayed,
            "expanded" => Self::Expanded,
            _ => return None,
        })
    }

    fn arrived(self) -> bool {
        matches!(self, Self::Delivered | Self::Relayed | Self::Expanded)
    }
}

/// Prefers a status that says something to one that only has a class.
fn better(said: Codes, field: Codes) -> Codes {
    let is_vague = |status: EnhancedStatus| status.detail() == 0;
    match (said.status(), field.status()) {
        (Some(said_status), Some(own)) if is_vague(said_status) && !is_vague(own) => {
            Codes::new(said.reply(), Some(own))
        }
        _ => said.or(field),
    }
}
