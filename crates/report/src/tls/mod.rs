//! TLS reports (RFC 8460): what became of the connections that senders made to a domain's mail servers.
//!
//! ```
//! use posthaste_report::{Limits, tls};
//!
//! let json = r#"{
//!   "organization-name": "Example", "contact-info": "tls@example.net", "report-id": "1",
//!   "date-range": {"start-datetime": "2026-11-22T00:00:00Z", "end-datetime": "2026-11-22T23:59:59Z"},
//!   "policies": [{
//!     "policy": {"policy-type": "sts", "policy-domain": "example.org"},
//!     "summary": {"total-successful-session-count": 40, "total-failure-session-count": 2},
//!     "failure-details": [{"result-type": "certificate-expired", "failed-session-count": 2}]
//!   }]
//! }"#;
//! let report = tls::Report::read(json.as_bytes(), &Limits::new())?;
//! assert_eq!(report.totals().failed, 2);
//! assert_eq!(report.policies[0].failures[0].result, Some(tls::ResultType::CertificateExpired));
//! # Ok::<(), posthaste_report::ReadError>(())
//! ```

mod mail;
mod model;
mod read;
mod words;
mod write;

pub use model::{Failure, Policy, PolicyResult, Report, Totals};
pub use words::{PolicyType, ResultType};
