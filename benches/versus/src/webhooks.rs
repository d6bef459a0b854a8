//! Checking and reading a webhook as Standard Webhooks signs it: posthaste-events, the crate of the standard, the MAC alone; and JSON alone.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::{constant_time, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use posthaste_events::webhook::{Receiver, Request, Resend, Signer, SigningSecret};
use standardwebhooks::Webhook;

use crate::race::{Race, Runner};

const SECRET: &str = "whsec_PBoOujx+i+jrgLu/bAJT2z9tzxloipAG";
const ID: &str = "msg_2abc";
const BOUNCED: &str = r#"{"type":"email.bounced","created_at":"2026-01-02T03:04:06.000Z","data":{"email_id":"56761188-7520-42d8-8898-ff6fc54ce618",
    "from":"Acme <onboarding@example.org>","to":["bob@example.net"],"subject":"Welcome","tags":{"order":"42"},"bounce":{"type":"Permanent",
    "subType":"General","message":"The recipient's server refused it.","diagnosticCode":["smtp; 550 5.1.1 user unknown"]}}}"#;

pub fn races() -> Vec<Race> {
    // The crate of the standard knows no other clock than the system's.
    let now = SystemTime::now();
    let seconds = now.duration_since(UNIX_EPOCH).expect("a time").as_secs().to_string();
    let signer = Signer::new(SigningSecret::new(SECRET).expect("a secret"));
    let fields = signer.sign(ID, now, BOUNCED.as_bytes()).expect("an id");
    let mut request = Request::post("https://example.org/hooks", BOUNCED);
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.insert(name, value.parse().expect("a value"));
        request = request.header(name, value);
    }
    let receiver = Receiver::new(Resend::new(SECRET).expect("a secret"));
    let verified = receiver.verify(request.clone(), now).expect("a right signature");
    assert_eq!(verified.parse().expect("an event").events.len(), 1);

    let peer = Webhook::new(SECRET).expect("a secret");
    let secret = STANDARD.decode(SECRET.trim_start_matches("whsec_")).expect("base64");
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    let signature = headers["webhook-signature"].to_str().expect("text").to_owned();
    let verify = Race::new(
        "verify a webhook of 430 octets, Standard Webhooks",
        vec![
            Runner::new("posthaste-events, the request cloned each time", move || {
                receiver
                    .verify(request.clone(), now)
                    .expect("a right signature")
                    .body()
                    .len()
            }),
            Runner::new("standardwebhooks 1", move || {
                peer.verify(BOUNCED.as_bytes(), &headers).expect("a right signature");
                BOUNCED.len()
            }),
            Runner::new("floor: base64 and the MAC", move || {
                let mut context = hmac::Context::with_key(&key);
                for piece in [ID, ".", &seconds, ".", BOUNCED] {
                    context.update(piece.as_bytes());
                }
                let sent = STANDARD.decode(signature.trim_start_matches("v1,")).expect("base64");
                constant_time::verify_slices_are_equal(context.sign().as_ref(), &sent).expect("a right signature");
                BOUNCED.len()
            }),
        ],
    );
    let parse = Race::new(
        "read the bounce in it",
        vec![
            Runner::new(
                "posthaste-events: whom, why, whether the address may be used again",
                move || verified.parse().expect("an event").events.len(),
            ),
            Runner::new("floor: serde_json::Value", || {
                let read: serde_json::Value = serde_json::from_str(BOUNCED).expect("JSON");
                read.as_object().map_or(0, serde_json::Map::len)
            }),
        ],
    );
    vec![verify, parse]
}
