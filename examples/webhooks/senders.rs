//! What stands for the providers: keys, signatures, and what they deliver.

#![expect(clippy::indexing_slicing, reason = "fields of JSON objects that are made here")]

use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use posthaste_events::webhook::{CertificateError, CertificateFuture, CertificateSource};
use serde_json::{Value, json};

pub(crate) const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:ses-events";
pub(crate) const USER: &str = "postmark";
pub(crate) const PASSWORD: &str = "a password that only Postmark knows";
const CERTIFICATE_URL: &str = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0000.pem";
/// Three providers.
pub(crate) struct Senders {
    sns: RsaKeyPair,
    certificate: Bytes,
    sendgrid: EcdsaKeyPair,
}

/// One request.
pub(crate) struct Delivery {
    pub(crate) name: &'static str,
    pub(crate) path: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

/// Gives out the certificate of the fake SNS: here stands an HTTP client otherwise.
#[derive(Debug)]
pub(crate) struct Certificate(Bytes);

impl CertificateSource for Certificate {
    fn fetch<'a>(&'a self, url: &'a str) -> CertificateFuture<'a> {
        Box::pin(async move {
            println!("  fetching {url}");
            match url {
                CERTIFICATE_URL => Ok(self.0.clone()),
                _ => Err(CertificateError::fetch("404")),
            }
        })
    }
}

impl Senders {
    pub(crate) fn new() -> Result<Self, Box<dyn Error>> {
        let sns = RsaKeyPair::generate(KeySize::Rsa2048)?;
        let pkcs8 = sns.as_der()?.as_ref().to_vec();
        let key = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8.into(), &rcgen::PKCS_RSA_SHA256)?;
        let certificate = rcgen::CertificateParams::new(vec!["sns.amazonaws.com".to_owned()])?.self_signed(&key)?;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new())?;
        Ok(Self {
            sns,
            certificate: certificate.pem().into(),
            sendgrid: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref())?,
        })
    }

    pub(crate) fn certificates(&self) -> Certificate {
        Certificate(self.certificate.clone())
    }

    pub(crate) fn sendgrid_key(&self) -> Result<String, Box<dyn Error>> {
        Ok(STANDARD.encode(self.sendgrid.public_key().as_der()?.as_ref()))
    }

    /// Makes what is delivered.
    pub(crate) fn deliveries(&self) -> Result<Vec<Delivery>, Box<dyn Error>> {
        let subscription = self.sns(json!({
            "Type": "SubscriptionConfirmation",
            "Message": "You have chosen to subscribe to the topic.",
            "Token": "2336412f37",
            "SubscribeURL": format!("https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37"),
        }))?;
        let bounce = self.sns(json!({"Type": "Notification", "Message": json!({
            "eventType": "Bounce",
            "mail": {"messageId": "0100018f"},
            "bounce": {"bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": [
                {"emailAddress": "bob@example.net", "diagnosticCode": "smtp; 550 5.1.1 <bob@example.net>: user unknown"},
            ]},
        }).to_string()}))?;
        let mut forged = bounce.clone();
        forged["Message"] = bounce["Message"]
            .as_str()
            .unwrap_or_default()
            .replace("bob@", "ada@")
            .into();
        let batch = json!([
            {"event": "spamreport", "email": "carol@example.net", "timestamp": 1_767_323_045, "sg_message_id": "14c5.x"},
            {"event": "delivered", "email": "dave@example.net", "timestamp": 1_767_323_046, "sg_message_id": "14c6.x"},
            {"event": "bounce", "type": "blocked", "email": "erin@example.net", "timestamp": 1_767_323_047, "reason": "451 4.7.1 later"},
        ]);
        let unsubscribe = json!({"RecordType": "SubscriptionChange", "Recipient": "frank@example.net", "SuppressSending": true,
            "SuppressionReason": "ManualSuppression", "ChangedAt": "2026-01-02T03:04:05Z"});
        let ses = |name, body: &Value| {
            Delivery::new(
                name,
                "/hooks/ses",
                body,
                vec![("Content-Type", "text/plain".to_owned())],
            )
        };
        let login = |password| {
            (
                "Authorization",
                format!("Basic {}", STANDARD.encode(format!("{USER}:{password}"))),
            )
        };
        let postmark = |name, password| Delivery::new(name, "/hooks/postmark", &unsubscribe, vec![login(password)]);
        let signature = self.sendgrid(&batch)?;
        let sendgrid = |name, body| Delivery::new(name, "/hooks/sendgrid", body, signature.clone());
        Ok(vec![
            ses("SES, a subscription", &subscription),
            ses("SES, a bounce", &bounce),
            ses("SES, the same with another address", &forged),
            sendgrid("SendGrid, three events", &batch),
            sendgrid("SendGrid, the same again", &batch),
            sendgrid(
                "SendGrid, other events under that signature",
                &json!([{"event": "spamreport", "email": "ada@example.net"}]),
            ),
            postmark("Postmark, without the password", "?"),
            postmark("Postmark, who wants no more", PASSWORD),
        ])
    }

    /// Puts a message into the envelope of SNS, signed.
    fn sns(&self, mut message: Value) -> Result<Value, Box<dyn Error>> {
        message["MessageId"] = format!("id-of-{}", message["Type"].as_str().unwrap_or_default()).into();
        message["TopicArn"] = TOPIC.into();
        message["Timestamp"] = rfc3339(SystemTime::now())?.into();
        message["SignatureVersion"] = "2".into();
        message["SigningCertURL"] = CERTIFICATE_URL.into();
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
        let fields = names
            .iter()
            .filter_map(|name| Some(format!("{name}\n{}\n", message[*name].as_str()?)));
        let text: String = fields.collect();
        let mut signature = vec![0; self.sns.public_modulus_len()];
        self.sns
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)?;
        message["Signature"] = STANDARD.encode(signature).into();
        Ok(message)
    }

    /// Signs a body as SendGrid does: time and body.
    fn sendgrid(&self, body: &Value) -> Result<Vec<(&'static str, String)>, Box<dyn Error>> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs().to_string();
        let signature = self
            .sendgrid
            .sign(&SystemRandom::new(), format!("{now}{body}").as_bytes())?;
        Ok(vec![
            ("X-Twilio-Email-Event-Webhook-Timestamp", now),
            (
                "X-Twilio-Email-Event-Webhook-Signature",
                STANDARD.encode(signature.as_ref()),
            ),
        ])
    }
}

impl Delivery {
    fn new(name: &'static str, path: &'static str, body: &Value, headers: Vec<(&'static str, String)>) -> Self {
        Self {
            name,
            path,
            headers,
            body: body.to_string(),
        }
    }
}

/// Writes a time as SNS does (RFC 3339).
fn rfc3339(time: SystemTime) -> Result<String, Box<dyn Error>> {
    let seconds = time.duration_since(UNIX_EPOCH)?.as_secs();
    let (mut year, mut days) = (1970, seconds / 86_400);
    let leap = |year: u64| u64::from(year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)));
    while days >= 365 + leap(year) {
        days -= 365 + leap(year);
        year += 1;
    }
    let mut month = 1;
    for length in [31, 28 + leap(year), 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    Ok(format!(
        "{year}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}.000Z",
        days + 1
    ))
}
