//! One expectation for each signature of a message, from the top to the bottom.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use posthaste_auth::dkim;
use posthaste_dns::{LookupError, Record, RecordType, Txt, Zone};
use serde_json::Value;

use super::block_on;
use crate::harness::{Input, Report, time};

/// `dkim-verify.json`: one expectation a signature, from the top; `a|b` is any of them, `*` anything.
pub fn verify(input: &Input, report: &mut Report) {
    let set = input.json("dkim/dkim-verify.json");
    let zone = zone(&set["dns_txt"]);
    for case in set["cases"].as_array().expect("cases") {
        let id = case["id"].as_str().unwrap_or("no id");
        report.check(id, check(case, &zone));
    }
}

fn check(case: &Value, zone: &Zone) -> Result<(), String> {
    let message = case["message_b64"]
        .as_str()
        .and_then(|text| STANDARD.decode(text).ok())
        .ok_or("no message")?;
    let now = time(case["now"].as_str().unwrap_or_default()).ok_or("no time")?;
    let expected: Vec<&str> = case["expect"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let begun = std::time::Instant::now();
    let questions = zone.queries();
    let verdicts = block_on(dkim::verify(&message, zone, now));
    if begun.elapsed() > Duration::from_secs(2) {
        return Err(format!("took {:?}", begun.elapsed()));
    }
    let is_syntax = case["why"].as_str().is_some_and(|why| why.contains("no DNS query"));
    if is_syntax && zone.queries() > questions {
        return Err("asked the DNS for a signature that is none".to_owned());
    }
    let words: Vec<&str> = verdicts.iter().map(|verdict| verdict.result().as_str()).collect();
    let fits = |word: &str, expected: &str| expected == "*" || expected.split('|').any(|allowed| allowed == word);
    let all_fit =
        words.len() == expected.len() && words.iter().zip(&expected).all(|(word, expected)| fits(word, expected));
    let anything = expected == ["*"];
    // No verdict at all is `none`.
    let none_fits = words.is_empty() && expected.iter().all(|expected| fits("none", expected));
    if all_fit || anything || none_fits {
        Ok(())
    } else {
        let reasons: Vec<_> = verdicts.iter().map(dkim::Verdict::reason).collect();
        Err(format!("{words:?} {reasons:?}, expected {expected:?}"))
    }
}

/// Names with a text, a list of strings, `{"rcode": …}` or `{"txts": […]}`.
fn zone(names: &Value) -> Zone {
    let mut zone = Zone::new();
    for (name, value) in names.as_object().expect("names") {
        match value {
            Value::String(text) => drop(zone.insert(name, Record::txt(text))),
            Value::Array(strings) => {
                drop(zone.insert(
                    name,
                    Record::Txt(Txt::from_segments(strings.iter().filter_map(Value::as_str))),
                ));
            }
            Value::Object(_) => {
                for text in value["txts"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                    drop(zone.insert(name, Record::txt(text)));
                }
                let failure = match value["rcode"].as_str() {
                    Some("SERVFAIL") => LookupError::ServFail,
                    Some("TIMEOUT") => LookupError::Timeout,
                    Some("REFUSED") => LookupError::Refused,
                    _ => continue,
                };
                drop(zone.fail(name, RecordType::Txt, failure));
            }
            _ => {}
        }
    }
    zone
}
