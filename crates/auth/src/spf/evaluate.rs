//! check_host: from a query to a report (RFC 7208 §4).

use std::{borrow::Cow, time::Instant};

use posthaste_address::Domain;
use posthaste_dns::{Answer, LookupError, RecordType, Resolver};

use super::{
    Identity, Limits, Problem, Query, Record, Report, Result as SpfResult,
    expand::Values,
    macros::{Letters, MacroString},
    parse,
    record::Mechanism,
};

/// The longest explanation that is passed on, in octets: several lines of an SMTP reply.
const MAX_EXPLANATION: usize = 4096;

/// Checks whether a host may send for a sender (RFC 7208 §4).
///
/// Never fails: what goes wrong is a result too, and [`Report::problem`] says what it was. The work is bounded by
/// `limits`; with the default ones no record can cause more than some 120 questions.
pub async fn check_host(query: &Query<'_>, resolver: &dyn Resolver, limits: &Limits) -> Report {
    let subject = Subject::new(query);
    let mut check = Check {
        subject: &subject,
        resolver,
        limits,
        started: limits.now(),
        spent: Spent::default(),
    };
    let (finding, explanation) = check.run().await;
    let spent = check.spent;
    Report {
        result: finding.result,
        identity: subject.identity,
        ip: query.ip,
        sender: format!("{}@{}", subject.local_part, subject.sender_domain),
        helo: query.helo.to_owned(),
        domain: subject.domain.into_owned(),
        mechanism: finding.mechanism,
        explanation,
        problem: finding.problem,
        lookups: spent.lookups,
        void_lookups: spent.void_lookups,
    }
}

/// The parameters of a check, taken apart.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    pub(super) query: Query<'a>,
    identity: Identity,
    local_part: &'a str,
    /// The domain of the sender as it was given.
    sender_domain: &'a str,
    /// The same as a name to ask for.
    domain: Cow<'a, str>,
}

impl<'a> Subject<'a> {
    fn new(query: &Query<'a>) -> Self {
        let (identity, (local_part, sender_domain)) = if query.mail_from.is_empty() {
            // §2.4: the null reverse-path stands for postmaster at the greeting's name.
            (Identity::Helo, ("", query.helo))
        } else {
            (
                Identity::MailFrom,
                query.mail_from.rsplit_once('@').unwrap_or(("", query.mail_from)),
            )
        };
        // §4.3: a sender without a local part is postmaster.
        let local_part = if local_part.is_empty() {
            "postmaster"
        } else {
            local_part
        };
        let domain = sender_domain.strip_suffix('.').unwrap_or(sender_domain);
        Self {
            query: *query,
            identity,
            local_part,
            sender_domain,
            domain: to_ascii(domain),
        }
    }
}

/// §4.3: internationalised names are asked for as A-labels (RFC 5890 §2.3).
fn to_ascii(domain: &str) -> Cow<'_, str> {
    if domain.is_ascii() {
        return domain.into();
    }
    match domain.parse::<Domain>() {
        Ok(parsed) => parsed.as_str().to_owned().into(),
        Err(_) => domain.into(),
    }
}

/// §4.3: what is checked must be a name of several labels, none of them empty or too long; not an address literal.
fn is_checkable(domain: &str) -> bool {
    const MAX_NAME: usize = 253;
    const MAX_LABEL: usize = 63;
    domain.is_ascii()
        && domain.len() <= MAX_NAME
        && domain.contains('.')
        && !domain.starts_with('[')
        && domain
            .split('.')
            .all(|label| !label.is_empty() && label.len() <= MAX_LABEL)
}

/// How a record ended: what `include` and the caller get to see.
#[derive(Debug)]
struct Finding {
    result: SpfResult,
    mechanism: Option<String>,
    problem: Option<Problem>,
    /// Where the text for the refused is, and the domain whose record says so.
    explanation: Option<(MacroString, String)>,
}

impl Finding {
    /// §4.7: what a record comes to in which nothing matches.
    fn neutral() -> Self {
        Self {
            result: SpfResult::Neutral,
            mechanism: None,
            problem: None,
            explanation: None,
        }
    }

    fn none(problem: Problem) -> Self {
        Self {
            result: SpfResult::None,
            mechanism: None,
            problem: Some(problem),
            explanation: None,
        }
    }
}

/// An end that no enclosing record can change: `temperror` or `permerror`.
#[derive(Debug)]
pub(super) enum Stop {
    Temporary(Problem),
    Permanent(Problem),
}

impl From<Stop> for Finding {
    fn from(stop: Stop) -> Self {
        let (result, problem) = match stop {
            Stop::Temporary(problem) => (SpfResult::TempError, problem),
            Stop::Permanent(problem) => (SpfResult::PermError, problem),
        };
        Self {
            result,
            mechanism: None,
            problem: Some(problem),
            explanation: None,
        }
    }
}

/// What a check has cost so far.
#[derive(Debug, Default)]
pub(super) struct Spent {
    pub(super) lookups: usize,
    pub(super) void_lookups: usize,
    /// What was found out about the address's names, once a term wanted to know.
    pub(super) pointer: Option<Pointer>,
}

/// The names of an address (§5.5).
#[derive(Debug)]
pub(super) struct Pointer {
    /// Those that lead back to it.
    pub(super) names: Vec<String>,
    /// Whether it claims none.
    pub(super) void: bool,
}

/// A check under way.
#[derive(Debug)]
pub(super) struct Check<'a> {
    pub(super) subject: &'a Subject<'a>,
    pub(super) resolver: &'a dyn Resolver,
    pub(super) limits: &'a Limits,
    started: Instant,
    pub(super) spent: Spent,
}

/// A record being evaluated: the outermost one, or one that an `include` above it led to.
#[derive(Debug)]
struct Frame {
    domain: String,
    record: Record,
    next: usize,
}

impl Frame {
    fn new(domain: String, record: Record) -> Self {
        Self {
            domain,
            record,
            next: 0,
        }
    }

    /// §4.6.2: the term that `next` points to decides.
    fn decided(self, result: SpfResult) -> Finding {
        let mechanism = self.record.directives.get(self.next).map(ToString::to_string);
        let explanation = self.record.explanation.map(|target| (target, self.domain));
        Finding {
            result,
            mechanism,
            problem: None,
            explanation,
        }
    }
}

/// §5: a DNS failure that may pass.
pub(super) fn lookup_failed(name: &str, error: LookupError) -> Stop {
    Stop::Temporary(Problem::Lookup {
        name: name.to_owned(),
        error,
    })
}

impl Check<'_> {
    async fn run(&mut self) -> (Finding, Option<String>) {
        let finding = match self.evaluate().await {
            Ok(finding) => finding,
            Err(stop) => stop.into(),
        };
        let explanation = match (finding.result, &finding.explanation) {
            (SpfResult::Fail, Some((target, domain))) => self.explain(target, domain).await,
            _ => None,
        };
        (finding, explanation)
    }

    /// §4.3–4.4: finds the domain's own record, then evaluates it.
    async fn evaluate(&mut self) -> Result<Finding, Stop> {
        let domain = self.subject.domain.to_string();
        if !is_checkable(&domain) {
            return Ok(Finding::none(Problem::Domain { domain }));
        }
        match self.fetch_record(&domain).await? {
            Some(record) => self.evaluate_record(Frame::new(domain, record)).await,
            None => Ok(Finding::none(Problem::NoRecord { domain })),
        }
    }

    /// §4.6: goes through the terms. Included records wait on a stack, which the lookup limit bounds; nothing recurses.
    async fn evaluate_record(&mut self, mut frame: Frame) -> Result<Finding, Stop> {
        let mut including: Vec<Frame> = Vec::new();
        'record: loop {
            while let Some(directive) = frame.record.directives.get(frame.next) {
                if let Mechanism::Include(target) = &directive.mechanism {
                    let included = self.follow(target, &frame.domain).await?;
                    including.push(std::mem::replace(&mut frame, included));
                    continue 'record;
                }
                if !self.matches(&directive.mechanism, &frame.domain).await? {
                    frame.next += 1;
                    continue;
                }
                let mut result = directive.qualifier.result();
                while let Some(outer) = including.pop() {
                    frame = outer;
                    match frame.record.directives.get(frame.next) {
                        // §5.2: an include matches when what it includes passes, and then says what its own sign says.
                        Some(include) if result == SpfResult::Pass => result = include.qualifier.result(),
                        _ => {
                            frame.next += 1;
                            continue 'record;
                        }
                    }
                }
                return Ok(frame.decided(result));
            }
            if let Some(target) = frame.record.effective_redirect() {
                frame = self.follow(target, &frame.domain).await?;
            } else if let Some(outer) = including.pop() {
                // §4.7: a record that decides nothing is neutral, and neutral matches no include.
                frame = outer;
                frame.next += 1;
            } else {
                return Ok(Finding::neutral());
            }
        }
    }

    /// §5.2, §6.1: counts the term, finds the record that it points to, and takes its absence for an error.
    async fn follow(&mut self, target: &MacroString, domain: &str) -> Result<Frame, Stop> {
        self.count_lookup()?;
        let target = self.expand(target, domain).await?;
        match self.fetch_record(&target).await? {
            Some(record) => Ok(Frame::new(target, record)),
            None => Err(Stop::Permanent(Problem::NoRecord { domain: target })),
        }
    }

    /// §4.4–4.6: looks the record up, selects it, and checks its grammar.
    async fn fetch_record(&self, domain: &str) -> Result<Option<Record>, Stop> {
        let answer = match self.lookup(domain, RecordType::Txt).await? {
            Ok(answer) => answer,
            Err(error) if error.is_temporary() => return Err(lookup_failed(domain, error)),
            Err(_) => return Ok(None),
        };
        let mut found = answer
            .txt()
            .map(|text| text.as_bytes())
            .filter(|text| Record::is_spf(text));
        match (found.next(), found.next()) {
            (None, _) => Ok(None),
            (Some(text), None) => Record::parse(text).map(Some).map_err(|error| {
                Stop::Permanent(Problem::Record {
                    domain: domain.to_owned(),
                    error,
                })
            }),
            (Some(_), Some(_)) => Err(Stop::Permanent(Problem::SeveralRecords {
                domain: domain.to_owned(),
            })),
        }
    }

    /// Asks one question, unless time is up.
    pub(super) async fn lookup(&self, name: &str, kind: RecordType) -> Result<Result<Answer, LookupError>, Stop> {
        if self.limits.now().saturating_duration_since(self.started) > self.limits.timeout {
            return Err(Stop::Temporary(Problem::Timeout));
        }
        Ok(self.resolver.lookup(name, kind).await)
    }

    /// §4.6.4: a term that asks the DNS.
    pub(super) fn count_lookup(&mut self) -> Result<(), Stop> {
        if self.spent.lookups >= usize::from(self.limits.lookups) {
            return Err(Stop::Permanent(Problem::Lookups));
        }
        self.spent.lookups += 1;
        Ok(())
    }

    /// §4.6.4: a term that asked the DNS and was told that there is nothing.
    pub(super) fn count_void_lookup(&mut self) -> Result<(), Stop> {
        self.spent.void_lookups += 1;
        if self.spent.void_lookups > usize::from(self.limits.void_lookups) {
            return Err(Stop::Permanent(Problem::VoidLookups));
        }
        Ok(())
    }

    /// §7: expands a target, looking up `%{p}` if it is in there.
    pub(super) async fn expand(&mut self, text: &MacroString, domain: &str) -> Result<String, Stop> {
        let validated = self.validated_for(text, domain).await?;
        Ok(text.expand_domain(&self.values(domain, &validated)))
    }

    async fn validated_for(&mut self, text: &MacroString, domain: &str) -> Result<String, Stop> {
        if text.needs_validated_name() {
            self.validated_name(domain).await
        } else {
            Ok(String::new())
        }
    }

    fn values<'v>(&'v self, domain: &'v str, validated: &'v str) -> Values<'v> {
        let subject = self.subject;
        Values {
            ip: subject.query.ip,
            local_part: subject.local_part,
            sender_domain: subject.sender_domain,
            domain,
            helo: subject.query.helo,
            receiver: subject.query.receiver,
            time: subject.query.time,
            validated,
        }
    }

    /// §6.2: fetches and expands the text for the refused. Whatever goes wrong, there is just none.
    async fn explain(&mut self, target: &MacroString, domain: &str) -> Option<String> {
        let name = self.expand(target, domain).await.ok()?;
        let answer = self.lookup(&name, RecordType::Txt).await.ok()?.ok()?;
        let mut texts = answer.txt();
        let (text, None) = (texts.next()?, texts.next()) else {
            return None;
        };
        let text = parse::printable(text.as_bytes(), 0).ok()?;
        let text = MacroString::parse(text, Letters::Explanation).ok()?;
        let validated = self.validated_for(&text, domain).await.ok()?;
        let explanation = text.expand_text(&self.values(domain, &validated), MAX_EXPLANATION)?;
        // §6.2: the text is US-ASCII; macros may have brought in something else, and it goes into an SMTP reply.
        explanation
            .bytes()
            .all(|octet| matches!(octet, b' '..=b'~'))
            .then_some(explanation)
    }
}
