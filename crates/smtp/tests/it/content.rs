//! Messages that a handler reads as they come.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use posthaste_address::{Envelope, Recipient};
use posthaste_smtp::protocol::ContentFault;
use posthaste_smtp::server::{
    Content, Handler, HandlerFuture, Incoming, Incomplete, Limits, Server, ServerBuilder, Session, Verdict,
};
use tokio::io::AsyncWriteExt;
use tokio::sync::Semaphore;

use crate::talker::Client;

/// Reads one piece for each permit, and what `until` says at most.
#[derive(Clone)]
struct Reader {
    permits: Arc<Semaphore>,
    until: usize,
    verdict: Verdict,
    seen: Arc<Mutex<Seen>>,
    /// How often a permit was asked for.
    waits: Arc<std::sync::atomic::AtomicUsize>,
}

#[derive(Default)]
struct Seen {
    content: Vec<u8>,
    largest: usize,
    ends: Vec<Result<(), Incomplete>>,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            permits: Arc::new(Semaphore::new(1_000_000)),
            until: usize::MAX,
            verdict: Verdict::accept(),
            seen: Arc::default(),
            waits: Arc::default(),
        }
    }
}

impl Reader {
    fn server(&self) -> ServerBuilder {
        Server::builder(self.clone()).hostname("mx.example.net")
    }

    fn content(&self) -> Vec<u8> {
        self.seen.lock().unwrap().content.clone()
    }

    fn ends(&self) -> Vec<Result<(), Incomplete>> {
        self.seen.lock().unwrap().ends.clone()
    }
}

impl Handler for Reader {
    fn rcpt<'a>(&'a self, _: &'a Session, _: &'a Recipient) -> HandlerFuture<'a, Verdict> {
        Box::pin(std::future::ready(Verdict::accept()))
    }

    fn data<'a>(&'a self, _: &'a Session, _: Incoming) -> HandlerFuture<'a, Verdict> {
        panic!("messages are read as they come")
    }

    fn content<'a>(
        &'a self,
        _: &'a Session,
        envelope: &'a Envelope,
        content: &'a mut Content<'_>,
    ) -> HandlerFuture<'a, Verdict> {
        assert_eq!(envelope.recipients().len(), 1);
        Box::pin(async move {
            let mut pieces = 0;
            while pieces < self.until {
                self.waits.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                self.permits.acquire().await.unwrap().forget();
                match content.next().await {
                    Ok(Some(piece)) => {
                        let mut seen = self.seen.lock().unwrap();
                        seen.largest = seen.largest.max(piece.len());
                        seen.content.extend_from_slice(&piece);
                    }
                    Ok(None) => {
                        self.seen.lock().unwrap().ends.push(Ok(()));
                        break;
                    }
                    Err(why) => {
                        assert_eq!(content.next().await, Err(why.clone()));
                        self.seen.lock().unwrap().ends.push(Err(why));
                        break;
                    }
                }
                pieces += 1;
            }
            self.verdict.clone()
        })
    }
}

const MAIL: [(&str, u16); 2] = [("MAIL FROM:<a@b.example>", 250), ("RCPT TO:<c@d.example>", 250)];

#[tokio::test]
async fn pieces_make_the_whole() {
    let reader = Reader::default();
    let mut client = Client::in_data(reader.server()).await;
    let text = "From: a@b.example\r\n\r\n".to_owned() + &"..0123456789\r\n".repeat(50_000);
    client.write(text.as_bytes()).await;
    client.write(b".\r\n").await;
    assert_eq!(client.code().await, 250);
    assert_eq!(reader.content(), text.replace("\r\n..", "\r\n.").as_bytes());
    assert_eq!(reader.ends(), [Ok(())]);
    assert!(reader.seen.lock().unwrap().largest <= 64 * 1024);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_takes_its_time_slows_the_client_down() {
    let reader = Reader {
        permits: Arc::new(Semaphore::new(0)),
        ..Reader::default()
    };
    let mut client = Client::in_data(reader.server()).await;
    let flood = client.stream.write_all(&[b'x'; 1 << 20]);
    // The pipe holds 64 KiB, and the server reads ahead at most 64 KiB.
    assert!(tokio::time::timeout(Duration::from_secs(60), flood).await.is_err());
    assert!(reader.content().is_empty());
}

#[tokio::test(start_paused = true)]
async fn only_a_handler_that_stands_still_is_late() {
    let reader = Reader {
        permits: Arc::new(Semaphore::new(0)),
        ..Reader::default()
    };
    let limits = Limits::default().handler(Duration::from_secs(10));
    let mut client = Client::in_data(reader.server().limits(limits.clone())).await;
    for _ in 0..10 {
        reader.permits.add_permits(1);
        client.write(b"x\r\n").await;
        tokio::time::sleep(Duration::from_secs(8)).await;
    }
    client.write(b".\r\n").await;
    reader.permits.add_permits(1);
    assert_eq!(client.code().await, 250);

    let mut client = Client::in_data(reader.server().limits(limits)).await;
    client.write(b"x\r\n.\r\n").await;
    assert_eq!(client.code().await, 451);
    assert_eq!(client.say("NOOP").await, 250);
    assert_eq!(reader.ends(), [Ok(())]);
}

#[tokio::test(start_paused = true)]
async fn the_handler_sees_what_goes_wrong() {
    for (sent, end, codes) in [
        ("x\ny\r\n.\r\n", ContentFault::BareLineEnd.into(), [554, 0]),
        ("x\r\n.\n.\r\n\r\n.\r\n", ContentFault::BareLineEnd.into(), [554, 0]),
        (
            "0123456789\r\n0123456789\r\n.\r\n",
            ContentFault::TooBig.into(),
            [552, 250],
        ),
        ("x", Incomplete::TimedOut, [421, 0]),
    ] {
        let reader = Reader::default();
        let limits = Limits::default().message_size(20).content(Duration::from_secs(5));
        let mut client = Client::in_data(reader.server().limits(limits)).await;
        client.write(sent.as_bytes()).await;
        assert_eq!(client.code().await, codes[0], "{sent:?}");
        assert_eq!(client.say("NOOP").await, codes[1], "{sent:?}");
        assert_eq!(reader.ends(), [Err(end)], "{sent:?}");
    }
    let reader = Reader::default();
    let mut client = Client::in_data(reader.server()).await;
    client.write(b"x\r\n.\r").await;
    client.stream.shutdown().await.unwrap();
    assert_eq!(client.code().await, 0);
    assert_eq!(reader.ends(), [Err(Incomplete::Disconnected)]);
}

#[tokio::test]
async fn a_loop_is_seen_before_the_body() {
    let reader = Reader::default();
    let mut client = Client::in_data(reader.server().limits(Limits::default().hops(1))).await;
    client.write(b"Received: x\r\n\r\n").await;
    client.write(b"body\r\n.\r\n").await;
    assert_eq!((client.code().await, client.say("NOOP").await), (554, 250));
    assert!(matches!(&reader.ends()[..], [Err(Incomplete::Refused(verdict))] if verdict.code() == 554));
}

#[tokio::test]
async fn an_early_decision_counts_only_if_it_is_no() {
    for (verdict, code) in [
        (Verdict::accept(), 451),
        (Verdict::refuse(550, (7, 1), "no"), 550),
        (Verdict::refuse(550, (7, 1), "no").and_close(), 550),
    ] {
        for until in [0, 1] {
            let reader = Reader {
                until,
                verdict: verdict.clone(),
                ..Reader::default()
            };
            let mut client = Client::in_data(reader.server()).await;
            client.write(&b"0123456789\r\n".repeat(10_000)).await;
            client.write(b".\r\n").await;
            assert_eq!(client.code().await, code);
            assert_eq!(client.say("NOOP").await, if verdict.closes() { 0 } else { 250 });
        }
    }
    let reader = Reader {
        until: 0,
        verdict: Verdict::refuse(550, (7, 1), "no"),
        ..Reader::default()
    };
    let mut client = Client::greeted(reader.server()).await;
    client.check(&MAIL).await;
    client
        .write(b"BDAT 10\r\n01234567\r\nBDAT 10 LAST\r\n01234567\r\n")
        .await;
    assert_eq!((client.code().await, client.code().await), (550, 503));
    assert_eq!(client.say("NOOP").await, 250);
}

#[tokio::test]
async fn a_flood_that_nobody_wants_ends() {
    let mut client = Client::in_data(Reader::default().server().limits(Limits::default().message_size(100))).await;
    let flood = tokio::spawn(async move {
        while client.stream.write_all(&[b'x'; 4096]).await.is_ok() {}
        client.code().await
    });
    assert!(matches!(crate::postbox::soon(flood).await.unwrap(), 0 | 554));
}

#[tokio::test]
async fn chunks_are_one_message() {
    let reader = Reader::default();
    let mut client = Client::greeted(reader.server()).await;
    client.check(&MAIL).await;
    client.write(b"BDAT 5\r\nab\r\n\r").await;
    assert_eq!(client.code().await, 250);
    client
        .check(&[
            ("NOOP", 250),
            ("MAIL FROM:<a@b.example>", 503),
            ("DATA", 503),
            ("XYZZY", 500),
        ])
        .await;
    client.write(b"BDAT 1\r\n\nBDAT 4\r\n.\r\n.BDAT 0 LAST\r\n").await;
    assert_eq!(
        (client.code().await, client.code().await, client.code().await),
        (250, 250, 250)
    );
    assert_eq!(reader.content(), b"ab\r\n\r\n.\r\n.");
    assert_eq!(reader.ends(), [Ok(())]);
}

#[tokio::test]
async fn a_message_may_be_given_up_between_chunks() {
    for (word, code) in [("RSET", 250), ("QUIT", 221)] {
        let reader = Reader::default();
        let mut client = Client::greeted(reader.server()).await;
        client.check(&MAIL).await;
        client.write(b"BDAT 4\r\nab\r\n").await;
        assert_eq!(client.code().await, 250);
        assert_eq!(client.say(word).await, code);
        assert_eq!(reader.ends(), [Err(Incomplete::Abandoned)]);
        if word == "RSET" {
            client.check(&[("RCPT TO:<c@d.example>", 503), MAIL[0], MAIL[1]]).await;
        }
    }
    let reader = Reader::default();
    let mut client = Client::greeted(reader.server().limits(Limits::default().message_size(10))).await;
    client.check(&MAIL).await;
    client.write(b"BDAT 4\r\nab\r\n").await;
    assert_eq!(client.code().await, 250);
    assert_eq!((client.say("BDAT 11").await, client.code().await), (552, 0));
}

#[tokio::test]
async fn memory_is_shared() {
    let postbox = crate::postbox::Postbox::default();
    let limits = Limits::default().memory(100_000);
    let mut client = Client::in_data(postbox.server().limits(limits)).await;
    client.write(&b"0123456789\r\n".repeat(10_000)).await;
    client.write(b".\r\n").await;
    assert_eq!(client.code().await, 452);
    // What was refused takes none.
    for _ in 0..3 {
        client.check(&MAIL).await;
        assert_eq!(client.say("DATA").await, 354);
        client.write(&b"0123456789\r\n".repeat(8_000)).await;
        client.write(b".\r\n").await;
        assert_eq!(client.code().await, 250);
    }
    assert_eq!(postbox.messages().len(), 3);
}

#[tokio::test]
async fn a_message_that_was_taken_is_acknowledged_before_a_slow_handler_is_asked_again() {
    let reader = Reader {
        permits: Arc::new(Semaphore::new(0)),
        ..Reader::default()
    };
    let mut client = Client::greeted(reader.server()).await;
    client.check(&MAIL).await;
    client.write(b"BDAT 3 LAST\r\nx\r\n").await;
    while reader.permits.available_permits() > 0 || reader.waits.load(std::sync::atomic::Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    reader.permits.add_permits(2);
    assert_eq!(client.code().await, 250);

    let one = "MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nBDAT 3 LAST\r\nx\r\n";
    reader.permits.add_permits(2);
    client.write(one.repeat(2).as_bytes()).await;
    // The last message has no permit yet.
    for _ in 0..5 {
        assert_eq!(client.code().await, 250);
    }
    reader.permits.add_permits(2);
    assert_eq!(client.code().await, 250);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_gave_up_reading_is_late_too() {
    struct Impatient;

    impl Handler for Impatient {
        fn rcpt<'a>(&'a self, _: &'a Session, _: &'a Recipient) -> HandlerFuture<'a, Verdict> {
            Box::pin(std::future::ready(Verdict::accept()))
        }

        fn data<'a>(&'a self, _: &'a Session, _: Incoming) -> HandlerFuture<'a, Verdict> {
            panic!("messages are read as they come")
        }

        fn content<'a>(
            &'a self,
            _: &'a Session,
            _: &'a Envelope,
            content: &'a mut Content<'_>,
        ) -> HandlerFuture<'a, Verdict> {
            Box::pin(async move {
                let _ = tokio::time::timeout(Duration::from_secs(1), content.next()).await;
                std::future::pending().await
            })
        }
    }

    let limits = Limits::default().handler(Duration::from_secs(10));
    let server = Server::builder(Impatient).hostname("mx.example.net").limits(limits);
    let mut client = Client::in_data(server).await;
    let start = tokio::time::Instant::now();
    tokio::time::sleep(Duration::from_secs(30)).await;
    client.write(b"x\r\n.\r\n").await;
    assert_eq!(client.code().await, 451);
    assert!(start.elapsed() < Duration::from_secs(60));
}

#[tokio::test]
async fn a_handler_that_leaves_between_chunks_ends_the_session() {
    struct Leaving;

    impl Handler for Leaving {
        fn rcpt<'a>(&'a self, _: &'a Session, _: &'a Recipient) -> HandlerFuture<'a, Verdict> {
            Box::pin(std::future::ready(Verdict::accept()))
        }

        fn data<'a>(&'a self, _: &'a Session, _: Incoming) -> HandlerFuture<'a, Verdict> {
            panic!("messages are read as they come")
        }

        fn content<'a>(
            &'a self,
            _: &'a Session,
            _: &'a Envelope,
            content: &'a mut Content<'_>,
        ) -> HandlerFuture<'a, Verdict> {
            Box::pin(async move {
                let first = content.next().await;
                assert!(first.is_ok());
                // Looks for the next chunk, which is not there yet, and does not wait for it.
                let mut next = std::pin::pin!(content.next());
                let looked = std::future::poll_fn(|context| std::task::Poll::Ready(next.as_mut().poll(context)));
                assert!(looked.await.is_pending());
                Verdict::refuse(550, (7, 1), "no")
            })
        }
    }

    let mut client = Client::greeted(Server::builder(Leaving).hostname("mx.example.net")).await;
    client.check(&MAIL).await;
    client.write(b"BDAT 3\r\nx\r\n").await;
    assert_eq!(
        (client.code().await, client.code().await, client.code().await),
        (250, 421, 0)
    );
}
