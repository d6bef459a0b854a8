use std::sync::Arc;
use std::time::Duration;

use posthaste_limit::{
    Allowance, Clock, Decision, Limit, Limiter, OnOutage, SharedFuture, SharedLimiter, SharedLimiterExt, StoreError,
    StoreErrorKind,
};

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

/// A store that says the same whatever it is asked, or nothing.
#[derive(Clone, Copy, Debug)]
struct Store(Option<StoreErrorKind>);

impl Store {
    async fn answer<T>(self) -> Result<T, StoreError> {
        match self.0 {
            Some(kind) => Err(StoreError::new(kind, "")),
            None => std::future::pending().await,
        }
    }
}

impl SharedLimiter for Store {
    fn acquire<'a>(&'a self, _: &'a str, _: u32) -> SharedFuture<'a, Decision> {
        Box::pin(self.answer())
    }

    fn refund<'a>(&'a self, _: &'a str, _: u32) -> SharedFuture<'a, ()> {
        Box::pin(self.answer())
    }

    fn peek<'a>(&'a self, _: &'a str) -> SharedFuture<'a, Allowance> {
        Box::pin(self.answer())
    }
}

#[tokio::test]
async fn a_shared_limiter_counts_for_all_who_share_it() {
    let memory = MemoryTransport::new();
    let watch = Stopwatch::default();
    let limit = Limit::per_second(1).unwrap().burst(1).unwrap();
    let limiter = Limiter::<String>::builder(limit).clock(SameTime(watch.clone())).build();
    let transport = |memory: &MemoryTransport| {
        let layer = RateLimit::shared(limiter.clone(), "relay").with_timer(Arc::new(watch.clone()));
        memory.clone().layer(layer)
    };
    let (one, two) = (transport(&memory), transport(&memory));
    let bob = mail(&["bob@example.net"]);
    assert!(one.send(&bob, &SendOptions::default()).await.is_ok());
    assert!(two.send(&bob, &SendOptions::default()).await.is_ok());
    assert_eq!(watch.now(), Duration::from_secs(1));
}

#[tokio::test]
async fn a_store_that_is_down_reaches_nobody_unless_that_was_chosen() {
    let memory = MemoryTransport::new();
    let bob = mail(&["bob@example.net"]);
    for (kind, expected, retry) in [
        (StoreErrorKind::Unavailable, ErrorKind::Unavailable, Retry::Safe),
        (StoreErrorKind::TimedOut, ErrorKind::Unavailable, Retry::Safe),
        (StoreErrorKind::Config, ErrorKind::Invalid, Retry::Never),
    ] {
        let closed = memory.clone().layer(RateLimit::shared(Store(Some(kind)), "relay"));
        let error = closed.send(&bob, &SendOptions::default()).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (expected, retry));
        assert!(std::error::Error::source(&error).is_some());
    }
    assert_eq!(memory.attempts(), 0);
    let open = Store(Some(StoreErrorKind::Unavailable)).on_outage(OnOutage::Admit);
    let open = memory.clone().layer(RateLimit::shared(open, "relay"));
    assert!(open.send(&bob, &SendOptions::default()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_says_nothing_does_not_outlast_the_deadline() {
    let memory = MemoryTransport::new();
    let silent = memory.clone().layer(RateLimit::shared(Store(None), "relay"));
    let options = SendOptions::default().with_deadline(Duration::from_secs(3));
    let error = silent.send(&mail(&["bob@example.net"]), &options).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.retry(), memory.attempts()),
        (ErrorKind::Timeout, Retry::Safe, 0)
    );
}
