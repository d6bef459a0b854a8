//! What do the transport and its layers cost, next to the network round trip that they stand in front of?
//!
//! A message of 8 KB, encoded already, goes to a memory transport: bare, boxed, and behind the layers; then the plan
//! alone; then the same message into a Maildir, durably, which is what the disk costs.

#![allow(missing_docs, clippy::unwrap_used, reason = "a bench says plainly what it expects")]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use posthaste_limit::{Limit, Limiter};
use posthaste_mime::Message;
use posthaste_transport::layers::{RateLimit, Retry, RetryPolicy};
use posthaste_transport::{
    Capabilities, FileTransport, Outbound, Outcome, SendFuture, SendOptions, Transport, TransportExt, TransportInfo,
    plan,
};
use tokio::runtime::{Builder, Runtime};

const INFO: TransportInfo = TransportInfo::new("sink", Capabilities::wire());

/// Accepts everything and keeps nothing.
#[derive(Debug)]
struct Sink;

impl Transport for Sink {
    fn info(&self) -> TransportInfo {
        INFO
    }

    fn send<'a>(&'a self, mail: &'a Outbound, options: &'a SendOptions) -> SendFuture<'a> {
        Box::pin(async move {
            plan(mail, options, &INFO)?;
            Ok(Outcome::accept_all(mail))
        })
    }
}

fn mail() -> Outbound {
    let message = Message::builder()
        .from("Ada <ada@example.org>".parse().unwrap())
        .to("Bob <bob@example.net>".parse().unwrap())
        .subject("Hello")
        .text("First line and then some more, to make it long.\n".repeat(170))
        .build()
        .unwrap();
    let mail = Outbound::new(message).unwrap();
    // Encoded here once, so that it is not what is measured.
    assert!(mail.rope().len() > 8000);
    mail
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

fn send(criterion: &mut Criterion, name: &str, transport: &dyn Transport) {
    let (mail, options, runtime) = (mail(), SendOptions::default(), runtime());
    criterion.bench_function(name, |bencher| {
        bencher.iter(|| runtime.block_on(transport.send(black_box(&mail), &options)).unwrap());
    });
}

fn layers(criterion: &mut Criterion) {
    let limit = || Limiter::new(Limit::per_second(1_000_000_000).unwrap().burst(1_000_000_000).unwrap());
    send(criterion, "transport/send/bare", &Sink);
    let shared: Arc<dyn Transport> = Arc::new(Sink);
    send(criterion, "transport/send/arc", &shared);
    send(
        criterion,
        "transport/send/retry",
        &Sink.layer(Retry::new(RetryPolicy::default())),
    );
    let both = Sink
        .layer(RateLimit::new(limit(), "relay"))
        .layer(Retry::new(RetryPolicy::default()));
    send(criterion, "transport/send/limit_and_retry", &both);
}

fn planning(criterion: &mut Criterion) {
    let (mail, options) = (mail(), SendOptions::default());
    criterion.bench_function("transport/plan/wire", |bencher| {
        bencher.iter(|| plan(black_box(&mail), &options, &INFO).unwrap());
    });
    let fields = TransportInfo::new("fields", Capabilities::none());
    criterion.bench_function("transport/plan/fields", |bencher| {
        bencher.iter(|| plan(black_box(&mail), &options, &fields).unwrap());
    });
}

fn maildir(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let transport = FileTransport::new(folder.path()).unwrap();
    send(criterion, "transport/send/maildir", &transport);
}

criterion_group!(benches, layers, planning, maildir);
criterion_main!(benches);
