//! What a domain is to publish.

use std::{net::IpAddr, time::Duration};

use posthaste_address::Domain;
use posthaste_auth::{
    dkim::{Selector, SigningKey},
    dmarc,
    spf::{self, Qualifier},
};
use posthaste_dns::Zone;

use crate::{
    DkimKey, HostedDkim, ZoneRecord, ZoneRecordError, bimi,
    mta_sts::{self, Policy},
    spf::Flattened,
    tls_rpt,
};

/// How long records may be cached when nothing else is said.
const DEFAULT_TTL: Duration = Duration::from_secs(3600);

/// Collects what a domain is to publish, and makes the records of it.
///
/// # Examples
///
/// ```
/// use posthaste_auth::dmarc::{Policy, Record};
/// use posthaste_publish::{Setup, spf};
///
/// let publication = Setup::new("example.org".parse()?)
///     .mx(10, "mx1.example.org".parse()?)
///     .spf(spf::Builder::new().mx().all(spf::Qualifier::Fail))
///     .dmarc(Record::builder(Policy::Reject).build())
///     .build()?;
/// assert_eq!(publication.records().len(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Setup {
    pub(crate) domain: Domain,
    pub(crate) ttl: Duration,
    pub(crate) mx: Vec<(u16, Domain)>,
    pub(crate) null_mx: bool,
    pub(crate) spf: Option<spf::Builder>,
    pub(crate) replaces_spf: bool,
    pub(crate) flattened: Option<Flattened>,
    pub(crate) keys: Vec<DkimKey>,
    pub(crate) hosted: Vec<HostedDkim>,
    pub(crate) dmarc: Option<dmarc::Record>,
    pub(crate) mail_from: Option<MailFrom>,
    pub(crate) mta_sts: Option<(mta_sts::Record, Policy)>,
    pub(crate) previous_mta_sts: Option<(mta_sts::Record, Policy)>,
    pub(crate) policy_hosts: Vec<PolicyHost>,
    pub(crate) tls_rpt: Option<tls_rpt::Record>,
    pub(crate) bimi: Vec<(String, bimi::Record)>,
    pub(crate) existing: Vec<ZoneRecord>,
}

/// Where the policy of MTA-STS is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PolicyHost {
    Alias(Domain),
    Address(IpAddr),
}

/// Makes bounces come back to a name of the domain's own, so that SPF speaks for the domain (custom MAIL FROM).
///
/// # Examples
///
/// ```
/// use posthaste_publish::{MailFrom, Setup, spf};
///
/// let provider = spf::Builder::new().include("amazonses.com").all(spf::Qualifier::SoftFail);
/// let mail_from = MailFrom::new(
///     "bounce.example.org".parse()?,
///     "feedback-smtp.eu-west-1.amazonses.com".parse()?,
///     provider,
/// );
/// let publication = Setup::new("example.org".parse()?).mail_from(mail_from).build()?;
/// assert_eq!(
///     publication.records()[0].to_string(),
///     "bounce.example.org. 3600 IN MX 10 feedback-smtp.eu-west-1.amazonses.com."
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailFrom {
    pub(crate) name: Domain,
    pub(crate) exchange: Domain,
    pub(crate) spf: spf::Builder,
}

impl MailFrom {
    /// Makes a reverse-path of `name`, a subdomain that does nothing else. `exchange` takes the bounces; `spf` allows the
    /// hosts that send.
    pub fn new(name: Domain, exchange: Domain, spf: spf::Builder) -> Self {
        Self { name, exchange, spf }
    }
}

/// Why no records can be made of a setup.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The domain is an address literal.
    #[error("`{domain}` is an address, not a domain")]
    Literal {
        /// The literal.
        domain: Domain,
    },
    /// A name is too long.
    #[error(transparent)]
    Name(#[from] ZoneRecordError),
    /// An SPF record would be wrong.
    #[error("the SPF record of `{name}` cannot be written")]
    Spf {
        /// Where it would stand.
        name: String,
        /// What is wrong with it.
        #[source]
        error: spf::BuildError,
    },
    /// A domain that takes no mail has no other mail exchangers (RFC 7505 §3).
    #[error("a null MX stands alone")]
    NullMx,
    /// The reverse-path is not below the domain.
    #[error("the reverse-path's `{name}` is not a subdomain")]
    MailFrom {
        /// The name that was given.
        name: Domain,
    },
}

impl Setup {
    /// Starts with nothing to publish.
    pub fn new(domain: Domain) -> Self {
        Self {
            domain,
            ttl: DEFAULT_TTL,
            mx: Vec::new(),
            null_mx: false,
            spf: None,
            replaces_spf: false,
            flattened: None,
            keys: Vec::new(),
            hosted: Vec::new(),
            dmarc: None,
            mail_from: None,
            mta_sts: None,
            previous_mta_sts: None,
            policy_hosts: Vec::new(),
            tls_rpt: None,
            bimi: Vec::new(),
            existing: Vec::new(),
        }
    }

    /// Starts with what a domain publishes that neither sends mail nor takes any: SPF and DMARC that refuse all, and a null
    /// MX (RFC 7505). SPF that is there is replaced.
    ///
    /// # Examples
    ///
    /// ```
    /// use posthaste_publish::Setup;
    ///
    /// let records = Setup::parked("example.com".parse()?).build()?;
    /// let texts: Vec<String> = records.records().iter().map(ToString::to_string).collect();
    /// assert_eq!(
    ///     texts,
    ///     [
    ///         "example.com. 3600 IN MX 0 .",
    ///         "example.com. 3600 IN TXT \"v=spf1 -all\"",
    ///         "_dmarc.example.com. 3600 IN TXT \"v=DMARC1; p=reject\"",
    ///     ]
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn parked(domain: Domain) -> Self {
        let mut setup = Self::new(domain)
            .null_mx()
            .spf(spf::Builder::new().all(Qualifier::Fail))
            .dmarc(dmarc::Record::builder(dmarc::Policy::Reject).build());
        setup.replaces_spf = true;
        setup
    }

    /// Sets for how long records may be cached: an hour unless told.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// Adds a host that takes the domain's mail; the lowest preference is tried first.
    #[must_use]
    pub fn mx(mut self, preference: u16, host: Domain) -> Self {
        self.mx.push((preference, host));
        self
    }

    /// Says that the domain takes no mail (RFC 7505).
    #[must_use]
    pub fn null_mx(mut self) -> Self {
        self.null_mx = true;
        self
    }

    /// Says which hosts may send for the domain. If the domain has an SPF record [already](Self::existing), this one is
    /// merged into it: see [`spf::Builder::merge`].
    #[must_use]
    pub fn spf(mut self, record: spf::Builder) -> Self {
        self.spf = Some(record);
        self.flattened = None;
        self.replaces_spf = false;
        self
    }

    /// Publishes an SPF record that was flattened, with its parts, to live no longer than what it is a copy of. It replaces
    /// the record that is there.
    #[must_use]
    pub fn spf_flattened(mut self, flattened: &Flattened) -> Self {
        self.spf = Some(flattened.record().clone());
        self.flattened = Some(flattened.clone());
        self.replaces_spf = true;
        self
    }

    /// Publishes the public half of a key that signs the domain's mail.
    #[must_use]
    pub fn dkim(self, selector: Selector, key: &SigningKey) -> Self {
        self.dkim_key(DkimKey::new(selector, key))
    }

    /// Publishes a key that signs the domain's mail, or says that it is revoked.
    #[must_use]
    pub fn dkim_key(mut self, key: DkimKey) -> Self {
        self.keys.push(key);
        self
    }

    /// Leaves keys to an operator.
    #[must_use]
    pub fn hosted_dkim(mut self, hosted: HostedDkim) -> Self {
        self.hosted.push(hosted);
        self
    }

    /// Says what receivers are to do with mail that fails DMARC.
    #[must_use]
    pub fn dmarc(mut self, record: dmarc::Record) -> Self {
        self.dmarc = Some(record);
        self
    }

    /// Makes bounces come back to a subdomain.
    #[must_use]
    pub fn mail_from(mut self, mail_from: MailFrom) -> Self {
        self.mail_from = Some(mail_from);
        self
    }

    /// Says that the domain's mail hosts speak TLS. The policy is a file to serve: [`Publication::mta_sts_policy`](crate::Publication::mta_sts_policy).
    #[must_use]
    pub fn mta_sts(mut self, record: mta_sts::Record, policy: Policy) -> Self {
        self.mta_sts = Some((record, policy));
        self
    }

    /// Tells what record and policy there were before, so that a changed policy under the same id is noticed.
    #[must_use]
    pub fn previous_mta_sts(mut self, record: mta_sts::Record, policy: Policy) -> Self {
        self.previous_mta_sts = Some((record, policy));
        self
    }

    /// Names the web host that serves the policy: `mta-sts.` and the domain becomes an alias of it.
    #[must_use]
    pub fn policy_host(mut self, host: Domain) -> Self {
        self.policy_hosts.push(PolicyHost::Alias(host));
        self
    }

    /// Gives an address of the web host that serves the policy.
    #[must_use]
    pub fn policy_address(mut self, address: IpAddr) -> Self {
        self.policy_hosts.push(PolicyHost::Address(address));
        self
    }

    /// Asks for reports on TLS.
    #[must_use]
    pub fn tls_rpt(mut self, record: tls_rpt::Record) -> Self {
        self.tls_rpt = Some(record);
        self
    }

    /// Says where the domain's logo is.
    #[must_use]
    pub fn bimi(mut self, record: bimi::Record) -> Self {
        self.bimi.push(("default".to_owned(), record));
        self
    }

    /// Says where the logo for messages with this BIMI selector is.
    #[must_use]
    pub fn bimi_at(mut self, selector: &Selector, record: bimi::Record) -> Self {
        self.bimi.push((selector.as_str().to_owned(), record));
        self
    }

    /// Tells of a record that is there already: SPF is merged with it, and [warnings](crate::Publication::warnings) say what it is
    /// in the way of.
    #[must_use]
    pub fn existing(mut self, record: ZoneRecord) -> Self {
        self.existing.push(record);
        self
    }

    /// Tells of all records in a zone.
    #[must_use]
    pub fn existing_zone(mut self, zone: &Zone) -> Self {
        let records = zone
            .records()
            .filter_map(|(name, record)| ZoneRecord::new(name, DEFAULT_TTL, record.clone()).ok());
        self.existing.extend(records);
        self
    }
}
