//! Reports that programs read.

mod delivery;
mod disposition;
mod feedback;
mod group;

use bytes::Bytes;

use crate::attachment::{header_end, seven_bit};
use crate::{Attachment, ContentType, HeaderError};

pub use delivery::{DeliveryAction, DeliveryStatus, RecipientStatus, StatusCode};
pub use disposition::{Disposition, DispositionNotification};
pub use feedback::{FeedbackReport, FeedbackType};

/// Holds what makes a message a report: a part for programs to read, and the message that it is about or its header
/// section (multipart/report, RFC 6522); or the file of a TLS report (RFC 8460).
///
/// The text and HTML of the message are what people read.
///
/// # Examples
///
/// ```
/// use posthaste_mime::{DeliveryAction, DeliveryStatus, Message, RecipientStatus, Report};
///
/// let failed = RecipientStatus::new("bob@example.net".parse()?, DeliveryAction::Failed, "5.1.1".parse()?)
///     .diagnostic("550 5.1.1 no such user")?;
/// let status = DeliveryStatus::new("mx.example.org".parse()?, failed);
/// let message = Message::builder()
///     .from("Mail Delivery <postmaster@example.org>".parse()?)
///     .to("ada@example.org".parse()?)
///     .subject("Your message was not delivered")
///     .text("bob@example.net is unknown.\n")
///     .report(Report::from(status).returned_header("Subject: Hello\r\n")?)
///     .build()?;
/// assert!(String::from_utf8(message.to_bytes()?.to_vec())?.contains("report-type=delivery-status"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Report {
    kind: Kind,
    fields: Bytes,
    returned: Option<Returned>,
    file: Option<Attachment>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    DeliveryStatus,
    DispositionNotification,
    FeedbackReport,
    TlsReport,
}

/// What comes back of the message that a report is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Returned {
    Message(Bytes),
    Header(Bytes),
}

impl Report {
    /// Makes a TLS report of its file: JSON packed with gzip (RFC 8460 §5.3).
    ///
    /// `posthaste-report` makes the file, its name and the rest of the mail.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] when the name is no [`FileName`](crate::FileName).
    pub fn tls(file_name: impl Into<String>, gzip: impl Into<Bytes>) -> Result<Self, HeaderError> {
        let content_type = ContentType::parse("application/tlsrpt+gzip")?;
        Ok(Self {
            file: Some(Attachment::new(file_name, content_type, gzip)?),
            ..Self::new(Kind::TlsReport, Bytes::new())
        })
    }

    fn new(kind: Kind, fields: Bytes) -> Self {
        Self {
            kind,
            fields,
            returned: None,
            file: None,
        }
    }

    /// Adds the message that the report is about.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] for the field `returned message` when it is not 7-bit text in lines of at most 998 octets, as
    /// `message/rfc822` must be: return its header section then.
    pub fn returned_message(mut self, message: impl Into<Bytes>) -> Result<Self, HeaderError> {
        let message = seven_bit("returned message", &message.into())?;
        self.returned = Some(Returned::Message(message));
        Ok(self)
    }

    /// Adds the header section of the message that the report is about. Of a whole message, its header section is taken.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] for the field `returned header` when it is not 7-bit text in lines of at most 998 octets.
    pub fn returned_header(mut self, message: impl Into<Bytes>) -> Result<Self, HeaderError> {
        let mut message = message.into();
        message.truncate(header_end(&message));
        let header = seven_bit("returned header", &message)?;
        self.returned = Some(Returned::Header(header));
        Ok(self)
    }

    /// Returns the media type of the part that programs read, such as `message/delivery-status`.
    pub fn essence(&self) -> &'static str {
        match self.kind {
            Kind::DeliveryStatus => "message/delivery-status",
            Kind::DispositionNotification => "message/disposition-notification",
            Kind::FeedbackReport => "message/feedback-report",
            Kind::TlsReport => "application/tlsrpt+gzip",
        }
    }

    /// Returns the fields that programs read, as they are written; a TLS report has none.
    pub fn fields(&self) -> &str {
        std::str::from_utf8(&self.fields).unwrap_or_default()
    }

    /// The media type of the whole, with its own parameter.
    pub(crate) fn multipart(&self) -> &'static str {
        match self.kind {
            Kind::DeliveryStatus => "report; report-type=delivery-status",
            Kind::DispositionNotification => "report; report-type=disposition-notification",
            Kind::FeedbackReport => "report; report-type=feedback-report",
            Kind::TlsReport => "report; report-type=tlsrpt",
        }
    }

    pub(crate) fn field_bytes(&self) -> &Bytes {
        &self.fields
    }

    pub(crate) fn returned(&self) -> Option<&Returned> {
        self.returned.as_ref()
    }

    /// The file that stands in the place of fields.
    pub(crate) fn file(&self) -> Option<&Attachment> {
        self.file.as_ref()
    }
}

impl Returned {
    pub(crate) fn essence(&self) -> &'static str {
        match self {
            Self::Message(_) => "message/rfc822",
            Self::Header(_) => "text/rfc822-headers",
        }
    }

    pub(crate) fn octets(&self) -> &Bytes {
        match self {
            Self::Message(octets) | Self::Header(octets) => octets,
        }
    }
}

impl From<DeliveryStatus> for Report {
    fn from(status: DeliveryStatus) -> Self {
        Self::new(Kind::DeliveryStatus, status.write())
    }
}

impl From<DispositionNotification> for Report {
    fn from(notification: DispositionNotification) -> Self {
        Self::new(Kind::DispositionNotification, notification.write())
    }
}

impl From<FeedbackReport> for Report {
    fn from(report: FeedbackReport) -> Self {
        Self::new(Kind::FeedbackReport, report.write())
    }
}

impl PartialEq for Report {
    fn eq(&self, other: &Self) -> bool {
        let file = |report: &Self| {
            report
                .file
                .as_ref()
                .map(|file| (file.file_name().cloned(), file.data().cloned()))
        };
        (self.kind, &self.fields, &self.returned, file(self))
            == (other.kind, &other.fields, &other.returned, file(other))
    }
}

impl Eq for Report {}

/// Shows what kind of report it is, not what it says.
impl std::fmt::Debug for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let returned = self.returned.as_ref();
        f.debug_struct("Report")
            .field("kind", &self.kind)
            .field("returned", &returned.map(Returned::essence))
            .finish_non_exhaustive()
    }
}
