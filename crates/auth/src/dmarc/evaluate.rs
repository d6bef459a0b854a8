//! From identifiers and a policy to a result.

use std::fmt;

use posthaste_address::Domain;
use posthaste_dns::{LookupError, Resolver};

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
    disposition: Policy,
    spf_aligned: bool,
    dkim_aligned: bool,
}

impl Report {
    fn new(result: DmarcResult, from: Option<Domain>) -> Self {
        Self {
            result,
            from,
            record: None,
            policy_domain: None,
            policy: None,
            disposition: Policy::None,
            spf_aligned: false,
            dkim_aligned: false,
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
        Err(_) => Report::new(DmarcResult::TempError, Some(input.from.clone())),
    }
}

async fn judge(input: &Input, walker: &mut Walker<'_>) -> Result<Report, LookupError> {
    let mut report = Report::new(DmarcResult::None, Some(input.from.clone()));
    let Some(found) = walker.policy(&input.from).await? else {
        return Ok(report);
    };
    let record = &found.record;
    let spf = is_any_aligned(input, &input.spf, record.spf_alignment(), walker).await;
    let dkim = is_any_aligned(input, &input.dkim, record.dkim_alignment(), walker).await;
    report.spf_aligned = matches!(spf, Ok(true));
    report.dkim_aligned = matches!(dkim, Ok(true));
    let passes = report.spf_aligned || report.dkim_aligned;
    let policy = if found.domain == input.from {
        record.policy()
    } else if record.nonexistent_policy() == record.subdomain_policy() {
        record.subdomain_policy()
    } else {
        match walker.is_nonexistent(&input.from).await {
            Ok(true) => record.nonexistent_policy(),
            Err(error) if !passes => return Err(error),
            _ => record.subdomain_policy(),
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
        if is_any_aligned(input, &input.undecided, alignment, walker).await? {
            DmarcResult::TempError
        } else {
            report.disposition = if record.is_testing() { weaker(policy) } else { policy };
            DmarcResult::Fail
        }
    };
    report.policy = Some(policy);
    report.policy_domain = Some(found.domain);
    report.record = Some(found.record);
    Ok(report)
}

/// Identifier alignment (RFC 9989 §4.4). An error means that none is, as far as DNS has answered.
async fn is_any_aligned(
    input: &Input,
    domains: &[Domain],
    alignment: Alignment,
    walker: &mut Walker<'_>,
) -> Result<bool, LookupError> {
    if domains.contains(&input.from) {
        return Ok(true);
    }
    if alignment == Alignment::Strict || domains.is_empty() {
        return Ok(false);
    }
    let organisation = walker.organisation(&input.from).await?;
    let mut outcome = Ok(false);
    // A domain's organisational domain is never beside or below it: strangers need no walk.
    let related = domains.iter().filter(|domain| domain.is_subdomain_of(&organisation));
    for domain in related.take(IDENTIFIERS) {
        match walker.organisation(domain).await {
            Ok(found) if found == organisation => return Ok(true),
            Ok(_) => {}
            Err(error) => outcome = Err(error),
        }
    }
    outcome
}

/// RFC 9989 §4.7, `t=y`: the next weaker policy.
fn weaker(policy: Policy) -> Policy {
    match policy {
        Policy::Reject => Policy::Quarantine,
        _ => Policy::None,
    }
}
