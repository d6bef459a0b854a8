//! What was found out about a message.

use posthaste_dns::Query;

use super::{AuthorError, Connection, Lookups};
use crate::arc;
use crate::dkim::Verdict;
use crate::dmarc::{self, Policy};
use crate::ses::{self, SesVerdict};
use crate::{iprev, spf};

/// What came of SPF, DKIM, ARC, iprev and DMARC, with what it rests on.
///
/// It depends on the message, the connection, the time and what the DNS said alone, not on the order in which answers came.
#[derive(Clone, Debug)]
pub struct AuthReport {
    pub(super) connection: Connection,
    pub(super) is_international: bool,
    pub(super) author: Option<AuthorError>,
    pub(super) spf: spf::Report,
    pub(super) spf_helo: Option<spf::Report>,
    pub(super) dkim: Vec<Verdict>,
    pub(super) arc: Option<arc::Chain>,
    pub(super) iprev: Option<iprev::Report>,
    pub(super) dmarc: dmarc::Report,
    pub(super) lookups: Vec<Lookups>,
}

impl AuthReport {
    /// How the message came in.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Whether the client may send for the domain of the reverse-path, or of HELO where that is null.
    #[must_use]
    pub fn spf(&self) -> &spf::Report {
        &self.spf
    }

    /// Whether the client may greet with the name in HELO (RFC 7208 §2.3); none where [`spf`](Self::spf) says so already, or it
    /// was not [asked for](super::Authenticator::helo).
    #[must_use]
    pub fn spf_helo(&self) -> Option<&spf::Report> {
        self.spf_helo.as_ref()
    }

    /// What came of each signature, from the top to the bottom; none for a message that is not signed.
    #[must_use]
    pub fn dkim(&self) -> &[Verdict] {
        &self.dkim
    }

    /// The chain of those who passed the message on and sealed what they had found; none where it was not
    /// [asked for](super::Authenticator::arc). Whether to believe them is yours to decide.
    #[must_use]
    pub fn arc(&self) -> Option<&arc::Chain> {
        self.arc.as_ref()
    }

    /// Whether the client's address has a name; none where it was not [asked for](super::Authenticator::iprev).
    #[must_use]
    pub fn iprev(&self) -> Option<&iprev::Report> {
        self.iprev.as_ref()
    }

    /// What the From domain wants done, and how the domains of SPF and DKIM stand to it.
    #[must_use]
    pub fn dmarc(&self) -> &dmarc::Report {
        &self.dmarc
    }

    /// Why there is no single author domain, if there is none; then DMARC is a permanent error.
    #[must_use]
    pub fn author_error(&self) -> Option<AuthorError> {
        self.author
    }

    /// What each part asked the DNS, in the same order always.
    #[must_use]
    pub fn lookups(&self) -> &[Lookups] {
        &self.lookups
    }

    /// The questions of all parts with the answers that the report relies on.
    pub fn queries(&self) -> impl Iterator<Item = &Query> {
        self.lookups.iter().flat_map(Lookups::queries)
    }

    /// What Amazon SES would say of the message in a receipt.
    #[must_use]
    pub fn ses(&self) -> SesReceipt {
        SesReceipt {
            spf: self.spf.result().into(),
            dkim: SesVerdict::of_dkim(&self.dkim),
            dmarc: self.dmarc.result().into(),
            dmarc_policy: ses::dmarc_policy(&self.dmarc),
        }
    }
}

/// What Amazon SES says in the receipt of a message that came in: `spfVerdict`, `dkimVerdict`, `dmarcVerdict` and
/// `dmarcPolicy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SesReceipt {
    /// SPF of the reverse-path.
    pub spf: SesVerdict,
    /// The best of the signatures.
    pub dkim: SesVerdict,
    /// DMARC.
    pub dmarc: SesVerdict,
    /// What the From domain wants done; there only if DMARC failed.
    pub dmarc_policy: Option<Policy>,
}
