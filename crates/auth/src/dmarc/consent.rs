//! Whether a stranger wants the reports that a record sends there (RFC 9990 §4).

use posthaste_address::Domain;
use posthaste_dns::{LookupError, Resolver, ResolverExt};

use super::record::{Record, ReportAddress, is_dmarc};
use super::walk::{Method, Walker};

/// Says whether reports about a domain may go to an address.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReportConsent {
    /// They may: the address is of the domain's own organisation.
    SameOrganisation,
    /// They may: the address's domain says so.
    Given {
        /// Where it wants aggregate reports instead, at the same host; empty if it does not say.
        aggregate: Vec<ReportAddress>,
        /// The same for failure reports.
        failure: Vec<ReportAddress>,
    },
    /// They must not be sent.
    Missing,
}

impl ReportConsent {
    /// Tells whether a report may be sent.
    #[must_use]
    pub fn is_given(&self) -> bool {
        !matches!(self, Self::Missing)
    }
}

/// Finds out whether reports about the domain of a policy record may go to one of the record's addresses (RFC 9990 §4, RFC 7489
/// §7.1): anybody can write anybody's address into a record, so one of another organisation has to agree.
///
/// That costs a question, and up to sixteen for the organisational domains. The first few records at the name are read.
///
/// # Errors
///
/// A failure of DNS that may pass. Until then no report may be sent.
///
/// # Examples
///
/// ```
/// use posthaste_auth::dmarc::{Method, Record, report_consent};
/// use posthaste_dns::Zone;
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let record: Record = "v=DMARC1; p=none; rua=mailto:a@reports.example,mailto:b@victim.example".parse()?;
/// let zone = Zone::parse("example.org._report._dmarc.reports.example. TXT \"v=DMARC1;\"\n")?;
/// let domain = "example.org".parse()?;
/// let mut given = Vec::new();
/// for address in record.aggregate_reports() {
///     given.push(report_consent(&domain, address, &zone, Method::TreeWalk).await?.is_given());
/// }
/// assert_eq!(given, [true, false]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub async fn report_consent(
    policy_domain: &Domain,
    address: &ReportAddress,
    resolver: &dyn Resolver,
    method: Method,
) -> Result<ReportConsent, LookupError> {
    let Some(host) = host(address) else {
        return Ok(ReportConsent::Missing);
    };
    let mut walker = Walker::new(resolver, method);
    if host == *policy_domain || walker.organisation(&host).await? == walker.organisation(policy_domain).await? {
        return Ok(ReportConsent::SameOrganisation);
    }
    let answer = match resolver.txt(&format!("{policy_domain}._report._dmarc.{host}")).await {
        Ok(records) => records,
        Err(error) if error.is_temporary() => return Err(error),
        Err(_) => return Ok(ReportConsent::Missing),
    };
    let consent = answer
        .iter()
        .take(RECORDS)
        .map(|text| text.to_text().into_owned())
        .find(|text| is_dmarc(text));
    Ok(match consent {
        None => ReportConsent::Missing,
        Some(text) => ReportConsent::Given {
            aggregate: instead(&text, &host, Record::aggregate_reports),
            failure: instead(&text, &host, Record::failure_reports),
        },
    })
}

/// How many records at the name are looked at: one is expected.
const RECORDS: usize = 8;

fn host(address: &ReportAddress) -> Option<Domain> {
    address.address().rsplit_once('@')?.1.parse().ok()
}

/// The addresses in a consent, which has no policy. They must be at the host that gives it, or there would be no end of it.
fn instead(text: &str, host_of_consent: &Domain, list: fn(&Record) -> &[ReportAddress]) -> Vec<ReportAddress> {
    let with_policy = || format!("{};p=none", text.trim_end().trim_end_matches(';')).parse();
    let Ok(record) = text.parse::<Record>().or_else(|_| with_policy()) else {
        return Vec::new();
    };
    let at_host = |address: &&ReportAddress| host(address).as_ref() == Some(host_of_consent);
    list(&record).iter().filter(at_host).cloned().collect()
}
