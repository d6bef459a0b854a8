//! Lists as comma-separated values (RFC 4180).

mod error;
mod import;
mod instant;
mod read;
mod record;
mod write;

pub use error::{CsvError, CsvErrorKind};
pub use import::{ExportError, ImportError, Imported};
pub use read::CsvReader;
pub use write::CsvWriter;

/// What a spreadsheet takes for the beginning of a formula, or skips in search of one.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// What stands in front of a field that a spreadsheet might run.
const GUARD: char = '\'';
