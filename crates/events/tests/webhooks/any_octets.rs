//! Whatever comes, nothing breaks.

use posthaste_events::webhook::{
    AcceptUnsigned, Azure, Brevo, Destination, Form, MailerSend, Mailgun, Mailjet, Mailtrap, Mandrill, Postmark,
    Receiver, RecentKeys, Request, Resend, Scaleway, SendGrid, Ses, Sns, SparkPost, UnisenderGo, Window,
};
use proptest::prelude::*;

use crate::signing::{TOPIC, mailgun, token};
use crate::{URL, at};

fn receivers() -> Vec<Receiver> {
    vec![
        Receiver::new(Ses::new(Sns::new([TOPIC]))),
        Receiver::new(SendGrid::unsigned()),
        Receiver::new(Mailgun::new("key").unwrap()),
        Receiver::new(Postmark::new()),
        Receiver::new(Resend::new("whsec_PBoOujx+i+jrgLu/bAJT2z9tzxloipAG").unwrap()),
        Receiver::new(Brevo::new()),
        Receiver::new(Mailjet::new()),
        Receiver::new(MailerSend::new("key").unwrap()),
        Receiver::new(Mailtrap::unsigned()),
        Receiver::new(SparkPost::new()),
        Receiver::new(Mandrill::new("key").unwrap()),
        Receiver::new(UnisenderGo::new("key").unwrap()),
        Receiver::new(Azure::new()),
        Receiver::new(Scaleway::new(Sns::new([TOPIC]))),
    ]
}

fn check(body: &[u8], kind: &str, header: &str) {
    for receiver in receivers() {
        let request = Request::post(URL, body.to_vec())
            .header("Content-Type", kind.to_owned())
            .header("webhook-id", header.to_owned());
        assert!(receiver.verify(request.clone(), at(0)).is_err());
        if let Ok(verified) = receiver.accept_unsigned(request, AcceptUnsigned::because("a test"))
            && let Ok(parsed) = verified.parse()
        {
            assert!(
                parsed
                    .events
                    .iter()
                    .all(|event| event.diagnostic.as_ref().is_none_or(|text| text.len() <= 2000))
            );
        }
    }
}

/// JSON with the names that providers use, and anything behind them.
fn strange() -> impl Strategy<Value = String> {
    let names = "(event|events|msys|events_by_user|event_data|status|auth|eventType|RecordType|type|Type|Message|email|timestamp|data|to|event-data|delivery-status|code|Tag|tags|signature|token)";
    let leaf = prop_oneof![
        "[0-9]{1,20}",
        "\"[ -!#-\\[\\]-~é]{0,12}\"",
        Just("null".to_owned()),
        Just("true".to_owned())
    ];
    leaf.prop_recursive(4, 32, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|all| format!("[{}]", all.join(","))),
            prop::collection::vec((names, inner), 0..4).prop_map(|all| {
                let fields: Vec<String> = all.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn any_octets_are_refused_or_read(body in prop::collection::vec(any::<u8>(), 0..300), header in "[ -~]{0,20}") {
        check(&body, "application/json", &header);
        check(&body, "application/x-www-form-urlencoded", &header);
        check(&body, "multipart/form-data; boundary=b", &header);
        let _ = Form::read(&Request::post(URL, body.clone()));
        let _ = Destination::new(&String::from_utf8_lossy(&body));
    }

    #[test]
    fn strange_json_is_refused_or_read(body in strange()) {
        check(body.as_bytes(), "application/json", "x");
        check(format!("[{body},{body}]").as_bytes(), "application/json", "x");
        let envelope = serde_json::json!({"Type": "Notification", "MessageId": "1", "Message": body});
        check(envelope.to_string().as_bytes(), "text/plain", "x");
    }

    #[test]
    fn what_is_signed_is_taken_and_what_is_changed_is_not(seed in "[a-z]{1,8}", seconds in 0u64..2_000_000_000, flip in 0usize..64) {
        let window = Window::FIVE_MINUTES;
        let receiver = Receiver::new(Mailgun::new("key").unwrap().window(window)).replay_guard(RecentKeys::new(4));
        let event = serde_json::json!({"event": "delivered"});
        let signed = mailgun("key", &seconds.to_string(), &token(&seed), &event);
        prop_assert!(receiver.verify(signed, at(seconds)).is_ok());
        let mut other = token(&seed).into_bytes();
        other[flip] = if other[flip] == b'0' { b'1' } else { b'0' };
        let changed = mailgun("key", &seconds.to_string(), &token(&seed), &event);
        let text = String::from_utf8(changed.body().to_vec()).unwrap().replace(&token(&seed), &String::from_utf8(other).unwrap());
        prop_assert!(receiver.verify(Request::post(URL, text), at(seconds)).is_err());
    }
}
