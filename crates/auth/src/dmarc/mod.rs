//! Evaluates DMARC: does SPF or DKIM speak for the domain in From, and what does that domain want done if not?
//!
//! RFC 9989 with its tree walk; RFC 7489's Public Suffix List rule is a switch ([`Method`]).
//!
//! ```
//! use posthaste_auth::dmarc::{self, DmarcResult, Input, Policy};
//! use posthaste_dns::Zone;
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let zone = Zone::parse("_dmarc.example.org. TXT \"v=DMARC1; p=reject\"\n")?;
//! let input = Input::new("news.example.org".parse()?).dkim_pass("example.org".parse()?);
//! let report = dmarc::evaluate(&input, &zone).await;
//! assert_eq!(report.result(), DmarcResult::Pass);
//!
//! let report = dmarc::evaluate(&Input::new("example.org".parse()?), &zone).await;
//! assert_eq!((report.result(), report.disposition()), (DmarcResult::Fail, Policy::Reject));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod build;
mod consent;
mod evaluate;
mod identifier;
mod record;
mod walk;

pub use build::{FailureOptions, RecordBuilder, ReportAddressError};
pub use consent::{ReportConsent, report_consent};
pub use evaluate::{DmarcResult, Input, Report, evaluate};
pub use identifier::{Authentication, Identifier, PolicyTag, Standing};
pub use record::{Alignment, Policy, PublicSuffix, Record, RecordError, ReportAddress};
pub use walk::Method;
