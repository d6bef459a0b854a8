//! Connections through a proxy.

mod http;
mod socks5;

use std::fmt;
use std::io;
use std::str::FromStr;

use tokio::io::{AsyncRead, AsyncWrite};
use url::Url;

use crate::config::{ConfigError, percent_decode};
use crate::secret::Secret;

/// A proxy through which servers are reached. It resolves their names: none is looked up on this side.
///
/// # Examples
///
/// ```
/// use posthaste_smtp::{Proxy, SmtpTransport};
///
/// let proxy = Proxy::socks5("proxy.example.org", 1080).credentials("ada", "secret");
/// let transport = SmtpTransport::builder("mail.example.net").proxy(proxy).build()?;
/// let the_same: Proxy = "socks5://ada:secret@proxy.example.org".parse()?;
/// # Ok::<(), posthaste_smtp::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Proxy {
    protocol: Protocol,
    host: String,
    port: u16,
    credentials: Option<(String, Secret)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Socks5,
    Http,
}

impl Proxy {
    /// Names a SOCKS5 proxy (RFC 1928), as Tor and `ssh -D` are.
    pub fn socks5(host: impl Into<String>, port: u16) -> Self {
        Self::new(Protocol::Socks5, host.into(), port)
    }

    /// Names an HTTP proxy that knows CONNECT (RFC 9110 §9.3.6). It is spoken to in clear text.
    pub fn http(host: impl Into<String>, port: u16) -> Self {
        Self::new(Protocol::Http, host.into(), port)
    }

    fn new(protocol: Protocol, host: String, port: u16) -> Self {
        Self {
            protocol,
            host,
            port,
            credentials: None,
        }
    }

    /// Sets what the proxy is told about who asks (RFC 1929, RFC 7617). It travels in clear text.
    #[must_use]
    pub fn credentials(mut self, username: impl Into<String>, password: impl Into<Secret>) -> Self {
        self.credentials = Some((username.into(), password.into()));
        self
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Says what cannot work.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let invalid = |reason| {
            Err(ConfigError::Invalid {
                setting: "proxy",
                reason,
            })
        };
        if self.host.is_empty() || self.host.contains(|c: char| c.is_control() || c.is_whitespace()) {
            return invalid("it has no host name, or one that holds a space or control character");
        }
        let Some((username, password)) = &self.credentials else {
            return Ok(());
        };
        let fits = |text: &str| (1..=255).contains(&text.len());
        match self.protocol {
            Protocol::Socks5 if !fits(username) || !fits(password.expose()) => {
                invalid("SOCKS5 takes a user name and a password of 1 to 255 octets each")
            }
            Protocol::Http if username.contains(|c: char| c == ':' || c.is_control()) => {
                invalid("the user name holds a colon or control character")
            }
            Protocol::Http if password.expose().contains(char::is_control) => {
                invalid("the password holds a control character")
            }
            _ => Ok(()),
        }
    }

    /// Asks for a connection to `host` over a `stream` to the proxy. What comes after the proxy's answer is left unread.
    pub(super) async fn open(
        &self,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin + Send),
        host: &str,
        port: u16,
    ) -> io::Result<()> {
        match self.protocol {
            Protocol::Socks5 => socks5::open(stream, host, port, self.credentials.as_ref()).await,
            Protocol::Http => http::open(stream, host, port, self.credentials.as_ref()).await,
        }
    }
}

impl FromStr for Proxy {
    type Err = ConfigError;

    /// Reads `socks5://user:password@host:1080` or `http://user:password@host:8080`; `socks5h` means the same as `socks5`. The
    /// error never repeats the text.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let error = || ConfigError::Value {
            key: "proxy",
            expected: "socks5://user:password@host:1080 or http://user:password@host:8080, percent-encoded",
        };
        let url = Url::parse(text).map_err(|_| error())?;
        let (protocol, port) = match url.scheme() {
            "socks5" | "socks5h" => (Protocol::Socks5, 1080),
            "http" => (Protocol::Http, 80),
            _ => return Err(error()),
        };
        let host = url.host_str().unwrap_or_default();
        let odd = !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some();
        if host.is_empty() || odd {
            return Err(error());
        }
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let mut proxy = Self::new(protocol, percent_decode(host)?, url.port().unwrap_or(port));
        if !url.username().is_empty() || url.password().is_some() {
            let password = percent_decode(url.password().unwrap_or_default())?;
            proxy.credentials = Some((percent_decode(url.username())?, Secret::new(password)));
        }
        Ok(proxy)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("protocol", &self.protocol)
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

/// Why a proxy opened no connection: what an [`SmtpError::Connect`](crate::SmtpError::Connect) holds then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// The proxy's answer is not of its protocol.
    #[error("the proxy's answer is not {0}")]
    Answer(&'static str),
    /// The proxy's answer has no end within bounds.
    #[error("the proxy's answer is longer than {0} octets")]
    TooLong(usize),
    /// The proxy wants to know who asks, or does not like the answer.
    #[error("the proxy refused the credentials, or wants some")]
    Unauthorized,
    /// A SOCKS5 proxy said no, with a number of RFC 1928 §6.
    #[error("the proxy refused: {}", socks5::reason(*.0))]
    Socks5(u8),
    /// An HTTP proxy said no, with a status of HTTP.
    #[error("the proxy answered {0}")]
    Http(u16),
    /// The proxy cannot be asked for such a host.
    #[error("the host name is longer than a proxy can be asked for, or holds what no name holds")]
    Host,
}

impl From<ProxyError> for io::Error {
    fn from(error: ProxyError) -> Self {
        let kind = match error {
            ProxyError::Answer(_) | ProxyError::TooLong(_) => io::ErrorKind::InvalidData,
            ProxyError::Unauthorized => io::ErrorKind::PermissionDenied,
            ProxyError::Socks5(_) | ProxyError::Http(_) => io::ErrorKind::ConnectionRefused,
            ProxyError::Host => io::ErrorKind::InvalidInput,
        };
        Self::new(kind, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_urls_and_never_shows_them() {
        let proxy: Proxy = "socks5://us%40er:hunt%3Aer2@[2001:db8::1]".parse().unwrap();
        assert_eq!((proxy.host.as_str(), proxy.port), ("2001:db8::1", 1080));
        let (username, password) = proxy.credentials.as_ref().unwrap();
        assert!(username == "us@er" && password.matches("hunt:er2"));
        assert!(!format!("{proxy:?}").contains("hunt"));
        let proxy: Proxy = "http://proxy.example:8080/".parse().unwrap();
        assert_eq!((proxy.protocol, proxy.port), (Protocol::Http, 8080));
        for text in [
            "",
            "hunter2",
            "socks4://u:hunter2@h",
            "https://u:hunter2@h",
            "socks5://u:hunter2@h/path",
            "http://u:hunter2@h?x=y",
            "socks5://",
            "socks5://u:hunter2%zz@h",
        ] {
            let error = text.parse::<Proxy>().unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{text}: {error:?}");
        }
    }

    #[test]
    fn refuses_what_cannot_be_said() {
        for proxy in [
            Proxy::socks5("", 1080),
            Proxy::socks5("h\r\n", 1080),
            Proxy::socks5("h", 1080).credentials("", "p"),
            Proxy::socks5("h", 1080).credentials("u", "p".repeat(256)),
            Proxy::http("h", 80).credentials("a:b", "p"),
            Proxy::http("h", 80).credentials("a", "p\r\n"),
        ] {
            assert!(proxy.check().is_err(), "{proxy:?}");
        }
        assert!(Proxy::http("h", 80).credentials("a", "b:c").check().is_ok());
    }
}
