//! Where our own webhooks may go: URLs that customers type in, which must not lead into the network of the sender.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// A URL to which webhooks may be sent.
///
/// Send to no other address than one that [`allows`](Self::allows) says yes to: look the name up once, ask, and connect to that
/// address. A second lookup might answer otherwise. Follow no redirects.
///
/// # Examples
///
/// ```
/// use posthaste_events::webhook::{Destination, DestinationError};
///
/// let destination = Destination::new("https://hooks.example.net/mail?key=1")?;
/// assert_eq!((destination.host(), destination.port()), ("hooks.example.net", 443));
/// assert!(destination.allows("203.0.114.7".parse()?));
/// assert!(!destination.allows("127.0.0.1".parse()?));
/// assert_eq!(Destination::new("http://169.254.169.254/latest/").unwrap_err(), DestinationError::Address);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Destination {
    url: Url,
    host: String,
    port: u16,
}

/// Why no webhook is sent to a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DestinationError {
    /// It is not a URL with a host.
    #[error("it is not a URL with a host")]
    Url,
    /// Its scheme is neither `https` nor `http`.
    #[error("its scheme is neither `https` nor `http`")]
    Scheme,
    /// Its host is an address that is not in the public internet, or a name for one.
    #[error("its host is not in the public internet")]
    Address,
    /// Its port is below 1024 and neither 80 nor 443: another service's.
    #[error("its port belongs to another service")]
    Port,
}

impl Destination {
    /// Reads a URL.
    ///
    /// # Errors
    ///
    /// [`DestinationError`] if no webhook may be sent there.
    pub fn new(text: &str) -> Result<Self, DestinationError> {
        let url = Url::parse(text).map_err(|_| DestinationError::Url)?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(DestinationError::Scheme);
        }
        let is_allowed = match url.host().ok_or(DestinationError::Url)? {
            Host::Domain(name) => !is_local(name),
            Host::Ipv4(ip) => is_public_v4(ip),
            Host::Ipv6(ip) => is_public_v6(ip),
        };
        if !is_allowed {
            return Err(DestinationError::Address);
        }
        let port = url.port_or_known_default().ok_or(DestinationError::Port)?;
        if port < 1024 && !matches!(port, 80 | 443) {
            return Err(DestinationError::Port);
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        Ok(Self { url, host, port })
    }

    /// Returns the URL whole. It may have a password in it: keep it out of logs.
    #[must_use]
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// Returns the host: a name, or an address as URLs have it.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Tells whether an address that the host's name led to is in the public internet.
    #[must_use]
    pub fn allows(&self, ip: IpAddr) -> bool {
        match ip {
            IpAddr::V4(ip) => is_public_v4(ip),
            IpAddr::V6(ip) => is_public_v6(ip),
        }
    }
}

/// Shows neither user name nor password nor query nor path: all of them may be secrets.
impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Destination({}://{}:{})", self.url.scheme(), self.host, self.port)
    }
}

/// Tells whether a name is one of this machine or this network (RFC 6761, 6762, 8375).
fn is_local(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let last = name.rsplit('.').next().unwrap_or_default();
    !name.contains('.')
        || matches!(last, "localhost" | "local" | "internal" | "localdomain")
        || name.ends_with(".home.arpa")
}

/// Tells whether an address is for everybody (the registry of special addresses, RFC 6890).
fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = matches!(a, 0 | 10 | 127 | 224..=255)
        || (a, b & 0xc0) == (100, 64)
        || (a, b) == (169, 254)
        || (a, b & 0xf0) == (172, 16)
        || (a, b) == (192, 168)
        || (a, b & 0xfe) == (198, 18)
        || matches!(
            (a, b, c),
            (192, 0, 0 | 2) | (192, 88, 99) | (198, 51, 100) | (203, 0, 113)
        );
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    // Addresses of IPv4 in other clothes lead to the same hosts: mapped, translated (RFC 6052) and 6to4.
    if let Some(inner) = ip.to_ipv4_mapped() {
        return is_public_v4(inner);
    }
    let [first, second, third, ..] = ip.segments();
    let octets = ip.octets();
    let inner = |at: usize| {
        let part = octets.get(at..at + 4).and_then(|part| <[u8; 4]>::try_from(part).ok());
        part.is_some_and(|part| is_public_v4(part.into()))
    };
    match (first, second) {
        (0x64, 0xff9b) => third == 0 && inner(12),
        (0x2002, _) => inner(2),
        // Teredo, benchmarks, ORCHID and documentation.
        (0x2001, 0..=0x1ff | 0xdb8) => false,
        // RFC 9637.
        (0x3fff, 0..=0xfff) => false,
        _ => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_ones_own_network_are_refused_in_all_their_spellings() {
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://0x7f000001/",
            "http://017700000001/",
            "http://2130706433/",
            "http://10.0.0.1/",
            "http://172.31.0.1/",
            "http://192.168.1.1/",
            "http://100.64.0.1/",
            "http://169.254.169.254/",
            "http://0.0.0.0/",
            "http://255.255.255.255/",
            "http://[::1]/",
            "http://[::]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::127.0.0.1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://[2002:7f00:1::]/",
            "http://[fe80::1]/",
            "http://[fd00:ec2::254]/",
            "http://[ff02::1]/",
            "http://[2001:db8::1]/",
            "http://localhost/",
            "http://LOCALHOST./",
            "http://a.localhost/",
            "http://printer.local/",
            "http://metadata.google.internal/",
            "http://intranet/",
        ] {
            assert_eq!(Destination::new(url), Err(DestinationError::Address), "{url}");
        }
    }

    #[test]
    fn what_is_public_is_taken() {
        for url in [
            "https://hooks.example.net/x",
            "http://hooks.example.net:8080/",
            "https://[2606:4700::1111]/",
            "https://8.8.8.8/",
            "https://[64:ff9b::808:808]/",
        ] {
            assert!(Destination::new(url).is_ok(), "{url}");
        }
        assert_eq!(
            Destination::new("http://hooks.example.net:25/"),
            Err(DestinationError::Port)
        );
        assert_eq!(Destination::new("file:///etc/passwd"), Err(DestinationError::Scheme));
        assert_eq!(Destination::new("https://"), Err(DestinationError::Url));
    }

    #[test]
    fn secrets_are_not_shown() {
        let destination = Destination::new("https://user:password@hooks.example.net/token?key=secret").unwrap();
        assert_eq!(format!("{destination:?}"), "Destination(https://hooks.example.net:443)");
        assert!(destination.url().contains("password"));
    }
}
