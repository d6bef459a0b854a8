//! What does the driver cost beside plain reqwest, to the same server on loopback?
//!
//! One message of 5 KB by SendGrid's adapter: the request alone, made of a message (`encode`); the same bytes posted again and
//! again by reqwest alone; and the whole send, message to outcome. The server takes a request and says 202.

#![allow(missing_docs, clippy::unwrap_used, reason = "a bench says plainly what it expects")]

use std::net::SocketAddr;

use criterion::{Criterion, criterion_group, criterion_main};
use posthaste_mime::Message;
use posthaste_providers::{HttpClient, HttpFuture, HttpRequest, HttpResponse, Provider, ReqwestClient, SendGrid};
use posthaste_transport::{Outbound, SendOptions, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

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

fn runtime() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

fn driver(criterion: &mut Criterion) {
    let runtime = runtime();
    let address = runtime.block_on(server());
    let endpoint = format!("http://{address}");
    let (mail, options) = (mail(), SendOptions::new());
    let adapter = || SendGrid::new("SG.key").unwrap().with_endpoint(endpoint.clone());

    let nowhere = Provider::with_client(adapter(), Nowhere);
    criterion.bench_function("adapter and driver, no network", |bencher| {
        bencher.iter(|| runtime.block_on(nowhere.send(&mail, &options)).unwrap());
    });

    let mut group = criterion.benchmark_group("to a server on loopback");
    let body = serde_json::json!({
        "personalizations": [{"to": [{"email": "bob@example.net", "name": "Bob"}]}],
        "from": {"email": "ada@example.org", "name": "Ada"},
        "subject": "Hello",
        "content": [{"type": "text/plain", "value": mail.message().and_then(Message::text)}],
    });
    let body = body.to_string();
    let plain = reqwest::Client::builder().tcp_nodelay(true).build().unwrap();
    let url = format!("{endpoint}/v3/mail/send");
    group.bench_function("reqwest alone", |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                let request = plain
                    .post(&url)
                    .header("Content-Type", "application/json")
                    .header("Authorization", "Bearer SG.key")
                    .body(body.clone());
                let answer = request.send().await.unwrap();
                assert_eq!(answer.status(), 202);
                answer.bytes().await.unwrap()
            })
        });
    });
    let provider = Provider::with_client(adapter(), ReqwestClient::new().unwrap());
    group.bench_function("posthaste-providers", |bencher| {
        bencher.iter(|| runtime.block_on(provider.send(&mail, &options)).unwrap());
    });
    group.finish();
}

criterion_group!(benches, driver);
criterion_main!(benches);
