//! A report for a postmaster to read.

use std::error::Error;
use std::fmt::Write;

use posthaste::auth::AuthReport;
use posthaste::auth::dkim::Verdict;
use posthaste::auth::dmarc::{self, Alignment, DmarcResult, Identifier, Policy, Standing};
use posthaste::auth::{arc, iprev, spf};
use posthaste::dns::Query;

use crate::escaped;

/// Rows of what was checked, what came out, and why.
struct Page(String);

impl Page {
    fn row(&mut self, check: &str, result: &str, why: &str) {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "{check:<6} {result:<10} {}", escaped::line(why));
    }

    fn more(&mut self, why: &str) {
        self.row("", "", why);
    }

    fn line(&mut self, text: &str) {
        self.0.push_str(&escaped::line(text));
        self.0.push('\n');
    }
}

pub(crate) fn text(report: &AuthReport, authserv_id: &str, lookups: bool) -> String {
    let mut page = Page(String::new());
    let connection = report.connection();
    let path = connection.mail_from().map(ToString::to_string).unwrap_or_default();
    page.line(&format!(
        "From {} [{}], reverse-path <{path}>",
        connection.helo(),
        connection.ip()
    ));
    page.line("");
    spf_row(&mut page, "SPF", report.spf());
    if let Some(helo) = report.spf_helo() {
        spf_row(&mut page, "HELO", helo);
    }
    dkim_rows(&mut page, report.dkim());
    if let Some(chain) = report.arc() {
        arc_rows(&mut page, chain);
    }
    if let Some(iprev) = report.iprev() {
        iprev_row(&mut page, iprev);
    }
    dmarc_rows(&mut page, report);
    page.line("");
    page.line(&conclusion(report));
    page.line("");
    dns(&mut page, report, lookups);
    page.line("");
    for line in report.authentication_results(authserv_id).lines() {
        page.line(&line.replacen('\t', "    ", 1));
    }
    page.0
}

fn chain_of(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

fn spf_row(page: &mut Page, check: &str, report: &spf::Report) {
    let subject = if check == "HELO" {
        report.domain()
    } else {
        report.sender()
    };
    let why = match (report.problem(), report.mechanism()) {
        (Some(problem), _) => chain_of(problem),
        (None, Some(mechanism)) => format!("{subject}: `{mechanism}` matches {}", report.ip()),
        (None, None) => format!("{subject}: nothing in the record matches {}", report.ip()),
    };
    let spent = match report.lookups() {
        0 => String::new(),
        1 => " (1 lookup)".to_owned(),
        count => format!(" ({count} lookups)"),
    };
    page.row(check, report.result().as_str(), &(why + &spent));
    if let Some(explanation) = report.explanation() {
        page.more(&format!("{} says: {explanation}", report.domain()));
    }
}

fn dkim_rows(page: &mut Page, verdicts: &[Verdict]) {
    const SHOWN: usize = 20;
    if verdicts.is_empty() {
        page.row("DKIM", "none", "the message is not signed");
    }
    for verdict in verdicts.iter().take(SHOWN) {
        let domain = verdict.domain().map_or("an unknown domain", |domain| domain.as_str());
        let mut why = format!("signed by {domain}");
        if let Some(selector) = verdict.selector() {
            why += &format!(", key {selector}");
        }
        if let Some(algorithm) = verdict.algorithm() {
            why += &format!(", {algorithm}");
        }
        if let Some(reason) = verdict.reason() {
            why += &format!(": {}", chain_of(reason));
        }
        if verdict.is_testing() {
            why += " (the key is only tried out, t=y)";
        }
        page.row("DKIM", verdict.result().as_str(), &why);
    }
    if verdicts.len() > SHOWN {
        page.more(&format!("and {} more", verdicts.len() - SHOWN));
    }
}

fn arc_rows(page: &mut Page, chain: &arc::Chain) {
    let why = match (chain.reason(), chain.sets().len()) {
        (Some(reason), _) => {
            let at = chain
                .broken_at()
                .map(|instance| format!("set {instance}, "))
                .unwrap_or_default();
            let field = chain
                .broken_field()
                .map(|field| format!("{field}: "))
                .unwrap_or_default();
            format!("{at}{field}{}", chain_of(reason))
        }
        (None, 0) => "nobody has sealed it".to_owned(),
        (None, 1) => "1 set".to_owned(),
        (None, sets) => format!("{sets} sets"),
    };
    page.row("ARC", chain.result().as_str(), &why);
    for set in chain.sets() {
        let claimed = if chain.result() == arc::ChainResult::Pass {
            "sealed by"
        } else {
            "claims to be sealed by"
        };
        let found: Vec<String> = set
            .results()
            .iter()
            .flat_map(|found| found.results())
            .map(|result| format!("{}={}", result.method(), result.result()))
            .collect();
        page.more(&format!(
            "{}: {claimed} {}, which had found {}",
            set.instance(),
            set.domain(),
            found.join(" ")
        ));
    }
}

fn iprev_row(page: &mut Page, report: &iprev::Report) {
    let why = match (report.name(), report.error(), report.names()) {
        (Some(name), ..) => format!("{} is {name}", report.ip()),
        (None, Some(error), []) => format!("{} has no name: {}", report.ip(), chain_of(error)),
        (None, Some(error), names) => format!("{} may be {}: {}", report.ip(), names.join(", "), chain_of(error)),
        (None, None, names) => format!("{} claims to be {}, which is not", report.ip(), names.join(", ")),
    };
    page.row("iprev", report.result().as_str(), &why);
}

fn dmarc_rows(page: &mut Page, report: &AuthReport) {
    let dmarc = report.dmarc();
    let from = dmarc.from().map(ToString::to_string).unwrap_or_default();
    let why = match (
        report.author_error(),
        dmarc.error(),
        dmarc.policy_domain(),
        dmarc.policy(),
    ) {
        (Some(error), ..) => error.to_string(),
        (_, Some(error), ..) => format!("{from}: {}", chain_of(error)),
        (_, _, Some(domain), Some(policy)) => {
            let tag = dmarc.policy_tag().map_or("p", |tag| tag.as_str());
            format!("{from} wants {policy} ({tag}= of the record at _dmarc.{domain})")
        }
        _ => format!("{from} publishes no policy"),
    };
    page.row("DMARC", dmarc.result().as_str(), &why);
    let Some(record) = dmarc.record() else {
        return;
    };
    if record.is_testing() {
        page.more("the policy is only tried out (t=y): the next weaker one applies");
    }
    let mut standings: Vec<String> = dmarc
        .identifiers()
        .iter()
        .map(|identifier| standing(identifier, dmarc))
        .collect();
    standings.dedup();
    for standing in standings {
        page.more(&standing);
    }
    if dmarc.identifiers().is_empty() {
        page.more(&format!(
            "neither SPF nor DKIM passed for any domain that could speak for {from}"
        ));
    }
    let strictness = |alignment| match alignment {
        Alignment::Strict => "strict: the same domain",
        _ => "relaxed: the same organisation",
    };
    page.more(&format!(
        "alignment of SPF is {}; of DKIM {}",
        strictness(record.spf_alignment()),
        strictness(record.dkim_alignment())
    ));
}

fn standing(identifier: &Identifier, report: &dmarc::Report) -> String {
    let organisation = report.organisation().map(ToString::to_string).unwrap_or_default();
    let own = identifier.organisation().unwrap_or(identifier.domain());
    let why = match identifier.standing() {
        Standing::SameDomain => "aligned, the same domain".to_owned(),
        Standing::SameOrganisation => format!("aligned, both belong to {organisation}"),
        Standing::OtherDomain => "not aligned, another domain".to_owned(),
        Standing::OtherOrganisation => format!("not aligned, {own} is not {organisation}"),
        Standing::Unknown => "not known, the DNS failed for now".to_owned(),
        _ => "not looked at".to_owned(),
    };
    let method = identifier.authentication().as_str().to_uppercase();
    format!("{method} passed for {}: {why}", identifier.domain())
}

fn conclusion(report: &AuthReport) -> String {
    let dmarc = report.dmarc();
    let from = dmarc.from().map(ToString::to_string).unwrap_or_default();
    match (dmarc.result(), dmarc.disposition()) {
        (DmarcResult::Pass, _) => format!("It is from {from}."),
        (DmarcResult::Fail, Policy::Reject) => format!("Nothing shows that it is from {from}, which wants it refused."),
        (DmarcResult::Fail, Policy::Quarantine) => {
            format!("Nothing shows that it is from {from}, which wants it treated with suspicion.")
        }
        (DmarcResult::Fail, _) => format!("Nothing shows that it is from {from}, which wants nothing done about it."),
        (DmarcResult::TempError, _) => "It cannot be told now whom it is from; ask again later.".to_owned(),
        (DmarcResult::PermError, _) => "It does not say whom it is from in a way that could be checked.".to_owned(),
        _ => format!("{from} does not say how its mail can be told from forgeries."),
    }
}

fn dns(page: &mut Page, report: &AuthReport, list: bool) {
    let parts = report.lookups().iter().filter(|part| part.count() > 0);
    let counts: Vec<String> = parts.map(|part| format!("{} {}", part.check(), part.count())).collect();
    let total: u64 = report.lookups().iter().map(posthaste::auth::Lookups::count).sum();
    page.line(&format!("{total} questions to the DNS: {}", counts.join(", ")));
    for part in report.lookups().iter().filter(|_| list) {
        for query in part.queries() {
            page.line(&format!("  {:<8} {}", part.check().as_str(), question(query)));
        }
    }
}

fn question(query: &Query) -> String {
    let answer = match &query.outcome {
        Ok(answer) if answer.records().len() == 1 => "1 record".to_owned(),
        Ok(answer) => format!("{} records", answer.records().len()),
        Err(error) => chain_of(error),
    };
    format!("{:<5} {}: {answer}", query.kind.as_str(), query.name)
}
