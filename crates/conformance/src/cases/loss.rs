//! What a send says when the peer goes away, or stops making sense.

use posthaste_transport::{Disposition, Fate, Feature, Outbound, Retry, SendOptions};

use super::case;
use crate::case::{Failure, Need, Stage, ensure};
use crate::{Answer, Case, mail};

const BOB_THEN_GONE: Answer = Answer::RefuseOneAndHangUp { local_part: "bob" };

pub(super) const CASES: &[Case] = &[
    case!(a_hang_up_at_once_is_safe_to_retry: [Need::Peer(Answer::HangUpAtOnce)]),
    case!(a_hang_up_before_the_final_dot_is_safe_to_retry: [
        Need::Peer(Answer::HangUpInMessage),
        Need::Has(Feature::RawMime),
        Need::Has(Feature::EnvelopeSender),
        Need::Has(Feature::EnvelopeRecipients),
    ]),
    case!(a_hang_up_after_the_final_dot_is_ambiguous_and_never_safe_to_retry: [Need::Peer(Answer::HangUpAfterMessage)]),
    case!(a_lost_answer_leaves_the_refused_recipients_certain: [Need::Peer(BOB_THEN_GONE)]),
    case!(garbage_is_never_success: [Need::Peer(Answer::Garbage)]),
    case!(garbage_in_answer_to_a_whole_message_is_ambiguous: [Need::Peer(Answer::GarbageAfterMessage)]),
];

async fn a_hang_up_at_once_is_safe_to_retry(stage: Stage) -> Result<(), Failure> {
    nothing_was_accepted(stage, Answer::HangUpAtOnce, &mail::to(&["bob"])?).await
}

/// More than the buffers between two sockets hold, so that the final dot cannot be on its way when the peer is gone. A small
/// message would be, dot and all, and then the honest answer is that nobody knows.
const MORE_THAN_BUFFERS: u64 = 16 << 20;
/// Small enough that no vectored write holds them all: what a failed write was given might have gone out.
const CHUNK: usize = 4096;

async fn a_hang_up_before_the_final_dot_is_safe_to_retry(stage: Stage) -> Result<(), Failure> {
    let limit = stage.info().capabilities().max_message_size().unwrap_or(u64::MAX);
    // Room for the header.
    let size = usize::try_from(limit.min(MORE_THAN_BUFFERS))
        .unwrap_or(usize::MAX)
        .saturating_sub(1024);
    let body = b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd\r\n".repeat(size / 64);
    nothing_was_accepted(stage, Answer::HangUpInMessage, &mail::raw(&body, CHUNK)?).await
}

async fn a_hang_up_after_the_final_dot_is_ambiguous_and_never_safe_to_retry(stage: Stage) -> Result<(), Failure> {
    may_have_been_accepted(stage, Answer::HangUpAfterMessage).await
}

async fn garbage_in_answer_to_a_whole_message_is_ambiguous(stage: Stage) -> Result<(), Failure> {
    may_have_been_accepted(stage, Answer::GarbageAfterMessage).await
}

async fn a_lost_answer_leaves_the_refused_recipients_certain(stage: Stage) -> Result<(), Failure> {
    stage.answer(BOB_THEN_GONE);
    let error = stage
        .fail(&mail::to(&["zoe", "bob", "mia"])?, &SendOptions::default())
        .await?;
    ensure!(
        error.disposition() == Disposition::Partial,
        "the disposition is {:?}",
        error.disposition()
    );
    ensure!(
        error.retry() == Retry::MayDuplicate,
        "the error says {:?}",
        error.retry()
    );
    let Some(outcome) = error.outcome() else {
        return Err(Failure(
            "the error does not say what became of each recipient".to_owned(),
        ));
    };
    let refused: Vec<String> = outcome.refused().map(|(address, _)| address.to_string()).collect();
    ensure!(refused == ["bob@example.net"], "refused are {refused:?}");
    let unknown = outcome
        .recipients()
        .iter()
        .filter(|recipient| *recipient.fate() == Fate::Unknown)
        .count();
    ensure!(unknown == 2, "the fates are {:?}", outcome.recipients());
    Ok(())
}

async fn garbage_is_never_success(stage: Stage) -> Result<(), Failure> {
    stage.answer(Answer::Garbage);
    let error = stage.fail(&mail::to(&["bob"])?, &SendOptions::default()).await?;
    ensure!(
        error.disposition() == Disposition::NotAccepted,
        "the disposition is {:?}",
        error.disposition()
    );
    ensure!(stage.received().is_empty(), "the peer took a message");
    Ok(())
}

async fn nothing_was_accepted(stage: Stage, answer: Answer, mail: &Outbound) -> Result<(), Failure> {
    stage.answer(answer);
    let error = stage.fail(mail, &SendOptions::default()).await?;
    ensure!(
        error.disposition() == Disposition::NotAccepted,
        "the disposition is {:?}",
        error.disposition()
    );
    ensure!(
        error.retry() == Retry::Safe,
        "the error says {:?} ({error})",
        error.retry()
    );
    ensure!(stage.received().is_empty(), "the peer took a message");
    Ok(())
}

async fn may_have_been_accepted(stage: Stage, answer: Answer) -> Result<(), Failure> {
    stage.answer(answer);
    let error = stage.fail(&mail::to(&["bob"])?, &SendOptions::default()).await?;
    ensure!(
        error.disposition() == Disposition::Ambiguous,
        "the disposition is {:?}",
        error.disposition()
    );
    ensure!(
        error.retry() == Retry::MayDuplicate,
        "the error says {:?} ({error})",
        error.retry()
    );
    // More than once would mean that somebody repeated it without asking.
    stage.received_one().map(drop)
}
