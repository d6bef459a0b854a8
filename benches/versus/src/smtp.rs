//! Sending 5 KB over one connection that is kept, without TLS, to a sink on loopback: posthaste-smtp, lettre.

use std::io::{self, Read, Write};
use std::mem::ManuallyDrop;
use std::net::{SocketAddr, TcpListener, TcpStream};

use bytes::Bytes;
use lettre::address::Envelope as LettreEnvelope;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use memchr::memmem;
use posthaste_address::{EmailAddress, Envelope};
use posthaste_mime::Rope;
use posthaste_smtp::{SmtpTransport, Tls};
use posthaste_transport::{Outbound, SendOptions, Transport};
use tokio::runtime::{Builder, Runtime};

use crate::race::{Race, Runner};
use crate::sign::message;

const SENDER: &str = "ada@example.org";
const RECIPIENT: &str = "bob@example.net";

/// Takes everything and keeps nothing: one thread a connection.
fn sink() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || swallow(stream));
        }
    });
    address
}

fn swallow(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.write_all(b"220 sink\r\n")?;
    let end = memmem::Finder::new(b"\r\n.\r\n");
    let (mut buffer, mut filled, mut in_data) = (vec![0; 1 << 17], 0, false);
    let mut replies: Vec<u8> = Vec::new();
    loop {
        let count = stream.read(&mut buffer[filled..])?;
        if count == 0 {
            return Ok(());
        }
        filled += count;
        let mut used = 0;
        loop {
            let rest = &buffer[used..filled];
            let Some(at) = (if in_data {
                end.find(rest)
            } else {
                memchr::memchr(b'\n', rest)
            }) else {
                break;
            };
            if in_data {
                used += at + 5;
                in_data = false;
                replies.extend_from_slice(b"250 taken\r\n");
                continue;
            }
            used += at + 1;
            replies.extend_from_slice(match rest.get(..4).unwrap_or_default() {
                b"EHLO" => b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
                b"DATA" => b"354 go on\r\n",
                b"QUIT" => b"221 bye\r\n",
                _ => b"250 yes\r\n",
            });
            in_data = rest.starts_with(b"DATA");
        }
        buffer.copy_within(used..filled, 0);
        filled -= used;
        stream.write_all(&replies)?;
        replies.clear();
    }
}

/// Everything on one thread, the same for all clients.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn ours(sink: SocketAddr, size: usize) -> Runner {
    let runtime = runtime();
    let address = |text: &str| text.parse::<EmailAddress>().expect("valid");
    let envelope = Envelope::new(Some(address(SENDER)), [address(RECIPIENT)]).expect("an envelope");
    let transport = SmtpTransport::builder("127.0.0.1").port(sink.port()).tls(Tls::None);
    let transport = transport.build().expect("a transport");
    let (rope, options) = (Rope::from(Bytes::from(message(size))), SendOptions::new());
    Runner::new("posthaste-smtp", move || {
        let mail = Outbound::raw(envelope.clone(), rope.clone());
        let outcome = runtime.block_on(transport.send(&mail, &options)).expect("sends");
        outcome.recipients().len()
    })
}

fn lettre_envelope() -> LettreEnvelope {
    let sender = SENDER.parse().expect("valid");
    LettreEnvelope::new(Some(sender), vec![RECIPIENT.parse().expect("valid")]).expect("an envelope")
}

/// The connection that lettre's pool keeps, asked by NOOP before each message as the pool does it, with TCP_NODELAY.
fn lettre(sink: SocketAddr, size: usize) -> Runner {
    let (runtime, message) = (runtime(), message(size));
    let mut connection = runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(sink).await.expect("connects");
        stream.set_nodelay(true).expect("is set");
        let name = ClientId::Domain("localhost".to_owned());
        AsyncSmtpConnection::connect_with_transport(Box::new(stream), &name)
            .await
            .expect("greets")
    });
    let envelope = lettre_envelope();
    Runner::new(
        "lettre 0.11, TCP_NODELAY forced on, NOOP before each message as in its pool",
        move || {
            runtime.block_on(async {
                assert!(connection.test_connected().await);
                usize::from(connection.send(&envelope, &message).await.expect("sends").is_positive())
            })
        },
    )
}

/// lettre's pool as it is: without TCP_NODELAY, the last piece of a message waits for a delayed acknowledgement.
fn lettre_pool(sink: SocketAddr, size: usize) -> Runner {
    let (runtime, message, envelope) = (runtime(), message(size), lettre_envelope());
    let guard = runtime.enter();
    let pool = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1").port(sink.port());
    // Never dropped: that would want a runtime, and this one would be gone.
    let pool = ManuallyDrop::new(pool.build());
    drop(guard);
    Runner::new(
        "lettre 0.11, its pool as released: Nagle's algorithm and a delayed ACK, not its work",
        move || {
            usize::from(
                runtime
                    .block_on(pool.send_raw(&envelope, &message))
                    .expect("sends")
                    .is_positive(),
            )
        },
    )
}

/// The same bytes in the two round trips that pipelining needs, from one blocking thread that knows what will come.
fn floor(sink: SocketAddr, size: usize) -> Runner {
    let mut stream = TcpStream::connect(sink).expect("connects");
    stream.set_nodelay(true).expect("is set");
    let mut room = [0; 512];
    let mut hear = move |stream: &mut TcpStream, lines: usize| {
        let mut heard = 0;
        while heard < lines {
            let count = stream.read(&mut room).expect("reads");
            assert!(count > 0);
            heard += memchr::memchr_iter(b'\n', &room[..count]).count();
        }
    };
    hear(&mut stream, 1);
    let commands = format!("MAIL FROM:<{SENDER}>\r\nRCPT TO:<{RECIPIENT}>\r\nDATA\r\n");
    let text = [message(size).as_slice(), b".\r\n"].concat();
    Runner::new(
        "floor: the same octets in two round trips, blocking, no client",
        move || {
            stream.write_all(commands.as_bytes()).expect("writes");
            hear(&mut stream, 3);
            stream.write_all(&text).expect("writes");
            hear(&mut stream, 1);
            text.len()
        },
    )
}

pub fn races() -> Vec<Race> {
    let sink = sink();
    let size = 5_000;
    vec![Race::new(
        "send 5 KB over one kept connection, no TLS, to a sink in this process",
        vec![
            ours(sink, size),
            lettre(sink, size),
            lettre_pool(sink, size),
            floor(sink, size),
        ],
    )]
}
