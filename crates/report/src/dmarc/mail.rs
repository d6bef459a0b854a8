//! Mails that carry aggregate reports.

use posthaste_address::Domain;
use posthaste_mime::{Attachment, AutoSubmitted, ContentType, Message, MessageBuilder, RawMessage};

use super::model::Report;
use crate::error::required;
use crate::{FileName, Limits, ReadError, WriteError, mail};

impl Report {
    /// Reads the report that a mail carries.
    ///
    /// The part is found by what is in it, not by its type or file name: gzip, zip, or XML that is no HTML. Messages inside
    /// the message are not looked into. The first part that could be a report counts.
    ///
    /// # Errors
    ///
    /// [`ReadError::NoReport`] when no part could be one; why the first one was not read otherwise.
    pub fn from_mail(mail: &RawMessage, limits: &Limits) -> Result<Self, ReadError> {
        mail::first(mail, limits, mail::may_be_xml, Self::read, |report| {
            &mut report.deviations
        })
    }

    /// Begins the mail that takes the report to who wants it: subject, text for people, the packed report (RFC 9990 §3.5.2).
    ///
    /// `submitter` is the receiver that reports. From, To and the rest are yours to add; the mail must pass DMARC itself.
    ///
    /// # Examples
    ///
    /// ```
    /// use posthaste_report::{Limits, dmarc};
    ///
    /// # let xml = "<feedback><report_metadata><org_name>Example</org_name><email>dmarc@example.net</email>\
    /// #     <report_id>7</report_id><date_range><begin>1700000000</begin><end>1700086399</end></date_range></report_metadata>\
    /// #     <policy_published><domain>example.org</domain><p>none</p></policy_published>\
    /// #     <record><row><source_ip>192.0.2.1</source_ip><count>3</count><policy_evaluated><disposition>none</disposition>\
    /// #     <dkim>fail</dkim><spf>pass</spf></policy_evaluated></row><identifiers><header_from>example.org</header_from>\
    /// #     </identifiers><auth_results></auth_results></record></feedback>";
    /// # let report = dmarc::Report::read(xml.as_bytes(), &Limits::new())?;
    /// let mail = report
    ///     .to_mail(&"mx.example.net".parse()?)?
    ///     .from("dmarc@example.net".parse()?)
    ///     .to("reports@example.org".parse()?)
    ///     .build()?;
    /// assert_eq!(mail.subject(), Some("Report Domain: example.org Submitter: mx.example.net Report-ID: 7"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`to_xml`](Self::to_xml) and [`file_name`](Self::file_name).
    pub fn to_mail(&self, submitter: &Domain) -> Result<MessageBuilder, WriteError> {
        let domain = self.checked_domain()?;
        let id = self.metadata.checked_id()?;
        let file_name = self.file_name(submitter)?.to_string();
        let packed = Attachment::new(file_name, ContentType::parse("application/gzip")?, self.to_gzip()?)?;
        Ok(Message::builder()
            .subject(format!(
                "Report Domain: {domain} Submitter: {submitter} Report-ID: {id}"
            ))
            .auto_submitted(AutoSubmitted::Generated)
            .text(format!(
                "This is a DMARC aggregate report for {domain}, made by {submitter}.\nIts id is {id}.\n"
            ))
            .attach(packed))
    }

    /// Names the file of the report as it is sent: `receiver!domain!begin!end.xml.gz`.
    ///
    /// # Errors
    ///
    /// [`WriteError`] when the domain of the policy or the period is missing or none.
    pub fn file_name(&self, receiver: &Domain) -> Result<FileName, WriteError> {
        let domain = self.checked_domain()?;
        Ok(FileName::new(receiver, &domain, self.metadata.period()?, ".xml.gz"))
    }

    fn checked_domain(&self) -> Result<Domain, WriteError> {
        const PLACE: &str = "policy_published/domain";
        let domain = required(&self.policy.domain, PLACE, None)?;
        let parsed = domain.parse::<Domain>().ok().filter(|domain| !domain.is_literal());
        parsed.ok_or_else(|| WriteError::value(PLACE, None, domain))
    }
}
