//! The sendmail transport against a program that does what it is told: the published conformance suite, and what is its own.

#![cfg_attr(not(unix), allow(unused, reason = "the program is a shell script"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test says plainly what it expects"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use posthaste_conformance::{Answer, Received, Subject};
use posthaste_smtp::{SendmailError, SendmailTransport};
use posthaste_transport::{Disposition, ErrorKind, Outbound, SendError, SendOptions, Transport};
use tempfile::TempDir;

/// Notes its arguments and its input, a pair of files a run, and ends as the file `manner` says. The input gets its name when it
/// is whole.
const SCRIPT: &str = r#"#!/bin/sh
cd "$(dirname "$0")" || exit 70
take() { for word; do printf '%s\n' "$word"; done > "$$.args"; cat > "$$.part"; mv "$$.part" "$$.mail"; }
case "$(cat manner)" in
accept) take "$@" ;;
hang) exec sleep 1000 ;;
hang-after) take "$@"; exec sleep 1000 ;;
die-within) head -c 20 > /dev/null; kill -9 $$ ;;
die-after) take "$@"; kill -9 $$ ;;
background) take "$@"; sleep 1000 >/dev/null & echo "$!" > background ;;
chatter) take "$@"; i=0; while [ $i -lt 3000 ]; do echo "line $i of what it has to say" >&2; i=$((i+1)); done; exit 69 ;;
*) cat > /dev/null; echo "sendmail: fatal: told so" >&2; exit "$(cat manner)" ;;
esac
"#;

struct Program {
    folder: TempDir,
    transport: Arc<dyn Transport>,
}

impl Program {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sendmail");
        fs::write(&path, SCRIPT).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(folder.path().join("manner"), "accept").unwrap();
        Self {
            folder,
            transport: Arc::new(SendmailTransport::new().program(path)),
        }
    }

    fn told(manner: &str) -> Self {
        let program = Self::new();
        program.tell(manner);
        program
    }

    fn tell(&self, manner: &str) {
        fs::write(self.folder.path().join("manner"), manner).unwrap();
    }

    fn runs(&self) -> Vec<PathBuf> {
        let mut mails: Vec<PathBuf> = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "mail"))
            .collect();
        mails.sort_by_key(|path| fs::metadata(path).unwrap().modified().unwrap());
        mails
    }
}

fn received(mail: &Path) -> Received {
    let arguments = fs::read_to_string(mail.with_extension("args")).unwrap();
    let sender = arguments
        .lines()
        .find_map(|line| line.strip_prefix("-f"))
        .expect("a sender");
    let recipients: Vec<String> = arguments
        .lines()
        .skip_while(|line| *line != "--")
        .skip(1)
        .map(str::to_owned)
        .collect();
    let mut bytes = Vec::new();
    for line in fs::read(mail).unwrap().split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(line) => bytes.extend([line, b"\r\n"].concat()),
            None => bytes.extend(line),
        }
    }
    let sender = (sender != "<>").then(|| sender.to_owned());
    Received::new(sender, recipients, bytes)
}

impl Subject for Program {
    fn transport(&self) -> Arc<dyn Transport> {
        Arc::clone(&self.transport)
    }

    fn can(&self, answer: Answer) -> bool {
        manner(answer).is_some()
    }

    fn answer(&self, answer: Answer) {
        self.tell(manner(answer).expect("an answer that it can give"));
    }

    fn received(&self) -> Vec<Received> {
        self.runs().iter().map(|mail| received(mail)).collect()
    }
}

/// A short message is with the kernel, whole, before the program has read a byte of it: so a program cannot hang, or be gone,
/// before the message is complete. `no_half_of_a_message_is_taken` has a long one.
fn manner(answer: Answer) -> Option<&'static str> {
    Some(match answer {
        Answer::Accept => "accept",
        Answer::RefuseAll { permanent: true } | Answer::RefuseMessage { permanent: true } => "65",
        Answer::RefuseAll { permanent: false } | Answer::RefuseMessage { permanent: false } => "71",
        Answer::HangAfterMessage => "hang-after",
        Answer::HangUpInMessage => "die-within",
        Answer::HangUpAfterMessage => "die-after",
        _ => return None,
    })
}

fn mail(body: &str) -> Outbound {
    let envelope = posthaste_address::Envelope::new(
        Some("ada@example.org".parse().unwrap()),
        ["bob@example.net".parse::<posthaste_address::EmailAddress>().unwrap()],
    );
    Outbound::raw(
        envelope.unwrap(),
        posthaste_mime::Rope::from(format!("Subject: x\r\n\r\n{body}").into_bytes()),
    )
}

fn send(transport: &dyn Transport, mail: &Outbound, options: &SendOptions) -> Result<(), SendError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(transport.send(mail, options))
        .map(|outcome| assert!(outcome.is_complete()))
}

/// What the program said is in the error, and however much it says, it ends.
fn what_it_says_is_kept() {
    for (manner, said) in [
        ("77", "sendmail: fatal: told so"),
        ("chatter", "line 0 of what it has to say"),
    ] {
        let program = Program::told(manner);
        let error = send(&*program.transport, &mail("text\r\n"), &SendOptions::new()).unwrap_err();
        let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<SendmailError>());
        let source = source.expect("what it said");
        assert!(source.said().starts_with(said), "{source}");
        assert!(source.said().len() <= 1024);
    }
}

/// A program that leaves something running in the background has ended all the same.
fn what_runs_on_in_the_background_is_not_waited_for() {
    let program = Program::told("background");
    send(&*program.transport, &mail("text\r\n"), &SendOptions::new()).unwrap();
    let id = fs::read_to_string(program.folder.path().join("background")).unwrap();
    let ended = std::process::Command::new("kill").arg(id.trim()).status().unwrap();
    assert!(ended.success());
}

/// A large message whose reader stops, and one whose deadline comes, leave nothing half.
fn no_half_of_a_message_is_taken() {
    let program = Program::told("hang");
    let large = mail(&"a line of the message\r\n".repeat(100_000));
    let options = SendOptions::new().with_deadline(Duration::from_millis(300));
    let error = send(&*program.transport, &large, &options).unwrap_err();
    assert_eq!(
        (error.kind(), error.disposition()),
        (ErrorKind::Timeout, Disposition::NotAccepted)
    );
    assert!(program.runs().is_empty());
    program.tell("accept");
    send(&*program.transport, &large, &SendOptions::new()).unwrap();
    assert_eq!(program.runs().len(), 1);
}

/// A program that is not there is a setting that is wrong.
fn a_missing_program_is_said() {
    let transport = SendmailTransport::new().program("/nowhere/sendmail");
    let error = send(&transport, &mail("text\r\n"), &SendOptions::new()).unwrap_err();
    assert_eq!(
        (error.kind(), error.disposition()),
        (ErrorKind::Invalid, Disposition::NotAccepted)
    );
}

/// More runs than may go on at once wait for their turn, no longer than the deadline.
fn runs_wait_for_their_turn() {
    let program = Program::told("hang");
    let path = program.folder.path().join("sendmail");
    let transport = SendmailTransport::new().program(path).processes(1);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let options = SendOptions::new().with_deadline(Duration::from_millis(300));
    let (first, second) = runtime.block_on(async {
        let (first, second) = (mail("first\r\n"), mail("second\r\n"));
        tokio::join!(transport.send(&first, &options), transport.send(&second, &options))
    });
    let (first, second) = (first.unwrap_err(), second.unwrap_err());
    assert_eq!(first.kind(), ErrorKind::Timeout);
    assert!(second.to_string().contains("waiting for its turn"), "{second}");
    assert_eq!(second.disposition(), Disposition::NotAccepted);
}

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == "--list") {
        println!("sendmail: test");
        return ExitCode::SUCCESS;
    }
    what_it_says_is_kept();
    what_runs_on_in_the_background_is_not_waited_for();
    no_half_of_a_message_is_taken();
    a_missing_program_is_said();
    runs_wait_for_their_turn();
    posthaste_conformance::run(|| Box::new(Program::new())).exit_code()
}
