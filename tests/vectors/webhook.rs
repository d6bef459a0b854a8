//! Webhooks: signatures of SNS and of Standard Webhooks.

use std::time::{Duration, SystemTime};

use posthaste_events::webhook::{
    CertificateError, Destination, Receiver, RecentKeys, Request, Ses, SigningSecret, Sns, StandardWebhooks, Verified,
    VerifyError,
};
use serde_json::Value;

mod recorded;

use crate::harness::{Input, Report, Set};

/// Deviations accepted on purpose.
pub const DEVIATIONS: &[(&str, &str, &str)] = &[
    (
        "webhook/webhook-signature",
        "id-with-dot is refused",
        "the file leaves it open; a full stop parts id, time and body, so an id with one could be taken for another id and time",
    ),
    (
        "webhook/provider-webhooks",
        "an event at the URL for inbound mail, or inbound mail at that for events, is read",
        "one receiver takes both, so neither can be at the wrong URL",
    ),
    (
        "webhook/provider-webhooks",
        "a mail without a text has none, though one that is attached to it has",
        "who answers the text would answer another mail",
    ),
    (
        "webhook/provider-webhooks",
        "a reason is there where the recording has none",
        "the model has one for every bounce, complaint and wish to get no more",
    ),
    (
        "webhook/provider-webhooks",
        "a key that is missing is an error when the receiver is made, or it needs none",
        "there is no value of the type without one",
    ),
];

/// The sets of this area.
pub fn sets() -> Vec<Set> {
    vec![
        Set {
            name: "webhook/provider-webhooks",
            run: recorded::run,
        },
        Set {
            name: "webhook/sns",
            run: sns,
        },
        Set {
            name: "webhook/webhook-signature",
            run: standard,
        },
    ]
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// 12:00 on the day on which the messages were signed.
fn day_of_sns() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_777_636_800)
}

fn sns(input: &Input, report: &mut Report) {
    let file = input.json("webhook/sns.json");
    let topic = "arn:aws:sns:us-east-1:123456789012:ses-events";
    let mut sns = Sns::new([topic]);
    for (url, pem) in file["certs"].as_object().unwrap() {
        sns = sns.certificate(url, pem.as_str().unwrap().as_bytes()).unwrap();
    }
    let receiver = Receiver::new(Ses::new(sns)).replay_guard(RecentKeys::new(1000));
    for case in file["messages"].as_array().unwrap() {
        let request = Request::post("https://example.org/hooks", text(case, "body").to_owned());
        let verified = receiver.verify(request, day_of_sns());
        let outcome = match (&verified, case["valid"] == true) {
            (Ok(verified), true) => reads(verified),
            (Err(_), false) => Ok(()),
            (Ok(_), false) => Err(format!("taken; {}", text(case, "why"))),
            (Err(error), true) => Err(format!("refused: {error}")),
        };
        report.check(text(case, "id"), outcome);
    }
    for case in file["cert_urls"].as_array().unwrap() {
        let (url, allow) = (text(case, "url"), case["allow"] == true);
        let added = Sns::new([topic]).certificate(url, b"");
        let allowed = !matches!(added, Err(CertificateError::Url));
        let outcome = if allow == allowed {
            Ok(())
        } else {
            Err(format!("allowed: {allowed}"))
        };
        report.check(url, outcome);
    }
}

/// What was verified says something, or says why not.
fn reads(verified: &Verified) -> Result<(), String> {
    match verified.parse() {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("cannot be read: {error}")),
    }
}

fn standard(input: &Input, report: &mut Report) {
    let file = input.json("webhook/webhook-signature.json");
    for case in file["cases"].as_array().unwrap() {
        let secrets = case["secrets"].as_array().unwrap();
        let mut secrets = secrets
            .iter()
            .map(|secret| SigningSecret::new(secret.as_str().unwrap()).unwrap());
        let mut webhooks = StandardWebhooks::new(secrets.next().unwrap());
        for secret in secrets {
            webhooks = webhooks.or_secret(secret);
        }
        let mut request = Request::post("https://example.org/hooks", text(case, "body").to_owned());
        for (name, value) in case["headers"].as_object().unwrap() {
            request = request.header(name.as_str(), value.as_str().unwrap().to_owned());
        }
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(case["now"].as_u64().unwrap());
        let checked: Result<_, VerifyError> = webhooks.check(&request, now);
        let outcome = match (checked, case["accept"].as_bool()) {
            (Ok(_), Some(true)) | (Err(_), Some(false) | None) => Ok(()),
            (Ok(_), _) => Err("taken".into()),
            (Err(error), _) => Err(format!("refused: {error}")),
        };
        report.check(text(case, "id"), outcome);
    }
    for case in file["outgoing_ssrf"].as_array().unwrap() {
        // A remark behind the URL says what its name leads to in the end.
        let (url, remark) = text(case, "url").split_once(' ').unwrap_or((text(case, "url"), ""));
        let delivers = Destination::new(url).is_ok_and(|to| {
            let words = remark.split([' ', '(', ')', ',']);
            words.filter_map(|word| word.parse().ok()).all(|ip| to.allows(ip))
        });
        let outcome = match case["deliver"].as_bool() {
            Some(expected) if expected != delivers => Err(format!("delivers: {delivers}")),
            _ => Ok(()),
        };
        report.check(url, outcome);
    }
}
