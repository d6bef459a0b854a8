//! A record, taken apart.

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
};

use super::{Qualifier, RecordError, macros::MacroString, parse};

/// Holds an SPF record whose grammar was checked in full (RFC 7208 §4.6).
///
/// # Examples
///
/// ```
/// use posthaste_auth::spf::{Record, RecordErrorKind};
///
/// let record = Record::parse(b"v=spf1 mx a:mail.%{d}/28 -all")?;
/// assert_eq!(record.lookups(), 2);
///
/// let error = Record::parse(b"v=spf1 ip4:192.0.2.0/33 -all").unwrap_err();
/// assert_eq!((error.kind(), error.offset()), (RecordErrorKind::Prefix, 7));
/// # Ok::<(), posthaste_auth::spf::RecordError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub(super) directives: Vec<Directive>,
    pub(super) redirect: Option<MacroString>,
    pub(super) explanation: Option<MacroString>,
}

impl Record {
    /// Reads a record.
    ///
    /// # Errors
    ///
    /// [`RecordError`] with the first mistake and the octet where the term with it starts.
    pub fn parse(text: &[u8]) -> std::result::Result<Self, RecordError> {
        parse::record(text)
    }

    /// Tells whether a text is meant as an SPF record (RFC 7208 §4.5): it starts with `v=spf1`, in any case, and then
    /// comes a space or nothing.
    pub fn is_spf(text: &[u8]) -> bool {
        parse::version(text).is_some()
    }

    /// Counts the terms that ask the DNS, those behind an `all` included; those in records that it includes are theirs.
    pub fn lookups(&self) -> usize {
        let mechanisms = self
            .directives
            .iter()
            .filter(|directive| directive.mechanism.asks_dns())
            .count();
        mechanisms + usize::from(self.redirect.is_some())
    }

    /// Gives where to go on when nothing matches: `redirect` has no effect beside an `all` (§5.1, §6.1).
    pub(super) fn effective_redirect(&self) -> Option<&MacroString> {
        let all = self
            .directives
            .iter()
            .any(|directive| matches!(directive.mechanism, Mechanism::All));
        self.redirect.as_ref().filter(|_| !all)
    }
}

/// A mechanism and what it says when it matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Directive {
    pub(super) qualifier: Qualifier,
    pub(super) mechanism: Mechanism,
    /// The term as it is written.
    pub(super) text: String,
}

impl fmt::Display for Directive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// RFC 7208 §5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mechanism {
    All,
    Include(MacroString),
    A(Option<MacroString>, DualPrefix),
    Mx(Option<MacroString>, DualPrefix),
    Ptr(Option<MacroString>),
    Ip4(Ipv4Addr, u8),
    Ip6(Ipv6Addr, u8),
    Exists(MacroString),
}

impl Mechanism {
    fn asks_dns(&self) -> bool {
        !matches!(self, Self::All | Self::Ip4(..) | Self::Ip6(..))
    }
}

/// How many leading bits of an address count (§5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DualPrefix {
    pub(super) v4: u8,
    pub(super) v6: u8,
}

impl DualPrefix {
    /// All bits.
    pub(super) const WHOLE: Self = Self { v4: 32, v6: 128 };
}
