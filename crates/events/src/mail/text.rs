//! The words of a mail: what its program wrote, without the message that it returns.

use posthaste_mime::{RawMessage, RawPart, text_from_html};

use crate::cut::cut_at;

/// How much of a mail's words is looked at.
const MOST: usize = 256 * 1024;

/// The words of a mail.
pub(super) struct Texts {
    /// What was written, up to the returned message.
    pub(super) words: String,
    /// The message that stands behind it in the same text.
    pub(super) returned: String,
}

impl Texts {
    pub(super) fn of(mail: &RawMessage, own: &[RawPart]) -> Self {
        let mut whole = String::new();
        for part in own {
            if part.is_multipart() || part.is_message() || part.is_attachment() && !whole.trim().is_empty() {
                continue;
            }
            let text = match part.content_type() {
                "text/plain" => part.text(),
                "text/html" if whole.trim().is_empty() => part.text().map(|html| text_from_html(&html)),
                _ => None,
            };
            if let Some(text) = text {
                whole.push_str(&text);
                whole.push('\n');
            }
            if whole.len() > MOST {
                break;
            }
        }
        if whole.trim().is_empty() {
            whole = loose_text(mail);
        }
        cut_at(&mut whole, MOST);
        let (words, returned) = split(&whole);
        Self { words, returned }
    }
}

/// Reads the body as text, whatever the header says: many bounces of old programs are broken as MIME.
pub(super) fn loose_text(mail: &RawMessage) -> String {
    let body = mail.body();
    let start = body.get(..MOST).unwrap_or(&body);
    String::from_utf8_lossy(start).into_owned()
}

/// What programs write in front of the message that they return.
const RETURNED: &[&str] = &[
    "this is a copy of",
    "below this line is a copy",
    "below is a copy of the original",
    "original message follows",
    "original message",
    "message headers follow",
    "message header follows",
    "unsent message follows",
    "returned message",
    "header of the original message",
    "headers of the original message",
    "original mail as follows",
    "message text follows",
    "the original message was",
    "included is a copy of the message",
    "content of the original",
    "undelivered message follows",
    "your message follows",
    "message follows",
];

/// Splits at the message that is returned.
fn split(text: &str) -> (String, String) {
    let mut at = 0;
    let mut said = false;
    for line in text.split_inclusive('\n') {
        let bare = line.trim();
        let lower = bare.to_ascii_lowercase();
        let announces = bare.len() < 120
            && !lower.starts_with("the original message was received")
            && RETURNED.iter().any(|words| lower.contains(words))
            && (bare.starts_with('-')
                || bare.starts_with('=')
                || bare.ends_with('.')
                || bare.ends_with(':')
                || bare.ends_with('-'))
            && !lower.contains("deliver your message")
            && said;
        let is_field = said
            && [
                "received:",
                "return-path:",
                "dkim-signature:",
                "delivered-to:",
                "x-original-to:",
            ]
            .iter()
            .any(|name| lower.starts_with(name))
            && !line.starts_with([' ', '\t']);
        if announces || is_field {
            return (
                text.get(..at).unwrap_or_default().to_owned(),
                text.get(at..).unwrap_or_default().to_owned(),
            );
        }
        said |= !bare.is_empty();
        at += line.len();
    }
    (text.to_owned(), String::new())
}
