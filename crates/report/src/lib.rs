//! Reads and writes DMARC aggregate reports, ARF failure reports and TLS-RPT reports.

mod container;
mod deviation;
pub mod dmarc;
mod element;
mod error;
mod file_name;
mod instant;
mod limits;
mod mail;
mod word;
mod xml;

pub use deviation::{Deviation, DeviationKind, Deviations};
pub use error::{ReadError, WriteError};
pub use file_name::FileName;
pub use limits::Limits;
