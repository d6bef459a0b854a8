//! Ed25519 as DKIM uses it: aws-lc-rs's verification.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use serde_json::Value;

use crate::harness::{Input, Report};

pub fn verify(input: &Input, report: &mut Report) {
    let set = input.json("crypto/ed25519_test.json");
    for group in set["testGroups"].as_array().expect("groups") {
        let key = UnparsedPublicKey::new(&ED25519, hex(&group["publicKey"]["pk"]));
        for test in group["tests"].as_array().into_iter().flatten() {
            let id = test["tcId"].to_string();
            let is_valid = key.verify(&hex(&test["msg"]), &hex(&test["sig"])).is_ok();
            let expected = test["result"].as_str().unwrap_or_default();
            let outcome = match (expected, is_valid) {
                ("valid", true) | ("invalid", false) | ("acceptable", _) => Ok(()),
                _ => Err(format!("{is_valid}, expected {expected}")),
            };
            report.check(&id, outcome);
        }
    }
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap_or_default();
    (0..text.len() / 2)
        .filter_map(|at| u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok())
        .collect()
}
