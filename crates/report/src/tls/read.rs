//! Reads TLS reports.

use std::net::IpAddr;

use serde::de::MapAccess;

use super::model::{Failure, Policy, PolicyResult, Report};
use crate::deviation::{DeviationKind, Notes};
use crate::json::{self, Member, Object};
use crate::{Limits, ReadError, container, instant};

impl Report {
    /// Reads a file: JSON, or one gzip or zip member that holds it. What it is, its first octets say.
    ///
    /// # Errors
    ///
    /// [`ReadError`] when it breaks a limit, is packed in a way that no report needs, or is no JSON object.
    pub fn read(file: &[u8], limits: &Limits) -> Result<Self, ReadError> {
        let mut notes = Notes::new(limits);
        let opened = container::open(file, limits, &mut notes)?;
        let text = container::to_utf8(&opened, limits, &mut notes)?;
        read_text(&text, limits, notes)
    }
}

fn read_text(text: &str, limits: &Limits, notes: Notes) -> Result<Report, ReadError> {
    if !text.trim_start().starts_with('{') {
        return Err(ReadError::Unrecognised {
            expected: "a JSON object, gzip nor zip",
        });
    }
    let (mut report, notes) = json::object::<Report>(text, limits, notes)?;
    report.deviations = notes.finish();
    Ok(report)
}

fn address(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// The members of `date-range`, `policy` and `summary` belong to what these stand in.
#[derive(Default)]
struct Period(Report);

#[derive(Default)]
struct Summary(PolicyResult);

impl Object for Report {
    const PLACE: &'static str = "report";

    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, value: &mut Member<'_, A>) -> Result<(), A::Error> {
        match name {
            "organization-name" => value.text("organization-name", &mut self.organization_name),
            "contact-info" => value.text("contact-info", &mut self.contact_info),
            "report-id" => value.text("report-id", &mut self.report_id),
            "date-range" => {
                let mut period = Period::default();
                value.object(&mut period)?;
                let notes = &mut value.reading.notes;
                notes.once("date-range/start-datetime", &mut self.begin, period.0.begin);
                notes.once("date-range/end-datetime", &mut self.end, period.0.end);
                Ok(())
            }
            "policies" => {
                value.objects(&mut self.policies, |notes, number| notes.enter(Some(number)))?;
                value.reading.notes.enter(None);
                Ok(())
            }
            _ => value.unknown(Self::PLACE, name),
        }
    }

    fn finish(&self, notes: &mut Notes) {
        notes.required("organization-name", &self.organization_name);
        notes.required("date-range/start-datetime", &self.begin);
        notes.required("date-range/end-datetime", &self.end);
        notes.required("contact-info", &self.contact_info);
        notes.required("report-id", &self.report_id);
        notes.required("policies", &self.policies.first());
        if let (Some(begin), Some(end)) = (self.begin, self.end)
            && end < begin
        {
            notes.note("date-range", DeviationKind::Form);
        }
    }
}

impl Object for Period {
    const PLACE: &'static str = "date-range";

    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, value: &mut Member<'_, A>) -> Result<(), A::Error> {
        match name {
            "start-datetime" => value.parsed("date-range/start-datetime", &mut self.0.begin, instant::parse),
            "end-datetime" => value.parsed("date-range/end-datetime", &mut self.0.end, instant::parse),
            _ => value.unknown(Self::PLACE, name),
        }
    }

    fn finish(&self, _: &mut Notes) {}
}

impl Object for PolicyResult {
    const PLACE: &'static str = "policies";

    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, value: &mut Member<'_, A>) -> Result<(), A::Error> {
        match name {
            "policy" => value.object(&mut self.policy),
            "summary" => {
                let mut summary = Summary::default();
                value.object(&mut summary)?;
                let notes = &mut value.reading.notes;
                let Summary(Self { successful, failed, .. }) = summary;
                notes.once(
                    "summary/total-successful-session-count",
                    &mut self.successful,
                    successful,
                );
                notes.once("summary/total-failure-session-count", &mut self.failed, failed);
                Ok(())
            }
            "failure-details" => value.objects(&mut self.failures, |_, _| {}),
            _ => value.unknown(Self::PLACE, name),
        }
    }

    fn finish(&self, notes: &mut Notes) {
        notes.required("policy/policy-type", &self.policy.kind);
        notes.required("policy/policy-domain", &self.policy.domain);
        notes.required("summary/total-successful-session-count", &self.successful);
        notes.required("summary/total-failure-session-count", &self.failed);
    }
}

impl Object for Policy {
    const PLACE: &'static str = "policy";

    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, value: &mut Member<'_, A>) -> Result<(), A::Error> {
        match name {
            "policy-type" => value.word("policy/policy-type", &mut self.kind),
            "policy-string" => value.texts("policy/policy-string", &mut self.strings),
            "policy-domain" => value.text("policy/policy-domain", &mut self.domain),
            "mx-host" => value.texts("policy/mx-host", &mut self.mx_hosts),
            _ => value.unknown(Self::PLACE, name),
        }
    }

    fn finish(&self, _: &mut Notes) {}
}

impl Object for Summary {
    const PLACE: &'static str = "summary";

    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, value: &mut Member<'_, A>) -> Result<(), A::Error> {
        match name {
            "total-successful-session-count" => {
                value.number("summary/total-successful-session-count", &mut self.0.successful)
            }
            "total-failure-session-count" => value.number("summary/total-failure-session-count", &mut self.0.failed),
            _ => value.unknown(Self::PLACE, name),
        }
    }

    fn finish(&self, _: &mut Notes) {}
}

impl Object for Failure {
    const PLACE: &'static str = "failure-details";

    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, value: &mut Member<'_, A>) -> Result<(), A::Error> {
        match name {
            "result-type" => value.word("failure-details/result-type", &mut self.result),
            "sending-mta-ip" => value.parsed("failure-details/sending-mta-ip", &mut self.sending_mta_ip, address),
            "receiving-mx-hostname" => {
                value.text("failure-details/receiving-mx-hostname", &mut self.receiving_mx_hostname)
            }
            "receiving-mx-helo" => value.text("failure-details/receiving-mx-helo", &mut self.receiving_mx_helo),
            "receiving-ip" => value.parsed("failure-details/receiving-ip", &mut self.receiving_ip, address),
            "failed-session-count" => value.number("failure-details/failed-session-count", &mut self.sessions),
            "additional-information" => value.text(
                "failure-details/additional-information",
                &mut self.additional_information,
            ),
            "failure-reason-code" => value.text("failure-details/failure-reason-code", &mut self.failure_reason_code),
            _ => value.unknown(Self::PLACE, name),
        }
    }

    fn finish(&self, notes: &mut Notes) {
        notes.required("failure-details/result-type", &self.result);
        notes.required("failure-details/failed-session-count", &self.sessions);
    }
}
