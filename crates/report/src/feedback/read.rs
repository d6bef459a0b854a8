//! Reads the fields of feedback reports.

use std::net::IpAddr;

use bytes::Bytes;
use posthaste_mime::{RawField, RawMessage};

use super::model::Report;
use super::words::FeedbackType;
use crate::deviation::{DeviationKind, Notes};
use crate::xml::number;
use crate::{Limits, ReadError, container};

/// The fields that every report has (RFC 5965 §3.1).
const REQUIRED: [&str; 3] = ["Feedback-Type", "User-Agent", "Version"];

impl Report {
    /// Reads the body of a `message/feedback-report` part: fields, one a line, folded as in headers; plain, or one gzip or zip
    /// member that holds them.
    ///
    /// # Errors
    ///
    /// [`ReadError`] when it breaks a limit, is packed in a way that no report needs, or has none of the fields that every
    /// feedback report has.
    pub fn read(file: &[u8], limits: &Limits) -> Result<Self, ReadError> {
        let mut notes = Notes::new(limits);
        let opened = container::open(file, limits, &mut notes)?;
        let (report, is_report) = Self::read_fields(&opened, limits, notes)?;
        if !is_report {
            return Err(ReadError::Unrecognised {
                expected: "fields of a feedback report, gzip nor zip",
            });
        }
        Ok(report)
    }

    /// Reads fields, and tells whether there is one of those that every report has, readable or not.
    pub(super) fn read_fields(fields: &[u8], limits: &Limits, mut notes: Notes) -> Result<(Self, bool), ReadError> {
        // Fields end where an empty line comes; some begin with one.
        let fields = fields.trim_ascii_start();
        let parsed = RawMessage::parse(Bytes::copy_from_slice(fields))?;
        let mut report = Self::default();
        let mut is_report = false;
        for (number, field) in parsed.fields().enumerate() {
            if number == limits.records {
                return Err(ReadError::TooMany {
                    what: "fields",
                    limit: limits.records,
                });
            }
            is_report |= REQUIRED.iter().any(|name| field.is(name));
            report.field(&field, limits, &mut notes);
        }
        if !parsed.body().trim_ascii().is_empty() {
            notes.note("fields", DeviationKind::Trailing);
        }
        report.finish(&mut notes);
        report.deviations = notes.finish();
        Ok((report, is_report))
    }

    fn field(&mut self, field: &RawField, limits: &Limits, notes: &mut Notes) {
        let name = field.name().to_ascii_lowercase();
        let is_encoded = matches!(name.as_str(), "dkim-canonicalized-header" | "dkim-canonicalized-body");
        let text = one_line(&field.decoded());
        if !is_encoded && text.len() > limits.text {
            return notes.note(place(&name), DeviationKind::TooLong);
        }
        let place = place(&name);
        let mut once = |slot: &mut Option<String>, text: String| {
            let value = (!text.is_empty()).then_some(text);
            if value.is_none() {
                notes.note(place, DeviationKind::Empty);
            }
            notes.once(place, slot, value);
        };
        match name.as_str() {
            "user-agent" => once(&mut self.user_agent, text),
            "original-envelope-id" => once(&mut self.original_envelope_id, text),
            "original-mail-from" => notes.once(place, &mut self.original_mail_from, Some(bare(&text))),
            "original-rcpt-to" => self.original_rcpt_to.push(bare(&text)),
            "reporting-mta" => once(&mut self.reporting_mta, untyped(&text)),
            "authentication-results" => self.authentication_results.push(text),
            "reported-domain" => self.reported_domains.push(text),
            "reported-uri" => self.reported_uris.push(bare(&text)),
            "dkim-domain" => once(&mut self.dkim_domain, text),
            "dkim-identity" => once(&mut self.dkim_identity, text),
            "dkim-selector" => once(&mut self.dkim_selector, text),
            "dkim-selector-dns" => once(&mut self.dkim_selector_dns, unquoted(&text)),
            "dkim-canonicalized-header" => once(&mut self.dkim_canonicalized_header, without_space(&text)),
            "dkim-canonicalized-body" => once(&mut self.dkim_canonicalized_body, without_space(&text)),
            "dkim-adsp-dns" => once(&mut self.dkim_adsp_dns, unquoted(&text)),
            "spf-dns" => self.spf_dns.push(text),
            "feedback-type" => word(notes, place, &mut self.kind, &text),
            "auth-failure" => word(notes, place, &mut self.auth_failure, &text),
            "delivery-result" => word(notes, place, &mut self.delivery_result, &text),
            "identity-alignment" => word(notes, place, &mut self.identity_alignment, &listed(&text)),
            "version" => parsed(notes, place, &mut self.version, &text, number),
            "incidents" => parsed(notes, place, &mut self.incidents, &text, number),
            "source-port" => parsed(notes, place, &mut self.source_port, &text, |text| {
                number(text)?.try_into().ok()
            }),
            "source-ip" => parsed(notes, place, &mut self.source_ip, &text, address),
            "arrival-date" | "received-date" => {
                parsed(notes, place, &mut self.arrival_date, &text, |_| field.date());
            }
            _ => self.other_fields.push((field.name().to_owned(), text)),
        }
    }

    fn finish(&self, notes: &mut Notes) {
        notes.required("Feedback-Type", &self.kind);
        notes.required("User-Agent", &self.user_agent);
        notes.required("Version", &self.version);
        if self.kind == Some(FeedbackType::AuthFailure) {
            notes.required("Auth-Failure", &self.auth_failure);
            notes.required("Authentication-Results", &self.authentication_results.first());
        }
    }
}

/// The name of a field as the standards write it, for deviations.
fn place(name: &str) -> &'static str {
    const NAMES: [&str; 26] = [
        "Feedback-Type",
        "User-Agent",
        "Version",
        "Original-Envelope-Id",
        "Original-Mail-From",
        "Original-Rcpt-To",
        "Arrival-Date",
        "Received-Date",
        "Reporting-MTA",
        "Source-IP",
        "Source-Port",
        "Incidents",
        "Authentication-Results",
        "Reported-Domain",
        "Reported-URI",
        "Auth-Failure",
        "Delivery-Result",
        "Identity-Alignment",
        "DKIM-Domain",
        "DKIM-Identity",
        "DKIM-Selector",
        "DKIM-Selector-DNS",
        "DKIM-Canonicalized-Header",
        "DKIM-Canonicalized-Body",
        "DKIM-ADSP-DNS",
        "SPF-DNS",
    ];
    NAMES
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(name))
        .unwrap_or("fields")
}

fn word<W: crate::word::Word>(notes: &mut Notes, place: &'static str, slot: &mut Option<W>, text: &str) {
    let value = notes.word(place, text);
    notes.once(place, slot, value);
}

fn parsed<T>(
    notes: &mut Notes,
    place: &'static str,
    slot: &mut Option<T>,
    text: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) {
    let value = parse(text);
    if value.is_none() {
        notes.invalid(place, text);
    }
    notes.once(place, slot, value);
}

/// Reads an address; some write a name in brackets behind it.
fn address(text: &str) -> Option<IpAddr> {
    let word = text.split([' ', '(']).next()?;
    let word = word.trim_matches(['[', ']']);
    let word = word.strip_prefix("IPv6:").unwrap_or(word);
    word.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Writes a list with one space behind each comma.
fn listed(text: &str) -> String {
    text.split(',').map(str::trim).collect::<Vec<_>>().join(", ")
}

fn without_space(text: &str) -> String {
    text.split_whitespace().collect()
}

fn bare(text: &str) -> String {
    text.strip_prefix('<')
        .and_then(|text| text.strip_suffix('>'))
        .unwrap_or(text)
        .to_owned()
}

/// Takes away the type: `dns; mx.example.net`.
fn untyped(text: &str) -> String {
    text.split_once(';').map_or(text, |(_, rest)| rest).trim().to_owned()
}

fn unquoted(text: &str) -> String {
    text.strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(text)
        .to_owned()
}
