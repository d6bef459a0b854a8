//! Looks for what is not wise.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use posthaste_auth::{
    dkim::Algorithm,
    dmarc::Policy,
    spf::{Builder, Mechanism, Qualifier, Term},
};
use posthaste_dns::{Record, RecordType};

use crate::{
    Setup, Warning, ZoneRecord,
    mta_sts::{Mode, policy_host},
    spf::MAX_LOOKUPS,
};

/// Below this, every message costs lookups.
const SHORT_TTL: Duration = Duration::from_secs(300);
/// Above this, mistakes stay for days.
const LONG_TTL: Duration = Duration::from_secs(86_400);
/// What an answer over UDP without EDNS may have, in octets (RFC 1035 §2.3.4).
const UDP: usize = 512;

/// Looks at what was asked for, at the records that came of it, and at those that are there.
pub(crate) fn check(setup: &Setup, records: &[ZoneRecord]) -> Vec<Warning> {
    let staying = staying(setup, records);
    let mut warnings = Vec::new();
    clashes(records, &staying, &mut warnings);
    warnings.extend(replaced(setup, records));
    answers(records, &staying, &mut warnings);
    if setup.ttl < SHORT_TTL {
        warnings.push(Warning::ShortTtl {
            seconds: setup.ttl.as_secs(),
        });
    } else if setup.ttl > LONG_TTL {
        warnings.push(Warning::LongTtl {
            seconds: setup.ttl.as_secs(),
        });
    }
    spf(setup, &mut warnings);
    dkim(setup, &mut warnings);
    dmarc(setup, &mut warnings);
    mta_sts(setup, &staying, &mut warnings);
    bimi(setup, &mut warnings);
    warnings
}

/// The start of those texts of which one name has only one.
const SINGLE: [&str; 5] = ["v=spf1", "v=DMARC1", "v=STSv1", "v=TLSRPTv1", "v=BIMI1"];

/// Tells whether the new record takes the place of the one that is there.
fn takes_place(new: &ZoneRecord, old: &ZoneRecord) -> bool {
    if new.name() != old.name() || new.data() == old.data() {
        return false;
    }
    match (new.data(), old.data()) {
        (Record::Txt(new_text), Record::Txt(old_text)) => {
            let (new_text, old_text) = (new_text.to_text(), old_text.to_text());
            let same_kind = |version: &str| new_text.starts_with(version) && starts_with(&old_text, version);
            SINGLE.into_iter().any(same_kind) || is_key(new)
        }
        (Record::Cname(_), Record::Cname(_)) => true,
        (Record::Mx { .. }, Record::Mx { .. }) => true,
        _ => false,
    }
}

fn starts_with(text: &str, version: &str) -> bool {
    text.get(..version.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(version))
}

fn is_key(record: &ZoneRecord) -> bool {
    record.name().contains("._domainkey.")
}

fn replaced<'a>(setup: &'a Setup, records: &'a [ZoneRecord]) -> impl Iterator<Item = Warning> + 'a {
    setup
        .existing
        .iter()
        .filter(|old| !is_wanted(old, records) && records.iter().any(|new| takes_place(new, old)))
        .map(|old| Warning::Replaces {
            name: old.name().to_owned(),
            kind: old.kind(),
            value: escaped(&old.value()),
        })
}

/// What others published may steer a terminal: control characters are written out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// Tells whether a record that is there is one of the new ones.
fn is_wanted(old: &ZoneRecord, records: &[ZoneRecord]) -> bool {
    records
        .iter()
        .any(|new| new.name() == old.name() && new.data() == old.data())
}

/// The records that are there and stay.
fn staying<'a>(setup: &'a Setup, records: &[ZoneRecord]) -> Vec<&'a ZoneRecord> {
    setup
        .existing
        .iter()
        .filter(|old| !is_wanted(old, records) && !records.iter().any(|new| takes_place(new, old)))
        .collect()
}

fn clashes(records: &[ZoneRecord], staying: &[&ZoneRecord], warnings: &mut Vec<Warning>) {
    let mut by_name: BTreeMap<&str, Vec<&ZoneRecord>> = BTreeMap::new();
    for record in records {
        let there = by_name.entry(record.name()).or_default();
        if there.iter().any(|known| known.data() == record.data()) {
            warnings.push(Warning::Duplicate {
                name: record.name().to_owned(),
                kind: record.kind(),
            });
        } else {
            there.push(record);
        }
    }
    for (name, own) in &by_name {
        if own
            .iter()
            .enumerate()
            .any(|(index, new)| own.iter().skip(index + 1).any(|other| is_single(new, other)))
        {
            warnings.push(Warning::Several {
                name: (*name).to_owned(),
            });
        }
    }
    for record in staying {
        if let Some(there) = by_name.get_mut(record.name()) {
            there.push(record);
        }
    }
    for (name, there) in &by_name {
        if there.len() > 1 && there.iter().any(|record| record.kind() == RecordType::Cname) {
            warnings.push(Warning::CnameConflict {
                name: (*name).to_owned(),
            });
        }
    }
    let aliases: BTreeSet<&str> = records
        .iter()
        .chain(staying.iter().copied())
        .filter(|record| record.kind() == RecordType::Cname)
        .map(ZoneRecord::name)
        .collect();
    for record in records {
        if let Record::Mx { exchange, .. } = record.data()
            && aliases.contains(exchange.as_str())
        {
            warnings.push(Warning::MxIsAlias { host: exchange.clone() });
        }
    }
}

/// Two texts at one name of which only one counts.
fn is_single(new: &ZoneRecord, other: &ZoneRecord) -> bool {
    new.kind() == RecordType::Txt && takes_place(new, other)
}

/// How long answers get (RFC 1035 §4.1): the header, the question, and for each record a pointer to the name and ten
/// octets in front of its data.
fn answers(records: &[ZoneRecord], staying: &[&ZoneRecord], warnings: &mut Vec<Warning>) {
    let mut octets: BTreeMap<(&str, RecordType), usize> = BTreeMap::new();
    for record in records {
        let question = 12 + record.name().len() + 2 + 4;
        *octets.entry((record.name(), record.kind())).or_insert(question) += 12 + data_octets(record.data());
    }
    for record in staying {
        if let Some(octets) = octets.get_mut(&(record.name(), record.kind())) {
            *octets += 12 + data_octets(record.data());
        }
    }
    for ((name, kind), octets) in octets.into_iter().filter(|(_, octets)| *octets > UDP) {
        warnings.push(Warning::LongAnswer {
            name: name.to_owned(),
            kind,
            octets,
        });
    }
}

/// How long a record's data is, names not compressed.
fn data_octets(data: &Record) -> usize {
    match data {
        Record::A(_) => 4,
        Record::Aaaa(_) => 16,
        Record::Mx { exchange, .. } => 2 + exchange.len() + 2,
        Record::Txt(text) => text.segments().map(|segment| segment.len() + 1).sum(),
        Record::Cname(name) | Record::Ptr(name) | Record::Ns(name) => name.len() + 2,
        _ => 0,
    }
}

fn spf(setup: &Setup, warnings: &mut Vec<Warning>) {
    let mail_from = setup
        .mail_from
        .iter()
        .map(|mail_from| (mail_from.name.as_str(), &mail_from.spf));
    let own = setup.spf.iter().map(|record| (setup.domain.as_str(), record));
    for (name, record) in own.chain(mail_from) {
        let name = name.to_owned();
        if record.lookups() > MAX_LOOKUPS {
            warnings.push(Warning::SpfLookups {
                name: name.clone(),
                lookups: record.lookups(),
            });
        }
        if uses_ptr(record) {
            warnings.push(Warning::SpfPtr { name: name.clone() });
        }
        let redirects = record.terms().iter().any(|term| matches!(term, Term::Redirect(_)));
        match record.default_qualifier() {
            Some(Qualifier::Pass) => warnings.push(Warning::SpfAll { name }),
            None if !redirects => warnings.push(Warning::SpfOpen { name }),
            Some(Qualifier::Neutral) => warnings.push(Warning::SpfOpen { name }),
            _ => {}
        }
    }
    if let Some(flattened) = setup.flattened.as_ref().filter(|flat| flat.ttl() < Duration::MAX) {
        warnings.push(Warning::SpfFlattened {
            seconds: flattened.ttl().as_secs(),
        });
    }
}

fn uses_ptr(record: &Builder) -> bool {
    record
        .terms()
        .iter()
        .any(|term| matches!(term.mechanism(), Some(Mechanism::Ptr(_))))
}

fn dkim(setup: &Setup, warnings: &mut Vec<Warning>) {
    let mut algorithms = setup.keys.iter().filter_map(|key| key.algorithm()).peekable();
    if algorithms.peek().is_some() && algorithms.all(|algorithm| algorithm == Algorithm::Ed25519Sha256) {
        warnings.push(Warning::DkimEd25519Only);
    }
    for key in setup.keys.iter().filter(|key| key.is_testing()) {
        warnings.push(Warning::DkimTesting {
            selector: key.selector().to_string(),
        });
    }
}

fn dmarc(setup: &Setup, warnings: &mut Vec<Warning>) {
    let Some(record) = &setup.dmarc else {
        let there = |old: &ZoneRecord| {
            old.name()
                .strip_prefix("_dmarc.")
                .is_some_and(|rest| rest == setup.domain.as_str())
        };
        let sends = setup.spf.is_some() || setup.keys.iter().any(|key| key.algorithm().is_some());
        if sends && !setup.existing.iter().any(there) {
            warnings.push(Warning::DmarcMissing);
        }
        return;
    };
    if record.policy() == Policy::None {
        warnings.push(Warning::DmarcNone);
    } else if strength(record.subdomain_policy()) < strength(record.policy()) {
        warnings.push(Warning::DmarcSubdomains {
            policy: record.subdomain_policy(),
        });
    }
    if record.is_testing() {
        warnings.push(Warning::DmarcTesting);
    }
    // Who sends nothing has less to learn from reports.
    let refuses_all = setup
        .spf
        .as_ref()
        .is_some_and(|spf| matches!(spf.terms(), [Term::Directive(Qualifier::Fail, Mechanism::All)]));
    if record.aggregate_reports().is_empty() && !refuses_all {
        warnings.push(Warning::DmarcNoReports);
    }
}

fn strength(policy: Policy) -> u8 {
    match policy {
        Policy::Reject => 2,
        Policy::Quarantine => 1,
        _ => 0,
    }
}

fn mta_sts(setup: &Setup, staying: &[&ZoneRecord], warnings: &mut Vec<Warning>) {
    let Some((record, policy)) = &setup.mta_sts else { return };
    if let Some((before, old)) = &setup.previous_mta_sts
        && before == record
        && old != policy
    {
        warnings.push(Warning::MtaStsId {
            id: record.id().to_owned(),
        });
    }
    if policy.mode() == Mode::None {
        return;
    }
    for (_, host) in setup.mx.iter().filter(|(_, host)| !policy.allows(host.as_str())) {
        warnings.push(Warning::MtaStsExchanger { host: host.clone() });
    }
    if policy.max_age() < Duration::from_secs(86_400) {
        warnings.push(Warning::MtaStsAge {
            seconds: policy.max_age().as_secs(),
        });
    }
    let host = policy_host(setup.domain.as_str());
    if setup.policy_hosts.is_empty() && !staying.iter().any(|record| record.name() == host) {
        warnings.push(Warning::MtaStsHost { host });
    }
    let name = crate::tls_rpt::record_name(setup.domain.as_str());
    if setup.tls_rpt.is_none() && !staying.iter().any(|record| record.name() == name) {
        warnings.push(Warning::TlsRptMissing);
    }
}

fn bimi(setup: &Setup, warnings: &mut Vec<Warning>) {
    let shown: Vec<_> = setup.bimi.iter().filter(|(_, record)| !record.is_declined()).collect();
    if shown.is_empty() {
        return;
    }
    let enforced = |record: &posthaste_auth::dmarc::Record| {
        record.policy() != Policy::None && record.subdomain_policy() != Policy::None && !record.is_testing()
    };
    if setup.dmarc.as_ref().is_some_and(|record| !enforced(record)) {
        warnings.push(Warning::BimiPolicy);
    }
    if shown.iter().any(|(_, record)| record.certificate().is_none()) {
        warnings.push(Warning::BimiCertificate);
    }
}
