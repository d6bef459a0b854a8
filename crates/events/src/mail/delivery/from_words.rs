//! Bounces in the plain words of some program.

use posthaste_mime::{RawMessage, RawPart};

use super::sender::{Trust, from_mail_system};
use super::{Action, DIAGNOSTIC, DeliveryReport, Form, RecipientReport};
use crate::bounce::{Codes, Phase, Reason, judge};
use crate::cut::{beginning, cut_at};
use crate::mail::original::Original;
use crate::mail::returned::Octets;
use crate::mail::text::Texts;
use crate::mail::transcript;

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
pub(in crate::mail) fn read_words(mail: &RawMessage, own: &[RawPart], texts: &Texts) -> Option<DeliveryReport> {
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
        raw: Octets::default(),
    })
}

pub(super) fn read_section(
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
        beginning(words, 4 * DIAGNOSTIC)
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
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
        in_ses_words: None,
    }
}

/// Reads X-Failed-Recipients, which Exim and Gmail write.
fn failed_recipients(mail: &RawMessage) -> Vec<String> {
    mail.field("x-failed-recipients")
        .map(|field| {
            field
                .addresses_leniently()
                .mailboxes()
                .take(transcript::MOST)
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
