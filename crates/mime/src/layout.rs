//! Lays a message out: headers, the tree of parts, and what of it is shared.

use bytes::Bytes;

use crate::attachment::Attachment;
use crate::body::{self, TextKind, Transfer};
use crate::fold::Field;
use crate::generator::hex;
use crate::message::Content;
use crate::parameter;
use crate::rope::Rope;

/// Begins every boundary: `=_` stands in no quoted-printable or base64 text (RFC 2045 §6.7, §6.8).
const BOUNDARY_MARK: &str = "=_";

/// Begins every line that delimits parts.
const DELIMITER_MARK: &str = "--=_";

/// Writes `message` as a rope: encoded attachments are chunks of their own, everything else is cut from one buffer.
pub(crate) fn lay_out(message: &Content) -> Rope {
    let text_len = message.text.as_ref().map_or(0, String::len) + message.html.as_ref().map_or(0, String::len);
    let parts = message.inlines.len() + message.attachments.len();
    let mut layout = Layout {
        out: Vec::with_capacity(2048 + text_len + text_len * 2 / 5 + 512 * parts),
        shared: Vec::with_capacity(parts),
        tag: boundary_tag(message),
        boundaries: 0,
    };
    layout.headers(message);
    layout.body(message);
    layout.finish()
}

struct Layout {
    out: Vec<u8>,
    /// Chunks that stand in the message where the buffer had that length.
    shared: Vec<(usize, Bytes)>,
    tag: String,
    boundaries: usize,
}

impl Layout {
    fn headers(&mut self, message: &Content) {
        let out = &mut self.out;
        if !message.from.is_empty() {
            let mut field = Field::begin(out, "From");
            field.mailboxes(&message.from);
            field.end();
        }
        if let Some(sender) = &message.sender {
            let mut field = Field::begin(out, "Sender");
            field.mailbox(sender);
            field.end();
        }
        if !message.reply_to.is_empty() {
            let mut field = Field::begin(out, "Reply-To");
            field.mailboxes(&message.reply_to);
            field.end();
        }
        for (name, addresses) in [("To", &message.to), ("Cc", &message.cc)] {
            if !addresses.is_empty() {
                let mut field = Field::begin(out, name);
                field.addresses(addresses);
                field.end();
            }
        }
        if let Some(subject) = &message.subject {
            let mut field = Field::begin(out, "Subject");
            field.unstructured(subject);
            field.end();
        }
        plain(out, "Date", &message.date_text);
        plain(out, "Message-ID", &message.message_id.to_string());
        for (name, ids) in [
            ("In-Reply-To", &message.in_reply_to),
            ("References", &message.references),
        ] {
            if !ids.is_empty() {
                let mut field = Field::begin(out, name);
                for id in ids {
                    field.word(&id.to_string());
                }
                field.end();
            }
        }
        self.list_headers(message);
        for (name, value) in &message.headers {
            let mut field = Field::begin(&mut self.out, name.as_str());
            if value.is_structured() {
                field.words(value.as_str());
            } else {
                field.unstructured(value.as_str());
            }
            field.end();
        }
        self.out.extend_from_slice(b"MIME-Version: 1.0\r\n");
    }

    fn list_headers(&mut self, message: &Content) {
        let out = &mut self.out;
        if let Some(list) = &message.list_id {
            let mut field = Field::begin(out, "List-Id");
            if let Some(description) = list.description_text() {
                field.phrase(description);
            }
            field.word(&format!("<{}>", list.as_str()));
            field.end();
        }
        if let Some(unsubscribe) = &message.list_unsubscribe {
            let mut field = Field::begin(out, "List-Unsubscribe");
            let mut uris = unsubscribe.uris().peekable();
            while let Some(uri) = uris.next() {
                field.word_and(&format!("<{uri}>"), 1);
                if uris.peek().is_some() {
                    field.glue_byte(b',');
                }
            }
            field.end();
            if unsubscribe.is_one_click() {
                plain(out, "List-Unsubscribe-Post", "List-Unsubscribe=One-Click");
            }
        }
        if let Some(auto_submitted) = message.auto_submitted {
            plain(out, "Auto-Submitted", auto_submitted.as_str());
        }
    }

    /// Writes mixed(body, attachments), or the body alone if there are no attachments.
    fn body(&mut self, message: &Content) {
        if message.attachments.is_empty() {
            return self.readable(message);
        }
        let boundary = self.begin_multipart("mixed");
        if message.text.is_some() || message.html.is_some() {
            self.delimiter(&boundary);
            self.readable(message);
        }
        for attachment in &message.attachments {
            self.delimiter(&boundary);
            self.attachment(attachment, "attachment");
        }
        self.end_multipart(&boundary);
    }

    /// Writes alternative(text, html), or the one of them that there is; an empty text if there is none.
    fn readable(&mut self, message: &Content) {
        match (&message.text, &message.html) {
            (Some(text), Some(html)) => {
                let boundary = self.begin_multipart("alternative");
                self.delimiter(&boundary);
                self.text(TextKind::Plain, text);
                self.delimiter(&boundary);
                self.html(message, html);
                self.end_multipart(&boundary);
            }
            (None, Some(html)) => self.html(message, html),
            (text, None) => self.text(TextKind::Plain, text.as_deref().unwrap_or_default()),
        }
    }

    /// Writes related(html, inline parts), or the HTML alone if there are none (RFC 2387).
    fn html(&mut self, message: &Content, html: &str) {
        if message.inlines.is_empty() {
            return self.text(TextKind::Html, html);
        }
        let boundary = self.begin_multipart("related; type=\"text/html\"");
        self.delimiter(&boundary);
        self.text(TextKind::Html, html);
        for inline in &message.inlines {
            self.delimiter(&boundary);
            self.attachment(inline, "inline");
        }
        self.end_multipart(&boundary);
    }

    fn text(&mut self, kind: TextKind, text: &str) {
        body::write_text(kind, text, &mut self.out);
    }

    fn attachment(&mut self, attachment: &Attachment, disposition: &str) {
        let out = &mut self.out;
        let content_type = attachment.content_type();
        let mut field = Field::begin(out, "Content-Type");
        field.word_and(content_type.essence(), 1);
        for (name, value) in content_type.parameters() {
            parameter::write(&mut field, name, value, name == "name");
        }
        field.end();
        let mut field = Field::begin(out, "Content-Disposition");
        field.word_and(disposition, 1);
        if let Some(file_name) = attachment.file_name() {
            parameter::write(&mut field, "filename", file_name.as_str(), true);
        }
        field.end();
        if let Some(id) = attachment.content_id() {
            plain(out, "Content-ID", &id.to_string());
        }
        if let Some(description) = attachment.description_text() {
            let mut field = Field::begin(out, "Content-Description");
            field.unstructured(description);
            field.end();
        }
        let (transfer, encoded) = attachment.encoded();
        out.extend_from_slice(match transfer {
            Transfer::SevenBit => b"Content-Transfer-Encoding: 7bit\r\n\r\n",
            Transfer::QuotedPrintable | Transfer::Base64 => b"Content-Transfer-Encoding: base64\r\n\r\n",
        });
        self.shared.push((self.out.len(), encoded.clone()));
    }

    fn begin_multipart(&mut self, subtype: &str) -> String {
        self.boundaries += 1;
        let boundary = format!("{BOUNDARY_MARK}{}_{}", self.boundaries, self.tag);
        for piece in [
            "Content-Type: multipart/",
            subtype,
            ";\r\n boundary=\"",
            &boundary,
            "\"\r\n",
        ] {
            self.out.extend_from_slice(piece.as_bytes());
        }
        boundary
    }

    fn delimiter(&mut self, boundary: &str) {
        for piece in ["\r\n--", boundary, "\r\n"] {
            self.out.extend_from_slice(piece.as_bytes());
        }
    }

    fn end_multipart(&mut self, boundary: &str) {
        for piece in ["\r\n--", boundary, "--\r\n"] {
            self.out.extend_from_slice(piece.as_bytes());
        }
    }

    fn finish(self) -> Rope {
        let own = Bytes::from(self.out);
        let mut rope = Rope::new();
        let mut from = 0;
        for (at, chunk) in self.shared {
            rope.push(own.slice(from..at));
            rope.push(chunk);
            from = at;
        }
        rope.push(own.slice(from..));
        rope
    }
}

fn plain(out: &mut Vec<u8>, name: &str, value: &str) {
    let mut field = Field::begin(out, name);
    field.words(value);
    field.end();
}

/// Returns what makes the message's boundaries its own: 128 bits that stand in none of its parts.
///
/// Only text that is written as it is can hold a boundary, and only if it holds the mark that all of them begin with.
fn boundary_tag(message: &Content) -> String {
    let own = hex(message.boundary_id);
    let texts = [message.text.as_deref(), message.html.as_deref()].into_iter().flatten();
    let attached = message
        .attachments
        .iter()
        .chain(&message.inlines)
        .map(Attachment::encoded)
        .filter(|(transfer, _)| *transfer == Transfer::SevenBit)
        .filter_map(|(_, bytes)| std::str::from_utf8(bytes).ok());
    let suspects: Vec<&str> = texts
        .chain(attached)
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
