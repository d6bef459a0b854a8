//! Delivery reports: what became of a message, recipient by recipient.

use std::time::SystemTime;

use posthaste_mime::{RawMessage, RawPart};
use posthaste_transport::EnhancedStatus;

use super::fields::{self, Group};
use super::original::Original;
use super::text::{Texts, cut_at, loose_text};
use super::transcript;
use crate::bounce::{Codes, Permanence, Phase, Reason, judge};

/// Longest diagnostic that is kept, in octets.
const DIAGNOSTIC: usize = 2000;
/// For how many recipients words count that name none.
const FEW: usize = 8;

/// What a mail system says became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryReport {
    form: Form,
    reporting_mta: Option<String>,
    envelope_id: Option<String>,
    date: Option<SystemTime>,
    recipients: Vec<RecipientReport>,
    original: Option<Original>,
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
}

impl RecipientReport {
    /// What a notification says of a recipient.
    pub(super) fn of_notification(
        recipient: Option<String>,
        action: Action,
        status: Option<String>,
        diagnostic: Option<String>,
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
            reason: (!action.arrived()).then(|| judge(&[&said], codes, Phase::find(&said))),
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
    fn is_for(&self, address: &str) -> bool {
        let mut own = self.recipient.iter().chain(&self.original_recipient);
        own.any(|own| own.eq_ignore_ascii_case(address))
    }

    /// Returns what was done.
    #[must_use]
    pub fn action(&self) -> Action {
        self.action
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
    /// What was only late is soft, and so is a domain that was not found for now.
    #[must_use]
    pub fn permanence(&self) -> Option<Permanence> {
        let reason = self.reason?;
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

/// Reads a report that has fields, be they in a part of their own or, as some programs do, in the text.
pub(super) fn read_fields(mail: &RawMessage, own: &[RawPart], texts: &Texts) -> Option<DeliveryReport> {
    let status_part = own.iter().find(|part| {
        matches!(
            part.content_type(),
            "message/delivery-status" | "message/global-delivery-status"
        )
    });
    let groups = match status_part {
        Some(part) => fields::of_part(part),
        None => {
            let found = |text: &str| {
                let lower = text.to_ascii_lowercase();
                lower.contains("final-recipient:") || lower.contains("diagnostic-code:") && lower.contains("action:")
            };
            if found(&texts.words) {
                fields::read(&texts.words)
            } else if is_report(mail) {
                let loose = loose_text(mail);
                if !found(&loose) {
                    return None;
                }
                fields::read(&loose)
            } else {
                return None;
            }
        }
    };
    let is_recipient = |group: &&Group| {
        group.get("final-recipient").is_some()
            || group.get("original-recipient").is_some()
            || group.get("diagnostic-code").is_some() && group.get("action").is_some()
    };
    let sections = transcript::sections(&texts.words);
    let mut recipients: Vec<RecipientReport> = Vec::new();
    // Words that speak of nobody in particular count for a few recipients: for many it would be a guess, and much work.
    let few = groups.iter().filter(is_recipient).count() <= FEW;
    let words = if few { texts.words.as_str() } else { "" };
    for group in groups.iter().filter(is_recipient) {
        let report = read_group(group, words, &sections);
        let is_known = recipients
            .iter()
            .any(|known| known.recipient == report.recipient && known.diagnostic == report.diagnostic);
        if !is_known {
            recipients.push(report);
        }
    }
    if recipients.is_empty() {
        return None;
    }
    // Some name in words whom they leave out of the fields.
    for section in &sections {
        let codes = Codes::find(&section.said);
        let is_known = recipients.iter().any(|known| known.is_for(&section.address));
        if !is_known && codes.reply().is_some() && codes.status().is_some() {
            recipients.push(read_section(section, false, &texts.words, &texts.words, Action::Failed));
        }
    }
    let about = groups.iter().find(|group| group.get("reporting-mta").is_some());
    Some(DeliveryReport {
        form: Form::Fields,
        reporting_mta: about
            .and_then(|group| group.untyped("reporting-mta"))
            .map(str::to_owned),
        envelope_id: about
            .and_then(|group| group.get("original-envelope-id"))
            .map(str::to_owned),
        date: mail.field("date").and_then(|field| field.date()),
        recipients,
        original: Original::find(own, &texts.returned),
    })
}

fn read_group(group: &Group, words: &str, sections: &[transcript::Section]) -> RecipientReport {
    let recipient = group.untyped("final-recipient").map(bare_address);
    let original_recipient = group
        .untyped("original-recipient")
        .map(bare_address)
        .filter(|original| recipient.as_ref() != Some(original));
    let status_field = group.get("status").unwrap_or_default();
    let status: Option<EnhancedStatus> = status_field.split([' ', '(']).next().and_then(|word| word.parse().ok());
    let action = group.get("action").and_then(Action::read).unwrap_or(match status {
        Some(status) if status.class() == 2 => Action::Delivered,
        _ => Action::Failed,
    });
    let diagnostic = group.get("diagnostic-code").map(|code| code.trim().to_owned());
    let section = recipient.iter().chain(&original_recipient).find_map(|address| {
        sections
            .iter()
            .find(|section| section.address.eq_ignore_ascii_case(address))
    });
    let said = diagnostic.clone().unwrap_or_default();
    let beside = section.map_or(words, |section| section.said.as_str());

    let in_diagnostic = Codes::find(&said);
    let codes = better(in_diagnostic, Codes::new(None, status));
    let codes = if codes.status().is_none() {
        codes.or(Codes::find(beside))
    } else {
        codes.or(Codes::new(Codes::find(beside).reply(), None))
    };
    let phase = match Phase::find(&said) {
        Phase::Unknown => Phase::find(beside),
        phase => phase,
    };
    let comment = status_field.split_once('(').map_or("", |(_, comment)| comment);
    let reason = (!action.arrived()).then(|| {
        let by_comment = judge(&[comment], Codes::default(), phase);
        let reason = match by_comment {
            Reason::Disabled | Reason::MailboxFull => by_comment,
            _ => judge(&[&said, comment, beside], codes, phase),
        };
        match reason {
            Reason::Unknown if action == Action::Delayed => Reason::Expired,
            reason => reason,
        }
    });
    let mut shown = diagnostic.or_else(|| section.map(|section| section.said.clone()));
    if let Some(text) = &mut shown {
        cut_at(text, DIAGNOSTIC);
    }
    RecipientReport {
        recipient,
        original_recipient,
        action,
        codes,
        diagnostic: shown.filter(|text| !text.is_empty()),
        remote_mta: group.untyped("remote-mta").map(str::to_owned),
        reason,
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

fn bare_address(text: &str) -> String {
    text.trim_matches(['<', '>', ' ', '"']).to_owned()
}

/// Tells whether a mail says that it is a report, or comes from a mail system.
fn is_report(mail: &RawMessage) -> bool {
    let is_multipart = mail
        .field("content-type")
        .is_some_and(|field| field.parameters().value() == "multipart/report");
    is_multipart || from_mail_system(mail) != Trust::None
}

/// How much the From field and the reverse-path look like those of a mail system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    None,
    /// The reverse-path is null, or it comes from the postmaster.
    Some,
    /// It comes from MAILER-DAEMON, or names the recipients that failed.
    Sure,
}

fn from_mail_system(mail: &RawMessage) -> Trust {
    let from = mail
        .field("from")
        .map(|field| field.decoded().to_ascii_lowercase())
        .unwrap_or_default();
    let sure = [
        "mailer-daemon",
        "mailer_daemon",
        "mail-daemon",
        "mail delivery s",
        "mail deliver system",
        "mdaemon",
    ];
    if mail.field("x-failed-recipients").is_some() || sure.iter().any(|name| from.contains(name)) {
        return Trust::Sure;
    }
    let some = [
        "postmaster",
        "post_master",
        "mail administrator",
        "maildelivery",
        "mail delivery",
        "mail-system",
    ];
    let is_null = mail
        .field("return-path")
        .is_some_and(|field| field.value().trim_ascii() == b"<>");
    if is_null || some.iter().any(|name| from.contains(name)) {
        return Trust::Some;
    }
    Trust::None
}

/// What the subjects of bounces have in them.
const SUBJECTS: &[&str] = &[
    "undeliver",
    "delivery status notification",
    "delivery notification",
    "delivery failure",
    "delivery failed",
    "delivery has failed",
    "delivery report",
    "delivery problem",
    "failure notice",
    "failure delivery",
    "failed delivery",
    "failed mail",
    "returned mail",
    "mail delivery",
    "could not send",
    "could not be delivered",
    "not delivered",
    "non-delivery",
    "non delivery",
    "nondeliverable",
    "mail system error",
    "mail error",
    "message delayed",
    "delayed mail",
    "delivery delayed",
    "delivery error",
    "message status",
    "warning: message",
    "loop alert",
    "error sending",
    "rejected",
    "bounce",
    "unzustellbar",
    "non remis",
    "fehlgeschlagen",
];

/// What the words of bounces have in them.
const CLAIMS: &[&str] = &[
    "could not be delivered",
    "couldn't be delivered",
    "cannot be delivered",
    "can not be delivered",
    "can't be delivered",
    "not be delivered to",
    "was not delivered",
    "were not delivered",
    "wasn't able to deliver",
    "was unable to deliver",
    "were unable to deliver",
    "unable to deliver",
    "could not deliver",
    "failed permanently",
    "delivery failed",
    "delivery has failed",
    "delivery to the following",
    "did not reach",
    "returned to sender",
    "returning message to sender",
    "has been delayed",
    "not yet been delivered",
    "following address",
    "following recipient",
    "had permanent fatal errors",
    "had delivery problems",
    "had delivery errors",
    "transcript of session",
    "rejected by a remote",
    "failure reasons",
    "server message",
    "error delivering your mail",
    "invalid user address",
    "may not exist",
    "duplicated message-id",
];

/// Reads a bounce in plain words.
pub(super) fn read_words(mail: &RawMessage, own: &[RawPart], texts: &Texts) -> Option<DeliveryReport> {
    let trust = from_mail_system(mail);
    let subject = mail
        .field("subject")
        .map(|field| field.decoded().to_lowercase())
        .unwrap_or_default();
    let is_subject = SUBJECTS.iter().any(|words| subject.contains(words));
    let lower = texts.words.to_lowercase();
    let claims = CLAIMS.iter().any(|words| lower.contains(words));
    let mut sections = transcript::sections(&texts.words);
    let failed = failed_recipients(mail);
    let speaks = claims
        || !sections.is_empty()
        || judge(&[&texts.words], Codes::find(&texts.words), Phase::Unknown) != Reason::Unknown;
    let is_bounce = match trust {
        Trust::Sure => is_subject || speaks,
        Trust::Some => is_subject && speaks || claims && !is_automatic(mail),
        Trust::None => is_subject && claims && !sections.is_empty() || subject.starts_with("loop alert"),
    };
    if !is_bounce {
        return None;
    }
    if !failed.is_empty() {
        let is_named = |section: &transcript::Section| {
            failed
                .iter()
                .any(|address| address.eq_ignore_ascii_case(&section.address))
        };
        if sections.iter().any(is_named) {
            sections.retain(is_named);
        } else {
            sections.clear();
        }
        for address in &failed {
            if !sections
                .iter()
                .any(|section| section.address.eq_ignore_ascii_case(address))
            {
                sections.push(transcript::Section {
                    address: address.clone(),
                    said: String::new(),
                });
            }
        }
    }
    let is_late = ["delay", "warning"].iter().any(|word| subject.contains(word))
        && [
            "delay",
            "not yet been delivered",
            "will be retried",
            "warning message only",
        ]
        .iter()
        .any(|words| lower.contains(words));
    let action = if is_late { Action::Delayed } else { Action::Failed };
    let is_single = sections.len() <= 1;
    let whole = [subject.as_str(), texts.words.as_str()].join("\n");
    let mut recipients: Vec<RecipientReport> = sections
        .iter()
        .map(|section| read_section(section, is_single, &texts.words, &whole, action))
        .collect();
    if recipients.is_empty() {
        let nobody = transcript::Section {
            address: String::new(),
            said: String::new(),
        };
        recipients.push(read_section(&nobody, true, &texts.words, &whole, action));
    }
    Some(DeliveryReport {
        form: Form::Words,
        reporting_mta: None,
        envelope_id: None,
        date: mail.field("date").and_then(|field| field.date()),
        recipients,
        original: Original::find(own, &texts.returned),
    })
}

fn read_section(
    section: &transcript::Section,
    is_single: bool,
    words: &str,
    whole: &str,
    action: Action,
) -> RecipientReport {
    let mut codes = Codes::find(&section.said);
    let mut phase = Phase::find(&section.said);
    if is_single {
        codes = codes.or(Codes::find(words));
        if phase == Phase::Unknown {
            phase = Phase::find(words);
        }
    }
    let reason = if is_single {
        judge(&[&section.said, words, whole], codes, phase)
    } else {
        judge(&[&section.said], codes, phase)
    };
    let mut diagnostic = if section.said.is_empty() {
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    } else {
        section.said.clone()
    };
    cut_at(&mut diagnostic, DIAGNOSTIC);
    RecipientReport {
        recipient: Some(section.address.clone()).filter(|address| !address.is_empty()),
        original_recipient: None,
        action,
        codes,
        diagnostic: Some(diagnostic).filter(|text| !text.is_empty()),
        remote_mta: None,
        reason: Some(match reason {
            Reason::Unknown if action == Action::Delayed => Reason::Expired,
            reason => reason,
        }),
    }
}

/// Reads X-Failed-Recipients, which Exim and Gmail write.
fn failed_recipients(mail: &RawMessage) -> Vec<String> {
    mail.field("x-failed-recipients")
        .map(|field| {
            field
                .addresses_leniently()
                .mailboxes()
                .map(|mailbox| mailbox.address().to_string())
                .collect()
        })
        .unwrap_or_default()
}

/// Tells whether a program says of itself that it answered (RFC 3834 §5).
fn is_automatic(mail: &RawMessage) -> bool {
    mail.field("auto-submitted")
        .is_some_and(|field| field.decoded().to_ascii_lowercase().trim().starts_with("auto-replied"))
}
