//! Other people's clients into our server: swaks, msmtp, Nodemailer, aiosmtplib and lettre, each over TLS and after a login.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

use lettre::address::Envelope as LettreEnvelope;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls as LettreTls, TlsParameters};
use lettre::{SmtpTransport as Lettre, Transport as _};
use posthaste_address::{EmailAddress, Envelope};
use posthaste_mime::Rope;
use posthaste_smtp::SendmailTransport;
use posthaste_smtp::server::ServerBuilder;
use posthaste_transport::{Disposition, Outbound, SendOptions, Transport as _};
use serde_json::json;
use tempfile::TempDir;

use crate::Case;
use crate::programs::{Program, json, output, script};
use crate::receiver::{PASSWORD, Receiver, UNKNOWN, USER};
use crate::relays::difficult;

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "our_server_takes_a_message_from_swaks_over_starttls_after_a_login_by_plain",
        needs: &[Program::Swaks],
        run: || swaks_sends(false, "PLAIN"),
    },
    Case {
        name: "our_server_takes_a_message_from_swaks_over_implicit_tls_after_a_login_by_login",
        needs: &[Program::Swaks],
        run: || swaks_sends(true, "LOGIN"),
    },
    Case {
        name: "swaks_gets_nowhere_with_our_server_by_a_wrong_password",
        needs: &[Program::Swaks],
        run: swaks_is_refused,
    },
    Case {
        name: "our_server_takes_a_message_from_aiosmtplib_over_starttls_after_login",
        needs: &[Program::Aiosmtplib],
        run: || aiosmtplib_sends(false),
    },
    Case {
        name: "our_server_takes_a_message_from_aiosmtplib_over_implicit_tls_after_login",
        needs: &[Program::Aiosmtplib],
        run: || aiosmtplib_sends(true),
    },
    Case {
        name: "our_server_takes_a_message_from_msmtp_over_starttls_after_login",
        needs: &[Program::Msmtp],
        run: || msmtp_sends(false),
    },
    Case {
        name: "our_server_takes_a_message_from_msmtp_over_implicit_tls_after_login",
        needs: &[Program::Msmtp],
        run: || msmtp_sends(true),
    },
    Case {
        name: "msmtp_gives_up_a_message_of_which_our_server_refuses_a_recipient",
        needs: &[Program::Msmtp],
        run: msmtp_is_refused,
    },
    Case {
        name: "our_sendmail_transport_sends_by_msmtp_and_knows_what_it_refuses",
        needs: &[Program::Msmtp],
        run: sendmail_by_msmtp,
    },
    Case {
        name: "our_server_takes_a_message_from_nodemailer_over_starttls_after_login",
        needs: &[Program::Node, Program::Nodemailer],
        run: || nodemailer_sends(false),
    },
    Case {
        name: "our_server_takes_a_message_from_nodemailer_over_implicit_tls_after_login",
        needs: &[Program::Node, Program::Nodemailer],
        run: || nodemailer_sends(true),
    },
    Case {
        name: "our_server_takes_messages_from_lettre_over_starttls_after_login",
        needs: &[],
        run: || lettre_sends(false),
    },
    Case {
        name: "our_server_takes_messages_from_lettre_over_implicit_tls_after_login",
        needs: &[],
        run: || lettre_sends(true),
    },
];

/// A server that wants TLS and a login.
fn receiver(implicit: bool) -> Receiver {
    Receiver::start(|server: ServerBuilder| {
        let server = server.auth(true).require_auth(true);
        if implicit {
            server.implicit_tls(true)
        } else {
            server.require_tls(true)
        }
    })
}

/// One message came, whole, over TLS, from the user, for so many recipients.
fn assert_taken(receiver: Receiver, numbers: &[usize], recipients: usize) {
    let accepted = receiver.stop();
    assert_eq!(accepted.len(), numbers.len());
    for (incoming, &number) in accepted.iter().zip(numbers) {
        assert!(incoming.is_secure());
        assert_eq!(incoming.user(), Some(USER));
        assert_eq!(incoming.envelope().mail_from().unwrap().to_string(), "ada@example.org");
        assert_eq!(incoming.envelope().recipients().len(), recipients);
        assert!(
            incoming.content().ends_with(difficult(number).as_bytes()),
            "message {number} is not the end of\n{}",
            String::from_utf8_lossy(incoming.content())
        );
    }
}

/// The message and the authority of the server, in files.
fn files(receiver: &Receiver) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("message"), difficult(1)).unwrap();
    fs::write(folder.path().join("authority.pem"), &receiver.authority).unwrap();
    folder
}

fn swaks(receiver: &Receiver, folder: &TempDir, implicit: bool, mechanism: &str, password: &str) -> Command {
    let at = |name: &str| folder.path().join(name).display().to_string();
    // It ends the last line itself, whether or not it has an end.
    fs::write(at("message"), difficult(1).trim_end()).unwrap();
    let mut swaks = Program::Swaks.command();
    swaks.args(["--server", "localhost", "--helo", "swaks.example", "--hide-all"]);
    swaks.args(["--port", &receiver.address.port().to_string()]);
    swaks.arg(if implicit { "--tls-on-connect" } else { "--tls" });
    swaks.args(["--tls-verify", "--tls-ca-path", &at("authority.pem")]);
    swaks.args(["--auth", mechanism, "--auth-user", USER, "--auth-password", password]);
    swaks.args(["--from", "ada@example.org", "--to", "bob@example.net,zoe@example.net"]);
    swaks.args(["--data", &format!("@{}", at("message"))]);
    swaks
}

fn swaks_sends(implicit: bool, mechanism: &str) {
    let receiver = receiver(implicit);
    let folder = files(&receiver);
    output(&mut swaks(&receiver, &folder, implicit, mechanism, PASSWORD));
    assert_taken(receiver, &[1], 2);
}

fn swaks_is_refused() {
    let receiver = receiver(false);
    let folder = files(&receiver);
    let ended = swaks(&receiver, &folder, false, "PLAIN", "not that one")
        .output()
        .unwrap();
    // Its own: a login that was refused.
    assert_eq!(ended.status.code(), Some(28), "{ended:?}");
    assert_taken(receiver, &[], 0);
}

fn aiosmtplib_sends(implicit: bool) {
    let receiver = receiver(implicit);
    let folder = files(&receiver);
    let seen = json(script(Program::Aiosmtplib, "aiosmtplib_send.py").arg(order(&receiver, &folder, implicit)));
    assert_eq!(seen["refused"], json!({ UNKNOWN: 550 }));
    assert_eq!(seen["reply"], "2.0.0 queued as 1");
    assert_taken(receiver, &[1], 2);
}

fn msmtp(receiver: &Receiver, folder: &TempDir, implicit: bool, recipients: &[&str]) -> Command {
    let at = |name: &str| folder.path().join(name).display().to_string();
    // It reads a file with the line ends of this system.
    fs::write(at("message"), difficult(1).replace("\r\n", "\n")).unwrap();
    fs::write(at("password"), PASSWORD).unwrap();
    let mut msmtp = Program::Msmtp.command();
    msmtp.args(["--host=localhost", "--source-ip=127.0.0.1", "--tls=on", "--auth=plain"]);
    msmtp.arg(format!("--port={}", receiver.address.port()));
    msmtp.arg(format!("--tls-starttls={}", if implicit { "off" } else { "on" }));
    msmtp.arg(format!("--tls-trust-file={}", at("authority.pem")));
    msmtp.arg(format!("--user={USER}"));
    msmtp.arg(format!("--passwordeval=cat {}", at("password")));
    msmtp.args(["--from=ada@example.org", "--"]).args(recipients);
    msmtp.stdin(File::open(at("message")).unwrap());
    msmtp
}

fn msmtp_sends(implicit: bool) {
    let receiver = receiver(implicit);
    let folder = files(&receiver);
    output(&mut msmtp(
        &receiver,
        &folder,
        implicit,
        &["bob@example.net", "zoe@example.net"],
    ));
    assert_taken(receiver, &[1], 2);
}

/// msmtp is a sendmail program too: it takes the same command line, and sends on to a server.
fn sendmail_by_msmtp() {
    let receiver = receiver(false);
    let folder = files(&receiver);
    let command = msmtp(&receiver, &folder, false, &[]);
    let transport = command
        .get_args()
        .take_while(|argument| !argument.to_string_lossy().starts_with("--from"))
        .fold(
            SendmailTransport::new().program(command.get_program()),
            SendmailTransport::argument,
        );
    let send = |recipients: &[&str]| {
        let recipients = recipients
            .iter()
            .map(|recipient| recipient.parse::<EmailAddress>().unwrap());
        let envelope = Envelope::new(Some("ada@example.org".parse().unwrap()), recipients).unwrap();
        let mail = Outbound::raw(envelope, Rope::from(difficult(1).into_bytes()));
        tokio::runtime::Runtime::new()
            .unwrap()
            .block_on(transport.send(&mail, &SendOptions::new()))
    };
    assert!(send(&["bob@example.net", "zoe@example.net"]).unwrap().is_complete());
    let error = send(&[UNKNOWN]).unwrap_err();
    assert_eq!(error.disposition(), Disposition::NotAccepted, "{error:?}");
    assert_taken(receiver, &[1], 2);
}

fn msmtp_is_refused() {
    let receiver = receiver(false);
    let folder = files(&receiver);
    let ended = msmtp(&receiver, &folder, false, &["bob@example.net", UNKNOWN])
        .output()
        .unwrap();
    assert!(!ended.status.success());
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.contains("no such mailbox"), "{said}");
    assert_taken(receiver, &[], 0);
}

/// What a script is to send, in a file.
fn order(receiver: &Receiver, folder: &TempDir, implicit: bool) -> PathBuf {
    let order = json!({
        "module": Program::Nodemailer.path(),
        "port": receiver.address.port(),
        "implicit": implicit,
        "ca": folder.path().join("authority.pem"),
        "user": USER,
        "password": PASSWORD,
        "from": "ada@example.org",
        "to": ["bob@example.net", UNKNOWN, "zoe@example.net"],
        "message": folder.path().join("message"),
    });
    let path = folder.path().join("order.json");
    fs::write(&path, order.to_string()).unwrap();
    path
}

fn nodemailer_sends(implicit: bool) {
    let receiver = receiver(implicit);
    let folder = files(&receiver);
    let seen = json(script(Program::Node, "nodemailer_send.js").arg(order(&receiver, &folder, implicit)));
    assert_eq!(seen["accepted"], json!(["bob@example.net", "zoe@example.net"]));
    assert_eq!(seen["rejected"], json!({ UNKNOWN: 550 }));
    assert_taken(receiver, &[1], 2);
}

fn lettre_sends(implicit: bool) {
    let receiver = receiver(implicit);
    let certificate = Certificate::from_pem(receiver.authority.as_bytes()).unwrap();
    let parameters = TlsParameters::builder("localhost".to_owned())
        .add_root_certificate(certificate)
        .build_rustls()
        .unwrap();
    let tls = if implicit {
        LettreTls::Wrapper(parameters)
    } else {
        LettreTls::Required(parameters)
    };
    let lettre = Lettre::builder_dangerous("127.0.0.1")
        .port(receiver.address.port())
        .tls(tls)
        .credentials(Credentials::new(USER.to_owned(), PASSWORD.to_owned()))
        .build();
    let envelope = |recipients: &[&str]| {
        let recipients = recipients.iter().map(|recipient| recipient.parse().unwrap()).collect();
        LettreEnvelope::new(Some("ada@example.org".parse().unwrap()), recipients).unwrap()
    };
    let both = envelope(&["bob@example.net", "zoe@example.net"]);
    for number in [1, 2] {
        // It ends the last line itself, whether or not it has an end.
        let text = difficult(number);
        let reply = lettre.send_raw(&both, text.trim_end().as_bytes()).unwrap();
        assert!(reply.is_positive());
        // One refused recipient is the end of a message for it.
        let refused = lettre.send_raw(&envelope(&["bob@example.net", UNKNOWN]), difficult(7).as_bytes());
        assert!(refused.unwrap_err().is_permanent());
    }
    drop(lettre);
    assert_taken(receiver, &[1, 2], 2);
}
