//! Signatures of providers, each as it writes them: what is right is taken, what is changed is not.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use posthaste_events::bounce::Permanence;
use posthaste_events::event::EventKind;
use posthaste_events::webhook::{
    AcceptUnsigned, Access, Azure, Control, KeyError, MailerSend, Mailjet, Mailtrap, Mandrill, Postal, Proof, Provider,
    Receiver, Request, Scaleway, Sns, SparkPost, UnisenderGo, VerifyError, ZeptoMail,
};
use serde_json::json;

use crate::signing::{SIGNED_AT, TOPIC, hex, hex_mac};
use crate::{URL, at, read};

/// Takes what is right, and refuses it with one octet changed, and without its signature.
fn check(provider: impl Provider, request: &Request, header: &'static str) {
    let receiver = Receiver::new(provider);
    let verified = receiver.verify(request.clone(), at(SIGNED_AT)).unwrap();
    assert_eq!(verified.proof(), &Proof::Signature);
    let signature = request.field(header).unwrap().to_owned();
    let kind = request.field("content-type").unwrap_or("application/json").to_owned();
    let with = |body: String, signature: Option<&str>| {
        let request = Request::post(request.url(), body).header("Content-Type", kind.clone());
        signature
            .into_iter()
            .fold(request, |request, value| request.header(header, value.to_owned()))
    };
    let body = String::from_utf8(request.body().to_vec()).unwrap();
    let changed = with(body.replace("bob", "eve"), Some(&signature));
    assert_eq!(
        receiver.verify(changed, at(SIGNED_AT)).unwrap_err(),
        VerifyError::WrongSignature
    );
    let garbled = receiver
        .verify(with(body.clone(), Some("!!")), at(SIGNED_AT))
        .unwrap_err();
    assert!(matches!(garbled, VerifyError::Encoding { .. }), "{garbled:?}");
    let twice = with(body.clone(), Some(&signature)).header(header, signature.clone());
    assert_eq!(
        receiver.verify(twice, at(SIGNED_AT)).unwrap_err(),
        VerifyError::RepeatedHeader { name: header }
    );
    if receiver.provider() != "zeptomail" {
        let bare = receiver.verify(with(body, None), at(SIGNED_AT)).unwrap_err();
        assert_eq!(bare, VerifyError::MissingHeader { name: header });
    }
}

#[test]
fn macs_over_the_body() {
    let body = r#"{"type":"activity.sent","data":{"email":{"recipient":{"email":"bob@example.net"}}}}"#;
    let request = Request::post(URL, body).header("Signature", hex_mac("key", body));
    check(
        MailerSend::new("other").unwrap().or_key("key").unwrap(),
        &request,
        "signature",
    );
    let body = r#"{"events":[{"event":"open","email":"bob@example.net"}]}"#;
    let request = Request::post(URL, body).header("Mailtrap-Signature", hex_mac("key", body));
    check(
        Mailtrap::new("other").unwrap().or_key("key").unwrap(),
        &request,
        "mailtrap-signature",
    );
    assert_eq!(MailerSend::new("").unwrap_err(), KeyError::Empty);
    assert_eq!(Mailtrap::new("").unwrap_err(), KeyError::Empty);
}

fn sha1_mac(key: &str, text: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key.as_bytes());
    STANDARD.encode(hmac::sign(&key, text.as_bytes()).as_ref())
}

fn mandrill(url: &str, signed_url: &str, key: &str, events: &str) -> Request {
    let signature = sha1_mac(key, &format!("{signed_url}a1mandrill_events{events}"));
    // The fields come in another order than that in which they are signed.
    Request::post(url, format!("mandrill_events={}&a=1", events.replace('&', "%26")))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("X-Mandrill-Signature", signature)
}

#[test]
fn mandrill_signs_the_url_and_the_form() {
    let events = r#"[{"event":"send","msg":{"email":"bob@example.net"}}]"#;
    let provider = || Mandrill::new("other").unwrap().or_key("key").unwrap();
    check(provider(), &mandrill(URL, URL, "key", events), "x-mandrill-signature");
    let receiver = Receiver::new(provider());
    let elsewhere = mandrill("https://example.org/elsewhere", URL, "key", events);
    assert_eq!(
        receiver.verify(elsewhere, at(0)).unwrap_err(),
        VerifyError::WrongSignature
    );
    // A login in the URL arrives as a header field.
    let login = mandrill(URL, "https://user:password@example.org/hooks", "key", events);
    assert_eq!(
        receiver.verify(login.clone(), at(0)).unwrap_err(),
        VerifyError::WrongSignature
    );
    let login = login.header("Authorization", format!("Basic {}", STANDARD.encode("user:password")));
    assert!(receiver.verify(login, at(0)).is_ok());
    let json = Request::post(URL, "{}")
        .header("Content-Type", "application/json")
        .header("X-Mandrill-Signature", "YQ==");
    assert_eq!(
        receiver.verify(json, at(0)).unwrap_err(),
        VerifyError::Body { expected: "a form" }
    );
}

#[test]
fn mandrill_tests_with_a_key_that_everybody_knows_and_nothing_in_it() {
    let receiver = Receiver::new(Mandrill::new("key").unwrap());
    let test = receiver
        .verify(mandrill(URL, URL, "test-webhook", "[]"), at(0))
        .unwrap();
    assert_eq!(test.parse().unwrap().control, Some(Control::Ping));
    let forged = mandrill(URL, URL, "test-webhook", r#"[{"event":"send"}]"#);
    assert_eq!(receiver.verify(forged, at(0)).unwrap_err(), VerifyError::WrongSignature);
    let head = receiver.verify(Request::new("HEAD", URL, ""), at(0)).unwrap();
    assert_eq!(
        (head.proof(), head.parse().unwrap().control),
        (&Proof::Probe, Some(Control::Ping))
    );
    // What is in a probe is not read.
    let head = receiver
        .verify(
            Request::new("HEAD", URL, r#"mandrill_events=[{"event":"spam"}]"#),
            at(0),
        )
        .unwrap();
    assert!(head.parse().unwrap().events.is_empty());
}

#[test]
fn postal_signs_with_rsa() {
    // A signature with SHA-256 is none of Postal's: recorded requests show those that are.
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let body = r#"{"event":"MessageSent"}"#;
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), body.as_bytes(), &mut signature)
        .unwrap();
    let receiver = Receiver::new(Postal::new(&STANDARD.encode(key.public_key().as_ref())).unwrap());
    let request = Request::post(URL, body).header("X-Postal-Signature", STANDARD.encode(&signature));
    assert_eq!(
        receiver.verify(request, at(0)).unwrap_err(),
        VerifyError::WrongSignature
    );
    let bare = receiver.verify(Request::post(URL, body), at(0)).unwrap_err();
    assert!(matches!(bare, VerifyError::MissingHeader { .. }));
    assert!(matches!(Postal::new("YWJj").unwrap_err(), KeyError::Kind { .. }));
}

#[test]
fn unisender_replaces_its_digest_where_it_stands() {
    // md5 of the body with "KEY" where the digest is; the same digits elsewhere in the body stay.
    let digest = "f5a3bd9b1a53d8a8d8f6c4b6f06c4a24";
    let both = UnisenderGo::new("other").unwrap().or_key("KEY").unwrap();
    let event = |auth: &str| {
        format!(
            r#"{{"event_name":"transactional_email_status","status":"sent", "auth" : "{auth}","comment":"{digest}"}}"#
        )
    };
    let right = hex(&Md5::digest(event("KEY")));
    let verified = Receiver::new(both)
        .verify(Request::post(URL, event(&right)), at(0))
        .unwrap();
    assert_eq!(verified.parse().unwrap().events[0].kind, EventKind::Sent);
    let receiver = Receiver::new(UnisenderGo::new("KEY").unwrap());
    let body = |auth: &str| format!(r#"{{"comment":"{auth}","auth":"{auth}"}}"#);
    assert_eq!(
        receiver.verify(Request::post(URL, body(digest)), at(0)).unwrap_err(),
        VerifyError::WrongSignature
    );
    assert!(matches!(
        receiver.verify(Request::post(URL, body("x")), at(0)),
        Err(VerifyError::Encoding { place: "auth", .. })
    ));
    assert_eq!(
        receiver.verify(Request::post(URL, "{}"), at(0)).unwrap_err(),
        VerifyError::MissingField { name: "auth" }
    );
    assert!(matches!(
        receiver.verify(Request::post(URL, "[]"), at(0)),
        Err(VerifyError::Body { .. })
    ));
    let get = receiver.verify(Request::new("GET", URL, ""), at(0)).unwrap();
    assert_eq!(get.parse().unwrap().control, Some(Control::Ping));
    assert_eq!(UnisenderGo::new("").unwrap_err(), KeyError::Empty);
    assert!(!format!("{receiver:?}").contains("KEY"));
}

fn zepto(signed: &str, body: &str, milliseconds: u64) -> Request {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"key");
    let signature = STANDARD.encode(hmac::sign(&key, signed.as_bytes()).as_ref());
    let signature = signature.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    Request::post(URL, body.to_owned()).header(
        "producer-signature",
        format!("ts={milliseconds};s={signature};s-algorithm=HmacSHA256"),
    )
}

#[test]
fn zeptomail_signs_in_one_of_several_ways() {
    let body = r#"{"event_name":["hardbounce"],"event_message":[{"request_id":"r","email_info":{"to":[{"email_address":{"address":"bob@example.net"}}]},
        "event_data":[{"details":[{"reason":"550 5.1.1 unknown","time":"2026-01-02T03:04:06Z"}]}]}],"webhook_request_id":"w"}"#;
    let provider = || ZeptoMail::new("other").unwrap().or_key("key").unwrap();
    let receiver = Receiver::new(provider());
    let now = SIGNED_AT * 1000;
    let plain = zepto(body, body, now);
    check(provider(), &plain, "producer-signature");
    let encoded: String = body.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let form = zepto(body, &format!("data={encoded}"), now).header("Content-Type", "application/x-www-form-urlencoded");
    let with_time = zepto(&format!("{now}{body}"), body, now);
    for request in [plain.clone(), form, with_time] {
        let event = receiver
            .verify(request, at(SIGNED_AT))
            .unwrap()
            .parse()
            .unwrap()
            .events
            .remove(0);
        assert_eq!(
            (event.kind, event.recipient.as_deref()),
            (EventKind::Bounced(Permanence::Hard), Some("bob@example.net"))
        );
        assert_eq!(
            (event.id.as_str(), event.reply_code(), event.time),
            ("w", Some(550), Some(at(SIGNED_AT)))
        );
    }
    let late = receiver.verify(plain, at(SIGNED_AT + 301)).unwrap_err();
    assert!(matches!(late, VerifyError::TooOld { .. }));
    let other = Request::post(URL, body).header("producer-signature", "ts=1;s=YQ==;s-algorithm=None");
    assert_eq!(receiver.verify(other, at(SIGNED_AT)).unwrap_err(), VerifyError::Version);
    // When it is saved it asks without a signature. Nothing of that is read.
    let probe = receiver.verify(Request::post(URL, body), at(SIGNED_AT)).unwrap();
    assert_eq!(probe.proof(), &Proof::Probe);
    assert_eq!(probe.parse().unwrap().events.len(), 0);
}

#[test]
fn azure_asks_before_it_sends() {
    let receiver = Receiver::new(Azure::new()).access(Access::query("key", "s"));
    let url = "https://example.org/hooks?key=s";
    let asks = |url| Request::new("OPTIONS", url, "").header("WebHook-Request-Origin", "eventgrid.azure.net");
    assert_eq!(
        receiver.verify(asks(URL), at(0)).unwrap_err(),
        VerifyError::MissingCredentials
    );
    let control = receiver.verify(asks(url), at(0)).unwrap().parse().unwrap().control;
    let headers = vec![("WebHook-Allowed-Origin", "eventgrid.azure.net".to_owned())];
    assert_eq!(
        control,
        Some(Control::Reply {
            headers,
            body: "".into()
        })
    );
    let body =
        json!([{"eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "data": {"validationCode": "5\"12"}}]);
    let parsed = receiver
        .verify(Request::post(url, body.to_string()), at(0))
        .unwrap()
        .parse()
        .unwrap();
    let Some(Control::Reply { body, .. }) = parsed.control else {
        panic!("{parsed:?}")
    };
    assert_eq!(&body[..], br#"{"validationResponse":"5\"12"}"#);
}

#[test]
fn azure_reports_in_both_schemas() {
    let data = json!({"recipient": "bob@example.net", "messageId": "m", "status": "Bounced", "internetMessageId": "<1@example.org>",
        "deliveryStatusDetails": {"statusMessage": "550 5.1.1 no"}, "deliveryAttemptTimestamp": "2026-01-02T03:04:06.0+00:00"});
    let name = "Microsoft.Communication.EmailDeliveryReportReceived";
    for item in [
        json!([{"id": "e1", "eventType": name, "data": data}]),
        json!({"id": "e1", "type": name, "data": data}),
    ] {
        let event = read(Azure::new(), &item.to_string()).events.remove(0);
        assert_eq!(
            (event.kind, event.reply_code(), event.id.as_str()),
            (EventKind::Bounced(Permanence::Hard), Some(550), "e1")
        );
        assert_eq!(
            (event.time, event.message_id.as_deref()),
            (Some(at(SIGNED_AT)), Some("1@example.org"))
        );
    }
    for (status, kind) in [
        ("Delivered", EventKind::Delivered),
        ("Suppressed", EventKind::Rejected),
        ("FilteredSpam", EventKind::Rejected),
        ("Quarantined", EventKind::Rejected),
        ("Failed", EventKind::Failed),
        ("Expanded", EventKind::Unknown),
    ] {
        let body = json!({"eventType": name, "data": {"status": status}});
        assert_eq!(read(Azure::new(), &body.to_string()).events[0].kind, kind, "{status}");
    }
}

#[test]
fn scaleway_speaks_in_envelopes() {
    for (name, kind) in [
        ("email_queued", EventKind::Queued),
        ("email_delivered", EventKind::Delivered),
        ("email_deferred", EventKind::Deferred),
        ("email_mailbox_not_found", EventKind::Bounced(Permanence::Hard)),
        ("email_dropped", EventKind::Bounced(Permanence::Soft)),
        ("email_blocklisted", EventKind::Rejected),
        ("email_spam", EventKind::Complained),
        ("blocklist_created", EventKind::Unknown),
    ] {
        let message = json!({"id": "i", "type": name, "email_id": "e", "email_to": "bob@example.net", "email_response_code": 550,
            "email_response_message": "5.1.1 no", "created_at": "2026-01-02T03:04:06Z"});
        let envelope =
            json!({"Type": "Notification", "MessageId": "1", "TopicArn": TOPIC, "Message": message.to_string()});
        let event = read(Scaleway::new(Sns::new([TOPIC])), &envelope.to_string())
            .events
            .remove(0);
        assert_eq!(
            (event.kind, event.id.as_str(), event.time),
            (kind, "i", Some(at(SIGNED_AT))),
            "{name}"
        );
        assert_eq!(
            (event.reply_code(), event.status().unwrap().to_string().as_str()),
            (Some(550), "5.1.1")
        );
    }
    let refused = Receiver::new(Scaleway::new(Sns::new([TOPIC])))
        .verify(Request::post(URL, "{}"), at(0))
        .unwrap_err();
    assert_eq!(refused, VerifyError::MissingField { name: "Type" });
}

#[test]
fn sparkpost_counts_some_classes_of_bounces_for_something_else() {
    let body = |kind: &str, class: &str| json!([{"msys": {"message_event": {"type": kind, "bounce_class": class, "event_id": "1"}}}, {"msys": {}}]);
    for (class, kind) in [
        ("10", EventKind::Bounced(Permanence::Hard)),
        ("30", EventKind::Bounced(Permanence::Hard)),
        ("22", EventKind::Bounced(Permanence::Soft)),
        ("1", EventKind::Bounced(Permanence::Undetermined)),
        ("60", EventKind::AutoResponded),
        ("80", EventKind::Subscribed),
        ("90", EventKind::Unsubscribed),
    ] {
        let parsed = read(SparkPost::new(), &body("out_of_band", class).to_string());
        assert_eq!(
            (parsed.events[0].kind, parsed.control),
            (kind, Some(Control::Ping)),
            "{class}"
        );
    }
    assert_eq!(read(SparkPost::new(), r#"[{"msys":7}]"#).problems.len(), 1);
}

#[test]
fn mailtrap_comes_as_one_list_or_a_line_each() {
    let event = r#"{"event":"soft bounce","email":"bob@example.net","event_id":"1","response":"452 4.2.2 full","response_code":452}"#;
    let list = read(Mailtrap::unsigned(), &format!(r#"{{"events":[{event},5]}}"#));
    let lines = read(
        Mailtrap::unsigned(),
        &format!("{event}\n{}\n", event.replace("\"1\"", "\"2\"")),
    );
    assert_eq!((list.events.len(), list.problems.len()), (1, 1));
    assert_eq!(lines.events.len(), 2);
    assert_eq!(
        (list.events[0].kind, list.events[0].reply_code()),
        (EventKind::Deferred, Some(452))
    );
    assert_eq!(lines.events[0], list.events[0]);
    let verified = Receiver::new(Mailtrap::unsigned())
        .accept_unsigned(Request::post(URL, "hello\n{}"), AcceptUnsigned::because("a test"));
    assert!(verified.unwrap().parse().is_err());
}

#[test]
fn mailjet_says_why_in_a_word() {
    let body = json!([
        {"event": "bounce", "hard_bounce": true, "error_related_to": "recipient", "error": "user unknown", "MessageID": 1},
        {"event": "bounce", "hard_bounce": false, "error": "greylisted", "MessageID": 2},
        {"event": "blocked", "error": "spam reporter", "MessageID": 3, "Payload": "{\"order\":\"42\"}"},
    ]);
    let events = read(Mailjet::new(), &body.to_string()).events;
    assert_eq!(events[0].kind, EventKind::Bounced(Permanence::Hard));
    assert_eq!(events[0].description.as_deref(), Some("recipient: user unknown"));
    assert_eq!(events[1].kind, EventKind::Deferred);
    assert_eq!(
        (events[2].kind, events[2].metadata["order"].as_str()),
        (EventKind::Rejected, "42")
    );
}
