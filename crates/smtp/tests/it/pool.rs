//! Many sends, and the connections that they share.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use posthaste_smtp::{ConfigError, SmtpConfig, SmtpTransport, Tls};
use posthaste_transport::{Disposition, Retry, SendOptions, Transport};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::peer::Do::{Ignore, Read, ReadMessage, Say};
use crate::peer::Peer;
use crate::postbox::{Postbox, Running, mail, soon};

/// Accepts everything, and counts. It answers the end of a message only when it is given leave.
struct Counter {
    port: u16,
    open: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    opened: Arc<AtomicUsize>,
    goodbyes: Arc<AtomicUsize>,
    leave: Arc<Semaphore>,
}

impl Counter {
    async fn start(leave: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let counter = || Arc::new(AtomicUsize::new(0));
        let this = Self {
            port: listener.local_addr().unwrap().port(),
            open: counter(),
            most: counter(),
            opened: counter(),
            goodbyes: counter(),
            leave: Arc::new(Semaphore::new(leave)),
        };
        let (open, most, opened) = (Arc::clone(&this.open), Arc::clone(&this.most), Arc::clone(&this.opened));
        let (goodbyes, leave) = (Arc::clone(&this.goodbyes), Arc::clone(&this.leave));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                opened.fetch_add(1, Ordering::SeqCst);
                most.fetch_max(open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                let (open, goodbyes, leave) = (Arc::clone(&open), Arc::clone(&goodbyes), Arc::clone(&leave));
                tokio::spawn(async move {
                    let said_goodbye = converse(stream, &leave).await;
                    goodbyes.fetch_add(usize::from(said_goodbye.unwrap_or(false)), Ordering::SeqCst);
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        this
    }

    fn client(&self) -> SmtpConfig {
        SmtpTransport::builder("127.0.0.1").port(self.port).tls(Tls::None)
    }

    fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }

    fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    /// Waits until so many sessions have ended with QUIT.
    async fn goodbyes(&self, count: usize) {
        let said = async {
            while self.goodbyes.load(Ordering::SeqCst) < count {
                tokio::task::yield_now().await;
            }
        };
        soon(said).await;
    }
}

/// Serves one connection. Tells whether it ended with QUIT.
async fn converse(stream: TcpStream, leave: &Semaphore) -> std::io::Result<bool> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 hi\r\n").await?;
    let mut line = String::new();
    let mut content = false;
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(false);
        }
        let reply: &[u8] = match line.trim_end() {
            "." => {
                content = false;
                leave.acquire().await.unwrap().forget();
                b"250 ok\r\n"
            }
            _ if content => continue,
            "DATA" => {
                content = true;
                b"354 go\r\n"
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(true);
            }
            _ => b"250 ok\r\n",
        };
        stream.write_all(reply).await?;
    }
}

/// Sends `count` messages, all begun before the first ends.
async fn send_many(client: &Arc<SmtpTransport>, count: usize) {
    let mut sends = JoinSet::new();
    for _ in 0..count {
        let client = Arc::clone(client);
        sends.spawn(async move {
            let mail = mail(&["bob@example.net"], "text\r\n");
            client.send(&mail, &SendOptions::new()).await.map(drop)
        });
    }
    for result in soon(sends.join_all()).await {
        result.unwrap();
    }
}

async fn send(client: &SmtpTransport) {
    let mail = mail(&["bob@example.net"], "text\r\n");
    let outcome = soon(client.send(&mail, &SendOptions::new())).await.unwrap();
    assert!(outcome.is_complete());
}

#[tokio::test]
async fn no_more_connections_than_allowed_whatever_is_sent() {
    for limit in [1, 3] {
        let server = Counter::start(1000).await;
        let client = Arc::new(
            server
                .client()
                .connections(limit)
                .messages_per_connection(7)
                .build()
                .unwrap(),
        );
        send_many(&client, 100).await;
        assert!(server.most() <= limit.into(), "{} of {limit}", server.most());
        let status = client.pool_status();
        assert!(status.idle <= limit.into(), "{status:?}");
        soon(client.close()).await;
        assert_eq!((client.pool_status().idle, client.pool_status().busy), (0, 0));
        server.goodbyes(server.opened()).await;
        assert!(server.opened() >= 100_usize.div_ceil(7), "{}", server.opened());
    }
}

#[tokio::test]
async fn sends_at_once_have_a_connection_each() {
    let server = Counter::start(0).await;
    let client = Arc::new(server.client().connections(4).build().unwrap());
    let sending = tokio::spawn({
        let client = Arc::clone(&client);
        async move { send_many(&client, 4).await }
    });
    let all_open = async {
        while server.most() < 4 {
            tokio::task::yield_now().await;
        }
    };
    soon(all_open).await;
    assert_eq!(client.pool_status().busy, 4);
    server.leave.add_permits(4);
    sending.await.unwrap();
    assert_eq!((client.pool_status().idle, client.pool_status().busy), (4, 0));
}

#[tokio::test]
async fn one_after_the_other_goes_over_one_connection() {
    let server = Counter::start(1000).await;
    let client = server.client().build().unwrap();
    for _ in 0..20 {
        send(&client).await;
    }
    assert_eq!(server.opened(), 1);
}

#[tokio::test]
async fn a_connection_is_closed_with_a_goodbye_after_so_many_messages() {
    let server = Counter::start(1000).await;
    let client = server
        .client()
        .connections(1)
        .messages_per_connection(3)
        .build()
        .unwrap();
    for _ in 0..9 {
        send(&client).await;
    }
    server.goodbyes(3).await;
    assert_eq!((server.opened(), server.most()), (3, 1));
}

#[tokio::test]
async fn connections_that_grow_old_are_closed_without_another_send() {
    for old in [
        |config: SmtpConfig| config.idle_timeout(Duration::from_millis(30)),
        |config: SmtpConfig| config.connection_lifetime(Duration::from_millis(30)),
    ] {
        let server = Counter::start(1000).await;
        let client = old(server.client()).build().unwrap();
        assert_eq!(soon(client.warm_up(2)).await.unwrap(), 2);
        server.goodbyes(2).await;
        assert_eq!(client.pool_status().idle, 0);
        send(&client).await;
        server.goodbyes(3).await;
    }
}

#[tokio::test]
async fn connections_can_be_opened_in_advance() {
    let server = Counter::start(1000).await;
    let client = Arc::new(server.client().connections(3).build().unwrap());
    assert_eq!(soon(client.warm_up(2)).await.unwrap(), 2);
    assert_eq!(soon(client.warm_up(100)).await.unwrap(), 1);
    assert_eq!(soon(client.warm_up(3)).await.unwrap(), 0);
    let status = client.pool_status();
    assert_eq!((status.idle, status.busy, status.limit), (3, 0, 3));
    send_many(&client, 30).await;
    assert_eq!((server.opened(), server.most()), (3, 3));
}

#[tokio::test]
async fn what_cannot_be_opened_in_advance_is_said_and_harms_nobody() {
    let good = vec![
        Say("220 hi\r\n"),
        Read(1),
        Say("250 hi\r\n"),
        Read(1),
        Say("250 ok\r\n"),
        Read(1),
        Say("250 ok\r\n"),
        Read(1),
        Say("354 go\r\n"),
        ReadMessage,
        Say("250 ok\r\n"),
        Ignore,
    ];
    let peer = Peer::start(vec![vec![Say("421 4.7.0 too many\r\n")], good]).await;
    let client = peer.client().connections(1).build().unwrap();
    let error = soon(client.warm_up(1)).await.unwrap_err();
    assert_eq!(
        (error.disposition(), error.retry()),
        (Disposition::NotAccepted, Retry::Safe)
    );
    assert_eq!((client.pool_status().idle, client.pool_status().busy), (0, 0));
    send(&client).await;
}

#[tokio::test]
async fn several_kept_connections_that_died_lose_no_message() {
    let postbox = Postbox::default();
    let running = Running::start(postbox.server()).await;
    let client = running.client().connections(3).build().unwrap();
    soon(client.warm_up(3)).await.unwrap();
    let address = running.address;
    running.kill().await;
    let listener = postbox.server().bind(address).await.unwrap();
    let task = tokio::spawn(listener.serve_until(std::future::pending()));
    for _ in 0..3 {
        send(&client).await;
    }
    assert_eq!(postbox.messages().len(), 3);
    task.abort();
}

#[tokio::test]
async fn those_who_wait_are_served_in_their_order_and_may_give_up() {
    let server = Counter::start(0).await;
    let client = Arc::new(server.client().connections(1).build().unwrap());
    let mail = mail(&["bob@example.net"], "text\r\n");
    let options = SendOptions::new();
    let impatient = SendOptions::new().with_deadline(Duration::from_millis(20));
    let first = client.send(&mail, &options);
    let second = client.send(&mail, &impatient);
    let third = client.send(&mail, &options);
    let after = async {
        let error = second.await.unwrap_err();
        assert_eq!(error.disposition(), Disposition::NotAccepted);
        server.leave.add_permits(2);
    };
    let (first, (), third) = soon(async { tokio::join!(biased; first, after, third) }).await;
    assert!(first.unwrap().is_complete() && third.unwrap().is_complete());
    assert_eq!(server.opened(), 1);
}

#[tokio::test]
async fn closing_waits_for_what_was_begun() {
    let server = Counter::start(0).await;
    let client = Arc::new(server.client().connections(2).build().unwrap());
    let mail = mail(&["bob@example.net"], "text\r\n");
    let options = SendOptions::new();
    let close = async {
        let closing = client.close();
        server.leave.add_permits(1);
        closing.await;
    };
    let (sent, ()) = soon(async { tokio::join!(biased; client.send(&mail, &options), close) }).await;
    assert!(sent.unwrap().is_complete());
    server.goodbyes(1).await;
    server.leave.add_permits(1);
    send(&client).await;
    assert_eq!(server.opened(), 2);
}

#[tokio::test]
async fn a_dropped_send_frees_its_place() {
    let server = Counter::start(0).await;
    let client = server.client().connections(1).build().unwrap();
    let mail = mail(&["bob@example.net"], "text\r\n");
    let options = SendOptions::new();
    let dropped = tokio::time::timeout(Duration::from_millis(30), client.send(&mail, &options)).await;
    assert!(dropped.is_err());
    assert_eq!(client.pool_status().busy, 0);
    server.leave.add_permits(10);
    send(&client).await;
}

#[test]
fn a_pool_outlives_the_runtime_that_it_was_first_used_in() {
    let client = Arc::new(std::sync::OnceLock::new());
    for _ in 0..2 {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let postbox = Postbox::default();
            let running = Running::start(postbox.server()).await;
            let one: SmtpTransport = running
                .client()
                .idle_timeout(Duration::from_millis(20))
                .build()
                .unwrap();
            let one = client.get_or_init(|| one);
            // The second time its server is gone: an error, nothing worse.
            let _ = soon(one.send(&mail(&["bob@example.net"], "text\r\n"), &SendOptions::new())).await;
            running.kill().await;
        });
    }
    assert_eq!(client.get().unwrap().pool_status().busy, 0);
}

#[test]
fn bounds_that_nothing_can_keep_are_refused() {
    let none = || SmtpConfig::new("h.example").tls(Tls::None);
    for (config, name) in [
        (none().connections(0), "connections"),
        (none().messages_per_connection(0), "messages_per_connection"),
    ] {
        let error = config.build().unwrap_err();
        assert!(
            matches!(error, ConfigError::Invalid { setting, .. } if setting == name),
            "{error}"
        );
    }
    let url = "smtp://h.example?tls=none&connections=20&messages_per_connection=1000&connection_lifetime=10m";
    let client = SmtpConfig::from_url(url).unwrap().build().unwrap();
    assert_eq!(client.pool_status().limit, 20);
    assert!(SmtpConfig::from_url("smtp://h.example?connections=many").is_err());
}
