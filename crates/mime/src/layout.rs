//! Lays a message out: headers, the tree of parts, and what of it is shared.

use bytes::Bytes;

use crate::attachment::Attachment;
use crate::body::{self, TextKind, Transfer};
use crate::content::View;
use crate::fold::Field;
use crate::generator::hex;
use crate::message::Finished;
use crate::parameter;
use crate::prototype::Prototype;
use crate::rope::{Piece, Rope};

/// Begins every boundary: `=_` stands in no quoted-printable or base64 text (RFC 2045 §6.7, §6.8).
const BOUNDARY_MARK: &str = "=_";

/// Begins every line that delimits parts.
const DELIMITER_MARK: &str = "--=_";

/// Length of the line break that belongs to a delimiter (RFC 2046 §5.1.1).
const BREAK: usize = 2;

/// A multipart that a message can have.
#[derive(Clone, Copy, Debug)]
enum Multipart {
    Mixed,
    Alternative,
    Related,
}

impl Multipart {
    /// The subtype, with its own parameters.
    fn subtype(self) -> &'static str {
        match self {
            Self::Mixed => "mixed",
            Self::Alternative => "alternative",
            Self::Related => "related; type=\"text/html\"",
        }
    }

    /// What tells its boundary from those of the others.
    fn number(self) -> &'static str {
        match self {
            Self::Mixed => "1_",
            Self::Alternative => "2_",
            Self::Related => "3_",
        }
    }
}

/// Holds what the messages of a prototype have in common, as it stands in each.
#[derive(Debug)]
pub(crate) struct Constant {
    /// What makes the boundaries theirs.
    tag: String,
    /// From, Sender and Reply-To.
    authors: Bytes,
    /// The headers that were set freely.
    headers: Bytes,
    /// The inline parts, each with the delimiter before it, from the dashes of the first one on.
    inlines: Rope,
    /// The attachments, likewise.
    attachments: Rope,
}

impl Constant {
    pub(crate) fn attachments(&self) -> &Rope {
        &self.attachments
    }
}

/// Lays out what the messages of a prototype have in common.
pub(crate) fn constant(content: View<'_>, id: [u8; 16]) -> Constant {
    let tag = boundary_tag(content, id);
    let mut layouts = [(); 4].map(|()| Layout::new(content, None, &tag, 0));
    let [authors, headers, inlines, attachments] = &mut layouts;
    authors.authors();
    headers.free_headers();
    inlines.inlines();
    attachments.attachments();
    let [authors, headers, inlines, attachments] = layouts;
    let (authors, headers) = (Bytes::from(authors.out), Bytes::from(headers.out));
    let (inlines, attachments) = (inlines.finish(BREAK).1, attachments.finish(BREAK).1);
    Constant {
        tag,
        authors,
        headers,
        inlines,
        attachments,
    }
}

/// Writes `message` as a rope: encoded attachments are chunks of their own, everything else is cut from one buffer.
pub(crate) fn whole(message: &Finished) -> Rope {
    with_layout(message, |layout| layout.finish(0).1)
}

/// Writes the header section with the empty line that ends it, and the body.
pub(crate) fn header_and_body(message: &Finished) -> (Bytes, Rope) {
    with_layout(message, |layout| {
        let body = layout.body_offset();
        layout.finish(body)
    })
}

fn with_layout<R>(message: &Finished, finish: impl FnOnce(Layout<'_>) -> R) -> R {
    let view = message.view();
    let texts = [text(view), html(view)]
        .into_iter()
        .flatten()
        .map(str::len)
        .sum::<usize>();
    let parts = message.content.inlines.len() + message.content.attachments.len();
    let capacity = 2048 + texts + texts * 2 / 5 + 512 * parts;
    let own_tag;
    let mut constant = message.base.as_ref().map(Prototype::constant);
    let tag = match constant {
        Some(constant) if !own_text_holds(message, &constant.tag) => &constant.tag,
        _ => {
            constant = None;
            own_tag = boundary_tag(view, message.boundary_id);
            &own_tag
        }
    };
    let mut layout = Layout::new(view, constant, tag, capacity);
    layout.headers(message);
    layout.body_from = layout.out.len();
    layout.body();
    finish(layout)
}

/// Something that stands in the message between two pieces of its own.
#[derive(Debug)]
enum Shared<'a> {
    Encoded(Piece),
    Constant(&'a Rope),
}

#[derive(Debug)]
struct Layout<'a> {
    content: View<'a>,
    constant: Option<&'a Constant>,
    tag: &'a str,
    out: Vec<u8>,
    /// What stands in the message where the buffer had that length.
    shared: Vec<(usize, Shared<'a>)>,
    /// Where the header that tells the body's type begins.
    body_from: usize,
}

impl<'a> Layout<'a> {
    fn new(content: View<'a>, constant: Option<&'a Constant>, tag: &'a str, capacity: usize) -> Self {
        Self {
            content,
            constant,
            tag,
            out: Vec::with_capacity(capacity),
            shared: Vec::new(),
            body_from: 0,
        }
    }

    fn headers(&mut self, message: &Finished) {
        let content = self.content;
        let own = content.own;
        match self.constant {
            Some(constant) if own.from.is_empty() && own.sender.is_none() && own.reply_to.is_empty() => {
                self.out.extend_from_slice(&constant.authors);
            }
            _ => self.authors(),
        }
        let out = &mut self.out;
        for (name, addresses) in [
            ("To", content.list(|content| &content.to)),
            ("Cc", content.list(|content| &content.cc)),
        ] {
            if !addresses.is_empty() {
                let mut field = Field::begin(out, name);
                field.addresses(addresses);
                field.end();
            }
        }
        if let Some(subject) = content.one(|content| content.subject.as_deref()) {
            let mut field = Field::begin(out, "Subject");
            field.unstructured(subject);
            field.end();
        }
        plain(out, "Date", &message.date_text);
        plain(out, "Message-ID", &message.message_id.to_string());
        for (name, ids) in [
            ("In-Reply-To", content.list(|content| &content.in_reply_to)),
            ("References", content.list(|content| &content.references)),
        ] {
            if !ids.is_empty() {
                let mut field = Field::begin(out, name);
                for id in ids {
                    field.word(&id.to_string());
                }
                field.end();
            }
        }
        self.list_headers();
        match self.constant {
            Some(constant) if content.is_inherited(|content| &content.headers) => {
                self.out.extend_from_slice(&constant.headers);
            }
            _ => self.free_headers(),
        }
        self.out.extend_from_slice(b"MIME-Version: 1.0\r\n");
    }

    fn authors(&mut self) {
        let (content, out) = (self.content, &mut self.out);
        let from = content.list(|content| &content.from);
        if !from.is_empty() {
            let mut field = Field::begin(out, "From");
            field.mailboxes(from);
            field.end();
        }
        if let Some(sender) = content.one(|content| content.sender.as_ref()) {
            let mut field = Field::begin(out, "Sender");
            field.mailbox(sender);
            field.end();
        }
        let reply_to = content.list(|content| &content.reply_to);
        if !reply_to.is_empty() {
            let mut field = Field::begin(out, "Reply-To");
            field.mailboxes(reply_to);
            field.end();
        }
    }

    fn list_headers(&mut self) {
        let (content, out) = (self.content, &mut self.out);
        if let Some(list) = content.one(|content| content.list_id.as_ref()) {
            let mut field = Field::begin(out, "List-Id");
            if let Some(description) = list.description_text() {
                field.phrase(description);
            }
            field.word(&format!("<{}>", list.as_str()));
            field.end();
        }
        if let Some(unsubscribe) = content.one(|content| content.list_unsubscribe.as_ref()) {
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
        if let Some(auto_submitted) = content.one(|content| content.auto_submitted.as_ref()) {
            plain(out, "Auto-Submitted", auto_submitted.as_str());
        }
    }

    fn free_headers(&mut self) {
        for (name, value) in self.content.list(|content| &content.headers) {
            let mut field = Field::begin(&mut self.out, name.as_str());
            if value.is_structured() {
                field.words(value.as_str());
            } else {
                field.unstructured(value.as_str());
            }
            field.end();
        }
    }

    /// Writes mixed(body, attachments), or the body alone if there are no attachments.
    fn body(&mut self) {
        if self.content.list(|content| &content.attachments).is_empty() {
            return self.readable();
        }
        self.begin(Multipart::Mixed);
        let first = self.content.own.attachments_first || self.content.base.is_some_and(|base| base.attachments_first);
        if first {
            self.attachments();
        }
        if text(self.content).is_some() || html(self.content).is_some() {
            self.delimiter(Multipart::Mixed);
            self.readable();
        }
        if !first {
            self.attachments();
        }
        self.end(Multipart::Mixed);
    }

    /// Writes alternative(text, html), or the one of them that there is; an empty text if there is none.
    fn readable(&mut self) {
        match (text(self.content), html(self.content)) {
            (Some(text), Some(html)) => {
                self.begin(Multipart::Alternative);
                self.delimiter(Multipart::Alternative);
                self.text(TextKind::Plain, text);
                self.delimiter(Multipart::Alternative);
                self.html(html);
                self.end(Multipart::Alternative);
            }
            (None, Some(html)) => self.html(html),
            (text, None) => self.text(TextKind::Plain, text.unwrap_or_default()),
        }
    }

    /// Writes related(html, inline parts), or the HTML alone if there are none (RFC 2387).
    fn html(&mut self, html: &str) {
        if self.content.list(|content| &content.inlines).is_empty() {
            return self.text(TextKind::Html, html);
        }
        self.begin(Multipart::Related);
        self.delimiter(Multipart::Related);
        self.text(TextKind::Html, html);
        self.inlines();
        self.end(Multipart::Related);
    }

    fn text(&mut self, kind: TextKind, text: &str) {
        body::write_text(kind, text, &mut self.out);
    }

    fn attachments(&mut self) {
        match self.constant {
            Some(constant) if self.content.is_inherited(|content| &content.attachments) => {
                self.constant(&constant.attachments);
            }
            _ => {
                for attachment in self.content.list(|content| &content.attachments) {
                    self.delimiter(Multipart::Mixed);
                    self.attachment(attachment, "attachment");
                }
            }
        }
    }

    fn inlines(&mut self) {
        match self.constant {
            Some(constant) if self.content.is_inherited(|content| &content.inlines) => {
                self.constant(&constant.inlines);
            }
            _ => {
                for inline in self.content.list(|content| &content.inlines) {
                    self.delimiter(Multipart::Related);
                    self.attachment(inline, "inline");
                }
            }
        }
    }

    /// Has `parts` stand here; the line break before their first delimiter is the header's last one if nothing else is
    /// between.
    fn constant(&mut self, parts: &'a Rope) {
        self.write(["\r\n"]);
        self.shared.push((self.out.len(), Shared::Constant(parts)));
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
        self.shared.push((self.out.len(), Shared::Encoded(encoded)));
    }

    fn begin(&mut self, multipart: Multipart) {
        self.write(["Content-Type: multipart/", multipart.subtype(), ";\r\n boundary=\""]);
        self.boundary(multipart);
        self.write(["\"\r\n"]);
    }

    fn delimiter(&mut self, multipart: Multipart) {
        self.write(["\r\n--"]);
        self.boundary(multipart);
        self.write(["\r\n"]);
    }

    fn end(&mut self, multipart: Multipart) {
        self.write(["\r\n--"]);
        self.boundary(multipart);
        self.write(["--\r\n"]);
    }

    fn boundary(&mut self, multipart: Multipart) {
        self.write([BOUNDARY_MARK, multipart.number(), self.tag]);
    }

    fn write<const N: usize>(&mut self, pieces: [&str; N]) {
        for piece in pieces {
            self.out.extend_from_slice(piece.as_bytes());
        }
    }

    /// Where the body begins: behind the first empty line.
    fn body_offset(&self) -> usize {
        const END: &[u8] = b"\r\n\r\n";
        let rest = self.out.get(self.body_from..).unwrap_or_default();
        let end = rest.windows(END.len()).position(|window| window == END);
        end.map_or(self.out.len(), |at| self.body_from + at + END.len())
    }

    /// Returns the first `start` octets, which hold nothing shared, and what follows them.
    fn finish(self, start: usize) -> (Bytes, Rope) {
        let own = Bytes::from(self.out);
        let start = start.min(own.len());
        let mut rope = Rope::new();
        let mut from = start;
        for (at, shared) in self.shared {
            rope.push(own.slice(from..at));
            match shared {
                Shared::Encoded(piece) => rope.push_piece(piece),
                Shared::Constant(constant) => rope.append(constant),
            }
            from = at;
        }
        rope.push(own.slice(from..));
        (own.slice(..start), rope)
    }
}

fn text(content: View<'_>) -> Option<&str> {
    content.one(|content| content.text.as_deref())
}

fn html(content: View<'_>) -> Option<&str> {
    content.one(|content| content.html.as_deref())
}

fn plain(out: &mut Vec<u8>, name: &str, value: &str) {
    let mut field = Field::begin(out, name);
    field.words(value);
    field.end();
}

/// Returns what makes the message's boundaries its own: 128 bits that stand in none of its parts.
///
/// Only text that is written as it is can hold a boundary, and only if it holds the mark that all of them begin with.
fn boundary_tag(content: View<'_>, id: [u8; 16]) -> String {
    let own = hex(id);
    let inlines = content.list(|content| &content.inlines);
    let attachments = content.list(|content| &content.attachments);
    let texts = [text(content), html(content)].into_iter().flatten();
    let suspects: Vec<&str> = texts
        .chain(attachments.iter().chain(inlines).filter_map(unencoded))
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

/// Tells whether what the message adds to its prototype could be taken for one of the prototype's boundaries.
fn own_text_holds(message: &Finished, tag: &str) -> bool {
    let own = &message.content;
    let texts = [own.text.as_deref(), own.html.as_deref()].into_iter().flatten();
    texts
        .chain(own.attachments.iter().chain(&own.inlines).filter_map(unencoded))
        .any(|text| text.contains(DELIMITER_MARK) && text.contains(tag))
}

/// Returns an attachment's text if it is written as it is.
fn unencoded(attachment: &Attachment) -> Option<&str> {
    let (transfer, bytes) = attachment.encoded_in_memory()?;
    (transfer == Transfer::SevenBit)
        .then(|| std::str::from_utf8(bytes).ok())
        .flatten()
}
