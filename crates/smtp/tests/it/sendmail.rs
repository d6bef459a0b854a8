//! The sendmail transport with programs that are small scripts.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;
use std::process::Command;

use bytes::Bytes;
use posthaste_address::{EmailAddress, Envelope, Recipient};
use posthaste_mime::{Attachment, ContentType, Message, Rope, Source};
use posthaste_smtp::SendmailTransport;
use posthaste_smtp::protocol::ContentError;
use posthaste_transport::{
    Disposition, ErrorKind, Outbound, Outcome, Retry, SendError, SendOptions, Transport, TransportExt as _,
};
use tempfile::TempDir;

/// A transport whose program is a shell that runs `script`, with the folder as `$0`.
fn shell(folder: &TempDir, script: &str) -> SendmailTransport {
    let transport = SendmailTransport::new().program("/bin/sh").argument("-c");
    transport.argument(script).argument(folder.path())
}

fn envelope(sender: Option<&str>, recipients: &[&str]) -> Envelope {
    let recipients = recipients
        .iter()
        .map(|recipient| Recipient::from(recipient.parse::<EmailAddress>().unwrap()));
    Envelope::new(sender.map(|sender| sender.parse().unwrap()), recipients).unwrap()
}

fn mail(content: impl Into<Vec<u8>>) -> Outbound {
    Outbound::raw(
        envelope(Some("ada@example.org"), &["bob@example.net"]),
        Rope::from(content.into()),
    )
}

/// More than a pipe holds.
fn large() -> Outbound {
    mail("Subject: large\r\n\r\n".to_owned() + &"0123456789abcdef\r\n".repeat(20_000))
}

async fn send(transport: SendmailTransport, mail: &Outbound) -> Result<Outcome, SendError> {
    transport.send(mail, &SendOptions::new()).await
}

fn pipe(folder: &TempDir) -> std::path::PathBuf {
    let path = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

/// Waits until nobody holds the named pipe for writing any more.
async fn all_gone(mut pipe: File) {
    let read = tokio::task::spawn_blocking(move || {
        let mut text = Vec::new();
        pipe.read_to_end(&mut text).map(|_| text)
    });
    read.await.unwrap().unwrap();
}

async fn open(path: &Path) -> File {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || File::open(path))
        .await
        .unwrap()
        .unwrap()
}

const TAKE_ALL: &str = r#"printf '%s\n' "$@" > "$0/arguments"; cat > "$0/message""#;

#[tokio::test]
async fn the_program_is_given_addresses_and_the_message_with_line_feeds() {
    let folder = TempDir::new().unwrap();
    let content = mail("Subject: x\r\n\r\n.\r\n..two\r\n.\r\nno line end");
    let content = content.readdressed(envelope(
        Some("-oQ/tmp@example.org"),
        &[
            "-bp@example.net",
            "\"two words\"@example.net",
            "bob@b\u{fc}cher.example",
        ],
    ));
    let outcome = send(shell(&folder, TAKE_ALL), &content).await.unwrap();
    assert!(outcome.is_complete());
    assert_eq!(
        fs::read_to_string(folder.path().join("arguments")).unwrap(),
        "-i\n-f-oQ/tmp@example.org\n--\n-bp@example.net\n\"two words\"@example.net\nbob@xn--bcher-kva.example\n"
    );
    assert_eq!(
        fs::read_to_string(folder.path().join("message")).unwrap(),
        "Subject: x\n\n.\n..two\n.\nno line end\n"
    );
}

#[tokio::test]
async fn the_null_sender_is_a_pair_of_brackets() {
    let folder = TempDir::new().unwrap();
    let bounce = mail("Subject: x\r\n\r\n").readdressed(envelope(None, &["bob@example.net"]));
    assert!(send(shell(&folder, TAKE_ALL), &bounce).await.unwrap().is_complete());
    assert_eq!(
        fs::read_to_string(folder.path().join("arguments")).unwrap(),
        "-i\n-f<>\n--\nbob@example.net\n"
    );
}

#[tokio::test]
async fn a_signal_after_the_whole_message_leaves_it_open_and_before_it_does_not() {
    let folder = TempDir::new().unwrap();
    let error = send(shell(&folder, "cat > /dev/null; kill -9 $$"), &mail("a: b\r\n\r\n"))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.disposition()),
        (ErrorKind::Unknown, Disposition::Ambiguous)
    );
    let error = send(shell(&folder, "head -c 100 > /dev/null; kill -9 $$"), &large())
        .await
        .unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unknown, Retry::Safe));
}

#[tokio::test]
async fn a_program_that_reads_half_and_is_content_is_not_believed() {
    let folder = TempDir::new().unwrap();
    let error = send(shell(&folder, "head -c 100 > /dev/null"), &large())
        .await
        .unwrap_err();
    assert_eq!(error.disposition(), Disposition::NotAccepted);
}

#[tokio::test]
async fn what_cannot_be_sent_starts_no_program() {
    let folder = TempDir::new().unwrap();
    for content in [
        "a: b\r\n\r\none\ntwo\r\n",
        "a: b\r\n\r\none\rtwo\r\n",
        "a: b\r\n\r\n\0\r\n",
    ] {
        let error = send(shell(&folder, TAKE_ALL), &mail(content)).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.retry()),
            (ErrorKind::Invalid, Retry::Never),
            "{content:?}"
        );
        let cause = std::error::Error::source(&error).unwrap();
        assert!(cause.is::<ContentError>(), "{cause}");
    }
    assert!(!folder.path().join("message").exists());
}

/// Sends by a program that opens the named pipe and hangs then; when it does so, the time is over.
async fn hang(folder: &TempDir, script: &str, message: &Outbound) -> SendError {
    let path = pipe(folder);
    let sending = send(shell(folder, script), message);
    let passing = async {
        let held = open(&path).await;
        // With nothing to do, the clock goes on to the deadline.
        tokio::time::pause();
        held
    };
    let (sent, held) = tokio::join!(sending, passing);
    tokio::time::resume();
    all_gone(held).await;
    sent.unwrap_err()
}

#[tokio::test]
async fn the_deadline_kills_the_program_and_what_it_started() {
    let folder = TempDir::new().unwrap();
    // It reads nothing: more than a pipe holds is never complete.
    let script = r#"exec 9> "$0/pipe"; (while :; do sleep 1; done) & wait"#;
    let error = hang(&folder, script, &large()).await;
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Timeout, Retry::Safe));
}

#[tokio::test]
async fn a_deadline_behind_the_whole_message_leaves_it_open() {
    let folder = TempDir::new().unwrap();
    let script = r#"cat > /dev/null; exec 9> "$0/pipe"; while :; do sleep 1; done"#;
    let error = hang(&folder, script, &mail("a: b\r\n\r\n")).await;
    assert_eq!(
        (error.kind(), error.disposition()),
        (ErrorKind::Timeout, Disposition::Ambiguous)
    );
}

/// Reads everything in a process of its own, and leaves a mark when the message ended.
const MARKS_THE_END: &str = r#"exec 8<&0 9> "$0/pipe"; (cat <&8 > /dev/null; : > "$0/ended") & wait"#;

/// Gives half of what it says it has, and fails then.
#[derive(Debug)]
struct Broken;

impl Source for Broken {
    fn len(&self) -> u64 {
        1_000_000
    }

    fn open(&self) -> io::Result<Box<dyn io::Read + Send>> {
        struct Fails;
        impl io::Read for Fails {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("the disk is gone"))
            }
        }
        Ok(Box::new(io::repeat(b'x').take(500_000).chain(Fails)))
    }
}

/// Has a megabyte.
#[derive(Debug)]
struct Zeros;

impl Source for Zeros {
    fn len(&self) -> u64 {
        1_000_000
    }

    fn open(&self) -> io::Result<Box<dyn io::Read + Send>> {
        Ok(Box::new(io::repeat(0).take(1_000_000)))
    }
}

fn streamed(source: impl Source) -> Outbound {
    let kind = ContentType::parse("application/octet-stream").unwrap();
    let message = Message::builder()
        .from("ada@example.org".parse().unwrap())
        .to("bob@example.net".parse().unwrap())
        .subject("large")
        .text("text")
        .attach(Attachment::from_source("large.bin", kind, source).unwrap())
        .build();
    Outbound::new(message.unwrap()).unwrap()
}

#[tokio::test]
async fn half_a_message_is_never_taken_for_a_whole_one() {
    let folder = TempDir::new().unwrap();
    let path = pipe(&folder);
    let message = streamed(Broken);
    let (sent, held) = tokio::join!(send(shell(&folder, MARKS_THE_END), &message), open(&path));
    let error = sent.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Unreadable, Retry::Never));
    all_gone(held).await;
    assert!(!folder.path().join("ended").exists());
    // The same program does leave its mark where the message ends.
    let whole = large();
    let (sent, held) = tokio::join!(send(shell(&folder, MARKS_THE_END), &whole), open(&path));
    assert!(sent.unwrap().is_complete());
    all_gone(held).await;
    assert!(folder.path().join("ended").exists());
}

#[tokio::test]
async fn what_must_not_go_out_is_found_on_the_way() {
    let folder = TempDir::new().unwrap();
    let path = pipe(&folder);
    let message = {
        // More than the pipe holds, so that the program reads when the bad line comes.
        let mut rope = streamed(Zeros).rope();
        rope.push(Bytes::from_static(b"one\ntwo\r\n"));
        Outbound::raw(envelope(None, &["bob@example.net"]), rope)
    };
    let (sent, held) = tokio::join!(send(shell(&folder, MARKS_THE_END), &message), open(&path));
    let error = sent.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Invalid, Retry::Never));
    all_gone(held).await;
    assert!(!folder.path().join("ended").exists());
}

#[tokio::test]
async fn dropping_a_send_kills_the_program_before_it_sees_an_end() {
    let folder = TempDir::new().unwrap();
    let path = pipe(&folder);
    // It has read a little when it opens the named pipe, and the rest only when it could go on.
    let script = r#"head -c 100 > /dev/null; exec 8<&0 9> "$0/pipe"; (kill -STOP 0; cat <&8 > /dev/null; : > "$0/ended") & wait"#;
    let transport = shell(&folder, script);
    let message = large();
    let held = {
        let options = SendOptions::new();
        let mut sending = transport.send(&message, &options);
        tokio::select! {
            sent = &mut sending => panic!("{sent:?}"),
            held = open(&path) => held,
        }
    };
    all_gone(held).await;
    assert!(!folder.path().join("ended").exists());
}

fn simple() -> Message {
    let builder = Message::builder().from("ada@example.org".parse().unwrap());
    builder
        .to("bob@example.net".parse().unwrap())
        .subject("s")
        .text("t")
        .build()
        .unwrap()
}

#[tokio::test]
async fn no_more_programs_run_at_once_than_may() {
    let folder = TempDir::new().unwrap();
    // Whoever finds another one running says so.
    let script = r#"mkdir "$0/lock" || exit 70; cat > /dev/null; rmdir "$0/lock""#;
    let transport = shell(&folder, script).processes(1);
    let mut sends = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let transport = transport.clone();
        sends.spawn(async move { transport.send_message(simple()).await });
    }
    while let Some(sent) = sends.join_next().await {
        assert!(sent.unwrap().unwrap().is_complete());
    }
}

#[test]
fn without_a_runtime_it_is_an_error_and_no_panic() {
    let transport = SendmailTransport::new();
    let message = mail("a: b\r\n\r\n");
    let options = SendOptions::new();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match transport.send(&message, &options).as_mut().poll(&mut context) {
        std::task::Poll::Ready(Err(error)) => assert_eq!(error.disposition(), Disposition::NotAccepted),
        other => panic!("{other:?}"),
    }
}
