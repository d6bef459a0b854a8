//! DMARC aggregate reports (RFC 9990; RFC 7489 appendix C): what became of the mail that used a domain.
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
//! assert_eq!(report.policy.domain.as_deref(), Some("example.org"));
//! assert_eq!(report.totals().passed, 3);
//! assert!(report.deviations().is_empty());
//! # Ok::<(), posthaste_report::ReadError>(())
//! ```

mod aggregate;
mod mail;
mod model;
mod read;
mod words;
mod write;

pub use crate::element::Element;
pub use aggregate::{Aggregation, Evaluation, Full};
pub use model::{
    AuthResults, DkimResult, Identifiers, Metadata, PolicyEvaluated, PublishedPolicy, Reason, Record, Report,
    SpfResult, Text, Totals,
};
pub use words::{Alignment, DiscoveryMethod, Disposition, DkimWord, Outcome, Override, Policy, Scope, SpfWord};
