use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::*;
use crate::testing::mail;
use crate::{MemoryTransport, Scripted, TransportExt};

fn keyed(key: &str) -> SendOptions {
    SendOptions::new().with_idempotency_key(key).unwrap()
}

fn layered(memory: &MemoryTransport) -> Idempotent<MemoryTransport> {
    memory.clone().layer(Idempotency::in_memory())
}

const BOB: &[&str] = &["bob@example.net"];

#[tokio::test]
async fn a_repeat_gets_the_outcome_of_the_first_and_sends_nothing() {
    let memory = MemoryTransport::new();
    let transport = layered(&memory);
    let first = transport.send(&mail(BOB), &keyed("a")).await.unwrap();
    let second = transport.send(&mail(BOB), &keyed("a")).await.unwrap();
    assert_eq!(first, second);
    assert!(transport.send(&mail(BOB), &keyed("b")).await.is_ok());
    assert!(transport.send(&mail(BOB), &SendOptions::new()).await.is_ok());
    assert!(transport.send(&mail(BOB), &SendOptions::new()).await.is_ok());
    assert_eq!(memory.sent().len(), 4);
}

#[tokio::test]
async fn what_was_not_accepted_may_be_sent_again_and_what_is_open_may_not() {
    let memory = MemoryTransport::new();
    let transport = layered(&memory);
    memory.answer(Scripted::Fail(SendError::new(
        ErrorKind::Unavailable,
        Disposition::NotAccepted,
    )));
    assert!(transport.send(&mail(BOB), &keyed("a")).await.is_err());
    assert!(transport.send(&mail(BOB), &keyed("a")).await.is_ok());
    memory.answer(Scripted::LoseAnswer);
    for _ in 0..3 {
        let error = transport.send(&mail(BOB), &keyed("b")).await.unwrap_err();
        assert_eq!(error.disposition(), Disposition::Ambiguous);
    }
    assert_eq!(memory.attempts(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_repeat_waits_for_the_first_and_a_send_that_is_dropped_leaves_the_key_open() {
    let memory = MemoryTransport::new();
    let transport = layered(&memory);
    let (mail, options) = (mail(BOB), keyed("a"));
    let (first, second) = tokio::join!(transport.send(&mail, &options), transport.send(&mail, &options));
    assert_eq!(first.unwrap(), second.unwrap());
    assert_eq!(memory.sent().len(), 1);

    memory.answer(Scripted::Hang(Disposition::Ambiguous));
    let options = keyed("b");
    let dropped = tokio::time::timeout(Duration::from_secs(1), transport.send(&mail, &options)).await;
    assert!(dropped.is_err());
    let error = transport.send(&mail, &options).await.unwrap_err();
    assert_eq!(error.disposition(), Disposition::Ambiguous);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_the_first_waits_no_longer_than_the_deadline() {
    let memory = MemoryTransport::new();
    memory.answer(Scripted::Hang(Disposition::NotAccepted));
    let transport = layered(&memory);
    let mail = mail(BOB);
    let (long, short) = (
        keyed("a").with_deadline(Duration::from_secs(60)),
        keyed("a").with_deadline(Duration::from_secs(5)),
    );
    let (_, second) = tokio::join!(transport.send(&mail, &long), transport.send(&mail, &short));
    let error = second.unwrap_err();
    assert_eq!(
        (error.kind(), error.disposition()),
        (ErrorKind::Timeout, Disposition::NotAccepted)
    );
}

#[tokio::test]
async fn memory_forgets_in_time_and_never_early() {
    let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
    let store = MemoryOutcomes::new().with_time(Duration::from_secs(10)).with_room(2);
    let claim = async |key: &str, now: SystemTime| store.claim(key, now).await;
    assert_eq!(claim("a", at(0)).await.unwrap(), Claim::Mine);
    assert_eq!(claim("b", at(5)).await.unwrap(), Claim::Mine);
    assert_eq!(claim("a", at(9)).await.unwrap(), Claim::Open);
    assert!(claim("c", at(9)).await.is_err(), "no room, and none has had its time");
    assert_eq!(claim("c", at(10)).await.unwrap(), Claim::Mine);
    store.release("b").await.unwrap();
    assert_eq!(claim("b", at(11)).await.unwrap(), Claim::Mine);
    assert_eq!(claim("b", at(15)).await.unwrap(), Claim::Open, "the later claim counts");
}
