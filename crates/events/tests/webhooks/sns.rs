//! Amazon SNS: certificates fetched from where they may be, topics, and subscriptions.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use posthaste_events::event::EventKind;
use posthaste_events::webhook::{
    CertificateError, CertificateFuture, CertificateSource, Control, Receiver, RecentKeys, Request, Ses, Sns,
    VerifyError, Window,
};
use serde_json::{Value, json};

use crate::signing::{CERTIFICATE_URL, FakeSns, SIGNED_AT, TOPIC, post};
use crate::{URL, at};

/// Gives one certificate for all URLs, and counts how often it is asked.
#[derive(Debug, Default)]
struct Source {
    certificate: Mutex<Option<String>>,
    asked: AtomicUsize,
}

#[derive(Debug)]
struct Shared(Arc<Source>);

impl CertificateSource for Shared {
    fn fetch<'a>(&'a self, _url: &'a str) -> CertificateFuture<'a> {
        Box::pin(async {
            self.0.asked.fetch_add(1, Ordering::Relaxed);
            let certificate = self.0.certificate.lock().unwrap().clone();
            certificate
                .map(Bytes::from)
                .ok_or_else(|| CertificateError::fetch("no answer"))
        })
    }
}

fn delivery() -> Value {
    json!({"eventType": "Delivery", "mail": {"messageId": "0100018f"}, "delivery": {"recipients": ["bob@example.net"]}})
}

fn receiver(sns: &FakeSns) -> Receiver {
    let known = Sns::new([TOPIC])
        .certificate(CERTIFICATE_URL, sns.certificate.as_bytes())
        .unwrap();
    Receiver::new(Ses::new(known))
}

#[tokio::test]
async fn a_certificate_is_fetched_once() {
    let sns = FakeSns::new();
    let source = Arc::new(Source::default());
    *source.certificate.lock().unwrap() = Some(sns.certificate.clone());
    let receiver = Receiver::new(Ses::new(Sns::new([TOPIC]).certificates(Shared(Arc::clone(&source)))));
    let request = post(&sns.notification(&delivery()));
    let needed = receiver.verify(request.clone(), at(SIGNED_AT)).unwrap_err();
    assert_eq!(
        needed,
        VerifyError::CertificateNeeded {
            url: CERTIFICATE_URL.into()
        }
    );
    for _ in 0..3 {
        let verified = receiver.receive(request.clone(), at(SIGNED_AT)).await.unwrap();
        assert_eq!(verified.parse().unwrap().events[0].kind, EventKind::Delivered);
    }
    assert!(receiver.verify(request, at(SIGNED_AT)).is_ok());
    assert_eq!(source.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_source_that_fails_is_left_alone_for_a_while() {
    let sns = FakeSns::new();
    let source = Arc::new(Source::default());
    let receiver = Receiver::new(Ses::new(Sns::new([TOPIC]).certificates(Shared(Arc::clone(&source)))));
    let request = post(&sns.notification(&delivery()));
    let failed = receiver.receive(request.clone(), at(SIGNED_AT)).await.unwrap_err();
    assert!(
        matches!(failed, VerifyError::Certificate(CertificateError::Fetch(_))),
        "{failed:?}"
    );
    assert_eq!(failed.status(), 503);
    let paused = receiver.receive(request.clone(), at(SIGNED_AT + 1)).await.unwrap_err();
    assert_eq!(paused, VerifyError::Certificate(CertificateError::Paused));
    *source.certificate.lock().unwrap() = Some("no certificate".into());
    let garbled = receiver.receive(request.clone(), at(SIGNED_AT + 60)).await.unwrap_err();
    assert_eq!(garbled, VerifyError::Certificate(CertificateError::Form));
    *source.certificate.lock().unwrap() = Some(sns.certificate.clone());
    assert!(receiver.receive(request, at(SIGNED_AT + 120)).await.is_ok());
    assert_eq!(source.asked.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn strangers_make_nobody_fetch_anything() {
    let sns = FakeSns::new();
    let source = Arc::new(Source::default());
    let receiver = Receiver::new(Ses::new(Sns::new([TOPIC]).certificates(Shared(Arc::clone(&source)))));
    for (name, value, expected) in [
        (
            "SigningCertURL",
            "https://sns.eu-west-1.amazonaws.com.example.net/a.pem",
            VerifyError::CertificateUrl,
        ),
        (
            "SigningCertURL",
            "https://169.254.169.254/a.pem",
            VerifyError::CertificateUrl,
        ),
        (
            "TopicArn",
            "arn:aws:sns:eu-west-1:999999999999:theirs",
            VerifyError::Topic,
        ),
        ("SignatureVersion", "3", VerifyError::Version),
    ] {
        let mut message = sns.notification(&delivery());
        message[name] = value.into();
        let refused = receiver
            .receive(post(&sns.sign(message)), at(SIGNED_AT))
            .await
            .unwrap_err();
        assert_eq!(refused, expected, "{name} {value}");
    }
    let message = sns.notification(&delivery());
    let late = receiver
        .receive(post(&message), at(SIGNED_AT + 86_401))
        .await
        .unwrap_err();
    assert!(matches!(late, VerifyError::TooOld { .. }));
    let header = post(&message).header("x-amz-sns-message-type", "SubscriptionConfirmation");
    let refused = receiver.receive(header, at(SIGNED_AT)).await.unwrap_err();
    assert_eq!(
        refused,
        VerifyError::Contradiction {
            name: "x-amz-sns-message-type"
        }
    );
    assert_eq!(source.asked.load(Ordering::Relaxed), 0);
}

#[test]
fn a_signature_is_for_what_was_signed() {
    let (sns, other) = (FakeSns::new(), FakeSns::new());
    let receiver = receiver(&sns);
    let good = sns.notification(&delivery());
    assert!(receiver.verify(post(&good), at(SIGNED_AT)).is_ok());
    for name in ["Message", "MessageId", "Timestamp"] {
        let mut message = good.clone();
        message[name] = if name == "Timestamp" {
            "2026-01-02T03:04:07.000Z".into()
        } else {
            "{}".into()
        };
        assert_eq!(
            receiver.verify(post(&message), at(SIGNED_AT)).unwrap_err(),
            VerifyError::WrongSignature,
            "{name}"
        );
    }
    let forged = other.notification(&delivery());
    assert_eq!(
        receiver.verify(post(&forged), at(SIGNED_AT)).unwrap_err(),
        VerifyError::WrongSignature
    );
    let mut as_sha1 = good.clone();
    as_sha1["SignatureVersion"] = "1".into();
    assert_eq!(
        receiver.verify(post(&as_sha1), at(SIGNED_AT)).unwrap_err(),
        VerifyError::WrongSignature
    );
    for name in [
        "Message",
        "MessageId",
        "TopicArn",
        "Timestamp",
        "Signature",
        "SigningCertURL",
        "SignatureVersion",
        "Type",
    ] {
        for value in [Value::Null, json!(1), json!(["x"])] {
            let mut message = good.clone();
            message[name] = value;
            let refused = receiver.verify(post(&message), at(SIGNED_AT)).unwrap_err();
            assert_eq!(refused, VerifyError::MissingField { name });
        }
    }
    assert!(matches!(
        receiver.verify(Request::post(URL, "[]"), at(SIGNED_AT)),
        Err(VerifyError::Body { .. })
    ));
}

#[test]
fn sha1_can_be_refused() {
    let sns = FakeSns::new();
    let mut message = sns.notification(&delivery());
    message["SignatureVersion"] = "1".into();
    let known = Sns::new([TOPIC]).without_sha1().window(Window::UNBOUNDED);
    let known = known.certificate(CERTIFICATE_URL, sns.certificate.as_bytes()).unwrap();
    let refused = Receiver::new(Ses::new(known))
        .verify(post(&message), at(0))
        .unwrap_err();
    assert_eq!(refused, VerifyError::Version);
}

fn subscription(kind: &str, url: &str) -> Value {
    json!({
        "Type": kind,
        "MessageId": "165545c9",
        "Token": "a token",
        "TopicArn": TOPIC,
        "Message": "You have chosen to subscribe to the topic.",
        "SubscribeURL": url,
        "Timestamp": "2026-01-02T03:04:06.000Z",
        "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE_URL,
    })
}

#[test]
fn a_subscription_is_confirmed_at_sns_and_nowhere_else() {
    let sns = FakeSns::new();
    let receiver = receiver(&sns);
    let url = format!("https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=1");
    let signed = sns.sign(subscription("SubscriptionConfirmation", &url));
    let parsed = receiver.verify(post(&signed), at(SIGNED_AT)).unwrap().parse().unwrap();
    let expected = Control::ConfirmSubscription {
        topic: TOPIC.into(),
        url: url.clone(),
        token: "a token".into(),
    };
    assert_eq!(parsed.control, Some(expected));
    for wrong in [
        "https://169.254.169.254/?Action=ConfirmSubscription",
        "https://sns.eu-west-1.amazonaws.com/?Action=Publish",
    ] {
        let signed = sns.sign(subscription("SubscriptionConfirmation", wrong));
        assert_eq!(
            receiver.verify(post(&signed), at(SIGNED_AT)).unwrap_err(),
            VerifyError::SubscribeUrl
        );
    }
    let ended = sns.sign(subscription("UnsubscribeConfirmation", &url));
    let parsed = receiver.verify(post(&ended), at(SIGNED_AT)).unwrap().parse().unwrap();
    assert_eq!(parsed.control, Some(Control::Unsubscribed { topic: TOPIC.into() }));
    let mut changed = sns.sign(subscription("SubscriptionConfirmation", &url));
    changed["Token"] = "another".into();
    assert_eq!(
        receiver.verify(post(&changed), at(SIGNED_AT)).unwrap_err(),
        VerifyError::WrongSignature
    );
}

#[test]
fn what_came_before_is_known() {
    let sns = FakeSns::new();
    let receiver = receiver(&sns).replay_guard(RecentKeys::new(10));
    let request = post(&sns.notification(&delivery()));
    assert!(!receiver.verify(request.clone(), at(SIGNED_AT)).unwrap().is_repeated());
    let again = receiver
        .verify(request, at(SIGNED_AT) + Duration::from_secs(20))
        .unwrap();
    assert!(again.is_repeated());
}

#[test]
fn a_service_that_signs_as_sns_does_has_its_own_hosts() {
    let sns = FakeSns::new();
    let own = "https://sns.example.net/key.pem";
    let known = Sns::new([TOPIC])
        .hosts(["sns.example.net"])
        .certificate(own, sns.certificate.as_bytes())
        .unwrap();
    let receiver = Receiver::new(Ses::new(known));
    let mut message = sns.notification(&delivery());
    assert_eq!(
        receiver.verify(post(&message), at(SIGNED_AT)).unwrap_err(),
        VerifyError::CertificateUrl
    );
    message["SigningCertURL"] = own.into();
    assert!(receiver.verify(post(&sns.sign(message)), at(SIGNED_AT)).is_ok());
}
