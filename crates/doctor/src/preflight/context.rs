//! What a message does not say itself.

use posthaste_address::{Domain, EmailAddress};
use posthaste_auth::dmarc::{Alignment, Record};

/// Says how a message will be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    pub(super) mail_from: Option<EmailAddress>,
    pub(super) signers: Vec<Domain>,
    pub(super) dkim_alignment: Alignment,
    pub(super) spf_alignment: Alignment,
    pub(super) signed_fields: Option<Vec<String>>,
    pub(super) bulk: bool,
    pub(super) size_limit: Option<u64>,
}

impl Context {
    /// Starts with a single message, from the null reverse-path, not signed.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the reverse-path (MAIL FROM).
    #[must_use]
    pub fn mail_from(mut self, address: EmailAddress) -> Self {
        self.mail_from = Some(address);
        self
    }

    /// Adds a domain that will sign (`d=`).
    #[must_use]
    pub fn signed_by(mut self, domain: Domain) -> Self {
        self.signers.push(domain);
        self
    }

    /// Takes over from the author's DMARC record whether it asks for strict alignment (`adkim=s`, `aspf=s`); without,
    /// relaxed alignment is assumed.
    #[must_use]
    pub fn dmarc(mut self, record: &Record) -> Self {
        self.dkim_alignment = record.dkim_alignment();
        self.spf_alignment = record.spf_alignment();
        self
    }

    /// Names the header fields that will be signed (`h=`); without, those are not looked at.
    #[must_use]
    pub fn signed_fields<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.signed_fields = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Sets whether it is one of many: marketing, newsletters.
    #[must_use]
    pub fn bulk(mut self, bulk: bool) -> Self {
        self.bulk = bulk;
        self
    }

    /// Sets what the transport takes, in octets.
    #[must_use]
    pub fn size_limit(mut self, octets: u64) -> Self {
        self.size_limit = Some(octets);
        self
    }
}
