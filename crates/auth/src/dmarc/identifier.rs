//! Why an authenticated domain speaks for the domain of From, or does not (RFC 9989 §4.4).

use std::fmt;

use posthaste_address::Domain;

/// Names what authenticated a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Authentication {
    /// SPF.
    Spf,
    /// A DKIM signature.
    Dkim,
}

impl Authentication {
    /// The word in Authentication-Results.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spf => "spf",
            Self::Dkim => "dkim",
        }
    }
}

impl fmt::Display for Authentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Says how an authenticated domain stands to the domain of From.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Standing {
    /// Aligned: it is the same domain.
    SameDomain,
    /// Aligned: it has the same organisational domain, and alignment is relaxed.
    SameOrganisation,
    /// Not aligned: it is another domain, and alignment is strict.
    OtherDomain,
    /// Not aligned: it has another organisational domain.
    OtherOrganisation,
    /// The DNS did not say for now.
    Unknown,
    /// It was not looked at: another domain is aligned already, or there are too many.
    NotExamined,
}

impl Standing {
    /// Tells whether the domain speaks for the one in From.
    #[must_use]
    pub fn is_aligned(self) -> bool {
        matches!(self, Self::SameDomain | Self::SameOrganisation)
    }

    /// The name in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SameDomain => "same_domain",
            Self::SameOrganisation => "same_organisation",
            Self::OtherDomain => "other_domain",
            Self::OtherOrganisation => "other_organisation",
            Self::Unknown => "unknown",
            Self::NotExamined => "not_examined",
        }
    }
}

/// Names the tag of the record whose policy applies (RFC 9989 §4.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PolicyTag {
    /// `p`: the record stands at the From domain itself.
    Domain,
    /// `sp`: it stands above.
    Subdomain,
    /// `np`: it stands above, and the From domain does not exist.
    Nonexistent,
}

impl PolicyTag {
    /// The tag: `p`, `sp` or `np`. What it says may come from the tag before it in that row, where it is not given.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Domain => "p",
            Self::Subdomain => "sp",
            Self::Nonexistent => "np",
        }
    }
}

impl fmt::Display for PolicyTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An authenticated domain, and how it stands to that of From.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identifier {
    pub(super) authentication: Authentication,
    pub(super) domain: Domain,
    pub(super) organisation: Option<Domain>,
    pub(super) standing: Standing,
}

impl Identifier {
    /// What authenticated it.
    #[must_use]
    pub fn authentication(&self) -> Authentication {
        self.authentication
    }

    /// The domain.
    #[must_use]
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// Its organisational domain, if that was looked for.
    #[must_use]
    pub fn organisation(&self) -> Option<&Domain> {
        self.organisation.as_ref()
    }

    /// How it stands to the domain of From.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// Tells whether it speaks for the domain of From.
    #[must_use]
    pub fn is_aligned(&self) -> bool {
        self.standing.is_aligned()
    }
}
