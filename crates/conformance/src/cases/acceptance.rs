//! What a send that worked says.

use std::time::Duration;

use posthaste_transport::{SendOptions, TransportExt};

use super::case;
use crate::case::{Failure, Stage, ensure, failed};
use crate::{Case, mail};

pub(super) const CASES: &[Case] = &[
    case!(what_is_accepted_is_received),
    case!(each_recipient_has_a_fate_in_the_order_of_the_envelope),
    case!(the_outcome_has_the_message_id_and_counts_the_attempt),
    case!(a_message_is_sent_by_the_convenience_method_too),
    case!(a_deadline_that_is_not_reached_changes_nothing),
    case!(the_description_is_always_the_same_and_needs_no_runtime),
];

async fn what_is_accepted_is_received(stage: Stage) -> Result<(), Failure> {
    let mail = mail::to(&["bob", "carol"])?;
    let outcome = stage.succeed(&mail, &SendOptions::default()).await?;
    ensure!(
        outcome.is_complete(),
        "all recipients should have been accepted: {outcome:?}"
    );
    let received = stage.received_one()?;
    ensure!(
        received.mail_from() == Some("ada@example.org"),
        "the sender arrived as {:?}",
        received.mail_from()
    );
    ensure!(
        received.recipients() == ["bob@example.net", "carol@example.net"],
        "the recipients arrived as {:?}",
        received.recipients()
    );
    Ok(())
}

async fn each_recipient_has_a_fate_in_the_order_of_the_envelope(stage: Stage) -> Result<(), Failure> {
    let mail = mail::to(&["zoe", "bob", "mia"])?;
    let outcome = stage.succeed(&mail, &SendOptions::default()).await?;
    let order: Vec<String> = outcome
        .recipients()
        .iter()
        .map(|recipient| recipient.address().to_string())
        .collect();
    ensure!(
        order == ["zoe@example.net", "bob@example.net", "mia@example.net"],
        "the fates are of {order:?}"
    );
    Ok(())
}

async fn the_outcome_has_the_message_id_and_counts_the_attempt(stage: Stage) -> Result<(), Failure> {
    let mail = mail::to(&["bob"])?;
    let outcome = stage.succeed(&mail, &SendOptions::default()).await?;
    ensure!(
        outcome.message_id() == mail.message_id(),
        "the Message-ID is {:?}",
        outcome.message_id()
    );
    ensure!(outcome.message_id().is_some(), "there is no Message-ID");
    ensure!(outcome.attempts() == 1, "it counts {} attempts", outcome.attempts());
    Ok(())
}

async fn a_message_is_sent_by_the_convenience_method_too(stage: Stage) -> Result<(), Failure> {
    let transport = stage.transport();
    let outcome = transport
        .send_message(mail::message(1, &["bob"], "Hello")?)
        .await
        .map_err(|error| failed(&error))?;
    ensure!(outcome.is_complete(), "bob should have been accepted: {outcome:?}");
    stage.received_one().map(drop)
}

async fn a_deadline_that_is_not_reached_changes_nothing(stage: Stage) -> Result<(), Failure> {
    let options = SendOptions::default().with_deadline(Duration::from_secs(30));
    let outcome = stage.succeed(&mail::to(&["bob"])?, &options).await?;
    ensure!(outcome.is_complete(), "bob should have been accepted: {outcome:?}");
    stage.received_one().map(drop)
}

async fn the_description_is_always_the_same_and_needs_no_runtime(stage: Stage) -> Result<(), Failure> {
    let before = stage.info();
    let transport = stage.transport();
    let (sender, described) = tokio::sync::oneshot::channel();
    // A plain thread has no runtime, so a description that does I/O through one shows itself.
    std::thread::spawn(move || sender.send(transport.info()).is_ok());
    let Ok(elsewhere) = described.await else {
        return Err(Failure("describing it panicked outside a runtime".to_owned()));
    };
    ensure!(!before.name().is_empty(), "it has no name");
    ensure!(
        before == elsewhere,
        "it describes itself as {before:?} and as {elsewhere:?}"
    );
    stage.deliver(&mail::to(&["bob"])?, &SendOptions::default()).await?;
    ensure!(
        before == stage.info(),
        "it describes itself otherwise after a send: {:?}",
        stage.info()
    );
    ensure!(stage.received().len() == 1, "describing it sent something");
    Ok(())
}
