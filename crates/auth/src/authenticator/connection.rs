//! How a message came in.

use std::net::IpAddr;

use posthaste_address::EmailAddress;

/// What is known of the connection that a message came in by.
///
/// ```
/// use posthaste_auth::{Connection, Tls};
///
/// let connection = Connection::new("192.0.2.1".parse()?, "mail.example.org", Some("ada@example.org".parse()?))
///     .tls(Tls::new("TLSv1.3").cipher("TLS_AES_256_GCM_SHA384"));
/// assert_eq!(connection.helo(), "mail.example.org");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    ip: IpAddr,
    helo: String,
    mail_from: Option<EmailAddress>,
    tls: Option<Tls>,
}

impl Connection {
    /// The client's address, the name it gave in HELO or EHLO, and the reverse-path; `None` is the null one.
    pub fn new(ip: IpAddr, helo: impl Into<String>, mail_from: Option<EmailAddress>) -> Self {
        Self {
            ip,
            helo: helo.into(),
            mail_from,
            tls: None,
        }
    }

    /// Says that the connection was encrypted, and how.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// The client's address.
    #[must_use]
    pub fn ip(&self) -> IpAddr {
        self.ip
    }

    /// The name in HELO or EHLO, as the client gave it.
    #[must_use]
    pub fn helo(&self) -> &str {
        &self.helo
    }

    /// The reverse-path; `None` is the null one.
    #[must_use]
    pub fn mail_from(&self) -> Option<&EmailAddress> {
        self.mail_from.as_ref()
    }

    /// How the connection was encrypted, if it was.
    #[must_use]
    pub fn encryption(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }
}

/// How a connection was encrypted. Nothing is concluded from it; the report repeats it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    version: String,
    cipher: Option<String>,
}

impl Tls {
    /// The protocol's version, as it is to be written: `TLSv1.3`, say.
    pub fn new(version: impl Into<String>) -> Self {
        Self {
            version: version.into(),
            cipher: None,
        }
    }

    /// Sets the cipher suite.
    #[must_use]
    pub fn cipher(mut self, cipher: impl Into<String>) -> Self {
        self.cipher = Some(cipher.into());
        self
    }

    /// The protocol's version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The cipher suite.
    #[must_use]
    pub fn cipher_suite(&self) -> Option<&str> {
        self.cipher.as_deref()
    }
}
