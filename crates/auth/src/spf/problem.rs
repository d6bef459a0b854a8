//! What went wrong in a check, or with a record.

use std::fmt;

use posthaste_dns::LookupError;

/// Says why a check ended in `none`, `temperror` or `permerror`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The domain to check is not one (RFC 7208 §4.3).
    #[error("`{domain}` is not a domain name with several labels")]
    Domain {
        /// What was to be checked.
        domain: String,
    },
    /// A domain publishes no record (§4.5). For an `include` or `redirect` this is an error of who points there.
    #[error("`{domain}` publishes no SPF record")]
    NoRecord {
        /// The domain.
        domain: String,
    },
    /// A domain publishes several records (§4.5).
    #[error("`{domain}` publishes several SPF records")]
    SeveralRecords {
        /// The domain.
        domain: String,
    },
    /// A record breaks the grammar (§4.6).
    #[error("the SPF record of `{domain}` is wrong")]
    Record {
        /// The domain.
        domain: String,
        /// What is wrong with its record.
        #[source]
        error: RecordError,
    },
    /// More terms ask the DNS than is allowed (§4.6.4).
    #[error("more DNS lookups than allowed")]
    Lookups,
    /// More terms find nothing than is allowed (§4.6.4).
    #[error("more void DNS lookups than allowed")]
    VoidLookups,
    /// An `mx` leads to more hosts than allowed (§4.6.4).
    #[error("`{domain}` has more mail exchangers than allowed")]
    Exchangers {
        /// The domain of the `mx`.
        domain: String,
    },
    /// The DNS did not answer (§4.4, §5).
    #[error("`{name}` could not be looked up")]
    Lookup {
        /// The name that was asked for.
        name: String,
        /// What the resolver said.
        #[source]
        error: LookupError,
    },
    /// The check as a whole took too long.
    #[error("the check took too long")]
    Timeout,
}

/// Says where a record breaks the grammar of RFC 7208 §12.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordError {
    kind: RecordErrorKind,
    offset: usize,
    found: String,
}

/// Sorts the mistakes in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum RecordErrorKind {
    /// The text does not start with `v=spf1` and a space.
    #[error("not an SPF record")]
    Version,
    /// An octet other than printable ASCII and space.
    #[error("not printable ASCII")]
    Character,
    /// No mechanism of that name exists.
    #[error("unknown mechanism")]
    Mechanism,
    /// A modifier's name is not one.
    #[error("not a modifier name")]
    Modifier,
    /// `redirect` or `exp` stands there twice.
    #[error("modifier given twice")]
    Twice,
    /// A mechanism takes a domain, and there is none.
    #[error("a domain is missing")]
    MissingDomain,
    /// A mechanism has something behind it that it does not take.
    #[error("more than the mechanism takes")]
    Surplus,
    /// A domain does not end in `.` and a top-level label, nor in a macro.
    #[error("not a domain")]
    Domain,
    /// A `%` starts no macro, or a macro is not one.
    #[error("not a macro")]
    Macro,
    /// A macro that only explanations may use: `c`, `r` or `t`.
    #[error("macro for explanations only")]
    ExplanationMacro,
    /// An address is none of its family.
    #[error("not an address of that kind")]
    Address,
    /// A prefix length is too long or starts with a zero.
    #[error("not a prefix length")]
    Prefix,
}

impl RecordError {
    pub(super) fn new(kind: RecordErrorKind, offset: usize, found: &str) -> Self {
        Self {
            kind,
            offset,
            found: found.chars().take(64).flat_map(char::escape_debug).collect(),
        }
    }

    /// Tells what kind of mistake it is.
    pub fn kind(&self) -> RecordErrorKind {
        self.kind
    }

    /// Tells at which octet of the record the offending piece starts.
    pub fn offset(&self) -> usize {
        self.offset
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at octet {}: `{}`", self.kind, self.offset, self.found)
    }
}

impl std::error::Error for RecordError {}
