//! Our adapter of Amazon SES into moto's server, which checks signatures; Amazon's own SDK reads what arrived.

use posthaste_mime::{Attachment, ContentType, Message, MessageBuilder, RawMessage};
use posthaste_providers::{AmazonSes, AwsCredentials, AwsKeys, Provider, SesContent};
use posthaste_transport::{ErrorKind, Outbound, Outcome, SendError, SendOptions, Transport as _};
use serde_json::{Value, json};

use crate::Case;
use crate::programs::{Program, Running, json as read, script};

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "amazons_sdk_reads_the_fields_that_our_ses_adapter_sent_to_moto",
        needs: &[Program::Moto],
        run: fields_arrive,
    },
    Case {
        name: "amazons_sdk_reads_the_bytes_that_our_ses_adapter_sent_to_moto",
        needs: &[Program::Moto],
        run: bytes_arrive,
    },
    Case {
        name: "moto_refuses_our_ses_adapter_with_a_wrong_key",
        needs: &[Program::Moto],
        run: a_wrong_key_is_refused,
    },
];

/// A server with a key.
struct Moto {
    server: Running,
    id: String,
    secret: String,
}

impl Moto {
    fn start() -> Self {
        let server = Running::start(|address| {
            let mut server = Program::Moto.command();
            let port = address.port().to_string();
            // Its log is of no interest unless it fails.
            server
                .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port])
                .stderr(std::process::Stdio::null());
            server
        });
        let base = format!("http://{}", server.address);
        let key = read(script(Program::Moto, "moto_prepare.py").arg(&base));
        let text = |name: &str| key[name].as_str().unwrap().to_owned();
        Self {
            id: text("id"),
            secret: text("secret"),
            server,
        }
    }

    fn base(&self) -> String {
        format!("http://{}", self.server.address)
    }

    fn send(&self, secret: &str, content: SesContent, mail: &Outbound) -> Result<Outcome, SendError> {
        let keys = AwsKeys::new(self.id.as_str(), secret).unwrap();
        let ses = AmazonSes::new("eu-west-1", AwsCredentials::keys(keys)).unwrap();
        let ses = Provider::new(ses.with_endpoint(self.base()).with_content(content)).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(ses.send(mail, &SendOptions::new()))
    }

    /// What arrived.
    fn arrived(&self) -> Value {
        read(script(Program::Moto, "moto_read.py").args([&self.base(), &self.id, &self.secret]))
    }
}

fn builder() -> MessageBuilder {
    Message::builder()
        .from("Ada <ada@example.com>".parse().unwrap())
        .to("Bob <bob@example.net>".parse().unwrap())
        .cc("carol@example.net".parse().unwrap())
        .bcc("dave@example.net".parse().unwrap())
        .subject("Gr\u{fc}\u{df}e & more")
        .text("First line\nSecond line: \u{20ac}")
}

fn fields_arrive() {
    let moto = Moto::start();
    let mail = Outbound::new(builder().build().unwrap()).unwrap();
    let outcome = moto.send(&moto.secret, SesContent::Simple, &mail).unwrap();
    let arrived = moto.arrived();
    assert_eq!(arrived["sent"].as_f64(), Some(3.0));
    assert_eq!(arrived["raw"], json!([]));
    let message = &arrived["messages"][0];
    assert_eq!(message["id"].as_str(), outcome.provider_id());
    assert!(outcome.provider_id().is_some());
    assert_eq!(message["source"].as_str(), Some("Ada <ada@example.com>"));
    assert_eq!(message["subject"].as_str(), Some("Gr\u{fc}\u{df}e & more"));
    let body = message["body"].as_str().unwrap();
    assert_eq!(
        body.replace("\r\n", "\n").trim_end(),
        "First line\nSecond line: \u{20ac}"
    );
    let wanted = json!({
        "ToAddresses": ["Bob <bob@example.net>"],
        "CcAddresses": ["carol@example.net"],
        "BccAddresses": ["dave@example.net"],
    });
    assert_eq!(message["destinations"], wanted);
}

fn bytes_arrive() {
    let moto = Moto::start();
    let pdf = ContentType::parse("application/pdf").unwrap();
    let file = Attachment::new("report.pdf", pdf, &b"%PDF-1.7 \x00\xff"[..]).unwrap();
    let mail = Outbound::new(builder().attach(file).build().unwrap()).unwrap();
    let outcome = moto.send(&moto.secret, SesContent::Raw, &mail).unwrap();
    let arrived = moto.arrived();
    assert_eq!(arrived["messages"], json!([]));
    let message = &arrived["raw"][0];
    assert_eq!(message["id"].as_str(), outcome.provider_id());
    // Behind those of the envelope moto writes what it reads in the header.
    let recipients = ["bob@example.net", "carol@example.net", "dave@example.net"];
    let destinations = message["destinations"].as_array().unwrap();
    assert_eq!(destinations[..3], recipients);
    assert!(
        destinations[3..]
            .iter()
            .all(|extra| !extra.as_str().unwrap().contains("dave"))
    );
    let sent = mail.rope().to_bytes().unwrap();
    assert_eq!(message["raw_data"].as_str().map(str::as_bytes), Some(&sent[..]));
    let raw = RawMessage::parse(sent).unwrap();
    assert_eq!(raw.count("Bcc"), 0, "nobody sees who got a blind copy");
}

fn a_wrong_key_is_refused() {
    let moto = Moto::start();
    let mail = Outbound::new(builder().build().unwrap()).unwrap();
    for content in [SesContent::Simple, SesContent::Raw] {
        let error = moto.send("wrong", content, &mail).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
        assert!(!format!("{error:?}").contains("wrong"));
    }
    let arrived = moto.arrived();
    assert_eq!((&arrived["messages"], &arrived["raw"]), (&json!([]), &json!([])));
}
