//! Attachments as providers take them.

use posthaste_mime::Attachment;

/// Returns the file name, for providers that ask for one, also of a picture that has none: then its content id.
pub(crate) fn name(part: &Attachment) -> String {
    part.file_name()
        .map(|name| name.as_str().to_owned())
        .or_else(|| part.content_id().map(|id| id.as_str().to_owned()))
        .unwrap_or_else(|| "attachment".to_owned())
}
