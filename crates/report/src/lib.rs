//! Reads and writes what receivers report: DMARC aggregate reports, failure reports and complaints, TLS reports.
//!
//! A report is XML, JSON or fields, plain or packed by gzip or zip, by itself or in the mail that carries it. It comes from
//! strangers: every size has a limit ([`Limits`]), an XML document type is an error, and what a report says against the standard is
//! kept beside it as [`Deviations`], never guessed at.
//!
//! ```
//! use posthaste_report::{Limits, dmarc};
//!
//! let xml = "<feedback><report_metadata><org_name>Example</org_name><email>dmarc@example.net</email>\
//!     <report_id>1</report_id><date_range><begin>1700000000</begin><end>1700086399</end></date_range></report_metadata>\
//!     <policy_published><domain>example.org</domain><p>none</p></policy_published>\
//!     <record><row><source_ip>192.0.2.1</source_ip><count>3</count><policy_evaluated><disposition>none</disposition>\
//!     <dkim>fail</dkim><spf>pass</spf></policy_evaluated></row><identifiers><header_from>example.org</header_from>\
//!     </identifiers><auth_results><spf><domain>example.org</domain><result>pass</result></spf></auth_results></record>\
//!     </feedback>";
//! let report = dmarc::Report::read(xml.as_bytes(), &Limits::new())?;
//! assert_eq!(report.totals().passed, 3);
//! # Ok::<(), posthaste_report::ReadError>(())
//! ```
//!
//! # Where to look
//!
//! - [`dmarc`]: aggregate reports, read, written, and made of a period's messages.
//! - [`feedback`]: reports on one message: complaints, and failed authentication.
//! - [`tls`]: what senders saw of a domain's mail servers.
//! - [`Limits`], [`ReadError`], [`Deviation`]: what is refused, and what is taken with a remark.
//!
//! # Standards
//!
//! RFC 9990, and RFC 7489 appendix C (aggregate reports); RFC 5965, 6430, 6591, 6692 and 9991 (feedback and failure reports); RFC 8460
//! (TLS reports).

mod container;
mod deviation;
pub mod dmarc;
mod element;
mod error;
pub mod feedback;
mod file_name;
mod instant;
mod json;
mod limits;
mod mail;
mod report_id;
pub mod tls;
mod word;
mod xml;

pub use deviation::{Deviation, DeviationKind, Deviations};
pub use error::{ReadError, WriteError};
pub use file_name::FileName;
pub use limits::Limits;

/// The README's example, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
