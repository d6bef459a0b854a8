//! The messages that cases send.

use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use posthaste_address::{EmailAddress, Envelope, Mailbox};
use posthaste_mime::{Attachment, ContentType, Generator, Message, Rope, Source};
use posthaste_transport::Outbound;

use crate::case::Failure;

/// Stands in every body; an error that shows it has leaked content.
pub(crate) const CANARY: &str = "canary-5f3a9b";

/// Anything that says why a message could not be made.
fn broken(error: impl std::error::Error) -> Failure {
    Failure(format!("the suite's own message could not be made: {error}"))
}

pub(crate) fn address(text: &str) -> Result<EmailAddress, Failure> {
    text.parse().map_err(broken)
}

/// Reads `Name <local@domain>`.
pub(crate) fn mailbox(text: &str) -> Result<Mailbox, Failure> {
    text.parse().map_err(broken)
}

/// Makes a message from `ada` to those local parts at example.net.
pub(crate) fn message(seed: u64, recipients: &[&str], subject: &str) -> Result<Message, Failure> {
    let generator = Generator::fixed(UNIX_EPOCH + Duration::from_secs(1_700_000_000), seed);
    let mut builder = Message::builder()
        .generator(&generator)
        .from(mailbox("Ada <ada@example.org>")?);
    for recipient in recipients {
        builder = builder.to(mailbox(&format!("{recipient}@example.net"))?);
    }
    builder
        .subject(subject)
        .text(format!("{CANARY} {subject}"))
        .build()
        .map_err(broken)
}

/// Makes a message from `ada` to `bob` that streams `source`.
pub(crate) fn streaming(source: impl Source) -> Result<Outbound, Failure> {
    let generator = Generator::fixed(UNIX_EPOCH + Duration::from_secs(1_700_000_000), 2);
    let kind = ContentType::parse("application/octet-stream").map_err(broken)?;
    let attachment = Attachment::from_source("large.bin", kind, source).map_err(broken)?;
    let message = Message::builder()
        .generator(&generator)
        .from(mailbox("Ada <ada@example.org>")?)
        .to(mailbox("bob@example.net")?)
        .subject("streamed")
        .text(format!(".\r\n{CANARY}"))
        .attach(attachment)
        .build()
        .map_err(broken)?;
    outbound(message)
}

pub(crate) fn outbound(message: Message) -> Result<Outbound, Failure> {
    Outbound::new(message).map_err(broken)
}

/// Makes a plain message to those local parts at example.net.
pub(crate) fn to(recipients: &[&str]) -> Result<Outbound, Failure> {
    outbound(message(1, recipients, "Hello")?)
}

pub(crate) fn envelope(mail_from: Option<&str>, recipients: &[&str]) -> Result<Envelope, Failure> {
    let mail_from = mail_from.map(address).transpose()?;
    let recipients = recipients
        .iter()
        .map(|recipient| address(recipient))
        .collect::<Result<Vec<_>, _>>()?;
    Envelope::new(mail_from, recipients).map_err(broken)
}

/// Makes a message of finished bytes, from `ada` to `bob`, in chunks of `size` bytes.
pub(crate) fn raw(body: &[u8], size: usize) -> Result<Outbound, Failure> {
    let mut bytes = b"From: ada@example.org\r\nTo: bob@example.net\r\nSubject: raw\r\n\
        Date: Tue, 14 Nov 2023 22:13:20 +0000\r\nMessage-ID: <raw@example.org>\r\n\r\n"
        .to_vec();
    bytes.extend_from_slice(body);
    let mut rope = Rope::default();
    for chunk in bytes.chunks(size.max(1)) {
        rope.push(Bytes::copy_from_slice(chunk));
    }
    Ok(Outbound::raw(
        envelope(Some("ada@example.org"), &["bob@example.net"])?,
        rope,
    ))
}
