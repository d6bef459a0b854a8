//! SMTP clients into the same sinks: messages a second, processor time a message, and round trips a message.
//!
//! `cargo run --release --manifest-path benches/versus/Cargo.toml --bin smtp [-- --smoke | --five]` prints a table; `--smoke`
//! sends a handful each, `--five` only messages of 5 KB, in fewer rounds. Every client is a process of its own, and all take turns. The sinks
//! are a bare one in threads of this process, our own server in another thread of it, and Postfix's `smtp-sink`, if its path
//! is in `POSTHASTE_INTEROP_SMTP_SINK`; `smtp-source` runs if its path is in `POSTHASTE_INTEROP_SMTP_SOURCE`. lettre and
//! mail-send get sockets with TCP_NODELAY, without which they wait for delayed acknowledgements; lettre asks by NOOP before
//! each message, as its pool does.
//!
//! A round trip is a time that the client has nothing more to say until it is answered: the sink that counts them answers
//! only when nothing more has come for a while.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::join_all;
use lettre::address::Envelope as LettreEnvelope;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use mail_send::SmtpClient;
use mail_send::smtp::message::Message as MailSendMessage;
use memchr::memmem;
use posthaste_address::{EmailAddress, Envelope, Recipient};
use posthaste_mime::Rope;
use posthaste_smtp::server::{Handler, HandlerFuture, Incoming, Server, Session, Verdict};
use posthaste_smtp::{SmtpTransport, Tls};
use posthaste_transport::{Outbound, SendOptions, Transport};
use tokio::runtime::{Builder, Runtime};

const SENDER: &str = "ada@example.org";
const RECIPIENT: &str = "bob@example.net";

/// What runs, and how a row names it.
const CLIENTS: [(&str, &str); 7] = [
    ("ours", "posthaste-smtp, one message in flight a connection"),
    ("overlapped", "posthaste-smtp, the next message behind the last dot"),
    ("bdat", "posthaste-smtp, BDAT, the next message behind the last"),
    ("lettre", "lettre 0.11, TCP_NODELAY forced on"),
    ("mail-send", "mail-send 0.7, TCP_NODELAY forced on"),
    ("smtplib", "Python smtplib"),
    ("smtp-source", "Postfix smtp-source"),
];

/// Sends over as many connections as it has threads, and prints seconds and nanoseconds of processor time.
const PYTHON: &str = r#"
import resource, smtplib, sys, threading, time
port, connections, count, size = map(int, sys.argv[1:])
text = open(0, "rb").read()
failed = []
def run(server, count):
    try:
        for _ in range(count):
            server.sendmail("ada@example.org", ["bob@example.net"], text)
    except Exception as error:
        failed.append(error)
servers = [smtplib.SMTP("127.0.0.1", port, local_hostname="localhost") for _ in range(connections)]
for server in servers: server.ehlo()
used = lambda: (lambda use: use.ru_utime + use.ru_stime)(resource.getrusage(resource.RUSAGE_SELF))
before, start = used(), time.monotonic()
threads = [threading.Thread(target=run, args=(server, count // connections)) for server in servers]
for thread in threads: thread.start()
for thread in threads: thread.join()
if failed: sys.exit(str(failed))
print(time.monotonic() - start, int((used() - before) * 1e9))
"#;

/// A message of `size` octets in lines of text.
fn message(size: usize) -> Vec<u8> {
    let mut text = b"From: ada@example.org\r\nTo: bob@example.net\r\nSubject: race\r\n\r\n".to_vec();
    while text.len() + 78 < size {
        text.extend_from_slice(b"The quick brown fox jumps over the lazy dog, and then over the fence, once.\r\n");
    }
    text
}

/// Takes everything and keeps nothing, one thread a connection. With a `pause` it answers when nothing came for so long, and
/// counts how often it did.
fn sink(pause: Option<Duration>) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let waits = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&waits);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let waits = Arc::clone(&counted);
            std::thread::spawn(move || swallow(stream, pause, &waits));
        }
    });
    (address, waits)
}

/// What the next octets are.
enum Awaited {
    Command,
    /// Text up to a dot.
    Data,
    /// So many octets, and then a reply.
    Chunk(usize),
}

fn swallow(mut stream: TcpStream, pause: Option<Duration>, waits: &AtomicUsize) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(pause)?;
    stream.write_all(b"220 sink\r\n")?;
    let end = memmem::Finder::new(b"\r\n.\r\n");
    let (mut buffer, mut filled, mut awaited) = (vec![0; 1 << 19], 0, Awaited::Command);
    let mut replies: Vec<u8> = Vec::new();
    loop {
        match stream.read(&mut buffer[filled..]) {
            Ok(0) => return Ok(()),
            Ok(count) => filled += count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if !replies.is_empty() {
                    waits.fetch_add(1, Ordering::SeqCst);
                    stream.write_all(&replies)?;
                    replies.clear();
                }
                continue;
            }
            Err(error) => return Err(error),
        }
        let mut used = 0;
        loop {
            let rest = &buffer[used..filled];
            match awaited {
                Awaited::Chunk(left) => {
                    let now = left.min(rest.len());
                    used += now;
                    if now < left {
                        awaited = Awaited::Chunk(left - now);
                        break;
                    }
                    awaited = Awaited::Command;
                    replies.extend_from_slice(b"250 taken\r\n");
                }
                Awaited::Data => {
                    let Some(at) = end.find(rest) else { break };
                    used += at + 5;
                    awaited = Awaited::Command;
                    replies.extend_from_slice(b"250 taken\r\n");
                }
                Awaited::Command => {
                    let Some(at) = memchr::memchr(b'\n', rest) else { break };
                    let line = &rest[..at];
                    used += at + 1;
                    let reply: &[u8] = match line.get(..4).unwrap_or_default().to_ascii_uppercase().as_slice() {
                        b"EHLO" => b"250-sink\r\n250-PIPELINING\r\n250-CHUNKING\r\n250 8BITMIME\r\n",
                        b"DATA" => {
                            awaited = Awaited::Data;
                            b"354 go on\r\n"
                        }
                        b"BDAT" => {
                            let words = std::str::from_utf8(line).unwrap_or_default();
                            let size = words.split_ascii_whitespace().nth(1).and_then(|word| word.parse().ok());
                            awaited = Awaited::Chunk(size.unwrap_or_default());
                            b""
                        }
                        b"QUIT" => b"221 bye\r\n",
                        _ => b"250 yes\r\n",
                    };
                    replies.extend_from_slice(reply);
                }
            }
        }
        buffer.copy_within(used..filled, 0);
        filled -= used;
        if pause.is_none() && !replies.is_empty() {
            stream.write_all(&replies)?;
            replies.clear();
        }
    }
}

struct Taker;

impl Handler for Taker {
    fn rcpt<'a>(&'a self, _: &'a Session, _: &'a Recipient) -> HandlerFuture<'a, Verdict> {
        Box::pin(std::future::ready(Verdict::accept()))
    }

    fn data<'a>(&'a self, _: &'a Session, _: Incoming) -> HandlerFuture<'a, Verdict> {
        Box::pin(std::future::ready(Verdict::accept()))
    }
}

/// Our server on a thread.
fn our_server() -> SocketAddr {
    let runtime = runtime();
    let server = runtime
        .block_on(Server::builder(Taker).bind("127.0.0.1:0"))
        .expect("a server");
    let address = server.local_addr();
    std::thread::spawn(move || runtime.block_on(server.serve_until(std::future::pending())));
    address
}

/// Postfix's sink, ended when this is dropped.
struct SmtpSink(Child, SocketAddr);

impl SmtpSink {
    fn start() -> Option<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").ok()?;
        let address = listener.local_addr().ok()?;
        drop(listener);
        let mut command = postfix("POSTHASTE_INTEROP_SMTP_SINK")?;
        command.args(["-u", "nobody", &address.to_string(), "100"]);
        let child = command.stdin(Stdio::null()).spawn().ok()?;
        let until = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < until, "smtp-sink does not answer");
            std::thread::yield_now();
        }
        Some(Self(child, address))
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One of Postfix's programs, with the libraries beside it.
fn postfix(variable: &str) -> Option<Command> {
    let path = std::path::PathBuf::from(std::env::var_os(variable)?);
    let mut command = Command::new(&path);
    if let Some(usr) = path.ancestors().nth(2) {
        command.env("LD_LIBRARY_PATH", usr.join("lib/postfix"));
    }
    Some(command)
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Processor time of this process's only thread, in nanoseconds.
fn own_time() -> u64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").expect("Linux");
    text.split_whitespace()
        .next()
        .and_then(|word| word.parse().ok())
        .expect("a number")
}

/// Processor time of the children that have ended, in nanoseconds, to a hundredth of a second.
fn children_time() -> u64 {
    let text = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let behind_name = text.rsplit(')').next().unwrap_or_default();
    behind_name
        .split_whitespace()
        .skip(13)
        .take(2)
        .map(|ticks| ticks.parse::<u64>().expect("a number") * 10_000_000)
        .sum()
}

/// The client process: sends, and prints seconds and nanoseconds of processor time.
fn client(arguments: &[String]) {
    let [kind, port, connections, count, size] = arguments else {
        panic!("client KIND PORT CONNECTIONS COUNT SIZE")
    };
    let number = |text: &String| text.parse::<usize>().expect("a number");
    let (connections, count, text) = (number(connections), number(count), message(number(size)));
    let to = SocketAddr::from(([127, 0, 0, 1], port.parse().expect("a port")));
    let runtime = runtime();
    let (seconds, time) = match kind.as_str() {
        "lettre" => runtime.block_on(lettre(to, connections, count, &text)),
        "mail-send" => runtime.block_on(mail_send(to, connections, count, &text)),
        kind => runtime.block_on(ours(kind, to, connections, count, text)),
    };
    println!("{seconds} {time}");
}

async fn timed(work: impl Future<Output = ()>) -> (f64, u64) {
    let (before, start) = (own_time(), Instant::now());
    work.await;
    (start.elapsed().as_secs_f64(), own_time() - before)
}

async fn ours(kind: &str, to: SocketAddr, connections: usize, count: usize, text: Vec<u8>) -> (f64, u64) {
    let config = SmtpTransport::builder("127.0.0.1")
        .port(to.port())
        .tls(Tls::None)
        .connections(u16::try_from(connections).expect("few"))
        .messages_per_connection(u32::MAX)
        .overlap(kind != "ours")
        .chunking(kind == "bdat");
    let transport = config.build().expect("a transport");
    let address = |text: &str| text.parse::<EmailAddress>().expect("valid");
    let envelope = Envelope::new(Some(address(SENDER)), [address(RECIPIENT)]).expect("an envelope");
    let (rope, options) = (Rope::from(Bytes::from(text)), SendOptions::new());
    let senders = match kind {
        "ours" => connections,
        "bdat" => connections * 32,
        _ => connections * 4,
    };
    let next = AtomicUsize::new(0);
    let run = |until: usize| {
        next.store(0, Ordering::Relaxed);
        let (next, transport, envelope, rope, options) = (&next, &transport, &envelope, &rope, &options);
        join_all((0..senders).map(move |_| async move {
            while next.fetch_add(1, Ordering::Relaxed) < until {
                let mail = Outbound::raw(envelope.clone(), rope.clone());
                let _ = transport.send(&mail, options).await.expect("sends");
            }
        }))
    };
    // The others open their connections before the clock runs as well.
    run(connections * 4).await;
    timed(async {
        run(count).await;
    })
    .await
}

async fn connect(to: SocketAddr) -> tokio::net::TcpStream {
    let stream = tokio::net::TcpStream::connect(to).await.expect("connects");
    stream.set_nodelay(true).expect("is set");
    stream
}

async fn lettre(to: SocketAddr, connections: usize, count: usize, text: &[u8]) -> (f64, u64) {
    let recipients = vec![RECIPIENT.parse().expect("valid")];
    let envelope = LettreEnvelope::new(Some(SENDER.parse().expect("valid")), recipients).expect("an envelope");
    let name = ClientId::Domain("localhost".to_owned());
    let opened = join_all((0..connections).map(|_| async {
        let stream = Box::new(connect(to).await);
        AsyncSmtpConnection::connect_with_transport(stream, &name)
            .await
            .expect("greets")
    }));
    let mut opened = opened.await;
    timed(async {
        join_all(opened.iter_mut().map(|connection| async {
            for _ in 0..count / connections {
                assert!(connection.test_connected().await);
                let _ = connection.send(&envelope, text).await.expect("sends");
            }
        }))
        .await;
    })
    .await
}

async fn mail_send(to: SocketAddr, connections: usize, count: usize, text: &[u8]) -> (f64, u64) {
    let opened = join_all((0..connections).map(|_| async {
        let timeout = Duration::from_secs(60);
        let mut client = SmtpClient {
            stream: connect(to).await,
            timeout,
        };
        let _ = client.read().await.expect("greets");
        let _ = client.ehlo("localhost").await.expect("greets");
        client
    }));
    let mut opened = opened.await;
    timed(async {
        join_all(opened.iter_mut().map(|client| async {
            for _ in 0..count / connections {
                let message = MailSendMessage::new(SENDER, [RECIPIENT], text);
                client.send(message).await.expect("sends");
            }
        }))
        .await;
    })
    .await
}

/// One run: seconds, and nanoseconds of processor time. `None` where the program is not there.
fn run(kind: &str, to: SocketAddr, connections: usize, count: usize, size: usize) -> Option<(f64, f64)> {
    let numbers = [connections, count, size].map(|number| number.to_string());
    let port = to.port().to_string();
    let mut command = match kind {
        "smtp-source" => {
            let mut source = postfix("POSTHASTE_INTEROP_SMTP_SOURCE")?;
            let [connections, count, size] = &numbers;
            source.args([
                "-d",
                "-s",
                connections,
                "-m",
                count,
                "-l",
                size,
                "-f",
                SENDER,
                "-t",
                RECIPIENT,
            ]);
            source.arg(to.to_string());
            let (before, start) = (children_time(), Instant::now());
            let status = source.stdin(Stdio::null()).status().ok()?;
            assert!(status.success(), "smtp-source: {status}");
            let seconds = start.elapsed().as_secs_f64();
            return Some((seconds, (children_time() - before) as f64));
        }
        "smtplib" => {
            let mut python = Command::new("python3");
            python.args(["-c", PYTHON, &port]);
            python
        }
        kind => {
            let mut ours = Command::new(std::env::current_exe().ok()?);
            ours.args(["client", kind, &port]);
            ours
        }
    };
    command.args(&numbers).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().ok()?;
    if let Some(mut input) = child.stdin.take() {
        // A client of ours makes the message itself.
        if kind == "smtplib" {
            input.write_all(&message(size)).expect("is read");
        }
    }
    let output = child.wait_with_output().expect("ends");
    assert!(output.status.success(), "{kind}: {}", output.status);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut words = text
        .split_whitespace()
        .map(|word| word.parse::<f64>().expect("a number"));
    Some((words.next()?, words.next()?))
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "client") {
        return client(&arguments[1..]);
    }
    if arguments.first().is_some_and(|first| first == "sink") {
        println!("{}", sink(None).0);
        return std::thread::park();
    }
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    let (rounds, volume) = match (has("--smoke"), has("--five")) {
        (true, _) => (1, 64),
        (false, true) => (3, 40_000_000),
        (false, false) => (5, 40_000_000),
    };
    let sizes: &[usize] = if has("--five") {
        &[5_000]
    } else {
        &[2_000, 5_000, 200_000]
    };

    println!("| client | round trips a message |\n| --- | ---: |");
    for (kind, name) in CLIENTS {
        let (patient, waits) = sink(Some(Duration::from_millis(5)));
        let mut counts = [40, 140].map(|count| {
            let before = waits.load(Ordering::SeqCst);
            run(kind, patient, 1, count, 5_000).map(|_| waits.load(Ordering::SeqCst) - before)
        });
        if let [Some(few), Some(many)] = &mut counts {
            println!("| {name} | {:.2} |", many.saturating_sub(*few) as f64 / 100.0);
        }
    }

    let smtp_sink = SmtpSink::start();
    let mut sinks = vec![("bare sink", sink(None).0), ("our server", our_server())];
    if let Some(SmtpSink(_, address)) = &smtp_sink {
        sinks.push(("smtp-sink", *address));
    }
    println!("\n| sink, connections, size, client | messages/s | CPU a message | rate to lettre's | CPU to lettre's |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    for &(sink, to) in &sinks {
        for connections in [1, 8] {
            for &size in sizes {
                let count = (volume / size).clamp(16, if connections == 1 { 2_000 } else { 8_000 }) / 8 * 8;
                let mut figures = vec![(Vec::new(), Vec::new()); CLIENTS.len()];
                for _ in 0..rounds {
                    for ((kind, _), (rates, times)) in CLIENTS.iter().zip(&mut figures) {
                        if let Some((seconds, time)) = run(kind, to, connections, count, size) {
                            rates.push(count as f64 / seconds);
                            times.push(time / count as f64 / 1_000.0);
                        }
                    }
                }
                let rows: Vec<(f64, f64)> = figures
                    .into_iter()
                    .map(|(rates, times)| (median(rates), median(times)))
                    .collect();
                let lettre = rows[3];
                for ((_, name), (rate, time)) in CLIENTS.iter().zip(&rows) {
                    if rate.is_finite() {
                        println!(
                            "| {sink}, {connections}, {} KB, {name} | {rate:.0} | {time:.1} µs | {:.2} | {:.2} |",
                            size / 1_000,
                            rate / lettre.0,
                            time / lettre.1
                        );
                    }
                }
            }
        }
    }
}
