//! What a send says when the peer takes too long.

use std::time::{Duration, Instant};

use posthaste_transport::{Disposition, ErrorKind, Retry, SendOptions};

use super::case;
use crate::case::{Failure, Need, Stage, ensure};
use crate::{Answer, Case, mail};

/// Long enough for a loopback conversation on a busy machine, short enough to wait for.
const DEADLINE: Duration = Duration::from_millis(700);
/// How late a send may end on a busy machine.
const GRACE: Duration = Duration::from_secs(10);

pub(super) const CASES: &[Case] = &[
    case!(a_hang_ends_by_the_deadline_with_nothing_accepted: [Need::Peer(Answer::Hang)]),
    case!(a_hang_after_the_final_dot_ends_by_the_deadline_and_is_ambiguous: [Need::Peer(Answer::HangAfterMessage)]),
];

async fn a_hang_ends_by_the_deadline_with_nothing_accepted(stage: Stage) -> Result<(), Failure> {
    stage.answer(Answer::Hang);
    let start = Instant::now();
    let options = SendOptions::default().with_deadline(DEADLINE);
    let error = stage.fail(&mail::to(&["bob"])?, &options).await?;
    ensure!(start.elapsed() < DEADLINE + GRACE, "it took {:?}", start.elapsed());
    ensure!(error.kind() == ErrorKind::Timeout, "the kind is {:?}", error.kind());
    ensure!(
        error.disposition() == Disposition::NotAccepted,
        "the disposition is {:?}",
        error.disposition()
    );
    ensure!(error.retry() == Retry::Safe, "the error says {:?}", error.retry());
    ensure!(stage.received().is_empty(), "the peer took a message");
    Ok(())
}

async fn a_hang_after_the_final_dot_ends_by_the_deadline_and_is_ambiguous(stage: Stage) -> Result<(), Failure> {
    stage.answer(Answer::HangAfterMessage);
    let start = Instant::now();
    let options = SendOptions::default().with_deadline(DEADLINE);
    let error = stage.fail(&mail::to(&["bob"])?, &options).await?;
    ensure!(start.elapsed() < DEADLINE + GRACE, "it took {:?}", start.elapsed());
    ensure!(error.kind() == ErrorKind::Timeout, "the kind is {:?}", error.kind());
    stage.received_one()?;
    ensure!(
        error.disposition() == Disposition::Ambiguous,
        "the disposition is {:?}",
        error.disposition()
    );
    ensure!(
        error.retry() == Retry::MayDuplicate,
        "the error says {:?}",
        error.retry()
    );
    Ok(())
}
