//! A message that came in.

use std::fmt;
use std::net::IpAddr;

use bytes::Bytes;
use posthaste_address::Envelope;

use super::Session;

/// A message as a client handed it over, whole. `Debug` does not show its content.
#[derive(Clone)]
pub struct Incoming {
    pub(super) session: Session,
    pub(super) envelope: Envelope,
    pub(super) content: Bytes,
    pub(super) smtputf8: bool,
}

impl Incoming {
    /// Returns who sends it to whom.
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// Returns the message: header, empty line and body, with CR LF line ends and doubled dots undone.
    pub fn content(&self) -> &Bytes {
        &self.content
    }

    /// Whether the client said SMTPUTF8 (RFC 6531).
    pub fn is_smtputf8(&self) -> bool {
        self.smtputf8
    }

    /// Returns what was known of the client when it sent the message.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Returns the IP address the message came from.
    pub fn peer_ip(&self) -> Option<IpAddr> {
        self.session.peer_ip()
    }

    /// Returns the name the client gave in EHLO or HELO.
    pub fn helo(&self) -> Option<&str> {
        self.session.helo()
    }

    /// Whether the message came encrypted.
    pub fn is_secure(&self) -> bool {
        self.session.is_secure()
    }

    /// Returns the name of who was logged in.
    pub fn user(&self) -> Option<&str> {
        self.session.identity().map(|identity| identity.name())
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming")
            .field("session", &self.session)
            .field("envelope", &self.envelope)
            .field("size", &self.content.len())
            .finish_non_exhaustive()
    }
}
