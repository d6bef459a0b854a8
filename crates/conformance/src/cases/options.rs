//! Wishes that a transport has or has not.

use std::time::{Duration, UNIX_EPOCH};

use posthaste_transport::{Disposition, ErrorKind, Feature, OnUnsupported, OptionError, Outbound, Retry, SendOptions};

use super::case;
use crate::case::{Failure, Need, Stage, ensure};
use crate::{Answer, Case, mail};

pub(super) const CASES: &[Case] = &[
    case!(an_unsupported_tag_is_an_error_before_any_io: [Need::Lacks(Feature::Tags)]),
    case!(an_unsupported_schedule_is_an_error_before_any_io: [Need::Lacks(Feature::Schedule)]),
    case!(every_unsupported_wish_is_named_at_once: [Need::Lacks(Feature::Tags), Need::Lacks(Feature::Metadata)]),
    case!(an_unsupported_tag_is_dropped_when_the_caller_allows_it: [Need::Lacks(Feature::Tags)]),
    case!(a_schedule_is_never_dropped: [Need::Lacks(Feature::Schedule)]),
    case!(a_demand_for_tls_is_never_dropped: [Need::Lacks(Feature::RequireTls)]),
    case!(tags_and_metadata_are_taken_where_they_are_supported: [Need::Has(Feature::Tags), Need::Has(Feature::Metadata)]),
    case!(a_delivery_notification_is_taken_where_it_is_supported: [Need::Has(Feature::Dsn)]),
];

fn valid(options: Result<SendOptions, OptionError>) -> Result<SendOptions, Failure> {
    options.map_err(|error| Failure(format!("the suite's own options could not be made: {error}")))
}

fn tagged() -> Result<SendOptions, Failure> {
    valid(SendOptions::default().with_tag("welcome"))
}

fn scheduled() -> SendOptions {
    SendOptions::default().with_schedule(UNIX_EPOCH + Duration::from_secs(4_000_000_000))
}

async fn an_unsupported_tag_is_an_error_before_any_io(stage: Stage) -> Result<(), Failure> {
    refused_before_any_io(&stage, &mail::to(&["bob"])?, &tagged()?, Feature::Tags).await
}

async fn an_unsupported_schedule_is_an_error_before_any_io(stage: Stage) -> Result<(), Failure> {
    refused_before_any_io(&stage, &mail::to(&["bob"])?, &scheduled(), Feature::Schedule).await
}

async fn every_unsupported_wish_is_named_at_once(stage: Stage) -> Result<(), Failure> {
    let options = valid(tagged()?.with_metadata("user", "42"))?;
    let error = stage.fail(&mail::to(&["bob"])?, &options).await?;
    let named: Vec<Feature> = error
        .unsupported()
        .iter()
        .map(|unsupported| unsupported.feature())
        .collect();
    ensure!(
        named.contains(&Feature::Tags) && named.contains(&Feature::Metadata),
        "named are {named:?}"
    );
    Ok(())
}

async fn an_unsupported_tag_is_dropped_when_the_caller_allows_it(stage: Stage) -> Result<(), Failure> {
    let options = tagged()?.with_on_unsupported(OnUnsupported::Degrade);
    let outcome = stage.succeed(&mail::to(&["bob"])?, &options).await?;
    ensure!(outcome.is_complete(), "bob should have been accepted: {outcome:?}");
    stage.received_one().map(drop)
}

async fn a_schedule_is_never_dropped(stage: Stage) -> Result<(), Failure> {
    let options = scheduled().with_on_unsupported(OnUnsupported::Degrade);
    refused_before_any_io(&stage, &mail::to(&["bob"])?, &options, Feature::Schedule).await
}

async fn a_demand_for_tls_is_never_dropped(stage: Stage) -> Result<(), Failure> {
    let mail = mail::to(&["bob"])?;
    let mail = mail.readdressed(mail.envelope().clone().with_require_tls(true));
    let options = SendOptions::default().with_on_unsupported(OnUnsupported::Degrade);
    refused_before_any_io(&stage, &mail, &options, Feature::RequireTls).await
}

async fn tags_and_metadata_are_taken_where_they_are_supported(stage: Stage) -> Result<(), Failure> {
    let options = valid(tagged()?.with_metadata("user", "42"))?;
    stage.deliver(&mail::to(&["bob"])?, &options).await?;
    stage.received_one().map(drop)
}

async fn a_delivery_notification_is_taken_where_it_is_supported(stage: Stage) -> Result<(), Failure> {
    let mail = mail::to(&["bob"])?;
    let envelope = mail
        .envelope()
        .clone()
        .with_return_content(posthaste_address::ReturnContent::Headers);
    stage
        .deliver(&mail.readdressed(envelope), &SendOptions::default())
        .await?;
    stage.received_one().map(drop)
}

/// Sends to a peer that would hang up, so that an attempt to reach it would show as another error.
pub(super) async fn refused_before_any_io(
    stage: &Stage,
    mail: &Outbound,
    options: &SendOptions,
    feature: Feature,
) -> Result<(), Failure> {
    if stage.can(Answer::HangUpAtOnce) {
        stage.answer(Answer::HangUpAtOnce);
    }
    let error = stage.fail(mail, options).await?;
    ensure!(
        error.kind() == ErrorKind::Unsupported,
        "the kind is {:?} ({error})",
        error.kind()
    );
    ensure!(
        error.disposition() == Disposition::NotAccepted,
        "the disposition is {:?}",
        error.disposition()
    );
    ensure!(error.retry() == Retry::Never, "the error says {:?}", error.retry());
    ensure!(
        error
            .unsupported()
            .iter()
            .any(|unsupported| unsupported.feature() == feature),
        "the error names {:?}",
        error.unsupported()
    );
    ensure!(stage.received().is_empty(), "the peer took a message");
    Ok(())
}
