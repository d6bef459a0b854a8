//! Our client into mail servers as they run in the world, Postfix, Exim and Dovecot: what they put into a mailbox is what was
//! sent.

pub(crate) mod dovecot;
pub(crate) mod exim;
pub(crate) mod postfix;

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use posthaste_address::{Envelope, Notify, Recipient};
use posthaste_mime::Rope;
use posthaste_smtp::{SmtpConfig, SmtpTransport};
use posthaste_transport::{Outbound, Outcome, SendError, SendOptions, Transport};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::programs::Running;
use crate::receiver::certificate;

/// Users of every Debian system that own no file: a mail server wants to be somebody, and others to deliver as.
const OWNER: &str = "news";
const OWNER_ID: u32 = 9;
const GROUP: &str = "uucp";

/// Dots at the starts of lines, 8-bit text, lines as long as they may be, and a number that tells messages apart.
pub(crate) fn difficult(number: usize) -> String {
    let long = "x".repeat(996);
    format!(
        "From: ada@example.org\r\nTo: bob@example.net\r\nSubject: number {number}\r\n\
         Date: Mon, 23 Nov 2026 12:00:00 +0000\r\nMessage-ID: <{number}@example.org>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
         .one\r\n..two\r\n.\r\n\r\nGr\u{fc}\u{df}e, Zo\u{eb}\r\n{long}\r\n.{long}\r\n.\r\nend\r\n"
    )
}

fn envelope(recipients: &[&str]) -> Envelope {
    let recipients = recipients
        .iter()
        .map(|recipient| Recipient::from(recipient.parse::<posthaste_address::EmailAddress>().unwrap()))
        .map(|recipient| recipient.with_notify(Notify::Never));
    Envelope::new(Some("ada@example.org".parse().unwrap()), recipients).unwrap()
}

async fn try_send(transport: &SmtpTransport, number: usize, recipients: &[&str]) -> Result<Outcome, SendError> {
    let rope = Rope::from(Bytes::from(difficult(number)));
    let mail = Outbound::raw(envelope(recipients), rope);
    transport.send(&mail, &SendOptions::new()).await
}

async fn send(transport: &SmtpTransport, number: usize, recipients: &[&str]) -> Outcome {
    try_send(transport, number, recipients).await.unwrap()
}

fn send_now(transport: &SmtpTransport, number: usize, recipients: &[&str]) -> Outcome {
    Runtime::new().unwrap().block_on(send(transport, number, recipients))
}

/// Who was refused, and whether for good.
fn refused(outcome: &Outcome) -> Vec<(String, bool)> {
    outcome
        .refused()
        .map(|(address, refusal)| (address.to_string(), refusal.is_permanent()))
        .collect()
}

/// Waits until as many messages are in a maildir, and returns them.
fn delivered(maildir: &Path, count: usize) -> Vec<String> {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let files: Vec<PathBuf> = maildir
            .join("new")
            .read_dir()
            .map(|files| files.map(|file| file.unwrap().path()).collect())
            .unwrap_or_default();
        if files.len() >= count {
            return files
                .into_iter()
                .map(|file| String::from_utf8(fs::read(file).unwrap()).unwrap())
                .collect();
        }
        assert!(Instant::now() < until, "{} of {count} messages came", files.len());
        std::thread::yield_now();
    }
}

/// What is stored is what was sent behind the fields that a server adds, with the line ends of this system.
fn assert_stored(stored: &str, number: usize) {
    assert!(
        stored.ends_with(&difficult(number).replace("\r\n", "\n")),
        "message {number} is not the end of\n{stored}"
    );
}

/// A mail server in a folder of its own.
struct Relay {
    folder: TempDir,
    /// The certificate authority of its certificate, in PEM.
    authority: Option<String>,
    running: Running,
}

impl Relay {
    fn config(&self) -> SmtpConfig {
        let config = SmtpTransport::builder("127.0.0.1").port(self.running.address.port());
        match &self.authority {
            Some(authority) => config.add_root_pem(authority).unwrap(),
            None => config,
        }
    }

    fn mailbox(&self, name: &str) -> PathBuf {
        self.folder.path().join("mail").join(name)
    }
}

fn folder_for_others() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    folder
}

fn owned_folder(path: &Path) {
    fs::create_dir_all(path).unwrap();
    chown(path, Some(OWNER_ID), None).unwrap();
}

/// Puts a certificate for this machine into `chain.pem` and its key into `key.pem`, and returns its authority.
fn certify(folder: &Path) -> Option<String> {
    let (authority, chain, key) = certificate();
    for (name, pem) in [("chain.pem", chain), ("key.pem", key)] {
        fs::write(folder.join(name), pem).unwrap();
        chown(folder.join(name), Some(OWNER_ID), None).unwrap();
    }
    Some(authority)
}
