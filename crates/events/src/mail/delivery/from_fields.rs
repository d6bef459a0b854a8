//! Delivery reports that have fields (RFC 3464).

use posthaste_mime::{RawMessage, RawPart};
use posthaste_transport::EnhancedStatus;

use super::from_words::read_section;
use super::sender::{Trust, from_mail_system};
use super::{Action, DIAGNOSTIC, DeliveryReport, Form, RecipientReport, better};
use crate::bounce::{Codes, Phase, Reason, judge};
use crate::cut::{beginning, cut_at};
use crate::mail::fields::{self, Group};
use crate::mail::original::Original;
use crate::mail::returned::Octets;
use crate::mail::text::{Texts, loose_text};
use crate::mail::transcript;

/// For how many recipients words count that name none.
const FEW: usize = 8;

/// Reads a report that has fields, be they in a part of their own or, as some programs do, in the text.
pub(in crate::mail) fn read_fields(mail: &RawMessage, own: &[RawPart], texts: &Texts) -> Option<DeliveryReport> {
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
        raw: Octets::default(),
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
    // There may be as many groups as there is text: what is read of it for each has an end.
    let beside = beginning(section.map_or(words, |section| section.said.as_str()), BESIDE);

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
        in_ses_words: None,
    }
}

/// How much of what is said beside a group is read for it.
const BESIDE: usize = 4 * 1024;

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
