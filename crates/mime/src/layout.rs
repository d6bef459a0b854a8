//! Lays a message out: headers, the tree of parts, and what of it is shared.

use bytes::Bytes;
use memchr::memmem::Finder;

use crate::body::{self, CommonLines, Transfer};
use crate::content::View;
use crate::fold::Field;
use crate::generator::hex;
use crate::message::Finished;
use crate::prototype::Prototype;
use crate::readable::{Body, Readable, Written};
use crate::report::Returned;
use crate::rope::{Piece, Rope};
use crate::{Attachment, Calendar, Report};
use crate::{charset, parameter};

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
    Report,
}

impl Multipart {
    /// What tells its boundary from those of the others.
    fn number(self) -> &'static str {
        match self {
            Self::Mixed => "1_",
            Self::Alternative => "2_",
            Self::Related => "3_",
            Self::Report => "4_",
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
    /// What text and HTML bodies have in common.
    common_text: Vec<CommonLines>,
    common_html: Vec<CommonLines>,
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
        common_text: CommonLines::of_all(&content.own.common_text),
        common_html: CommonLines::of_all(&content.own.common_html),
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

/// Returns how many octets the message has.
pub(crate) fn length(message: &Finished) -> u64 {
    lay_out(message, 1024, Some(0), |layout| {
        let own = u64::try_from(layout.out.len()).unwrap_or(u64::MAX);
        layout.counted.unwrap_or_default().saturating_add(own)
    })
}

fn with_layout<R>(message: &Finished, finish: impl FnOnce(Layout<'_>) -> R) -> R {
    let texts = texts(message.view()).map(str::len).sum::<usize>();
    let parts = message.content.inlines.len() + message.content.attachments.len();
    let capacity = 2048 + texts + texts * 2 / 5 + 512 * parts;
    lay_out(message, capacity, None, finish)
}

/// Lays the message out, with boundaries that stand in none of its parts.
///
/// Only what is written as it is can hold a boundary, so that is looked at when it has been written; the rare message in
/// which something does is laid out again.
fn lay_out<R>(message: &Finished, capacity: usize, counted: Option<u64>, finish: impl FnOnce(Layout<'_>) -> R) -> R {
    let constant = message.base.as_ref().map(Prototype::constant);
    let own_tag = constant.is_none().then(|| hex(message.boundary_id));
    let tag = own_tag.as_deref().or(constant.map(|constant| constant.tag.as_str()));
    let lay_out = |constant, tag| {
        let mut layout = Layout::new(message.view(), constant, tag, capacity);
        layout.readable = Some(&message.readable);
        layout.counted = counted;
        layout.headers(message);
        layout.body_from = layout.out.len();
        layout.body();
        layout
    };
    let layout = lay_out(constant, tag.unwrap_or_default());
    let own = View {
        own: &message.content,
        base: None,
    };
    if layout.marked || unencoded(own).any(|text| text.contains(DELIMITER_MARK)) {
        let other_tag = boundary_tag(message.view(), message.boundary_id);
        return finish(lay_out(None, &other_tag));
    }
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
    /// How the bodies are written, if not as they are.
    readable: Option<&'a Readable>,
    out: Vec<u8>,
    /// Octets that were not written, if they are counted only.
    counted: Option<u64>,
    /// Whether something that is written as it is has what boundaries begin with.
    marked: bool,
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
            readable: None,
            out: Vec::with_capacity(capacity),
            counted: None,
            marked: false,
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
            match content.one(|content| content.subject_charset.as_ref()) {
                Some(subject_charset) => charset::unstructured(&mut field, subject, *subject_charset),
                None => field.unstructured(subject),
            }
            field.end();
        }
        plain(out, "Date", &message.date_text);
        // One word, which stays beside the name.
        for piece in ["Message-ID: <", message.message_id.as_str(), ">\r\n"] {
            out.extend_from_slice(piece.as_bytes());
        }
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
            uri_field(out, "List-Unsubscribe", unsubscribe.uris());
            if unsubscribe.is_one_click() {
                plain(out, "List-Unsubscribe-Post", "List-Unsubscribe=One-Click");
            }
        }
        if let Some(commands) = content.one(|content| content.list_commands.as_ref()) {
            for (name, uris) in commands.fields() {
                uri_field(out, name, uris.iter().map(String::as_str));
            }
        }
        if let Some(auto_submitted) = content.one(|content| content.auto_submitted.as_ref()) {
            plain(out, "Auto-Submitted", auto_submitted.as_str());
        }
        if let Some(precedence) = content.one(|content| content.precedence.as_ref()) {
            plain(out, "Precedence", precedence.as_str());
        }
        if let Some(importance) = content.one(|content| content.importance.as_ref()) {
            plain(out, "Importance", importance.as_str());
        }
        if let Some(id) = content.one(|content| content.feedback_id.as_ref()) {
            plain(out, "Feedback-ID", id.as_str());
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

    /// Writes mixed(body, attachments), or the body alone if there are no attachments; or report(body, report, what comes
    /// back).
    fn body(&mut self) {
        if let Some(report) = self.content.one(|content| content.report.as_ref()) {
            return self.report(report);
        }
        if self.content.list(|content| &content.attachments).is_empty() {
            return self.readable();
        }
        self.begin(Multipart::Mixed, "mixed");
        let first = self.content.own.attachments_first || self.content.base.is_some_and(|base| base.attachments_first);
        if first {
            self.attachments();
        }
        if self.alternatives() > 0 {
            self.delimiter(Multipart::Mixed);
            self.readable();
        }
        if !first {
            self.attachments();
        }
        self.end(Multipart::Mixed);
    }

    /// Writes the report in its three parts (RFC 6522 §3).
    fn report(&mut self, report: &Report) {
        self.begin(Multipart::Report, report.multipart());
        self.delimiter(Multipart::Report);
        self.readable();
        self.delimiter(Multipart::Report);
        self.seven_bit(report.essence(), report.field_bytes());
        if let Some(returned) = report.returned() {
            self.delimiter(Multipart::Report);
            self.seven_bit(returned.essence(), returned.octets());
        }
        self.end(Multipart::Report);
    }

    /// Writes a part that is written as it is.
    fn seven_bit(&mut self, essence: &str, octets: &Bytes) {
        self.write(["Content-Type: ", essence, "\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"]);
        self.share(Piece::Held(octets.clone()));
    }

    /// How many bodies there are that say the same.
    fn alternatives(&self) -> usize {
        let content = self.content;
        usize::from(text(content).is_some())
            + usize::from(html(content).is_some())
            + usize::from(amp(content).is_some())
            + usize::from(calendar(content).is_some())
    }

    /// Writes alternative(text, amp, html, calendar), or the one of them that there is; an empty text if there is none.
    fn readable(&mut self) {
        let content = self.content;
        let several = self.alternatives() > 1;
        if several {
            self.begin(Multipart::Alternative, "alternative");
        }
        let text = text(content).or_else(|| (self.alternatives() == 0).then_some(""));
        if let Some(text) = text {
            self.alternative(several);
            self.text(text);
        }
        if let Some(amp) = amp(content) {
            self.alternative(several);
            self.typed_text("text/x-amp-html; charset=utf-8", amp, &[]);
        }
        if let Some(html) = html(content) {
            self.alternative(several);
            self.html(html);
        }
        if let Some(calendar) = calendar(content) {
            self.alternative(several);
            let type_line = format!("text/calendar; method={}; charset=utf-8", calendar.method());
            self.typed_text(&type_line, calendar.as_str(), &[]);
        }
        if several {
            self.end(Multipart::Alternative);
        }
    }

    fn alternative(&mut self, several: bool) {
        if several {
            self.delimiter(Multipart::Alternative);
        }
    }

    /// Writes related(html, inline parts), or the HTML alone if there are none (RFC 2387).
    fn html(&mut self, html: &str) {
        if self.content.list(|content| &content.inlines).is_empty() {
            return self.html_text(html);
        }
        self.begin(Multipart::Related, "related; type=\"text/html\"");
        self.delimiter(Multipart::Related);
        self.html_text(html);
        self.inlines();
        self.end(Multipart::Related);
    }

    fn text(&mut self, text: &str) {
        match self.readable.and_then(|readable| readable.text.as_ref()) {
            Some(written) => self.written(written),
            None => self.typed_text(
                "text/plain; charset=utf-8",
                text,
                self.common(|constant| &constant.common_text),
            ),
        }
    }

    fn html_text(&mut self, html: &str) {
        match self.readable.and_then(|readable| readable.html.as_ref()) {
            Some(written) => self.written(written),
            None => self.typed_text(
                "text/html; charset=utf-8",
                html,
                self.common(|constant| &constant.common_html),
            ),
        }
    }

    /// Writes a body that is not as it was given.
    fn written(&mut self, written: &Written) {
        self.write(["Content-Type: ", written.type_line(), "\r\n"]);
        match written.body() {
            Body::Utf8(text) => self.encoded(text, &[]),
            Body::Octets(octets) => {
                self.marked |= Finder::new(DELIMITER_MARK).find(octets).is_some();
                let before = self.out.len();
                charset::write_octets(octets, &mut self.out);
                if let Some(counted) = &mut self.counted {
                    *counted += u64::try_from(self.out.len() - before).unwrap_or(u64::MAX);
                    self.out.truncate(before);
                }
            }
        }
    }

    fn typed_text(&mut self, type_line: &str, text: &str, common: &[CommonLines]) {
        self.write(["Content-Type: ", type_line, "\r\n"]);
        self.encoded(text, common);
    }

    /// What bodies have in common in messages of the prototype, if there is one.
    fn common(&self, of: fn(&Constant) -> &[CommonLines]) -> &'a [CommonLines] {
        self.constant.map_or(&[], of)
    }

    /// Writes `Content-Transfer-Encoding`, an empty line and the body.
    fn encoded(&mut self, text: &str, common: &[CommonLines]) {
        let transfer = match &mut self.counted {
            Some(counted) => {
                let (transfer, length) = body::encoded_len(text);
                *counted += u64::try_from(length).unwrap_or(u64::MAX);
                transfer
            }
            None => body::write_encoded(text, common, &mut self.out),
        };
        self.marked |= transfer == Transfer::SevenBit && text.contains(DELIMITER_MARK);
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
        match &mut self.counted {
            Some(counted) => *counted = counted.saturating_add(parts.len()),
            None => self.shared.push((self.out.len(), Shared::Constant(parts))),
        }
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
        if let Some(counted) = &mut self.counted {
            let head = attachment.transfer().head();
            *counted = counted.saturating_add(attachment.encoded_len());
            out.extend_from_slice(head);
            return;
        }
        let (transfer, encoded) = attachment.encoded();
        out.extend_from_slice(transfer.head());
        self.shared.push((self.out.len(), Shared::Encoded(encoded)));
    }

    /// Has `piece` stand here.
    fn share(&mut self, piece: Piece) {
        match &mut self.counted {
            Some(counted) => *counted = counted.saturating_add(piece.len()),
            None => self.shared.push((self.out.len(), Shared::Encoded(piece))),
        }
    }

    /// Begins a multipart of that subtype, which has its own parameters with it.
    fn begin(&mut self, multipart: Multipart, subtype: &str) {
        self.write(["Content-Type: multipart/", subtype, ";\r\n boundary=\""]);
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

fn amp(content: View<'_>) -> Option<&str> {
    content.one(|content| content.amp.as_deref())
}

fn calendar(content: View<'_>) -> Option<&Calendar> {
    content.one(|content| content.calendar.as_ref())
}

/// The bodies of a message.
fn texts(content: View<'_>) -> impl Iterator<Item = &str> {
    let bodies = [
        text(content),
        html(content),
        amp(content),
        calendar(content).map(Calendar::as_str),
    ];
    bodies.into_iter().flatten()
}

/// What else of a message is written as it is: reports, and messages that are attached.
fn unencoded(content: View<'_>) -> impl Iterator<Item = &str> {
    let report = content.one(|content| content.report.as_ref());
    let returned = report.and_then(Report::returned).map(Returned::octets);
    let inlines = content.list(|content| &content.inlines);
    let attached = content.list(|content| &content.attachments).iter().chain(inlines);
    let attached = attached.filter_map(|attachment| match attachment.encoded_in_memory() {
        Some((Transfer::SevenBit, octets)) => Some(octets),
        _ => None,
    });
    let octets = report.map(Report::field_bytes).into_iter().chain(returned);
    octets
        .chain(attached)
        .filter_map(|octets| std::str::from_utf8(octets).ok())
}

fn uri_field<'u>(out: &mut Vec<u8>, name: &str, uris: impl Iterator<Item = &'u str>) {
    let mut field = Field::begin(out, name);
    let mut uris = uris.peekable();
    if uris.peek().is_none() {
        field.words("NO");
    }
    while let Some(uri) = uris.next() {
        field.word_and(&format!("<{uri}>"), 1);
        if uris.peek().is_some() {
            field.glue_byte(b',');
        }
    }
    field.end();
}

fn plain(out: &mut Vec<u8>, name: &str, value: &str) {
    let mut field = Field::begin(out, name);
    field.words(value);
    field.end();
}

/// Returns what makes the message's boundaries its own: 128 bits that stand in none of its parts.
fn boundary_tag(content: View<'_>, id: [u8; 16]) -> String {
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
