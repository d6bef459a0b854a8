//! How much of a stranger's message is read, and how its broken lines are taken.

/// Says what a line of a header section is that is no field: one without a colon, or with a space in its name.
///
/// RFC 7103 §7.2 tells where such lines come from; readers differ about them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum JunkLines {
    /// It stays where it is, and the header section goes on behind it. Whatever some reader takes for a field is found
    /// then, so that nothing that must be removed hides.
    #[default]
    Keep,
    /// It is the first line of the body, as if the empty line before it were missing.
    StartBody,
}

/// Limits what reading one message may cost, and says how lenient it is.
///
/// # Examples
///
/// ```
/// use posthaste_mime::{RawError, RawMessage, RawOptions};
///
/// let strict = RawOptions::new().max_fields(2);
/// let error = RawMessage::parse_with("A: 1\r\nB: 2\r\nC: 3\r\n\r\n", &strict).unwrap_err();
/// assert!(matches!(error, RawError::TooManyFields { limit: 2, .. }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawOptions {
    pub(super) max_header: usize,
    pub(super) max_fields: usize,
    pub(super) max_parts: usize,
    pub(super) max_depth: usize,
    pub(super) junk_lines: JunkLines,
}

impl RawOptions {
    /// Takes the defaults: header sections of 1 MiB and 10 000 fields, 500 parts, 64 levels, junk lines kept.
    pub const fn new() -> Self {
        Self {
            max_header: 1 << 20,
            max_fields: 10_000,
            max_parts: 500,
            max_depth: 64,
            junk_lines: JunkLines::Keep,
        }
    }

    /// Limits each header section to `octets`.
    #[must_use]
    pub const fn max_header(mut self, octets: usize) -> Self {
        self.max_header = octets;
        self
    }

    /// Limits the fields of each header section.
    #[must_use]
    pub const fn max_fields(mut self, fields: usize) -> Self {
        self.max_fields = fields;
        self
    }

    /// Limits the parts that [`RawMessage::parts`](crate::RawMessage::parts) returns. SES takes 500.
    #[must_use]
    pub const fn max_parts(mut self, parts: usize) -> Self {
        self.max_parts = parts;
        self
    }

    /// Limits how deep parts may be nested; the message itself is at depth 0.
    #[must_use]
    pub const fn max_depth(mut self, depth: usize) -> Self {
        self.max_depth = depth;
        self
    }

    /// Says how lines are taken that are no fields.
    #[must_use]
    pub const fn junk_lines(mut self, junk_lines: JunkLines) -> Self {
        self.junk_lines = junk_lines;
        self
    }
}

impl Default for RawOptions {
    fn default() -> Self {
        Self::new()
    }
}
