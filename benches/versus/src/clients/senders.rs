//! What the client processes do: they open their connections, and then send against the clock.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::join_all;
use lettre::address::Envelope as LettreEnvelope;
use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use mail_send::SmtpClient;
use mail_send::smtp::message::Message as MailSendMessage;
use posthaste_address::{EmailAddress, Envelope};
use posthaste_mime::Rope;
use posthaste_smtp::{SmtpTransport, Tls};
use posthaste_transport::{Outbound, SendOptions, Transport};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{RECIPIENT, SENDER, message, processor_time, runtime};

/// Sends over as many connections as it has threads, and prints seconds and nanoseconds of processor time.
pub const PYTHON: &str = r#"
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

/// The client process: sends, and prints seconds and nanoseconds of processor time.
pub fn client(arguments: &[String]) {
    let [kind, port, connections, count, size] = arguments else {
        panic!("client KIND PORT CONNECTIONS COUNT SIZE")
    };
    let number = |text: &String| text.parse::<usize>().expect("a number");
    let (connections, count, text) = (number(connections), number(count), message(number(size)));
    let to = SocketAddr::from(([127, 0, 0, 1], port.parse().expect("a port")));
    let runtime = runtime();
    let (seconds, time) = match kind.as_str() {
        "lettre" => runtime.block_on(lettre(to, connections, count, &text)),
        "floor" => runtime.block_on(floor(to, connections, count, &text)),
        "lettre-kept" => runtime.block_on(lettre_kept(to, connections, count, &text)),
        "mail-send" => runtime.block_on(mail_send(to, connections, count, &text)),
        kind => runtime.block_on(ours(kind, to, connections, count, text)),
    };
    println!("{seconds} {time}");
}

async fn timed(work: impl Future<Output = ()>) -> (f64, u64) {
    let (before, start) = (processor_time("self"), Instant::now());
    work.await;
    (start.elapsed().as_secs_f64(), processor_time("self") - before)
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

/// The same octets in the same two round trips as one message in flight takes, by somebody who knows what will be answered.
async fn floor(to: SocketAddr, connections: usize, count: usize, text: &[u8]) -> (f64, u64) {
    let commands = format!("MAIL FROM:<{SENDER}>\r\nRCPT TO:<{RECIPIENT}>\r\nDATA\r\n");
    let content = [text, b".\r\n"].concat();
    let opened = join_all((0..connections).map(|_| async {
        let mut stream = connect(to).await;
        hear(&mut stream, 1).await;
        stream.write_all(b"HELO localhost\r\n").await.expect("writes");
        hear(&mut stream, 1).await;
        stream
    }));
    let mut opened = opened.await;
    timed(async {
        join_all(opened.iter_mut().map(|stream| async {
            for _ in 0..count / connections {
                stream.write_all(commands.as_bytes()).await.expect("writes");
                hear(stream, 3).await;
                stream.write_all(&content).await.expect("writes");
                hear(stream, 1).await;
            }
        }))
        .await;
    })
    .await
}

/// Reads as many lines.
async fn hear(stream: &mut tokio::net::TcpStream, lines: usize) {
    let (mut room, mut heard) = ([0; 512], 0);
    while heard < lines {
        let count = stream.read(&mut room).await.expect("reads");
        assert!(count > 0);
        heard += memchr::memchr_iter(b'\n', &room[..count]).count();
    }
}

async fn connect(to: SocketAddr) -> tokio::net::TcpStream {
    let stream = tokio::net::TcpStream::connect(to).await.expect("connects");
    stream.set_nodelay(true).expect("is set");
    stream
}

fn lettre_envelope() -> LettreEnvelope {
    let recipients = vec![RECIPIENT.parse().expect("valid")];
    LettreEnvelope::new(Some(SENDER.parse().expect("valid")), recipients).expect("an envelope")
}

/// lettre's pool. Its sockets have TCP_NODELAY from without.
async fn lettre(to: SocketAddr, connections: usize, count: usize, text: &[u8]) -> (f64, u64) {
    let pool = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1")
        .port(to.port())
        .pool_config(PoolConfig::new().max_size(u32::try_from(connections).expect("few")))
        .build();
    let envelope = lettre_envelope();
    let run = |count: usize| {
        let (pool, envelope) = (&pool, &envelope);
        join_all((0..connections).map(move |_| async move {
            for _ in 0..count / connections {
                let _ = pool.send_raw(envelope, text).await.expect("sends");
            }
        }))
    };
    run(connections * 4).await;
    timed(async {
        run(count).await;
    })
    .await
}

/// A connection of lettre's for each sender, asked by NOOP before each message as its pool does.
async fn lettre_kept(to: SocketAddr, connections: usize, count: usize, text: &[u8]) -> (f64, u64) {
    let envelope = lettre_envelope();
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
