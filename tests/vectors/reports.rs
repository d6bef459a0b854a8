//! Reports of receivers: aggregate reports, feedback reports, TLS reports.

use std::net::IpAddr;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use posthaste_mime::RawMessage;
use posthaste_report::{Limits, dmarc, feedback, tls};
use serde_json::{Map, Value, json};

use crate::harness::{Input, Report, Set};

/// Deviations accepted on purpose: none.
pub const DEVIATIONS: &[(&str, &str, &str)] = &[];

/// The sets of this area.
pub fn sets() -> Vec<Set> {
    vec![
        Set {
            name: "reports/arf",
            run: |input, report| cases(input, report, "reports/arf", &[".eml"], arf),
        },
        Set {
            name: "reports/dmarc-feedback",
            run: |input, report| cases(input, report, "reports/dmarc-feedback", &[".eml", ".xml"], aggregate),
        },
        Set {
            name: "reports/tlsrpt",
            run: tlsrpt,
        },
    ]
}

type Answer = fn(&[u8], bool) -> Result<Value, String>;

/// Each file with what it says beside it: `001.eml` and `001.json`.
fn cases(input: &Input, report: &mut Report, folder: &str, endings: &[&str], answer: Answer) {
    for path in input.files(folder, endings) {
        let name = stem(&path);
        let expected = input.json(&format!("{folder}/{name}.json"));
        let outcome = compare(&path, &expected, answer);
        report.check(&name, outcome);
    }
}

fn tlsrpt(input: &Input, report: &mut Report) {
    for path in input.files("reports/tlsrpt", &[".json"]) {
        let name = stem(&path);
        let expected = input.json(&format!("reports/tlsrpt/{name}.json"));
        let mail = path.with_extension("eml");
        let outcome = compare(&path, &expected, tls).and_then(|()| match mail.exists() {
            true => compare(&mail, &expected, tls),
            false => Ok(()),
        });
        report.check(&name, outcome);
    }
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Compares what a file says with what it should say; nothing, empty and a default are the same.
fn compare(path: &Path, expected: &Value, answer: Answer) -> Result<(), String> {
    let octets = std::fs::read(path).map_err(|error| error.to_string())?;
    let is_mail = path.extension().is_some_and(|ending| ending == "eml");
    let found = said(&answer(&octets, is_mail)?);
    let expected = said(expected);
    if found == expected {
        return Ok(());
    }
    Err(format!("says {found}, expected {expected}"))
}

fn said(value: &Value) -> Value {
    let is_nothing = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty() || text == "Unspecified",
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::Bool(true) => false,
    };
    match value {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .map(|(name, value)| (name.clone(), said(value)))
                .filter(|(_, value)| !is_nothing(value))
                .collect(),
        ),
        Value::Array(list) => list.iter().map(said).collect(),
        Value::Number(number) => json!(number.as_f64()),
        Value::String(text) => json!(match text.parse::<IpAddr>() {
            Ok(address) => address.to_string(),
            Err(_) => text.split_whitespace().collect::<Vec<_>>().join(" "),
        }),
        other => other.clone(),
    }
}

fn mail(octets: &[u8]) -> Result<RawMessage, String> {
    RawMessage::parse(octets.to_vec()).map_err(|error| error.to_string())
}

fn seconds(time: Option<SystemTime>) -> Option<u64> {
    Some(time?.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

/// A word of a report as the vectors write it: `sampled_out` is `SampledOut`.
fn word(written: Option<&str>) -> Value {
    let Some(written) = written else { return Value::Null };
    let special = [
        ("mfrom", "MailFrom"),
        ("r", "Relaxed"),
        ("s", "Strict"),
        ("softfail", "SoftFail"),
        ("temperror", "TempError"),
        ("permerror", "PermError"),
        ("bodyhash", "BodyHash"),
        ("not-spam", "NotSpam"),
        ("auth-failure", "AuthFailure"),
    ];
    if let Some((_, name)) = special.iter().find(|(word, _)| *word == written) {
        return json!(name);
    }
    let camel: String = written
        .split(['_', '-'])
        .map(|part| {
            let mut letters = part.chars();
            letters.next().map_or(String::new(), |first| {
                first.to_ascii_uppercase().to_string() + letters.as_str()
            })
        })
        .collect();
    json!(camel)
}

fn aggregate(octets: &[u8], is_mail: bool) -> Result<Value, String> {
    let limits = Limits::new();
    let report = match is_mail {
        true => dmarc::Report::from_mail(&mail(octets)?, &limits),
        false => dmarc::Report::read(octets, &limits),
    };
    let report = report.map_err(|error| error.to_string())?;
    let text = |text: &Option<dmarc::Text>| text.as_ref().map(|text| text.text.clone());
    let extensions = |elements: &[posthaste_report::dmarc::Element]| -> Vec<Value> {
        elements
            .iter()
            .map(|element| json!({"name": element.attribute("name"), "definition": element.attribute("definition")}))
            .collect()
    };
    let records: Vec<Value> = report
        .records
        .iter()
        .map(|record| {
            let dkim: Vec<Value> = record
                .auth_results
                .dkim
                .iter()
                .map(|result| {
                    json!({"domain": result.domain, "selector": result.selector, "human_result": text(&result.human_result),
                           "result": word(result.result.as_ref().map(|word| word.as_str()))})
                })
                .collect();
            let spf: Vec<Value> = record
                .auth_results
                .spf
                .iter()
                .map(|result| {
                    json!({"domain": result.domain, "human_result": text(&result.human_result),
                           "scope": word(result.scope.as_ref().map(|word| word.as_str())),
                           "result": word(result.result.as_ref().map(|word| word.as_str()))})
                })
                .collect();
            let reasons: Vec<Value> = record
                .evaluated
                .reasons
                .iter()
                .map(|reason| {
                    // The vectors have the words of RFC 9990, which no longer has this one.
                    let kind = reason.kind.as_ref().map(|word| match word {
                        dmarc::Override::SampledOut => "other",
                        word => word.as_str(),
                    });
                    json!({"type_": word(kind), "comment": text(&reason.comment)})
                })
                .collect();
            json!({
                "row": {
                    "source_ip": record.source_ip.map(|address| address.to_string()),
                    "count": record.count,
                    "policy_evaluated": {
                        "disposition": word(record.evaluated.disposition.as_ref().map(|word| word.as_str())),
                        "dkim": word(record.evaluated.dkim.as_ref().map(|word| word.as_str())),
                        "spf": word(record.evaluated.spf.as_ref().map(|word| word.as_str())),
                        "reason": reasons,
                    },
                },
                "identifiers": {
                    "envelope_to": record.identifiers.envelope_to,
                    "envelope_from": record.identifiers.envelope_from,
                    "header_from": record.identifiers.header_from,
                },
                "auth_results": {"dkim": dkim, "spf": spf},
                "extensions": extensions(&record.extensions),
            })
        })
        .collect();
    let policy = &report.policy;
    Ok(json!({
        "version": report.version.as_deref().and_then(|version| version.parse::<f64>().ok()),
        "report_metadata": {
            "org_name": report.metadata.org_name,
            "email": report.metadata.email,
            "extra_contact_info": text(&report.metadata.extra_contact_info),
            "report_id": report.metadata.report_id,
            "date_range": {"begin": seconds(report.metadata.begin), "end": seconds(report.metadata.end)},
            "error": report.metadata.errors.iter().map(|error| error.text.clone()).collect::<Vec<_>>(),
            "generator": report.metadata.generator,
        },
        "policy_published": {
            "domain": policy.domain,
            "version_published": policy.version_published,
            "adkim": word(policy.adkim.as_ref().map(|word| word.as_str())),
            "aspf": word(policy.aspf.as_ref().map(|word| word.as_str())),
            "p": word(policy.p.as_ref().map(|word| word.as_str())),
            "sp": word(policy.sp.as_ref().map(|word| word.as_str())),
            "np": word(policy.np.as_ref().map(|word| word.as_str())),
            "discovery_method": word(policy.discovery_method.as_ref().map(|word| word.as_str())),
            "testing": policy.testing,
            "fo": policy.fo,
        },
        "record": records,
        "extensions": extensions(&report.extensions),
    }))
}

fn arf(octets: &[u8], _: bool) -> Result<Value, String> {
    let report = feedback::Report::from_mail(&mail(octets)?, &Limits::new()).map_err(|error| error.to_string())?;
    let header = report
        .header
        .map(|header| String::from_utf8_lossy(&header).into_owned());
    // The vectors keep angle brackets as they were written.
    let original = mail(octets)?;
    let parts = original.parts().map_err(|error| error.to_string())?;
    let written = |name: &str| {
        let part = parts
            .iter()
            .find(|part| part.content_type() == "message/feedback-report")?;
        let fields = RawMessage::parse(part.decoded().into_owned()).ok()?;
        let value = fields.field(name)?.decoded();
        Some(value)
    };
    let same = |name: &str, bare: Option<&str>| {
        let value = written(name)?;
        (value.trim_matches(['<', '>', ' ']) == bare?).then_some(value)
    };
    Ok(json!({
        "feedback_type": word(report.kind.as_ref().map(|word| word.as_str())),
        "arrival_date": seconds(report.arrival_date),
        "authentication_results": report.authentication_results,
        "incidents": report.incidents.unwrap_or(1),
        "original_envelope_id": report.original_envelope_id,
        "original_mail_from": same("Original-Mail-From", report.original_mail_from.as_deref()),
        "original_rcpt_to": same("Original-Rcpt-To", report.original_rcpt_to.first().map(String::as_str)),
        "reported_domain": report.reported_domains,
        "reported_uri": report.reported_uris,
        "reporting_mta": report.reporting_mta,
        "source_ip": report.source_ip.map(|address| address.to_string()),
        "user_agent": report.user_agent,
        "version": report.version,
        "source_port": report.source_port,
        "auth_failure": word(report.auth_failure.as_ref().map(|word| word.as_str())),
        "delivery_result": word(report.delivery_result.as_ref().map(|word| word.as_str())),
        "dkim_adsp_dns": report.dkim_adsp_dns,
        "dkim_canonicalized_body": report.dkim_canonicalized_body.and_then(|body| unfolded(written("DKIM-Canonicalized-Body"), &body)),
        "dkim_canonicalized_header": report.dkim_canonicalized_header.and_then(|header| unfolded(written("DKIM-Canonicalized-Header"), &header)),
        "dkim_domain": report.dkim_domain,
        "dkim_identity": report.dkim_identity,
        "dkim_selector": report.dkim_selector,
        "dkim_selector_dns": report.dkim_selector_dns,
        "spf_dns": report.spf_dns.first(),
        "identity_alignment": word(report.identity_alignment.as_ref().map(|word| word.as_str())),
        "headers": header,
    }))
}

/// The vectors keep base64 as it was folded.
fn unfolded(written: Option<String>, read: &str) -> Option<String> {
    let written = written?;
    let bare: String = written.split_whitespace().collect();
    (bare == read).then_some(written)
}

fn tls(octets: &[u8], is_mail: bool) -> Result<Value, String> {
    let limits = Limits::new();
    let report = match is_mail {
        true => tls::Report::from_mail(&mail(octets)?, &limits),
        false => tls::Report::read(octets, &limits),
    };
    let report = report.map_err(|error| error.to_string())?;
    // Times are written as the report's own JSON has them.
    let written = serde_json::to_value(&report).map_err(|error| error.to_string())?;
    let policies: Vec<Value> = report
        .policies
        .iter()
        .map(|result| {
            let failures: Vec<Value> = result
                .failures
                .iter()
                .map(|failure| {
                    json!({
                        "result-type": failure.result.as_ref().map(|word| word.as_str()),
                        "sending-mta-ip": failure.sending_mta_ip.map(|address| address.to_string()),
                        "receiving-mx-hostname": failure.receiving_mx_hostname,
                        "receiving-mx-helo": failure.receiving_mx_helo,
                        "receiving-ip": failure.receiving_ip.map(|address| address.to_string()),
                        "failed-session-count": failure.sessions,
                        "additional-information": failure.additional_information,
                        "failure-reason-code": failure.failure_reason_code,
                    })
                })
                .collect();
            json!({
                "policy": {
                    "policy-type": result.policy.kind.as_ref().map(|word| word.as_str()),
                    "policy-string": result.policy.strings,
                    "policy-domain": result.policy.domain,
                    "mx-host": result.policy.mx_hosts,
                },
                "summary": {
                    "total-successful-session-count": result.successful,
                    "total-failure-session-count": result.failed,
                },
                "failure-details": failures,
            })
        })
        .collect();
    let mut whole = Map::new();
    whole.insert("organization-name".into(), json!(report.organization_name));
    whole.insert(
        "date-range".into(),
        json!({"start-datetime": written["begin"], "end-datetime": written["end"]}),
    );
    whole.insert("contact-info".into(), json!(report.contact_info));
    whole.insert("report-id".into(), json!(report.report_id));
    whole.insert("policies".into(), json!(policies));
    Ok(Value::Object(whole))
}
