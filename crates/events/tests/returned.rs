//! Mail that came back, through the public API.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "tests"
)]

use std::collections::HashSet;

use posthaste_events::bounce::{Permanence, Phase, Reason, SesBounce};
use posthaste_events::event::{Event, EventKind};
use posthaste_events::mail::{Action, DeliveryReport, Form, Returned};
use proptest::prelude::*;

fn delivery(mail: &str) -> DeliveryReport {
    match Returned::read(mail.replace('\n', "\r\n").into_bytes()).unwrap() {
        Returned::Delivery(report) => report,
        other => panic!("{other:?}"),
    }
}

const REPORT: &str = "\
From: MAILER-DAEMON@mx.example.net
Subject: Undelivered Mail Returned to Sender
Date: Mon, 23 Nov 2026 12:00:00 +0000
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b

I'm sorry to have to inform you that your message could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net
Original-Envelope-Id: QQ314159

Original-Recipient: rfc822;bob@example.org
Final-Recipient: rfc822;bob@mail.example.net
Action: failed
Status: 5.0.0
Remote-MTA: dns; store.example.net
Diagnostic-Code: smtp; 552 5.2.2 <bob@mail.example.net>:
 Mailbox full

Final-Recipient: rfc822;eve@example.net
Action: delayed
Status: 4.4.1

Final-Recipient: rfc822;joe@example.net
Action: relayed
Status: 2.0.0

--b
Content-Type: text/rfc822-headers

From: ada@example.org
To: bob@example.org
Message-ID: <1@example.org>

--b--
";

#[test]
fn reads_fields() {
    let report = delivery(REPORT);
    assert_eq!(
        (report.form(), report.reporting_mta(), report.envelope_id()),
        (Form::Fields, Some("mx.example.net"), Some("QQ314159"))
    );
    assert!(report.date().is_some());
    let [bob, eve, joe] = report.recipients() else {
        panic!("{report:?}")
    };
    assert_eq!(
        (bob.recipient(), bob.original_recipient()),
        (Some("bob@mail.example.net"), Some("bob@example.org"))
    );
    assert_eq!(
        (bob.reply_code(), bob.status().unwrap().to_string().as_str()),
        (Some(552), "5.2.2")
    );
    assert_eq!(
        (bob.reason(), bob.permanence()),
        (Some(Reason::MailboxFull), Some(Permanence::Soft))
    );
    assert_eq!(
        bob.diagnostic(),
        Some("smtp; 552 5.2.2 <bob@mail.example.net>: Mailbox full")
    );
    assert_eq!(bob.remote_mta(), Some("store.example.net"));
    assert_eq!(
        (eve.action(), eve.permanence()),
        (Action::Delayed, Some(Permanence::Soft))
    );
    assert_eq!(
        (joe.action(), joe.reason(), joe.permanence()),
        (Action::Relayed, None, None)
    );
    let original = report.original().unwrap();
    assert_eq!(
        (original.message_id(), original.recipients()),
        (Some("1@example.org"), &["bob@example.org".to_owned()][..])
    );
}

#[test]
fn a_domain_that_is_not_found_for_now_may_be_there_tomorrow() {
    let one = |status: &str| {
        delivery(&REPORT.replace("Status: 5.0.0", &format!("Status: {status}")).replace(
            "smtp; 552 5.2.2 <bob@mail.example.net>:\n Mailbox full",
            "smtp; Host or domain name not found",
        ))
        .recipients()[0]
            .permanence()
    };
    assert_eq!(one("5.4.4"), Some(Permanence::Hard));
    assert_eq!(one("4.4.4"), Some(Permanence::Soft));
}

#[test]
fn tells_recipients_of_one_text_apart() {
    let report = delivery(
        "From: MAILER-DAEMON@mx.example.net\nSubject: failure notice\n\nHi. This is the qmail-send program.\n\n\
         <bob@example.net>:\nRemote host said: 550 5.1.1 <bob@example.net>: User unknown\nGiving up on 192.0.2.1.\n\n\
         <eve@example.net>:\nRemote host said: 552 5.2.2 Mailbox full\n\n--- Below this line is a copy of the message.\n\n\
         Received: from x\nMessage-ID: <2@example.org>\nTo: bob@example.net\n\n550 5.7.1 spam\n",
    );
    let told: Vec<_> = report
        .recipients()
        .iter()
        .map(|to| (to.recipient().unwrap(), to.reason().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ("bob@example.net", Reason::NoMailbox),
            ("eve@example.net", Reason::MailboxFull)
        ]
    );
    assert_eq!(report.original().unwrap().message_id(), Some("2@example.org"));
}

#[test]
fn a_person_who_writes_of_bounces_is_no_bounce() {
    for (from, subject, text) in [
        (
            "ada@example.org",
            "Re: your mail",
            "My mail to bob@example.net could not be delivered, 550 5.1.1 user unknown. Any idea?",
        ),
        ("ada@example.org", "Undeliverable?", "I got one of these."),
        ("postmaster@example.net", "Holidays", "The office is closed on Monday."),
    ] {
        let mail = format!("From: {from}\r\nSubject: {subject}\r\n\r\n{text}\r\n");
        assert_eq!(Returned::read(mail.into_bytes()).unwrap(), Returned::Other, "{subject}");
    }
}

#[test]
fn a_reply_of_somebody_away_is_no_bounce() {
    let mail = "From: bob@example.net\r\nAuto-Submitted: auto-replied (vacation)\r\nSubject: Re: Hello\r\nIn-Reply-To: <3@example.org>\r\n\r\nBack on Monday. 550 5.1.1 user unknown\r\n";
    let Returned::AutoReply(reply) = Returned::read(mail).unwrap() else {
        panic!()
    };
    assert_eq!(
        (reply.from(), reply.in_reply_to()),
        (Some("bob@example.net"), &["3@example.org".to_owned()][..])
    );
}

#[test]
fn reads_notifications_of_ses_that_come_by_mail() {
    let mail = "From: no-reply@sns.amazonaws.com\r\nSubject: AWS Notification Message\r\n\r\n\
        {\"notificationType\":\"Bounce\",\"bounce\":{\"bouncedRecipients\":[{\"emailAddress\":\"bob@example.net\",\"status\":\"5.1.1\",\"diagno!\r\n sticCode\":\"smtp; 550 5.1.1 user unknown\"}],\"reportingMTA\":\"dsn; a.example\"}}\r\n\r\n--\r\nIf you wish\r\n";
    let Returned::Delivery(report) = Returned::read(mail).unwrap() else {
        panic!()
    };
    assert_eq!(
        (report.form(), report.recipients()[0].reason()),
        (Form::Notification, Some(Reason::NoMailbox))
    );
}

#[test]
fn reads_delays_and_deliveries_of_ses() {
    let mail =
        |json: &str| format!("From: no-reply@sns.amazonaws.com\r\nSubject: AWS Notification Message\r\n\r\n{json}\r\n");
    let late = r#"{"eventType":"DeliveryDelay","deliveryDelay":{"delayedRecipients":[{"emailAddress":"bob@example.net","status":"4.4.1"}]}}"#;
    let Returned::Delivery(report) = Returned::read(mail(late)).unwrap() else {
        panic!()
    };
    let bob = &report.recipients()[0];
    assert_eq!(
        (bob.action(), bob.permanence()),
        (Action::Delayed, Some(Permanence::Soft))
    );
    let there =
        r#"{"notificationType":"Delivery","delivery":{"recipients":["bob@example.net"],"smtpResponse":"250 ok"}}"#;
    let Returned::Delivery(report) = Returned::read(mail(there)).unwrap() else {
        panic!()
    };
    let bob = &report.recipients()[0];
    assert_eq!(
        (bob.recipient(), bob.action(), bob.reason()),
        (Some("bob@example.net"), Action::Delivered, None)
    );
}

#[test]
fn many_recipients_are_read_in_time_that_grows_with_them() {
    let mut mail = String::from(
        "From: MAILER-DAEMON@x\nSubject: Undelivered\nContent-Type: multipart/report; boundary=b\n\n--b\n\n",
    );
    mail.push_str(&"words and words ".repeat(16_000));
    mail.push_str("\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n");
    for number in 0..100_000 {
        mail.push_str(&format!(
            "Final-Recipient: rfc822; a{number}@example.net\nAction: failed\n\n"
        ));
    }
    mail.push_str("--b--\n");
    let report = delivery(&mail);
    assert_eq!(report.recipients().len(), 1000);
}

#[test]
fn failed_recipients_of_a_header_are_bounded() {
    let many: Vec<String> = (0..2_000).map(|number| format!("a{number}@example.net")).collect();
    let mail = format!(
        "From: MAILER-DAEMON@x\nSubject: Undelivered\nX-Failed-Recipients: {}\n\nUnable to deliver.\n",
        many.join(",\n ")
    );
    assert_eq!(delivery(&mail).recipients().len(), 1000);
}

#[test]
fn says_it_as_ses_does() {
    let said = |reason: Reason| {
        let bounce = SesBounce::new(reason, reason.permanence());
        (bounce.bounce_type(), bounce.bounce_sub_type())
    };
    assert_eq!(said(Reason::NoDomain), ("Permanent", "General"));
    assert_eq!(said(Reason::TooLarge), ("Transient", "MessageTooLarge"));
    assert_eq!(said(Reason::Blocked), ("Transient", "General"));
    assert_eq!(said(Reason::Unknown), ("Undetermined", "Undetermined"));
}

fn events(mail: &str) -> Vec<Event> {
    Returned::read(mail.replace('\n', "\r\n").into_bytes())
        .unwrap()
        .events()
}

#[test]
fn a_report_becomes_an_event_for_each_recipient() {
    let events = events(REPORT);
    let kinds: Vec<_> = events
        .iter()
        .map(|event| (event.kind, event.recipient.as_deref().unwrap()))
        .collect();
    assert_eq!(
        kinds,
        [
            (EventKind::Bounced(Permanence::Soft), "bob@example.org"),
            (EventKind::Deferred, "eve@example.net"),
            (EventKind::Delivered, "joe@example.net"),
        ]
    );
    let bounce = &events[0];
    assert_eq!((bounce.provider, bounce.provider_kind.as_str()), ("mail", "failed"));
    assert_eq!(bounce.bounce_reason, Some(Reason::MailboxFull));
    assert_eq!(
        (bounce.reply_code(), bounce.status().unwrap().to_string().as_str()),
        (Some(552), "5.2.2")
    );
    assert_eq!(bounce.message_id.as_deref(), Some("1@example.org"));
    assert_eq!(bounce.mta.as_deref(), Some("store.example.net"));
    assert_eq!(bounce.metadata["ENVID"], "QQ314159");
    assert!(bounce.diagnostic.as_deref().unwrap().contains("Mailbox full"));
    assert!(bounce.time.is_some() && bounce.raw.starts_with(b"From: MAILER-DAEMON"));
    assert_eq!(events[2].bounce_reason, None);
    let ids: HashSet<&str> = events.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(ids.len(), 3);
}

#[test]
fn the_same_report_has_the_same_ids_on_whatever_way_it_comes() {
    let ids = |mail: &str| -> Vec<String> { events(mail).into_iter().map(|event| event.id).collect() };
    assert_eq!(
        ids(REPORT),
        ids(&format!("Received: from elsewhere by here; now\n{REPORT}"))
    );
    assert_ne!(ids(REPORT), ids(&REPORT.replace("12:00:00", "16:00:00")));
}

#[test]
fn who_is_not_named_is_the_recipient_of_what_came_back() {
    let mail = |to: &str| {
        format!(
            "From: MAILER-DAEMON@x\nSubject: Undelivered\nContent-Type: multipart/report; boundary=b\n\n--b\n\n\
             The mailbox is full.\n\n--b\nContent-Type: text/rfc822-headers\n\nFrom: ada@example.org\n{to}\n\
             Message-ID: <7@example.org>\n\n--b--\n"
        )
    };
    for (to, is_guess) in [
        ("To: bob@example.net", false),
        ("To: bob@example.net, eve@example.net", true),
        ("To: bob@example.net\nCc: eve@example.net", true),
    ] {
        let event = events(&mail(to)).remove(0);
        assert_eq!(
            (
                event.recipient.as_deref(),
                event.recipient_is_guess,
                event.message_id.as_deref()
            ),
            (Some("bob@example.net"), is_guess, Some("7@example.org")),
            "{to}"
        );
    }
}

#[test]
fn who_is_known_from_elsewhere_is_whom_the_event_is_about() {
    let read = |mail: &str| Returned::read(mail.replace('\n', "\r\n").into_bytes()).unwrap();
    let about = |address: &str| read(REPORT).event_about(&address.parse().unwrap()).unwrap();
    assert_eq!(about("eve@example.net").kind, EventKind::Deferred);
    // Nobody of that name is in it: the address became another one on the way.
    let event = about("carol@example.com");
    assert_eq!(event.kind, EventKind::Bounced(Permanence::Soft));
    assert_eq!(event.recipient.as_deref(), Some("carol@example.com"));
    let letter = read("From: bob@example.net\nSubject: Hello\n\nHow are you?\n");
    assert_eq!(
        (
            letter.events().len(),
            letter.event_about(&"a@b.example".parse().unwrap())
        ),
        (0, None)
    );
}

#[test]
fn complaints_and_replies_are_events_too() {
    let complaint = |kind: &str| {
        format!(
            "From: fbl@example.net\nSubject: abuse\nMIME-Version: 1.0\n\
             Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n\nA complaint.\n\n--b\n\
             Content-Type: message/feedback-report\n\nFeedback-Type: {kind}\nUser-Agent: FBL/1\nVersion: 1\n\
             Original-Rcpt-To: bob@example.net\n\n--b\nContent-Type: message/rfc822\n\n\
             From: ada@example.org\nTo: bob@example.net\nMessage-ID: <7@example.org>\nSubject: News\n\nNews\n\n--b--\n"
        )
    };
    for (kind, expected) in [
        ("abuse", EventKind::Complained),
        ("fraud", EventKind::Complained),
        ("not-spam", EventKind::Unknown),
    ] {
        let event = events(&complaint(kind)).remove(0);
        assert_eq!((event.kind, event.provider_kind.as_str()), (expected, kind));
        assert_eq!(event.recipient.as_deref(), Some("bob@example.net"));
        assert_eq!(event.message_id.as_deref(), Some("7@example.org"));
        assert_eq!(event.user_agent.as_deref(), Some("FBL/1"));
    }
    let reply = "From: Bob <bob@example.net>\nSubject: Out of office\nAuto-Submitted: auto-replied\n\
                 In-Reply-To: <7@example.org>\nDate: Mon, 23 Nov 2026 12:00:00 +0000\n\nI am away.\n";
    let event = events(reply).remove(0);
    assert_eq!(
        (event.kind, event.recipient.as_deref()),
        (EventKind::AutoResponded, Some("bob@example.net"))
    );
    assert_eq!(event.message_id.as_deref(), Some("7@example.org"));
    assert!(!event.is_final());
}

#[test]
fn a_notification_of_ses_is_as_permanent_as_ses_says() {
    let mail = |of: &str, sub: &str| {
        format!(
            "From: no-reply@sns.amazonaws.com\nSubject: AWS Notification\n\n{{\"notificationType\":\"Bounce\",\"bounce\":{{\
             \"bounceType\":\"{of}\",\"bounceSubType\":\"{sub}\",\"bouncedRecipients\":[{{\"emailAddress\":\"bob@example.net\"}}]}}}}\n"
        )
    };
    for (of, sub, permanence, reason) in [
        ("Permanent", "NoEmail", Permanence::Hard, Reason::NoMailbox),
        ("Permanent", "General", Permanence::Hard, Reason::Unknown),
        ("Transient", "MailboxFull", Permanence::Soft, Reason::MailboxFull),
        (
            "Undetermined",
            "Undetermined",
            Permanence::Undetermined,
            Reason::Unknown,
        ),
    ] {
        let event = events(&mail(of, sub)).remove(0);
        assert_eq!(
            (event.kind, event.bounce_reason),
            (EventKind::Bounced(permanence), Some(reason)),
            "{of} {sub}"
        );
    }
}

proptest! {
    #[test]
    fn any_words_are_read(words in "\\PC{0,300}") {
        let _ = Reason::find(&words, Phase::find(&words));
        let mail = format!("From: MAILER-DAEMON\r\nSubject: Undelivered\r\n\r\n{words}");
        let _ = Returned::read(mail.into_bytes()).unwrap();
    }

    #[test]
    fn any_octets_are_read(octets in proptest::collection::vec(any::<u8>(), 0..600), at in 0usize..900) {
        let mut mail = REPORT.as_bytes().to_vec();
        let at = at % mail.len();
        let end = (at + octets.len()).min(mail.len());
        mail.splice(at..end, octets);
        let _ = Returned::read(mail);
    }
}
