//! What the events of providers say, beyond what recorded requests show.

use posthaste_events::bounce::{Permanence, Reason};
use posthaste_events::event::{EventKind, Rejection};
use posthaste_events::webhook::{
    AcceptUnsigned, Brevo, Control, Mailgun, Mailjet, Mailtrap, Mandrill, ParseError, Postmark, Receiver, Request,
    Resend, SendGrid, Ses, Sns, UnisenderGo, ZeptoMail,
};
use serde_json::{Value, json};

use crate::signing::{SIGNED_AT, TOPIC};
use crate::{URL, at, read};

fn ses(message: &Value) -> Vec<posthaste_events::event::Event> {
    let envelope = json!({
        "Type": "Notification",
        "MessageId": "6c1d",
        "TopicArn": TOPIC,
        "Message": message.to_string(),
        "Timestamp": "2026-01-02T03:04:06.000Z",
    });
    read(Ses::new(Sns::new([TOPIC])), &envelope.to_string()).events
}

#[test]
fn ses_has_an_event_for_each_recipient() {
    let events = ses(&json!({
        "eventType": "Bounce",
        "mail": {
            "messageId": "0100018f",
            "destination": ["a@example.net", "b@example.net", "c@example.net"],
            "commonHeaders": {"messageId": "<1@example.org>"},
            "tags": {"campaign": ["spring"], "ses:source-ip": ["192.0.2.1"]}
        },
        "bounce": {
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "reportingMTA": "dns; mx.example.org",
            "bouncedRecipients": [
                {"emailAddress": "a@example.net", "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"},
                {"emailAddress": "b@example.net", "status": "5.2.2"}
            ]
        }
    }));
    let [a, b] = &events[..] else { panic!("{events:?}") };
    assert_eq!(
        (a.kind, a.recipient.as_deref()),
        (EventKind::Bounced(Permanence::Hard), Some("a@example.net"))
    );
    assert_eq!((a.reply_code(), a.bounce_reason), (Some(550), Some(Reason::NoMailbox)));
    assert_eq!(
        (b.status().unwrap().to_string().as_str(), b.bounce_reason),
        ("5.2.2", Some(Reason::MailboxFull))
    );
    assert_eq!(
        (a.id.as_str(), b.id.as_str()),
        ("6c1d:a@example.net", "6c1d:b@example.net")
    );
    assert_eq!(a.provider_event_id.as_deref(), Some("6c1d"));
    assert_eq!(a.provider_message_id.as_deref(), Some("0100018f"));
    assert_eq!(a.message_id.as_deref(), Some("1@example.org"));
    assert_eq!(
        a.metadata.iter().collect::<Vec<_>>(),
        [(&"campaign".to_owned(), &"spring".to_owned())]
    );
    assert_eq!(a.mta.as_deref(), Some("dns; mx.example.org"));
    assert_eq!(a.time, Some(at(SIGNED_AT)));
    assert!(!a.recipient_is_guess);
}

#[test]
fn ses_says_who_opened_only_where_one_could() {
    let open =
        |to: Value| ses(&json!({"eventType": "Open", "mail": {"destination": to}, "open": {"ipAddress": "192.0.2.1"}}));
    let one = &open(json!(["a@example.net"]))[0];
    assert_eq!(
        (one.recipient.as_deref(), one.recipient_is_guess),
        (Some("a@example.net"), false)
    );
    assert_eq!(one.ip, "192.0.2.1".parse().ok());
    let two = &open(json!(["a@example.net", "b@example.net"]))[0];
    assert_eq!(
        (two.recipient.as_deref(), two.recipient_is_guess),
        (Some("a@example.net"), true)
    );
    assert_eq!(open(json!([]))[0].recipient, None);
}

#[test]
fn ses_has_names_for_everything() {
    for (name, about, kind) in [
        ("Send", json!({}), EventKind::Sent),
        (
            "Delivery",
            json!({"delivery": {"recipients": ["a@example.net"]}}),
            EventKind::Delivered,
        ),
        (
            "DeliveryDelay",
            json!({"deliveryDelay": {"delayedRecipients": [{"emailAddress": "a@example.net"}]}}),
            EventKind::Deferred,
        ),
        (
            "Bounce",
            json!({"bounce": {"bounceType": "Transient"}}),
            EventKind::Bounced(Permanence::Soft),
        ),
        (
            "Bounce",
            json!({"bounce": {"bounceType": "Undetermined"}}),
            EventKind::Bounced(Permanence::Undetermined),
        ),
        ("Complaint", json!({"complaint": {}}), EventKind::Complained),
        (
            "Reject",
            json!({"reject": {"reason": "Bad content"}}),
            EventKind::Rejected,
        ),
        ("Rendering Failure", json!({"failure": {}}), EventKind::RenderingFailed),
        ("Open", json!({}), EventKind::Opened { by_machine: None }),
        (
            "Click",
            json!({"click": {"link": "https://example.org/"}}),
            EventKind::Clicked,
        ),
        (
            "Subscription",
            json!({"subscription": {"newTopicPreferences": {"unsubscribeAll": true}}}),
            EventKind::Unsubscribed,
        ),
        (
            "Subscription",
            json!({"subscription": {"newTopicPreferences": {"unsubscribeAll": false}}}),
            EventKind::Subscribed,
        ),
        // Who leaves one topic has not come back.
        (
            "Subscription",
            json!({"subscription": {
                "oldTopicPreferences": {"unsubscribeAll": false, "topicSubscriptionStatus": [
                    {"topicName": "news", "subscriptionStatus": "OptIn"}]},
                "newTopicPreferences": {"unsubscribeAll": false, "topicSubscriptionStatus": [
                    {"topicName": "news", "subscriptionStatus": "OptOut"}]}}}),
            EventKind::Unsubscribed,
        ),
        (
            "Subscription",
            json!({"subscription": {
                "oldTopicPreferences": {"unsubscribeAll": false, "topicSubscriptionStatus": [
                    {"topicName": "news", "subscriptionStatus": "OptOut"}]},
                "newTopicPreferences": {"unsubscribeAll": false, "topicSubscriptionStatus": [
                    {"topicName": "news", "subscriptionStatus": "OptIn"}]}}}),
            EventKind::Subscribed,
        ),
        (
            "Subscription",
            json!({"subscription": {
                "oldTopicPreferences": {"unsubscribeAll": false},
                "newTopicPreferences": {"unsubscribeAll": false}}}),
            EventKind::Unknown,
        ),
        (
            "Complaint",
            json!({"complaint": {"complaintFeedbackType": "not-spam", "complainedRecipients": [{"emailAddress": "bob@example.net"}]}}),
            EventKind::Unknown,
        ),
        ("Something New", json!({}), EventKind::Unknown),
    ] {
        let mut message = about;
        message["eventType"] = name.into();
        let events = ses(&message);
        assert_eq!(
            (events.len(), events[0].kind, events[0].provider_kind.as_str()),
            (1, kind, name)
        );
    }
}

#[test]
fn ses_says_which_bounces_it_made_itself() {
    let bounce = |sub_type: &str, of: &str| {
        let about = json!({"bounceType": of, "bounceSubType": sub_type, "bouncedRecipients": [{"emailAddress": "a@example.net"}]});
        ses(&json!({"eventType": "Bounce", "mail": {}, "bounce": about})).remove(0)
    };
    let hard = EventKind::Bounced(Permanence::Hard);
    for (sub_type, of, kind, rejection, reason) in [
        (
            "NoEmail",
            "Permanent",
            hard,
            Rejection::Bounced,
            Some(Reason::NoMailbox),
        ),
        (
            "OnAccountSuppressionList",
            "Permanent",
            hard,
            Rejection::Blocked,
            Some(Reason::Unknown),
        ),
        (
            "UnsubscribedRecipient",
            "Permanent",
            EventKind::Rejected,
            Rejection::Unsubscribed,
            None,
        ),
        (
            "EmailValidationSuppressed",
            "Permanent",
            EventKind::Rejected,
            Rejection::Blocked,
            None,
        ),
        (
            "MailboxFull",
            "Transient",
            EventKind::Bounced(Permanence::Soft),
            Rejection::Bounced,
            Some(Reason::MailboxFull),
        ),
        (
            "CustomTimeoutExceeded",
            "Transient",
            EventKind::Bounced(Permanence::Soft),
            Rejection::Bounced,
            Some(Reason::Expired),
        ),
    ] {
        let event = bounce(sub_type, of);
        assert_eq!(
            (event.kind, event.rejection, event.bounce_reason),
            (kind, Some(rejection), reason),
            "{sub_type}"
        );
    }
}

#[test]
fn tags_and_metadata_come_back_as_they_were_sent() {
    let check = |event: &posthaste_events::event::Event| {
        assert_eq!(
            (event.tags.join(" "), event.metadata["order"].as_str()),
            ("welcome".to_owned(), "7"),
            "{event:?}"
        );
        assert_eq!(event.metadata.len(), 1, "{event:?}");
    };
    let mail = json!({"tags": {"tag": ["welcome"], "order": ["7"], "ses:operation": ["SendEmail"]}});
    check(&ses(&json!({"eventType": "Send", "mail": mail}))[0]);
    let fields =
        json!([{"name": "X-Tags", "value": "[\"welcome\"]"}, {"name": "X-Metadata", "value": "{\"order\":\"7\"}"}]);
    let body = json!({"type": "email.sent", "data": {"to": ["a@example.net"], "headers": fields}});
    check(&read(Resend::unsigned(), &body.to_string()).events[0]);
    let body =
        json!({"event_name": "delivered", "event_message": {"email_info": {"client_reference": "{\"order\":\"7\"}"}}});
    let event = read(ZeptoMail::new("secret").unwrap(), &body.to_string())
        .events
        .remove(0);
    assert_eq!(event.metadata["order"], "7");
    let body = json!({"event_name": "delivered", "event_message": {"email_info": {"client_reference": "invoice 7"}}});
    let event = read(ZeptoMail::new("secret").unwrap(), &body.to_string())
        .events
        .remove(0);
    assert_eq!(event.metadata["client_reference"], "invoice 7");
}

#[test]
fn ses_greets_a_topic_that_works() {
    let envelope = json!({"Type": "Notification", "MessageId": "1", "Message": "Successfully validated SNS topic for Amazon SES event publishing."});
    let parsed = read(Ses::new(Sns::new([TOPIC])), &envelope.to_string());
    assert_eq!((parsed.events.len(), parsed.control), (0, Some(Control::Ping)));
}

#[test]
fn sendgrid_delivers_again_under_another_id() {
    let item = |id: &str, attempt: &str| {
        json!({"event": "deferred", "email": "a@example.net", "timestamp": 1_767_323_045, "sg_event_id": id,
            "sg_message_id": "14c5d75ce93.filter0001.16648", "attempt": attempt, "response": "451 4.7.1 later", "order": "42"})
    };
    let body = json!([item("x", "1"), item("y", "1"), item("x", "2")]).to_string();
    let events = read(SendGrid::unsigned(), &body).events;
    assert_eq!(events[0].id, events[1].id);
    assert_ne!(events[0].id, events[2].id);
    assert_eq!(events[0].provider_message_id.as_deref(), Some("14c5d75ce93"));
    assert_eq!(
        (events[0].kind, events[0].reply_code()),
        (EventKind::Deferred, Some(451))
    );
    assert_eq!(events[0].metadata["order"], "42");
    assert_eq!(events[0].metadata.len(), 1);
}

#[test]
fn sendgrid_says_what_machines_open_and_whether_a_bounce_is_a_block() {
    let body = r#"[{"event":"open","sg_machine_open":true},{"event":"bounce","type":"blocked","status":"5.7.1"},{"event":"bounce"},
        {"event":"dropped","reason":"Spam Reporting Address"},{"event":"group_resubscribe"},{"event":"unsubscribe"}]"#;
    let events = read(SendGrid::unsigned(), body).events;
    assert_eq!(events[0].kind, EventKind::Opened { by_machine: Some(true) });
    assert_eq!(events[1].kind, EventKind::Bounced(Permanence::Soft));
    assert_eq!(events[2].kind, EventKind::Bounced(Permanence::Hard));
    assert_eq!(
        (events[3].kind, events[3].rejection),
        (EventKind::Rejected, Some(Rejection::Spam))
    );
    assert_eq!(events[4].kind, EventKind::Subscribed);
    assert_eq!(
        (events[5].kind, events[5].rejection),
        (EventKind::Unsubscribed, Some(Rejection::Unsubscribed))
    );
}

#[test]
fn mailgun_refuses_for_reasons_of_its_own() {
    for (code, rejection) in [
        (605, Rejection::Bounced),
        (606, Rejection::Unsubscribed),
        (607, Rejection::Spam),
        (625, Rejection::Blocked),
    ] {
        let body = json!({"event-data": {"event": "failed", "severity": "permanent", "reason": "suppress-bounce",
            "recipient": "a@example.net", "delivery-status": {"code": code}}});
        let event = &read(Mailgun::new("key").unwrap(), &body.to_string()).events[0];
        assert_eq!(
            (event.kind, event.rejection, event.reply_code()),
            (EventKind::Rejected, Some(rejection), None)
        );
    }
    let body = json!({"event-data": {"event": "rejected", "reject": {"reason": "Sandbox"},
        "message": {"headers": {"to": "a@example.net", "message-id": "1@example.org"}}}});
    let event = &read(Mailgun::new("key").unwrap(), &body.to_string()).events[0];
    assert_eq!(
        (event.kind, event.recipient.as_deref()),
        (EventKind::Rejected, Some("a@example.net"))
    );
    assert_eq!(event.provider_message_id.as_deref(), Some("<1@example.org>"));
    assert_eq!(event.description.as_deref(), Some("Sandbox"));
    assert_eq!(event.id.len(), 32);
}

#[test]
fn postmark_calls_many_things_bounces() {
    for (name, kind) in [
        ("HardBounce", EventKind::Bounced(Permanence::Hard)),
        ("SoftBounce", EventKind::Bounced(Permanence::Soft)),
        ("Transient", EventKind::Deferred),
        ("Unsubscribe", EventKind::Unsubscribed),
        ("AutoResponder", EventKind::AutoResponded),
        ("SpamNotification", EventKind::Complained),
        ("Blocked", EventKind::Rejected),
        ("TemplateRenderingFailed", EventKind::RenderingFailed),
        ("SMTPApiError", EventKind::Failed),
        ("Something", EventKind::Unknown),
    ] {
        let body = json!({"RecordType": "Bounce", "Type": name, "ID": 42, "Email": "a@example.net"});
        let event = &read(Postmark::new(), &body.to_string()).events[0];
        assert_eq!(
            (event.kind, event.provider_kind.as_str()),
            (kind, format!("Bounce/{name}").as_str())
        );
        assert_eq!(event.id, "Bounce:42");
    }
}

#[test]
fn postmark_without_an_id_gets_one_of_what_it_says() {
    let open = |time: &str| {
        let body = json!({"RecordType": "Open", "MessageID": "1", "Recipient": "a@example.net", "ReceivedAt": time,
            "Client": {"Name": "Apple Mail Privacy Protection"}});
        read(Postmark::new(), &body.to_string()).events.remove(0)
    };
    let (one, again, other) = (
        open("2026-01-02T03:04:05Z"),
        open("2026-01-02T03:04:05Z"),
        open("2026-01-02T03:04:06Z"),
    );
    assert_eq!(one.id, again.id);
    assert_ne!(one.id, other.id);
    assert_eq!(one.kind, EventKind::Opened { by_machine: Some(true) });
}

#[test]
fn resend_does_not_say_which_of_several_it_was() {
    let body = json!({"type": "email.bounced", "created_at": "2026-01-02T03:04:06Z", "data": {
        "email_id": "ae2014de", "to": ["a@example.net", "b@example.net"], "tags": {"order": "42"},
        "bounce": {"type": "Transient", "subType": "MailboxFull", "message": "full", "diagnosticCode": ["smtp; 552 5.2.2 mailbox full"]}}});
    let request = Request::post(URL, body.to_string()).header("svix-id", "msg_1");
    let verified = Receiver::new(Resend::unsigned())
        .accept_unsigned(request, AcceptUnsigned::because("a test"))
        .unwrap();
    let event = verified.parse().unwrap().events.remove(0);
    assert_eq!(
        (event.kind, event.bounce_reason),
        (EventKind::Bounced(Permanence::Soft), Some(Reason::MailboxFull))
    );
    assert_eq!(
        (event.recipient.as_deref(), event.recipient_is_guess),
        (Some("a@example.net"), true)
    );
    assert_eq!((event.id.as_str(), event.metadata["order"].as_str()), ("msg_1", "42"));
    assert_eq!(event.time, Some(at(SIGNED_AT)));
    let suppressed = json!({"type": "email.suppressed", "data": {"suppressed": {"reason": "previous_complaint"}}});
    let event = &read(Resend::unsigned(), &suppressed.to_string()).events[0];
    assert_eq!(
        (event.kind, event.rejection),
        (EventKind::Rejected, Some(Rejection::Spam))
    );
}

#[test]
fn brevo_comes_alone_or_in_numbers() {
    let one = r#"{"event":"hard_bounce","email":"a@example.net","ts_epoch":1767323046000,"message-id":"<1@example.org>","reason":"550 5.1.1 unknown","tag":"[\"x\",\"y\"]"}"#;
    let event = read(Brevo::new(), one).events.remove(0);
    assert_eq!(
        (event.kind, event.time),
        (EventKind::Bounced(Permanence::Hard), Some(at(SIGNED_AT)))
    );
    assert_eq!(
        (event.bounce_reason, event.tags.join(" ")),
        (Some(Reason::NoMailbox), "x y".to_owned())
    );
    let parsed = read(Brevo::new(), &format!(r#"[{one},{{"event":"proxy_open"}},null]"#));
    assert_eq!(parsed.events[0], event);
    assert_eq!(parsed.events[1].kind, EventKind::Opened { by_machine: Some(true) });
    assert_eq!(parsed.problems.len(), 1);
}

#[test]
fn mandrill_says_why_it_did_not_send() {
    let rejected = |reason: &str| {
        let events =
            json!([{"event": "reject", "ts": 1, "msg": {"email": "a@example.net", "reject": {"reason": reason}}}]);
        let body = format!("mandrill_events={}", url_encoded(&events.to_string()));
        let request = Request::post(URL, body).header("Content-Type", "application/x-www-form-urlencoded");
        let verified = Receiver::new(Mandrill::new("key").unwrap())
            .accept_unsigned(request, AcceptUnsigned::because("a test"))
            .unwrap();
        let event = verified.parse().unwrap().events.remove(0);
        assert_eq!(
            (event.kind, event.description.as_deref()),
            (EventKind::Rejected, Some(reason))
        );
        event.rejection.unwrap()
    };
    for (reason, rejection) in [
        ("hard-bounce", Rejection::Bounced),
        ("soft-bounce", Rejection::Other),
        ("spam", Rejection::Spam),
        ("unsub", Rejection::Unsubscribed),
        ("invalid", Rejection::Invalid),
        ("rule", Rejection::Policy),
        ("custom", Rejection::Blocked),
    ] {
        assert_eq!(rejected(reason), rejection, "{reason}");
    }
}

fn url_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn unisender_ceases_to_try_for_reasons_that_pass_too() {
    let bounced = |why: Option<&str>| {
        let body = json!({"event_name": "transactional_email_status", "status": "hard_bounced", "email": "a@example.net",
            "delivery_info": {"delivery_status": why}});
        let event = read(UnisenderGo::new("key").unwrap(), &body.to_string())
            .events
            .remove(0);
        event.permanence().unwrap()
    };
    assert_eq!(bounced(None), Permanence::Hard);
    assert_eq!(bounced(Some("err_user_unknown")), Permanence::Hard);
    assert_eq!(bounced(Some("err_mailbox_full")), Permanence::Soft);
    assert_eq!(bounced(Some("err_spam_rejected")), Permanence::Soft);
    assert_eq!(bounced(Some("err_lost")), Permanence::Undetermined);
}

#[test]
fn mailjet_blocks_for_reasons_that_say_nothing_of_the_address() {
    let blocked = |error: Option<&str>| {
        let body = json!({"event": "blocked", "email": "a@example.net", "error": error});
        let event = read(Mailjet::new(), &body.to_string()).events.remove(0);
        assert_eq!(event.kind, EventKind::Rejected);
        event.rejection.unwrap()
    };
    assert_eq!(blocked(None), Rejection::Blocked);
    assert_eq!(blocked(Some("quota exceeded")), Rejection::Other);
    assert_eq!(blocked(Some("user unknown")), Rejection::Bounced);
    assert_eq!(blocked(Some("spam reporter")), Rejection::Spam);
}

#[test]
fn mailgun_names_whom_a_refused_message_was_for() {
    let refused = |to: &str| {
        let body = json!({"signature": {"token": "t", "timestamp": "1", "signature": "00"},
            "event-data": {"event": "rejected", "message": {"headers": {"to": to}}}});
        let request = Request::post(URL, body.to_string());
        let verified = Receiver::new(Mailgun::new("key").unwrap())
            .accept_unsigned(request, AcceptUnsigned::because("a test"))
            .unwrap();
        let event = verified.parse().unwrap().events.remove(0);
        (event.recipient, event.recipient_is_guess)
    };
    let ada = || Some("ada@example.net".to_owned());
    assert_eq!(refused("\"Lovelace, Ada\" <ada@example.net>"), (ada(), false));
    assert_eq!(refused("Ada <ada@example.net>, bob@example.net"), (ada(), true));
    assert_eq!(refused("undisclosed-recipients:;"), (None, false));
}

#[test]
fn mailtrap_with_what_nobody_knows_is_no_success() {
    let request = Request::post(URL, r#"{"hello":"world"}"#);
    let verified = Receiver::new(Mailtrap::unsigned())
        .accept_unsigned(request, AcceptUnsigned::because("a test"))
        .unwrap();
    assert!(matches!(verified.parse(), Err(ParseError::Shape { .. })));
}
