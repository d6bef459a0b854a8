//! One transport, many sends.

use std::time::Duration;

use posthaste_transport::SendOptions;

use super::case;
use crate::case::{Failure, Need, Stage, ensure};
use crate::{Answer, Case, mail};

/// Bounds the sends that are meant to fail.
const DEADLINE: Duration = Duration::from_millis(500);

pub(super) const CASES: &[Case] = &[
    case!(sends_in_a_row_arrive_in_a_row),
    case!(concurrent_sends_do_not_mix),
    case!(the_next_send_after_a_failure_works: [Need::Peer(Answer::HangUpAtOnce)]),
    case!(the_next_send_after_a_lost_answer_works: [Need::Peer(Answer::HangUpAfterMessage)]),
    case!(dropping_a_send_leaves_the_transport_usable: [Need::Peer(Answer::Hang)]),
    case!(an_answer_that_comes_too_late_is_not_taken_for_the_next: [Need::Peer(Answer::HangAfterMessage), Need::Peer(Answer::RefuseAll { permanent: true })]),
];

async fn sends_in_a_row_arrive_in_a_row(stage: Stage) -> Result<(), Failure> {
    for index in 0..5 {
        let mail = mail::outbound(mail::message(index, &["bob"], &format!("number {index}"))?)?;
        stage.deliver(&mail, &SendOptions::default()).await?;
    }
    let received = stage.received();
    ensure!(received.len() == 5, "five went, {} arrived", received.len());
    for (index, received) in received.iter().enumerate() {
        let text = String::from_utf8_lossy(received.bytes()).into_owned();
        ensure!(
            text.contains(&format!("Subject: number {index}\r\n")),
            "number {index} arrived as {text:?}"
        );
    }
    Ok(())
}

async fn concurrent_sends_do_not_mix(stage: Stage) -> Result<(), Failure> {
    let mut sends = tokio::task::JoinSet::new();
    for index in 0..16_u64 {
        let transport = stage.transport();
        let recipient = format!("r{index}");
        let mail = mail::outbound(mail::message(index, &[&recipient], &format!("for {recipient}."))?)?;
        sends.spawn(async move { transport.send(&mail, &SendOptions::default()).await });
    }
    while let Some(sent) = sends.join_next().await {
        let outcome = sent.map_err(|error| Failure(format!("a send panicked: {error}")))?;
        let outcome = outcome.map_err(|error| crate::case::failed(&error))?;
        ensure!(outcome.is_complete(), "all should have been accepted: {outcome:?}");
    }
    let received = stage.received();
    ensure!(received.len() == 16, "sixteen went, {} arrived", received.len());
    for index in 0..16 {
        let recipient = format!("r{index}@example.net");
        let of_recipient: Vec<_> = received
            .iter()
            .filter(|received| received.recipients() == [recipient.as_str()])
            .collect();
        ensure!(
            of_recipient.len() == 1,
            "{recipient} got {} messages",
            of_recipient.len()
        );
        let matching = of_recipient
            .iter()
            .all(|received| String::from_utf8_lossy(received.bytes()).contains(&format!("Subject: for r{index}.\r\n")));
        ensure!(matching, "{recipient} got somebody else's message");
    }
    Ok(())
}

async fn works_after(stage: &Stage, answers: &[Answer]) -> Result<(), Failure> {
    let options = SendOptions::default().with_deadline(DEADLINE);
    for answer in answers.iter().copied().filter(|answer| stage.can(*answer)) {
        stage.answer(answer);
        stage.fail(&mail::to(&["bob"])?, &options).await?;
        stage.answer(Answer::Accept);
        let before = stage.received().len();
        let sent = stage.succeed(&mail::to(&["bob"])?, &SendOptions::default()).await;
        let outcome = sent.map_err(|failure| Failure(format!("after {answer:?}: {failure}")))?;
        ensure!(outcome.is_complete(), "after {answer:?}: {outcome:?}");
        let new = stage.received().len().saturating_sub(before);
        ensure!(new == 1, "after {answer:?}, the peer took {new} messages");
    }
    Ok(())
}

async fn the_next_send_after_a_failure_works(stage: Stage) -> Result<(), Failure> {
    works_after(&stage, Answer::FAILURES).await
}

async fn the_next_send_after_a_lost_answer_works(stage: Stage) -> Result<(), Failure> {
    works_after(&stage, Answer::LOSSES).await
}

async fn dropping_a_send_leaves_the_transport_usable(stage: Stage) -> Result<(), Failure> {
    stage.answer(Answer::Hang);
    let mail = mail::to(&["bob"])?;
    let ended = tokio::time::timeout(Duration::from_millis(200), stage.send(&mail)).await;
    ensure!(ended.is_err(), "a send to a peer that hangs ended: {ended:?}");
    stage.answer(Answer::Accept);
    stage.deliver(&mail::to(&["carol"])?, &SendOptions::default()).await?;
    let received = stage.received_one()?;
    ensure!(
        received.recipients() == ["carol@example.net"],
        "the recipients arrived as {:?}",
        received.recipients()
    );
    Ok(())
}

async fn an_answer_that_comes_too_late_is_not_taken_for_the_next(stage: Stage) -> Result<(), Failure> {
    stage.answer(Answer::HangAfterMessage);
    stage
        .fail(&mail::to(&["bob"])?, &SendOptions::default().with_deadline(DEADLINE))
        .await?;
    stage.answer(Answer::RefuseAll { permanent: true });
    let error = stage.fail(&mail::to(&["carol"])?, &SendOptions::default()).await?;
    ensure!(
        error.outcome().is_some_and(|outcome| outcome.refused().count() == 1),
        "the error is {error:?}"
    );
    Ok(())
}
