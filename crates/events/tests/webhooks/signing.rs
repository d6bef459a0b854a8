//! Signs as providers do.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256};
use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use posthaste_events::webhook::Request;
use serde_json::{Value, json};

use crate::URL;

pub const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:ses";
pub const CERTIFICATE_URL: &str = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem";
/// 2026-01-02T03:04:06Z, when the messages were signed.
pub const SIGNED_AT: u64 = 1_767_323_046;

/// What stands for Amazon SNS.
pub struct FakeSns {
    key: KeyPair,
    pub certificate: String,
}

impl FakeSns {
    pub fn new() -> Self {
        let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let pkcs8 = key.as_der().unwrap();
        let der =
            rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8.as_ref().to_vec().into(), &rcgen::PKCS_RSA_SHA256)
                .unwrap();
        let params = rcgen::CertificateParams::new(vec!["sns.amazonaws.com".to_owned()]).unwrap();
        let certificate = params.self_signed(&der).unwrap().pem();
        Self { key, certificate }
    }

    /// Makes a message around an event of SES, signed.
    pub fn notification(&self, message: &Value) -> Value {
        self.sign(json!({
            "Type": "Notification",
            "MessageId": "6c1d6b2a-0001",
            "TopicArn": TOPIC,
            "Message": message.to_string(),
            "Timestamp": "2026-01-02T03:04:06.000Z",
            "SignatureVersion": "2",
            "SigningCertURL": CERTIFICATE_URL,
        }))
    }

    pub fn sign(&self, mut message: Value) -> Value {
        let mut text = String::new();
        let names = [
            "Message",
            "MessageId",
            "Subject",
            "SubscribeURL",
            "Timestamp",
            "Token",
            "TopicArn",
            "Type",
        ];
        for name in names {
            if let Some(value) = message[name].as_str() {
                text.push_str(&format!("{name}\n{value}\n"));
            }
        }
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
            .unwrap();
        message["Signature"] = STANDARD.encode(signature).into();
        message
    }
}

pub fn post(body: &Value) -> Request {
    Request::post(URL, body.to_string())
}

/// What stands for SendGrid.
pub struct FakeSendGrid(EcdsaKeyPair);

impl FakeSendGrid {
    pub fn new() -> Self {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new()).unwrap();
        Self(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref()).unwrap())
    }

    pub fn key(&self) -> String {
        STANDARD.encode(self.0.public_key().as_der().unwrap().as_ref())
    }

    pub fn request(&self, timestamp: &str, body: &str) -> Request {
        let signature = self
            .0
            .sign(&SystemRandom::new(), format!("{timestamp}{body}").as_bytes())
            .unwrap();
        Request::post(URL, body.to_owned())
            .header("X-Twilio-Email-Event-Webhook-Timestamp", timestamp.to_owned())
            .header(
                "X-Twilio-Email-Event-Webhook-Signature",
                STANDARD.encode(signature.as_ref()),
            )
    }
}

/// Writes an HMAC-SHA256 in hexadecimal digits.
pub fn hex_mac(key: &str, text: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    hex(hmac::sign(&key, text.as_bytes()).as_ref())
}

pub fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Makes a request of Mailgun around an event.
pub fn mailgun(key: &str, timestamp: &str, token: &str, data: &Value) -> Request {
    let signature = hex_mac(key, &format!("{timestamp}{token}"));
    post(&json!({
        "signature": {"timestamp": timestamp, "token": token, "signature": signature},
        "event-data": data,
    }))
}

/// Something that differs with its seed and looks random.
pub fn token(seed: &str) -> String {
    hex(digest::digest(&digest::SHA256, seed.as_bytes()).as_ref())
}
