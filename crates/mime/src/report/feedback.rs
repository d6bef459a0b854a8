//! Complaints about a message: message/feedback-report.

use std::net::IpAddr;
use std::time::SystemTime;

use bytes::Bytes;
use posthaste_address::{Domain, EmailAddress};

use super::group::{self, Group};
use crate::text::refuse_controls;
use crate::{HeaderError, HeaderName, HeaderValue};

/// Complains about a message in the Abuse Reporting Format (RFC 5965).
///
/// # Examples
///
/// ```
/// use posthaste_mime::{FeedbackReport, FeedbackType, Report};
///
/// let complaint = FeedbackReport::new(FeedbackType::Abuse, "Postmaster/1.0")?.original_recipient("bob@example.net".parse()?);
/// assert!(Report::from(complaint).fields().starts_with("Feedback-Type: abuse\r\nUser-Agent: Postmaster/1.0\r\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct FeedbackReport {
    kind: FeedbackType,
    user_agent: String,
    original_envelope_id: Option<String>,
    original_sender: Option<ReversePath>,
    original_recipients: Vec<EmailAddress>,
    arrival_date: Option<String>,
    reporting_mta: Option<Domain>,
    source_ip: Option<IpAddr>,
    incidents: Option<u32>,
    reported_domains: Vec<Domain>,
    others: Vec<(HeaderName, HeaderValue)>,
}

impl FeedbackReport {
    /// Makes it, with the name and version of the program that reports.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] for the field `User-Agent` when the name is empty or holds a control character.
    pub fn new(kind: FeedbackType, user_agent: impl Into<String>) -> Result<Self, HeaderError> {
        const FIELD: &str = "User-Agent";
        let user_agent = user_agent.into();
        refuse_controls(FIELD, &user_agent, false)?;
        if user_agent.trim().is_empty() {
            return Err(HeaderError::Empty { field: FIELD });
        }
        Ok(Self {
            kind,
            user_agent,
            original_envelope_id: None,
            original_sender: None,
            original_recipients: Vec::new(),
            arrival_date: None,
            reporting_mta: None,
            source_ip: None,
            incidents: None,
            reported_domains: Vec::new(),
            others: Vec::new(),
        })
    }

    /// Sets the id that the sender gave the envelope.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] for the field `Original-Envelope-Id` when it is not printable ASCII.
    pub fn original_envelope_id(mut self, id: &str) -> Result<Self, HeaderError> {
        self.original_envelope_id = Some(group::structured("Original-Envelope-Id", id)?);
        Ok(self)
    }

    /// Sets the reverse-path of the message.
    pub fn original_sender(mut self, address: EmailAddress) -> Self {
        self.original_sender = Some(ReversePath::Address(address));
        self
    }

    /// Says that the reverse-path of the message was null.
    pub fn original_sender_null(mut self) -> Self {
        self.original_sender = Some(ReversePath::Null);
        self
    }

    /// Adds a recipient of the message.
    pub fn original_recipient(mut self, address: EmailAddress) -> Self {
        self.original_recipients.push(address);
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

    /// Sets the server that reports.
    pub fn reporting_mta(mut self, host: Domain) -> Self {
        self.reporting_mta = Some(host);
        self
    }

    /// Sets the address from which the message came.
    pub fn source_ip(mut self, address: IpAddr) -> Self {
        self.source_ip = Some(address);
        self
    }

    /// Sets how many such messages the report stands for.
    pub fn incidents(mut self, count: u32) -> Self {
        self.incidents = Some(count);
        self
    }

    /// Adds a domain to which the message is thought to lead.
    pub fn reported_domain(mut self, domain: Domain) -> Self {
        self.reported_domains.push(domain);
        self
    }

    /// Adds a field that has no method here, such as `Auth-Failure` (RFC 6591) or `Reported-URI`.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] for the field `feedback field` when the name is one that has a method.
    pub fn field(mut self, name: HeaderName, value: HeaderValue) -> Result<Self, HeaderError> {
        const OWN: [&str; 11] = [
            "Feedback-Type",
            "User-Agent",
            "Version",
            "Original-Envelope-Id",
            "Original-Mail-From",
            "Original-Rcpt-To",
            "Arrival-Date",
            "Reporting-MTA",
            "Source-IP",
            "Incidents",
            "Reported-Domain",
        ];
        if OWN.iter().any(|own| own.eq_ignore_ascii_case(name.as_str())) {
            return Err(HeaderError::Syntax {
                field: "feedback field",
                expected: "one without a method of its own",
            });
        }
        self.others.push((name, value));
        Ok(self)
    }

    pub(super) fn write(&self) -> Bytes {
        let mut group = Group::default();
        group.plain("Feedback-Type", self.kind.as_str());
        group.text("User-Agent", &self.user_agent);
        group.plain("Version", "1");
        group.optional("Original-Envelope-Id", self.original_envelope_id.as_deref());
        let sender = self.original_sender.as_ref().map(|sender| match sender {
            ReversePath::Null => "<>".to_owned(),
            ReversePath::Address(address) => path(address),
        });
        group.optional("Original-Mail-From", sender.as_deref());
        for recipient in &self.original_recipients {
            group.plain("Original-Rcpt-To", &path(recipient));
        }
        group.optional("Arrival-Date", self.arrival_date.as_deref());
        group.optional("Reporting-MTA", self.reporting_mta.as_ref().map(group::mta).as_deref());
        let source = self.source_ip.map(|address| address.to_string());
        group.optional("Source-IP", source.as_deref());
        let incidents = self.incidents.map(|count| count.to_string());
        group.optional("Incidents", incidents.as_deref());
        for domain in &self.reported_domains {
            group.plain("Reported-Domain", domain.as_str());
        }
        for (name, value) in &self.others {
            if value.is_structured() {
                group.plain(name.as_str(), value.as_str());
            } else {
                group.text(name.as_str(), value.as_str());
            }
        }
        group.finish()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum ReversePath {
    Null,
    Address(EmailAddress),
}

/// Writes an address in angle brackets.
fn path(address: &EmailAddress) -> String {
    let typed = group::address(address);
    format!("<{}>", typed.split_once("; ").map_or("", |(_, bare)| bare))
}

/// Says what a complaint is about (RFC 5965 §7.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FeedbackType {
    /// Unwanted mail.
    Abuse,
    /// Mail that pretends: fraud, phishing.
    Fraud,
    /// Harmful software.
    Virus,
    /// Mail that is wanted after all (RFC 6430).
    NotSpam,
    /// Mail that fails authentication (RFC 6591).
    AuthFailure,
    /// Something else.
    Other,
}

impl FeedbackType {
    /// Returns the type as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Abuse => "abuse",
            Self::Fraud => "fraud",
            Self::Virus => "virus",
            Self::NotSpam => "not-spam",
            Self::AuthFailure => "auth-failure",
            Self::Other => "other",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_extensions_follow() {
        let name = |name: &str| HeaderName::new(name).unwrap();
        let report = FeedbackReport::new(FeedbackType::AuthFailure, "Agent/1.0")
            .unwrap()
            .original_sender_null()
            .field(name("Auth-Failure"), HeaderValue::structured("bodyhash").unwrap())
            .unwrap()
            .field(name("Reported-URI"), HeaderValue::new("https://example.org/é").unwrap())
            .unwrap();
        let expected = "\
            Feedback-Type: auth-failure\r\n\
            User-Agent: Agent/1.0\r\n\
            Version: 1\r\n\
            Original-Mail-From: <>\r\n\
            Auth-Failure: bodyhash\r\n\
            Reported-URI: =?utf-8?Q?https://example.org/=C3=A9?=\r\n";
        assert_eq!(report.clone().write(), expected);
        let refused = report.field(name("version"), HeaderValue::structured("2").unwrap());
        assert_eq!(refused.unwrap_err().field(), "feedback field");
    }

    #[test]
    fn every_field_is_written() {
        let report = FeedbackReport::new(FeedbackType::Fraud, "Agent/1.0")
            .unwrap()
            .original_envelope_id("QQ1")
            .unwrap()
            .original_sender("eve@example.com".parse().unwrap())
            .original_recipient("bob@example.net".parse().unwrap())
            .original_recipient("carol@example.net".parse().unwrap())
            .arrival_date(SystemTime::UNIX_EPOCH)
            .unwrap()
            .reporting_mta("mx.example.net".parse().unwrap())
            .source_ip("2001:db8::1".parse().unwrap())
            .incidents(3)
            .reported_domain("bad.example".parse().unwrap());
        let expected = "\
            Feedback-Type: fraud\r\n\
            User-Agent: Agent/1.0\r\n\
            Version: 1\r\n\
            Original-Envelope-Id: QQ1\r\n\
            Original-Mail-From: <eve@example.com>\r\n\
            Original-Rcpt-To: <bob@example.net>\r\n\
            Original-Rcpt-To: <carol@example.net>\r\n\
            Arrival-Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n\
            Reporting-MTA: dns; mx.example.net\r\n\
            Source-IP: 2001:db8::1\r\n\
            Incidents: 3\r\n\
            Reported-Domain: bad.example\r\n";
        assert_eq!(report.write(), expected);
        for agent in ["", "a\r\nVersion: 2"] {
            assert_eq!(
                FeedbackReport::new(FeedbackType::Other, agent).unwrap_err().field(),
                "User-Agent"
            );
        }
    }
}
