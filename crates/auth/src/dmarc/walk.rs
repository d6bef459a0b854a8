//! Finding policies and organisational domains (RFC 9989 §4.10, RFC 7489 §3.2).

use std::collections::HashMap;

use posthaste_address::Domain;
use posthaste_dns::{LookupError, RecordType, Resolver, ResolverExt};

use super::record::{PublicSuffix, Record, is_dmarc};

/// How organisational domains are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// By asking the DNS upwards (RFC 9989 §4.10).
    #[default]
    TreeWalk,
    /// By the Public Suffix List (RFC 7489 §3.2).
    PublicSuffixList,
}

/// A policy record, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) domain: Domain,
    pub(crate) record: Record,
}

/// What stands at one name.
#[derive(Clone, Debug)]
enum Answer {
    Nothing,
    /// More records than one, none of which counts.
    Several,
    /// One that says nothing that could be followed.
    Invalid,
    Valid(Record),
}

/// Asks for records, each name once.
pub(crate) struct Walker<'r> {
    resolver: &'r dyn Resolver,
    method: Method,
    known: HashMap<Domain, Answer>,
    organisations: HashMap<Domain, Domain>,
}

impl<'r> Walker<'r> {
    pub(crate) fn new(resolver: &'r dyn Resolver, method: Method) -> Self {
        Self {
            resolver,
            method,
            known: HashMap::new(),
            organisations: HashMap::new(),
        }
    }

    /// The one valid policy record at a domain. Several, or one that is not valid, are none (§4.10.1).
    async fn record(&mut self, domain: &Domain) -> Result<Option<Record>, LookupError> {
        Ok(match self.answer(domain).await? {
            Answer::Valid(record) => Some(record),
            _ => None,
        })
    }

    async fn answer(&mut self, domain: &Domain) -> Result<Answer, LookupError> {
        if let Some(known) = self.known.get(domain) {
            return Ok(known.clone());
        }
        let found = match self.resolver.txt(&format!("_dmarc.{domain}")).await {
            Ok(records) => {
                let mut texts = records
                    .iter()
                    .map(|record| record.to_text().into_owned())
                    .filter(|text| is_dmarc(text));
                match (texts.next(), texts.next()) {
                    (Some(text), None) => text.parse().map_or(Answer::Invalid, Answer::Valid),
                    (None, _) => Answer::Nothing,
                    _ => Answer::Several,
                }
            }
            Err(error) if error.is_temporary() => return Err(error),
            Err(_) => Answer::Nothing,
        };
        self.known.insert(domain.clone(), found.clone());
        Ok(found)
    }

    /// The policy that applies to a From domain (§4.10.1): its own, that of its organisational domain, or that of a
    /// public suffix above it.
    pub(crate) async fn policy(&mut self, domain: &Domain) -> Result<Option<Found>, LookupError> {
        match self.answer(domain).await? {
            Answer::Valid(record) => {
                return Ok(Some(Found {
                    domain: domain.clone(),
                    record,
                }));
            }
            // The domain has a record of its own, but asks for nothing: nobody above is asked in its place.
            Answer::Invalid => return Ok(None),
            // RFC 7489 §6.6.3, step 5, ends here; RFC 9989 §4.10 discards them and goes on.
            Answer::Several if self.method == Method::PublicSuffixList => return Ok(None),
            _ => {}
        }
        let organisation = self.organisation(domain).await?;
        if let Some(record) = self.record(&organisation).await? {
            return Ok(Some(Found {
                domain: organisation,
                record,
            }));
        }
        if self.method == Method::PublicSuffixList {
            return Ok(None);
        }
        let found = self.walk(domain).await?;
        Ok(found
            .into_iter()
            .find(|found| found.record.public_suffix() == PublicSuffix::Yes))
    }

    /// The organisational domain (§4.10.2).
    pub(crate) async fn organisation(&mut self, domain: &Domain) -> Result<Domain, LookupError> {
        if self.method == Method::PublicSuffixList {
            return Ok(domain.registrable().unwrap_or_else(|| domain.clone()));
        }
        if let Some(known) = self.organisations.get(domain) {
            return Ok(known.clone());
        }
        let found = self.walk(domain).await?;
        let organisation = organisation_of(domain, &found);
        self.organisations.insert(domain.clone(), organisation.clone());
        Ok(organisation)
    }

    /// The organisational domain, if it is known without asking.
    pub(crate) fn known_organisation(&self, domain: &Domain) -> Option<Domain> {
        match self.method {
            Method::PublicSuffixList => domain.registrable(),
            Method::TreeWalk => self.organisations.get(domain).cloned(),
        }
    }

    /// The records from a domain up to its top-level domain, lowest first; it ends at one that says what it is
    /// (`psd=`), and never asks more than eight questions (§4.10).
    async fn walk(&mut self, domain: &Domain) -> Result<Vec<Found>, LookupError> {
        let mut found = Vec::new();
        for name in names(domain) {
            if let Some(record) = self.record(&name).await? {
                let says = record.public_suffix();
                found.push(Found { domain: name, record });
                if says != PublicSuffix::Unknown {
                    break;
                }
            }
        }
        Ok(found)
    }

    /// Says whether a domain does not exist at all, as `np=` means it (§3.2.13).
    ///
    /// # Errors
    ///
    /// A failure of DNS that may pass: the answer is not known yet.
    pub(crate) async fn is_nonexistent(&self, domain: &Domain) -> Result<bool, LookupError> {
        match self.resolver.lookup(domain.as_str(), RecordType::A).await {
            Err(LookupError::NxDomain(_)) => Ok(true),
            Err(error) if error.is_temporary() => Err(error),
            _ => Ok(false),
        }
    }
}

/// §4.10, steps 1 to 7: the domain itself, then what is left of it with seven labels or fewer, one less each time.
fn names(domain: &Domain) -> Vec<Domain> {
    let labels: Vec<&str> = domain.as_str().split('.').collect();
    let above = (1..labels.len().min(8)).rev();
    let suffixes = above.filter_map(|count| labels.get(labels.len() - count..).map(|labels| labels.join(".")));
    std::iter::once(domain.clone())
        .chain(suffixes.filter_map(|name| name.parse().ok()))
        .collect()
}

/// §4.10.2, steps 1 to 4.
fn organisation_of(domain: &Domain, found: &[Found]) -> Domain {
    if let Some(own) = found
        .iter()
        .find(|found| found.record.public_suffix() == PublicSuffix::No)
    {
        return own.domain.clone();
    }
    let suffix = found
        .iter()
        .find(|found| found.record.public_suffix() == PublicSuffix::Yes && found.domain != *domain);
    if let Some(suffix) = suffix {
        return one_label_below(domain, &suffix.domain);
    }
    found.last().map_or_else(|| domain.clone(), |top| top.domain.clone())
}

fn one_label_below(domain: &Domain, suffix: &Domain) -> Domain {
    let below = domain
        .as_str()
        .strip_suffix(suffix.as_str())
        .unwrap_or_default()
        .trim_end_matches('.');
    let label = below.rsplit('.').next().unwrap_or_default();
    format!("{label}.{suffix}").parse().unwrap_or_else(|_| domain.clone())
}
