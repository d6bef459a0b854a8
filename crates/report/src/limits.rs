//! How much of a stranger's report is read.

/// Limits what reading one report may cost.
///
/// Nothing beyond a limit is held, not even for a moment: decompression stops at the octet that breaks it.
///
/// # Examples
///
/// ```
/// use posthaste_report::{Limits, ReadError, dmarc};
///
/// let limits = Limits::new().max_decompressed(1000);
/// let long = format!("<feedback>{}</feedback>", " ".repeat(1000));
/// assert_eq!(dmarc::Report::read(long.as_bytes(), &limits), Err(ReadError::TooLarge { limit: 1000 }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub(crate) input: usize,
    pub(crate) decompressed: usize,
    pub(crate) ratio: usize,
    pub(crate) records: usize,
    pub(crate) entries: usize,
    pub(crate) text: usize,
    pub(crate) depth: usize,
    pub(crate) deviations: usize,
}

impl Limits {
    /// Takes the defaults: 20 MB of file or part, 20 MB decompressed, 200 times what was compressed, 100 000 records,
    /// 500 000 entries in them, texts of 4096 octets, 32 levels of XML, 100 deviations listed.
    pub const fn new() -> Self {
        Self {
            input: 20_000_000,
            decompressed: 20_000_000,
            ratio: 200,
            records: 100_000,
            entries: 500_000,
            text: 4096,
            depth: 32,
            deviations: 100,
        }
    }

    /// Sets how many octets a file, or a part of a mail without its transfer encoding, may have as it came.
    #[must_use]
    pub const fn max_input(mut self, octets: usize) -> Self {
        self.input = octets;
        self
    }

    /// Sets how many octets a report may have once it is decompressed; in UTF-8 too, where it came in another charset.
    #[must_use]
    pub const fn max_decompressed(mut self, octets: usize) -> Self {
        self.decompressed = octets;
        self
    }

    /// Sets how many octets one compressed octet may stand for on average. The first 64 KiB of a report are free.
    #[must_use]
    pub const fn max_ratio(mut self, ratio: usize) -> Self {
        self.ratio = ratio;
        self
    }

    /// Sets how many records a report may have: records of DMARC; policies and failure details, together, of TLS-RPT; fields
    /// of a failure report.
    #[must_use]
    pub const fn max_records(mut self, records: usize) -> Self {
        self.records = records;
        self
    }

    /// Sets how many entries all lists inside records may have together: authentication results, reasons, elements of
    /// extensions, lines of policies.
    #[must_use]
    pub const fn max_entries(mut self, entries: usize) -> Self {
        self.entries = entries;
        self
    }

    /// Sets how many octets one value may have. A longer one is left out and named a deviation.
    #[must_use]
    pub const fn max_text(mut self, octets: usize) -> Self {
        self.text = octets;
        self
    }

    /// Sets how deep XML elements may be nested. JSON may be 127 levels deep, which cannot be changed.
    #[must_use]
    pub const fn max_depth(mut self, levels: usize) -> Self {
        self.depth = levels;
        self
    }

    /// Sets how many deviations are listed; more are only counted.
    #[must_use]
    pub const fn max_deviations(mut self, deviations: usize) -> Self {
        self.deviations = deviations;
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}
