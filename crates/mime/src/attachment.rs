//! Files that travel with a message.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use crate::body::{self, Transfer};
use crate::text::{LINE_LIMIT, refuse_controls};
use crate::{ContentId, ContentType, FileName, HeaderError};

/// Holds a file to attach, or a picture to show inside the HTML body.
///
/// Clones share the data and its encoded form, so that what is attached to many messages is encoded once.
///
/// Data travels as base64 and arrives exactly. The exception is `message/*`, which RFC 2046 §5.2.1 forbids to encode:
/// it must be 7-bit text, and its line breaks become CRLF. (`message/global` may be encoded and is.)
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
    content: Arc<Content>,
}

struct Content {
    data: Bytes,
    encoded: OnceLock<Encoded>,
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
                bytes: seven_bit(&data)?,
            });
        }
        let content = Arc::new(Content { data, encoded });
        Ok(Self {
            content_type,
            file_name: Some(file_name),
            content_id: None,
            description: None,
            content,
        })
    }

    /// Makes a part for the HTML body to show as `cid:` and the id; it needs no file name.
    ///
    /// `multipart/*` and `message/*` are no types for it; `build` refuses them.
    pub fn inline(content_id: ContentId, content_type: ContentType, data: impl Into<Bytes>) -> Self {
        let content = Arc::new(Content {
            data: data.into(),
            encoded: OnceLock::new(),
        });
        Self {
            content_type,
            file_name: None,
            content_id: Some(content_id),
            description: None,
            content,
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

    /// Returns the data as it was given.
    pub fn data(&self) -> &Bytes {
        &self.content.data
    }

    /// Refuses types that the way in could not refuse.
    pub(crate) fn check_type(&self) -> Result<(), HeaderError> {
        refuse_multipart(&self.content_type)?;
        if is_unencodable(&self.content_type) && self.encoded().0 != Transfer::SevenBit {
            return Err(HeaderError::Syntax {
                field: TYPE,
                expected: "a type that may be encoded, as inline parts are",
            });
        }
        Ok(())
    }

    /// Returns how the data travels and its encoded form; encodes it at the first call.
    pub(crate) fn encoded(&self) -> (Transfer, &Bytes) {
        let encoded = self.content.encoded.get_or_init(|| Encoded {
            transfer: Transfer::Base64,
            bytes: body::base64(&self.content.data),
        });
        (encoded.transfer, &encoded.bytes)
    }
}

/// Shows everything but the data.
impl std::fmt::Debug for Attachment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attachment")
            .field("content_type", &self.content_type.essence())
            .field("file_name", &self.file_name)
            .field("content_id", &self.content_id)
            .field("len", &self.content.data.len())
            .finish_non_exhaustive()
    }
}

const TYPE: &str = "content type";

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
fn seven_bit(data: &Bytes) -> Result<Bytes, HeaderError> {
    let refused = HeaderError::Syntax {
        field: "attachment content",
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
mod tests {
    use super::*;

    fn kind(text: &str) -> ContentType {
        ContentType::parse(text).unwrap()
    }

    #[test]
    fn clones_share_what_was_encoded() {
        let first = Attachment::new("a", kind("image/png"), vec![1; 1000]).unwrap();
        let second = first.clone();
        assert_eq!(first.encoded().1.as_ptr(), second.encoded().1.as_ptr());
    }

    #[test]
    fn messages_are_not_encoded() {
        let inner = Bytes::from_static(b"Subject: x\r\n\r\nhello\r\n");
        let attached = Attachment::new("a.eml", kind("message/rfc822"), inner.clone()).unwrap();
        assert_eq!(attached.encoded(), (Transfer::SevenBit, &inner));
        assert_eq!(attached.encoded().1.as_ptr(), inner.as_ptr());
        let unix = Attachment::new("a.eml", kind("message/rfc822"), "Subject: x\n\nhello\n").unwrap();
        assert_eq!(unix.encoded().1, &inner);
    }

    #[test]
    fn messages_that_would_need_encoding_are_refused() {
        for data in ["Subject: é\r\n\r\n".to_owned(), "a\0".to_owned(), "x".repeat(999)] {
            assert!(Attachment::new("a.eml", kind("message/rfc822"), data.clone()).is_err());
            assert!(Attachment::new("a.eml", kind("message/global"), data).is_ok());
        }
        assert!(Attachment::new("a", kind("multipart/mixed"), "x").is_err());
    }

    #[test]
    fn debug_shows_no_data() {
        let attachment = Attachment::new("a.txt", kind("text/plain"), "secret").unwrap();
        assert!(!format!("{attachment:?}").contains("secret"));
    }
}
