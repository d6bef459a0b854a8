//! How much memory does a connection take: one that waits, one that waits under TLS, one in the middle of a message?
//!
//! `cargo bench -p posthaste-smtp --bench connections` opens 10 000 that wait, 10 000 under TLS and 1 000 that send 200 KB
//! each, from another process, and prints how much this one grew by; more than 8, 16, 64 or 96 KB each is a failure. It needs a limit of 10 100 open files
//! (`ulimit -n`). `-- serve ADDRESS` serves until it is killed, for load generators such as Postfix's `smtp-source`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a bench that cannot go on stops"
)]

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use posthaste_address::{Envelope, Recipient};
use posthaste_smtp::server::{
    Content, Handler, HandlerFuture, Incoming, Limits, Server, ServerBuilder, Session, Verdict,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

/// Takes every message, piece by piece, and keeps none.
struct Sink;

impl Handler for Sink {
    fn rcpt<'a>(&'a self, _: &'a Session, _: &'a Recipient) -> HandlerFuture<'a, Verdict> {
        Box::pin(std::future::ready(Verdict::accept()))
    }

    fn data<'a>(&'a self, _: &'a Session, _: Incoming) -> HandlerFuture<'a, Verdict> {
        Box::pin(std::future::ready(Verdict::accept()))
    }

    fn content<'a>(
        &'a self,
        _: &'a Session,
        _: &'a Envelope,
        content: &'a mut Content<'_>,
    ) -> HandlerFuture<'a, Verdict> {
        Box::pin(async move {
            while let Ok(Some(piece)) = content.next().await {
                std::hint::black_box(piece);
            }
            Verdict::accept()
        })
    }
}

fn server() -> ServerBuilder {
    let limits = Limits::default()
        .connections(100_000)
        .connections_per_ip(100_000)
        .message_size(1 << 30);
    Server::builder(Sink).limits(limits)
}

/// Bytes of memory that this process holds now.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

/// Clients in another process, which do as they are told by a line each.
struct Clients {
    process: Child,
    said: BufReader<std::process::ChildStdout>,
}

impl Clients {
    fn start(kind: &str, address: SocketAddr, count: usize, authority: &str) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["clients", kind, &address.to_string(), &count.to_string(), authority])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(process.stdout.take().unwrap());
        Self { process, said }
    }

    /// Waits until they are where they are to be.
    fn ready(&mut self) {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
    }

    fn go_on(&mut self) {
        self.process.stdin.as_mut().unwrap().write_all(b"go on\n").unwrap();
    }

    fn stop(mut self) {
        drop(self.process.stdin.take());
        self.process.wait().unwrap();
    }
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["clients", kind, address, count, authority] => {
            clients(kind, address.parse().unwrap(), count.parse().unwrap(), authority).await;
        }
        ["serve", address, ..] => serve(address).await,
        ["measure", kind, count] => measure(kind, count.parse().unwrap()).await,
        arguments => {
            let (idle, busy) = if arguments.contains(&"--bench") {
                (10_000, 1_000)
            } else {
                (20, 5)
            };
            for (kind, count) in [("plain", idle), ("tls", idle), ("busy", busy), ("busytls", busy)] {
                // A process each: what one has freed, the next would find.
                let status = Command::new(std::env::current_exe().unwrap())
                    .args(["measure", kind, &count.to_string()])
                    .status();
                assert!(status.unwrap().success());
            }
        }
    }
}

async fn serve(address: &str) {
    let bound = server().bind(address).await.unwrap();
    println!("serving on {}", bound.local_addr());
    bound.serve_until(std::future::pending()).await;
}

async fn measure(kind: &str, count: usize) {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (chain, key) = (cert.pem(), signing_key.serialize_pem());
    let server = server().tls(chain.clone(), key).implicit_tls(kind.ends_with("tls"));
    let bound = server.bind("127.0.0.1:0").await.unwrap();
    let address = bound.local_addr();
    tokio::spawn(bound.serve_until(std::future::pending()));
    // What the first connections take: code, tables, threads.
    let mut first = Clients::start(kind, address, 10, &chain);
    first.ready();
    first.go_on();
    first.ready();
    let before = resident();
    let mut all = Clients::start(kind, address, count, &chain);
    all.ready();
    let mut grown = resident().saturating_sub(before);
    if kind.starts_with("busy") {
        all.go_on();
        all.ready();
        grown = grown.max(resident().saturating_sub(before));
    }
    let (what, bound) = match kind {
        "plain" => ("that wait", 8),
        "tls" => ("that wait under TLS", 16),
        "busy" => ("in the middle of a message", 64),
        _ => ("in the middle of a message under TLS", 96),
    };
    let each = grown / u64::try_from(count).unwrap();
    println!("{count} connections {what}: {} KB, {each} bytes each", grown / 1024);
    // Of few connections the allocator's own steps would be measured.
    assert!(count < 1000 || each <= bound * 1024, "more than {bound} KB each");
    all.stop();
    first.stop();
}

async fn clients(kind: &str, address: SocketAddr, count: usize, authority: &str) {
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let mut streams: Vec<Box<dyn Both>> = Vec::new();
    for _ in 0..count {
        let stream = TcpStream::connect(address).await.unwrap();
        let mut stream: Box<dyn Both> = if kind.ends_with("tls") {
            let name = ServerName::try_from("localhost").unwrap();
            Box::new(connector.connect(name, stream).await.unwrap())
        } else {
            Box::new(stream)
        };
        say(&mut stream, "").await;
        say(&mut stream, "EHLO client.example\r\n").await;
        if kind.starts_with("busy") {
            say(&mut stream, "MAIL FROM:<ada@example.org>\r\n").await;
            say(&mut stream, "RCPT TO:<bob@example.net>\r\n").await;
            say(&mut stream, "DATA\r\n").await;
        }
        streams.push(stream);
    }
    println!("ready");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    if line.is_empty() {
        return;
    }
    if kind.starts_with("busy") {
        let piece = b"The quick brown fox jumps over the lazy dog, and then over the fence, once.\r\n".repeat(260);
        for _ in 0..10 {
            for stream in &mut streams {
                stream.write_all(&piece).await.unwrap();
            }
        }
    }
    println!("ready");
    std::io::stdin().read_line(&mut line).unwrap();
}

/// Says something and waits for the whole reply.
async fn say(stream: &mut Box<dyn Both>, line: &str) {
    stream.write_all(line.as_bytes()).await.unwrap();
    let mut reply = Vec::new();
    loop {
        stream.read_buf(&mut reply).await.unwrap();
        let last = reply
            .strip_suffix(b"\r\n")
            .and_then(|text| text.rsplit(|&byte| byte == b'\n').next());
        if last.is_some_and(|last| last[3] == b' ') {
            return;
        }
    }
}

trait Both: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Both for T {}
