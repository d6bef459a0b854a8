//! What is printed holds neither content nor what an option says.

use std::error::Error;
use std::time::Duration;

use posthaste_transport::{OnUnsupported, SendError, SendOptions};

use super::case;
use crate::case::{Failure, Need, Stage, ensure};
use crate::{Answer, Case, mail};

const REFUSE: Answer = Answer::RefuseAll { permanent: true };

pub(super) const CASES: &[Case] = &[
    case!(no_error_shows_the_message_or_the_options: [Need::Peer(REFUSE)]),
    case!(the_transport_does_not_show_what_it_sent),
    case!(an_error_is_one_line_that_does_not_repeat_its_source: [Need::Peer(REFUSE)]),
];

const OPTION: &str = "option-canary-77";

fn errors_of(stage: &Stage) -> impl Iterator<Item = Answer> {
    let every = Answer::FAILURES.iter().chain(Answer::LOSSES).copied();
    every
        .filter(|answer| stage.can(*answer))
        .collect::<Vec<_>>()
        .into_iter()
}

async fn error(stage: &Stage, answer: Answer) -> Result<SendError, Failure> {
    stage.answer(answer);
    let options = SendOptions::default()
        .with_metadata("secret", OPTION)
        .map_err(|error| Failure(error.to_string()))?
        .with_on_unsupported(OnUnsupported::Degrade)
        .with_deadline(Duration::from_millis(300));
    stage.fail(&mail::to(&["bob"])?, &options).await
}

async fn no_error_shows_the_message_or_the_options(stage: Stage) -> Result<(), Failure> {
    for answer in errors_of(&stage) {
        let error = error(&stage, answer).await?;
        let mut shown = format!("{error} {error:?}");
        let mut source = error.source();
        while let Some(cause) = source {
            shown.push_str(&format!(" {cause} {cause:?}"));
            source = cause.source();
        }
        ensure!(
            !shown.contains(mail::CANARY),
            "after {answer:?}, the error shows the message"
        );
        ensure!(!shown.contains(OPTION), "after {answer:?}, the error shows an option");
    }
    Ok(())
}

async fn the_transport_does_not_show_what_it_sent(stage: Stage) -> Result<(), Failure> {
    let mail = mail::to(&["bob"])?;
    stage.deliver(&mail, &SendOptions::default()).await?;
    let shown = format!("{:?} {mail:?}", stage.transport());
    ensure!(!shown.contains(mail::CANARY), "what is printed shows the message");
    Ok(())
}

async fn an_error_is_one_line_that_does_not_repeat_its_source(stage: Stage) -> Result<(), Failure> {
    for answer in errors_of(&stage) {
        let error = error(&stage, answer).await?;
        let shown = error.to_string();
        ensure!(
            !shown.chars().any(char::is_control),
            "after {answer:?}, the error is {shown:?}"
        );
        ensure!(
            !shown.ends_with('.'),
            "after {answer:?}, the error ends with a full stop: {shown}"
        );
        let cause = error.source().map(ToString::to_string).unwrap_or_default();
        ensure!(
            cause.is_empty() || !shown.contains(&cause),
            "after {answer:?}, {shown:?} repeats {cause:?}"
        );
    }
    Ok(())
}
