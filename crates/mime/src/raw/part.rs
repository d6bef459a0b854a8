//! One part of a message that was received.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;

use super::charset::{self, Charset};
use super::error::RawDefect;
use super::field::RawField;
use super::header::Header;
use super::parameters::Parameters;
use super::{base64, quoted_printable};
use crate::FileName;

/// Says how a body is encoded (RFC 2045 §6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransferEncoding {
    /// Not at all, lines of ASCII; what a part without the field has.
    #[default]
    SevenBit,
    /// Not at all, lines.
    EightBit,
    /// Not at all, any octets.
    Binary,
    /// Quoted-printable.
    QuotedPrintable,
    /// Base64.
    Base64,
    /// In a way that is not known, such as `x-uuencode`.
    Unknown,
}

impl TransferEncoding {
    fn read(field: &RawField) -> Self {
        match field.parameters().value().trim_matches('"') {
            "7bit" | "7-bit" | "" => Self::SevenBit,
            "8bit" | "8-bit" => Self::EightBit,
            "binary" => Self::Binary,
            "quoted-printable" => Self::QuotedPrintable,
            "base64" => Self::Base64,
            _ => Self::Unknown,
        }
    }

    /// Tells whether octets stand for others.
    fn is_encoded(self) -> bool {
        matches!(self, Self::QuotedPrintable | Self::Base64)
    }
}

/// Shows one part of a message: its header, its type, its body. Shares the message's bytes.
///
/// A multipart is a part, and so is each message inside the message.
#[derive(Clone)]
pub struct RawPart {
    header: Header,
    body: Bytes,
    place: Place,
    content_type: Parameters,
    disposition: Option<Parameters>,
    encoding: TransferEncoding,
    has_content_id: bool,
    preamble: Option<Bytes>,
    epilogue: Option<Bytes>,
    defects: Vec<RawDefect>,
}

/// Where a part stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) parent: Option<usize>,
    pub(super) depth: usize,
    /// Whether its octets are those of the message, not of something decoded.
    pub(super) as_received: bool,
    /// Where its body begins.
    pub(super) body: usize,
}

/// What a part is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Multipart {
        boundary: Vec<u8>,
        digest: bool,
    },
    /// A message that begins where the body does.
    Message,
    /// A message that has to be decoded first.
    EncodedMessage,
    Leaf,
}

impl RawPart {
    /// Reads a header. `default` is the type of a part that has none.
    pub(super) fn new(header: Header, place: Place, default: &str) -> Self {
        let content_type = header.named("content-type").next().map(|field| field.parameters());
        let disposition = header
            .named("content-disposition")
            .next()
            .map(|field| field.parameters());
        let mut defects = Vec::new();
        for parameters in content_type.iter().chain(&disposition) {
            if let Some(parameter) = parameters.repeated() {
                let parameter = parameter.to_owned();
                defects.push(RawDefect::RepeatedParameter { parameter });
            }
        }
        let content_type = match content_type {
            None => Parameters::default().with_value(default),
            Some(read) if is_essence(read.value()) => read,
            Some(read) => {
                defects.push(RawDefect::InvalidContentType);
                read.with_value("text/plain")
            }
        };
        let encoding = header
            .named("content-transfer-encoding")
            .next()
            .map(|field| TransferEncoding::read(&field))
            .unwrap_or_default();
        if encoding == TransferEncoding::Unknown {
            defects.push(RawDefect::UnknownEncoding);
        }
        let has_content_id = header.count("content-id") > 0;
        let mut part = Self {
            header,
            body: Bytes::new(),
            place,
            content_type,
            disposition,
            encoding,
            has_content_id,
            preamble: None,
            epilogue: None,
            defects,
        };
        if part.is_multipart() {
            if part.content_type.boundary().is_none() {
                part.defects.push(RawDefect::NoBoundary);
            }
            if encoding.is_encoded() {
                part.defects.push(RawDefect::EncodedMultipart);
            }
        }
        part
    }

    pub(super) fn kind(&self) -> Kind {
        if self.is_multipart() {
            match self.content_type.boundary() {
                Some(boundary) => Kind::Multipart {
                    boundary: boundary.to_vec(),
                    digest: self.content_type() == "multipart/digest",
                },
                None => Kind::Leaf,
            }
        } else if self.is_message() && self.encoding.is_encoded() {
            Kind::EncodedMessage
        } else if self.is_message() {
            Kind::Message
        } else {
            Kind::Leaf
        }
    }

    pub(super) fn body_start(&self) -> usize {
        self.place.body
    }

    pub(super) fn end(&mut self, body: Bytes, preamble: Option<Bytes>, epilogue: Option<Bytes>) {
        self.body = body;
        self.preamble = preamble;
        self.epilogue = epilogue;
    }

    pub(super) fn note(&mut self, defect: RawDefect) {
        self.defects.push(defect);
    }

    /// Returns how deep the part is nested; the message itself is at 0, a part of its multipart at 1.
    pub fn depth(&self) -> usize {
        self.place.depth
    }

    /// Returns which part of [`RawMessage::parts`](crate::RawMessage::parts) this one is in; `None` for the message
    /// itself.
    pub fn parent(&self) -> Option<usize> {
        self.place.parent
    }

    /// Returns the fields of the part's header, in their order.
    pub fn fields(&self) -> impl Iterator<Item = RawField> {
        self.header.fields()
    }

    /// Returns the first field called `name`, whatever the case.
    pub fn field(&self, name: &str) -> Option<RawField> {
        self.header.named(name).next()
    }

    /// Returns the media type in lower case: `text/html`.
    ///
    /// A part that has none is `text/plain`, or `message/rfc822` in a digest (RFC 2046 §5.1.5); one whose type is not of
    /// the form `type/subtype` is `text/plain` (RFC 2045 §5.2).
    pub fn content_type(&self) -> &str {
        self.content_type.value()
    }

    /// Returns the media type with its parameters.
    pub fn content_type_parameters(&self) -> &Parameters {
        &self.content_type
    }

    /// Returns `Content-Disposition`, if there is one (RFC 2183).
    pub fn disposition(&self) -> Option<&Parameters> {
        self.disposition.as_ref()
    }

    /// Returns the file name as the sender wrote it: `filename` of the disposition, else `name` of the type.
    ///
    /// It may be a path, or made to look like something else: use [`safe_file_name`](Self::safe_file_name) for files.
    pub fn file_name(&self) -> Option<&str> {
        self.disposition
            .as_ref()
            .and_then(|disposition| disposition.get("filename"))
            .or_else(|| self.content_type.get("name"))
    }

    /// Returns the file name made safe to create a file with, as [`FileName::safe_basename`] does it.
    pub fn safe_file_name(&self) -> Option<String> {
        self.file_name().map(FileName::safe_basename)
    }

    /// Returns what follows the last dot of the safe file name, in lower case.
    pub fn extension(&self) -> Option<String> {
        let name = self.safe_file_name()?;
        let (_, extension) = name.rsplit_once('.')?;
        (!extension.is_empty()).then(|| extension.to_lowercase())
    }

    /// Returns how the body is encoded.
    pub fn transfer_encoding(&self) -> TransferEncoding {
        self.encoding
    }

    /// Returns the body as it stands in the message, still encoded. That of a multipart is all that is in it.
    pub fn encoded(&self) -> &Bytes {
        &self.body
    }

    /// Returns where [`encoded`](Self::encoded) stands in the bytes that were parsed; `None` for what is inside an
    /// encoded message.
    pub fn range(&self) -> Option<Range<usize>> {
        let start = self.place.body;
        self.place.as_received.then(|| start..start + self.body.len())
    }

    /// Returns the body without its transfer encoding. Copies only what is encoded; what is broken is skipped in base64
    /// and stands for itself in quoted-printable.
    ///
    /// A multipart is never encoded (RFC 2045 §6.4), and an encoding that is not known is left as it is.
    pub fn decoded(&self) -> Cow<'_, [u8]> {
        match self.encoding {
            _ if self.is_multipart() => Cow::Borrowed(&self.body),
            TransferEncoding::Base64 => Cow::Owned(base64::decode(&self.body)),
            TransferEncoding::QuotedPrintable => Cow::Owned(quoted_printable::decode(&self.body)),
            _ => Cow::Borrowed(&self.body),
        }
    }

    /// Counts the octets of [`decoded`](Self::decoded) without decoding.
    pub fn decoded_len(&self) -> usize {
        match self.encoding {
            _ if self.is_multipart() => self.body.len(),
            TransferEncoding::Base64 => base64::decoded_len(&self.body),
            TransferEncoding::QuotedPrintable => quoted_printable::decoded_len(&self.body),
            _ => self.body.len(),
        }
    }

    /// Returns the body of a `text/*` part as text; `None` for other types and for charsets that are not known.
    ///
    /// Octets that are not of the charset become U+FFFD. Controls stay.
    pub fn text(&self) -> Option<String> {
        if !self.content_type().starts_with("text/") {
            return None;
        }
        let decoded = self.decoded();
        match self.content_type.get("charset") {
            None => Some(charset::undeclared(&decoded, None)),
            Some(name) => Some(Charset::of(name)?.decode(&decoded)),
        }
    }

    /// Tells whether the part is a multipart.
    pub fn is_multipart(&self) -> bool {
        self.content_type().starts_with("multipart/")
    }

    /// Tells whether the part is a message: `message/rfc822` or `message/global`.
    pub fn is_message(&self) -> bool {
        matches!(self.content_type(), "message/rfc822" | "message/global")
    }

    /// Tells whether a reader shows the part as an attachment.
    ///
    /// That is what its disposition says, where any but `inline` means yes (RFC 2183 §2.8). Without one it is what has a
    /// file name, or is neither text nor a multipart and has no Content-ID that HTML could show it by. A policy about
    /// files looks at the names of all parts, not at this.
    pub fn is_attachment(&self) -> bool {
        if self.is_multipart() {
            return false;
        }
        match &self.disposition {
            Some(disposition) => disposition.value() != "inline",
            None if self.has_content_id => false,
            None => self.file_name().is_some() || !self.content_type().starts_with("text/"),
        }
    }

    /// Returns what stands before the first delimiter of a multipart, without the line break between them.
    pub fn preamble(&self) -> Option<&Bytes> {
        self.preamble.as_ref()
    }

    /// Returns what stands behind the closing delimiter of a multipart.
    pub fn epilogue(&self) -> Option<&Bytes> {
        self.epilogue.as_ref()
    }

    /// Lists what readers take in different ways: about the header first, then about the type and the structure.
    pub fn defects(&self) -> Vec<RawDefect> {
        let mut defects = self.header.defects();
        defects.extend_from_slice(&self.defects);
        defects
    }
}

/// Shows the type, the depth and the size, never the content.
impl std::fmt::Debug for RawPart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawPart")
            .field("content_type", &self.content_type())
            .field("depth", &self.depth())
            .field("octets", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Tells whether `text` is of the form `type/subtype`, as far as it matters.
fn is_essence(text: &str) -> bool {
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/');
    text.split_once('/')
        .is_some_and(|(kind, subtype)| is_name(kind) && is_name(subtype))
}
