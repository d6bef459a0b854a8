//! What is not wise about a publication.

use posthaste_address::Domain;
use posthaste_auth::dmarc::Policy;
use posthaste_dns::RecordType;

/// Says what is not wise about records, or will not work beside what is there.
///
/// Its `Display` is a sentence for people; [`code`](Self::code) does not change.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// A name has an alias and something else, or two aliases: then it has neither (RFC 2181 §10.1).
    #[error("`{name}` has a CNAME, so it may have nothing else")]
    CnameConflict {
        /// The name.
        name: String,
    },
    /// A mail exchanger's name is an alias (RFC 2181 §10.3).
    #[error("the mail exchanger `{host}` is an alias: name the host itself")]
    MxIsAlias {
        /// The host.
        host: String,
    },
    /// A record was asked for twice.
    #[error("the {kind} record at `{name}` was asked for twice; it is there once")]
    Duplicate {
        /// Where it stands.
        name: String,
        /// Its type.
        kind: RecordType,
    },
    /// Two records where only one counts, as two keys under one selector.
    #[error("`{name}` has several records where only one may be")]
    Several {
        /// Where they stand.
        name: String,
    },
    /// A record that is there must go when the new one comes.
    #[error("`{name}` has a {kind} record that must go: {value}")]
    Replaces {
        /// Where it stands.
        name: String,
        /// Its type.
        kind: RecordType,
        /// What it says.
        value: String,
    },
    /// The answer does not fit the 512 octets of plain DNS over UDP; some resolvers and consoles have trouble with it.
    #[error("the answer for {kind} at `{name}` has {octets} octets, more than plain DNS over UDP carries")]
    LongAnswer {
        /// The name asked for.
        name: String,
        /// The type asked for.
        kind: RecordType,
        /// How long the answer is, in octets, without EDNS.
        octets: usize,
    },
    /// Records live for so short that each message costs lookups.
    #[error("a time to live of {seconds} s is short: most of mail's records hardly change")]
    ShortTtl {
        /// The time to live.
        seconds: u64,
    },
    /// Records live for so long that a mistake stays for days.
    #[error("a time to live of {seconds} s is long: mistakes stay for as long")]
    LongTtl {
        /// The time to live.
        seconds: u64,
    },
    /// The SPF record alone asks the DNS more than ten times: it is an error to all who check it (RFC 7208 §4.6.4).
    #[error("the SPF record of `{name}` has {lookups} terms that ask the DNS; 10 are allowed")]
    SpfLookups {
        /// Where it stands.
        name: String,
        /// How many terms ask the DNS.
        lookups: usize,
    },
    /// The SPF record says nothing of hosts that it does not name.
    #[error("the SPF record of `{name}` says nothing of other hosts: end it with `~all` or `-all`")]
    SpfOpen {
        /// Where it stands.
        name: String,
    },
    /// The SPF record allows every host.
    #[error("the SPF record of `{name}` allows every host")]
    SpfAll {
        /// Where it stands.
        name: String,
    },
    /// The SPF record uses `ptr`, which no one should (RFC 7208 §5.5).
    #[error("the SPF record of `{name}` uses `ptr`, which is slow and not reliable")]
    SpfPtr {
        /// Where it stands.
        name: String,
    },
    /// The SPF record is a copy, wrong when what it was made from changes.
    #[error("the SPF record is flattened: make it again every {seconds} s")]
    SpfFlattened {
        /// After how long the copy may be wrong.
        seconds: u64,
    },
    /// The only keys are Ed25519 ones, which large receivers do not know.
    #[error("there is no RSA key: many receivers cannot verify Ed25519")]
    DkimEd25519Only,
    /// A key says that DKIM is only being tried out.
    #[error("the key `{selector}` is marked as a test: verifiers treat its mail as unsigned")]
    DkimTesting {
        /// The key's selector.
        selector: String,
    },
    /// DMARC asks for nothing.
    #[error("the DMARC policy is `none`: forged mail is delivered")]
    DmarcNone,
    /// DMARC is only being tried out.
    #[error("the DMARC policy is marked as a test: receivers apply a weaker one")]
    DmarcTesting,
    /// Subdomains have a weaker policy than the domain.
    #[error("the DMARC policy for subdomains, `{policy}`, is weaker than the domain's")]
    DmarcSubdomains {
        /// The policy for subdomains.
        policy: Policy,
    },
    /// No one gets DMARC's aggregate reports.
    #[error("DMARC reports go nowhere: add an address for them")]
    DmarcNoReports,
    /// Mail is sent, and DMARC is not there.
    #[error("there is no DMARC policy: large receivers ask for one")]
    DmarcMissing,
    /// The policy of MTA-STS changed, and its id did not: who has the old one keeps it (RFC 8461 §3.1).
    #[error("the MTA-STS policy changed and its id `{id}` did not")]
    MtaStsId {
        /// The id.
        id: String,
    },
    /// A mail exchanger is not in the policy: senders that heed it cannot deliver there.
    #[error("the mail exchanger `{host}` is not in the MTA-STS policy")]
    MtaStsExchanger {
        /// The host.
        host: Domain,
    },
    /// The policy may be kept for less than a day, so that an attacker has only to wait.
    #[error("the MTA-STS policy may be kept for {seconds} s only: RFC 8461 advises weeks")]
    MtaStsAge {
        /// For how long.
        seconds: u64,
    },
    /// Nobody serves the policy.
    #[error("`{host}` has no address here: it must serve the MTA-STS policy by HTTPS")]
    MtaStsHost {
        /// The host that must.
        host: String,
    },
    /// The policy is checked, and nobody hears of failures.
    #[error("MTA-STS without TLS-RPT: nobody hears when TLS fails")]
    TlsRptMissing,
    /// No logo is shown without a DMARC policy that is enforced.
    #[error("BIMI shows no logo unless the DMARC policy is `quarantine` or `reject`")]
    BimiPolicy,
    /// Most receivers show no logo without a certificate.
    #[error("the BIMI record names no certificate: most receivers show no logo without")]
    BimiCertificate,
}

impl Warning {
    /// Gives the code of the warning: stable, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::CnameConflict { .. } => "dns.cname_conflict",
            Self::MxIsAlias { .. } => "mx.alias",
            Self::Duplicate { .. } => "dns.duplicate",
            Self::Several { .. } => "dns.several",
            Self::Replaces { .. } => "dns.replaces",
            Self::LongAnswer { .. } => "dns.long_answer",
            Self::ShortTtl { .. } => "dns.short_ttl",
            Self::LongTtl { .. } => "dns.long_ttl",
            Self::SpfLookups { .. } => "spf.too_many_lookups",
            Self::SpfOpen { .. } => "spf.open",
            Self::SpfAll { .. } => "spf.allows_all",
            Self::SpfPtr { .. } => "spf.ptr",
            Self::SpfFlattened { .. } => "spf.flattened",
            Self::DkimEd25519Only => "dkim.no_rsa",
            Self::DkimTesting { .. } => "dkim.testing",
            Self::DmarcNone => "dmarc.none",
            Self::DmarcTesting => "dmarc.testing",
            Self::DmarcSubdomains { .. } => "dmarc.subdomains",
            Self::DmarcNoReports => "dmarc.no_reports",
            Self::DmarcMissing => "dmarc.missing",
            Self::MtaStsId { .. } => "mta_sts.id",
            Self::MtaStsExchanger { .. } => "mta_sts.exchanger",
            Self::MtaStsAge { .. } => "mta_sts.max_age",
            Self::MtaStsHost { .. } => "mta_sts.host",
            Self::TlsRptMissing => "tls_rpt.missing",
            Self::BimiPolicy => "bimi.policy",
            Self::BimiCertificate => "bimi.certificate",
        }
    }
}
