//! A message in the pieces that are looked at.

use posthaste_mime::{Attachment, Message, RawDefect, RawMessage};

use crate::{Code, Finding};

/// How many octets of a body's text are looked at.
const LONGEST: usize = 1 << 20;

pub(super) struct Draft {
    pub(super) header: RawMessage,
    pub(super) text: Option<String>,
    pub(super) html: Option<String>,
    pub(super) file_names: Vec<String>,
    pub(super) has_files: bool,
    pub(super) size: u64,
    pub(super) defects: Vec<RawDefect>,
}

impl Draft {
    pub(super) fn of_message(message: &Message) -> Result<Self, Finding> {
        let (header, _) = message.to_header_and_body();
        let header = RawMessage::parse(header).map_err(|error| unreadable(&error))?;
        let files = message.attachments().iter().chain(message.inlines());
        Ok(Self {
            defects: header.defects(),
            header,
            text: message.text().map(cut),
            html: message.html().map(cut),
            file_names: files.filter_map(name).collect(),
            has_files: !message.attachments().is_empty() || message.calendar().is_some() || message.report().is_some(),
            size: message.encoded_len(),
        })
    }

    pub(super) fn of_raw(message: &RawMessage) -> Result<Self, Finding> {
        let (mut text, mut html, mut file_names) = (None, None, Vec::new());
        for part in message.parts().map_err(|error| unreadable(&error))? {
            file_names.extend(part.safe_file_name());
            if part.is_multipart() || part.is_attachment() {
                continue;
            }
            let body = match part.content_type() {
                "text/plain" => &mut text,
                "text/html" => &mut html,
                _ => continue,
            };
            if body.is_none() {
                *body = part.text().as_deref().map(cut);
            }
        }
        Ok(Self {
            header: message.clone(),
            text,
            html,
            has_files: !file_names.is_empty(),
            file_names,
            size: message.len() as u64,
            defects: message.defects(),
        })
    }
}

fn name(attachment: &Attachment) -> Option<String> {
    attachment.file_name().map(|name| name.as_str().to_owned())
}

fn cut(text: &str) -> String {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}

fn unreadable(error: &dyn std::error::Error) -> Finding {
    Finding::new(Code::HeaderDefect, "message", error.to_string())
}
