//! A name server, and how to talk to it.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use crate::name::normalise;

/// Says where a name server is and how to ask it. It must resolve recursively.
///
/// As text it is `PROTOCOL://ADDRESS[:PORT]`, then for DNS over HTTPS the path, then `#` and the name in the server's
/// certificate. Only an address is taken, never a name that would have to be looked up first.
///
/// | text | asks |
/// | --- | --- |
/// | `192.0.2.53`, `udp://192.0.2.53:5353` | over UDP, and over TCP what does not fit |
/// | `tcp://[2001:db8::53]` | over TCP |
/// | `tls://9.9.9.9#dns.quad9.net` | DNS over TLS (RFC 7858), on port 853 |
/// | `https://9.9.9.9/dns-query#dns.quad9.net` | DNS over HTTPS (RFC 8484), on port 443 |
///
/// Without a name, the certificate must be for the address. Without a path it is `/dns-query`.
///
/// # Examples
///
/// ```
/// use posthaste_dns::Upstream;
///
/// let upstream: Upstream = "tls://9.9.9.9#dns.quad9.net".parse()?;
/// assert_eq!(upstream, Upstream::tls(([9, 9, 9, 9], 853).into(), "dns.quad9.net"));
/// assert!("tls://dns.quad9.net".parse::<Upstream>().is_err());
/// # Ok::<(), posthaste_dns::UpstreamError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Upstream {
    /// UDP, and TCP for what does not fit.
    Udp(SocketAddr),
    /// TCP only.
    Tcp(SocketAddr),
    /// DNS over TLS.
    Tls {
        /// The server.
        address: SocketAddr,
        /// The name in its certificate.
        name: String,
    },
    /// DNS over HTTPS, HTTP/2.
    Https {
        /// The server.
        address: SocketAddr,
        /// The name in its certificate and of the host in requests.
        name: String,
        /// Where it answers.
        path: String,
    },
}

/// Says what is wrong with the text of an [`Upstream`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum UpstreamError {
    /// Not `udp`, `tcp`, `tls` or `https`.
    #[error("not `udp`, `tcp`, `tls` or `https`")]
    Protocol,
    /// Not an IP address, with or without a port.
    #[error("not an IP address and port")]
    Address,
    /// What follows `#` is no domain name or IP address, or this protocol has no use for it.
    #[error("not a name for a certificate")]
    Name,
    /// The path is one that no request can have, or this protocol has no use for it.
    #[error("not a path")]
    Path,
}

const DEFAULT_PATH: &str = "/dns-query";

impl Upstream {
    /// Asks over UDP, and over TCP what does not fit.
    pub fn udp(address: SocketAddr) -> Self {
        Self::Udp(address)
    }

    /// Asks over TCP.
    pub fn tcp(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }

    /// Asks over TLS a server whose certificate has this name.
    pub fn tls(address: SocketAddr, name: impl Into<String>) -> Self {
        let name = name.into();
        Self::Tls { address, name }
    }

    /// Asks over HTTPS, at `/dns-query`, a server whose certificate has this name.
    pub fn https(address: SocketAddr, name: impl Into<String>) -> Self {
        Self::Https {
            address,
            name: name.into(),
            path: DEFAULT_PATH.to_owned(),
        }
    }

    /// Gives the server's address.
    pub fn address(&self) -> SocketAddr {
        match self {
            Self::Udp(address) | Self::Tcp(address) | Self::Tls { address, .. } | Self::Https { address, .. } => {
                *address
            }
        }
    }

    /// Tells whether nobody on the way can read or change what is asked and answered.
    pub fn is_encrypted(&self) -> bool {
        matches!(self, Self::Tls { .. } | Self::Https { .. })
    }
}

impl From<SocketAddr> for Upstream {
    fn from(address: SocketAddr) -> Self {
        Self::Udp(address)
    }
}

impl FromStr for Upstream {
    type Err = UpstreamError;

    fn from_str(text: &str) -> Result<Self, UpstreamError> {
        let (protocol, rest) = text.split_once("://").unwrap_or(("udp", text));
        let (rest, name) = match rest.split_once('#') {
            Some((rest, name)) => (rest, Some(name)),
            None => (rest, None),
        };
        let (server, path) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, ""),
        };
        let of_protocol = |port| read_address(server, port);
        let bare = |upstream: fn(SocketAddr) -> Self| {
            if name.is_some() {
                return Err(UpstreamError::Name);
            }
            of_protocol(53).map(upstream)
        };
        if !path.is_empty() && protocol != "https" {
            return Err(UpstreamError::Path);
        }
        match protocol {
            "udp" => bare(Self::Udp),
            "tcp" => bare(Self::Tcp),
            "tls" => {
                let address = of_protocol(853)?;
                Ok(Self::tls(address, read_name(name, address.ip())?))
            }
            "https" => {
                let address = of_protocol(443)?;
                Ok(Self::Https {
                    address,
                    name: read_name(name, address.ip())?,
                    path: read_path(path)?,
                })
            }
            _ => Err(UpstreamError::Protocol),
        }
    }
}

fn read_address(text: &str, port: u16) -> Result<SocketAddr, UpstreamError> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    let address = bare.parse().map(|ip: IpAddr| SocketAddr::new(ip, port));
    address.or_else(|_| text.parse()).map_err(|_| UpstreamError::Address)
}

fn read_name(name: Option<&str>, address: IpAddr) -> Result<String, UpstreamError> {
    let Some(name) = name else {
        return Ok(address.to_string());
    };
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(address.to_string());
    }
    let letters = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.');
    if !name.bytes().all(letters) {
        return Err(UpstreamError::Name);
    }
    normalise(name).map_err(|_| UpstreamError::Name)
}

fn read_path(path: &str) -> Result<String, UpstreamError> {
    if path.is_empty() {
        return Ok(DEFAULT_PATH.to_owned());
    }
    // RFC 3986 §3.3. A query is not part of it: this crate posts its questions.
    let allowed = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/%".contains(&octet);
    if path.bytes().all(allowed) {
        Ok(path.to_owned())
    } else {
        Err(UpstreamError::Path)
    }
}

/// Writes the text that reads back.
impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Udp(address) => write!(f, "udp://{address}"),
            Self::Tcp(address) => write!(f, "tcp://{address}"),
            Self::Tls { address, name } => write!(f, "tls://{address}#{name}"),
            Self::Https { address, name, path } => write!(f, "https://{address}{path}#{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: Result<&str, UpstreamError>) {
        let read = text.parse::<Upstream>();
        assert_eq!(
            read.clone().map(|upstream| upstream.to_string()),
            expected.map(str::to_owned),
            "{text}"
        );
        if let Ok(upstream) = read {
            assert_eq!(upstream.to_string().parse(), Ok(upstream));
        }
    }

    #[test]
    fn every_protocol_reads_and_prints() {
        check("192.0.2.53", Ok("udp://192.0.2.53:53"));
        check("192.0.2.53:5353", Ok("udp://192.0.2.53:5353"));
        check("2001:db8::53", Ok("udp://[2001:db8::53]:53"));
        check("[2001:db8::53]", Ok("udp://[2001:db8::53]:53"));
        check("tcp://[2001:db8::53]:54", Ok("tcp://[2001:db8::53]:54"));
        check("tls://9.9.9.9#DNS.quad9.net", Ok("tls://9.9.9.9:853#dns.quad9.net"));
        check("tls://9.9.9.9", Ok("tls://9.9.9.9:853#9.9.9.9"));
        check(
            "https://9.9.9.9#dns.quad9.net",
            Ok("https://9.9.9.9:443/dns-query#dns.quad9.net"),
        );
        check(
            "https://[2620:fe::fe]:8443/x/y",
            Ok("https://[2620:fe::fe]:8443/x/y#2620:fe::fe"),
        );
    }

    #[test]
    fn mistakes_are_told_apart() {
        check("", Err(UpstreamError::Address));
        check("quic://9.9.9.9", Err(UpstreamError::Protocol));
        check("tls://dns.quad9.net", Err(UpstreamError::Address));
        check("tls://9.9.9.9:99999#a", Err(UpstreamError::Address));
        check("tls://9.9.9.9#", Err(UpstreamError::Name));
        check("tls://9.9.9.9#a..b", Err(UpstreamError::Name));
        check("tls://9.9.9.9#a/b", Err(UpstreamError::Name));
        check("udp://9.9.9.9#a", Err(UpstreamError::Name));
        check("tls://9.9.9.9/x#a", Err(UpstreamError::Path));
        check("https://9.9.9.9/x?y#a", Err(UpstreamError::Path));
        check("https://9.9.9.9/x\r\ny#a", Err(UpstreamError::Path));
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(text in "((udp|tcp|tls|https)://)?[0-9:.\\[\\]]{1,16}(/[a-z/]{0,5})?(#[a-z.]{1,9})?") {
            if let Ok(upstream) = text.parse::<Upstream>() {
                prop_assert_eq!(upstream.to_string().parse(), Ok(upstream));
            }
        }
    }
}
