use std::sync::Arc;
use std::time::Duration;

use posthaste_limit::{Clock, Limit, Limiter};

use super::*;
use crate::testing::{Stopwatch, mail};
use crate::{
    Capabilities, ErrorKind, MemoryTransport, Retry, SendOptions, Timer, Transport, TransportExt, TransportInfo,
};

/// Shows the limiter the time that the layer waits in.
#[derive(Debug)]
struct SameTime(Stopwatch);

impl Clock for SameTime {
    fn now(&self) -> Duration {
        self.0.now()
    }
}

fn layered(memory: &MemoryTransport, burst: u32) -> (RateLimited<&'static str, MemoryTransport>, Stopwatch) {
    let watch = Stopwatch::default();
    let limit = Limit::per_second(1).unwrap().burst(burst).unwrap();
    let limiter = Limiter::builder(limit).clock(SameTime(watch.clone())).build();
    (
        memory
            .clone()
            .layer(RateLimit::new(limiter, "relay").with_timer(Arc::new(watch.clone()))),
        watch,
    )
}

#[tokio::test]
async fn sends_wait_for_the_rate_and_recipients_count() {
    let memory = MemoryTransport::new();
    let (transport, watch) = layered(&memory, 2);
    let two = mail(&["bob@example.net", "zoe@example.net"]);
    for _ in 0..3 {
        assert!(transport.send(&two, &SendOptions::default()).await.is_ok());
    }
    assert_eq!(watch.now(), Duration::from_secs(4));
    assert_eq!(memory.sent().len(), 3);
}

#[tokio::test]
async fn a_wait_beyond_the_deadline_is_throttled_and_reaches_nobody() {
    let memory = MemoryTransport::new();
    let (transport, watch) = layered(&memory, 1);
    let options = SendOptions::default().with_deadline(Duration::from_millis(500));
    assert!(transport.send(&mail(&["bob@example.net"]), &options).await.is_ok());
    let error = transport.send(&mail(&["bob@example.net"]), &options).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Throttled, Retry::Safe));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(1)));
    assert_eq!((memory.attempts(), watch.sleeps().len()), (1, 0));
}

#[tokio::test]
async fn more_than_the_limit_ever_admits_is_said_at_once() {
    let memory = MemoryTransport::new();
    let (transport, _) = layered(&memory, 1);
    let error = transport
        .send(&mail(&["bob@example.net", "zoe@example.net"]), &SendOptions::default())
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.retry(), memory.attempts()),
        (ErrorKind::Invalid, Retry::Never, 0)
    );
}

#[tokio::test]
async fn what_is_refused_before_any_io_is_not_counted() {
    let memory = MemoryTransport::new().with_info(TransportInfo::new("small", Capabilities::wire()));
    let (transport, watch) = layered(&memory, 1);
    let tagged = SendOptions::default().with_tag("welcome").unwrap();
    assert!(transport.send(&mail(&["bob@example.net"]), &tagged).await.is_err());
    assert!(
        transport
            .send(&mail(&["bob@example.net"]), &SendOptions::default())
            .await
            .is_ok()
    );
    assert_eq!(watch.sleeps().len(), 0);
}

#[tokio::test]
async fn the_transport_inside_has_the_rest_of_the_deadline() {
    let memory = MemoryTransport::new();
    let (transport, _) = layered(&memory, 1);
    let options = SendOptions::default().with_deadline(Duration::from_secs(5));
    assert!(transport.send(&mail(&["bob@example.net"]), &options).await.is_ok());
    assert!(transport.send(&mail(&["bob@example.net"]), &options).await.is_ok());
    let left: Vec<_> = memory
        .sent()
        .iter()
        .map(|mail| mail.options().deadline().unwrap().as_secs())
        .collect();
    assert_eq!(left, [5, 4]);
}

#[test]
fn the_transport_inside_can_be_had() {
    let (transport, _) = layered(&MemoryTransport::new(), 1);
    assert_eq!(transport.get_ref().attempts(), 0);
    assert_eq!(transport.into_inner().info().name(), "memory");
}
