use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::testing::{Stopwatch, mail};
use crate::{
    Capabilities, Disposition, ErrorKind, Fate, Feature, MemoryTransport, Outcome, PeerAuthentication,
    RecipientOutcome, Refusal, Reply, Scripted, Security, SendError, SendOptions, TlsInfo, TlsVersion, Transport,
    TransportExt, TransportInfo,
};

const BOB: &str = "bob@example.net";
const ZOE: &str = "zoe@example.net";

fn policy(attempts: u32) -> RetryPolicy {
    RetryPolicy::default()
        .with_attempts(NonZeroU32::new(attempts).unwrap())
        .with_base_delay(Duration::from_secs(1))
}

fn layered(memory: &MemoryTransport, policy: RetryPolicy) -> (Retrying<MemoryTransport>, Stopwatch) {
    let watch = Stopwatch::default();
    let retry = Retry::new(policy)
        .with_timer(Arc::new(watch.clone()))
        .with_jitter(Arc::new(FixedJitter::new(1.0)));
    (memory.clone().layer(retry), watch)
}

fn unavailable() -> Scripted {
    Scripted::Fail(SendError::new(ErrorKind::Unavailable, Disposition::NotAccepted))
}

fn refuse(address: &str, refusal: Refusal) -> Scripted {
    Scripted::Refuse(vec![(address.parse().unwrap(), refusal)])
}

async fn send(memory: &MemoryTransport, policy: RetryPolicy, recipients: &[&str]) -> Result<Outcome, SendError> {
    layered(memory, policy)
        .0
        .send(&mail(recipients), &SendOptions::default())
        .await
}

fn fates(outcome: &Outcome) -> Vec<&'static str> {
    let name = |recipient: &RecipientOutcome| match recipient.fate() {
        Fate::Accepted => "accepted",
        Fate::Refused(refusal) if refusal.is_permanent() => "refused",
        Fate::Refused(_) => "later",
        Fate::Unknown => "unknown",
    };
    outcome.recipients().iter().map(name).collect()
}

#[tokio::test]
async fn what_fails_for_now_is_tried_again_with_growing_waits() {
    let memory = MemoryTransport::new();
    (0..3).for_each(|_| memory.answer(unavailable()));
    let (transport, watch) = layered(&memory, policy(4));
    let outcome = transport.send(&mail(&[BOB]), &SendOptions::default()).await.unwrap();
    assert_eq!(outcome.attempts(), 4);
    assert_eq!(watch.sleeps(), [1, 2, 4].map(Duration::from_secs));
}

#[tokio::test]
async fn it_gives_up_after_so_many_attempts_and_says_so() {
    let memory = MemoryTransport::new();
    (0..3).for_each(|_| memory.answer(unavailable()));
    let error = send(&memory, policy(3), &[BOB]).await.unwrap_err();
    assert_eq!((error.attempts(), memory.attempts()), (3, 3));
    assert_eq!(error.to_string(), "unavailable (after 3 attempts)");
}

#[tokio::test]
async fn what_fails_for_good_is_tried_once() {
    let memory = MemoryTransport::new();
    memory.answer(Scripted::RefuseAll(Refusal::permanent()));
    let error = send(&memory, policy(3), &[BOB]).await.unwrap_err();
    assert_eq!((error.kind(), memory.attempts()), (ErrorKind::Rejected, 1));
}

#[tokio::test]
async fn a_lost_answer_is_not_repeated() {
    let memory = MemoryTransport::new();
    memory.answer(Scripted::LoseAnswer);
    let error = send(&memory, policy(3), &[BOB]).await.unwrap_err();
    assert_eq!((error.disposition(), memory.attempts()), (Disposition::Ambiguous, 1));
}

#[tokio::test]
async fn a_lost_answer_is_repeated_with_consent() {
    let memory = MemoryTransport::new();
    memory.answer(Scripted::LoseAnswer);
    let outcome = send(&memory, policy(3).with_duplicates_allowed(true), &[BOB])
        .await
        .unwrap();
    assert_eq!((outcome.attempts(), memory.sent().len()), (2, 2));
}

#[tokio::test]
async fn a_lost_answer_is_repeated_with_a_key_that_the_transport_honours() {
    let options = || SendOptions::default().with_idempotency_key("order-7").unwrap();
    let memory = MemoryTransport::new();
    memory.answer(Scripted::LoseAnswer);
    let (transport, _) = layered(&memory, policy(3));
    assert!(transport.send(&mail(&[BOB]), &options()).await.is_ok());

    let keyless = TransportInfo::new("keyless", Capabilities::all().without(Feature::IdempotencyKey));
    let memory = MemoryTransport::new().with_info(keyless);
    memory.answer(Scripted::LoseAnswer);
    let (transport, _) = layered(&memory, policy(3));
    let options = options().with_on_unsupported(crate::OnUnsupported::Degrade);
    let error = transport.send(&mail(&[BOB]), &options).await.unwrap_err();
    assert_eq!((error.disposition(), memory.attempts()), (Disposition::Ambiguous, 1));
}

#[tokio::test]
async fn only_those_refused_for_now_are_tried_again() {
    let memory = MemoryTransport::new();
    memory.answer(refuse(BOB, Refusal::transient()));
    let outcome = send(&memory, policy(3), &[ZOE, BOB]).await.unwrap();
    assert_eq!(fates(&outcome), ["accepted", "accepted"]);
    assert_eq!(outcome.attempts(), 2);
    let sent: Vec<usize> = memory
        .sent()
        .iter()
        .map(|mail| mail.envelope().recipients().len())
        .collect();
    assert_eq!(sent, [2, 1]);
}

/// Takes one recipient at a time, over connections that are protected in different ways.
#[derive(Debug)]
struct OneAtATime(std::sync::Mutex<Vec<Security>>);

impl Transport for OneAtATime {
    fn info(&self) -> TransportInfo {
        TransportInfo::new("one", Capabilities::wire().with(Feature::RecipientOutcomes))
    }

    fn send<'a>(&'a self, mail: &'a crate::Outbound, _: &'a SendOptions) -> crate::SendFuture<'a> {
        let mut first = true;
        let outcome = Outcome::decide(mail, |_| match std::mem::take(&mut first) {
            true => Fate::Accepted,
            false => Fate::Refused(Refusal::transient()),
        });
        let outcome = match self.0.lock().unwrap().pop() {
            Some(security) => outcome.with_security(security),
            None => outcome,
        };
        Box::pin(std::future::ready(outcome.settle("one")))
    }
}

#[tokio::test]
async fn the_weakest_connection_of_all_attempts_is_the_one_that_counts() {
    let tls = |authentication| {
        Security::Tls(TlsInfo::new(
            TlsVersion::Tls13,
            "SUITE",
            authentication,
            "mx.example.net",
        ))
    };
    let verified = tls(PeerAuthentication::Pkix);
    let unverified = tls(PeerAuthentication::Unverified);
    for (script, expected) in [
        (vec![verified.clone(), verified.clone()], Some(verified.clone())),
        (vec![verified.clone(), unverified.clone()], Some(unverified.clone())),
        (
            vec![unverified, verified.clone()],
            Some(tls(PeerAuthentication::Unverified)),
        ),
        (vec![verified.clone(), Security::ClearText], Some(Security::ClearText)),
        (vec![Security::ClearText, verified.clone()], Some(Security::ClearText)),
        (vec![verified.clone()], Some(verified)),
        (Vec::new(), None),
    ] {
        let retry = Retry::new(policy(4)).with_timer(Arc::new(Stopwatch::default()));
        let transport = OneAtATime(std::sync::Mutex::new(script)).layer(retry);
        let sent = transport
            .send(&mail(&[BOB, ZOE]), &SendOptions::default())
            .await
            .unwrap();
        assert_eq!(fates(&sent), ["accepted", "accepted"]);
        assert_eq!(sent.security(), expected.as_ref());
    }
}

#[tokio::test]
async fn those_refused_for_good_are_left_alone() {
    let memory = MemoryTransport::new();
    memory.answer(refuse(BOB, Refusal::permanent()));
    let outcome = send(&memory, policy(3), &[ZOE, BOB]).await.unwrap();
    assert_eq!(fates(&outcome), ["accepted", "refused"]);
    assert_eq!((outcome.attempts(), memory.attempts()), (1, 1));
}

#[tokio::test]
async fn one_refused_for_now_until_the_end_stays_refused() {
    let memory = MemoryTransport::new();
    (0..3).for_each(|_| memory.answer(refuse(BOB, Refusal::transient())));
    let outcome = send(&memory, policy(3), &[BOB, ZOE]).await.unwrap();
    assert_eq!(fates(&outcome), ["later", "accepted"]);
    assert_eq!(outcome.attempts(), 3);
}

#[tokio::test]
async fn losing_the_answer_to_the_rest_is_partial() {
    let memory = MemoryTransport::new();
    memory.answer(refuse(BOB, Refusal::transient()));
    memory.answer(Scripted::LoseAnswer);
    let error = send(&memory, policy(3), &[ZOE, BOB]).await.unwrap_err();
    assert_eq!((error.disposition(), error.attempts()), (Disposition::Partial, 2));
    assert_eq!(fates(error.outcome().unwrap()), ["accepted", "unknown"]);
}

#[tokio::test]
async fn a_peer_that_is_gone_for_the_rest_leaves_the_first_success() {
    let memory = MemoryTransport::new();
    memory.answer(refuse(BOB, Refusal::transient()));
    memory.answer(unavailable());
    memory.answer(unavailable());
    let outcome = send(&memory, policy(3), &[ZOE, BOB]).await.unwrap();
    assert_eq!(fates(&outcome), ["accepted", "later"]);
}

#[tokio::test]
async fn a_mixed_refusal_of_all_repeats_only_what_may_pass() {
    let memory = MemoryTransport::new();
    memory.answer(Scripted::Refuse(vec![
        (BOB.parse().unwrap(), Refusal::permanent()),
        (ZOE.parse().unwrap(), Refusal::transient()),
    ]));
    let outcome = send(&memory, policy(3), &[BOB, ZOE]).await.unwrap();
    assert_eq!(fates(&outcome), ["refused", "accepted"]);
    assert_eq!(memory.sent()[0].envelope().recipients().len(), 1);
}

#[tokio::test]
async fn a_send_with_a_key_is_never_narrowed() {
    let memory = MemoryTransport::new();
    memory.answer(refuse(BOB, Refusal::transient()));
    let (transport, _) = layered(&memory, policy(3));
    let options = SendOptions::default().with_idempotency_key("order-7").unwrap();
    let outcome = transport.send(&mail(&[ZOE, BOB]), &options).await.unwrap();
    assert_eq!(fates(&outcome), ["accepted", "later"]);
    assert_eq!(memory.attempts(), 1);
}

#[tokio::test]
async fn the_wait_that_the_peer_asks_for_is_kept() {
    let throttled = |seconds| {
        let error = SendError::from_reply(Reply::new(454, ["4.7.0 too fast"]));
        Scripted::Fail(error.with_retry_after(Duration::from_secs(seconds)))
    };
    let memory = MemoryTransport::new();
    memory.answer(throttled(20));
    let (transport, watch) = layered(&memory, policy(3));
    assert!(transport.send(&mail(&[BOB]), &SendOptions::default()).await.is_ok());
    assert_eq!(watch.sleeps(), [Duration::from_secs(20)]);

    memory.clear();
    memory.answer(throttled(3600));
    let error = transport
        .send(&mail(&[BOB]), &SendOptions::default())
        .await
        .unwrap_err();
    assert_eq!(
        (error.retry_after(), memory.attempts()),
        (Some(Duration::from_secs(3600)), 1)
    );
}

#[tokio::test]
async fn waits_never_pass_the_deadline() {
    let memory = MemoryTransport::new();
    (0..9).for_each(|_| memory.answer(unavailable()));
    let (transport, watch) = layered(&memory, policy(9));
    watch.advance(Duration::from_secs(1000));
    let options = SendOptions::default().with_deadline(Duration::from_secs(5));
    let error = transport.send(&mail(&[BOB]), &options).await.unwrap_err();
    assert_eq!(watch.sleeps(), [1, 2].map(Duration::from_secs));
    assert_eq!(error.attempts(), 3);
}

#[tokio::test]
async fn each_attempt_has_the_rest_of_the_deadline() {
    let memory = MemoryTransport::new();
    memory.answer(unavailable());
    let (transport, _) = layered(&memory, policy(3));
    let options = SendOptions::default().with_deadline(Duration::from_secs(5));
    assert!(transport.send(&mail(&[BOB]), &options).await.is_ok());
    assert_eq!(memory.sent()[0].options().deadline(), Some(Duration::from_secs(4)));
}

#[test]
fn the_backoff_grows_to_its_limit_and_never_overflows() {
    let policy = RetryPolicy::default()
        .with_base_delay(Duration::from_secs(1))
        .with_max_delay(Duration::from_secs(10));
    assert_eq!([1, 2, 3, 4, 5].map(|n| policy.backoff(n).as_secs()), [1, 2, 4, 8, 10]);
    assert_eq!(
        policy
            .clone()
            .with_base_delay(Duration::MAX)
            .backoff(u32::MAX)
            .as_secs(),
        10
    );
    assert_eq!(policy.backoff(0).as_secs(), 1);
}

#[test]
fn a_fraction_that_is_no_fraction_is_held() {
    let second = Duration::from_secs(1);
    assert_eq!(FixedJitter::new(f64::NAN).up_to(second), second);
    assert_eq!(FixedJitter::new(-1.0).up_to(second), Duration::ZERO);
    assert_eq!(FixedJitter::new(7.0).up_to(second), second);
}

/// What a peer may do with one attempt.
fn answers() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(0..6_u8, 0..6)
}

fn scripted(answer: u8) -> Scripted {
    match answer {
        0 => Scripted::Accept,
        1 => refuse(BOB, Refusal::transient()),
        2 => refuse(ZOE, Refusal::permanent()),
        3 => Scripted::RefuseAll(Refusal::transient()),
        4 => Scripted::LoseAnswer,
        _ => unavailable(),
    }
}

proptest! {
    #[test]
    fn nobody_gets_it_twice_and_nobody_is_reported_wrongly(script in answers()) {
        let memory = MemoryTransport::new();
        script.iter().for_each(|answer| memory.answer(scripted(*answer)));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let result = runtime.block_on(send(&memory, policy(4), &[ZOE, BOB, "mia@example.net"]));
        let outcome = match &result {
            Ok(outcome) => Some(outcome),
            Err(error) => error.outcome(),
        };
        for address in [ZOE, BOB, "mia@example.net"] {
            let copies = memory.sent().iter().flat_map(|mail| mail.accepted().to_vec()).filter(|accepted| accepted.to_string() == address).count();
            prop_assert!(copies <= 1, "{} copies for {}", copies, address);
            if let Some(outcome) = outcome {
                let recipient = outcome.recipients().iter().find(|recipient| recipient.address().to_string() == address).unwrap();
                match recipient.fate() {
                    Fate::Accepted => prop_assert_eq!(copies, 1),
                    Fate::Refused(_) => prop_assert_eq!(copies, 0),
                    Fate::Unknown => {}
                }
            } else if result.as_ref().is_err_and(|error| error.disposition() == Disposition::NotAccepted) {
                prop_assert_eq!(copies, 0);
            }
        }
    }
}
