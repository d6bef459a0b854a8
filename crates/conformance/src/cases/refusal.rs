//! What a send that was refused says, and whether it may be repeated.

use std::time::Duration;

use posthaste_transport::{Disposition, ErrorKind, Retry, SendOptions};

use super::case;
use crate::case::{Failure, Need, Stage, ensure};
use crate::{Answer, Case, mail};

const BOB_FOR_GOOD: Answer = Answer::RefuseOne {
    local_part: "bob",
    permanent: true,
};
const BOB_FOR_NOW: Answer = Answer::RefuseOne {
    local_part: "bob",
    permanent: false,
};
const ALL_FOR_GOOD: Answer = Answer::RefuseAll { permanent: true };
const ALL_FOR_NOW: Answer = Answer::RefuseAll { permanent: false };
const MESSAGE_FOR_GOOD: Answer = Answer::RefuseMessage { permanent: true };
const MESSAGE_FOR_NOW: Answer = Answer::RefuseMessage { permanent: false };
const THROTTLE: Answer = Answer::Throttle { retry_after: None };
const COME_BACK: Answer = Answer::Throttle {
    retry_after: Some(Duration::from_secs(7200)),
};

pub(super) const CASES: &[Case] = &[
    case!(one_refused_recipient_is_neither_success_nor_failure_of_the_whole: [Need::Peer(BOB_FOR_GOOD)]),
    case!(nothing_is_received_for_a_refused_recipient: [Need::Peer(BOB_FOR_GOOD)]),
    case!(a_recipient_refused_for_now_is_told_from_one_refused_for_good: [Need::Peer(BOB_FOR_GOOD), Need::Peer(BOB_FOR_NOW)]),
    case!(when_all_are_refused_nothing_was_accepted_and_each_fate_is_known: [Need::Peer(ALL_FOR_GOOD)]),
    case!(all_refused_for_good_is_never_worth_a_retry: [Need::Peer(ALL_FOR_GOOD)]),
    case!(all_refused_for_now_is_safe_to_retry: [Need::Peer(ALL_FOR_NOW)]),
    case!(a_message_refused_for_good_is_never_worth_a_retry: [Need::Peer(MESSAGE_FOR_GOOD)]),
    case!(a_message_refused_for_now_is_safe_to_retry: [Need::Peer(MESSAGE_FOR_NOW)]),
    case!(a_throttled_send_is_safe_to_retry: [Need::Peer(THROTTLE)]),
    case!(a_wait_that_the_peer_asks_for_is_passed_on: [Need::Peer(COME_BACK)]),
    case!(an_error_names_its_transport: [Need::Peer(ALL_FOR_GOOD)]),
];

async fn one_refused_recipient_is_neither_success_nor_failure_of_the_whole(stage: Stage) -> Result<(), Failure> {
    stage.answer(BOB_FOR_GOOD);
    let outcome = stage
        .succeed(&mail::to(&["zoe", "bob", "mia"])?, &SendOptions::default())
        .await?;
    ensure!(!outcome.is_complete(), "the outcome claims that bob was accepted too");
    let accepted: Vec<String> = outcome.accepted().map(ToString::to_string).collect();
    ensure!(
        accepted == ["zoe@example.net", "mia@example.net"],
        "accepted are {accepted:?}"
    );
    let refused: Vec<(String, bool)> = outcome
        .refused()
        .map(|(address, refusal)| (address.to_string(), refusal.is_permanent()))
        .collect();
    ensure!(
        refused == [("bob@example.net".to_owned(), true)],
        "refused are {refused:?}"
    );
    Ok(())
}

async fn nothing_is_received_for_a_refused_recipient(stage: Stage) -> Result<(), Failure> {
    stage.answer(BOB_FOR_GOOD);
    let _ = stage
        .succeed(&mail::to(&["zoe", "bob", "mia"])?, &SendOptions::default())
        .await?;
    let received = stage.received_one()?;
    ensure!(
        received.recipients() == ["zoe@example.net", "mia@example.net"],
        "the peer took it for {:?}",
        received.recipients()
    );
    Ok(())
}

async fn a_recipient_refused_for_now_is_told_from_one_refused_for_good(stage: Stage) -> Result<(), Failure> {
    for (answer, transient) in [(BOB_FOR_NOW, true), (BOB_FOR_GOOD, false)] {
        stage.answer(answer);
        let outcome = stage
            .succeed(&mail::to(&["zoe", "bob"])?, &SendOptions::default())
            .await?;
        let refused: Vec<bool> = outcome.refused().map(|(_, refusal)| refusal.is_transient()).collect();
        ensure!(refused == [transient], "after {answer:?}, the refusals are {refused:?}");
    }
    Ok(())
}

async fn when_all_are_refused_nothing_was_accepted_and_each_fate_is_known(stage: Stage) -> Result<(), Failure> {
    stage.answer(ALL_FOR_GOOD);
    let error = stage.fail(&mail::to(&["zoe", "bob"])?, &SendOptions::default()).await?;
    ensure!(
        error.disposition() == Disposition::NotAccepted,
        "the disposition is {:?}",
        error.disposition()
    );
    ensure!(error.kind() == ErrorKind::Rejected, "the kind is {:?}", error.kind());
    let Some(outcome) = error.outcome() else {
        return Err(Failure(
            "the error does not say what became of each recipient".to_owned(),
        ));
    };
    ensure!(
        outcome.refused().count() == 2,
        "the fates are {:?}",
        outcome.recipients()
    );
    ensure!(stage.received().is_empty(), "the peer took a message");
    Ok(())
}

async fn all_refused_for_good_is_never_worth_a_retry(stage: Stage) -> Result<(), Failure> {
    never_worth_a_retry(stage, ALL_FOR_GOOD).await
}

async fn all_refused_for_now_is_safe_to_retry(stage: Stage) -> Result<(), Failure> {
    safe_to_retry(stage, ALL_FOR_NOW).await
}

async fn a_message_refused_for_good_is_never_worth_a_retry(stage: Stage) -> Result<(), Failure> {
    never_worth_a_retry(stage, MESSAGE_FOR_GOOD).await
}

async fn a_message_refused_for_now_is_safe_to_retry(stage: Stage) -> Result<(), Failure> {
    safe_to_retry(stage, MESSAGE_FOR_NOW).await
}

async fn a_throttled_send_is_safe_to_retry(stage: Stage) -> Result<(), Failure> {
    stage.answer(THROTTLE);
    let error = stage.fail(&mail::to(&["bob"])?, &SendOptions::default()).await?;
    ensure!(
        matches!(error.kind(), ErrorKind::Throttled | ErrorKind::Unavailable),
        "being too fast passes, but the kind is {:?}",
        error.kind()
    );
    ensure!(error.retry() == Retry::Safe, "the error says {:?}", error.retry());
    ensure!(stage.received().is_empty(), "the peer took a message");
    Ok(())
}

async fn a_wait_that_the_peer_asks_for_is_passed_on(stage: Stage) -> Result<(), Failure> {
    stage.answer(COME_BACK);
    let error = stage.fail(&mail::to(&["bob"])?, &SendOptions::default()).await?;
    ensure!(error.kind() == ErrorKind::Throttled, "the kind is {:?}", error.kind());
    ensure!(
        error.retry_after() == Some(Duration::from_secs(7200)),
        "the wait is {:?}",
        error.retry_after()
    );
    Ok(())
}

async fn an_error_names_its_transport(stage: Stage) -> Result<(), Failure> {
    stage.answer(ALL_FOR_GOOD);
    let error = stage.fail(&mail::to(&["bob"])?, &SendOptions::default()).await?;
    let info = stage.info();
    ensure!(
        error.transport() == info.name(),
        "the error names {:?}, not {:?}",
        error.transport(),
        info.name()
    );
    Ok(())
}

async fn never_worth_a_retry(stage: Stage, answer: Answer) -> Result<(), Failure> {
    stage.answer(answer);
    let error = stage.fail(&mail::to(&["bob"])?, &SendOptions::default()).await?;
    ensure!(
        error.disposition() == Disposition::NotAccepted,
        "the disposition is {:?}",
        error.disposition()
    );
    ensure!(error.retry() == Retry::Never, "the error says {:?}", error.retry());
    ensure!(stage.received().is_empty(), "the peer took a message");
    Ok(())
}

async fn safe_to_retry(stage: Stage, answer: Answer) -> Result<(), Failure> {
    stage.answer(answer);
    let error = stage.fail(&mail::to(&["bob"])?, &SendOptions::default()).await?;
    ensure!(
        error.retry() == Retry::Safe,
        "the error says {:?} ({error})",
        error.retry()
    );
    ensure!(stage.received().is_empty(), "the peer took a message");
    stage.answer(Answer::Accept);
    stage.deliver(&mail::to(&["bob"])?, &SendOptions::default()).await?;
    stage.received_one().map(drop)
}
