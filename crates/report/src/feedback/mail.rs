//! Mails that carry feedback reports.

use bytes::Bytes;
use posthaste_mime::{AutoSubmitted, Message, MessageBuilder, RawMessage, Report as MimeReport};

use super::model::Report;
use crate::deviation::{DeviationKind, Notes};
use crate::{Limits, ReadError, WriteError};

impl Report {
    /// Reads the report that a mail carries, and what it has of the message that it is about.
    ///
    /// # Errors
    ///
    /// [`ReadError::NoReport`] when no part is `message/feedback-report`; when the first one breaks a limit otherwise.
    pub fn from_mail(mail: &RawMessage, limits: &Limits) -> Result<Self, ReadError> {
        let parts = mail.own_parts()?;
        let mut found = parts
            .iter()
            .filter(|part| part.content_type() == "message/feedback-report");
        let fields = found.next().ok_or(ReadError::NoReport)?;
        if fields.decoded_len() > limits.input {
            return Err(ReadError::InputTooLarge { limit: limits.input });
        }
        let (mut report, _) = Self::read_fields(&fields.decoded(), limits, Notes::new(limits))?;
        if found.next().is_some() {
            report.deviations.add(limits, "mail", DeviationKind::Another);
        }
        for part in &parts {
            let slot = match part.content_type() {
                "message/rfc822" | "message/global" => &mut report.message,
                "text/rfc822-headers" | "message/rfc822-headers" | "message/global-headers" => &mut report.header,
                _ => continue,
            };
            if slot.is_none() && part.decoded_len() <= limits.input {
                *slot = Some(Bytes::from(part.decoded().into_owned()));
            }
        }
        Ok(report)
    }

    /// Begins the mail that takes the report to who wants it: text for people, the fields, and what there is of the message.
    ///
    /// From, To, Subject and the rest are yours to add.
    ///
    /// # Examples
    ///
    /// ```
    /// use posthaste_report::feedback::{AuthFailure, FeedbackType, Report};
    ///
    /// let mut report = Report::new(FeedbackType::AuthFailure, "Example/1.0");
    /// report.auth_failure = Some(AuthFailure::Dmarc);
    /// report.authentication_results.push("mx.example.net; dmarc=fail header.from=example.org".into());
    /// report.source_ip = Some("192.0.2.1".parse()?);
    /// report.reported_domains.push("example.org".into());
    /// report.header = Some("From: ada@example.org\r\n".into());
    /// let mail = report
    ///     .to_mail()?
    ///     .from("dmarc@mx.example.net".parse()?)
    ///     .to("reports@example.org".parse()?)
    ///     .subject("FW: Hello")
    ///     .build()?;
    /// assert!(String::from_utf8(mail.to_bytes()?.to_vec())?.contains("Auth-Failure: dmarc\r\n"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`to_fields`](Self::to_fields), and when the message or header cannot be returned: it must be 7-bit text in lines of at
    /// most 998 octets.
    pub fn to_mail(&self) -> Result<MessageBuilder, WriteError> {
        let mut part = MimeReport::from(self.to_fields()?);
        if let Some(message) = &self.message {
            part = part.returned_message(message.clone())?;
        } else if let Some(header) = &self.header {
            part = part.returned_header(header.clone())?;
        }
        let from = match self.source_ip {
            Some(address) => format!(" that came from {address}"),
            None => String::new(),
        };
        let kind = self.kind.as_ref().map_or("", |kind| kind.as_str());
        Ok(Message::builder()
            .auto_submitted(AutoSubmitted::Generated)
            .text(format!("This is a report ({kind}) on a message{from}.\n"))
            .report(part))
    }
}
