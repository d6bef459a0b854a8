//! What a receiver takes and what it refuses, whoever the provider is.

use std::time::{Duration, SystemTime};

use posthaste_events::event::EventKind;
use posthaste_events::webhook::{
    AcceptUnsigned, Access, Control, Evidence, KeyError, Limits, Mailgun, ParseError, Parsed, Postmark, Proof,
    Provider, Receiver, RecentKeys, Request, SendGrid, Verified, VerifyError, Window,
};
use serde_json::json;

use crate::signing::{FakeSendGrid, hex_mac, mailgun, token};
use crate::{URL, at, read};

const DELIVERY: &str =
    r#"{"RecordType":"Delivery","MessageID":"1","Recipient":"bob@example.net","DeliveredAt":"2026-01-02T03:04:05Z"}"#;

#[test]
fn nothing_is_taken_unchecked_without_a_reason() {
    let receiver = Receiver::new(Postmark::new());
    let request = Request::post(URL, DELIVERY);
    assert_eq!(
        receiver.verify(request.clone(), at(0)).unwrap_err(),
        VerifyError::Unprotected
    );
    let verified = receiver
        .accept_unsigned(request, AcceptUnsigned::because("of the gateway"))
        .unwrap();
    assert_eq!(verified.proof(), &Proof::Unsigned("of the gateway".into()));
    assert_eq!(verified.parse().unwrap().events[0].kind, EventKind::Delivered);
}

#[test]
fn credentials_are_asked_for_and_may_be_several() {
    let receiver = Receiver::new(Postmark::new())
        .access(Access::header("X-Hook", "old"))
        .access(Access::header("X-Hook", "new"));
    let request = || Request::post(URL, DELIVERY);
    for token in ["old", "new"] {
        let verified = receiver.verify(request().header("x-hook", token), at(0)).unwrap();
        assert_eq!(verified.proof(), &Proof::Access);
    }
    let refused = |request| receiver.verify(request, at(0)).unwrap_err();
    assert_eq!(refused(request()), VerifyError::MissingCredentials);
    assert_eq!(
        refused(request().header("x-hook", "none")),
        VerifyError::WrongCredentials
    );
    // A reason for taking what is not signed is none for taking what nobody let in.
    let unsigned = receiver.accept_unsigned(request(), AcceptUnsigned::because("x"));
    assert_eq!(unsigned.unwrap_err(), VerifyError::MissingCredentials);
}

#[test]
fn credentials_count_beside_a_signature() {
    let sendgrid = FakeSendGrid::new();
    let provider = SendGrid::new(&sendgrid.key()).unwrap();
    let receiver = Receiver::new(provider).access(Access::bearer("t"));
    let signed = sendgrid.request("1000", "[]");
    assert_eq!(
        receiver.verify(signed.clone(), at(1000)).unwrap_err(),
        VerifyError::MissingCredentials
    );
    assert!(
        receiver
            .verify(signed.header("Authorization", "Bearer t"), at(1000))
            .is_ok()
    );
    let unsigned = Request::post(URL, "[]").header("Authorization", "Bearer t");
    assert!(matches!(
        receiver.verify(unsigned, at(1000)),
        Err(VerifyError::MissingHeader { .. })
    ));
}

#[test]
fn bodies_and_events_are_bounded() {
    let limits = Limits::default().body(100).events(2);
    let receiver = Receiver::new(SendGrid::unsigned())
        .access(Access::bearer("t"))
        .limits(limits);
    let request = |body: String| Request::post(URL, body).header("Authorization", "Bearer t");
    let long = receiver.verify(request(" ".repeat(101)), at(0)).unwrap_err();
    assert_eq!(long, VerifyError::TooLarge { size: 101, limit: 100 });
    assert_eq!(long.status(), 413);
    let many = receiver
        .verify(request("[{},{},{}]".into()), at(0))
        .unwrap()
        .parse()
        .unwrap_err();
    assert_eq!(many, ParseError::TooMany { limit: 2 });
    assert_eq!(many.status(), 413);
    assert_eq!(
        receiver
            .verify(request("[{},{}]".into()), at(0))
            .unwrap()
            .parse()
            .unwrap()
            .events
            .len(),
        2
    );
}

#[test]
fn only_post_brings_events() {
    let receiver = Receiver::new(Postmark::new()).access(Access::bearer("t"));
    let get = Request::new("GET", URL, DELIVERY).header("Authorization", "Bearer t");
    let refused = receiver.verify(get, at(0)).unwrap_err();
    assert_eq!((refused.status(), refused), (405, VerifyError::Method));
}

#[test]
fn statuses_let_providers_come_again_where_they_should() {
    assert_eq!(VerifyError::MissingCredentials.status(), 401);
    assert_eq!(VerifyError::WrongCredentials.status(), 401);
    assert_eq!(VerifyError::WrongSignature.status(), 403);
    assert_eq!(VerifyError::CertificateNeeded { url: String::new() }.status(), 503);
    assert_eq!(VerifyError::Unprotected.status(), 500);
}

#[test]
fn one_bad_event_of_many_leaves_the_others() {
    let parsed = read(
        SendGrid::unsigned(),
        r#"[{"event":"open"}, 7, {"event":"something new"}, {"event":"click"}]"#,
    );
    let kinds: Vec<EventKind> = parsed.events.iter().map(|event| event.kind).collect();
    assert_eq!(
        kinds,
        [
            EventKind::Opened { by_machine: None },
            EventKind::Unknown,
            EventKind::Clicked
        ]
    );
    assert_eq!(parsed.events[1].provider_kind, "something new");
    assert_eq!(&parsed.events[2].raw[..], br#"{"event":"click"}"#);
    assert_eq!((parsed.problems.len(), parsed.problems[0].index), (1, 1));
}

#[test]
fn a_token_of_mailgun_is_good_for_one_body() {
    let receiver = Receiver::new(Mailgun::new("key").unwrap()).replay_guard(RecentKeys::new(100));
    let delivered = mailgun("key", "1000", &token("1"), &json!({"event": "delivered"}));
    assert!(!receiver.verify(delivered.clone(), at(1000)).unwrap().is_repeated());
    // It delivers again.
    let again = receiver.verify(delivered, at(1010)).unwrap();
    assert!(again.is_repeated());
    assert_eq!(again.proof(), &Proof::Token);
    // Somebody puts what they overheard on a body of theirs.
    let forged = mailgun(
        "key",
        "1000",
        &token("1"),
        &json!({"event": "failed", "recipient": "bob@example.net"}),
    );
    let refused = receiver.verify(forged, at(1020)).unwrap_err();
    assert_eq!((refused.status(), refused), (403, VerifyError::Replayed));
}

#[test]
fn a_form_that_comes_again_may_have_another_boundary() {
    let receiver = Receiver::new(Mailgun::new("key").unwrap()).replay_guard(RecentKeys::new(100));
    let (timestamp, token) = ("1000", token("1"));
    let signature = hex_mac("key", &format!("{timestamp}{token}"));
    let form = |boundary: &str, text: &str| {
        let fields = [
            ("timestamp", timestamp),
            ("token", &token),
            ("signature", &signature),
            ("body-plain", text),
        ];
        let parts = fields.map(|(name, value)| {
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        });
        let body = format!("{}--{boundary}--\r\n", parts.concat());
        Request::post(URL, body).header("Content-Type", format!("multipart/form-data; boundary={boundary}"))
    };
    assert!(!receiver.verify(form("one", "Hello"), at(1000)).unwrap().is_repeated());
    assert!(receiver.verify(form("two", "Hello"), at(1010)).unwrap().is_repeated());
    assert_eq!(
        receiver.verify(form("two", "Hell"), at(1020)).unwrap_err(),
        VerifyError::Replayed
    );
}

/// A provider whose signature is over the body and nothing else.
#[derive(Debug)]
struct Plain;

impl Provider for Plain {
    fn name(&self) -> &'static str {
        "plain"
    }

    fn verify(&self, _: &Request, _: SystemTime) -> Result<Evidence, VerifyError> {
        Ok(Evidence::signature())
    }

    fn parse(&self, _: &Verified) -> Result<Parsed, ParseError> {
        Ok(Parsed::control(Control::Ping))
    }
}

#[test]
fn what_is_signed_without_a_token_is_known_by_what_is_in_it() {
    let receiver = Receiver::new(Plain).replay_guard(RecentKeys::new(100));
    let repeated = |body: &'static str| {
        receiver
            .verify(Request::post(URL, body), at(1000))
            .unwrap()
            .is_repeated()
    };
    assert_eq!([repeated("a"), repeated("b"), repeated("a")], [false, false, true]);
}

#[test]
fn mailgun_is_worth_nothing_without_a_memory() {
    let receiver = Receiver::new(Mailgun::new("key").unwrap());
    let request = mailgun("key", "1000", &token("1"), &json!({"event": "delivered"}));
    assert_eq!(
        receiver.verify(request, at(1000)).unwrap_err(),
        VerifyError::NoReplayGuard
    );
}

#[test]
fn mailgun_is_refused_for_what_is_wrong() {
    let receiver =
        Receiver::new(Mailgun::new("new").unwrap().or_key("old").unwrap()).replay_guard(RecentKeys::new(100));
    let event = json!({"event": "delivered"});
    for key in ["old", "new"] {
        assert!(
            receiver
                .verify(mailgun(key, "1000", &token(key), &event), at(1000))
                .is_ok()
        );
    }
    let refused = |request| receiver.verify(request, at(100_000)).unwrap_err();
    assert_eq!(
        refused(mailgun("none", "100000", &token("x"), &event)),
        VerifyError::WrongSignature
    );
    let old = refused(mailgun("new", "1000", &token("x"), &event));
    assert_eq!(
        old,
        VerifyError::TooOld {
            age: Duration::from_secs(99_000)
        }
    );
    let ahead = refused(mailgun("new", "100301", &token("x"), &event));
    assert_eq!(
        ahead,
        VerifyError::InFuture {
            by: Duration::from_secs(301)
        }
    );
    let fields = refused(Request::post(URL, r#"{"signature":{"timestamp":"1"}}"#));
    assert_eq!(fields, VerifyError::MissingField { name: "token" });
    assert!(matches!(refused(Request::post(URL, "hello")), VerifyError::Body { .. }));
    let short = r#"{"signature":{"timestamp":"1","token":"2","signature":"3"}}"#;
    assert!(matches!(
        refused(Request::post(URL, short)),
        VerifyError::Encoding { place: "signature", .. }
    ));
    assert_eq!(Mailgun::new("").unwrap_err(), KeyError::Empty);
}

#[test]
fn sendgrid_is_refused_for_what_is_wrong() {
    let (sendgrid, other) = (FakeSendGrid::new(), FakeSendGrid::new());
    let provider = SendGrid::new(&other.key()).unwrap().or_key(&sendgrid.key()).unwrap();
    let receiver = Receiver::new(provider.window(Window::FIVE_MINUTES));
    let request = || sendgrid.request("1000", "[]");
    let verified = receiver.verify(request(), at(1000)).unwrap();
    assert_eq!(verified.proof(), &Proof::Signature);
    let refused = |request, now| receiver.verify(request, at(now)).unwrap_err();
    assert!(matches!(refused(request(), 1301), VerifyError::TooOld { .. }));
    assert!(matches!(refused(request(), 699), VerifyError::InFuture { .. }));
    assert_eq!(
        refused(FakeSendGrid::new().request("1000", "[]"), 1000),
        VerifyError::WrongSignature
    );
    let words = sendgrid.request("now", "[]");
    assert!(matches!(refused(words, 1000), VerifyError::Encoding { .. }));
    let garbled = Request::post(URL, "[]").header("X-Twilio-Email-Event-Webhook-Signature", "!");
    assert!(matches!(refused(garbled, 1000), VerifyError::Encoding { .. }));
    let twice = request().header("x-twilio-email-event-webhook-timestamp", "1000");
    assert!(matches!(refused(twice, 1000), VerifyError::RepeatedHeader { .. }));
    assert!(matches!(SendGrid::new("YWJj").unwrap_err(), KeyError::Kind { .. }));
    assert_eq!(SendGrid::new("!").unwrap_err(), KeyError::Base64);
    assert_eq!(SendGrid::new(" \n").unwrap_err(), KeyError::Empty);
}

#[test]
fn a_key_is_read_as_it_is_shown() {
    let sendgrid = FakeSendGrid::new();
    let key = sendgrid.key();
    let (first, second) = key.split_at(40);
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{first}\r\n{second}\n-----END PUBLIC KEY-----\n");
    assert!(
        Receiver::new(SendGrid::new(&pem).unwrap())
            .verify(sendgrid.request("1000", "[]"), at(1000))
            .is_ok()
    );
}

#[test]
fn nothing_shows_secrets() {
    let receiver = Receiver::new(Mailgun::new("hush-hush").unwrap()).access(Access::basic("user", "hush-hush"));
    let request =
        Request::post("https://user:hush-hush@example.org/?key=hush-hush", "hush-hush").header("A", "hush-hush");
    assert!(!format!("{receiver:?} {request:?}").contains("hush-hush"));
}
