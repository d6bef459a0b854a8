//! What does the driver cost beside plain reqwest, to the same server on loopback?
//!
//! One message of 5 KB by SendGrid's adapter: the adapter and the driver alone; then a race to a server that takes a request and says
//! 202, between the same bytes posted again and again by reqwest, a request that is made anew each time by serde_json and reqwest, as
//! a program without this crate would, and a whole send, message to outcome.
//!
//! Server and clients share one thread: what is measured is what they do, and not how long the machine takes to wake another one.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench says plainly what it expects"
)]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group};
use posthaste_mime::Message;
use posthaste_providers::{HttpClient, HttpFuture, HttpRequest, HttpResponse, Provider, ReqwestClient, SendGrid};
use posthaste_transport::{Outbound, SendOptions, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;

/// Answers every request on a connection.
async fn serve(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    let mut piece = vec![0; 64 << 10];
    loop {
        let (head, length) = loop {
            let text = String::from_utf8_lossy(&buffer);
            if let Some((head, _)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| {
                    line.to_ascii_lowercase()
                        .strip_prefix("content-length:")?
                        .trim()
                        .parse()
                        .ok()
                });
                break (head.len() + 4, length.unwrap_or(0_usize));
            }
            let count = stream.read(&mut piece).await?;
            if count == 0 {
                return Ok(());
            }
            buffer.extend_from_slice(piece.get(..count).unwrap_or_default());
        };
        while buffer.len() < head + length {
            let count = stream.read(&mut piece).await?;
            buffer.extend_from_slice(piece.get(..count).unwrap_or_default());
        }
        buffer.drain(..head + length);
        stream
            .write_all(b"HTTP/1.1 202 Accepted\r\nX-Message-Id: 1\r\nContent-Length: 0\r\n\r\n")
            .await?;
    }
}

async fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    address
}

/// Keeps nothing and answers at once: what is left is the adapter and the driver.
#[derive(Debug)]
struct Nowhere;

impl HttpClient for Nowhere {
    fn execute(&self, request: HttpRequest) -> HttpFuture<'_> {
        request.progress().begin();
        Box::pin(async { Ok(HttpResponse::new(202, "").with_header("X-Message-Id", "1")) })
    }
}

fn mail() -> Outbound {
    let message = Message::builder()
        .from("Ada <ada@example.org>".parse().unwrap())
        .to("Bob <bob@example.net>".parse().unwrap())
        .subject("Hello")
        .text("First line and then some more, to make it long.\n".repeat(100))
        .build()
        .unwrap();
    Outbound::new(message).unwrap()
}

fn driver(criterion: &mut Criterion) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let (mail, options) = (mail(), SendOptions::new());
    let nowhere = Provider::with_client(SendGrid::new("SG.key").unwrap(), Nowhere);
    criterion.bench_function("adapter and driver, no network", |bencher| {
        bencher.iter(|| runtime.block_on(nowhere.send(&mail, &options)).unwrap());
    });
}

/// Turns of the three, many times over, each of a few requests.
async fn race(rounds: u32) -> [Duration; 3] {
    const REQUESTS: usize = 20;
    let endpoint = format!("http://{}", server().await);
    let (mail, options) = (mail(), SendOptions::new());
    let text = mail.message().and_then(Message::text).unwrap();
    let make = || {
        let body = serde_json::json!({
            "personalizations": [{"to": [{"email": "bob@example.net", "name": "Bob"}]}],
            "from": {"email": "ada@example.org", "name": "Ada"},
            "subject": "Hello",
            "content": [{"type": "text/plain", "value": text}],
        });
        body.to_string()
    };
    let (plain, url, made) = (
        reqwest::Client::builder().tcp_nodelay(true).build().unwrap(),
        format!("{endpoint}/v3/mail/send"),
        make(),
    );
    let post = async |body: String| {
        let request = plain
            .post(&url)
            .header("Content-Type", "application/json")
            .header("Authorization", "Bearer SG.key")
            .timeout(Duration::from_secs(30))
            .body(body);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 202);
        assert!(answer.bytes().await.unwrap().is_empty());
    };
    let adapter = SendGrid::new("SG.key").unwrap().with_endpoint(endpoint.clone());
    let provider = Provider::with_client(adapter, ReqwestClient::new().unwrap());
    let mut times = [Duration::ZERO; 3];
    for round in 0..=rounds {
        let mut took = [Duration::ZERO; 3];
        for (contestant, took) in took.iter_mut().enumerate() {
            let began = Instant::now();
            for _ in 0..REQUESTS {
                match contestant {
                    0 => post(made.clone()).await,
                    1 => post(make()).await,
                    _ => assert!(provider.send(&mail, &options).await.unwrap().is_complete()),
                }
            }
            *took = began.elapsed();
        }
        // The first round opens the connections.
        if round > 0 {
            times.iter_mut().zip(took).for_each(|(sum, took)| *sum += took);
        }
    }
    times.map(|sum| sum / (rounds.max(1) * u32::try_from(REQUESTS).unwrap()))
}

criterion_group!(benches, driver);

fn main() {
    benches();
    let rounds = if std::env::args().any(|argument| argument == "--test") {
        1
    } else {
        1000
    };
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let [bytes, request, send] = runtime.block_on(race(rounds));
    let ratio = |base: Duration| send.as_secs_f64() / base.as_secs_f64();
    println!("the same bytes by reqwest:   {bytes:?} a request");
    println!("requests made for reqwest:   {request:?} a request");
    println!("messages by posthaste:       {send:?} a message");
    println!("posthaste / the same bytes:  {:.2}", ratio(bytes));
    println!("posthaste / requests made:   {:.2}", ratio(request));
}
