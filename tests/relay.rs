//! A relay takes control fields out of signed mail and passes on the rest: what was signed still verifies.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test says plainly what it expects"
)]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use mail_parser::{MessageParser, MimeHeaders as _};
use posthaste_address::Envelope;
use posthaste_auth::dkim::{Canonicalization, DkimResult, Signer, SigningKey, verify};
use posthaste_dns::Zone;
use posthaste_mime::{
    Attachment, ContentId, ContentType, Generator, HeaderName, HeaderValue, Message, MessageBuilder, RawMessage,
};
use posthaste_transport::Outbound;

/// Control fields of SES (its developer guide, "Sending raw email").
const CONTROL: [(&str, &str); 4] = [
    ("X-SES-CONFIGURATION-SET", "newsletter"),
    ("X-SES-MESSAGE-TAGS", "campaign=may, team=blue"),
    (
        "X-SES-SOURCE-ARN",
        "arn:aws:ses:eu-west-1:123456789012:identity/example.org",
    ),
    ("X-SES-LIST-MANAGEMENT-OPTIONS", "news; topic=weekly"),
];

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_402_461)
}

fn letter() -> MessageBuilder {
    Message::builder()
        .generator(&Generator::fixed(now(), 7))
        .from("Ada Lovelace <ada@example.org>".parse().unwrap())
        .to("Zoë <zoe@example.net>".parse().unwrap())
        .cc("bob@example.net".parse().unwrap())
        .subject("Grüße zum Monatsende, und lang genug für eine zweite Zeile im Kopf dieser Nachricht")
        .text("Hello Zoë,\n\nsee the report.\n")
        .html("<p>Hello Zoë, <img src=\"cid:logo\"></p>")
        .inline(Attachment::inline(
            ContentId::new("logo").unwrap(),
            ContentType::parse("image/png").unwrap(),
            vec![7; 2000],
        ))
        .attach(
            Attachment::new(
                "Bericht März.pdf",
                ContentType::parse("application/pdf").unwrap(),
                vec![9; 30_000],
            )
            .unwrap(),
        )
}

/// A client's message: signed, then with control fields and Bcc put before, between and behind what was signed.
fn submitted(signer: &Signer) -> Vec<u8> {
    let message = letter().build().unwrap().to_bytes().unwrap();
    let fields = signer.sign([&message[..]], now()).unwrap();
    let mut message = RawMessage::parse(message).unwrap();
    for (index, (name, value)) in CONTROL.iter().enumerate() {
        let (name, value) = (HeaderName::new(name).unwrap(), HeaderValue::new(*value).unwrap());
        if index % 2 == 0 {
            message.prepend(&name, &value);
        } else {
            message.append(&name, &value);
        }
    }
    let bcc = "carol@example.net".parse().unwrap();
    message.set_addresses(
        &HeaderName::new("Bcc").unwrap(),
        [&posthaste_address::Address::Mailbox(bcc)],
    );
    for field in fields
        .split_inclusive("\r\n")
        .fold(Vec::<String>::new(), |mut fields, line| {
            match fields.last_mut() {
                Some(field) if line.starts_with([' ', '\t']) => field.push_str(line),
                _ => fields.push(line.to_owned()),
            }
            fields
        })
    {
        message.prepend_written(&field).unwrap();
    }
    message.to_bytes().to_vec()
}

fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("a zone answers at once"),
    }
}

fn passes(message: &[u8], zone: &Zone) -> Vec<bool> {
    let verdicts = ready(verify(message, zone, now()));
    verdicts
        .iter()
        .map(|verdict| verdict.result() == DkimResult::Pass)
        .collect()
}

#[test]
fn signatures_hold_after_control_fields_are_taken_out() {
    for canonicalization in [Canonicalization::Simple, Canonicalization::Relaxed] {
        let key = SigningKey::generate_ed25519().unwrap();
        let zone = Zone::parse(&format!(
            "$ORIGIN example.org.\ns1._domainkey TXT \"{}\"\n",
            key.dns_record().replace(';', "\\;")
        ))
        .unwrap();
        let signer = Signer::builder("example.org".parse().unwrap())
            .key("s1".parse().unwrap(), key)
            .canonicalization(canonicalization, canonicalization)
            .build()
            .unwrap();
        let received = submitted(&signer);

        let mut message = RawMessage::parse(received.clone()).unwrap();
        let recipients = message.recipients().complete().unwrap();
        let envelope = Envelope::new(
            Some("bounces@example.org".parse().unwrap()),
            recipients.iter().map(|mailbox| mailbox.address().clone()),
        )
        .unwrap();
        assert_eq!(envelope.recipients().len(), 3);
        assert_eq!(message.take_bcc().bcc().len(), 1);
        let taken: Vec<(String, String)> = CONTROL
            .iter()
            .flat_map(|(name, _)| message.take(name))
            .map(|field| (field.name().to_owned(), field.decoded()))
            .collect();
        let expected: Vec<(String, String)> = CONTROL
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        assert_eq!(taken, expected);

        let mail = Outbound::raw(envelope, message.to_rope());
        let sent = mail.rope().to_bytes().unwrap();
        assert_eq!(passes(&sent, &zone), [true], "{canonicalization:?}");
        let shown = String::from_utf8_lossy(&sent);
        assert!(!shown.contains("X-SES-") && !shown.contains("carol"), "{shown}");

        // Not a test that cannot fail: one octet of the body, or of a signed field, is noticed.
        let mut changed = sent.to_vec();
        *changed.last_mut().unwrap() = b'!';
        assert_eq!(passes(&changed, &zone), [false]);
        message.set(
            &HeaderName::new("Subject").unwrap(),
            &HeaderValue::new("another").unwrap(),
        );
        assert_eq!(passes(&message.to_bytes(), &zone), [false]);
    }
}

#[test]
fn another_parser_finds_the_same_parts() {
    let bytes = letter().build().unwrap().to_bytes().unwrap();
    let own = RawMessage::parse(bytes.clone()).unwrap();
    let theirs = MessageParser::default().parse(&bytes[..]).unwrap();
    let parts = own.parts().unwrap();
    assert_eq!(parts.len(), theirs.parts.len());
    for (own, theirs) in parts.iter().zip(&theirs.parts) {
        let essence = theirs.content_type().map(|kind| {
            let subtype = kind.subtype().unwrap_or_default();
            format!("{}/{subtype}", kind.ctype()).to_ascii_lowercase()
        });
        assert_eq!(Some(own.content_type()), essence.as_deref());
        assert_eq!(own.file_name(), theirs.attachment_name());
        if !own.is_multipart() {
            assert_eq!(&*own.decoded(), theirs.contents());
            assert_eq!(own.decoded_len(), theirs.contents().len());
        }
    }
    let attachments: Vec<_> = parts.iter().filter(|part| part.is_attachment()).collect();
    assert_eq!(attachments.len(), 1);
    assert_eq!(attachments[0].extension().as_deref(), Some("pdf"));
    assert_eq!(attachments[0].decoded_len(), 30_000);
    assert_eq!(
        own.field("Subject").unwrap().decoded(),
        theirs.subject().unwrap_or_default()
    );
}
