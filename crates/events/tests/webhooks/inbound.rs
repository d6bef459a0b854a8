//! Mail that came in, as providers pass it on.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use posthaste_events::event::EventKind;
use posthaste_events::inbound::{Inbound, InboundContent};
use posthaste_events::webhook::{
    AcceptUnsigned, Brevo, MailerSend, Mailgun, Mailjet, Mailtrap, Mandrill, Postal, Postmark, Provider, Receiver,
    RecentKeys, Request, Resend, SendGrid, Ses, Sns, SparkPost,
};
use proptest::prelude::*;
use serde_json::json;

use crate::signing::TOPIC;
use crate::{URL, read};

const MAIL: &str = "From: Bob <bob@example.net>\r\nTo: hello@example.org\r\nSubject: Hi\r\nMessage-ID: <1@example.net>\r\n\
    Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nFirst line\r\n--b\r\n\
    Content-Type: text/html\r\n\r\n<p>First line</p>\r\n--b\r\nContent-Type: text/plain; name=a.txt\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\n\
    abc\r\n--b\r\nContent-Type: image/png\r\nContent-ID: <logo>\r\nContent-Transfer-Encoding: base64\r\n\r\nYWJj\r\n--b--\r\n";

fn check(mail: &Inbound) {
    assert_eq!(
        mail.from.as_ref().unwrap().to_string(),
        "Bob <bob@example.net>",
        "{}",
        mail.provider
    );
    assert_eq!(mail.to[0].to_string(), "hello@example.org");
    assert_eq!(
        (mail.subject.as_deref(), mail.message_id.as_deref()),
        (Some("Hi"), Some("1@example.net"))
    );
    assert_eq!(mail.text.as_deref().map(str::trim), Some("First line"));
    assert_eq!(mail.html.as_deref().map(str::trim), Some("<p>First line</p>"));
    let [file, logo] = &mail.attachments[..] else {
        panic!("{:?}", mail.attachments)
    };
    assert_eq!((file.name.as_deref(), file.is_inline), (Some("a.txt"), false));
    assert_eq!(
        (logo.content_id.as_deref(), logo.is_inline, logo.content_type.as_str()),
        (Some("logo"), true, "image/png")
    );
    for attachment in [file, logo] {
        assert!(attachment.content == InboundContent::Octets("abc".into()));
    }
    assert_eq!(mail.raw.as_ref().map(|raw| raw.len()), Some(MAIL.len()));
    assert!(!format!("{mail:?}").contains("First line"));
}

fn one(provider: impl Provider, body: &str) -> Inbound {
    let mut parsed = read(provider, body);
    assert!(
        parsed.events.is_empty() && parsed.problems.is_empty() && parsed.inbound.len() == 1,
        "{parsed:?}"
    );
    parsed.inbound.remove(0)
}

fn form(provider: impl Provider, fields: &[(&str, &str)]) -> Inbound {
    let body: String = fields
        .iter()
        .map(|(name, value)| format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"))
        .collect();
    let request =
        Request::post(URL, format!("{body}--x--\r\n")).header("Content-Type", "multipart/form-data; boundary=x");
    let receiver = Receiver::new(provider).replay_guard(RecentKeys::new(1));
    let verified = receiver
        .accept_unsigned(request, AcceptUnsigned::because("a test"))
        .unwrap();
    verified.parse().unwrap().inbound.remove(0)
}

#[test]
fn mail_is_read_as_it_is() {
    check(&Inbound::read(MAIL).unwrap());
}

#[test]
fn whole_mails_say_the_same_whoever_passes_them_on() {
    let encoded = STANDARD.encode(MAIL);
    let received = json!({"notificationType": "Received", "mail": {"messageId": "m", "source": "bob@example.net"}, "content": encoded,
        "receipt": {"recipients": ["hello@example.org"], "action": {"encoding": "BASE64"}, "spamVerdict": {"status": "FAIL"}, "dkimVerdict": {"status": "PASS"}}});
    let envelope = json!({"Type": "Notification", "MessageId": "1", "Message": received.to_string()});
    let ses = one(Ses::new(Sns::new([TOPIC])), &envelope.to_string());
    assert_eq!(
        (ses.is_spam, ses.dkim.as_deref(), ses.id.as_str()),
        (Some(true), Some("pass"), "m")
    );
    let postal = json!({"id": 7, "rcpt_to": "hello@example.org", "mail_from": "", "message": encoded, "base64": true});
    let key = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCm4A7/1JK1iXge/+jJg6niCaAyHWAWl+on5QzQD+Hl8DZyRp5gHgLfVYgrD6HoCPaTDmxJS1aLKP5GRve459IzuduVR/M2ee3vvX3N8PIoPUoCJndSC9KVh/kxoBCx+sNza3UDwW0mI1OksAFHtPbwQhzVOTJYxi8+vSB4+pu/owIDAQAB";
    let postal = one(Postal::new(key).unwrap(), &postal.to_string());
    assert_eq!((postal.envelope_from.as_deref(), postal.id.as_str()), (Some(""), "7"));
    let sparkpost = json!([{"msys": {"relay_message": {"rcpt_to": "hello@example.org", "content": {"email_rfc822": encoded, "email_rfc822_is_base64": true}}}}]);
    let mailersend = json!({"type": "inbound.message", "data": {"id": "i", "raw": MAIL, "recipients": {"rcptTo": [{"email": "hello@example.org"}]}, "spf_check": {"code": "+"}}});
    let mailersend = one(MailerSend::new("key").unwrap(), &mailersend.to_string());
    assert_eq!(mailersend.spf.as_deref(), Some("pass"));
    let events =
        json!([{"event": "inbound", "ts": 1, "msg": {"raw_msg": MAIL, "email": "hello@example.org"}}]).to_string();
    let sendgrid = form(
        SendGrid::unsigned(),
        &[
            ("email", MAIL),
            ("envelope", r#"{"to":["hello@example.org"],"from":"bob@example.net"}"#),
            ("spam_score", "1.5"),
        ],
    );
    assert_eq!(sendgrid.spam_score, Some(1.5));
    let mailgun = form(
        Mailgun::new("key").unwrap(),
        &[
            ("body-mime", MAIL),
            ("recipient", "hello@example.org"),
            ("token", "t"),
            ("timestamp", "1"),
        ],
    );
    for mail in [
        ses,
        postal,
        mailersend,
        sendgrid,
        mailgun,
        one(SparkPost::new(), &sparkpost.to_string()),
        form(Mandrill::new("key").unwrap(), &[("mandrill_events", &events)]),
    ] {
        check(&mail);
        assert_eq!(mail.envelope_to, ["hello@example.org"], "{}", mail.provider);
        assert!(!mail.id.is_empty());
    }
}

#[test]
fn what_is_kept_elsewhere_is_said() {
    let received = json!({"notificationType": "Received", "mail": {}, "receipt": {"action": {"bucketName": "b", "objectKey": "k"}}});
    let envelope = json!({"Type": "Notification", "Message": received.to_string()});
    assert_eq!(
        one(Ses::new(Sns::new([TOPIC])), &envelope.to_string()).fetch.as_deref(),
        Some("s3://b/k")
    );
    let body = json!({"type": "email.received", "data": {"email_id": "e", "from": "bob@example.net", "attachments": [{"id": "a", "filename": "x.pdf"}]}});
    let mail = one(Resend::unsigned(), &body.to_string());
    assert_eq!((mail.fetch.as_deref(), mail.id.as_str()), (Some("e"), "e"));
    assert!(mail.attachments[0].content == InboundContent::Fetch("a".into()));
    let body = json!({"items": [{"Uuid": ["u"], "RawTextBody": "x", "Headers": {"From": "bob@example.net"}, "Attachments": [{"DownloadToken": "d"}]}, {}]});
    let parsed = read(Brevo::new(), &body.to_string());
    assert_eq!((parsed.inbound.len(), parsed.inbound[0].id.as_str()), (2, "u"));
    assert!(parsed.inbound[0].attachments[0].content == InboundContent::Fetch("d".into()));
}

#[test]
fn an_inbox_of_mailtrap_says_where_the_rest_is() {
    let body = json!({"id": 5, "inbox_id": 3, "from": "Bob <bob@example.net>", "to": ["hello@example.org"], "cc": [], "subject": "Hi",
        "message_id": "<1@example.net>", "text_body": "x", "headers": {"Reply-To": "bob2@example.net"}, "raw_message_url": "https://example.org/5",
        "attachments": [{"filename": "a.txt", "content_type": "text/plain", "download_url": "https://example.org/a"}]});
    let mail = one(Mailtrap::unsigned(), &body.to_string());
    assert_eq!(mail.from.as_ref().unwrap().to_string(), "Bob <bob@example.net>");
    assert_eq!(
        (mail.id.as_str(), mail.fetch.as_deref()),
        ("5", Some("https://example.org/5"))
    );
    assert_eq!(mail.header("reply-to"), Some("bob2@example.net"));
    assert!(mail.attachments[0].content == InboundContent::Fetch("https://example.org/a".into()));
}

#[test]
fn what_came_in_is_an_event_too() {
    let mut mail = Inbound::read(MAIL).unwrap();
    let event = mail.event();
    assert_eq!((event.kind, event.provider), (EventKind::Inbound, "mail"));
    assert_eq!(
        (event.recipient.as_deref(), event.recipient_is_guess),
        (Some("hello@example.org"), false)
    );
    assert_eq!(event.message_id.as_deref(), Some("1@example.net"));
    assert_eq!(event.raw.len(), MAIL.len());
    mail.envelope_to = vec!["list@example.org".into(), "hello@example.org".into()];
    let event = mail.event();
    assert_eq!(
        (event.recipient.as_deref(), event.recipient_is_guess),
        (Some("list@example.org"), true)
    );
}

#[test]
fn mails_that_were_taken_apart_are_put_together() {
    let body = json!({"FromFull": {"Email": "bob@example.net", "Name": "Bob"}, "ToFull": [{"Email": "hello@example.org"}], "Subject": "Hi", "TextBody": "x",
        "MessageID": "m", "Headers": [{"Name": "Return-Path", "Value": "<bounce@example.net>"}, {"Name": "X-Spam-Score", "Value": "2.5"}],
        "Attachments": [{"Name": "a.txt", "Content": "YWJj", "ContentType": "text/plain"}]});
    let mail = one(Postmark::new(), &body.to_string());
    assert_eq!(
        (mail.envelope_from.as_deref(), mail.spam_score),
        (Some("bounce@example.net"), Some(2.5))
    );
    assert_eq!(mail.from.unwrap().to_string(), "Bob <bob@example.net>");
    let body = json!({"Sender": "bounce@example.net", "Recipient": "hello@example.org", "Headers": {"From": ["Bob <bob@example.net>"], "Subject": "Hi"},
        "Text-part": "x", "Attachment1": "YWJj", "Parts": [{"Headers": {"Content-Type": "text/plain; name=\"a.txt\"",
        "Content-Disposition": "attachment; filename=\"a.txt\""}, "ContentRef": "Attachment1"}]});
    let mail = one(Mailjet::new(), &body.to_string());
    assert_eq!(
        (mail.subject.as_deref(), mail.attachments[0].name.as_deref()),
        (Some("Hi"), Some("a.txt"))
    );
    assert!(mail.attachments[0].content == InboundContent::Octets("abc".into()));
}

proptest! {
    #[test]
    fn any_mail_is_read_or_refused(mail in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(read) = Inbound::read(mail.clone()) {
            prop_assert_eq!(read.raw.unwrap(), mail);
        }
    }
}
