//! Complaints: a recipient says that a message is not wanted (RFC 5965).

use std::time::SystemTime;

use posthaste_mime::{RawMessage, RawPart};

use super::fields::{self, Group};
use super::original::Original;
use super::text::own_parts;

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
}

pub(super) fn read(mail: &RawMessage, parts: &[RawPart]) -> Option<Complaint> {
    let original = Original::find(parts, "");
    let date = mail.field("date").and_then(|field| field.date());
    if let Some(part) = own_parts(parts).find(|part| part.content_type() == "message/feedback-report") {
        let groups = fields::of_part(part);
        let nothing = Group::default();
        let group = groups.first().unwrap_or(&nothing);
        let bare = |text: &str| text.trim_matches(['<', '>', ' ']).to_owned();
        return Some(Complaint {
            kind: group.get("feedback-type").unwrap_or("other").to_ascii_lowercase(),
            user_agent: group.get("user-agent").map(str::to_owned),
            recipients: group
                .all("original-rcpt-to")
                .chain(group.all("removal-recipient"))
                .map(bare)
                .filter(|address| address.contains('@'))
                .collect(),
            sender: group
                .get("original-mail-from")
                .map(bare)
                .filter(|address| !address.is_empty()),
            source_ip: group
                .get("source-ip")
                .and_then(|text| text.split(' ').next()?.parse().ok()),
            date,
            original,
        });
    }
    // Microsoft's Junk Mail Reporting: the message as a part, with a field that says who complains.
    let part = parts
        .iter()
        .find(|part| part.field("x-hmxmroriginalrecipient").is_some());
    let hidden = original.as_ref().is_some_and(|original| {
        original
            .header()
            .windows(24)
            .any(|at| at.eq_ignore_ascii_case(b"X-HmXmrOriginalRecipient"))
    });
    let says_so = mail.field("subject").is_some_and(|field| {
        field
            .decoded()
            .trim()
            .to_ascii_lowercase()
            .starts_with("complaint about message from")
    });
    (says_so && (part.is_some() || hidden)).then(|| Complaint {
        kind: "abuse".into(),
        user_agent: None,
        recipients: original
            .as_ref()
            .map(|original| original.recipients().to_vec())
            .unwrap_or_default(),
        sender: None,
        source_ip: None,
        date,
        original,
    })
}
