//! What goes wrong on the way, step by step: what the send says, when it says it, and that nothing is sent twice.
//!
//! Connections are pipes in memory and the clock is tokio's, which jumps: deadlines are the real ones and cost no time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use posthaste_smtp::{ConnectFuture, Connected, Connector, SmtpTransport, Tls};
use posthaste_transport::{Disposition, ErrorKind, Outcome, Retry, SendError, SendOptions, Transport};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream};
use tokio::time::Instant;

use crate::postbox::mail;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Connect,
    Greeting,
    Ehlo,
    Mail,
    Rcpt,
    /// DATA; there is none with BDAT.
    Data,
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Nothing more is said.
    Stall,
    /// One octet a second, of a reply without an end.
    Drip,
    /// The connection is closed.
    Drop,
    /// Nothing more is said, and the connection is closed in one direction.
    HalfClose,
    /// Something that is no reply.
    Garbage,
    /// A reply that has no meaning there.
    Nonsense,
    /// 421, and the connection is closed.
    Close,
    /// 451.
    Later,
    /// 550.
    Never,
}

/// Serves sessions in memory. The first fails as it is told, the others go well.
#[derive(Debug)]
struct Server {
    fault: Mutex<Option<(Step, Fault)>>,
    /// How many messages go well before the fault.
    after: usize,
    chunking: bool,
    kept: Arc<AtomicUsize>,
    connections: AtomicUsize,
}

/// The way to it.
#[derive(Debug)]
struct Pipes(Arc<Server>);

impl Connector for Pipes {
    fn connect<'a>(&'a self, _: &'a str, _: u16) -> ConnectFuture<'a> {
        Box::pin(async move {
            let server = &self.0;
            server.connections.fetch_add(1, Ordering::SeqCst);
            let fault = server.fault.lock().unwrap().take();
            match fault {
                Some((Step::Connect, Fault::Drop)) => return Err(std::io::ErrorKind::ConnectionRefused.into()),
                Some((Step::Connect, _)) => std::future::pending::<()>().await,
                _ => {}
            }
            let (near, far) = tokio::io::duplex(64 * 1024);
            tokio::spawn(serve(
                far,
                server.chunking,
                (server.after, fault),
                Arc::clone(&server.kept),
            ));
            Ok(Connected::new(near))
        })
    }
}

async fn serve(
    stream: DuplexStream,
    chunking: bool,
    (after, mut planned): (usize, Option<(Step, Fault)>),
    kept: Arc<AtomicUsize>,
) {
    let mut stream = BufReader::new(stream);
    let (mut done, mut refused) = (0, false);
    let mut fault = planned.filter(|_| after == 0);
    if !answer(&mut stream, Step::Greeting, "220 hi\r\n", fault).await {
        return;
    }
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await.unwrap_or_default() == 0 {
            return;
        }
        let hello = match chunking {
            true => "250-hi\r\n250-PIPELINING\r\n250 CHUNKING\r\n",
            false => "250-hi\r\n250 PIPELINING\r\n",
        };
        let (step, reply) = match line.split([' ', ':', '\r']).next().unwrap() {
            "EHLO" => (Step::Ehlo, hello),
            "MAIL" => (Step::Mail, "250 ok\r\n"),
            "RCPT" => (Step::Rcpt, "250 ok\r\n"),
            "DATA" => (Step::Data, "354 go\r\n"),
            "BDAT" => {
                let size = line.split(' ').nth(1).unwrap().parse().unwrap();
                let mut content = vec![0; size];
                if stream.read_exact(&mut content).await.is_err() {
                    return;
                }
                (Step::End, "250 ok\r\n")
            }
            _ => (Step::Ehlo, "250 ok\r\n"),
        };
        let reply = if refused && step > Step::Mail {
            "503 5.5.1 no\r\n"
        } else {
            reply
        };
        if !answer(&mut stream, step, reply, fault).await {
            return;
        }
        let refuses = fault.is_some_and(|(at, fault)| at == step && matches!(fault, Fault::Later | Fault::Never));
        refused = refuses || (refused && step > Step::Mail);
        if step == Step::Data && !refused {
            while line != ".\r\n" {
                line.clear();
                if stream.read_line(&mut line).await.unwrap_or_default() == 0 {
                    return;
                }
            }
            // A server keeps the message before it says so, or cannot say so.
            let refuses = fault.is_some_and(|(at, fault)| {
                at == Step::End && matches!(fault, Fault::Later | Fault::Never | Fault::Close)
            });
            kept.fetch_add(usize::from(!refuses), Ordering::SeqCst);
            if !answer(&mut stream, Step::End, "250 ok\r\n", fault).await {
                return;
            }
            done += 1;
        } else if step == Step::End {
            kept.fetch_add(usize::from(!refused), Ordering::SeqCst);
            done += 1;
        }
        // A refusal is the last thing that goes wrong.
        let over = |(at, fault): &(Step, Fault)| *at == step && matches!(fault, Fault::Later | Fault::Never);
        let ended = done > after && fault.is_some();
        planned = planned.filter(|planned| !ended && !over(planned));
        fault = planned.filter(|_| done >= after);
    }
}

/// Answers `step`, well or not. Whether the session goes on.
async fn answer(stream: &mut BufReader<DuplexStream>, step: Step, reply: &str, fault: Option<(Step, Fault)>) -> bool {
    let fault = fault.filter(|(at, _)| *at == step).map(|(_, fault)| fault);
    let text = match fault {
        None => reply,
        Some(Fault::Stall) => return std::future::pending().await,
        Some(Fault::Drip) => {
            let mut octets = "250-".bytes().chain(std::iter::repeat(b'x'));
            while stream.write_all(&[octets.next().unwrap()]).await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            return false;
        }
        Some(Fault::Drop) => return false,
        Some(Fault::HalfClose) => {
            let _ = stream.shutdown().await;
            return std::future::pending().await;
        }
        Some(Fault::Garbage) => "HTTP/1.1 400 Bad Request\r\n",
        Some(Fault::Nonsense) => "333 what\r\n",
        Some(Fault::Close) => "421 4.3.2 going down\r\n",
        Some(Fault::Later) => "451 4.7.1 greylisted\r\n",
        Some(Fault::Never) => "550 5.7.1 never\r\n",
    };
    stream.write_all(text.as_bytes()).await.is_ok() && fault != Some(Fault::Close)
}

/// The deadline that ends a step at which nothing is said, in seconds (RFC 5321 §4.5.3.2).
fn deadline(step: Step) -> u64 {
    match step {
        Step::Connect => 30,
        Step::Data => 120,
        Step::End => 600,
        _ => 300,
    }
}

/// What a send has to say: its kind, whether it may be repeated, and the reply.
fn expected(step: Step, fault: Fault, chunking: bool) -> (Option<ErrorKind>, Disposition, Option<u16>) {
    // By BDAT the message goes along with its commands.
    let sent = step == Step::End || (chunking && step >= Step::Mail);
    let in_doubt = if sent {
        Disposition::Ambiguous
    } else {
        Disposition::NotAccepted
    };
    match fault {
        Fault::Stall | Fault::Drip => (Some(ErrorKind::Timeout), in_doubt, None),
        Fault::Drop | Fault::HalfClose => (Some(ErrorKind::Unavailable), in_doubt, None),
        Fault::Garbage | Fault::Nonsense => (Some(ErrorKind::Unknown), in_doubt, None),
        Fault::Close => (None, Disposition::NotAccepted, Some(421)),
        Fault::Later => (None, Disposition::NotAccepted, Some(451)),
        Fault::Never => (None, Disposition::NotAccepted, Some(550)),
    }
}

async fn send(client: &SmtpTransport, deadline: Option<Duration>) -> Result<Outcome, SendError> {
    let options = deadline.map_or_else(SendOptions::new, |deadline| SendOptions::new().with_deadline(deadline));
    client.send(&mail(&["bob@example.net"], "text\r\n"), &options).await
}

fn client(server: &Arc<Server>) -> SmtpTransport {
    let config = SmtpTransport::builder("memory").tls(Tls::None);
    config.connector(Pipes(Arc::clone(server))).build().unwrap()
}

fn server(step: Step, fault: Fault, chunking: bool) -> Arc<Server> {
    Arc::new(Server {
        fault: Mutex::new(Some((step, fault))),
        after: 0,
        chunking,
        kept: Arc::default(),
        connections: AtomicUsize::new(0),
    })
}

const STEPS: [Step; 7] = [
    Step::Connect,
    Step::Greeting,
    Step::Ehlo,
    Step::Mail,
    Step::Rcpt,
    Step::Data,
    Step::End,
];
const FAULTS: [Fault; 9] = [
    Fault::Stall,
    Fault::Drip,
    Fault::Drop,
    Fault::HalfClose,
    Fault::Garbage,
    Fault::Nonsense,
    Fault::Close,
    Fault::Later,
    Fault::Never,
];

/// Every fault at every step at which it can happen.
fn table() -> impl Iterator<Item = (Step, Fault, bool)> {
    let all = STEPS
        .into_iter()
        .flat_map(|step| FAULTS.into_iter().map(move |fault| (step, fault)));
    all.flat_map(|(step, fault)| [(step, fault, false), (step, fault, true)])
        .filter(|&(step, fault, chunking)| match step {
            Step::Connect => matches!(fault, Fault::Stall | Fault::Drop),
            Step::Data => !chunking,
            _ => true,
        })
}

#[tokio::test(start_paused = true)]
async fn every_fault_at_every_step_has_its_outcome() {
    for (step, fault, chunking) in table() {
        let case = format!("{fault:?} at {step:?}, chunking {chunking}");
        let server = server(step, fault, chunking);
        let client = client(&server);
        let begun = Instant::now();
        let error = send(&client, None).await.expect_err(&case);
        let (kind, disposition, code) = expected(step, fault, chunking);
        assert_eq!(error.disposition(), disposition, "{case}: {error}");
        assert_eq!(
            error.reply().map(posthaste_transport::Reply::code),
            code,
            "{case}: {error}"
        );
        if let Some(kind) = kind {
            assert_eq!(error.kind(), kind, "{case}: {error}");
        }
        let waited = begun.elapsed().as_secs();
        match fault {
            Fault::Stall => assert_eq!(waited, deadline(step), "{case}"),
            // 64 KiB or 8192 octets of one line would end it too; 300 or 600 come sooner.
            Fault::Drip => assert_eq!(waited, deadline(step), "{case}"),
            _ => assert_eq!(waited, 0, "{case}"),
        }
        let retry = match (disposition, fault) {
            (Disposition::Ambiguous, _) => Retry::MayDuplicate,
            (_, Fault::Never | Fault::Garbage | Fault::Nonsense) => error.retry(),
            _ => Retry::Safe,
        };
        assert_eq!(error.retry(), retry, "{case}: {error}");

        // Who repeats what may be repeated sends it once, over a connection that is in order.
        let kept = server.kept.load(Ordering::SeqCst);
        if error.disposition() == Disposition::NotAccepted {
            assert_eq!(kept, 0, "{case}");
            assert!(send(&client, None).await.unwrap().is_complete(), "{case}");
            assert_eq!(server.kept.load(Ordering::SeqCst), 1, "{case}");
        } else {
            assert!(kept <= 1, "{case}");
            let before = server.connections.load(Ordering::SeqCst);
            assert!(send(&client, None).await.is_ok(), "{case}");
            assert_eq!(server.connections.load(Ordering::SeqCst), before + 1, "{case}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_the_send_ends_every_step() {
    for (step, fault, chunking) in table() {
        if !matches!(fault, Fault::Stall | Fault::Drip) {
            continue;
        }
        let server = server(step, fault, chunking);
        let begun = Instant::now();
        let error = send(&client(&server), Some(Duration::from_secs(7))).await.unwrap_err();
        assert_eq!(begun.elapsed().as_secs(), 7, "{fault:?} at {step:?}");
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert_eq!(
            error.disposition(),
            expected(step, fault, chunking).1,
            "{fault:?} at {step:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_kept_connection_that_fails_before_the_message_is_replaced_unseen() {
    for chunking in [false, true] {
        for step in [Step::Mail, Step::Rcpt] {
            for fault in [Fault::Drop, Fault::HalfClose, Fault::Close] {
                let mut server = server(step, fault, chunking);
                Arc::get_mut(&mut server).unwrap().after = 1;
                let client = client(&server);
                assert!(send(&client, None).await.is_ok());
                // Long enough for the server to have gone unnoticed.
                tokio::time::sleep(Duration::from_secs(30)).await;
                let case = format!("{fault:?} at {step:?}, chunking {chunking}");
                assert!(send(&client, None).await.is_ok(), "{case}");
                assert_eq!(server.kept.load(Ordering::SeqCst), 2, "{case}");
                assert_eq!(server.connections.load(Ordering::SeqCst), 2, "{case}");
            }
        }
    }
}

/// A server that takes a message at one octet a second.
#[derive(Debug)]
struct Sip;

impl Connector for Sip {
    fn connect<'a>(&'a self, _: &'a str, _: u16) -> ConnectFuture<'a> {
        let (near, mut far) = tokio::io::duplex(1024);
        tokio::spawn(async move {
            let talk = [
                "220 hi\r\n",
                "250-hi\r\n250 PIPELINING\r\n",
                "250 ok\r\n250 ok\r\n354 go\r\n",
            ];
            let mut room = [0; 512];
            for reply in talk {
                far.write_all(reply.as_bytes()).await?;
                if far.read(&mut room).await? == 0 {
                    break;
                }
            }
            while far.read(&mut room[..1]).await? > 0 {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Ok::<(), std::io::Error>(())
        });
        Box::pin(async move { Ok(Connected::new(near)) })
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_one_octet_a_second_is_not_waited_for() {
    let client = SmtpTransport::builder("memory")
        .tls(Tls::None)
        .connector(Sip)
        .build()
        .unwrap();
    let begun = Instant::now();
    let mail = mail(&["bob@example.net"], &"0123456789abcdef\r\n".repeat(20_000));
    let error = client.send(&mail, &SendOptions::new()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.disposition(), error.retry()),
        (ErrorKind::Timeout, Disposition::NotAccepted, Retry::Safe)
    );
    // 3 minutes for a block (RFC 5321 §4.5.3.2.5).
    assert_eq!(begun.elapsed().as_secs(), 180);
}
