//! Looks at a domain.

mod bimi;
mod dkim;
mod dmarc;
mod existence;
mod mail_from;
mod mta_sts;
mod mx;
mod reverse;
mod spf;
mod tls_rpt;

use std::{future::Future, net::IpAddr, pin::Pin};

use futures_util::future::join_all;
use posthaste_address::Domain;
use posthaste_auth::dkim::Selector;
use posthaste_dns::Resolver;

use crate::{Diagnosis, Finding, Https};

type Findings<'f> = Pin<Box<dyn Future<Output = Vec<Finding>> + Send + 'f>>;

/// Looks at what a domain publishes.
///
/// What it asks the DNS is bounded, whatever is there: fewer than a thousand lookups. How long one may take is the
/// resolver's to say.
///
/// # Examples
///
/// ```
/// use posthaste_dns::Zone;
/// use posthaste_doctor::{Code, Doctor, Severity};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let zone = Zone::parse("example.org. TXT \"v=spf1 +all\"\n")?;
/// let diagnosis = Doctor::new(&zone).selectors(["s1".parse()?]).check(&"example.org".parse()?).await;
///
/// assert_eq!(diagnosis.worst(), Severity::Error);
/// assert!(diagnosis.has(Code::SpfPassAll) && diagnosis.has(Code::DkimMissing) && diagnosis.has(Code::DmarcMissing));
/// println!("{diagnosis}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Doctor<'r> {
    resolver: &'r dyn Resolver,
    https: Option<&'r dyn Https>,
    selectors: Vec<Selector>,
    addresses: Vec<IpAddr>,
    mail_from: Option<Domain>,
}

impl<'r> Doctor<'r> {
    /// How many selectors are looked at, and how many addresses.
    pub const MOST: usize = 32;

    /// Starts with what to ask.
    pub fn new(resolver: &'r dyn Resolver) -> Self {
        Self {
            resolver,
            https: None,
            selectors: Vec::new(),
            addresses: Vec::new(),
            mail_from: None,
        }
    }

    /// Names the selectors of the DKIM keys; without, common ones are tried.
    #[must_use]
    pub fn selectors(mut self, selectors: impl IntoIterator<Item = Selector>) -> Self {
        self.selectors.extend(selectors);
        self.selectors.truncate(Self::MOST);
        self
    }

    /// Names the addresses that mail is sent from.
    #[must_use]
    pub fn sending_ips(mut self, addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        self.addresses.extend(addresses);
        self.addresses.truncate(Self::MOST);
        self
    }

    /// Names the domain of the reverse-path (MAIL FROM), if it is another one.
    #[must_use]
    pub fn mail_from(mut self, domain: Domain) -> Self {
        self.mail_from = Some(domain);
        self
    }

    /// Sets how to fetch the policy of MTA-STS; without, it is not looked at.
    #[must_use]
    pub fn https(mut self, https: &'r dyn Https) -> Self {
        self.https = Some(https);
        self
    }

    /// Looks at a domain.
    pub async fn check(&self, domain: &Domain) -> Diagnosis {
        if domain.is_literal() {
            let finding = Finding::new(
                crate::Code::DomainNonexistent,
                domain.as_str(),
                "an address, not a domain",
            );
            return Diagnosis::new(domain.as_str(), [finding]);
        }
        let mut findings = existence::check(self.resolver, domain).await;
        if findings
            .iter()
            .any(|finding| finding.code() == crate::Code::DomainNonexistent)
        {
            return Diagnosis::new(domain.as_str(), findings);
        }
        let parked = existence::is_parked(self.resolver, domain).await;
        let mut checks: Vec<Findings<'_>> = vec![
            Box::pin(spf::check(self.resolver, domain)),
            Box::pin(dkim::check(self.resolver, domain, &self.selectors, parked)),
            Box::pin(dmarc::check(self.resolver, domain, parked)),
            Box::pin(mx::check(self.resolver, domain)),
            Box::pin(mta_sts::check(self.resolver, self.https, domain, parked)),
            Box::pin(tls_rpt::check(self.resolver, domain, parked)),
            Box::pin(bimi::check(self.resolver, domain)),
        ];
        if let Some(mail_from) = self.mail_from.as_ref().filter(|name| *name != domain) {
            checks.push(Box::pin(mail_from::check(self.resolver, domain, mail_from)));
        }
        let sender = self.mail_from.as_ref().unwrap_or(domain);
        for address in &self.addresses {
            checks.push(Box::pin(reverse::check(self.resolver, sender, *address)));
        }
        if parked {
            findings.push(Finding::new(
                crate::Code::DomainParked,
                domain.as_str(),
                "SPF allows nobody, and the MX is null",
            ));
        }
        findings.extend(join_all(checks).await.into_iter().flatten());
        Diagnosis::new(domain.as_str(), findings)
    }
}
