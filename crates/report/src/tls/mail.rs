//! Mails that carry TLS reports.

use posthaste_address::Domain;
use posthaste_mime::{
    AutoSubmitted, HeaderName, HeaderValue, Message, MessageBuilder, RawMessage, Report as MimeReport,
};

use super::model::Report;
use crate::{FileName, Limits, ReadError, WriteError, mail, report_id};

impl Report {
    /// Reads the report that a mail carries.
    ///
    /// The part is found by what is in it, not by its type or file name: gzip, zip, or a JSON object. Messages inside the
    /// message are not looked into. The first part that can be read counts.
    ///
    /// # Errors
    ///
    /// [`ReadError::NoReport`] when no part could be one; why the first one was not read otherwise.
    pub fn from_mail(mail: &RawMessage, limits: &Limits) -> Result<Self, ReadError> {
        mail::first(mail, limits, mail::may_be_json, Self::read, |report| {
            &mut report.deviations
        })
    }

    /// Names the file of the report as it is sent: `submitter!domain!begin!end.json.gz` (RFC 8460 §5.1).
    ///
    /// # Errors
    ///
    /// [`WriteError`] when the period is missing or none.
    pub fn file_name(&self, submitter: &Domain, domain: &Domain) -> Result<FileName, WriteError> {
        Ok(FileName::new(submitter, domain, self.period()?, ".json.gz"))
    }

    /// Begins the mail that takes the report about `domain` to who wants it: subject, the two fields of RFC 8460 §5.3, text
    /// for people, the packed report.
    ///
    /// `submitter` is the sender that reports. From, To and the rest are yours to add; the mail must have a DKIM signature
    /// of the submitter.
    ///
    /// # Examples
    ///
    /// ```
    /// use posthaste_report::{Limits, tls};
    ///
    /// # let json = r#"{
    /// #   "organization-name": "Example", "contact-info": "tls@example.net", "report-id": "1",
    /// #   "date-range": {"start-datetime": "2026-11-22T00:00:00Z", "end-datetime": "2026-11-22T23:59:59Z"},
    /// #   "policies": [{
    /// #     "policy": {"policy-type": "sts", "policy-domain": "example.org"},
    /// #     "summary": {"total-successful-session-count": 40, "total-failure-session-count": 0}
    /// #   }]
    /// # }"#;
    /// # let report = tls::Report::read(json.as_bytes(), &Limits::new())?;
    /// let mail = report
    ///     .to_mail(&"example.org".parse()?, &"mail.example.net".parse()?)?
    ///     .from("tls@mail.example.net".parse()?)
    ///     .to("reports@example.org".parse()?)
    ///     .build()?;
    /// let subject = "Report Domain: example.org Submitter: mail.example.net Report-ID: <1@mail.example.net>";
    /// assert_eq!(mail.subject(), Some(subject));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`to_json`](Self::to_json) and [`file_name`](Self::file_name), and when the report id cannot stand in a subject.
    pub fn to_mail(&self, domain: &Domain, submitter: &Domain) -> Result<MessageBuilder, WriteError> {
        let id = report_id::checked("report-id", self.written_id()?)?;
        let bare = id.strip_prefix('<').and_then(|id| id.strip_suffix('>')).unwrap_or(id);
        // A msg-id has an `@` (RFC 5322 §3.6.4).
        let id = if bare.contains('@') {
            format!("<{bare}>")
        } else {
            format!("<{bare}@{submitter}>")
        };
        let file_name = self.file_name(submitter, domain)?.to_string();
        let field = |name: &str, domain: &Domain| {
            Ok::<_, WriteError>((HeaderName::new(name)?, HeaderValue::structured(domain.as_str())?))
        };
        let (domain_name, domain_value) = field("TLS-Report-Domain", domain)?;
        let (submitter_name, submitter_value) = field("TLS-Report-Submitter", submitter)?;
        Ok(Message::builder()
            .subject(format!(
                "Report Domain: {domain} Submitter: {submitter} Report-ID: {id}"
            ))
            .header(domain_name, domain_value)
            .header(submitter_name, submitter_value)
            .auto_submitted(AutoSubmitted::Generated)
            .text(format!(
                "This is an aggregate TLS report for {domain}, made by {submitter}.\n"
            ))
            .report(MimeReport::tls(file_name, self.to_gzip()?)?))
    }
}
