//! SMTP both ways: our client into smtp-sink; smtp-source, swaks and smtplib into our server.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use posthaste_mime::{Attachment, ContentType, Message};
use posthaste_smtp::{SmtpTransport, Tls};
use posthaste_transport::{Disposition, ErrorKind, Outcome, Retry, SendError, TransportExt};
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::Case;
use crate::programs::{Program, Running, json, output, script};
use crate::receiver::{PASSWORD, Receiver, UNKNOWN, USER, certificate};

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "smtp_sink_gets_from_our_client_every_octet_and_every_recipient",
        needs: &[Program::SmtpSink],
        run: sink_accepts,
    },
    Case {
        name: "smtp_sink_answers_our_client_once_for_each_recipient_over_lmtp",
        needs: &[Program::SmtpSink],
        run: sink_speaks_lmtp,
    },
    Case {
        name: "a_hard_refusal_by_smtp_sink_is_rejected_and_not_accepted",
        needs: &[Program::SmtpSink],
        run: sink_refuses,
    },
    Case {
        name: "a_soft_refusal_by_smtp_sink_is_safe_to_retry",
        needs: &[Program::SmtpSink],
        run: sink_refuses_for_now,
    },
    Case {
        name: "smtp_sink_hanging_up_after_the_final_dot_is_ambiguous",
        needs: &[Program::SmtpSink],
        run: sink_hangs_up_after_the_dot,
    },
    Case {
        name: "smtp_sink_hanging_up_at_data_is_safe_to_retry",
        needs: &[Program::SmtpSink],
        run: sink_hangs_up_at_data,
    },
    Case {
        name: "aiosmtpd_takes_from_our_client_over_starttls_after_login",
        needs: &[Program::Aiosmtpd],
        run: aiosmtpd_with_starttls,
    },
    Case {
        name: "aiosmtpd_takes_from_our_client_over_implicit_tls_after_login",
        needs: &[Program::Aiosmtpd],
        run: aiosmtpd_with_implicit_tls,
    },
    Case {
        name: "our_client_gives_aiosmtpd_nothing_if_its_certificate_is_not_trusted",
        needs: &[Program::Aiosmtpd],
        run: aiosmtpd_is_not_trusted,
    },
    Case {
        name: "our_server_takes_every_message_of_smtp_source",
        needs: &[Program::SmtpSource],
        run: source_sends_many,
    },
    Case {
        name: "our_server_takes_a_message_from_swaks",
        needs: &[Program::Swaks],
        run: swaks_sends,
    },
    Case {
        name: "our_server_takes_a_message_from_smtplib_over_starttls_after_login",
        needs: &[Program::Python],
        run: smtplib_sends,
    },
];

fn message() -> Message {
    Message::builder()
        .from("Ada Lovelace <ada@example.org>".parse().unwrap())
        .to("Zoë Müller <zoe@bücher.example>".parse().unwrap())
        .cc("bob@example.net".parse().unwrap())
        .bcc("hidden@example.com".parse().unwrap())
        .subject("Grüße, with dots")
        .text(".one\n..two\n.\n\nafter the lonely dot\n")
        .html("<p>.</p>\n")
        .attach(
            Attachment::new(
                "dots.bin",
                ContentType::parse("application/octet-stream").unwrap(),
                vec![b'.'; 5000],
            )
            .unwrap(),
        )
        .build()
        .unwrap()
}

fn send(to: &Running, message: Message) -> Result<Outcome, SendError> {
    let transport = SmtpTransport::builder(to.address.ip().to_string())
        .port(to.address.port())
        .tls(Tls::None)
        .build()
        .unwrap();
    Runtime::new().unwrap().block_on(transport.send_message(message))
}

/// Starts smtp-sink, which writes each message into a file of `folder`.
fn sink(folder: &Path, arguments: &[&str]) -> Running {
    let is_root = folder.metadata().unwrap().uid() == 0;
    Running::start(|address| {
        let mut command = Program::SmtpSink.command();
        if is_root {
            // It insists on being somebody less powerful.
            command.args(["-u", "nobody"]);
        }
        command
            .args(arguments)
            .arg("-d")
            .arg(folder.join("message."))
            .arg(address.to_string())
            .arg("10");
        command
    })
}

/// A folder that another user may write to as well.
fn open_folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o777)).unwrap();
    folder
}

fn sink_accepts() {
    let folder = open_folder();
    let sink = sink(folder.path(), &[]);
    let message = message();
    let outcome = send(&sink, message.clone()).unwrap();
    assert!(outcome.is_complete());
    assert_eq!(outcome.recipients().len(), 3);
    drop(sink);

    let files: Vec<_> = folder
        .path()
        .read_dir()
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    let [file] = files.as_slice() else {
        panic!("one message, not {files:?}")
    };
    let dump = String::from_utf8(std::fs::read(file).unwrap()).unwrap();
    for line in [
        "X-Mail-Args: <ada@example.org>",
        "X-Rcpt-Args: <zoe@xn--bcher-kva.example>",
        "X-Rcpt-Args: <bob@example.net>",
        "X-Rcpt-Args: <hidden@example.com>",
    ] {
        assert!(
            dump.lines().any(|found| found.starts_with(line)),
            "{line} is not in\n{dump}"
        );
    }
    let sent = String::from_utf8(message.to_bytes().unwrap().to_vec()).unwrap();
    assert!(!sent.contains("hidden@"));
    assert!(
        dump.trim_end().ends_with(sent.replace("\r\n", "\n").trim_end()),
        "sent\n{sent}\nand found\n{dump}"
    );
}

fn sink_speaks_lmtp() {
    let folder = open_folder();
    let sink = sink(folder.path(), &["-L"]);
    let transport = SmtpTransport::builder(sink.address.ip().to_string())
        .port(sink.address.port())
        .tls(Tls::None)
        .lmtp(true)
        .build()
        .unwrap();
    let runtime = Runtime::new().unwrap();
    for _ in 0..2 {
        // A reply too many or too few would be taken for that to the next command.
        let outcome = runtime.block_on(transport.send_message(message())).unwrap();
        assert_eq!(outcome.accepted().count(), 3);
    }
}

fn refusal(arguments: &[&str]) -> SendError {
    let folder = open_folder();
    send(&sink(folder.path(), arguments), message()).unwrap_err()
}

fn sink_refuses() {
    let error = refusal(&["-f", "DATA"]);
    assert_eq!(
        (error.kind(), error.disposition(), error.retry()),
        (ErrorKind::Rejected, Disposition::NotAccepted, Retry::Never)
    );
    assert!((500..600).contains(&error.reply().unwrap().code()));
}

fn sink_refuses_for_now() {
    let error = refusal(&["-r", "RCPT"]);
    assert_eq!(
        (error.disposition(), error.retry()),
        (Disposition::NotAccepted, Retry::Safe)
    );
    assert!((400..500).contains(&error.reply().unwrap().code()));
}

fn sink_hangs_up_after_the_dot() {
    let error = refusal(&["-q", "."]);
    assert_eq!(
        (error.disposition(), error.retry()),
        (Disposition::Ambiguous, Retry::MayDuplicate)
    );
}

fn sink_hangs_up_at_data() {
    let error = refusal(&["-q", "DATA"]);
    assert_eq!(
        (error.disposition(), error.retry()),
        (Disposition::NotAccepted, Retry::Safe)
    );
}

/// aiosmtpd with a certificate of an authority of its own, and a folder for what it accepts.
fn aiosmtpd(arguments: &[&str]) -> (Running, TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let (authority, chain, key) = certificate();
    let [chain_file, key_file] = ["chain.pem", "key.pem"].map(|name| folder.path().join(name));
    std::fs::write(&chain_file, chain).unwrap();
    std::fs::write(&key_file, key).unwrap();
    let running = Running::start(|address| {
        let mut python = script(Program::Aiosmtpd, "aiosmtpd_server.py");
        python
            .arg(address.port().to_string())
            .args([folder.path(), &chain_file, &key_file]);
        python.args([USER, PASSWORD]).args(arguments);
        python
    });
    (running, folder, authority)
}

fn secure_send(to: &Running, tls: Tls, authority: Option<&str>, message: Message) -> Result<Outcome, SendError> {
    let mut config = SmtpTransport::builder(to.address.ip().to_string())
        .port(to.address.port())
        .tls(tls)
        .credentials(USER, PASSWORD);
    if let Some(authority) = authority {
        config = config.add_root_pem(authority).unwrap();
    }
    let transport = config.build().unwrap();
    Runtime::new().unwrap().block_on(transport.send_message(message))
}

fn aiosmtpd_takes(tls: Tls, arguments: &[&str]) {
    let (running, folder, authority) = aiosmtpd(arguments);
    let message = Message::builder()
        .from("ada@example.org".parse().unwrap())
        .to("bob@example.net".parse().unwrap())
        .to(UNKNOWN.parse().unwrap())
        .to("zoë@bücher.example".parse().unwrap())
        .subject("Grüße")
        .text(".\n.dots\nGrüße\n")
        .build()
        .unwrap();
    let outcome = secure_send(&running, tls, Some(&authority), message.clone()).unwrap();
    assert_eq!(outcome.accepted().count(), 2);
    let refused: Vec<_> = outcome
        .refused()
        .map(|(address, refusal)| (address.to_string(), refusal.is_permanent()))
        .collect();
    assert_eq!(refused, [(UNKNOWN.to_owned(), true)]);
    assert_eq!(outcome.provider_id(), Some("7"));

    let seen = std::fs::read(folder.path().join("message.json")).unwrap();
    let seen: serde_json::Value = serde_json::from_slice(&seen).unwrap();
    assert_eq!(
        (&seen["tls"], &seen["user"], &seen["smtputf8"]),
        (&json!(true), &json!(USER), &json!(true))
    );
    assert_eq!(seen["to"], json!(["bob@example.net", "zoë@xn--bcher-kva.example"]));
    assert_eq!(
        seen["content"].as_str().unwrap().as_bytes(),
        message.to_bytes().unwrap()
    );
}

fn aiosmtpd_with_starttls() {
    aiosmtpd_takes(Tls::Required, &[]);
}

fn aiosmtpd_with_implicit_tls() {
    aiosmtpd_takes(Tls::Implicit, &["--implicit"]);
}

fn aiosmtpd_is_not_trusted() {
    let (running, folder, _) = aiosmtpd(&[]);
    let error = secure_send(&running, Tls::Required, None, message()).unwrap_err();
    assert_eq!(error.disposition(), Disposition::NotAccepted);
    assert!(!folder.path().join("message.json").exists());
}

fn source_sends_many() {
    let receiver = Receiver::start(|server| server);
    let mut source = Program::SmtpSource.command();
    source.args([
        "-s",
        "4",
        "-m",
        "40",
        "-l",
        "20000",
        "-r",
        "2",
        "-f",
        "ada@example.org",
        "-t",
        "bob@example.net",
    ]);
    output(source.arg(receiver.address.to_string()));

    let accepted = receiver.stop();
    assert_eq!(accepted.len(), 40);
    for incoming in accepted {
        assert_eq!(incoming.envelope().mail_from().unwrap().to_string(), "ada@example.org");
        assert_eq!(incoming.envelope().recipients().len(), 2);
        assert!(incoming.content().len() >= 20_000, "{}", incoming.content().len());
        assert!(incoming.content().ends_with(b"\r\n"));
    }
}

fn swaks_sends() {
    let receiver = Receiver::start(|server| server);
    let mut swaks = Program::Swaks.command();
    swaks.args([
        "--server",
        "127.0.0.1",
        "--port",
        &receiver.address.port().to_string(),
        "--helo",
        "swaks.example",
    ]);
    swaks.args([
        "--from",
        "ada@example.org",
        "--to",
        "bob@example.net,zoe@example.net",
        "--hide-all",
    ]);
    output(swaks.args(["--header", "Subject: from swaks", "--body", "first\n.\n..second\n"]));

    let accepted = receiver.stop();
    let [incoming] = accepted.as_slice() else {
        panic!("one message, not {}", accepted.len())
    };
    assert_eq!(incoming.helo(), Some("swaks.example"));
    assert_eq!(incoming.envelope().recipients().len(), 2);
    assert!(!incoming.is_secure());
    let content = String::from_utf8(incoming.content().to_vec()).unwrap();
    assert!(content.contains("Subject: from swaks\r\n"), "{content}");
    assert!(content.contains("\r\nfirst\r\n.\r\n..second\r\n"), "{content}");
}

fn smtplib_sends() {
    let receiver = Receiver::start(|server| server.require_tls(true).auth(true).require_auth(true));
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let sent = "From: ada@example.org\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nZo\u{eb}\r\n.\r\n.end\r\n";
    std::fs::write(path("message"), sent).unwrap();
    std::fs::write(path("authority.pem"), &receiver.authority).unwrap();
    let order = json!({
        "port": receiver.address.port(),
        "ca": path("authority.pem"),
        "user": USER,
        "password": PASSWORD,
        "from": "ada@example.org",
        "to": ["bob@example.net", UNKNOWN],
        "message": path("message"),
    });
    std::fs::write(path("order.json"), order.to_string()).unwrap();

    let python: &mut Command = &mut script(Program::Python, "send.py");
    let seen = json(python.arg(path("order.json")));
    assert_eq!(seen["tls"], "TLSv1.3", "{seen}");
    assert_eq!(seen["login"], 235);
    assert_eq!(seen["refused"], json!({ UNKNOWN: 550 }));
    for extension in ["8bitmime", "pipelining", "size", "starttls"] {
        assert!(
            seen["extensions"].as_array().unwrap().contains(&json!(extension)),
            "{seen}"
        );
    }

    let accepted = receiver.stop();
    let [incoming] = accepted.as_slice() else {
        panic!("one message, not {}", accepted.len())
    };
    assert!(incoming.is_secure());
    assert_eq!(incoming.user(), Some(USER));
    assert_eq!(incoming.helo(), Some("python.example"));
    assert_eq!(incoming.envelope().recipients().len(), 1);
    assert!(
        incoming.content().ends_with(sent.as_bytes()),
        "{}",
        String::from_utf8_lossy(incoming.content())
    );
}
