//! Chains that others made, and sets that we add to them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use posthaste_auth::arc::{self, Payload, Sealer};
use posthaste_auth::dkim::{Algorithm, KeyServiceError, PublicKey, RemoteKey, RemoteSignature, SigningInput};
use posthaste_dns::{Record, Zone};
use serde_json::Value;

use super::{block_on, on_the_wire};
use crate::harness::{Input, Report};

/// The time at which chains are validated: all were sealed before it.
const NOW: u64 = 1_700_000_000;

/// `validation.json`: what the chain of each message is; nothing expected is anything.
pub(super) fn validate(input: &Input, report: &mut Report) {
    each(input, "arc/validation.json", |group, id, test| {
        report.check(id, check_chain(&zone(&group["txt-records"]), test));
    });
}

/// `sign.json`: the set that is put before each message; none expected is a chain that is not sealed any more.
pub(super) fn seal(input: &Input, report: &mut Report) {
    each(input, "arc/sign.json", |group, id, test| {
        report.check(id, check_set(group, test))
    });
}

fn each(input: &Input, file: &str, mut check: impl FnMut(&Value, &str, &Value)) {
    for group in input.json(file).as_array().expect("a list of groups") {
        for (id, test) in group["tests"].as_object().expect("tests by name") {
            check(group, id, test);
        }
    }
}

fn zone(records: &Value) -> Zone {
    let mut zone = Zone::new();
    for (name, text) in records.as_object().into_iter().flatten() {
        drop(zone.insert(name, Record::txt(text.as_str().unwrap_or_default())));
    }
    zone
}

fn message(test: &Value) -> Vec<u8> {
    on_the_wire(test["message"].as_str().unwrap_or_default().as_bytes())
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn check_chain(zone: &Zone, test: &Value) -> Result<(), String> {
    let chain = block_on(arc::validate(&message(test), zone, at(NOW)));
    let expected = test["cv"].as_str().unwrap_or_default();
    if expected.is_empty() || expected.eq_ignore_ascii_case(chain.result().as_str()) {
        Ok(())
    } else {
        Err(format!("{chain:?}, expected {expected}"))
    }
}

/// A key that knows its signatures: those of the vector. It gives the one that holds over what is to be signed.
///
/// The private keys of the vectors are too short for us to sign with. RSA makes one signature over the same octets, always, so a
/// signature of the vector that holds is the one that the key would have made.
#[derive(Debug)]
struct Known {
    public: PublicKey,
    signatures: Vec<Vec<u8>>,
}

impl RemoteKey for Known {
    fn algorithm(&self) -> Algorithm {
        self.public.algorithm()
    }

    fn public_key(&self) -> Option<&PublicKey> {
        Some(&self.public)
    }

    fn sign<'a>(&'a self, input: &'a SigningInput) -> RemoteSignature<'a> {
        let fitting = self
            .signatures
            .iter()
            .find(|signature| self.public.verifies(input.header(), signature));
        Box::pin(async move {
            fitting.cloned().ok_or_else(|| {
                KeyServiceError::permanent(format!(
                    "no signature over {:?}",
                    String::from_utf8_lossy(input.header())
                ))
            })
        })
    }
}

fn check_set(group: &Value, test: &Value) -> Result<(), String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().trim().to_owned();
    let (domain, selector) = (text(&group["domain"]), text(&group["sel"]));
    let record = text(&group["txt-records"][format!("{selector}._domainkey.{domain}")]);
    let signatures = ["AS", "AMS"].into_iter().filter_map(|field| {
        let tags = tags(&text(&test[field]));
        STANDARD.decode(tags.get("b")?).ok()
    });
    let key = Known {
        public: PublicKey::parse(&record).map_err(|error| error.to_string())?,
        signatures: signatures.collect(),
    };
    let names = text(&test["sig-headers"]);
    let sealer = Sealer::builder(domain.parse().map_err(|_| "not a domain")?)
        .remote_key(selector.parse().map_err(|_| "not a selector")?, Arc::new(key))
        .headers(names.split(':').map(str::trim))
        .build()
        .map_err(|error| error.to_string())?;
    let message = message(test);
    let now = at(test["t"].as_u64().ok_or("no time")?);
    let chain = block_on(arc::validate(&message, &zone(&group["txt-records"]), now));
    let results = Payload::of_message(&message, &text(&test["srv-id"])).ok_or("no results");
    let is_unsealed = ["AS", "AMS", "AAR"].iter().all(|field| text(&test[field]).is_empty());
    if is_unsealed {
        let sealed = results.map(|results| block_on(sealer.seal_async(&message, results, &chain, now)));
        return match sealed {
            Ok(Ok(set)) => Err(format!("sealed: {set}")),
            _ => Ok(()),
        };
    }
    let set = block_on(sealer.seal_async(&message, results?, &chain, now)).map_err(|error| {
        let causes = std::iter::successors(std::error::Error::source(&error), |cause| cause.source());
        let causes: Vec<String> = causes.map(ToString::to_string).collect();
        format!("{error}: {causes:?}; the chain is {}", chain.result())
    })?;
    compare(&set, test)
}

/// The three fields have the tags that are expected, whatever white space is between them.
fn compare(set: &str, test: &Value) -> Result<(), String> {
    let unfolded = set.replace("\r\n\t", " ").replace("\r\n ", " ");
    for (name, key) in [
        ("ARC-Seal: ", "AS"),
        ("ARC-Message-Signature: ", "AMS"),
        ("ARC-Authentication-Results: ", "AAR"),
    ] {
        let found = unfolded
            .lines()
            .filter_map(|line| line.strip_prefix(name))
            .collect::<Vec<_>>();
        let [found] = found.as_slice() else {
            return Err(format!("not one {name}: {set}"));
        };
        let expected = test[key].as_str().unwrap_or_default();
        let is_same = match key {
            "AAR" => words(found) == words(expected),
            _ => tags(found) == tags(expected),
        };
        if !is_same {
            return Err(format!("{name}{found}, expected {expected}"));
        }
    }
    Ok(())
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn tags(text: &str) -> BTreeMap<String, String> {
    let squeeze = |text: &str| text.split_whitespace().collect::<String>();
    text.split(';')
        .filter_map(|tag| tag.split_once('='))
        .map(|(name, value)| (squeeze(name), squeeze(value)))
        .collect()
}
