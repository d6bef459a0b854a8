//! From a file to entries.

use std::io::BufRead;
use std::time::SystemTime;

use posthaste_address::{EmailAddress, ParseOptions};

use super::record::Records;
use super::{CsvError, CsvErrorKind, FORMULA, GUARD, instant};
use crate::{Entry, Reason, Scope};

/// Reads entries from a file, one at a time; an iterator.
///
/// With a header the columns may stand in any order; they have the names that [`CsvWriter`](super::CsvWriter) gives them, or those
/// that providers export: `address` (`email`, `recipient`), `reason` (`type`), `scope` (`stream`, `tenant`), `created`
/// (`created_at`, `date`), `expiry` (`expires`), `source` (`origin`), `detail` (`description`, `error`). Case, blanks and underscores
/// in them make no difference. Without a header a record is an address, or an address and a reason: what Amazon SES imports.
///
/// A record that is wrong is an error with its line, and reading goes on behind it, unless the error
/// [is final](CsvError::is_final). Memory is bounded whatever the file holds.
///
/// Fields that begin with `'` and a character that spreadsheets run, or with two `'`, lose the first: that is how
/// [`CsvWriter`](super::CsvWriter) disarms them.
///
/// # Examples
///
/// ```
/// use std::time::SystemTime;
///
/// use posthaste_suppression::{CsvReader, Reason};
///
/// let file = "bob@example.net,BOUNCE\nzoe@example.net,COMPLAINT\n";
/// let entries = CsvReader::new(file.as_bytes(), SystemTime::now()).collect::<Result<Vec<_>, _>>()?;
/// assert_eq!(entries[1].reason(), Reason::Complaint);
/// # Ok::<(), posthaste_suppression::CsvError>(())
/// ```
#[derive(Debug)]
pub struct CsvReader<R> {
    records: Records<R>,
    columns: Vec<Column>,
    is_started: bool,
    is_over: bool,
    now: SystemTime,
    reason: Option<Reason>,
    scope: Scope,
    source: Option<Box<str>>,
    ignores_unknown: bool,
    is_guarded: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Address,
    Reason,
    Scope,
    Created,
    Expiry,
    Source,
    Detail,
    Ignored,
}

impl Column {
    /// The column that a name means.
    fn named(name: &str) -> Option<Self> {
        let plain: String = name
            .chars()
            .filter(|c| !matches!(c, ' ' | '_' | '-'))
            .map(|c| c.to_ascii_lowercase())
            .collect();
        Some(match plain.as_str() {
            "address" | "email" | "emailaddress" | "recipient" | "mail" => Self::Address,
            "reason" | "type" | "suppressionreason" => Self::Reason,
            "scope" | "stream" | "messagestream" | "tenant" | "tenantname" | "list" => Self::Scope,
            "created" | "createdat" | "date" | "timestamp" | "lastupdatetime" => Self::Created,
            "expiry" | "expires" | "expiresat" => Self::Expiry,
            "source" | "origin" => Self::Source,
            "detail" | "details" | "description" | "error" | "diagnosticcode" => Self::Detail,
            _ => return None,
        })
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Reason => "reason",
            Self::Scope => "scope",
            Self::Created => "created",
            Self::Expiry => "expiry",
            Self::Source => "source",
            Self::Detail => "detail",
            Self::Ignored => "",
        }
    }
}

impl<R: BufRead> CsvReader<R> {
    /// Reads from `input`; records without a time are of `now`.
    pub fn new(input: R, now: SystemTime) -> Self {
        Self {
            records: Records::new(input, b','),
            columns: Vec::new(),
            is_started: false,
            is_over: false,
            now,
            reason: None,
            scope: Scope::global(),
            source: None,
            ignores_unknown: false,
            is_guarded: true,
        }
    }

    /// Sets what stands between fields: a comma unless set. Spreadsheets write semicolons where the comma is a decimal sign.
    #[must_use]
    pub const fn with_delimiter(mut self, delimiter: u8) -> Self {
        self.records.set_delimiter(delimiter);
        self
    }

    /// Sets the reason of records that have none; unless set, they are errors.
    #[must_use]
    pub const fn with_reason(mut self, reason: Reason) -> Self {
        self.reason = Some(reason);
        self
    }

    /// Sets the scope of records that have none; all mail unless set.
    #[must_use]
    pub fn with_scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// Sets the source of records that have none.
    #[must_use]
    pub fn with_source(mut self, source: &str) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Passes over columns whose names mean nothing here; unless set, they are an error.
    #[must_use]
    pub const fn ignore_unknown_columns(mut self) -> Self {
        self.ignores_unknown = true;
        self
    }

    /// Takes fields as they stand, a leading `'` included.
    #[must_use]
    pub const fn unguarded(mut self) -> Self {
        self.is_guarded = false;
        self
    }

    fn next_entry(&mut self) -> Option<Result<Entry, CsvError>> {
        loop {
            let (line, result) = self.records.read()?;
            let read = result.and_then(|()| {
                if !self.is_started {
                    self.is_started = true;
                    self.columns = self.header()?;
                    if !self.columns.is_empty() {
                        return Ok(None);
                    }
                    self.columns = vec![Column::Address, Column::Reason];
                }
                self.entry().map(Some)
            });
            match read {
                Ok(None) => {}
                Ok(Some(entry)) => return Some(Ok(entry)),
                Err(kind) => return Some(Err(CsvError::new(line, kind))),
            }
        }
    }

    /// The columns that the first record names; none if it is an entry already.
    fn header(&self) -> Result<Vec<Column>, CsvErrorKind> {
        if self.records.field(0)?.is_some_and(|first| first.contains('@')) {
            return Ok(Vec::new());
        }
        let mut columns = Vec::new();
        for index in 0..self.records.len() {
            let name = self.records.field(index)?.unwrap_or_default().trim();
            let column = match Column::named(name) {
                Some(column) => column,
                None if self.ignores_unknown => Column::Ignored,
                None => {
                    let name = name.chars().take(40).flat_map(char::escape_debug).collect();
                    return Err(CsvErrorKind::UnknownColumn { name });
                }
            };
            if column != Column::Ignored && columns.contains(&column) {
                return Err(CsvErrorKind::SameColumn { name: column.name() });
            }
            columns.push(column);
        }
        match columns.contains(&Column::Address) {
            true => Ok(columns),
            false => Err(CsvErrorKind::NoAddressColumn),
        }
    }

    fn entry(&self) -> Result<Entry, CsvErrorKind> {
        let (fields, columns) = (self.records.len(), self.columns.len());
        if fields > columns {
            return Err(CsvErrorKind::TooManyFields { fields, columns });
        }
        let address = self.field(Column::Address)?.unwrap_or_default();
        let options = ParseOptions::default().domain_literals(true);
        let address = EmailAddress::parse_with(address, &options).map_err(CsvErrorKind::Address)?;
        let reason = match self.field(Column::Reason)? {
            Some(word) => word.parse().map_err(|_| CsvErrorKind::Reason)?,
            None => self.reason.ok_or(CsvErrorKind::NoReason)?,
        };
        let created = self.time(Column::Created)?.unwrap_or(self.now);
        let mut entry = Entry::new(address, reason, created).with_scope(match self.field(Column::Scope)? {
            Some(name) => Scope::named(name).map_err(CsvErrorKind::Scope)?,
            None => self.scope.clone(),
        });
        if let Some(expiry) = self.time(Column::Expiry)? {
            entry = entry.with_expiry(expiry);
        }
        if let Some(source) = self.field(Column::Source)?.or(self.source.as_deref()) {
            entry = entry.with_source(source);
        }
        if let Some(detail) = self.field(Column::Detail)? {
            entry = entry.with_detail(detail);
        }
        Ok(entry)
    }

    fn time(&self, column: Column) -> Result<Option<SystemTime>, CsvErrorKind> {
        let Some(text) = self.field(column)? else {
            return Ok(None);
        };
        match instant::parse(text) {
            Some(time) => Ok(Some(time)),
            None => Err(CsvErrorKind::Time { column: column.name() }),
        }
    }

    /// What stands in a column, if the file has it and it is not empty.
    fn field(&self, column: Column) -> Result<Option<&str>, CsvErrorKind> {
        let Some(index) = self.columns.iter().position(|other| *other == column) else {
            return Ok(None);
        };
        let Some(text) = self.records.field(index)? else {
            return Ok(None);
        };
        let text = text.trim_matches(' ');
        let disarmed = text
            .strip_prefix(GUARD)
            .filter(|rest| self.is_guarded && rest.starts_with(|c| c == GUARD || FORMULA.contains(&c)));
        Ok(Some(disarmed.unwrap_or(text)).filter(|text| !text.is_empty()))
    }
}

impl<R: BufRead> Iterator for CsvReader<R> {
    type Item = Result<Entry, CsvError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let next = self.next_entry();
        self.is_over = match &next {
            None => true,
            Some(Ok(_)) => false,
            Some(Err(error)) => error.is_final(),
        };
        next
    }
}
