//! How the connection that took a message was protected.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Says how the connection over which a message went was protected.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Security {
    /// Not at all: anyone on the way could read the message.
    ClearText,
    /// By TLS.
    Tls(TlsInfo),
}

impl Security {
    /// Returns what was negotiated, if it was TLS.
    #[must_use]
    pub const fn tls(&self) -> Option<&TlsInfo> {
        match self {
            Self::Tls(info) => Some(info),
            Self::ClearText => None,
        }
    }

    /// Says whether the peer was authenticated: by TLS, and not by [`PeerAuthentication::Unverified`].
    #[must_use]
    pub fn is_authenticated(&self) -> bool {
        self.tls().is_some_and(|info| info.authentication().is_verified())
    }

    /// Returns the one that protects less: clear text, then TLS with a peer that nobody verified, then an older TLS. That is
    /// what can be said of a message that went over both.
    #[must_use]
    pub fn weaker(self, other: Self) -> Self {
        let strength = |security: &Self| {
            let verified = |info: &TlsInfo| (info.authentication().is_verified(), info.version());
            security.tls().map(verified)
        };
        if strength(&other) < strength(&self) {
            other
        } else {
            self
        }
    }
}

impl fmt::Display for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClearText => f.write_str("clear text"),
            Self::Tls(info) => write!(f, "{info}"),
        }
    }
}

/// Tells what two peers negotiated for a TLS session. Clones share their memory.
///
/// # Examples
///
/// ```
/// use posthaste_transport::{PeerAuthentication, TlsInfo, TlsVersion};
///
/// let info = TlsInfo::new(TlsVersion::Tls13, "TLS13_AES_256_GCM_SHA384", PeerAuthentication::Pkix, "mx.example.net");
/// assert!(info.authentication().is_verified() && !info.sent_client_certificate());
/// assert_eq!(info.to_string(), "TLS 1.3, TLS13_AES_256_GCM_SHA384, mx.example.net verified by PKIX");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsInfo(Arc<Facts>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Facts {
    version: TlsVersion,
    cipher_suite: String,
    authentication: PeerAuthentication,
    peer_name: String,
    client_certificate: bool,
}

impl TlsInfo {
    /// Notes a session with `peer_name`: the name that was asked for, and that the certificate had to have.
    #[must_use]
    pub fn new(
        version: TlsVersion,
        cipher_suite: impl Into<String>,
        authentication: PeerAuthentication,
        peer_name: impl Into<String>,
    ) -> Self {
        Self(Arc::new(Facts {
            version,
            cipher_suite: cipher_suite.into(),
            authentication,
            peer_name: peer_name.into(),
            client_certificate: false,
        }))
    }

    /// Sets whether the peer asked for a certificate of ours and got one.
    #[must_use]
    pub fn with_client_certificate(mut self, sent: bool) -> Self {
        Arc::make_mut(&mut self.0).client_certificate = sent;
        self
    }

    /// Returns the version of TLS.
    #[must_use]
    pub fn version(&self) -> TlsVersion {
        self.0.version
    }

    /// Returns the name of the cipher suite, as `TLS13_AES_256_GCM_SHA384`.
    #[must_use]
    pub fn cipher_suite(&self) -> &str {
        &self.0.cipher_suite
    }

    /// Returns how it was made sure who the peer is.
    #[must_use]
    pub fn authentication(&self) -> PeerAuthentication {
        self.0.authentication
    }

    /// Returns the host name or address that the peer was asked for.
    #[must_use]
    pub fn peer_name(&self) -> &str {
        &self.0.peer_name
    }

    /// Says whether the peer asked for a certificate of ours and got one.
    #[must_use]
    pub fn sent_client_certificate(&self) -> bool {
        self.0.client_certificate
    }
}

impl fmt::Display for TlsInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = &*self.0;
        write!(
            f,
            "{}, {}, {} {}",
            facts.version, facts.cipher_suite, facts.peer_name, facts.authentication
        )
    }
}

/// Names a version of TLS. Older ones are spoken by nothing in this house.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

impl fmt::Display for TlsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls12 => "TLS 1.2",
            Self::Tls13 => "TLS 1.3",
        })
    }
}

/// A text is neither `1.2` nor `1.3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a version of TLS: 1.2 or 1.3")]
#[non_exhaustive]
pub struct TlsVersionError;

impl FromStr for TlsVersion {
    type Err = TlsVersionError;

    fn from_str(text: &str) -> Result<Self, TlsVersionError> {
        match text {
            "1.2" => Ok(Self::Tls12),
            "1.3" => Ok(Self::Tls13),
            _ => Err(TlsVersionError),
        }
    }
}

/// Says how it was made sure who the peer of a TLS session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PeerAuthentication {
    /// Its certificate comes from an authority that the operating system trusts, and has its name.
    Pkix,
    /// Its certificate comes from an authority that the caller trusts besides, and has its name.
    OwnRoots,
    /// Its certificate or key is the one in DNS (RFC 7672 §3.1.1).
    DaneEe,
    /// Its certificate comes from an authority that is in DNS, and has its name (RFC 7672 §3.1.2).
    DaneTa,
    /// A check of the caller's own took its certificate.
    Custom,
    /// By nothing: the session is safe from who listens, and not from who stands in between.
    Unverified,
}

impl PeerAuthentication {
    /// Says whether anything made sure of it.
    #[must_use]
    pub const fn is_verified(self) -> bool {
        !matches!(self, Self::Unverified)
    }
}

impl fmt::Display for PeerAuthentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pkix => "verified by PKIX",
            Self::OwnRoots => "verified by an authority of our own",
            Self::DaneEe => "verified by DANE-EE",
            Self::DaneTa => "verified by DANE-TA",
            Self::Custom => "verified by a check of our own",
            Self::Unverified => "not verified",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_there_was() {
        let info = |authentication| TlsInfo::new(TlsVersion::Tls12, "SUITE", authentication, "mx.example.net");
        let verified = Security::Tls(info(PeerAuthentication::DaneEe).with_client_certificate(true));
        assert!(verified.is_authenticated());
        assert!(verified.tls().unwrap().sent_client_certificate());
        assert_eq!(
            verified.to_string(),
            "TLS 1.2, SUITE, mx.example.net verified by DANE-EE"
        );
        assert!(!Security::Tls(info(PeerAuthentication::Unverified)).is_authenticated());
        assert!(!Security::ClearText.is_authenticated());
        assert_eq!(Security::ClearText.tls(), None);
        assert_eq!(Security::ClearText.to_string(), "clear text");
    }

    #[test]
    fn the_weaker_is_what_holds_for_both() {
        let info = |version, authentication| Security::Tls(TlsInfo::new(version, "S", authentication, "h"));
        let in_order = [
            Security::ClearText,
            info(TlsVersion::Tls13, PeerAuthentication::Unverified),
            info(TlsVersion::Tls12, PeerAuthentication::Pkix),
            info(TlsVersion::Tls13, PeerAuthentication::DaneEe),
        ];
        for (low, weak) in in_order.iter().enumerate() {
            for strong in &in_order[low..] {
                assert_eq!(&weak.clone().weaker(strong.clone()), weak);
                assert_eq!(&strong.clone().weaker(weak.clone()), weak);
            }
        }
    }

    #[test]
    fn versions_are_read_and_ordered() {
        assert_eq!("1.2".parse(), Ok(TlsVersion::Tls12));
        assert_eq!("1.3".parse(), Ok(TlsVersion::Tls13));
        for text in ["", "1.1", "1", "TLSv1.3"] {
            assert!(text.parse::<TlsVersion>().is_err(), "{text}");
        }
        assert!(TlsVersion::Tls12 < TlsVersion::Tls13);
    }
}
