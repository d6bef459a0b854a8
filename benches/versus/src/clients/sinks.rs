//! Where the messages go: a bare sink in threads of this process, our own server in a thread of it, Postfix's `smtp-sink`.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use memchr::memmem;
use posthaste_address::Recipient;
use posthaste_smtp::server::{Handler, HandlerFuture, Incoming, Server, Session, Verdict};

use crate::{postfix, runtime};

/// Takes everything and keeps nothing, one thread a connection. With a `pause` it answers when nothing came for so long, and
/// counts how often it did.
pub fn sink(pause: Option<Duration>) -> (SocketAddr, Arc<AtomicUsize>) {
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
pub fn our_server() -> SocketAddr {
    let runtime = runtime();
    let server = runtime
        .block_on(Server::builder(Taker).bind("127.0.0.1:0"))
        .expect("a server");
    let address = server.local_addr();
    std::thread::spawn(move || runtime.block_on(server.serve_until(std::future::pending())));
    address
}

/// Postfix's sink, ended when this is dropped.
pub struct SmtpSink {
    child: Child,
    pub address: SocketAddr,
}

impl SmtpSink {
    pub fn start() -> Option<Self> {
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
        Some(Self { child, address })
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
