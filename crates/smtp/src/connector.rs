//! How the client reaches a server.

use std::fmt::Debug;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// A byte stream in both directions: a TCP connection, a TLS session over one, a pipe in memory.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for T {}

/// What [`Connector::connect`] returns.
pub type ConnectFuture<'a> = Pin<Box<dyn Future<Output = io::Result<Connected>> + Send + 'a>>;

/// Opens connections for an [`SmtpTransport`](crate::SmtpTransport).
///
/// The one used unless another is given resolves the host name with the operating system and opens a TCP connection
/// without Nagle's delay. Implement this to go through a proxy, to bind an address or to stay in memory.
///
/// # Examples
///
/// ```
/// use posthaste_smtp::{ConnectFuture, Connected, Connector, SmtpTransport};
///
/// #[derive(Debug)]
/// struct UnixSocket(std::path::PathBuf);
///
/// impl Connector for UnixSocket {
///     fn connect<'a>(&'a self, _host: &'a str, _port: u16) -> ConnectFuture<'a> {
///         Box::pin(async move { Ok(Connected::new(tokio::net::UnixStream::connect(&self.0).await?)) })
///     }
/// }
///
/// let transport = SmtpTransport::builder("localhost").connector(UnixSocket("/run/smtp.sock".into())).build()?;
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

/// Opens TCP connections.
#[derive(Debug)]
pub(crate) struct TcpConnector;

impl Connector for TcpConnector {
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> ConnectFuture<'a> {
        Box::pin(async move {
            let stream = TcpStream::connect((host, port)).await?;
            stream.set_nodelay(true)?;
            let local = stream.local_addr()?.ip();
            Ok(Connected::new(stream).with_local_ip(local))
        })
    }
}
