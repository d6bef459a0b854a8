//! Whole files into lists and out of them.

use std::io::{BufRead, Write};

use super::{CsvError, CsvReader, CsvWriter};
use crate::{Filter, ListError, SuppressionList};

/// How many entries are put, or listed, at once.
const BATCH: usize = 1000;

/// How many errors are kept.
const ERRORS: usize = 100;

/// What became of a file that was read to its end.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Imported {
    /// The entries that were put.
    pub entries: u64,
    /// The records that could not be read.
    pub failed: u64,
    /// What was wrong with the first hundred of them.
    pub errors: Vec<CsvError>,
}

/// Why a file was not read to its end. What was put before that stays; the same file may be imported again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The file cannot be read further.
    #[error("import broke off behind {entries} entries")]
    File {
        /// The entries that were put.
        entries: u64,
        /// What is wrong with the file.
        source: CsvError,
    },
    /// The list did not take what was read.
    #[error("import broke off behind {entries} entries")]
    List {
        /// The entries that were put for certain.
        entries: u64,
        /// What the list said.
        source: ListError,
    },
}

/// Why a list was not written to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The output cannot be written.
    #[error("export cannot be written")]
    Output(#[from] std::io::Error),
    /// The list did not answer.
    #[error("export broke off")]
    List(#[from] ListError),
}

impl<R: BufRead> CsvReader<R> {
    /// Reads the file to its end and puts its entries into a list, a thousand at a time; records that are wrong are counted.
    ///
    /// The file is read on the thread that polls this.
    ///
    /// # Errors
    ///
    /// [`ImportError`] if the file cannot be read further or the list does not take an entry.
    pub async fn import<L: SuppressionList + ?Sized>(mut self, list: &L) -> Result<Imported, ImportError> {
        let mut imported = Imported::default();
        let mut batch = Vec::new();
        loop {
            let mut end = None;
            match self.next() {
                Some(Ok(entry)) => batch.push(entry),
                Some(Err(error)) if error.is_final() => end = Some(Err(error)),
                Some(Err(error)) => {
                    imported.failed += 1;
                    if imported.errors.len() < ERRORS {
                        imported.errors.push(error);
                    }
                }
                None => end = Some(Ok(())),
            }
            if batch.len() >= BATCH || (end.is_some() && !batch.is_empty()) {
                let entries = imported.entries;
                let put = list.put(&batch).await;
                put.map_err(|source| ImportError::List { entries, source })?;
                imported.entries += batch.len() as u64;
                batch.clear();
            }
            let entries = imported.entries;
            match end {
                None => {}
                Some(Ok(())) => return Ok(imported),
                Some(Err(source)) => return Err(ImportError::File { entries, source }),
            }
        }
    }
}

impl<W: Write> CsvWriter<W> {
    /// Writes the entries of a list that a filter lets through, a thousand at a time, and returns how many there were.
    ///
    /// The output is written on the thread that polls this.
    ///
    /// # Errors
    ///
    /// [`ExportError`] if the list does not answer or the output cannot be written.
    pub async fn export<L: SuppressionList + ?Sized>(&mut self, list: &L, filter: Filter) -> Result<u64, ExportError> {
        let mut filter = filter.with_limit(BATCH as u32);
        let mut written = 0;
        loop {
            let page = list.list(&filter).await?;
            for entry in &page.entries {
                self.write(entry)?;
                written += 1;
            }
            match page.next {
                Some(next) => filter = filter.after(next),
                None => return Ok(written),
            }
        }
    }
}
