//! What is known of a client.

use std::net::{IpAddr, SocketAddr};

use super::Identity;

/// What is known of the client at the other end.
#[derive(Clone, Debug, Default)]
pub struct Session {
    pub(super) peer: Option<SocketAddr>,
    pub(super) proxy: Option<SocketAddr>,
    pub(super) helo: Option<String>,
    pub(super) extended: bool,
    pub(super) early: bool,
    pub(super) lmtp: bool,
    pub(super) encryption: Option<Box<Encryption>>,
    pub(super) identity: Option<Identity>,
}

/// How a connection is encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encryption {
    pub(super) version: Option<String>,
    pub(super) cipher: Option<String>,
    pub(super) server_name: Option<String>,
    pub(super) client_name: Option<String>,
    pub(super) client_certificate: Option<Vec<u8>>,
    pub(super) by_proxy: bool,
}

impl Session {
    /// Returns where the connection comes from; `None` if it is not a network connection. Behind a load balancer that says
    /// so, this is the client, not the balancer.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// Returns the IP address the connection comes from, an IPv4 address never in its IPv6 form.
    pub fn peer_ip(&self) -> Option<IpAddr> {
        self.peer.map(|peer| peer.ip().to_canonical())
    }

    /// Returns the load balancer that passed the connection on and said for whom, by the PROXY protocol.
    pub fn proxy(&self) -> Option<SocketAddr> {
        self.proxy
    }

    /// Returns the name the client gave in EHLO, HELO or LHLO: a claim, nothing more.
    pub fn helo(&self) -> Option<&str> {
        self.helo.as_deref()
    }

    /// Whether the client said EHLO, not HELO.
    pub fn is_extended(&self) -> bool {
        self.extended
    }

    /// Whether the client sent more behind its EHLO, HELO or LHLO than it could know to be welcome, before that was answered
    /// (RFC 2920 §3.1). Programs that only know how to push mail do; a [`Handler`](super::Handler) may refuse them at any step.
    pub fn spoke_early(&self) -> bool {
        self.early
    }

    /// Whether the connection is encrypted.
    pub fn is_secure(&self) -> bool {
        self.encryption.is_some()
    }

    /// Returns how the connection is encrypted, if it is.
    pub fn encryption(&self) -> Option<&Encryption> {
        self.encryption.as_deref()
    }

    /// Returns who logged in.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// Returns the protocol as a `Received` field names it (RFC 3848): `ESMTPSA` and its kin.
    pub fn protocol(&self) -> &'static str {
        match (self.lmtp, self.extended, self.is_secure(), self.identity.is_some()) {
            (true, _, false, false) => "LMTP",
            (true, _, false, true) => "LMTPA",
            (true, _, true, false) => "LMTPS",
            (true, _, true, true) => "LMTPSA",
            (false, false, _, _) => "SMTP",
            (false, true, false, false) => "ESMTP",
            (false, true, false, true) => "ESMTPA",
            (false, true, true, false) => "ESMTPS",
            (false, true, true, true) => "ESMTPSA",
        }
    }
}

impl Encryption {
    /// Returns the version of TLS, as `TLSv1_3`, or in a load balancer's own words.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// Returns the cipher suite, as `TLS13_AES_256_GCM_SHA384`, or in a load balancer's own words.
    pub fn cipher(&self) -> Option<&str> {
        self.cipher.as_deref()
    }

    /// Returns the server name that the client asked for (RFC 6066 §3).
    pub fn server_name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }

    /// Returns the certificate in DER that the client showed, if it was asked for one
    /// ([`client_authorities`](super::ServerBuilder::client_authorities)). It was verified: it comes from one of the authorities
    /// and is valid now. Whom it lets do what is for the handler to decide.
    pub fn client_certificate(&self) -> Option<&[u8]> {
        self.client_certificate.as_deref()
    }

    /// Returns the common name of the client's certificate, or what a load balancer says that it is.
    pub fn client_name(&self) -> Option<&str> {
        self.client_name.as_deref()
    }

    /// Whether the encryption ends at a load balancer, which said so.
    pub fn is_by_proxy(&self) -> bool {
        self.by_proxy
    }
}
