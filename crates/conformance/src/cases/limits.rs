//! Numbers that a transport says it has.

use posthaste_transport::{Feature, SendOptions};

use super::case;
use super::options::refused_before_any_io;
use crate::case::{Failure, Need, Stage, ensure};
use crate::{Case, mail};

/// The suite does not make messages for limits beyond this.
const MOST_RECIPIENTS: u32 = 5000;
/// The suite does not make messages for limits beyond this.
const MOST_BYTES: u64 = 64 << 20;

pub(super) const CASES: &[Case] = &[
    case!(as_many_recipients_as_the_limit_says_are_taken: [Need::LimitsRecipients(MOST_RECIPIENTS)]),
    case!(too_many_recipients_are_an_error_before_any_io: [Need::LimitsRecipients(MOST_RECIPIENTS)]),
    case!(a_message_that_is_too_large_is_an_error_before_any_io: [Need::LimitsSize(MOST_BYTES)]),
];

fn crowd(stage: &Stage, more: u32) -> Result<Vec<String>, Failure> {
    let limit = stage.info().capabilities().max_recipients().unwrap_or(0);
    ensure!(limit > 0, "a limit of no recipients is none");
    Ok((0..limit.saturating_add(more))
        .map(|index| format!("r{index}"))
        .collect())
}

async fn as_many_recipients_as_the_limit_says_are_taken(stage: Stage) -> Result<(), Failure> {
    let crowd = crowd(&stage, 0)?;
    let crowd: Vec<&str> = crowd.iter().map(String::as_str).collect();
    let outcome = stage.succeed(&mail::to(&crowd)?, &SendOptions::default()).await?;
    ensure!(
        outcome.accepted().count() == crowd.len(),
        "{} of {} were accepted",
        outcome.accepted().count(),
        crowd.len()
    );
    Ok(())
}

async fn too_many_recipients_are_an_error_before_any_io(stage: Stage) -> Result<(), Failure> {
    let crowd = crowd(&stage, 1)?;
    let crowd: Vec<&str> = crowd.iter().map(String::as_str).collect();
    refused_before_any_io(&stage, &mail::to(&crowd)?, &SendOptions::default(), Feature::Recipients).await
}

async fn a_message_that_is_too_large_is_an_error_before_any_io(stage: Stage) -> Result<(), Failure> {
    let limit = stage.info().capabilities().max_message_size().unwrap_or(0);
    let size = usize::try_from(limit).unwrap_or(usize::MAX);
    let body = b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd\r\n".repeat(size / 64 + 1);
    refused_before_any_io(
        &stage,
        &mail::raw(&body, 1 << 16)?,
        &SendOptions::default(),
        Feature::MessageSize,
    )
    .await
}
