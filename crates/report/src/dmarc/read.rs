//! Reads aggregate reports.

use std::net::IpAddr;

use super::model::{
    AuthResults, DkimResult, Identifiers, Metadata, PolicyEvaluated, PublishedPolicy, Reason, Record, Report,
    SpfResult, Text,
};
use crate::deviation::{DeviationKind, Notes};
use crate::element::Element;
use crate::error::cut;
use crate::xml::{Reader, Tag, number};
use crate::{Limits, ReadError, container, instant};

impl Report {
    /// Reads a file: XML, or one gzip or zip member that holds it. What it is, its first octets say.
    ///
    /// # Errors
    ///
    /// [`ReadError`] when it breaks a limit, is packed in a way that no report needs, or is no such XML.
    pub fn read(file: &[u8], limits: &Limits) -> Result<Self, ReadError> {
        let mut notes = Notes::new(limits);
        let opened = container::open(file, limits, &mut notes)?;
        let text = container::to_utf8(&opened, limits, &mut notes)?;
        read(&text, limits, notes)
    }
}

pub(super) fn read(text: &str, limits: &Limits, notes: Notes) -> Result<Report, ReadError> {
    let mut xml = Reader::new(text, limits, notes);
    let no_xml = ReadError::Unrecognised {
        expected: "XML, gzip nor zip",
    };
    if !text.trim_start().starts_with('<') {
        return Err(no_xml);
    }
    let Some(root) = xml.root()? else {
        return Err(no_xml);
    };
    if root.local() != "feedback" {
        return Err(ReadError::Root {
            found: cut(root.local()),
        });
    }
    let mut report = Report {
        namespace: xml.root_namespace().map(str::to_owned),
        ..Report::default()
    };
    let (mut has_metadata, mut has_policy) = (None, None);
    while let Some(tag) = xml.child()? {
        match name(&tag) {
            "version" => xml.string("version", &mut report.version)?,
            "report_metadata" if has_metadata.is_none() => {
                has_metadata = Some(());
                metadata(&mut xml, &mut report.metadata)?;
            }
            "policy_published" if has_policy.is_none() => {
                has_policy = Some(());
                policy(&mut xml, &mut report.policy)?;
            }
            name @ ("report_metadata" | "policy_published") => {
                let place = if name == "report_metadata" {
                    "report_metadata"
                } else {
                    "policy_published"
                };
                xml.notes.note(place, DeviationKind::Repeated);
                xml.skip()?;
            }
            "record" => {
                if report.records.len() == limits.records {
                    return Err(ReadError::TooMany {
                        what: "records",
                        limit: limits.records,
                    });
                }
                xml.notes.enter(Some(report.records.len()));
                report.records.push(record(&mut xml)?);
                xml.notes.enter(None);
            }
            "extension" | "extensions" => elements(&mut xml, "extension", &mut report.extensions)?,
            _ => foreign(&mut xml, "feedback", &tag, &mut report.extensions)?,
        }
    }
    let mut notes = xml.finish()?;
    notes.required("report_metadata", &has_metadata);
    notes.required("policy_published", &has_policy);
    notes.required("record", &report.records.first());
    report.deviations = notes.finish();
    Ok(report)
}

/// The name of an element of DMARC; nothing for one of another namespace.
fn name<'t>(tag: &'t Tag<'_>) -> &'t str {
    if tag.foreign { "" } else { tag.local() }
}

/// Keeps an element of another namespace, and skips one of ours that is not known.
fn foreign(
    xml: &mut Reader<'_>,
    place: &'static str,
    tag: &Tag<'_>,
    elements: &mut Vec<Element>,
) -> Result<(), ReadError> {
    if tag.foreign {
        elements.push(xml.element(place, tag)?);
        Ok(())
    } else {
        xml.skip_unknown(place, tag)
    }
}

/// Reads all elements inside one.
fn elements(xml: &mut Reader<'_>, place: &'static str, elements: &mut Vec<Element>) -> Result<(), ReadError> {
    while let Some(tag) = xml.child()? {
        elements.push(xml.element(place, &tag)?);
    }
    Ok(())
}

/// Reads text with its language.
fn text(xml: &mut Reader<'_>, place: &'static str, tag: &Tag<'_>) -> Result<Option<Text>, ReadError> {
    let language = xml.attribute(place, tag, "lang");
    let text = xml.text(place)?;
    Ok(text.map(|text| Text {
        text: text.into_owned(),
        language,
    }))
}

fn metadata(xml: &mut Reader<'_>, metadata: &mut Metadata) -> Result<(), ReadError> {
    while let Some(tag) = xml.child()? {
        match name(&tag) {
            "org_name" => xml.string("report_metadata/org_name", &mut metadata.org_name)?,
            "email" => xml.string("report_metadata/email", &mut metadata.email)?,
            "extra_contact_info" => {
                const PLACE: &str = "report_metadata/extra_contact_info";
                let info = text(xml, PLACE, &tag)?;
                xml.notes.once(PLACE, &mut metadata.extra_contact_info, info);
            }
            "report_id" => xml.string("report_metadata/report_id", &mut metadata.report_id)?,
            "date_range" => {
                while let Some(tag) = xml.child()? {
                    let instant = |text: &str| number(text).and_then(instant::from_seconds);
                    match name(&tag) {
                        "begin" => xml.parsed("date_range/begin", &mut metadata.begin, instant)?,
                        "end" => xml.parsed("date_range/end", &mut metadata.end, instant)?,
                        _ => xml.skip_unknown("date_range", &tag)?,
                    }
                }
            }
            "error" => {
                xml.entry()?;
                metadata.errors.extend(text(xml, "report_metadata/error", &tag)?);
            }
            "generator" => xml.string("report_metadata/generator", &mut metadata.generator)?,
            _ => xml.skip_unknown("report_metadata", &tag)?,
        }
    }
    xml.notes.required("report_metadata/org_name", &metadata.org_name);
    xml.notes.required("report_metadata/email", &metadata.email);
    xml.notes.required("report_metadata/report_id", &metadata.report_id);
    xml.notes.required("date_range/begin", &metadata.begin);
    xml.notes.required("date_range/end", &metadata.end);
    if let (Some(begin), Some(end)) = (metadata.begin, metadata.end)
        && end < begin
    {
        xml.notes.note("date_range", DeviationKind::Form);
    }
    Ok(())
}

fn policy(xml: &mut Reader<'_>, policy: &mut PublishedPolicy) -> Result<(), ReadError> {
    while let Some(tag) = xml.child()? {
        match name(&tag) {
            "domain" => xml.string("policy_published/domain", &mut policy.domain)?,
            "version_published" => xml.string("policy_published/version_published", &mut policy.version_published)?,
            "discovery_method" => xml.word("policy_published/discovery_method", &mut policy.discovery_method)?,
            "p" => xml.word("policy_published/p", &mut policy.p)?,
            "sp" => xml.word("policy_published/sp", &mut policy.sp)?,
            "np" => xml.word("policy_published/np", &mut policy.np)?,
            "fo" => xml.string("policy_published/fo", &mut policy.fo)?,
            "adkim" => xml.word("policy_published/adkim", &mut policy.adkim)?,
            "aspf" => xml.word("policy_published/aspf", &mut policy.aspf)?,
            "pct" => {
                let percent = |text: &str| u8::try_from(number(text)?).ok().filter(|percent| *percent <= 100);
                xml.parsed("policy_published/pct", &mut policy.pct, percent)?;
            }
            "testing" => {
                let testing = |text: &str| match text {
                    "y" | "Y" => Some(true),
                    "n" | "N" => Some(false),
                    _ => None,
                };
                xml.parsed("policy_published/testing", &mut policy.testing, testing)?;
            }
            _ => xml.skip_unknown("policy_published", &tag)?,
        }
    }
    xml.notes.required("policy_published/domain", &policy.domain);
    xml.notes.required("policy_published/p", &policy.p);
    Ok(())
}

fn record(xml: &mut Reader<'_>) -> Result<Record, ReadError> {
    let mut record = Record::default();
    while let Some(tag) = xml.child()? {
        match name(&tag) {
            "row" => row(xml, &mut record)?,
            "identifiers" => identifiers(xml, &mut record.identifiers)?,
            "auth_results" => auth_results(xml, &mut record.auth_results)?,
            "extension" | "extensions" => elements(xml, "record/extension", &mut record.extensions)?,
            _ => foreign(xml, "record", &tag, &mut record.extensions)?,
        }
    }
    xml.notes.required("row/source_ip", &record.source_ip);
    xml.notes.required("row/count", &record.count);
    xml.notes
        .required("policy_evaluated/disposition", &record.evaluated.disposition);
    xml.notes.required("policy_evaluated/dkim", &record.evaluated.dkim);
    xml.notes.required("policy_evaluated/spf", &record.evaluated.spf);
    xml.notes
        .required("identifiers/header_from", &record.identifiers.header_from);
    Ok(record)
}

fn row(xml: &mut Reader<'_>, record: &mut Record) -> Result<(), ReadError> {
    while let Some(tag) = xml.child()? {
        match name(&tag) {
            "source_ip" => xml.parsed("row/source_ip", &mut record.source_ip, source)?,
            "count" => xml.parsed("row/count", &mut record.count, number)?,
            "policy_evaluated" => evaluated(xml, &mut record.evaluated)?,
            _ => xml.skip_unknown("row", &tag)?,
        }
    }
    Ok(())
}

/// Reads an address; an IPv4 address that is written as one of IPv6 is the same address.
fn source(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

fn evaluated(xml: &mut Reader<'_>, evaluated: &mut PolicyEvaluated) -> Result<(), ReadError> {
    while let Some(tag) = xml.child()? {
        match name(&tag) {
            "disposition" => xml.word("policy_evaluated/disposition", &mut evaluated.disposition)?,
            "dkim" => xml.word("policy_evaluated/dkim", &mut evaluated.dkim)?,
            "spf" => xml.word("policy_evaluated/spf", &mut evaluated.spf)?,
            "reason" => {
                xml.entry()?;
                evaluated.reasons.push(reason(xml)?);
            }
            _ => xml.skip_unknown("policy_evaluated", &tag)?,
        }
    }
    Ok(())
}

fn reason(xml: &mut Reader<'_>) -> Result<Reason, ReadError> {
    let mut reason = Reason::default();
    while let Some(tag) = xml.child()? {
        match name(&tag) {
            "type" => xml.word("reason/type", &mut reason.kind)?,
            "comment" => {
                let comment = text(xml, "reason/comment", &tag)?;
                xml.notes.once("reason/comment", &mut reason.comment, comment);
            }
            _ => xml.skip_unknown("reason", &tag)?,
        }
    }
    xml.notes.required("reason/type", &reason.kind);
    Ok(reason)
}

fn identifiers(xml: &mut Reader<'_>, identifiers: &mut Identifiers) -> Result<(), ReadError> {
    while let Some(tag) = xml.child()? {
        match name(&tag) {
            "header_from" => xml.string("identifiers/header_from", &mut identifiers.header_from)?,
            "envelope_from" => xml.string("identifiers/envelope_from", &mut identifiers.envelope_from)?,
            "envelope_to" => xml.string("identifiers/envelope_to", &mut identifiers.envelope_to)?,
            _ => xml.skip_unknown("identifiers", &tag)?,
        }
    }
    Ok(())
}

fn auth_results(xml: &mut Reader<'_>, results: &mut AuthResults) -> Result<(), ReadError> {
    while let Some(tag) = xml.child()? {
        match name(&tag) {
            "dkim" => {
                xml.entry()?;
                results.dkim.push(dkim(xml)?);
            }
            "spf" => {
                xml.entry()?;
                results.spf.push(spf(xml)?);
            }
            _ => xml.skip_unknown("auth_results", &tag)?,
        }
    }
    Ok(())
}

fn dkim(xml: &mut Reader<'_>) -> Result<DkimResult, ReadError> {
    let mut result = DkimResult::default();
    while let Some(tag) = xml.child()? {
        match name(&tag) {
            "domain" => xml.string("dkim/domain", &mut result.domain)?,
            "selector" => xml.string("dkim/selector", &mut result.selector)?,
            "result" => xml.word("dkim/result", &mut result.result)?,
            "human_result" => {
                let human = text(xml, "dkim/human_result", &tag)?;
                xml.notes.once("dkim/human_result", &mut result.human_result, human);
            }
            _ => xml.skip_unknown("dkim", &tag)?,
        }
    }
    xml.notes.required("dkim/domain", &result.domain);
    xml.notes.required("dkim/result", &result.result);
    Ok(result)
}

fn spf(xml: &mut Reader<'_>) -> Result<SpfResult, ReadError> {
    let mut result = SpfResult::default();
    while let Some(tag) = xml.child()? {
        match name(&tag) {
            "domain" => xml.string("spf/domain", &mut result.domain)?,
            "scope" => xml.word("spf/scope", &mut result.scope)?,
            "result" => xml.word("spf/result", &mut result.result)?,
            "human_result" => {
                let human = text(xml, "spf/human_result", &tag)?;
                xml.notes.once("spf/human_result", &mut result.human_result, human);
            }
            _ => xml.skip_unknown("spf", &tag)?,
        }
    }
    xml.notes.required("spf/domain", &result.domain);
    xml.notes.required("spf/result", &result.result);
    Ok(result)
}
