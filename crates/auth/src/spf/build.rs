//! Writes records.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use super::{Mechanism, Qualifier, Record, RecordError, Term};

/// Writes an SPF record, or changes one that is there.
///
/// Mechanisms keep their order, and go in front of an `all`; one that is there already is not added again. Modifiers come
/// last.
///
/// # Examples
///
/// ```
/// use posthaste_auth::spf::{Builder, Qualifier};
///
/// let record = Builder::new().mx().include("spf.example.net").all(Qualifier::SoftFail);
/// assert_eq!(record.build()?, "v=spf1 mx include:spf.example.net ~all");
///
/// let published = Builder::from_record("v=spf1 ip4:192.0.2.0/24 mx -all")?;
/// assert_eq!(
///     published.merge(&record).build()?,
///     "v=spf1 ip4:192.0.2.0/24 mx include:spf.example.net -all"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Builder {
    terms: Vec<Term>,
}

/// Why no record can be made of these terms.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A term holds a space, or something else than visible ASCII.
    #[error("`{0}` is not one term")]
    Term(String),
    /// A term breaks the grammar.
    #[error("the record would be wrong")]
    Record(#[source] RecordError),
}

impl Builder {
    /// Starts a record that allows no host and refuses none.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes over the terms of a record that is there.
    ///
    /// # Errors
    ///
    /// [`RecordError`], as for [`Record::parse`].
    pub fn from_record(text: &str) -> Result<Self, RecordError> {
        Record::parse(text.as_bytes())?;
        // What parses starts with the version.
        let words = text.split(' ').skip(1).filter(|word| !word.is_empty());
        Ok(Self {
            terms: words.filter_map(Term::of_checked).collect(),
        })
    }

    /// Allows an address.
    #[must_use]
    pub fn ip(self, address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => self.ip4(address, 32),
            IpAddr::V6(address) => self.ip6(address, 128),
        }
    }

    /// Allows an IPv4 network: those addresses that have the first `prefix` bits in common with `network`.
    #[must_use]
    pub fn ip4(self, network: Ipv4Addr, prefix: u8) -> Self {
        self.pass(Mechanism::Ip4(network, prefix))
    }

    /// Allows an IPv6 network: those addresses that have the first `prefix` bits in common with `network`.
    #[must_use]
    pub fn ip6(self, network: Ipv6Addr, prefix: u8) -> Self {
        self.pass(Mechanism::Ip6(network, prefix))
    }

    /// Allows the addresses of the domain itself.
    #[must_use]
    pub fn a(self) -> Self {
        self.pass(Mechanism::A {
            domain: None,
            ip4_prefix: 32,
            ip6_prefix: 128,
        })
    }

    /// Allows the addresses of a host.
    #[must_use]
    pub fn a_of(self, host: impl Into<String>) -> Self {
        self.pass(Mechanism::A {
            domain: Some(host.into()),
            ip4_prefix: 32,
            ip6_prefix: 128,
        })
    }

    /// Allows the hosts that take the domain's mail.
    #[must_use]
    pub fn mx(self) -> Self {
        self.pass(Mechanism::Mx {
            domain: None,
            ip4_prefix: 32,
            ip6_prefix: 128,
        })
    }

    /// Allows the hosts that take another domain's mail.
    #[must_use]
    pub fn mx_of(self, domain: impl Into<String>) -> Self {
        self.pass(Mechanism::Mx {
            domain: Some(domain.into()),
            ip4_prefix: 32,
            ip6_prefix: 128,
        })
    }

    /// Allows the hosts that another domain's record allows.
    #[must_use]
    pub fn include(self, domain: impl Into<String>) -> Self {
        self.pass(Mechanism::Include(domain.into()))
    }

    /// Allows the hosts for which a name, made with macros, has an address.
    #[must_use]
    pub fn exists(self, name: impl Into<String>) -> Self {
        self.pass(Mechanism::Exists(name.into()))
    }

    /// Says what holds for every other host. This replaces an `all` that is there.
    #[must_use]
    pub fn all(self, qualifier: Qualifier) -> Self {
        self.term(Term::Directive(qualifier, Mechanism::All))
    }

    /// Leaves what holds for every other host to another domain's record; has no effect beside an `all` (RFC 7208 §6.1).
    #[must_use]
    pub fn redirect(self, domain: impl Into<String>) -> Self {
        self.term(Term::Redirect(domain.into()))
    }

    /// Says where the text for those who are refused is: the name of a TXT record.
    #[must_use]
    pub fn explanation(self, name: impl Into<String>) -> Self {
        self.term(Term::Explanation(name.into()))
    }

    /// Allows the hosts of a mechanism.
    #[must_use]
    pub fn pass(self, mechanism: Mechanism) -> Self {
        self.term(Term::Directive(Qualifier::Pass, mechanism))
    }

    /// Adds any term. An `all`, `redirect` or `exp` replaces the one that is there.
    #[must_use]
    pub fn term(mut self, term: Term) -> Self {
        let is_all = |term: &Term| term.mechanism() == Some(&Mechanism::All);
        match &term {
            Term::Directive(_, Mechanism::All) => self.terms.retain(|known| !is_all(known)),
            Term::Directive(_, mechanism) => {
                if self.terms.iter().any(|known| known.mechanism() == Some(mechanism)) {
                    return self;
                }
            }
            Term::Redirect(_) => self.terms.retain(|known| !matches!(known, Term::Redirect(_))),
            Term::Explanation(_) => self.terms.retain(|known| !matches!(known, Term::Explanation(_))),
            Term::Modifier { .. } => {}
        }
        let end = self.terms.len();
        let at = match &term {
            Term::Directive(..) => {
                let behind_mechanisms = || self.terms.iter().rposition(|known| known.mechanism().is_some());
                self.terms
                    .iter()
                    .position(is_all)
                    .unwrap_or_else(|| behind_mechanisms().map_or(0, |last| last + 1))
            }
            _ => end,
        };
        self.terms.insert(at.min(end), term);
        self
    }

    /// Adds the mechanisms of another record that are not there yet. How this record ends stays as it is: its `all` or its
    /// `redirect`; the other's counts only if this one has neither, and so does its `exp`.
    #[must_use]
    pub fn merge(self, other: &Self) -> Self {
        let ends = self
            .terms
            .iter()
            .any(|term| matches!(term, Term::Redirect(_)) || term.mechanism() == Some(&Mechanism::All));
        let explains = self.terms.iter().any(|term| matches!(term, Term::Explanation(_)));
        other.terms.iter().fold(self, |merged, term| match term {
            Term::Directive(_, Mechanism::All) | Term::Redirect(_) if ends => merged,
            Term::Explanation(_) if explains => merged,
            Term::Modifier { .. } if merged.terms.contains(term) => merged,
            term => merged.term(term.clone()),
        })
    }

    /// Gives the terms.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Gives what it says of hosts that nothing else matches; `None` when a `redirect` or nothing does.
    pub fn default_qualifier(&self) -> Option<Qualifier> {
        self.terms.iter().find_map(|term| match term {
            Term::Directive(qualifier, Mechanism::All) => Some(*qualifier),
            _ => None,
        })
    }

    /// Counts the terms that ask the DNS; those in records that they lead to are not among them.
    pub fn lookups(&self) -> usize {
        self.terms.iter().filter(|term| term.asks_dns()).count()
    }

    /// Writes the record, and checks its grammar.
    ///
    /// # Errors
    ///
    /// [`BuildError`] with the term or with what is wrong with it.
    pub fn build(&self) -> Result<String, BuildError> {
        for term in &self.terms {
            let word = term.to_string();
            if word.is_empty() || !word.bytes().all(|octet| octet.is_ascii_graphic()) {
                return Err(BuildError::Term(word.escape_debug().to_string()));
            }
        }
        let text = self.to_string();
        Record::parse(text.as_bytes()).map_err(BuildError::Record)?;
        Ok(text)
    }
}

/// Takes terms as they are, in their order: none is moved, none left out.
impl FromIterator<Term> for Builder {
    fn from_iter<I: IntoIterator<Item = Term>>(terms: I) -> Self {
        Self {
            terms: terms.into_iter().collect(),
        }
    }
}

/// Writes the record, unchecked.
impl fmt::Display for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("v=spf1")?;
        self.terms.iter().try_for_each(|term| write!(f, " {term}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spf::RecordErrorKind;

    fn check_kept(text: &str) {
        let builder = Builder::from_record(text).unwrap();
        assert_eq!(builder.build().as_deref(), Ok(text));
    }

    #[test]
    fn what_is_read_is_written_again() {
        check_kept("v=spf1");
        check_kept("v=spf1 -all");
        check_kept("v=spf1 a/24//64 a:x.example//0 mx:%{d}/0 ~ptr ?ptr:a.example -include:b.example ~all");
        check_kept("v=spf1 ip4:192.0.2.0/24 ip4:192.0.2.1 ip6:2001:db8::/32 exists:%{ir}.x.example -all exp=e.example");
        check_kept("v=spf1 redirect=_spf.example.net unknown=%{d}");
        let loose = Builder::from_record("V=SPF1  +A  REDIRECT=x.example ").unwrap();
        assert_eq!(loose.to_string(), "v=spf1 a redirect=x.example");
    }

    #[test]
    fn mechanisms_stand_before_all_and_once() {
        let record = Builder::new()
            .all(Qualifier::Fail)
            .explanation("why.example.org")
            .a()
            .a()
            .ip("192.0.2.1".parse().unwrap())
            .ip("2001:db8::1".parse().unwrap())
            .all(Qualifier::SoftFail);
        assert_eq!(
            record.to_string(),
            "v=spf1 a ip4:192.0.2.1 ip6:2001:db8::1 ~all exp=why.example.org"
        );
        assert_eq!(record.default_qualifier(), Some(Qualifier::SoftFail));
        assert_eq!(record.lookups(), 1);
        assert_eq!(
            Builder::new()
                .redirect("a.example")
                .redirect("b.example")
                .mx()
                .to_string(),
            "v=spf1 mx redirect=b.example"
        );
    }

    #[test]
    fn merging_keeps_how_the_record_ends() {
        let ours = Builder::new().include("ours.example").all(Qualifier::SoftFail);
        let merged = |text: &str| Builder::from_record(text).unwrap().merge(&ours).to_string();
        assert_eq!(merged("v=spf1 mx -all"), "v=spf1 mx include:ours.example -all");
        assert_eq!(
            merged("v=spf1 mx redirect=x.example"),
            "v=spf1 mx include:ours.example redirect=x.example"
        );
        assert_eq!(merged("v=spf1 mx"), "v=spf1 mx include:ours.example ~all");
        assert_eq!(
            merged("v=spf1 ?include:ours.example"),
            "v=spf1 ?include:ours.example ~all"
        );
    }

    #[test]
    fn wrong_terms_are_refused() {
        let two = Builder::new().include("a.example -all");
        assert_eq!(two.build(), Err(BuildError::Term("include:a.example -all".to_owned())));
        let kind = |builder: Builder| match builder.build() {
            Err(BuildError::Record(error)) => error.kind(),
            other => panic!("{other:?}"),
        };
        let address = Ipv4Addr::LOCALHOST;
        assert_eq!(kind(Builder::new().ip4(address, 33)), RecordErrorKind::Prefix);
        assert_eq!(kind(Builder::new().include("")), RecordErrorKind::MissingDomain);
        assert_eq!(kind(Builder::new().include("localhost")), RecordErrorKind::Domain);
        assert_eq!(kind(Builder::new().exists("%{z}.example")), RecordErrorKind::Macro);
        assert!(Builder::from_record("v=spf1 foo").is_err());
    }
}
