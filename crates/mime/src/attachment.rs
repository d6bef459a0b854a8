//! Files that travel with a message.

use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use crate::body::{self, Transfer};
use crate::rope::Piece;
use crate::streamed::{self, Form, Streamed};
use crate::text::{LINE_LIMIT, refuse_controls};
use crate::{Base64Alphabet, ContentId, ContentType, FileName, FileSource, HeaderError, Rope, Source};

/// Holds a file to attach, or a picture to show inside the HTML body.
///
/// Clones share the data and its encoded form, so that what is attached to many messages is encoded once.
///
/// Data travels as base64 and arrives exactly. The exception is `message/*`, which RFC 2046 §5.2.1 forbids to encode:
/// it must be 7-bit text, and its line breaks become CRLF. (`message/global` may be encoded and is.)
///
/// Data that is in memory is encoded once and kept. Data of a [`Source`], such as a file, is read and encoded piece by piece
/// whenever the message is written, and never held: memory stays flat however large it is.
///
/// # Examples
///
/// ```
/// use posthaste_mime::{Attachment, ContentId, ContentType};
///
/// let report = Attachment::new("report.pdf", ContentType::parse("application/pdf")?, &b"%PDF-1.7"[..])?;
/// let logo = Attachment::inline(ContentId::new("logo")?, ContentType::parse("image/png")?, vec![0x89, b'P']);
/// assert_eq!(report.file_name().map(|name| name.as_str()), Some("report.pdf"));
/// assert!(logo.content_id().is_some());
/// # Ok::<(), posthaste_mime::HeaderError>(())
/// ```
#[derive(Clone)]
pub struct Attachment {
    content_type: ContentType,
    file_name: Option<FileName>,
    content_id: Option<ContentId>,
    description: Option<String>,
    content: Content,
}

#[derive(Clone)]
enum Content {
    Held(Arc<Held>),
    Streamed(Arc<Streamed>),
}

struct Held {
    data: Bytes,
    encoded: OnceLock<Encoded>,
    unbroken: OnceLock<Bytes>,
}

struct Encoded {
    transfer: Transfer,
    bytes: Bytes,
}

impl Attachment {
    /// Makes an attachment with a file name.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] when the name is not a [`FileName`], or the type is one that cannot be attached as it is:
    /// `multipart/*`, or `message/*` with data that is not 7-bit text in lines of at most 998 octets. The latter can
    /// be attached as `application/octet-stream`.
    pub fn new(
        file_name: impl Into<String>,
        content_type: ContentType,
        data: impl Into<Bytes>,
    ) -> Result<Self, HeaderError> {
        let file_name = FileName::new(file_name)?;
        let data = data.into();
        let encoded = OnceLock::new();
        refuse_multipart(&content_type)?;
        if is_unencodable(&content_type) {
            // Empty until here, so that this always sets it.
            let _ = encoded.set(Encoded {
                transfer: Transfer::SevenBit,
                bytes: seven_bit("attachment content", &data)?,
            });
        }
        Ok(Self {
            content_type,
            file_name: Some(file_name),
            content_id: None,
            description: None,
            content: Content::Held(Arc::new(Held {
                data,
                encoded,
                unbroken: OnceLock::new(),
            })),
        })
    }

    /// Makes an attachment of a whole message, such as [`Message::to_bytes`](crate::Message::to_bytes) gives.
    ///
    /// It is `message/rfc822`; or `message/global`, if its header section is UTF-8 and not ASCII (RFC 6532).
    ///
    /// # Examples
    ///
    /// ```
    /// use posthaste_mime::{Attachment, Message};
    ///
    /// let inner = Message::builder().from("ada@example.org".parse()?).text("hello").build()?;
    /// let attached = Attachment::message("hello.eml", inner.to_bytes()?)?;
    /// assert_eq!(attached.content_type().essence(), "message/rfc822");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Attachment::new`]: a message whose body is not 7-bit text can only be attached as `application/octet-stream`.
    pub fn message(file_name: impl Into<String>, message: impl Into<Bytes>) -> Result<Self, HeaderError> {
        let message = message.into();
        let header = message.get(..header_end(&message)).unwrap_or_default();
        let is_global = !header.is_ascii() && std::str::from_utf8(header).is_ok();
        let essence = if is_global { "message/global" } else { "message/rfc822" };
        Self::new(file_name, ContentType::parse(essence)?, message)
    }

    /// Makes an attachment whose data is read from `source` each time the message is written.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] when the name is not a [`FileName`], or the type is one that cannot be streamed: `multipart/*`, and
    /// `message/*` but for `message/global`. The latter must not be encoded, so whether it can be sent at all is only known
    /// once all of it was read: give it as bytes, or as `application/octet-stream`.
    pub fn from_source(
        file_name: impl Into<String>,
        content_type: ContentType,
        source: impl Source,
    ) -> Result<Self, HeaderError> {
        let file_name = FileName::new(file_name)?;
        refuse_multipart(&content_type)?;
        if is_unencodable(&content_type) {
            return Err(HeaderError::Syntax {
                field: TYPE,
                expected: "a type that may be encoded, as streamed attachments are",
            });
        }
        Ok(Self {
            content_type,
            file_name: Some(file_name),
            content_id: None,
            description: None,
            content: Content::Streamed(Arc::new(Streamed::new(Arc::new(source), Form::Lines))),
        })
    }

    /// Makes an attachment of the file at `path`, under its own name, as [`Attachment::from_source`] of a [`FileSource`].
    ///
    /// The file is read when the message is written, and has to stay as it is until then.
    ///
    /// # Examples
    ///
    /// ```
    /// use posthaste_mime::{Attachment, ContentType};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("film.mp4");
    /// std::fs::write(&path, "moving pictures")?;
    /// let film = Attachment::from_file(&path, ContentType::parse("video/mp4")?)?;
    /// assert_eq!(film.file_name().map(|name| name.as_str()), Some("film.mp4"));
    /// assert_eq!(film.len(), 15);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`FileSource::new`]; and [`io::ErrorKind::InvalidInput`] with a [`HeaderError`] inside when the file's name or the
    /// type is refused. A name that is not Unicode is refused: give another with [`Attachment::from_source`].
    pub fn from_file(path: impl AsRef<Path>, content_type: ContentType) -> io::Result<Self> {
        let path = path.as_ref();
        let source = FileSource::new(path)?;
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        Self::from_source(name, content_type, source)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
    }

    /// Makes a part for the HTML body to show as `cid:` and the id; it needs no file name.
    ///
    /// `multipart/*` and `message/*` are no types for it; `build` refuses them.
    pub fn inline(content_id: ContentId, content_type: ContentType, data: impl Into<Bytes>) -> Self {
        let held = Held {
            data: data.into(),
            encoded: OnceLock::new(),
            unbroken: OnceLock::new(),
        };
        Self {
            content_type,
            file_name: None,
            content_id: Some(content_id),
            description: None,
            content: Content::Held(Arc::new(held)),
        }
    }

    /// Sets the file name that programs offer when the part is saved.
    ///
    /// # Errors
    ///
    /// As [`FileName::new`].
    pub fn named(mut self, file_name: impl Into<String>) -> Result<Self, HeaderError> {
        self.file_name = Some(FileName::new(file_name)?);
        Ok(self)
    }

    /// Sets the id by which the HTML body can refer to the part.
    #[must_use]
    pub fn identified(mut self, content_id: ContentId) -> Self {
        self.content_id = Some(content_id);
        self
    }

    /// Sets `Content-Description` (RFC 2045 §8).
    ///
    /// # Errors
    ///
    /// [`HeaderError::Control`] for the field `attachment description` when it holds a control character.
    pub fn description(mut self, description: impl Into<String>) -> Result<Self, HeaderError> {
        let description = description.into();
        refuse_controls("attachment description", &description, true)?;
        self.description = Some(description);
        Ok(self)
    }

    /// Returns the media type.
    pub fn content_type(&self) -> &ContentType {
        &self.content_type
    }

    /// Returns the file name.
    pub fn file_name(&self) -> Option<&FileName> {
        self.file_name.as_ref()
    }

    /// Returns the id by which the HTML body refers to the part.
    pub fn content_id(&self) -> Option<&ContentId> {
        self.content_id.as_ref()
    }

    /// Returns the description.
    pub fn description_text(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// Returns how many bytes there are before they are encoded.
    #[expect(clippy::len_without_is_empty, reason = "no bytes are data like any other")]
    pub fn len(&self) -> u64 {
        match &self.content {
            Content::Held(held) => Source::len(&held.data),
            Content::Streamed(part) => part.len(),
        }
    }

    /// Returns the data as it was given; `None` if it is read when it is needed, for which there is [`Attachment::open`].
    pub fn data(&self) -> Option<&Bytes> {
        match &self.content {
            Content::Held(held) => Some(&held.data),
            Content::Streamed(_) => None,
        }
    }

    /// Returns the data as base64 without line breaks (RFC 4648 §4), as the JSON of an API carries it.
    ///
    /// Data in memory is encoded once, however many messages and clones carry it; data of a [`Source`] is read and encoded
    /// whenever the chunks of the rope are asked for.
    pub fn to_base64(&self) -> Rope {
        match &self.content {
            Content::Held(held) => {
                let unbroken = held
                    .unbroken
                    .get_or_init(|| Base64Alphabet::Standard.encode(&held.data));
                Rope::from(unbroken.clone())
            }
            Content::Streamed(part) => Rope::from_source(Arc::clone(part.source())).to_base64(Base64Alphabet::Standard),
        }
    }

    /// Returns the data as it is: shared if it is in memory, else read when the chunks of the rope are asked for.
    pub fn to_rope(&self) -> Rope {
        match &self.content {
            Content::Held(held) => Rope::from(held.data.clone()),
            Content::Streamed(part) => Rope::from_source(Arc::clone(part.source())),
        }
    }

    /// Begins to read the data, wherever it is.
    ///
    /// # Errors
    ///
    /// As [`Source::open`].
    pub fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        match &self.content {
            Content::Held(held) => held.data.open(),
            Content::Streamed(part) => part.source().open(),
        }
    }

    /// Refuses types that the way in could not refuse.
    pub(crate) fn check_type(&self) -> Result<(), HeaderError> {
        refuse_multipart(&self.content_type)?;
        let as_it_is = |(transfer, _)| transfer == Transfer::SevenBit;
        if is_unencodable(&self.content_type) && !self.encoded_in_memory().is_some_and(as_it_is) {
            return Err(HeaderError::Syntax {
                field: TYPE,
                expected: "a type that may be encoded, as inline parts are",
            });
        }
        Ok(())
    }

    /// Returns how the data travels and its encoded form.
    pub(crate) fn encoded(&self) -> (Transfer, Piece) {
        match &self.content {
            Content::Held(held) => {
                let encoded = held.encoded();
                (encoded.transfer, Piece::Held(encoded.bytes.clone()))
            }
            Content::Streamed(part) => (Transfer::Base64, Piece::Streamed(Arc::clone(part))),
        }
    }

    /// Returns how the data travels.
    pub(crate) fn transfer(&self) -> Transfer {
        match &self.content {
            Content::Held(held) => held.encoded.get().map_or(Transfer::Base64, |encoded| encoded.transfer),
            Content::Streamed(_) => Transfer::Base64,
        }
    }

    /// Returns how many octets the encoded form has, without making it.
    pub(crate) fn encoded_len(&self) -> u64 {
        match &self.content {
            Content::Held(held) => match held.encoded.get() {
                Some(encoded) => Source::len(&encoded.bytes),
                None => streamed::base64_len(Source::len(&held.data)),
            },
            Content::Streamed(part) => part.encoded_len(),
        }
    }

    /// Returns how the data travels and its encoded form, unless it has to be read.
    pub(crate) fn encoded_in_memory(&self) -> Option<(Transfer, &Bytes)> {
        match &self.content {
            Content::Held(held) => {
                let encoded = held.encoded();
                Some((encoded.transfer, &encoded.bytes))
            }
            Content::Streamed(_) => None,
        }
    }
}

impl Held {
    /// Returns the encoded form; makes it at the first call.
    fn encoded(&self) -> &Encoded {
        self.encoded.get_or_init(|| Encoded {
            transfer: Transfer::Base64,
            bytes: body::base64(&self.data),
        })
    }
}

/// Shows everything but the data.
impl std::fmt::Debug for Attachment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attachment")
            .field("content_type", &self.content_type.essence())
            .field("file_name", &self.file_name)
            .field("content_id", &self.content_id)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

const TYPE: &str = "content type";

/// Finds the end of a message's header section, its last line break included: the first empty line begins the body.
pub(crate) fn header_end(message: &[u8]) -> usize {
    let mut start = 0;
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        if matches!(line, b"\n" | b"\r\n") {
            return start;
        }
        start += line.len();
    }
    message.len()
}

fn refuse_multipart(content_type: &ContentType) -> Result<(), HeaderError> {
    if content_type.is_kind("multipart") {
        return Err(HeaderError::Syntax {
            field: TYPE,
            expected: "the type of one part, as attachments must be",
        });
    }
    Ok(())
}

/// Tells whether the type must not be encoded (RFC 2046 §5.2.1, RFC 6532 §3.7).
fn is_unencodable(content_type: &ContentType) -> bool {
    content_type.is_kind("message") && !content_type.essence().starts_with("message/global")
}

/// Returns `data` with CRLF line breaks if it is 7-bit text whose lines fit; shares it if nothing changes.
pub(crate) fn seven_bit(field: &'static str, data: &Bytes) -> Result<Bytes, HeaderError> {
    let refused = HeaderError::Syntax {
        field,
        expected: "7-bit text in lines of at most 998 octets, as message/* must be",
    };
    let text = match std::str::from_utf8(data) {
        Ok(text) if text.is_ascii() && !text.contains('\0') => text,
        _ => return Err(refused),
    };
    let canonical = body::canonical(text);
    if canonical.split("\r\n").any(|line| line.len() > LINE_LIMIT) {
        return Err(refused);
    }
    if canonical == text {
        Ok(data.clone())
    } else {
        Ok(Bytes::from(canonical))
    }
}

#[cfg(test)]
mod tests;
