//! What the APIs of mailboxes have in common: a whole message, sent to whom its header names.

use bytes::Bytes;
use posthaste_address::Mailbox;
use posthaste_mime::Rope;
use posthaste_transport::{Capabilities, Feature, SendError};

use crate::{Submission, addresses};

/// Takes whole messages, from the mailbox's own addresses, to whom the header names.
pub(super) const fn capabilities() -> Capabilities {
    Capabilities::none()
        .with(Feature::RawMime)
        .with(Feature::CustomHeaders)
        .with(Feature::Attachments)
        .with(Feature::InlineParts)
        .with(Feature::Amp)
        .with(Feature::SpecialParts)
}

/// The bytes of the one copy of a submission: with a Bcc field, by which the API knows blind copies, and which it takes out; and
/// with a To field of the copy's own in a batch, whose message has none.
pub(super) fn bytes(submission: &Submission<'_>) -> Result<Rope, SendError> {
    let mut rope = submission.bytes();
    let [copy] = submission.copies() else {
        return Err(submission.invalid("writing several messages in one call"));
    };
    // Bytes that somebody else has finished are not touched.
    if submission.message().is_err() {
        return Ok(rope);
    }
    if copy.bcc().len() > 0 {
        rope.prepend(field("Bcc", copy.bcc()));
    }
    if submission.is_individual() {
        rope.prepend(field("To", copy.to()));
    }
    Ok(rope)
}

/// Writes a field of addresses alone, one a line: no name that would have to be encoded.
fn field<'m>(name: &str, mailboxes: impl Iterator<Item = &'m Mailbox>) -> Bytes {
    let list: Vec<String> = mailboxes.map(|mailbox| addresses::address(mailbox.address())).collect();
    Bytes::from(format!("{name}: {}\r\n", list.join(",\r\n ")))
}
