//! Lays a message out: headers, the tree of parts, and what of it is shared.

mod boundary;
mod headers;
mod tree;

use bytes::Bytes;

use boundary::{BOUNDARY_MARK, DELIMITER_MARK, Multipart, boundary_tag, texts, unencoded};

use crate::body::CommonLines;
use crate::content::View;
use crate::generator::hex;
use crate::message::Finished;
use crate::prototype::Prototype;
use crate::readable::Readable;
use crate::rope::{Piece, Rope};

/// Length of the line break that belongs to a delimiter (RFC 2046 §5.1.1).
const BREAK: usize = 2;

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
