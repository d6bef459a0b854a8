//! What is known of a client.

use std::net::{IpAddr, SocketAddr};

use super::Identity;

/// What is known of the client at the other end.
#[derive(Clone, Debug, Default)]
pub struct Session {
    pub(super) peer: Option<SocketAddr>,
    pub(super) helo: Option<String>,
    pub(super) extended: bool,
    pub(super) secure: bool,
    pub(super) identity: Option<Identity>,
}

impl Session {
    /// Returns where the connection comes from; `None` if it is not a network connection.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// Returns the IP address the connection comes from, an IPv4 address never in its IPv6 form.
    pub fn peer_ip(&self) -> Option<IpAddr> {
        self.peer.map(|peer| peer.ip().to_canonical())
    }

    /// Returns the name the client gave in EHLO or HELO: a claim, nothing more.
    pub fn helo(&self) -> Option<&str> {
        self.helo.as_deref()
    }

    /// Whether the client said EHLO, not HELO.
    pub fn is_extended(&self) -> bool {
        self.extended
    }

    /// Whether the connection is encrypted.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Returns who logged in.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// Returns the protocol as a `Received` field names it (RFC 3848): `ESMTPSA` and its kin.
    pub fn protocol(&self) -> &'static str {
        match (self.extended, self.secure, self.identity.is_some()) {
            (false, _, _) => "SMTP",
            (true, false, false) => "ESMTP",
            (true, false, true) => "ESMTPA",
            (true, true, false) => "ESMTPS",
            (true, true, true) => "ESMTPSA",
        }
    }
}
