//! Connections over the network, straight or through a proxy, and over a socket of this machine.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::net::{TcpSocket, TcpStream, lookup_host};

use super::ip::{Bind, IpChoice, arrange};
use super::proxy::Proxy;
use super::race::race;
use super::{ConnectFuture, Connected, Connector};
use crate::config::ConfigError;

/// How the client gets to a server, as far as settings say it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Network {
    pub(crate) ip: IpChoice,
    pub(crate) bind: Bind,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) socket: Option<PathBuf>,
}

impl Network {
    /// Whether nothing was set.
    pub(crate) fn is_plain(&self) -> bool {
        self.ip == IpChoice::Any && !self.bind.is_set() && self.proxy.is_none() && self.socket.is_none()
    }

    /// Says what cannot work.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let invalid = |setting, reason| Err(ConfigError::Invalid { setting, reason });
        if let Some(proxy) = &self.proxy {
            proxy.check()?;
        }
        let bound_elsewhere = match self.ip {
            IpChoice::V4 => self.bind.v4.is_none(),
            IpChoice::V6 => self.bind.v6.is_none(),
            _ => false,
        };
        if self.bind.is_set() && bound_elsewhere {
            return invalid("bind", "it is not of the version of IP that is to be used");
        }
        if self.socket.is_some() {
            if !cfg!(unix) {
                return invalid("socket", "this operating system has none");
            }
            if self.proxy.is_some() || self.bind.is_set() || self.ip != IpChoice::Any {
                return invalid("socket", "neither a proxy nor an IP address leads to it");
            }
        }
        Ok(())
    }

    /// Opens a TCP connection to the first address of `host` that answers.
    async fn tcp(&self, host: &str, port: u16) -> io::Result<TcpStream> {
        let addresses = arrange(lookup_host((host, port)).await?, self.ip, &self.bind);
        let bind = self.bind;
        race(addresses, move |address| attempt(address, bind)).await
    }

    async fn open(&self, host: &str, port: u16) -> io::Result<Connected> {
        #[cfg(unix)]
        if let Some(path) = &self.socket {
            return Ok(Connected::new(tokio::net::UnixStream::connect(path).await?));
        }
        let Some(proxy) = &self.proxy else {
            let stream = self.tcp(host, port).await?;
            let local = stream.local_addr()?.ip();
            return Ok(Connected::new(stream).with_local_ip(local));
        };
        let mut stream = self.tcp(proxy.host(), proxy.port()).await?;
        proxy.open(&mut stream, host, port).await?;
        // The server sees the proxy's address: ours would be wrong in EHLO, and nobody's business.
        Ok(Connected::new(stream))
    }
}

async fn attempt(address: SocketAddr, bind: Bind) -> io::Result<TcpStream> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    if let Some(local) = bind.towards(&address) {
        socket.bind(local)?;
    }
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl Connector for Network {
    fn connect<'a>(&'a self, host: &'a str, port: u16) -> ConnectFuture<'a> {
        Box::pin(self.open(host, port))
    }
}
