//! The receiving side dies in the middle of a run: what is reported sent was accepted, and what nobody can know is
//! reported as ambiguous.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use posthaste::smtp::server::{Handler, HandlerFuture, Incoming, Server, Session, Verdict};
use posthaste::smtp::testing::{Fault, Stage, TestServer};
use posthaste::smtp::{SmtpTransport, Timeouts, Tls};
use posthaste::{Disposition, Mailer, Message, Recipient, Retry, RetryPolicy};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

/// Accepts messages until one comes that it never answers.
struct Mortal {
    /// What was accepted, by subject; the client was told so only after it was written here.
    accepted: Arc<Mutex<Vec<String>>>,
    last_words: Mutex<Option<oneshot::Sender<()>>>,
    survives: usize,
}

impl Handler for Mortal {
    fn rcpt<'a>(&'a self, _: &'a Session, _: &'a Recipient) -> HandlerFuture<'a, Verdict> {
        Box::pin(async { Verdict::accept() })
    }

    fn data<'a>(&'a self, _: &'a Session, incoming: Incoming) -> HandlerFuture<'a, Verdict> {
        let text = String::from_utf8_lossy(incoming.content()).into_owned();
        let subject = text
            .lines()
            .find_map(|line| line.strip_prefix("Subject: "))
            .unwrap_or_default()
            .to_owned();
        let mut accepted = self.accepted.lock().unwrap();
        if accepted.len() == self.survives {
            // The final dot is here, the answer never will be.
            drop(accepted);
            if let Some(sender) = self.last_words.lock().unwrap().take() {
                sender.send(()).unwrap();
            }
            return Box::pin(std::future::pending());
        }
        accepted.push(subject);
        Box::pin(async { Verdict::accept() })
    }
}

/// A receiving side with threads of its own, so that it can be killed whole: its sockets close, nothing is answered.
struct Victim {
    runtime: Runtime,
    address: SocketAddr,
    accepted: Arc<Mutex<Vec<String>>>,
    dying: oneshot::Receiver<()>,
}

impl Victim {
    fn start(survives: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let accepted = Arc::new(Mutex::new(Vec::new()));
        let (last_words, dying) = oneshot::channel();
        let handler = Mortal {
            accepted: Arc::clone(&accepted),
            last_words: Mutex::new(Some(last_words)),
            survives,
        };
        let server = runtime
            .block_on(
                Server::builder(handler)
                    .hostname("mx.example.net")
                    .bind((Ipv4Addr::LOCALHOST, 0)),
            )
            .unwrap();
        let address = server.local_addr();
        runtime.spawn(server.serve_until(std::future::pending()));
        Self {
            runtime,
            address,
            accepted,
            dying,
        }
    }
}

fn message(number: usize) -> Message {
    Message::builder()
        .from("ada@example.org".parse().unwrap())
        .to("bob@example.net".parse().unwrap())
        .subject(format!("number {number}"))
        .text("First line")
        .build()
        .unwrap()
}

#[test]
fn nothing_is_reported_sent_that_was_not_accepted() {
    for survives in [0, 1, 7] {
        let victim = Victim::start(survives);
        let transport = SmtpTransport::builder("127.0.0.1")
            .port(victim.address.port())
            .tls(Tls::None)
            .timeouts(Timeouts::all(Duration::from_secs(20)))
            .build()
            .unwrap();
        let policy = RetryPolicy::default()
            .with_base_delay(Duration::from_millis(1))
            .with_max_delay(Duration::from_millis(2));
        let mailer = Mailer::builder(transport).retry(policy).build();

        let client = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let (killer_runtime, dying) = (victim.runtime, victim.dying);
        let killer = std::thread::spawn(move || {
            dying
                .blocking_recv()
                .expect("the message that is never answered arrives");
            killer_runtime.shutdown_background();
        });

        let (mut sent, mut ambiguous, mut not_accepted) = (Vec::new(), Vec::new(), Vec::new());
        client.block_on(async {
            for number in 0..survives + 4 {
                match mailer.send(message(number)).await {
                    Ok(outcome) => {
                        assert!(outcome.is_complete());
                        sent.push(format!("number {number}"));
                    }
                    Err(error) => match error.disposition() {
                        Disposition::Ambiguous => {
                            assert_eq!(error.retry(), Retry::MayDuplicate);
                            ambiguous.push(number);
                        }
                        Disposition::NotAccepted => {
                            assert_eq!(error.retry(), Retry::Safe, "{error}");
                            not_accepted.push(number);
                        }
                        other => panic!("{other:?}: {error}"),
                    },
                }
                if ambiguous.len() + not_accepted.len() > 1 {
                    break;
                }
            }
        });
        killer.join().unwrap();

        assert_eq!(sent, *victim.accepted.lock().unwrap(), "reported sent, and accepted");
        assert_eq!(ambiguous, [survives], "the one in flight");
        assert_eq!(not_accepted, [survives + 1], "the next one finds nobody");
    }
}

#[test]
fn no_message_is_taken_twice_whatever_goes_wrong() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let server = TestServer::start().await.unwrap();
        let transport = SmtpTransport::from_url(&server.url()).unwrap();
        let policy = RetryPolicy::default()
            .with_base_delay(Duration::from_micros(1))
            .with_max_delay(Duration::from_micros(2));
        let mailer = Mailer::builder(transport).retry(policy).build();
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let (mut sent, mut unknown) = (0, 0);
        for number in 0..2000 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let fault = match state % 12 {
                0 => Some(Fault::hang_up(Stage::Mail)),
                1 => Some(Fault::hang_up(Stage::Rcpt)),
                2 => Some(Fault::hang_up(Stage::Data)),
                3 => Some(Fault::lose_reply()),
                4 => Some(Fault::reply(Stage::Rcpt, Verdict::defer(450, (7, 1), "greylisted"))),
                5 => Some(Fault::reply(Stage::Data, Verdict::defer(451, (3, 0), "later"))),
                6 => Some(Fault::reply(Stage::Mail, Verdict::defer(421, (3, 2), "closing"))),
                _ => None,
            };
            server.mend();
            if let Some(fault) = fault {
                server.fail(fault.times(1));
            }
            server.clear();
            let result = mailer.send(message(number)).await;
            let taken = server.received().len();
            match result {
                Ok(outcome) => {
                    assert!(outcome.is_complete());
                    assert_eq!(taken, 1, "message {number} was reported sent");
                    sent += 1;
                }
                Err(error) if error.disposition() == Disposition::Ambiguous => {
                    assert!(taken <= 1, "message {number} was taken {taken} times");
                    unknown += 1;
                }
                Err(error) => assert_eq!(taken, 0, "message {number}: {error}"),
            }
        }
        assert!(sent > 1000, "{sent}");
        assert!(unknown > 100, "{unknown}");
    });
}
