//! Webhooks of every provider: any octets are refused, and what is taken without a check is read or refused with an error.

#![no_main]

use std::time::{Duration, SystemTime};

use libfuzzer_sys::fuzz_target;
use posthaste_events::webhook::{
    AcceptUnsigned, Access, Azure, Brevo, Destination, Form, MailerSend, Mailgun, Mailjet, Mailtrap, Mandrill, Parsed,
    Postmark, Proof, Receiver, RecentKeys, Request, Resend, Scaleway, SendGrid, Ses, Signer, SigningSecret, Sns,
    SparkPost, StandardWebhooks, UnisenderGo, ZeptoMail,
};

const KINDS: [&str; 3] = [
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b",
];

fn receivers() -> Vec<Receiver> {
    let mailgun = Mailgun::new("key").expect("a key");
    let resend = Resend::new("whsec_PBoOujx+i+jrgLu/bAJT2z9tzxloipAG").expect("a key");
    vec![
        Receiver::new(Ses::new(Sns::new(["arn:aws:sns:eu-west-1:111122223333:ses"]))),
        Receiver::new(SendGrid::unsigned()),
        Receiver::new(mailgun).replay_guard(RecentKeys::new(4)),
        Receiver::new(Postmark::new()),
        Receiver::new(resend),
        Receiver::new(Brevo::new()),
        Receiver::new(Mailjet::new()),
        Receiver::new(MailerSend::new("key").expect("a key")),
        Receiver::new(Mailtrap::unsigned()),
        Receiver::new(SparkPost::new()),
        Receiver::new(Mandrill::new("key").expect("a key")),
        Receiver::new(UnisenderGo::new("key").expect("a key")),
        Receiver::new(Azure::new()),
        Receiver::new(Scaleway::new(Sns::new(["arn:scw:sns:fr-par:project:mail"]))),
        Receiver::new(ZeptoMail::new("key").expect("a key")).access(Access::bearer("token")),
    ]
}

fn hold(parsed: &Parsed, body: &[u8]) {
    assert!(parsed.events.len() <= body.len() + 1);
    for event in &parsed.events {
        assert!(!event.provider.is_empty());
        assert!(event.diagnostic.as_ref().is_none_or(|text| text.len() <= 2000));
        assert!(event.reply_code().is_none_or(|code| (200..600).contains(&code)));
    }
}

fuzz_target!(|data: &[u8]| {
    let (head, body) = data.split_at(data.len().min(2));
    let (first, second) = (head.first().copied().unwrap_or(0), head.get(1).copied().unwrap_or(0));
    // A few octets at the end are a header field too.
    let field = body.get(body.len().saturating_sub(40)..).unwrap_or_default().to_vec();
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_777_636_800);
    let request = Request::post("https://example.org/hooks?a=1", body.to_vec())
        .header("Content-Type", KINDS[usize::from(first) % KINDS.len()])
        .header("webhook-id", field.clone())
        .header("webhook-timestamp", "1777636800")
        .header("webhook-signature", field.clone())
        .header("authorization", field);
    let all = receivers();
    let receiver = &all[usize::from(second) % all.len()];
    // Nobody has the keys. ZeptoMail asks without one whether somebody is there, and nothing of that is read.
    match receiver.verify(request.clone(), now) {
        Ok(verified) => {
            assert!(verified.proof() == &Proof::Probe && verified.parse().is_ok_and(|parsed| parsed.events.is_empty()))
        }
        Err(error) => assert!((400..=503).contains(&error.status())),
    }
    if let Ok(verified) = receiver.accept_unsigned(request.clone(), AcceptUnsigned::because("it is only a test"))
        && let Ok(parsed) = verified.parse()
    {
        hold(&parsed, body);
        // Read again it is the same, ids included.
        assert_eq!(verified.parse().as_ref(), Ok(&parsed));
    }
    if let Ok(form) = Form::read(&request) {
        assert!(form.fields().len() <= 1000);
    }
    if let Ok(text) = std::str::from_utf8(body) {
        let _ = Destination::new(text);
        let secret = SigningSecret::from_random(&[7; 32]).expect("a secret");
        if let Ok(fields) = Signer::new(secret.clone()).sign(text, now, body) {
            let own = Request::post("https://example.org/", body.to_vec());
            let own = fields
                .into_iter()
                .fold(own, |own, (name, value)| own.header(name, value));
            assert!(StandardWebhooks::new(secret).check(&own, now).is_ok());
        }
    }
});
