//! Attachments that are read while they are sent.

use posthaste_transport::{Disposition, ErrorKind, Feature, Outbound, Retry, SendOptions};

use super::case;
use super::content::arrives;
use crate::case::{Failure, Need, Stage, ensure};
use crate::source::{MadeUp, Wrong};
use crate::{Case, mail};

macro_rules! streamed_case {
    ($name:ident) => {
        case!($name: [Need::Has(Feature::Attachments), Need::Carries(1 << 20)])
    };
}

pub(super) const CASES: &[Case] = &[
    streamed_case!(a_streamed_attachment_arrives_as_its_bytes),
    streamed_case!(a_streamed_attachment_can_be_sent_twice),
    streamed_case!(a_source_that_fails_half_way_is_never_reported_as_accepted_and_the_peer_has_no_message),
    streamed_case!(a_source_that_ends_early_is_never_reported_as_accepted_and_the_peer_has_no_message),
    streamed_case!(a_source_that_gives_other_bytes_than_before_is_never_reported_as_accepted),
];

/// Several pieces, however large somebody's are, and the last one not full.
const LENGTH: u64 = 500_001;

fn streaming(wrong: Option<Wrong>) -> Result<Outbound, Failure> {
    mail::streaming(MadeUp::new(LENGTH, wrong))
}

async fn a_streamed_attachment_arrives_as_its_bytes(stage: Stage) -> Result<(), Failure> {
    arrives(&stage, &streaming(None)?).await
}

async fn a_streamed_attachment_can_be_sent_twice(stage: Stage) -> Result<(), Failure> {
    let mail = streaming(None)?;
    arrives(&stage, &mail).await?;
    arrives(&stage, &mail).await
}

async fn a_source_that_fails_half_way_is_never_reported_as_accepted_and_the_peer_has_no_message(
    stage: Stage,
) -> Result<(), Failure> {
    for at in [0, LENGTH / 2, LENGTH - 1] {
        never_arrives(&stage, &streaming(Some(Wrong::FailsAt(at)))?).await?;
    }
    still_works(&stage).await
}

async fn a_source_that_ends_early_is_never_reported_as_accepted_and_the_peer_has_no_message(
    stage: Stage,
) -> Result<(), Failure> {
    for at in [0, LENGTH / 2, LENGTH - 1] {
        never_arrives(&stage, &streaming(Some(Wrong::EndsAt(at)))?).await?;
    }
    still_works(&stage).await
}

async fn a_source_that_gives_other_bytes_than_before_is_never_reported_as_accepted(
    stage: Stage,
) -> Result<(), Failure> {
    let mail = streaming(Some(Wrong::Varies))?;
    // As somebody does who signs it.
    let read = mail.rope().chunks().find_map(Result::err);
    ensure!(read.is_none(), "the suite's own source could not be read: {read:?}");
    never_arrives(&stage, &mail).await?;
    still_works(&stage).await
}

async fn never_arrives(stage: &Stage, mail: &Outbound) -> Result<(), Failure> {
    let error = stage.fail(mail, &SendOptions::default()).await?;
    ensure!(
        error.disposition() == Disposition::NotAccepted,
        "the disposition is {:?}",
        error.disposition()
    );
    ensure!(
        (error.kind(), error.retry()) == (ErrorKind::Unreadable, Retry::Never),
        "the error is of the kind {:?} and says {:?} ({error})",
        error.kind(),
        error.retry()
    );
    ensure!(stage.received().is_empty(), "the peer took a message");
    Ok(())
}

/// Sends a message on, over whatever the failure left.
async fn still_works(stage: &Stage) -> Result<(), Failure> {
    stage.deliver(&mail::to(&["bob"])?, &SendOptions::default()).await?;
    stage.received_one().map(drop)
}
