//! From identifiers and a policy to a result.

use std::fmt;

use posthaste_address::Domain;
use posthaste_dns::{LookupError, Resolver};

use super::identifier::{Authentication, Identifier, PolicyTag, Standing};
use super::record::{Alignment, Policy, Record};
use super::walk::{Method, Walker};

/// What came of DMARC, in the words of RFC 8601 §2.7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DmarcResult {
    /// The domain publishes no policy.
    None,
    /// SPF or DKIM passed for an aligned domain.
    Pass,
    /// Neither did.
    Fail,
    /// It could not be evaluated for now.
    TempError,
    /// It can never be evaluated: the message has no single From domain.
    PermError,
}

impl DmarcResult {
    /// The word in Authentication-Results.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

impl fmt::Display for DmarcResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is known of a message: who it says it is from, and which domains were authenticated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    from: Domain,
    spf: Vec<Domain>,
    dkim: Vec<Domain>,
    undecided: Vec<Domain>,
    method: Method,
}

impl Input {
    /// Begins with the domain of the From field.
    #[must_use]
    pub fn new(from: Domain) -> Self {
        Self {
            from,
            spf: Vec::new(),
            dkim: Vec::new(),
            undecided: Vec::new(),
            method: Method::TreeWalk,
        }
    }

    /// Adds a domain that SPF passed for.
    #[must_use]
    pub fn spf_pass(mut self, domain: Domain) -> Self {
        self.spf.push(domain);
        self
    }

    /// Adds a domain that a DKIM signature passed for.
    #[must_use]
    pub fn dkim_pass(mut self, domain: Domain) -> Self {
        self.dkim.push(domain);
        self
    }

    /// Adds a domain for which SPF or DKIM could not be decided for now: without a pass, an aligned one makes the result
    /// temporary.
    #[must_use]
    pub fn undecided(mut self, domain: Domain) -> Self {
        self.undecided.push(domain);
        self
    }

    /// Sets how organisational domains are found.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }
}

/// What came of a message, with what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    result: DmarcResult,
    from: Option<Domain>,
    record: Option<Record>,
    policy_domain: Option<Domain>,
    policy: Option<Policy>,
    policy_tag: Option<PolicyTag>,
    disposition: Policy,
    spf_aligned: bool,
    dkim_aligned: bool,
    organisation: Option<Domain>,
    identifiers: Vec<Identifier>,
    error: Option<LookupError>,
}

impl Report {
    fn new(result: DmarcResult, from: Option<Domain>) -> Self {
        Self {
            result,
            from,
            record: None,
            policy_domain: None,
            policy: None,
            policy_tag: None,
            disposition: Policy::None,
            spf_aligned: false,
            dkim_aligned: false,
            organisation: None,
            identifiers: Vec::new(),
            error: None,
        }
    }

    /// For a message that has no From field, or several of different domains (RFC 9989 §5.3.1).
    #[must_use]
    pub fn no_single_from() -> Self {
        Self::new(DmarcResult::PermError, None)
    }

    /// The result.
    #[must_use]
    pub fn result(&self) -> DmarcResult {
        self.result
    }

    /// The domain of From.
    #[must_use]
    pub fn from(&self) -> Option<&Domain> {
        self.from.as_ref()
    }

    /// The policy record.
    #[must_use]
    pub fn record(&self) -> Option<&Record> {
        self.record.as_ref()
    }

    /// Where the policy record stands.
    #[must_use]
    pub fn policy_domain(&self) -> Option<&Domain> {
        self.policy_domain.as_ref()
    }

    /// The policy that the domain publishes for this From domain.
    #[must_use]
    pub fn policy(&self) -> Option<Policy> {
        self.policy
    }

    /// The tag of the record that the policy is from.
    #[must_use]
    pub fn policy_tag(&self) -> Option<PolicyTag> {
        self.policy_tag
    }

    /// What the domain wants done with this message: its policy if the result is a fail, weakened by `t=y`.
    #[must_use]
    pub fn disposition(&self) -> Policy {
        self.disposition
    }

    /// SPF passed for an aligned domain.
    #[must_use]
    pub fn is_spf_aligned(&self) -> bool {
        self.spf_aligned
    }

    /// DKIM passed for an aligned domain.
    #[must_use]
    pub fn is_dkim_aligned(&self) -> bool {
        self.dkim_aligned
    }

    /// The organisational domain of From, if alignment depended on it.
    #[must_use]
    pub fn organisation(&self) -> Option<&Domain> {
        self.organisation.as_ref()
    }

    /// The domains that SPF and DKIM passed for, and how each stands to that of From; none where there is no policy record.
    #[must_use]
    pub fn identifiers(&self) -> &[Identifier] {
        &self.identifiers
    }

    /// The failure of DNS, if one of DMARC's own questions is why the result is temporary.
    #[must_use]
    pub fn error(&self) -> Option<&LookupError> {
        self.error.as_ref()
    }
}

/// How many authenticated domains of a kind are looked at: each may cost a tree walk.
const IDENTIFIERS: usize = 10;

/// Evaluates DMARC for one message (RFC 9989 §5.3).
///
/// A failure of DNS is [`DmarcResult::TempError`], never a fail and never "no policy".
pub async fn evaluate(input: &Input, resolver: &dyn Resolver) -> Report {
    let mut walker = Walker::new(resolver, input.method);
    match judge(input, &mut walker).await {
        Ok(report) => report,
        Err(error) => Report {
            error: Some(error),
            ..Report::new(DmarcResult::TempError, Some(input.from.clone()))
        },
    }
}

async fn judge(input: &Input, walker: &mut Walker<'_>) -> Result<Report, LookupError> {
    let mut report = Report::new(DmarcResult::None, Some(input.from.clone()));
    let Some(found) = walker.policy(&input.from).await? else {
        return Ok(report);
    };
    let record = &found.record;
    let (spf, spf_standings) = align(input, &input.spf, record.spf_alignment(), walker).await;
    let (dkim, dkim_standings) = align(input, &input.dkim, record.dkim_alignment(), walker).await;
    report.spf_aligned = matches!(spf, Ok(true));
    report.dkim_aligned = matches!(dkim, Ok(true));
    let passes = report.spf_aligned || report.dkim_aligned;
    let (policy, tag) = if found.domain == input.from {
        (record.policy(), PolicyTag::Domain)
    } else if record.nonexistent_policy() == record.subdomain_policy() {
        (record.subdomain_policy(), PolicyTag::Subdomain)
    } else {
        match walker.is_nonexistent(&input.from).await {
            Ok(true) => (record.nonexistent_policy(), PolicyTag::Nonexistent),
            Err(error) if !passes => return Err(error),
            _ => (record.subdomain_policy(), PolicyTag::Subdomain),
        }
    };
    report.result = if passes {
        DmarcResult::Pass
    } else {
        // What is not known yet may have been a pass.
        spf?;
        dkim?;
        let strict = [record.spf_alignment(), record.dkim_alignment()] == [Alignment::Strict; 2];
        let alignment = if strict { Alignment::Strict } else { Alignment::Relaxed };
        if align(input, &input.undecided, alignment, walker).await.0? {
            DmarcResult::TempError
        } else {
            report.disposition = if record.is_testing() { weaker(policy) } else { policy };
            DmarcResult::Fail
        }
    };
    report.policy = Some(policy);
    report.policy_tag = Some(tag);
    report.organisation = walker.known_organisation(&input.from);
    let spf = identifiers(Authentication::Spf, &input.spf, &spf_standings, walker);
    let dkim = identifiers(Authentication::Dkim, &input.dkim, &dkim_standings, walker);
    report.identifiers = spf.chain(dkim).collect();
    report.policy_domain = Some(found.domain);
    report.record = Some(found.record);
    Ok(report)
}

/// Identifier alignment (RFC 9989 §4.4): whether any of `domains` is aligned, and how the first of them stand. An error means
/// that none is, as far as DNS has answered.
async fn align(
    input: &Input,
    domains: &[Domain],
    alignment: Alignment,
    walker: &mut Walker<'_>,
) -> (Result<bool, LookupError>, Vec<Standing>) {
    let same = |domain: &Domain, otherwise| {
        let is_same = *domain == input.from;
        if is_same { Standing::SameDomain } else { otherwise }
    };
    let all = |otherwise| {
        domains
            .iter()
            .take(IDENTIFIERS)
            .map(|domain| same(domain, otherwise))
            .collect()
    };
    if alignment == Alignment::Strict || domains.is_empty() {
        return (Ok(domains.contains(&input.from)), all(Standing::OtherDomain));
    }
    if domains.contains(&input.from) {
        return (Ok(true), all(Standing::NotExamined));
    }
    let organisation = match walker.organisation(&input.from).await {
        Ok(organisation) => organisation,
        Err(error) => return (Err(error), all(Standing::Unknown)),
    };
    let mut outcome = Ok(false);
    let mut standings = Vec::new();
    let mut walks = 0;
    for domain in domains {
        // A domain's organisational domain is never beside or below it: strangers need no walk.
        let standing = if !domain.is_subdomain_of(&organisation) {
            Standing::OtherOrganisation
        } else if matches!(outcome, Ok(true)) || walks == IDENTIFIERS {
            Standing::NotExamined
        } else {
            walks += 1;
            match walker.organisation(domain).await {
                Ok(found) if found == organisation => {
                    outcome = Ok(true);
                    Standing::SameOrganisation
                }
                Ok(_) => Standing::OtherOrganisation,
                Err(error) => {
                    outcome = Err(error);
                    Standing::Unknown
                }
            }
        };
        standings.push(standing);
    }
    (outcome, standings)
}

fn identifiers<'a>(
    authentication: Authentication,
    domains: &'a [Domain],
    standings: &'a [Standing],
    walker: &'a Walker<'_>,
) -> impl Iterator<Item = Identifier> + 'a {
    domains.iter().zip(standings).map(move |(domain, standing)| Identifier {
        authentication,
        domain: domain.clone(),
        organisation: walker.known_organisation(domain),
        standing: *standing,
    })
}

/// RFC 9989 §4.7, `t=y`: the next weaker policy.
fn weaker(policy: Policy) -> Policy {
    match policy {
        Policy::Reject => Policy::Quarantine,
        _ => Policy::None,
    }
}
