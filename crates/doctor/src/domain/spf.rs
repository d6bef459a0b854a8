//! SPF (RFC 7208).

use posthaste_address::Domain;
use posthaste_auth::spf::{Builder, Mechanism, Problem, Qualifier, Record, Term};
use posthaste_dns::{Record as Data, RecordType, Resolver};
use posthaste_publish::spf::Budget;

use crate::lookup::{failed, look, starts_with, texts};
use crate::{Code, Finding};

/// What a record may have so that an answer stays in 512 octets (§3.4).
const LONG: usize = 450;

pub(super) async fn check(resolver: &dyn Resolver, domain: &Domain) -> Vec<Finding> {
    let name = domain.as_str();
    let all = match look(resolver, name, RecordType::Txt).await {
        Ok(answer) => texts(&answer),
        Err(finding) => return vec![finding],
    };
    let records: Vec<&String> = all.iter().filter(|text| Record::is_spf(text.as_bytes())).collect();
    let text = match &records[..] {
        [] => return vec![missing(name, &all)],
        [one] => one.as_str(),
        several => {
            let shown: Vec<&str> = several.iter().take(3).map(|text| text.as_str()).collect();
            let what = format!("{} SPF records: {}", several.len(), shown.join(" | "));
            return vec![Finding::new(Code::SpfSeveral, name, what).advise("put the terms of all into one record")];
        }
    };
    let builder = match Record::parse(text.as_bytes()).and_then(|_| Builder::from_record(text)) {
        Ok(builder) => builder,
        Err(error) => {
            let what = format!("{error}, in: {text}");
            return vec![Finding::new(Code::SpfSyntax, name, what).advise("correct or remove that term")];
        }
    };
    let mut findings = terms(name, text, &builder);
    let budget = Budget::of(&builder, domain, resolver).await;
    budgeted(name, &budget, &mut findings);
    let hurts = |finding: &Finding| finding.severity() >= crate::Severity::Warning;
    if !findings.iter().any(hurts) {
        let what = format!("{} of {} lookups: {text}", budget.lookups(), budget.limit());
        findings.insert(0, Finding::new(Code::SpfOk, name, what));
    }
    findings
}

fn missing(name: &str, all: &[String]) -> Finding {
    let near = all.iter().find(|text| {
        let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '"');
        ["v=spf", "spf1", "spf2.0"].iter().any(|start| starts_with(text, start))
    });
    match near {
        Some(text) => Finding::new(
            Code::SpfSyntax,
            name,
            format!("it does not begin with `v=spf1 `: {text}"),
        )
        .advise("begin the record with `v=spf1` and a space"),
        None => Finding::new(Code::SpfMissing, name, "no SPF record").advise(
            "publish `v=spf1 mx ~all`, with what sends for the domain in place of `mx`; `v=spf1 -all` if nothing does",
        ),
    }
}

fn terms(name: &str, text: &str, record: &Builder) -> Vec<Finding> {
    let mut findings = Vec::new();
    let redirects = record.terms().iter().any(|term| matches!(term, Term::Redirect(_)));
    let better = mended(record);
    match record.default_qualifier() {
        Some(Qualifier::Pass) => {
            findings.push(publish(
                Finding::new(Code::SpfPassAll, name, format!("`+all` in: {text}")),
                name,
                &better,
            ));
        }
        Some(Qualifier::Neutral) => {
            findings.push(publish(
                Finding::new(Code::SpfNeutralAll, name, format!("`?all` in: {text}")),
                name,
                &better,
            ));
        }
        None if !redirects => {
            findings.push(publish(
                Finding::new(Code::SpfNoAll, name, format!("no `all` in: {text}")),
                name,
                &better,
            ));
        }
        _ => {}
    }
    if redirects && record.default_qualifier().is_some() {
        findings.push(
            Finding::new(
                Code::SpfRedirectIgnored,
                name,
                format!("`redirect` beside `all` in: {text}"),
            )
            .advise("remove the one that is not meant"),
        );
    }
    let is_ptr = |term: &Term| matches!(term.mechanism(), Some(Mechanism::Ptr(_)));
    if record.terms().iter().any(is_ptr) {
        let finding = Finding::new(Code::SpfPtr, name, format!("`ptr` in: {text}"));
        findings.push(publish(finding, name, &better));
    }
    if text.len() > LONG {
        findings.push(
            Finding::new(Code::SpfLong, name, format!("{} octets", text.len()))
                .advise("put some of the terms into a record of another name, and include that"),
        );
    }
    findings
}

/// The record with what is weak in it mended, so that no advice brings back what another one takes away: without `ptr`, ending
/// in `~all` where it let all others pass or said nothing of them.
fn mended(record: &Builder) -> Builder {
    let ends = record.default_qualifier();
    let is_kept = |term: &&Term| match term {
        // Beside `all` it has no effect (§6.1).
        Term::Redirect(_) => ends.is_none(),
        _ => !matches!(term.mechanism(), Some(Mechanism::Ptr(_) | Mechanism::All)),
    };
    let rest: Builder = record.terms().iter().filter(is_kept).cloned().collect();
    let redirects = rest.terms().iter().any(|term| matches!(term, Term::Redirect(_)));
    match ends {
        Some(Qualifier::Fail) => rest.all(Qualifier::Fail),
        None if redirects => rest,
        _ => rest.all(Qualifier::SoftFail),
    }
}

fn publish(finding: Finding, name: &str, record: &Builder) -> Finding {
    match record.build() {
        Ok(text) => finding.publish(name, Data::txt(text)),
        Err(_) => finding,
    }
}

fn budgeted(name: &str, budget: &Budget, findings: &mut Vec<Finding>) {
    let lines = || -> String {
        let own = budget.costs().iter().filter(|cost| cost.depth() == 0);
        let costs: Vec<String> = own.map(|cost| format!("{} {}", cost.lookups(), cost.term())).collect();
        costs.join(", ")
    };
    if budget.lookups() > budget.limit() || budget.is_cut() {
        let more = if budget.is_cut() { "more than " } else { "" };
        let what = format!("{more}{} of {} lookups: {}", budget.lookups(), budget.limit(), lines());
        findings.push(
            Finding::new(Code::SpfTooManyLookups, name, what)
                .advise("remove what no longer sends, or put addresses in the place of the dearest terms"),
        );
    }
    if budget.void_lookups() > budget.void_limit() {
        let what = format!(
            "{} of {} lookups find nothing",
            budget.void_lookups(),
            budget.void_limit()
        );
        findings.push(Finding::new(Code::SpfVoidLookups, name, what).advise("remove the terms that find nothing"));
    }
    for cost in budget.costs() {
        let Some(problem) = cost.problem() else { continue };
        let at = format!("`{}` of {}: {problem}", cost.term(), cost.domain());
        findings.push(match problem {
            Problem::Lookup { name, error } => failed(name, RecordType::Txt, error),
            Problem::NoRecord { .. } => {
                Finding::new(Code::SpfIncludeMissing, name, at).advise("remove the term, or correct its domain")
            }
            Problem::Lookups => Finding::new(
                Code::SpfLoop,
                name,
                format!("`{}` of {} leads back, or too far", cost.term(), cost.domain()),
            )
            .advise("remove the term"),
            _ => {
                let error = std::error::Error::source(problem).map(|error| format!(": {error}"));
                let what = format!("{at}{}", error.unwrap_or_default());
                Finding::new(Code::SpfIncludeBroken, name, what).advise("tell its owner, or remove the term")
            }
        });
    }
}
