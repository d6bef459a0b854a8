//! Memory stays flat, however large an attachment is: through the mailer, signed, over SMTP and into a file.
//!
//! A test binary of its own, as the most memory that a process ever had can only be asked for the whole process.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

#[path = "../examples/large_attachment/generated.rs"]
mod generated;
#[path = "../examples/large_attachment/sink.rs"]
mod sink;

use generated::Generated;
use posthaste::dkim::{Signer, SigningKey};
use posthaste::smtp::{SmtpTransport, Tls};
use posthaste::{Attachment, ContentType, FileTransport, Mailer, Message};
use sink::Sink;

const MB: u64 = 1 << 20;

/// The most memory that this process had so far, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kilobytes: u64 = line.split_ascii_whitespace().next().unwrap().parse().unwrap();
    kilobytes * 1024
}

fn message(size: u64) -> Message {
    let kind = ContentType::parse("application/octet-stream").unwrap();
    Message::builder()
        .from("ada@example.org".parse().unwrap())
        .to("bob@example.net".parse().unwrap())
        .subject("Large")
        .text("Here it is.")
        .attach(Attachment::from_source("large.bin", kind, Generated(size)).unwrap())
        .build()
        .unwrap()
}

fn signer() -> Signer {
    Signer::builder("example.org".parse().unwrap())
        .key("s1".parse().unwrap(), SigningKey::generate_ed25519().unwrap())
        .build()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_attachment_takes_no_more_memory_than_a_small_one() {
    let sink = Sink::start().await.unwrap();
    let smtp = SmtpTransport::builder("127.0.0.1")
        .port(sink.port())
        .tls(Tls::None)
        .build()
        .unwrap();
    let mailer = Mailer::builder(smtp).sign(signer()).build();
    let folder = tempfile::tempdir().unwrap();
    let filing = Mailer::builder(FileTransport::new(folder.path()).unwrap())
        .sign(signer())
        .build();

    // What a first send takes: threads, keys, buffers.
    for mailer in [&mailer, &filing] {
        assert!(mailer.send(message(MB)).await.unwrap().is_complete());
    }
    let (small, before) = (peak(), sink.bytes());

    let large = message(64 * MB);
    let length = large.to_rope().len();
    assert!(mailer.send(large).await.unwrap().is_complete());
    assert!(filing.send(message(32 * MB)).await.unwrap().is_complete());
    // Linux counts a thread's last pages late: what it says may shrink a little.
    let grown = peak().saturating_sub(small);
    assert!(sink.bytes() - before > length, "all of it went over, and a signature");
    assert_eq!(sink.messages(), 2);
    assert!(grown < 16 * MB, "64 MB took {} kB more than 1 MB", grown / 1024);
}
