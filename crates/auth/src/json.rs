//! `Serialize` for reports and verdicts. Keys and words are stable: README.md has the shape.

use std::error::Error;
use std::fmt::Display;

use posthaste_dns::{Answer, Dnssec, Query, Record};
use serde::{Serialize, Serializer};

use crate::authenticator::{AuthReport, Check, Connection, Lookups, SesReceipt, Tls, chain};
use crate::authres::{AuthenticationResults, MethodResult, Property};
use crate::ses::SesVerdict;
use crate::{arc, dkim, dmarc, iprev, spf};

/// Serializes types as the word that they are.
macro_rules! words {
    ($($word:ty),+ $(,)?) => {
        $(impl Serialize for $word {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        })+
    };
}

words!(
    spf::Result,
    spf::Identity,
    dkim::DkimResult,
    arc::ChainResult,
    dmarc::DmarcResult,
    dmarc::Policy,
    dmarc::PolicyTag,
    dmarc::Authentication,
    dmarc::Standing,
    iprev::IprevResult,
    SesVerdict,
    Check,
);

/// Serializes a type through a view of it, a function of the same crate.
macro_rules! views {
    ($($name:ty => $view:ident),+ $(,)?) => {
        $(impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $view::new(self).serialize(serializer)
            }
        })+
    };
}

views!(
    spf::Report => SpfView,
    dkim::Verdict => DkimView,
    arc::Chain => ArcView,
    arc::Set => SetView,
    dmarc::Report => DmarcView,
    AuthenticationResults => AuthenticationResultsView,
    MethodResult => MethodResultView,
    Property => PropertyView,
    dmarc::Identifier => IdentifierView,
    iprev::Report => IprevView,
    Connection => ConnectionView,
    Tls => TlsView,
    Lookups => LookupsView,
    SesReceipt => SesView,
    AuthReport => ReportView,
);

fn text(value: Option<impl Display>) -> Option<String> {
    value.map(|value| value.to_string())
}

fn why<E: Error>(error: Option<&E>) -> Option<String> {
    error.map(|error| chain(error))
}

#[derive(Serialize)]
struct SpfView<'a> {
    result: spf::Result,
    identity: spf::Identity,
    sender: &'a str,
    domain: &'a str,
    client_ip: String,
    mechanism: Option<&'a str>,
    explanation: Option<&'a str>,
    reason: Option<String>,
    lookups: usize,
    void_lookups: usize,
}

impl<'a> SpfView<'a> {
    fn new(report: &'a spf::Report) -> Self {
        Self {
            result: report.result(),
            identity: report.identity(),
            sender: report.sender(),
            domain: report.domain(),
            client_ip: report.ip().to_string(),
            mechanism: report.mechanism(),
            explanation: report.explanation(),
            reason: why(report.problem()),
            lookups: report.lookups(),
            void_lookups: report.void_lookups(),
        }
    }
}

#[derive(Serialize)]
struct DkimView<'a> {
    result: dkim::DkimResult,
    reason: Option<String>,
    domain: Option<String>,
    identity: Option<String>,
    selector: Option<String>,
    algorithm: Option<&'a str>,
    signature_prefix: Option<&'a str>,
    testing: bool,
}

impl<'a> DkimView<'a> {
    fn new(verdict: &'a dkim::Verdict) -> Self {
        Self {
            result: verdict.result(),
            reason: why(verdict.reason()),
            domain: text(verdict.domain()),
            identity: text(verdict.identity()),
            selector: text(verdict.selector()),
            algorithm: verdict.algorithm(),
            signature_prefix: verdict.signature_prefix(),
            testing: verdict.is_testing(),
        }
    }
}

#[derive(Serialize)]
struct ArcView<'a> {
    result: arc::ChainResult,
    reason: Option<String>,
    broken_at: Option<u8>,
    broken_field: Option<&'static str>,
    oldest_pass: Option<u8>,
    sets: &'a [arc::Set],
}

impl<'a> ArcView<'a> {
    fn new(chain: &'a arc::Chain) -> Self {
        Self {
            result: chain.result(),
            reason: why(chain.reason()),
            broken_at: chain.broken_at(),
            broken_field: chain.broken_field().map(arc::FieldKind::as_str),
            oldest_pass: chain.oldest_pass(),
            sets: chain.sets(),
        }
    }
}

#[derive(Serialize)]
struct SetView<'a> {
    instance: u8,
    domain: String,
    selector: String,
    time: Option<u64>,
    results: Option<&'a AuthenticationResults>,
}

impl<'a> SetView<'a> {
    fn new(set: &'a arc::Set) -> Self {
        Self {
            instance: set.instance(),
            domain: set.domain().to_string(),
            selector: set.selector().to_string(),
            time: set.time(),
            results: set.results(),
        }
    }
}

#[derive(Serialize)]
struct AuthenticationResultsView<'a> {
    authserv_id: &'a str,
    version: u32,
    results: &'a [MethodResult],
}

impl<'a> AuthenticationResultsView<'a> {
    fn new(field: &'a AuthenticationResults) -> Self {
        Self {
            authserv_id: field.authserv_id(),
            version: field.version(),
            results: field.results(),
        }
    }
}

#[derive(Serialize)]
struct MethodResultView<'a> {
    method: &'a str,
    result: &'a str,
    comment: Option<&'a str>,
    reason: Option<&'a str>,
    properties: &'a [Property],
}

impl<'a> MethodResultView<'a> {
    fn new(result: &'a MethodResult) -> Self {
        Self {
            method: result.method(),
            result: result.result(),
            comment: result.remark(),
            reason: result.why(),
            properties: result.properties(),
        }
    }
}

#[derive(Serialize)]
struct PropertyView<'a> {
    kind: &'a str,
    name: &'a str,
    value: &'a str,
}

impl<'a> PropertyView<'a> {
    fn new(property: &'a Property) -> Self {
        Self {
            kind: property.kind(),
            name: property.name(),
            value: property.value(),
        }
    }
}

#[derive(Serialize)]
struct DmarcView<'a> {
    result: dmarc::DmarcResult,
    reason: Option<String>,
    from: Option<String>,
    organisation: Option<String>,
    policy_domain: Option<String>,
    record: Option<String>,
    policy: Option<dmarc::Policy>,
    policy_tag: Option<dmarc::PolicyTag>,
    testing: bool,
    disposition: dmarc::Policy,
    spf_alignment: Option<&'static str>,
    dkim_alignment: Option<&'static str>,
    spf_aligned: bool,
    dkim_aligned: bool,
    identifiers: &'a [dmarc::Identifier],
}

fn strictness(alignment: dmarc::Alignment) -> &'static str {
    match alignment {
        dmarc::Alignment::Relaxed => "relaxed",
        dmarc::Alignment::Strict => "strict",
    }
}

impl<'a> DmarcView<'a> {
    fn new(report: &'a dmarc::Report) -> Self {
        let record = report.record();
        Self {
            result: report.result(),
            reason: why(report.error()),
            from: text(report.from()),
            organisation: text(report.organisation()),
            policy_domain: text(report.policy_domain()),
            record: text(record),
            policy: report.policy(),
            policy_tag: report.policy_tag(),
            testing: record.is_some_and(dmarc::Record::is_testing),
            disposition: report.disposition(),
            spf_alignment: record.map(|record| strictness(record.spf_alignment())),
            dkim_alignment: record.map(|record| strictness(record.dkim_alignment())),
            spf_aligned: report.is_spf_aligned(),
            dkim_aligned: report.is_dkim_aligned(),
            identifiers: report.identifiers(),
        }
    }
}

#[derive(Serialize)]
struct IdentifierView {
    authentication: dmarc::Authentication,
    domain: String,
    organisation: Option<String>,
    aligned: bool,
    standing: dmarc::Standing,
}

impl IdentifierView {
    fn new(identifier: &dmarc::Identifier) -> Self {
        Self {
            authentication: identifier.authentication(),
            domain: identifier.domain().to_string(),
            organisation: text(identifier.organisation()),
            aligned: identifier.is_aligned(),
            standing: identifier.standing(),
        }
    }
}

#[derive(Serialize)]
struct IprevView<'a> {
    result: iprev::IprevResult,
    reason: Option<String>,
    client_ip: String,
    name: Option<&'a str>,
    names: &'a [String],
}

impl<'a> IprevView<'a> {
    fn new(report: &'a iprev::Report) -> Self {
        Self {
            result: report.result(),
            reason: why(report.error()),
            client_ip: report.ip().to_string(),
            name: report.name(),
            names: report.names(),
        }
    }
}

#[derive(Serialize)]
struct ConnectionView<'a> {
    client_ip: String,
    helo: &'a str,
    mail_from: Option<String>,
    tls: Option<&'a Tls>,
}

impl<'a> ConnectionView<'a> {
    fn new(connection: &'a Connection) -> Self {
        Self {
            client_ip: connection.ip().to_string(),
            helo: connection.helo(),
            mail_from: text(connection.mail_from()),
            tls: connection.encryption(),
        }
    }
}

#[derive(Serialize)]
struct TlsView<'a> {
    version: &'a str,
    cipher: Option<&'a str>,
}

impl<'a> TlsView<'a> {
    fn new(tls: &'a Tls) -> Self {
        Self {
            version: tls.version(),
            cipher: tls.cipher_suite(),
        }
    }
}

#[derive(Serialize)]
struct LookupsView<'a> {
    check: Check,
    count: u64,
    queries: Vec<QueryView<'a>>,
}

impl<'a> LookupsView<'a> {
    fn new(lookups: &'a Lookups) -> Self {
        Self {
            check: lookups.check(),
            count: lookups.count(),
            queries: lookups.queries().iter().map(QueryView::new).collect(),
        }
    }
}

#[derive(Serialize)]
struct QueryView<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    error: Option<String>,
    temporary: bool,
    records: Vec<String>,
    ttl_seconds: Option<u64>,
    dnssec: Option<&'static str>,
}

impl<'a> QueryView<'a> {
    fn new(query: &'a Query) -> Self {
        let answer = query.outcome.as_ref().ok();
        let error = query.outcome.as_ref().err();
        let negative = error.and_then(|error| error.negative());
        let ttl = answer
            .map(Answer::ttl)
            .or_else(|| negative.and_then(|negative| negative.ttl));
        let status = answer
            .map(Answer::dnssec)
            .or_else(|| negative.map(|negative| negative.dnssec));
        Self {
            name: &query.name,
            kind: query.kind.as_str(),
            error: why(error),
            temporary: error.is_some_and(posthaste_dns::LookupError::is_temporary),
            records: answer
                .map(|answer| answer.records().iter().map(data).collect())
                .unwrap_or_default(),
            ttl_seconds: ttl.map(|ttl| ttl.as_secs()),
            dnssec: status.map(dnssec),
        }
    }
}

fn dnssec(status: Dnssec) -> &'static str {
    match status {
        Dnssec::Secure => "secure",
        Dnssec::Insecure => "insecure",
        Dnssec::Bogus => "bogus",
        _ => "indeterminate",
    }
}

/// What a record says. Texts are given as they are read: strings joined.
fn data(record: &Record) -> String {
    match record {
        Record::A(address) => address.to_string(),
        Record::Aaaa(address) => address.to_string(),
        Record::Mx { preference, exchange } => format!("{preference} {exchange}"),
        Record::Txt(text) => text.to_text().into_owned(),
        Record::Ptr(name) | Record::Cname(name) | Record::Ns(name) => name.clone(),
        // No part of authenticating asks for others.
        other => format!("{other:?}"),
    }
}

#[derive(Serialize)]
struct SesView {
    spf_verdict: SesVerdict,
    dkim_verdict: SesVerdict,
    dmarc_verdict: SesVerdict,
    dmarc_policy: Option<dmarc::Policy>,
}

impl SesView {
    fn new(receipt: &SesReceipt) -> Self {
        Self {
            spf_verdict: receipt.spf,
            dkim_verdict: receipt.dkim,
            dmarc_verdict: receipt.dmarc,
            dmarc_policy: receipt.dmarc_policy,
        }
    }
}

#[derive(Serialize)]
struct ReportView<'a> {
    connection: &'a Connection,
    author_error: Option<&'static str>,
    spf: &'a spf::Report,
    spf_helo: Option<&'a spf::Report>,
    dkim: &'a [dkim::Verdict],
    arc: Option<&'a arc::Chain>,
    iprev: Option<&'a iprev::Report>,
    dmarc: &'a dmarc::Report,
    ses: SesReceipt,
    lookups: &'a [Lookups],
}

impl<'a> ReportView<'a> {
    fn new(report: &'a AuthReport) -> Self {
        Self {
            connection: report.connection(),
            author_error: report.author_error().map(|error| error.as_str()),
            spf: report.spf(),
            spf_helo: report.spf_helo(),
            dkim: report.dkim(),
            arc: report.arc(),
            iprev: report.iprev(),
            dmarc: report.dmarc(),
            ses: report.ses(),
            lookups: report.lookups(),
        }
    }
}
