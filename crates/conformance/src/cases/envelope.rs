//! Who really gets it, which the headers need not say.

use posthaste_transport::{Feature, Outbound, SendOptions};

use super::case;
use super::options::refused_before_any_io;
use crate::case::{Failure, Need, Stage, ensure};
use crate::{Case, mail};

pub(super) const CASES: &[Case] = &[
    case!(bcc_recipients_get_the_message_and_are_not_in_its_bytes),
    case!(an_envelope_that_differs_from_the_headers_wins: [Need::Has(Feature::EnvelopeSender), Need::Has(Feature::EnvelopeRecipients)]),
    case!(another_sender_is_an_error_where_it_is_not_supported: [Need::Lacks(Feature::EnvelopeSender)]),
    case!(other_recipients_are_an_error_where_they_are_not_supported: [Need::Lacks(Feature::EnvelopeRecipients)]),
    case!(a_null_sender_stays_null: [Need::Has(Feature::NullSender)]),
    case!(a_null_sender_is_an_error_where_it_is_not_supported: [Need::Lacks(Feature::NullSender)]),
    case!(an_internationalised_domain_arrives_in_ascii),
    case!(a_quoted_local_part_arrives_quoted),
    case!(a_non_ascii_local_part_arrives_as_it_is: [Need::Has(Feature::SmtpUtf8)]),
    case!(a_non_ascii_local_part_is_an_error_where_it_is_not_supported: [Need::Lacks(Feature::SmtpUtf8)]),
];

async fn bcc_recipients_get_the_message_and_are_not_in_its_bytes(stage: Stage) -> Result<(), Failure> {
    let message = posthaste_mime::Message::builder()
        .from(mail::mailbox("ada@example.org")?)
        .to(mail::mailbox("bob@example.net")?)
        .bcc(mail::mailbox("Secret Carol <carol-in-hiding@example.net>")?)
        .subject("Hello")
        .text("First line")
        .build()
        .map_err(|error| Failure(format!("the suite's own message could not be made: {error}")))?;
    stage
        .deliver(&mail::outbound(message)?, &SendOptions::default())
        .await?;
    let received = stage.received_one()?;
    ensure!(
        received.recipients() == ["bob@example.net", "carol-in-hiding@example.net"],
        "the recipients arrived as {:?}",
        received.recipients()
    );
    let text = String::from_utf8_lossy(received.bytes()).to_lowercase();
    ensure!(
        !text.contains("carol") && !text.contains("bcc:"),
        "the bytes name the Bcc recipient"
    );
    Ok(())
}

async fn an_envelope_that_differs_from_the_headers_wins(stage: Stage) -> Result<(), Failure> {
    let envelope = mail::envelope(Some("bounces+1@example.com"), &["someone-else@example.com"])?;
    let mail = Outbound::with_envelope(mail::message(1, &["bob"], "Hello")?, envelope);
    let outcome = stage.succeed(&mail, &SendOptions::default()).await?;
    let accepted: Vec<String> = outcome.accepted().map(ToString::to_string).collect();
    ensure!(accepted == ["someone-else@example.com"], "accepted are {accepted:?}");
    let received = stage.received_one()?;
    ensure!(
        received.mail_from() == Some("bounces+1@example.com"),
        "the sender arrived as {:?}",
        received.mail_from()
    );
    ensure!(
        received.recipients() == ["someone-else@example.com"],
        "the recipients arrived as {:?}",
        received.recipients()
    );
    Ok(())
}

async fn another_sender_is_an_error_where_it_is_not_supported(stage: Stage) -> Result<(), Failure> {
    let mail = mail::to(&["bob"])?;
    let mail = mail.readdressed(mail::envelope(Some("bounces@example.com"), &["bob@example.net"])?);
    refused_before_any_io(&stage, &mail, &SendOptions::default(), Feature::EnvelopeSender).await
}

async fn other_recipients_are_an_error_where_they_are_not_supported(stage: Stage) -> Result<(), Failure> {
    let mail = mail::to(&["bob"])?;
    let mail = mail.readdressed(mail::envelope(Some("ada@example.org"), &["carol@example.net"])?);
    refused_before_any_io(&stage, &mail, &SendOptions::default(), Feature::EnvelopeRecipients).await
}

fn bounce() -> Result<Outbound, Failure> {
    let mail = mail::to(&["bob"])?;
    Ok(mail.readdressed(mail::envelope(None, &["bob@example.net"])?))
}

async fn a_null_sender_stays_null(stage: Stage) -> Result<(), Failure> {
    stage.deliver(&bounce()?, &SendOptions::default()).await?;
    let received = stage.received_one()?;
    ensure!(
        received.mail_from().is_none(),
        "the sender arrived as {:?}",
        received.mail_from()
    );
    Ok(())
}

async fn a_null_sender_is_an_error_where_it_is_not_supported(stage: Stage) -> Result<(), Failure> {
    refused_before_any_io(&stage, &bounce()?, &SendOptions::default(), Feature::NullSender).await
}

async fn an_internationalised_domain_arrives_in_ascii(stage: Stage) -> Result<(), Failure> {
    recipient_arrives_as(stage, "bob@b\u{fc}cher.example", "bob@xn--bcher-kva.example").await
}

async fn a_quoted_local_part_arrives_quoted(stage: Stage) -> Result<(), Failure> {
    recipient_arrives_as(stage, "\"two words\"@example.net", "\"two words\"@example.net").await
}

async fn a_non_ascii_local_part_arrives_as_it_is(stage: Stage) -> Result<(), Failure> {
    recipient_arrives_as(stage, "j\u{f6}rg@example.net", "j\u{f6}rg@example.net").await
}

async fn recipient_arrives_as(stage: Stage, given: &str, arrives: &str) -> Result<(), Failure> {
    let mail = mail::outbound(to_mailbox(given)?)?;
    stage.deliver(&mail, &SendOptions::default()).await?;
    let received = stage.received_one()?;
    ensure!(
        received.recipients() == [arrives],
        "the recipient arrived as {:?}",
        received.recipients()
    );
    Ok(())
}

async fn a_non_ascii_local_part_is_an_error_where_it_is_not_supported(stage: Stage) -> Result<(), Failure> {
    let mail = mail::outbound(to_mailbox("j\u{f6}rg@example.net")?)?;
    refused_before_any_io(&stage, &mail, &SendOptions::default(), Feature::SmtpUtf8).await
}

fn to_mailbox(recipient: &str) -> Result<posthaste_mime::Message, Failure> {
    posthaste_mime::Message::builder()
        .from(mail::mailbox("ada@example.org")?)
        .to(mail::mailbox(recipient)?)
        .subject("Hello")
        .text("First line")
        .build()
        .map_err(|error| Failure(format!("the suite's own message could not be made: {error}")))
}
