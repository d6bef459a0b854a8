//! Writes feedback reports.

use posthaste_address::{Domain, EmailAddress};
use posthaste_mime::{FeedbackReport, FeedbackType as MimeType, HeaderName, HeaderValue};

use super::model::Report;
use super::words::FeedbackType;
use crate::WriteError;
use crate::error::{required, word};

impl Report {
    /// Makes the part that programs read.
    ///
    /// # Errors
    ///
    /// [`WriteError`] when something is missing that RFC 5965 asks for, a word is none of its words, an address or domain is
    /// none, or a text cannot stand in a field. [`other_fields`](Self::other_fields) are written as they are.
    pub fn to_fields(&self) -> Result<FeedbackReport, WriteError> {
        let kind = required(&self.kind, "Feedback-Type", None)?;
        word(kind, "Feedback-Type", None)?;
        let kind = match kind {
            FeedbackType::Abuse => MimeType::Abuse,
            FeedbackType::AuthFailure => MimeType::AuthFailure,
            FeedbackType::Fraud => MimeType::Fraud,
            FeedbackType::NotSpam => MimeType::NotSpam,
            FeedbackType::Virus => MimeType::Virus,
            FeedbackType::Other | FeedbackType::Unknown(_) => MimeType::Other,
        };
        if kind == MimeType::AuthFailure {
            required(&self.auth_failure, "Auth-Failure", None)?;
            required(&self.authentication_results.first(), "Authentication-Results", None)?;
        }
        let mut fields = FeedbackReport::new(kind, required(&self.user_agent, "User-Agent", None)?)?;
        if let Some(id) = &self.original_envelope_id {
            fields = fields.original_envelope_id(id)?;
        }
        fields = match self.original_mail_from.as_deref() {
            Some("") => fields.original_sender_null(),
            Some(sender) => fields.original_sender(address("Original-Mail-From", sender)?),
            None => fields,
        };
        for recipient in &self.original_rcpt_to {
            fields = fields.original_recipient(address("Original-Rcpt-To", recipient)?);
        }
        if let Some(time) = self.arrival_date {
            fields = fields.arrival_date(time)?;
        }
        if let Some(host) = &self.reporting_mta {
            fields = fields.reporting_mta(domain("Reporting-MTA", host)?);
        }
        if let Some(address) = self.source_ip {
            fields = fields.source_ip(address);
        }
        if let Some(count) = self.incidents {
            let count = u32::try_from(count).map_err(|_| WriteError::value("Incidents", None, &count.to_string()))?;
            fields = fields.incidents(count);
        }
        for reported in &self.reported_domains {
            fields = fields.reported_domain(domain("Reported-Domain", reported)?);
        }
        for (name, value) in self.extensions()? {
            fields = fields.field(HeaderName::new(name)?, HeaderValue::structured(&value)?)?;
        }
        for (name, value) in &self.other_fields {
            fields = fields.field(HeaderName::new(name.as_str())?, HeaderValue::new(value.as_str())?)?;
        }
        Ok(fields)
    }

    /// The fields that mime has no methods for.
    fn extensions(&self) -> Result<Vec<(&'static str, String)>, WriteError> {
        let mut fields = Vec::new();
        let mut put = |name: &'static str, value: Option<&str>| {
            if let Some(value) = value {
                fields.push((name, value.to_owned()));
            }
        };
        put("Source-Port", self.source_port.map(|port| port.to_string()).as_deref());
        for results in &self.authentication_results {
            put("Authentication-Results", Some(results));
        }
        for uri in &self.reported_uris {
            put("Reported-URI", Some(uri));
        }
        put("Auth-Failure", word_of(self.auth_failure.as_ref(), "Auth-Failure")?);
        put(
            "Delivery-Result",
            word_of(self.delivery_result.as_ref(), "Delivery-Result")?,
        );
        put(
            "Identity-Alignment",
            word_of(self.identity_alignment.as_ref(), "Identity-Alignment")?,
        );
        put("DKIM-Domain", self.dkim_domain.as_deref());
        put("DKIM-Identity", self.dkim_identity.as_deref());
        put("DKIM-Selector", self.dkim_selector.as_deref());
        put("DKIM-Selector-DNS", self.dkim_selector_dns.as_deref());
        let folded = |encoded: &Option<String>| encoded.as_deref().map(in_lines);
        put(
            "DKIM-Canonicalized-Header",
            folded(&self.dkim_canonicalized_header).as_deref(),
        );
        put(
            "DKIM-Canonicalized-Body",
            folded(&self.dkim_canonicalized_body).as_deref(),
        );
        put("DKIM-ADSP-DNS", self.dkim_adsp_dns.as_deref());
        for record in &self.spf_dns {
            put("SPF-DNS", Some(record));
        }
        Ok(fields)
    }
}

fn word_of<'a, W: crate::word::Word>(value: Option<&'a W>, place: &'static str) -> Result<Option<&'a str>, WriteError> {
    value.map(|value| word(value, place, None)).transpose()
}

/// Puts spaces into base64, so that it can be folded.
fn in_lines(encoded: &str) -> String {
    let mut text = String::with_capacity(encoded.len() + encoded.len() / 60);
    for (at, letter) in encoded.chars().enumerate() {
        if at > 0 && at % 60 == 0 {
            text.push(' ');
        }
        text.push(letter);
    }
    text
}

fn address(place: &'static str, text: &str) -> Result<EmailAddress, WriteError> {
    text.parse().map_err(|_| WriteError::value(place, None, text))
}

fn domain(place: &'static str, text: &str) -> Result<Domain, WriteError> {
    text.parse().map_err(|_| WriteError::value(place, None, text))
}
