use super::*;
use crate::testing::{Stopwatch, mail};
use crate::{
    Capabilities, Disposition, Fate, Feature, MemoryTransport, Outcome, RecipientOutcome, Refusal, Retry, Scripted,
    SendError,
};

const BOB: &str = "bob@example.net";
const ZOE: &str = "zoe@example.net";

fn fail(kind: ErrorKind, disposition: Disposition) -> Scripted {
    Scripted::Fail(SendError::new(kind, disposition))
}

fn unavailable() -> Scripted {
    fail(ErrorKind::Unavailable, Disposition::NotAccepted)
}

fn refuse(address: &str, refusal: Refusal) -> Scripted {
    Scripted::Refuse(vec![(address.parse().unwrap(), refusal)])
}

/// Two members in memory, and the failover over them.
fn pair() -> (MemoryTransport, MemoryTransport, Failover) {
    let (first, second) = (MemoryTransport::new(), MemoryTransport::new());
    let both = Failover::new([Arc::new(first.clone()) as Arc<dyn Transport>, Arc::new(second.clone())]);
    (first, second, both)
}

async fn send(transport: &impl Transport, recipients: &[&str]) -> Result<Outcome, SendError> {
    transport.send(&mail(recipients), &SendOptions::new()).await
}

fn got(memory: &MemoryTransport) -> Vec<String> {
    memory
        .sent()
        .iter()
        .flat_map(|mail| mail.accepted().iter().map(ToString::to_string).collect::<Vec<_>>())
        .collect()
}

#[tokio::test]
async fn the_first_takes_what_it_can() {
    let (first, second, both) = pair();
    assert!(send(&both, &[BOB]).await.unwrap().is_complete());
    assert_eq!((first.sent().len(), second.sent().len()), (1, 0));
}

#[tokio::test]
async fn what_was_certainly_not_accepted_goes_on() {
    for kind in [
        ErrorKind::Unauthorized,
        ErrorKind::Throttled,
        ErrorKind::Unavailable,
        ErrorKind::Timeout,
        ErrorKind::Unknown,
    ] {
        let (first, second, both) = pair();
        first.answer(fail(kind, Disposition::NotAccepted));
        let outcome = send(&both, &[BOB]).await.unwrap();
        assert!(outcome.is_complete(), "{kind}");
        assert_eq!(outcome.attempts(), 2, "{kind}");
        assert_eq!((got(&first).len(), got(&second).len()), (0, 1), "{kind}");
    }
}

#[tokio::test]
async fn what_is_said_of_the_message_ends_it() {
    for kind in [ErrorKind::Rejected, ErrorKind::Invalid, ErrorKind::Unreadable] {
        let (first, second, both) = pair();
        first.answer(fail(kind, Disposition::NotAccepted));
        let error = send(&both, &[BOB]).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (kind, Retry::Never));
        assert!(second.sent().is_empty(), "{kind}");
    }
}

#[tokio::test]
async fn what_may_have_been_accepted_is_never_sent_elsewhere() {
    for options in [
        SendOptions::new(),
        SendOptions::new().with_idempotency_key("key").unwrap(),
    ] {
        let (first, second, both) = pair();
        first.answer(fail(ErrorKind::Unavailable, Disposition::Ambiguous));
        let options = options.with_on_unsupported(crate::OnUnsupported::Degrade);
        let error = both.send(&mail(&[BOB]), &options).await.unwrap_err();
        assert_eq!(error.disposition(), Disposition::Ambiguous);
        assert!(second.sent().is_empty());
    }
    let (first, second, both) = pair();
    first.answer(fail(ErrorKind::Unavailable, Disposition::Ambiguous));
    let both = both.allow_duplicates(true);
    assert!(send(&both, &[BOB]).await.is_ok());
    assert_eq!(second.sent().len(), 1, "only if the caller says so");
}

#[tokio::test]
async fn those_refused_for_now_go_on_alone_and_nobody_gets_it_twice() {
    let (first, second, both) = pair();
    first.answer(refuse(ZOE, Refusal::transient()));
    let outcome = send(&both, &[BOB, ZOE]).await.unwrap();
    assert!(outcome.is_complete());
    assert_eq!(
        (got(&first), got(&second)),
        (vec![BOB.to_owned()], vec![ZOE.to_owned()])
    );

    let (first, second, both) = pair();
    first.answer(refuse(ZOE, Refusal::permanent()));
    let outcome = send(&both, &[BOB, ZOE]).await.unwrap();
    assert_eq!(outcome.refused().count(), 1);
    assert!(second.sent().is_empty(), "a refusal for good is one");
}

#[tokio::test]
async fn of_a_partial_failure_only_what_is_certain_goes_on() {
    let (first, second, both) = pair();
    let outcome = Outcome::new([
        RecipientOutcome::new(BOB.parse().unwrap(), Fate::Unknown),
        RecipientOutcome::new(ZOE.parse().unwrap(), Fate::Refused(Refusal::transient())),
    ]);
    first.answer(Scripted::Fail(SendError::from_outcome(ErrorKind::Unavailable, outcome)));
    let error = send(&both, &[BOB, ZOE]).await.unwrap_err();
    assert_eq!(got(&second), [ZOE]);
    assert_eq!(error.disposition(), Disposition::Partial);
    let outcome = error.outcome().unwrap();
    assert_eq!((outcome.accepted().count(), outcome.unknown().count()), (1, 1));
}

#[tokio::test]
async fn when_all_fail_each_is_named_and_the_shortest_wait_counts() {
    let (first, second, both) = pair();
    let slow = SendError::new(ErrorKind::Throttled, Disposition::NotAccepted).with_transport("slow");
    first.answer(Scripted::Fail(slow.with_retry_after(Duration::from_secs(30))));
    second.answer(Scripted::Fail(
        SendError::new(ErrorKind::Unavailable, Disposition::NotAccepted).with_transport("gone"),
    ));
    let error = send(&both, &[BOB]).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.transport(), error.attempts()),
        (ErrorKind::Unavailable, "failover", 2)
    );
    assert_eq!(error.retry_after(), Some(Duration::from_secs(30)));
    assert_eq!(error.retry(), Retry::Safe);
    let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<FailoverError>());
    let source = source.unwrap();
    assert_eq!(source.failures().len(), 2);
    assert!(source.to_string().contains("slow: ") && source.to_string().contains("gone: "));
}

#[tokio::test]
async fn a_message_goes_to_those_that_can_do_what_it_needs() {
    let plain = MemoryTransport::new().with_info(TransportInfo::new("plain", Capabilities::wire()));
    let tagging =
        MemoryTransport::new().with_info(TransportInfo::new("tagging", Capabilities::wire().with(Feature::Tags)));
    let both = Failover::new([Arc::new(plain.clone()) as Arc<dyn Transport>, Arc::new(tagging.clone())]);
    assert!(both.info().capabilities().supports(Feature::Tags));
    let options = SendOptions::new().with_tag("a").unwrap();
    assert!(both.send(&mail(&[BOB]), &options).await.is_ok());
    assert_eq!((plain.sent().len(), tagging.sent().len()), (0, 1));
    let options = SendOptions::new().with_stream("a").unwrap();
    let error = both.send(&mail(&[BOB]), &options).await.unwrap_err();
    assert_eq!(error.unsupported().len(), 1);
}

#[tokio::test]
async fn who_fails_again_and_again_rests_and_is_found_out_about() {
    let (first, second, both) = pair();
    let watch = Stopwatch::default();
    let policy = HealthPolicy::default()
        .with_failures(2)
        .with_rest(Duration::from_secs(10));
    let both = both.with_timer(Arc::new(watch.clone())).with_health(policy);
    (0..2).for_each(|_| first.answer(unavailable()));
    for _ in 0..3 {
        assert!(send(&both, &[BOB]).await.is_ok());
    }
    assert_eq!((first.sent().len(), second.sent().len()), (0, 3));
    watch.advance(Duration::from_secs(10));
    assert!(send(&both, &[BOB]).await.is_ok());
    assert_eq!((first.sent().len(), second.sent().len()), (1, 3), "it is back");
}

#[tokio::test]
async fn when_all_rest_one_is_asked_all_the_same() {
    let (first, second, both) = pair();
    let watch = Stopwatch::default();
    let both = both
        .with_timer(Arc::new(watch.clone()))
        .with_health(HealthPolicy::default().with_failures(1));
    first.answer(unavailable());
    second.answer(unavailable());
    assert!(send(&both, &[BOB]).await.is_err());
    assert!(send(&both, &[BOB]).await.is_ok(), "without any rest over");
    assert_eq!(first.sent().len() + second.sent().len(), 1);
}

#[tokio::test]
async fn turns_are_taken_by_weight_and_others_step_in() {
    let members: Vec<MemoryTransport> = (0..3).map(|_| MemoryTransport::new()).collect();
    let as_member = |index: usize| Arc::new(members[index].clone()) as Arc<dyn Transport>;
    let all = RoundRobin::weighted([(as_member(0), 2), (as_member(1), 1), (as_member(2), 0)]);
    for _ in 0..6 {
        assert!(send(&all, &[BOB]).await.is_ok());
    }
    let counts: Vec<usize> = members.iter().map(|member| member.sent().len()).collect();
    assert_eq!(counts, [4, 2, 0]);
    members[0].answer(unavailable());
    members[1].answer(unavailable());
    assert!(send(&all, &[BOB]).await.is_ok());
    assert_eq!(members[2].sent().len(), 1, "the spare one");
}

#[tokio::test]
async fn without_members_nothing_is_sent() {
    let none = Failover::new([]);
    let error = send(&none, &[BOB]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[tokio::test(start_paused = true)]
async fn a_member_that_hangs_leaves_time_for_the_next() {
    let (first, second, both) = pair();
    first.answer(Scripted::Hang(Disposition::NotAccepted));
    let both = both.with_member_timeout(Duration::from_secs(5));
    let options = SendOptions::new().with_deadline(Duration::from_secs(20));
    assert!(both.send(&mail(&[BOB]), &options).await.is_ok());
    assert_eq!(second.sent().len(), 1);

    first.answer(Scripted::Hang(Disposition::NotAccepted));
    let all_of_it = Failover::new([Arc::new(first.clone()) as Arc<dyn Transport>, Arc::new(second.clone())]);
    let error = all_of_it.send(&mail(&[BOB]), &options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(second.sent().len(), 1);
}

#[tokio::test]
async fn a_key_that_only_some_know_makes_no_repeat_safe() {
    // A retry around it repeats what is open only if the key is honoured by whoever gets the repeat.
    let (first, second, both) = pair();
    assert!(!both.info().capabilities().supports(Feature::IdempotencyKey));
    first.answer(fail(ErrorKind::Unavailable, Disposition::Ambiguous));
    let policy = crate::layers::RetryPolicy::default();
    let again = crate::layers::Retry::new(policy).with_timer(Arc::new(Stopwatch::default()));
    let stack = crate::TransportExt::layer(both, again);
    let keyed = SendOptions::new().with_idempotency_key("order-7").unwrap();
    let error = stack.send(&mail(&[BOB]), &keyed).await.unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::Unsupported,
        "no key is taken that would not be honoured"
    );
    assert_eq!((first.attempts(), second.attempts()), (0, 0));
    let keyed = keyed.with_on_unsupported(crate::OnUnsupported::Degrade);
    let error = stack.send(&mail(&[BOB]), &keyed).await.unwrap_err();
    assert_eq!(error.disposition(), Disposition::Ambiguous);
    assert_eq!((first.attempts(), second.attempts()), (1, 0));

    let alone = Failover::new([Arc::new(MemoryTransport::new()) as Arc<dyn Transport>]);
    assert!(alone.info().capabilities().supports(Feature::IdempotencyKey));
}

#[tokio::test]
async fn who_was_accepted_stays_so_when_the_next_member_cannot_do_it() {
    let (first, second, both) = pair();
    first.answer(refuse(ZOE, Refusal::transient()));
    second.answer(fail(ErrorKind::Unsupported, Disposition::NotAccepted));
    let outcome = send(&both, &[BOB, ZOE]).await.unwrap();
    assert_eq!((outcome.accepted().count(), outcome.refused().count()), (1, 1));
}

#[tokio::test]
async fn each_recipient_keeps_the_id_of_where_they_were_accepted() {
    let (first, _, both) = pair();
    let accepted = RecipientOutcome::accepted(BOB.parse().unwrap()).with_provider_id("one");
    let refused = RecipientOutcome::refused(ZOE.parse().unwrap(), Refusal::transient());
    let outcome = Outcome::new([accepted, refused]);
    first.answer(Scripted::Fail(SendError::from_outcome(ErrorKind::Unavailable, outcome)));
    let outcome = send(&both, &[BOB, ZOE]).await.unwrap();
    assert!(outcome.is_complete());
    let ids: Vec<_> = outcome.recipients().iter().map(RecipientOutcome::provider_id).collect();
    assert_eq!(ids[0], Some("one"));
    assert_ne!(ids[1], Some("one"));
}
