//! Boundaries, and what they must not stand in.

use crate::body::Transfer;
use crate::content::View;
use crate::generator::hex;
use crate::report::Returned;
use crate::{Calendar, Report};

/// Begins every boundary: `=_` stands in no quoted-printable or base64 text (RFC 2045 §6.7, §6.8).
pub(super) const BOUNDARY_MARK: &str = "=_";

/// Begins every line that delimits parts.
pub(super) const DELIMITER_MARK: &str = "--=_";

/// A multipart that a message can have.
#[derive(Clone, Copy, Debug)]
pub(super) enum Multipart {
    Mixed,
    Alternative,
    Related,
    Report,
}

impl Multipart {
    /// What tells its boundary from those of the others.
    pub(super) fn number(self) -> &'static str {
        match self {
            Self::Mixed => "1_",
            Self::Alternative => "2_",
            Self::Related => "3_",
            Self::Report => "4_",
        }
    }
}

/// Returns what makes the message's boundaries its own: 128 bits that stand in none of its parts.
pub(super) fn boundary_tag(content: View<'_>, id: [u8; 16]) -> String {
    let own = hex(id);
    let suspects: Vec<&str> = texts(content)
        .chain(unencoded(content))
        .filter(|text| text.contains(DELIMITER_MARK))
        .collect();
    let mut tag = own.clone();
    let mut attempt = 0_u64;
    while suspects.iter().any(|text| text.contains(&tag)) {
        attempt += 1;
        tag = format!("{own}_{attempt}");
    }
    tag
}

pub(super) fn text(content: View<'_>) -> Option<&str> {
    content.one(|content| content.text.as_deref())
}

pub(super) fn html(content: View<'_>) -> Option<&str> {
    content.one(|content| content.html.as_deref())
}

pub(super) fn amp(content: View<'_>) -> Option<&str> {
    content.one(|content| content.amp.as_deref())
}

pub(super) fn calendar(content: View<'_>) -> Option<&Calendar> {
    content.one(|content| content.calendar.as_ref())
}

/// The bodies of a message.
pub(super) fn texts(content: View<'_>) -> impl Iterator<Item = &str> {
    let bodies = [
        text(content),
        html(content),
        amp(content),
        calendar(content).map(Calendar::as_str),
    ];
    bodies.into_iter().flatten()
}

/// What else of a message is written as it is: reports, and messages that are attached.
pub(super) fn unencoded(content: View<'_>) -> impl Iterator<Item = &str> {
    let report = content.one(|content| content.report.as_ref());
    let returned = report.and_then(Report::returned).map(Returned::octets);
    let inlines = content.list(|content| &content.inlines);
    let attached = content.list(|content| &content.attachments).iter().chain(inlines);
    // Nothing is encoded to know it.
    let attached = attached.filter(|attachment| attachment.transfer() == Transfer::SevenBit);
    let attached = attached.filter_map(|attachment| attachment.encoded_in_memory().map(|(_, octets)| octets));
    let octets = report.map(Report::field_bytes).into_iter().chain(returned);
    octets
        .chain(attached)
        .filter_map(|octets| std::str::from_utf8(octets).ok())
}
