//! From single messages to the records of reports.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::model::{AuthResults, DkimResult, Identifiers, Metadata, PolicyEvaluated, PublishedPolicy, Record, Report};
use super::words::{Disposition, DkimWord, Outcome};
use crate::Limits;

/// How many signatures a record has at most (RFC 9990 §3.3).
const SIGNATURES: usize = 100;
/// How many octets of XML a record, or a result in it, takes besides its texts, about.
const AROUND: usize = 400;

/// Holds what one message is reported with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Evaluation {
    /// Where the message came from.
    pub source_ip: IpAddr,
    /// The domains that it named.
    pub identifiers: Identifiers,
    /// What came of DMARC.
    pub evaluated: PolicyEvaluated,
    /// What came of DKIM and SPF.
    pub auth_results: AuthResults,
}

impl Evaluation {
    /// Makes what must be there: the author's domain, what was done, and whether an aligned identifier passed by DKIM and
    /// by SPF.
    pub fn new(
        source_ip: IpAddr,
        header_from: impl Into<String>,
        disposition: Disposition,
        dkim: Outcome,
        spf: Outcome,
    ) -> Self {
        Self {
            source_ip,
            identifiers: Identifiers {
                header_from: Some(header_from.into()),
                ..Identifiers::default()
            },
            evaluated: PolicyEvaluated {
                disposition: Some(disposition),
                dkim: Some(dkim),
                spf: Some(spf),
                reasons: Vec::new(),
            },
            auth_results: AuthResults::default(),
        }
    }

    /// Makes messages alike that differ in what says nothing: the case of domains, the form of an address.
    fn normalize(&mut self, limits: &Limits) {
        self.source_ip = self.source_ip.to_canonical();
        if self.auth_results.dkim.len() > SIGNATURES {
            let from = self.identifiers.header_from.clone().unwrap_or_default();
            self.auth_results.dkim.sort_by_key(|signature| rank(signature, &from));
            self.auth_results.dkim.truncate(SIGNATURES);
        }
        let identifiers = &mut self.identifiers;
        let dkim = self.auth_results.dkim.iter_mut();
        let spf = self.auth_results.spf.iter_mut();
        let domains = [
            &mut identifiers.header_from,
            &mut identifiers.envelope_from,
            &mut identifiers.envelope_to,
        ]
        .into_iter()
        .chain(dkim.map(|result| &mut result.domain))
        .chain(spf.map(|result| &mut result.domain));
        for domain in domains.flatten() {
            domain.make_ascii_lowercase();
        }
        for text in self.texts_mut() {
            if text.len() > limits.text {
                let end = (0..=limits.text).rev().find(|end| text.is_char_boundary(*end));
                text.truncate(end.unwrap_or(0));
            }
        }
    }

    fn texts_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let identifiers = &mut self.identifiers;
        let names = [
            &mut identifiers.header_from,
            &mut identifiers.envelope_from,
            &mut identifiers.envelope_to,
        ];
        let dkim = self.auth_results.dkim.iter_mut().flat_map(|result| {
            let human = result.human_result.as_mut().map(|human| &mut human.text);
            [result.domain.as_mut(), result.selector.as_mut(), human]
        });
        let spf = self.auth_results.spf.iter_mut().flat_map(|result| {
            let human = result.human_result.as_mut().map(|human| &mut human.text);
            [result.domain.as_mut(), human, None]
        });
        let reasons = self
            .evaluated
            .reasons
            .iter_mut()
            .map(|reason| reason.comment.as_mut().map(|comment| &mut comment.text));
        names
            .into_iter()
            .map(Option::as_mut)
            .chain(dkim)
            .chain(spf)
            .chain(reasons)
            .flatten()
    }

    /// How many octets of XML it takes, about.
    fn octets(&mut self) -> usize {
        let results = self.auth_results.dkim.len() + self.auth_results.spf.len() + self.evaluated.reasons.len();
        let texts: usize = self.texts_mut().map(|text| text.len()).sum();
        texts + AROUND * (results + 1)
    }
}

/// Which signatures are reported first (RFC 9990 §3.3): those that hold, the nearest to the author's domain before others.
fn rank(signature: &DkimResult, from: &str) -> u8 {
    let domain = signature.domain.as_deref().unwrap_or_default();
    let is_below = |lower: &str, upper: &str| {
        let (lower, upper) = (lower.to_ascii_lowercase(), upper.to_ascii_lowercase());
        lower.strip_suffix(&upper).is_some_and(|rest| rest.ends_with('.'))
    };
    match signature.result {
        Some(DkimWord::Pass) if domain.eq_ignore_ascii_case(from) => 0,
        Some(DkimWord::Pass) if is_below(domain, from) || is_below(from, domain) => 1,
        Some(DkimWord::Pass) => 2,
        _ => 3,
    }
}

/// Says that an [`Aggregation`] takes no further kind of message; those that it has are still counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no room for another record beside {records}")]
#[non_exhaustive]
pub struct Full {
    /// How many records there are.
    pub records: usize,
}

/// Folds messages that are alike into records, one report for each policy, so that a receiver can report on a period.
///
/// Work and memory are bounded by [`Limits`]: records, and octets of all reports together (`max_decompressed`), whatever
/// strangers send. Texts are cut to `max_text`; of more than 100 signatures of a message those stay that RFC 9990 §3.3
/// prefers.
///
/// # Examples
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use posthaste_report::{Limits, dmarc};
/// use dmarc::{Aggregation, Disposition, Evaluation, Metadata, Outcome, Policy, PublishedPolicy};
///
/// let policy = PublishedPolicy::new("example.org", Policy::Reject);
/// let mut day = Aggregation::new(&Limits::new());
/// for _ in 0..3 {
///     let source = "192.0.2.1".parse()?;
///     let message = Evaluation::new(source, "example.org", Disposition::Pass, Outcome::Pass, Outcome::Fail);
///     day.add(&policy, message)?;
/// }
///
/// let begin = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_006_400);
/// let reports = day.into_reports(|policy| {
///     let mut metadata = Metadata::default();
///     metadata.org_name = Some("Example".into());
///     metadata.email = Some("dmarc@example.net".into());
///     metadata.report_id = policy.domain.as_ref().map(|domain| format!("20231115.{domain}"));
///     metadata.begin = Some(begin);
///     metadata.end = Some(begin + Duration::from_secs(86_399));
///     metadata
/// });
/// assert_eq!(reports[0].records[0].count, Some(3));
/// assert!(reports[0].to_xml()?.contains("<count>3</count>"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Aggregation {
    policies: BTreeMap<PublishedPolicy, BTreeMap<Evaluation, u64>>,
    limits: Limits,
    records: usize,
    octets: usize,
    left_out: u64,
}

impl Aggregation {
    /// Begins a period.
    pub fn new(limits: &Limits) -> Self {
        Self {
            policies: BTreeMap::new(),
            limits: *limits,
            records: 0,
            octets: 0,
            left_out: 0,
        }
    }

    /// Counts a message under the policy that was found for it.
    ///
    /// # Errors
    ///
    /// [`Full`] when it is unlike all others and there is no room for it. It is counted in [`left_out`](Self::left_out).
    pub fn add(&mut self, policy: &PublishedPolicy, mut message: Evaluation) -> Result<(), Full> {
        message.normalize(&self.limits);
        if let Some(count) = self.policies.get_mut(policy).and_then(|rows| rows.get_mut(&message)) {
            *count = count.saturating_add(1);
            return Ok(());
        }
        let octets = self.octets.saturating_add(message.octets());
        if self.records >= self.limits.records || octets > self.limits.decompressed {
            self.left_out = self.left_out.saturating_add(1);
            return Err(Full { records: self.records });
        }
        self.octets = octets;
        self.records += 1;
        self.policies.entry(policy.clone()).or_default().insert(message, 1);
        Ok(())
    }

    /// Counts the records.
    pub fn records(&self) -> usize {
        self.records
    }

    /// Counts the messages for which there was no room.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Makes the reports, one for each policy. `metadata` gives each its id and period.
    ///
    /// Reports and records are in an order of their own, which is always the same.
    pub fn into_reports(self, mut metadata: impl FnMut(&PublishedPolicy) -> Metadata) -> Vec<Report> {
        let report = |(policy, rows): (PublishedPolicy, BTreeMap<Evaluation, u64>)| {
            let mut report = Report::new(metadata(&policy), policy);
            report.records = rows
                .into_iter()
                .map(|(message, count)| Record {
                    source_ip: Some(message.source_ip),
                    count: Some(count),
                    evaluated: message.evaluated,
                    identifiers: message.identifiers,
                    auth_results: message.auth_results,
                    extensions: Vec::new(),
                })
                .collect();
            report
        };
        self.policies.into_iter().map(report).collect()
    }
}
