//! What is attached to a mail, or embedded in it.

use std::fmt;

use bytes::Bytes;

/// What is attached to a mail, or embedded in it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InboundAttachment {
    /// The file name without any path in front of it. It may still be made to look like something else.
    pub name: Option<String>,
    /// The media type, in small letters and without parameters.
    pub content_type: String,
    /// The Content-ID, without angle brackets.
    pub content_id: Option<String>,
    /// Whether the HTML shows it.
    pub is_inline: bool,
    /// What is in it.
    pub content: InboundContent,
}

/// What is in an attachment, or where it is.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum InboundContent {
    /// It came along.
    Octets(Bytes),
    /// The provider keeps it: the id, token or URL that its API takes. A URL is the provider's word only: check its host before a GET.
    Fetch(String),
}

impl InboundAttachment {
    pub(crate) fn new(
        name: Option<&str>,
        content_type: &str,
        content_id: Option<&str>,
        content: InboundContent,
    ) -> Self {
        let kind = content_type
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        let content_id = content_id.and_then(crate::webhook::bare_id);
        Self {
            name: name.and_then(last_segment).map(str::to_owned),
            content_type: if kind.is_empty() {
                "application/octet-stream".to_owned()
            } else {
                kind
            },
            is_inline: content_id.is_some(),
            content_id,
            content,
        }
    }
}

/// Takes what stands behind the last slash or backslash; `None` if that names nothing.
fn last_segment(path: &str) -> Option<&str> {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    (!matches!(name, "" | "." | "..")).then_some(name)
}

impl fmt::Debug for InboundAttachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboundAttachment")
            .field("content_type", &self.content_type)
            .field("is_inline", &self.is_inline)
            .field("content", &self.content)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for InboundContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Octets(octets) => write!(f, "{} octets", octets.len()),
            Self::Fetch(_) => f.write_str("to be fetched"),
        }
    }
}
