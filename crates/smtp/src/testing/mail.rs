//! A message that a test looks at.

use bytes::Bytes;
use posthaste_address::Envelope;
use posthaste_mime::{RawError, RawMessage, RawPart};

use crate::server::{Incoming, Session};

/// A message that a [`TestServer`](super::TestServer) took. `Debug` does not show its content.
#[derive(Clone, Debug)]
pub struct TestMail {
    incoming: Incoming,
}

impl TestMail {
    pub(super) fn new(incoming: Incoming) -> Self {
        Self { incoming }
    }

    /// Returns who really sent it to whom.
    pub fn envelope(&self) -> &Envelope {
        self.incoming.envelope()
    }

    /// Returns what was known of the client: its name, whether it used TLS, who was logged in.
    pub fn session(&self) -> &Session {
        self.incoming.session()
    }

    /// Returns the octets of the message, with doubled dots undone.
    pub fn content(&self) -> &Bytes {
        self.incoming.content()
    }

    /// Reads the message, for its fields and parts.
    ///
    /// # Errors
    ///
    /// [`RawError`] when it is none.
    pub fn message(&self) -> Result<RawMessage, RawError> {
        RawMessage::parse(self.content().clone())
    }

    /// Returns the decoded value of the first field with this name, in any case.
    pub fn header(&self, name: &str) -> Option<String> {
        let message = self.message().ok()?;
        Some(message.field(name)?.decoded().trim().to_owned())
    }

    /// Returns the decoded subject.
    pub fn subject(&self) -> Option<String> {
        self.header("Subject")
    }

    /// Returns the first text that is not attached, decoded.
    pub fn text(&self) -> Option<String> {
        self.first("text/plain")
    }

    /// Returns the first HTML that is not attached, decoded.
    pub fn html(&self) -> Option<String> {
        self.first("text/html")
    }

    /// Returns the attachments, inline ones with a file name included. None for what is no message.
    pub fn attachments(&self) -> Vec<RawPart> {
        let mut parts = self.parts();
        parts.retain(RawPart::is_attachment);
        parts
    }

    fn first(&self, content_type: &str) -> Option<String> {
        let mut parts = self.parts().into_iter();
        parts
            .find(|part| part.content_type() == content_type && !part.is_attachment())?
            .text()
    }

    fn parts(&self) -> Vec<RawPart> {
        let parts = self.message().and_then(|message| message.parts());
        parts.unwrap_or_default()
    }
}
