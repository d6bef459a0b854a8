//! Bytes arrive as they were.

use bytes::Bytes;
use posthaste_transport::{Disposition, Feature, Outbound, SendOptions};

use super::case;
use super::options::refused_before_any_io;
use crate::case::{Failure, Need, Stage, ensure};
use crate::{Case, mail};

/// Finished bytes go to whom the envelope says, so they need a transport that takes both.
macro_rules! raw_case {
    ($name:ident: [$($need:expr),*]) => {
        case!($name: [
            Need::Has(Feature::RawMime),
            Need::Has(Feature::EnvelopeSender),
            Need::Has(Feature::EnvelopeRecipients),
            $($need),*
        ])
    };
}

pub(super) const CASES: &[Case] = &[
    case!(a_built_message_arrives_byte_for_byte),
    raw_case!(lines_that_begin_with_dots_arrive_as_they_are: []),
    raw_case!(dots_at_the_edges_of_chunks_arrive_as_they_are: []),
    raw_case!(eight_bit_bytes_arrive_as_they_are: [Need::Has(Feature::EightBit)]),
    raw_case!(eight_bit_bytes_are_an_error_where_they_are_not_supported: [Need::Lacks(Feature::EightBit)]),
    raw_case!(a_megabyte_arrives_whole: [Need::Carries(2 << 20)]),
    raw_case!(a_missing_last_line_end_loses_nothing: []),
    raw_case!(bare_line_ends_never_end_a_message_early: []),
    case!(finished_bytes_are_an_error_where_they_are_not_supported: [Need::Lacks(Feature::RawMime)]),
    case!(the_same_message_can_be_sent_twice),
];

fn bytes(mail: &Outbound) -> Result<Bytes, Failure> {
    let bytes = mail.rope().to_bytes();
    bytes.map_err(|error| Failure(format!("the suite's own message could not be read: {error}")))
}

pub(super) async fn arrives(stage: &Stage, mail: &Outbound) -> Result<(), Failure> {
    let before = stage.received().len();
    stage.deliver(mail, &SendOptions::default()).await?;
    let received = stage.received();
    ensure!(
        received.len() == before.saturating_add(1),
        "the peer took {} messages",
        received.len().saturating_sub(before)
    );
    let mut sent = bytes(mail)?;
    if !sent.ends_with(b"\r\n")
        && received
            .last()
            .is_some_and(|received| received.bytes().ends_with(b"\r\n"))
    {
        // A protocol of lines has to end the last one.
        sent = [&sent[..], b"\r\n"].concat().into();
    }
    let arrived = received
        .last()
        .map(|received| received.bytes().clone())
        .unwrap_or_default();
    let same = sent
        .iter()
        .zip(arrived.iter())
        .take_while(|(sent, arrived)| sent == arrived)
        .count();
    ensure!(
        sent == arrived,
        "{} bytes went, {} arrived, and they differ from byte {same}",
        sent.len(),
        arrived.len()
    );
    Ok(())
}

async fn a_built_message_arrives_byte_for_byte(stage: Stage) -> Result<(), Failure> {
    arrives(&stage, &mail::to(&["bob"])?).await
}

const DOTS: &[u8] = b".\r\n..\r\n...\r\n.leading\r\n\r\n.\r\n..two\r\nmiddle.dot\r\ntrailing.\r\n.\r\n";

async fn lines_that_begin_with_dots_arrive_as_they_are(stage: Stage) -> Result<(), Failure> {
    arrives(&stage, &mail::raw(DOTS, usize::MAX)?).await
}

async fn dots_at_the_edges_of_chunks_arrive_as_they_are(stage: Stage) -> Result<(), Failure> {
    for size in [1, 2, 3, 5, 7] {
        arrives(&stage, &mail::raw(DOTS, size)?).await?;
    }
    Ok(())
}

fn eight_bit() -> Result<Outbound, Failure> {
    let mut body: Vec<u8> = (0x80..=0xff).collect();
    body.extend_from_slice(b"\r\n");
    mail::raw(&body, 50)
}

async fn eight_bit_bytes_arrive_as_they_are(stage: Stage) -> Result<(), Failure> {
    arrives(&stage, &eight_bit()?).await
}

async fn eight_bit_bytes_are_an_error_where_they_are_not_supported(stage: Stage) -> Result<(), Failure> {
    refused_before_any_io(&stage, &eight_bit()?, &SendOptions::default(), Feature::EightBit).await
}

async fn a_megabyte_arrives_whole(stage: Stage) -> Result<(), Failure> {
    let lines: Vec<u8> = (0..16_384)
        .flat_map(|line| format!("{line:062}\r\n").into_bytes())
        .collect();
    arrives(&stage, &mail::raw(&lines, 10_007)?).await
}

async fn a_missing_last_line_end_loses_nothing(stage: Stage) -> Result<(), Failure> {
    let mail = mail::raw(b"no line end", usize::MAX)?;
    stage.deliver(&mail, &SendOptions::default()).await?;
    let received = stage.received_one()?;
    let sent = bytes(&mail)?;
    let added = received.bytes().strip_prefix(&sent[..]);
    ensure!(
        matches!(added, Some(b"" | b"\r\n")),
        "the message arrived with {added:?} behind it"
    );
    Ok(())
}

/// What lenient peers take for the end of a message (SMTP smuggling), with a second message behind it.
const SMUGGLED: [&[u8]; 8] = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r.\r",
    b"\r.\r\n",
    b"\r\n.\r",
    b"\r\r\n.\r\r\n",
    b"\r\n\0.\r\n",
];

async fn bare_line_ends_never_end_a_message_early(stage: Stage) -> Result<(), Failure> {
    for ending in SMUGGLED {
        let mut body = b"one".to_vec();
        body.extend_from_slice(ending);
        body.extend_from_slice(
            b"MAIL FROM:<eve@example.org>\r\nRCPT TO:<bob@example.net>\r\nDATA\r\nSubject: two\r\n\r\ntwo\r\n",
        );
        let before = stage.received().len();
        let taken = match stage.send(&mail::raw(&body, 4)?).await {
            Ok(_) => 1,
            Err(error) => {
                ensure!(
                    error.disposition() == Disposition::NotAccepted,
                    "{ending:?} ended as {error}"
                );
                0
            }
        };
        let received = stage.received();
        let new = received.len().saturating_sub(before);
        ensure!(new == taken, "{ending:?} made {new} messages of {taken}");
        ensure!(
            received
                .iter()
                .all(|received| received.mail_from() == Some("ada@example.org")),
            "{ending:?} made a message from somebody else"
        );
    }
    Ok(())
}

async fn finished_bytes_are_an_error_where_they_are_not_supported(stage: Stage) -> Result<(), Failure> {
    refused_before_any_io(
        &stage,
        &mail::raw(b"text\r\n", usize::MAX)?,
        &SendOptions::default(),
        Feature::RawMime,
    )
    .await
}

async fn the_same_message_can_be_sent_twice(stage: Stage) -> Result<(), Failure> {
    let mail = mail::to(&["bob"])?;
    arrives(&stage, &mail).await?;
    arrives(&stage, &mail).await
}
