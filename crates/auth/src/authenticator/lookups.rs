//! The evidence: what the DNS was asked, and what it said.

use std::fmt;

use posthaste_dns::{Query, Recorder, Resolver};

/// Names a part of authenticating a message that asks the DNS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Check {
    /// SPF of the reverse-path, or of HELO where that is null.
    Spf,
    /// SPF of HELO, besides that of the reverse-path.
    SpfHelo,
    /// DKIM.
    Dkim,
    /// ARC.
    Arc,
    /// The client's name.
    Iprev,
    /// DMARC.
    Dmarc,
}

impl Check {
    /// The name in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spf => "spf",
            Self::SpfHelo => "spf_helo",
            Self::Dkim => "dkim",
            Self::Arc => "arc",
            Self::Iprev => "iprev",
            Self::Dmarc => "dmarc",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What one part asked the DNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookups {
    check: Check,
    queries: Vec<Query>,
    count: u64,
}

impl Lookups {
    pub(super) fn new<R: Resolver>(check: Check, recorder: Recorder<R>) -> Self {
        Self {
            check,
            count: recorder.count(),
            queries: recorder.into_queries(),
        }
    }

    /// The part that asked.
    #[must_use]
    pub fn check(&self) -> Check {
        self.check
    }

    /// The questions with their answers, in the order in which they were asked: the first 512.
    #[must_use]
    pub fn queries(&self) -> &[Query] {
        &self.queries
    }

    /// How many questions were asked.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }
}
