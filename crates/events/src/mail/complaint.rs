//! Complaints: a recipient says that a message is not wanted (RFC 5965).

use std::time::SystemTime;

use bytes::Bytes;
use posthaste_mime::{RawMessage, RawPart};
use posthaste_report::Limits;
use posthaste_report::feedback::Report;

use super::original::Original;
use super::returned::Octets;

/// A complaint about a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    kind: String,
    user_agent: Option<String>,
    recipients: Vec<String>,
    sender: Option<String>,
    source_ip: Option<std::net::IpAddr>,
    date: Option<SystemTime>,
    original: Option<Original>,
    pub(super) raw: Octets,
}

impl Complaint {
    pub(super) fn of_notification(
        kind: String,
        user_agent: Option<String>,
        recipients: Vec<String>,
        date: Option<SystemTime>,
    ) -> Self {
        Self {
            kind,
            user_agent,
            recipients,
            sender: None,
            source_ip: None,
            date,
            original: None,
            raw: Octets::default(),
        }
    }

    /// Returns the Feedback-Type, in lower case: `abuse`, `fraud`, `not-spam`, `auth-failure` and others.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Returns the program that wrote it.
    #[must_use]
    pub fn user_agent(&self) -> Option<&str> {
        self.user_agent.as_deref()
    }

    /// Returns who complains, as far as it is said: many providers hide it, and then only VERP or a field of the original tells.
    #[must_use]
    pub fn recipients(&self) -> &[String] {
        &self.recipients
    }

    /// Returns the reverse-path of the message.
    #[must_use]
    pub fn sender(&self) -> Option<&str> {
        self.sender.as_deref()
    }

    /// Returns the address of the host that the message came from.
    #[must_use]
    pub fn source_ip(&self) -> Option<std::net::IpAddr> {
        self.source_ip
    }

    /// Returns when the message arrived there; otherwise the Date of the complaint.
    #[must_use]
    pub fn date(&self) -> Option<SystemTime> {
        self.date
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

pub(super) fn read(mail: &RawMessage, parts: &[RawPart]) -> Option<Complaint> {
    let original = Original::find(parts, "");
    let date = mail.field("date").and_then(|field| field.date());
    if let Ok(report) = Report::from_mail(mail, &Limits::new()) {
        let recipients = report
            .original_rcpt_to
            .into_iter()
            .filter(|address| address.contains('@'));
        return Some(Complaint {
            kind: report
                .kind
                .map_or_else(|| "other".into(), |kind| kind.as_str().to_owned()),
            user_agent: report.user_agent,
            recipients: recipients.collect(),
            sender: report.original_mail_from.filter(|address| !address.is_empty()),
            source_ip: report.source_ip,
            date: report.arrival_date.or(date),
            original,
            raw: Octets::default(),
        });
    }
    // Microsoft's Junk Mail Reporting: the message as a part, with a field that says who complains.
    let says_so = mail.field("subject").is_some_and(|field| {
        let subject = field.decoded().trim().to_ascii_lowercase();
        subject.starts_with("complaint about message from")
    });
    let original = original.filter(|original| says_so && original.names_complainer())?;
    Some(Complaint {
        kind: "abuse".into(),
        user_agent: None,
        recipients: original.recipients().to_vec(),
        sender: None,
        source_ip: None,
        date,
        original: Some(original),
        raw: Octets::default(),
    })
}
