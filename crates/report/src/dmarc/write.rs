//! Writes aggregate reports as RFC 9990 has them.

use super::model::{AuthResults, Metadata, PolicyEvaluated, PublishedPolicy, Record, Report, Text};
use super::words::{Override, Scope};
use crate::element::Element;
use crate::error::{required, word};
use crate::xml::Writer;
use crate::{WriteError, container, instant, report_id};

/// The namespace of RFC 9990.
pub(super) const NAMESPACE: &str = "urn:ietf:params:xml:ns:dmarc-2.0";
/// How deep elements of extensions may be nested, so that readers with a limit of 32 levels take them.
const EXTENSION_DEPTH: usize = 24;

impl Report {
    /// Writes the report as XML of RFC 9990: always the same, in UTF-8.
    ///
    /// `version` is `1.0` whatever the report says, and what only RFC 7489 or drafts have is left out: `pct` and
    /// `version_published`. Characters that XML cannot hold are written as U+FFFD, so that no report is lost for what a
    /// stranger put into a message.
    ///
    /// # Errors
    ///
    /// [`WriteError`] when something is missing that RFC 9990 asks for, a word is none of its words, a report id is not of
    /// its form, SPF stands in a record twice, or an element of an extension has no namespace.
    pub fn to_xml(&self) -> Result<String, WriteError> {
        let mut xml = Writer::new();
        xml.begin("feedback", &[("xmlns", NAMESPACE)]);
        xml.text("version", "1.0");
        metadata(&mut xml, &self.metadata)?;
        policy(&mut xml, &self.policy)?;
        if !self.extensions.is_empty() {
            xml.begin("extension", &[]);
            extensions(&mut xml, &self.extensions, None)?;
            xml.end();
        }
        if self.records.is_empty() {
            return Err(WriteError::Missing {
                place: "record",
                record: None,
            });
        }
        for (number, record) in self.records.iter().enumerate() {
            write_record(&mut xml, record, number)?;
        }
        Ok(xml.finish())
    }

    /// Writes the report as XML and packs it with gzip, as it is sent; always the same.
    ///
    /// # Errors
    ///
    /// As [`to_xml`](Self::to_xml).
    pub fn to_gzip(&self) -> Result<Vec<u8>, WriteError> {
        Ok(container::compress(self.to_xml()?.as_bytes()))
    }
}

fn text(xml: &mut Writer, name: &str, text: &Text) {
    let language = text.language.as_deref().map(|language| ("lang", language));
    xml.text_with(name, language.as_slice(), &text.text);
}

fn optional_text(xml: &mut Writer, name: &str, value: Option<&Text>) {
    if let Some(value) = value {
        text(xml, name, value);
    }
}

fn metadata(xml: &mut Writer, metadata: &Metadata) -> Result<(), WriteError> {
    xml.begin("report_metadata", &[]);
    xml.text(
        "org_name",
        required(&metadata.org_name, "report_metadata/org_name", None)?,
    );
    xml.text("email", required(&metadata.email, "report_metadata/email", None)?);
    optional_text(xml, "extra_contact_info", metadata.extra_contact_info.as_ref());
    xml.text("report_id", metadata.checked_id()?);
    let (begin, end) = metadata.period()?;
    xml.begin("date_range", &[]);
    xml.text("begin", &begin.to_string());
    xml.text("end", &end.to_string());
    xml.end();
    match metadata.errors.as_slice() {
        [] => {}
        [error] => text(xml, "error", error),
        _ => {
            return Err(WriteError::Repeated {
                place: "report_metadata/error",
                record: None,
            });
        }
    }
    if let Some(generator) = &metadata.generator {
        xml.text("generator", generator);
    }
    xml.end();
    Ok(())
}

impl Metadata {
    /// Returns the report id, if it is of the form that RFC 9990 §3.5.1 asks for.
    pub(super) fn checked_id(&self) -> Result<&str, WriteError> {
        const PLACE: &str = "report_metadata/report_id";
        report_id::checked(PLACE, required(&self.report_id, PLACE, None)?)
    }

    /// Returns the period in seconds since 1970.
    pub(super) fn period(&self) -> Result<(u64, u64), WriteError> {
        instant::period(
            ("date_range/begin", required(&self.begin, "date_range/begin", None)?),
            ("date_range/end", required(&self.end, "date_range/end", None)?),
        )
    }
}

fn policy(xml: &mut Writer, policy: &PublishedPolicy) -> Result<(), WriteError> {
    xml.begin("policy_published", &[]);
    xml.text("domain", required(&policy.domain, "policy_published/domain", None)?);
    if let Some(method) = &policy.discovery_method {
        xml.text(
            "discovery_method",
            word(method, "policy_published/discovery_method", None)?,
        );
    }
    let p = required(&policy.p, "policy_published/p", None)?;
    xml.text("p", word(p, "policy_published/p", None)?);
    for (name, place, value) in [
        ("sp", "policy_published/sp", &policy.sp),
        ("np", "policy_published/np", &policy.np),
    ] {
        if let Some(value) = value {
            xml.text(name, word(value, place, None)?);
        }
    }
    if let Some(options) = &policy.fo {
        xml.text("fo", options);
    }
    for (name, place, value) in [
        ("adkim", "policy_published/adkim", &policy.adkim),
        ("aspf", "policy_published/aspf", &policy.aspf),
    ] {
        if let Some(value) = value {
            xml.text(name, word(value, place, None)?);
        }
    }
    if let Some(testing) = policy.testing {
        xml.text("testing", if testing { "y" } else { "n" });
    }
    xml.end();
    Ok(())
}

fn write_record(xml: &mut Writer, record: &Record, number: usize) -> Result<(), WriteError> {
    let at = Some(number);
    xml.begin("record", &[]);
    xml.begin("row", &[]);
    xml.text(
        "source_ip",
        &required(&record.source_ip, "row/source_ip", at)?.to_string(),
    );
    xml.text("count", &required(&record.count, "row/count", at)?.to_string());
    evaluated(xml, &record.evaluated, at)?;
    xml.end();
    xml.begin("identifiers", &[]);
    let identifiers = &record.identifiers;
    xml.text(
        "header_from",
        required(&identifiers.header_from, "identifiers/header_from", at)?,
    );
    for (name, value) in [
        ("envelope_from", &identifiers.envelope_from),
        ("envelope_to", &identifiers.envelope_to),
    ] {
        if let Some(value) = value {
            xml.text(name, value);
        }
    }
    xml.end();
    auth_results(xml, &record.auth_results, at)?;
    extensions(xml, &record.extensions, at)?;
    xml.end();
    Ok(())
}

fn evaluated(xml: &mut Writer, evaluated: &PolicyEvaluated, at: Option<usize>) -> Result<(), WriteError> {
    xml.begin("policy_evaluated", &[]);
    let place = "policy_evaluated/disposition";
    xml.text(
        "disposition",
        word(required(&evaluated.disposition, place, at)?, place, at)?,
    );
    for (name, place, value) in [
        ("dkim", "policy_evaluated/dkim", &evaluated.dkim),
        ("spf", "policy_evaluated/spf", &evaluated.spf),
    ] {
        xml.text(name, word(required(value, place, at)?, place, at)?);
    }
    for reason in &evaluated.reasons {
        const PLACE: &str = "reason/type";
        xml.begin("reason", &[]);
        let kind = required(&reason.kind, PLACE, at)?;
        if matches!(kind, Override::Forwarded | Override::SampledOut) {
            return Err(WriteError::value(PLACE, at, kind.as_str()));
        }
        xml.text("type", word(kind, PLACE, at)?);
        optional_text(xml, "comment", reason.comment.as_ref());
        xml.end();
    }
    xml.end();
    Ok(())
}

fn auth_results(xml: &mut Writer, results: &AuthResults, at: Option<usize>) -> Result<(), WriteError> {
    xml.begin("auth_results", &[]);
    for dkim in &results.dkim {
        xml.begin("dkim", &[]);
        xml.text("domain", required(&dkim.domain, "dkim/domain", at)?);
        xml.text("selector", required(&dkim.selector, "dkim/selector", at)?);
        let result = required(&dkim.result, "dkim/result", at)?;
        xml.text("result", word(result, "dkim/result", at)?);
        optional_text(xml, "human_result", dkim.human_result.as_ref());
        xml.end();
    }
    if results.spf.len() > 1 {
        return Err(WriteError::Repeated {
            place: "auth_results/spf",
            record: at,
        });
    }
    for spf in &results.spf {
        xml.begin("spf", &[]);
        xml.text("domain", required(&spf.domain, "spf/domain", at)?);
        if let Some(scope) = &spf.scope {
            if *scope == Scope::Helo {
                return Err(WriteError::value("spf/scope", at, scope.as_str()));
            }
            xml.text("scope", word(scope, "spf/scope", at)?);
        }
        let result = required(&spf.result, "spf/result", at)?;
        xml.text("result", word(result, "spf/result", at)?);
        optional_text(xml, "human_result", spf.human_result.as_ref());
        xml.end();
    }
    xml.end();
    Ok(())
}

fn extensions(xml: &mut Writer, elements: &[Element], at: Option<usize>) -> Result<(), WriteError> {
    for element in elements {
        let refused = element
            .namespace()
            .is_none_or(|namespace| namespace.is_empty() || namespace == NAMESPACE);
        if refused {
            return Err(WriteError::value("extension", at, element.name()));
        }
        if let Some(name) = element.unwritable(EXTENSION_DEPTH) {
            return Err(WriteError::value("extension", at, name));
        }
        xml.element(element, Some(NAMESPACE));
    }
    Ok(())
}
