//! How long does it take to read what came back: a report with fields, a bounce in words, and a mail that is neither? And to
//! check and read webhooks?

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

use std::hint::black_box;
use std::time::{Duration, SystemTime};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _, ParsedPublicKey,
};
use aws_lc_rs::{constant_time, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use criterion::{Criterion, criterion_group, criterion_main};
use posthaste_events::mail::Returned;
use posthaste_events::verp::Verp;
use posthaste_events::webhook::{AcceptUnsigned, Receiver, Request, Resend, SendGrid, Signer, SigningSecret, Window};
use posthaste_mime::RawMessage;

const FIELDS: &str = "From: MAILER-DAEMON@mx.example.net\r\nSubject: Undelivered Mail Returned to Sender\r\n\
    Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\n\
    I'm sorry to have to inform you that your message could not be delivered.\r\n\r\n--b\r\n\
    Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\n\
    Final-Recipient: rfc822;bob@example.net\r\nAction: failed\r\nStatus: 5.0.0\r\n\
    Diagnostic-Code: smtp; 550 5.1.1 <bob@example.net>: Recipient address rejected: User unknown\r\n\r\n--b\r\n\
    Content-Type: text/rfc822-headers\r\n\r\nTo: bob@example.net\r\nMessage-ID: <1@example.org>\r\n\r\n--b--\r\n";

const WORDS: &str = "From: MAILER-DAEMON@mx.example.net\r\nSubject: failure notice\r\n\r\n\
    Hi. This is the qmail-send program at mx.example.net.\r\n\r\n<bob@example.net>:\r\n\
    192.0.2.1 does not like recipient.\r\nRemote host said: 550 5.1.1 <bob@example.net>: User unknown\r\n\
    Giving up on 192.0.2.1.\r\n\r\n--- Below this line is a copy of the message.\r\n\r\nMessage-ID: <1@example.org>\r\n\r\nHello\r\n";

fn returned(c: &mut Criterion) {
    let mut group = c.benchmark_group("mail that came back");
    let letter = format!(
        "From: ada@example.org\r\nSubject: Re: Hello\r\n\r\n{}",
        "Some words of a letter.\r\n".repeat(100)
    );
    for (name, mail) in [("fields", FIELDS), ("words", WORDS), ("a letter", letter.as_str())] {
        let octets = bytes::Bytes::from(mail.as_bytes().to_vec());
        group.bench_function(name, |b| b.iter(|| Returned::read(black_box(octets.clone())).unwrap()));
        // The least: its parts found, nothing read in them.
        group.bench_function(format!("{name}: floor, the parts alone"), |b| {
            b.iter(|| {
                RawMessage::parse(black_box(octets.clone()))
                    .unwrap()
                    .parts()
                    .unwrap()
                    .len()
            });
        });
    }
    group.finish();

    let verp = Verp::new(b"0123456789abcdef", "bounce", "mail.example.org".parse().unwrap()).unwrap();
    let recipient = "bob@example.net".parse().unwrap();
    let reverse_path = verp.for_recipient(&recipient).unwrap();
    c.bench_function("verp: make", |b| {
        b.iter(|| verp.for_recipient(black_box(&recipient)).unwrap())
    });
    c.bench_function("verp: read", |b| {
        b.iter(|| verp.read(black_box(&reverse_path)).unwrap())
    });
}

const SECRET: &str = "whsec_PBoOujx+i+jrgLu/bAJT2z9tzxloipAG";

const BOUNCED: &str = r#"{"type":"email.bounced","created_at":"2026-01-02T03:04:06.000Z","data":{"email_id":"56761188-7520-42d8-8898-ff6fc54ce618",
    "from":"Acme <onboarding@example.org>","to":["bob@example.net"],"subject":"Welcome","tags":{"order":"42"},"bounce":{"type":"Permanent",
    "subType":"General","message":"The recipient's server refused it.","diagnosticCode":["smtp; 550 5.1.1 user unknown"]}}}"#;

fn webhooks(c: &mut Criterion) {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_777_636_800);
    let mut group = c.benchmark_group("webhooks");

    let secret = SigningSecret::new(SECRET).unwrap();
    let fields = Signer::new(secret.clone())
        .sign("msg_2abc", now, BOUNCED.as_bytes())
        .unwrap();
    let request = Request::post("https://example.org/hooks", BOUNCED).header("Content-Type", "application/json");
    let request = fields
        .iter()
        .fold(request, |request, (name, value)| request.header(*name, value.clone()));
    let receiver = Receiver::new(Resend::new(SECRET).unwrap());
    group.bench_function("Standard Webhooks: verify", |b| {
        b.iter(|| receiver.verify(black_box(request.clone()), now).unwrap());
    });
    // The least: the request cloned, base64 read, one MAC, compared.
    let key = hmac::Key::new(
        hmac::HMAC_SHA256,
        &STANDARD.decode(SECRET.trim_start_matches("whsec_")).unwrap(),
    );
    group.bench_function("Standard Webhooks: floor, clone and HMAC alone", |b| {
        b.iter(|| {
            let request = black_box(request.clone());
            let mut context = hmac::Context::with_key(&key);
            for piece in [b"msg_2abc" as &[u8], b".", b"1777636800", b".", request.body()] {
                context.update(piece);
            }
            let signature = STANDARD
                .decode(request.field("webhook-signature").unwrap().trim_start_matches("v1,"))
                .unwrap();
            constant_time::verify_slices_are_equal(context.sign().as_ref(), &signature).unwrap();
        });
    });
    let verified = receiver.verify(request.clone(), now).unwrap();
    group.bench_function("one bounce: parse", |b| {
        b.iter(|| black_box(&verified).parse().unwrap())
    });
    group.bench_function("one bounce: floor, serde_json alone", |b| {
        b.iter(|| serde_json::from_str::<serde_json::Value>(black_box(BOUNCED)).unwrap());
    });
    group.bench_function("Standard Webhooks: sign", |b| {
        let signer = Signer::new(secret.clone());
        b.iter(|| signer.sign("msg_2abc", now, black_box(BOUNCED.as_bytes())).unwrap());
    });

    let event = r#"{"event":"bounce","type":"bounce","email":"bob@example.net","timestamp":1767323045,"sg_event_id":"ZXZ0","status":"5.1.1",
        "sg_message_id":"14c5d75ce93.filter0001.16648.5515","reason":"550 5.1.1 user unknown","category":["welcome"],"order":"42"}"#;
    let batch = format!("[{}]", vec![event; 1000].join(","));
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new()).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref()).unwrap();
    let text = format!("1777636800{batch}");
    let signature = pair.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
    let spki = pair.public_key().as_der().unwrap();
    let request = Request::post("https://example.org/hooks", batch.clone())
        .header("X-Twilio-Email-Event-Webhook-Timestamp", "1777636800")
        .header(
            "X-Twilio-Email-Event-Webhook-Signature",
            STANDARD.encode(signature.as_ref()),
        );
    let sendgrid = SendGrid::new(&STANDARD.encode(spki.as_ref()))
        .unwrap()
        .window(Window::FIVE_MINUTES);
    let receiver = Receiver::new(sendgrid);
    group.bench_function("SendGrid, 1000 events: verify", |b| {
        b.iter(|| receiver.verify(black_box(request.clone()), now).unwrap());
    });
    let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, spki.as_ref()).unwrap();
    group.bench_function("SendGrid, 1000 events: floor, ECDSA alone", |b| {
        b.iter(|| key.verify_sig(black_box(text.as_bytes()), signature.as_ref()).unwrap());
    });
    let unsigned = AcceptUnsigned::because("its signature is measured above");
    let verified = receiver.accept_unsigned(request, unsigned).unwrap();
    group.bench_function("SendGrid, 1000 events: parse", |b| {
        b.iter(|| black_box(&verified).parse().unwrap())
    });
    group.bench_function("SendGrid, 1000 events: floor, serde_json alone", |b| {
        b.iter(|| serde_json::from_str::<Vec<serde_json::Value>>(black_box(&batch)).unwrap());
    });
    group.finish();
}

criterion_group!(benches, returned, webhooks);
criterion_main!(benches);
