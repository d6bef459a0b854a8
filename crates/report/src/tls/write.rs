//! Writes TLS reports.

use std::time::SystemTime;

use serde_json::{Map, Value};

use super::model::{Failure, Policy, PolicyResult, Report};
use crate::error::{required, word};
use crate::{WriteError, container, instant};

impl Report {
    /// Writes the report as JSON (RFC 8460 §4.4): always the same.
    ///
    /// # Errors
    ///
    /// [`WriteError`] when something is missing that RFC 8460 asks for, or a word is none of its words.
    pub fn to_json(&self) -> Result<String, WriteError> {
        self.period()?;
        let mut range = Map::new();
        for (name, place, time) in [
            ("start-datetime", "date-range/start-datetime", &self.begin),
            ("end-datetime", "date-range/end-datetime", &self.end),
        ] {
            range.insert(name.to_owned(), instant(place, time)?);
        }
        if self.policies.is_empty() {
            return Err(WriteError::Missing {
                place: "policies",
                record: None,
            });
        }
        let policies: Result<Vec<Value>, WriteError> = self
            .policies
            .iter()
            .enumerate()
            .map(|(number, result)| policy_result(result, Some(number)))
            .collect();
        let mut report = Map::new();
        let organization = required(&self.organization_name, "organization-name", None)?;
        report.insert("organization-name".to_owned(), organization.as_str().into());
        report.insert("date-range".to_owned(), range.into());
        let contact = required(&self.contact_info, "contact-info", None)?;
        report.insert("contact-info".to_owned(), contact.as_str().into());
        report.insert("report-id".to_owned(), self.written_id()?.into());
        report.insert("policies".to_owned(), policies?.into());
        Ok(format!("{:#}\n", Value::Object(report)))
    }

    /// Writes the report as JSON and packs it with gzip, as it is sent; always the same.
    ///
    /// # Errors
    ///
    /// As [`to_json`](Self::to_json).
    pub fn to_gzip(&self) -> Result<Vec<u8>, WriteError> {
        Ok(container::compress(self.to_json()?.as_bytes()))
    }

    pub(super) fn written_id(&self) -> Result<&str, WriteError> {
        Ok(required(&self.report_id, "report-id", None)?)
    }

    /// Returns the period in seconds since 1970.
    pub(super) fn period(&self) -> Result<(u64, u64), WriteError> {
        const BEGIN: &str = "date-range/start-datetime";
        const END: &str = "date-range/end-datetime";
        instant::period(
            (BEGIN, required(&self.begin, BEGIN, None)?),
            (END, required(&self.end, END, None)?),
        )
    }
}

fn instant(place: &'static str, time: &Option<SystemTime>) -> Result<Value, WriteError> {
    let time = *required(time, place, None)?;
    let text = instant::format(time).ok_or_else(|| WriteError::value(place, None, "a time before 1970"))?;
    Ok(text.into())
}

/// Puts in what there is.
fn put(object: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        object.insert(name.to_owned(), value.into());
    }
}

fn policy_result(result: &PolicyResult, at: Option<usize>) -> Result<Value, WriteError> {
    let mut summary = Map::new();
    for (name, place, count) in [
        (
            "total-successful-session-count",
            "summary/total-successful-session-count",
            result.successful,
        ),
        (
            "total-failure-session-count",
            "summary/total-failure-session-count",
            result.failed,
        ),
    ] {
        let count = *required(&count, place, at)?;
        summary.insert(name.to_owned(), count.into());
    }
    let mut object = Map::new();
    object.insert("policy".to_owned(), policy(&result.policy, at)?);
    object.insert("summary".to_owned(), summary.into());
    if !result.failures.is_empty() {
        let failures: Result<Vec<Value>, WriteError> =
            result.failures.iter().map(|details| failure(details, at)).collect();
        object.insert("failure-details".to_owned(), failures?.into());
    }
    Ok(object.into())
}

fn policy(policy: &Policy, at: Option<usize>) -> Result<Value, WriteError> {
    let mut object = Map::new();
    let kind = required(&policy.kind, "policy/policy-type", at)?;
    object.insert("policy-type".to_owned(), word(kind, "policy/policy-type", at)?.into());
    if !policy.strings.is_empty() {
        object.insert("policy-string".to_owned(), policy.strings.clone().into());
    }
    let domain = required(&policy.domain, "policy/policy-domain", at)?;
    object.insert("policy-domain".to_owned(), domain.as_str().into());
    if !policy.mx_hosts.is_empty() {
        object.insert("mx-host".to_owned(), policy.mx_hosts.clone().into());
    }
    Ok(object.into())
}

fn failure(failure: &Failure, at: Option<usize>) -> Result<Value, WriteError> {
    let mut object = Map::new();
    let result = required(&failure.result, "failure-details/result-type", at)?;
    object.insert(
        "result-type".to_owned(),
        word(result, "failure-details/result-type", at)?.into(),
    );
    let sessions = *required(&failure.sessions, "failure-details/failed-session-count", at)?;
    let address = |address: Option<std::net::IpAddr>| address.map(|address| address.to_string());
    put(&mut object, "sending-mta-ip", address(failure.sending_mta_ip));
    put(
        &mut object,
        "receiving-mx-hostname",
        failure.receiving_mx_hostname.as_deref(),
    );
    put(&mut object, "receiving-mx-helo", failure.receiving_mx_helo.as_deref());
    put(&mut object, "receiving-ip", address(failure.receiving_ip));
    object.insert("failed-session-count".to_owned(), sessions.into());
    put(
        &mut object,
        "additional-information",
        failure.additional_information.as_deref(),
    );
    put(
        &mut object,
        "failure-reason-code",
        failure.failure_reason_code.as_deref(),
    );
    Ok(object.into())
}
