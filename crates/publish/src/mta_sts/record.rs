//! The record that says that there is a policy.

use std::{fmt, str::FromStr};

use crate::fields::{FieldError, fields, is_extension_value};

const VERSION: &str = "v=STSv1";

/// Says that a domain has a policy, and by its id, whether it is still the same (RFC 8461 §3.1).
///
/// # Examples
///
/// ```
/// use posthaste_publish::mta_sts::{Record, RecordError};
///
/// let record = Record::new("20261123")?;
/// assert_eq!(record.to_string(), "v=STSv1; id=20261123");
/// assert_eq!("v=STSv1; id=2026-11-23".parse::<Record>(), Err(RecordError::Id));
/// # Ok::<(), RecordError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    id: String,
}

/// Why a domain has no MTA-STS record that could be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The text does not start with `v=STSv1`, in this case.
    #[error("record does not start with v=STSv1")]
    Version,
    /// A field is not `name=value`.
    #[error("not a field at octet {0}")]
    Syntax(usize),
    /// There is no `id`.
    #[error("there is no id")]
    MissingId,
    /// The id is not 1 to 32 letters and digits.
    #[error("id is not 1 to 32 letters and digits")]
    Id,
    /// None of the texts at the name is such a record.
    #[error("there is no MTA-STS record")]
    None,
    /// Several of the texts at the name are: then there is no policy (§3.1).
    #[error("there are several MTA-STS records")]
    Several,
}

impl Record {
    /// Makes a record.
    ///
    /// # Errors
    ///
    /// [`RecordError::Id`].
    pub fn new(id: impl Into<String>) -> Result<Self, RecordError> {
        let id = id.into();
        let valid = (1..=32).contains(&id.len()) && id.bytes().all(|octet| octet.is_ascii_alphanumeric());
        if valid { Ok(Self { id }) } else { Err(RecordError::Id) }
    }

    /// Picks the record from all texts at the name (§3.1): those that start with other than `v=STSv1;` are not meant.
    ///
    /// # Errors
    ///
    /// [`RecordError`]: there is none, or several, or it is wrong.
    pub fn select(texts: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Result<Self, RecordError> {
        let mut found = texts.into_iter().filter(|text| {
            text.as_ref()
                .strip_prefix(VERSION.as_bytes())
                .is_some_and(|rest| rest.first() == Some(&b';'))
        });
        match (found.next(), found.next()) {
            (None, _) => Err(RecordError::None),
            (Some(_), Some(_)) => Err(RecordError::Several),
            (Some(text), None) => match std::str::from_utf8(text.as_ref()) {
                Ok(text) => text.parse(),
                Err(error) => Err(RecordError::Syntax(error.valid_up_to())),
            },
        }
    }

    /// Gives the id: a policy that was fetched under another one must be fetched again.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl FromStr for Record {
    type Err = RecordError;

    fn from_str(text: &str) -> Result<Self, RecordError> {
        let fields = fields(text, VERSION).map_err(|error| match error {
            FieldError::Version => RecordError::Version,
            FieldError::Syntax(offset) => RecordError::Syntax(offset),
        })?;
        if let Some(wrong) = fields.iter().find(|field| !is_extension_value(field.value)) {
            return Err(if wrong.name == "id" {
                RecordError::Id
            } else {
                RecordError::Syntax(wrong.offset)
            });
        }
        let id = fields
            .iter()
            .find(|field| field.name == "id")
            .ok_or(RecordError::MissingId)?;
        Self::new(id.value)
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{VERSION}; id={}", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, RecordError>) {
        let record = text.parse::<Record>();
        assert_eq!(
            record.as_ref().map(Record::id).map_err(|error| *error),
            expected,
            "{text}"
        );
    }

    #[test]
    fn the_id_is_found() {
        check("v=STSv1; id=20160831085700Z;", Ok("20160831085700Z"));
        check("v=STSv1;ext=a:b;id=1", Ok("1"));
        check("v=STSv1; id=1; id=2", Ok("1"));
    }

    #[test]
    fn wrong_records_say_why() {
        check("v=STSv2; id=1", Err(RecordError::Version));
        check("v=STSv1;", Err(RecordError::MissingId));
        check("v=STSv1; id=", Err(RecordError::Syntax(9)));
        check("v=STSv1; id=a b", Err(RecordError::Id));
        check("v=STSv1; id=ä", Err(RecordError::Id));
        check("v=STSv1; id=1; x=a=b", Err(RecordError::Syntax(15)));
        check(&format!("v=STSv1; id={}", "1".repeat(33)), Err(RecordError::Id));
    }

    #[test]
    fn one_record_counts() {
        let spf = "v=spf1 -all".as_bytes();
        assert_eq!(Record::select([spf, b"v=STSv1; id=1"]).unwrap().id(), "1");
        assert_eq!(Record::select([spf]), Err(RecordError::None));
        assert_eq!(
            Record::select(["v=STSv1; id=1", "v=STSv1; id=1"]),
            Err(RecordError::Several)
        );
        assert_eq!(Record::select([b"v=STSv1; id=\xff"]), Err(RecordError::Syntax(12)));
    }
}
