//! How the client reaches a server.

mod ip;
mod network;
mod proxy;
mod race;
mod srv;

use std::fmt::Debug;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};

pub use ip::IpChoice;
pub(crate) use network::Network;
pub use proxy::{Proxy, ProxyError};
pub(crate) use srv::Place;
pub use srv::SrvError;
#[cfg(feature = "dns")]
pub(crate) use srv::places;

/// A byte stream in both directions: a TCP connection, a TLS session over one, a pipe in memory.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for T {}

/// What [`Connector::connect`] returns.
pub type ConnectFuture<'a> = Pin<Box<dyn Future<Output = io::Result<Connected>> + Send + 'a>>;

/// Opens connections for an [`SmtpTransport`](crate::SmtpTransport).
///
/// The one used unless another is given resolves the host name with the operating system and opens a TCP connection to the
/// address that answers first (RFC 8305), from the address, through the proxy or to the socket that the
/// [settings](crate::SmtpConfig) name. Implement this for other ways, or to stay in memory.
///
/// # Examples
///
/// ```
/// use posthaste_smtp::{ConnectFuture, Connected, Connector, SmtpTransport};
///
/// #[derive(Debug)]
/// struct Serial(std::path::PathBuf);
///
/// impl Connector for Serial {
///     fn connect<'a>(&'a self, _host: &'a str, _port: u16) -> ConnectFuture<'a> {
///         Box::pin(async move {
///             let line = tokio::io::join(tokio::io::empty(), tokio::io::sink()); // the device at `self.0`, opened
///             Ok(Connected::new(line))
///         })
///     }
/// }
///
/// let transport = SmtpTransport::builder("localhost").connector(Serial("/dev/ttyS0".into())).build()?;
/// # Ok::<(), posthaste_smtp::ConfigError>(())
/// ```
pub trait Connector: Debug + Send + Sync + 'static {
    /// Opens a connection to `host`. Dropping the future must leave nothing behind.
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> ConnectFuture<'a>;
}

/// A connection that was opened, before anything was said over it.
pub struct Connected {
    pub(crate) stream: Box<dyn Stream>,
    pub(crate) local_ip: Option<IpAddr>,
}

impl Connected {
    /// Wraps a stream.
    pub fn new(stream: impl Stream) -> Self {
        Self {
            stream: Box::new(stream),
            local_ip: None,
        }
    }

    /// Says from which address the connection comes: EHLO names it when no name was configured.
    pub fn with_local_ip(mut self, ip: IpAddr) -> Self {
        self.local_ip = Some(ip);
        self
    }
}

impl Debug for Connected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connected")
            .field("local_ip", &self.local_ip)
            .finish_non_exhaustive()
    }
}
