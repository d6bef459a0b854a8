//! Feedback reports (ARF): complaints (RFC 5965), and single messages that failed authentication (RFC 6591, and RFC 9991 for DMARC).
//!
//! ```
//! use posthaste_mime::RawMessage;
//! use posthaste_report::{Limits, feedback};
//!
//! let mail = RawMessage::parse(concat!(
//!     "Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n",
//!     "--b\r\nContent-Type: message/feedback-report\r\n\r\n",
//!     "Feedback-Type: auth-failure\r\nUser-Agent: Example/1.0\r\nVersion: 1\r\nAuth-Failure: dmarc\r\n",
//!     "Authentication-Results: mx.example.net; dmarc=fail header.from=example.org\r\n",
//!     "Source-IP: 192.0.2.1\r\nReported-Domain: example.org\r\n\r\n",
//!     "--b\r\nContent-Type: text/rfc822-headers\r\n\r\nFrom: ada@example.org\r\n\r\n--b--\r\n",
//! ))?;
//! let report = feedback::Report::from_mail(&mail, &Limits::new())?;
//! assert_eq!(report.auth_failure, Some(feedback::AuthFailure::Dmarc));
//! assert_eq!(report.source_ip, Some("192.0.2.1".parse()?));
//! assert!(report.deviations().is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod mail;
mod model;
mod read;
mod words;
mod write;

pub use model::Report;
pub use words::{AuthFailure, DeliveryResult, FeedbackType, IdentityAlignment};
