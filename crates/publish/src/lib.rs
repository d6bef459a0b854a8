//! Every DNS record that a domain needs to send and receive mail, as typed values.
//!
//! ```
//! use posthaste_publish::tls_rpt;
//!
//! let record: tls_rpt::Record = "v=TLSRPTv1; rua=mailto:tls@example.org".parse()?;
//! assert_eq!(record.uris().len(), 1);
//! # Ok::<(), tls_rpt::RecordError>(())
//! ```
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod bimi;
mod dkim;
mod fields;
pub mod mta_sts;
pub mod spf;
pub mod tls_rpt;
mod zone_record;

pub use dkim::{DkimKey, HostedDkim};
pub use zone_record::{ZoneRecord, ZoneRecordError};
