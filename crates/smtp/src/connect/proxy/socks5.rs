//! SOCKS5 (RFC 1928) with user name and password (RFC 1929).

use std::io;
use std::net::IpAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::ProxyError;
use crate::secret::Secret;

const VERSION: u8 = 5;
const NO_LOGIN: u8 = 0;
const PASSWORD: u8 = 2;
const NONE_ACCEPTABLE: u8 = 0xff;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const DOMAIN: u8 = 3;
const IPV6: u8 = 4;

pub(super) async fn open(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    host: &str,
    port: u16,
    credentials: Option<&(String, Secret)>,
) -> io::Result<()> {
    let request = request(host, port)?;
    let methods: &[u8] = match credentials {
        Some(_) => &[VERSION, 2, NO_LOGIN, PASSWORD],
        None => &[VERSION, 1, NO_LOGIN],
    };
    stream.write_all(methods).await?;
    stream.flush().await?;
    let mut chosen = [0; 2];
    stream.read_exact(&mut chosen).await?;
    match (chosen, credentials) {
        ([VERSION, NO_LOGIN], _) => {}
        ([VERSION, PASSWORD], Some((username, password))) => log_in(stream, username, password).await?,
        ([VERSION, NONE_ACCEPTABLE], _) => return Err(ProxyError::Unauthorized.into()),
        _ => return Err(ProxyError::Answer("SOCKS5").into()),
    }
    stream.write_all(&request).await?;
    stream.flush().await?;

    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    let [VERSION, reply, _, kind] = head else {
        return Err(ProxyError::Answer("SOCKS5").into());
    };
    if reply != 0 {
        return Err(ProxyError::Socks5(reply).into());
    }
    // The address that the proxy connects from is of no use here, and has to be read: 255 octets at most.
    let length = match kind {
        IPV4 => 4,
        IPV6 => 16,
        DOMAIN => usize::from(stream.read_u8().await?),
        _ => return Err(ProxyError::Answer("SOCKS5").into()),
    };
    let mut bound = [0; 255 + 2];
    if let Some(bound) = bound.get_mut(..length + 2) {
        stream.read_exact(bound).await?;
    }
    Ok(())
}

async fn log_in(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    username: &str,
    password: &Secret,
) -> io::Result<()> {
    let mut message = zeroize::Zeroizing::new(vec![1]);
    for text in [username, password.expose()] {
        message.push(u8::try_from(text.len()).map_err(|_| ProxyError::Unauthorized)?);
        message.extend_from_slice(text.as_bytes());
    }
    stream.write_all(&message).await?;
    stream.flush().await?;
    let mut answer = [0; 2];
    stream.read_exact(&mut answer).await?;
    // Some proxies say 5 where RFC 1929 §2 has 1.
    match answer {
        [1 | VERSION, 0] => Ok(()),
        [1 | VERSION, _] => Err(ProxyError::Unauthorized.into()),
        _ => Err(ProxyError::Answer("SOCKS5").into()),
    }
}

fn request(host: &str, port: u16) -> Result<Vec<u8>, ProxyError> {
    let mut request = vec![VERSION, CONNECT, 0];
    match host.parse() {
        Ok(IpAddr::V4(ip)) => {
            request.push(IPV4);
            request.extend_from_slice(&ip.octets());
        }
        Ok(IpAddr::V6(ip)) => {
            request.push(IPV6);
            request.extend_from_slice(&ip.octets());
        }
        Err(_) => {
            let length = u8::try_from(host.len()).map_err(|_| ProxyError::Host)?;
            request.extend_from_slice(&[DOMAIN, length]);
            request.extend_from_slice(host.as_bytes());
        }
    }
    request.extend_from_slice(&port.to_be_bytes());
    Ok(request)
}

/// Says what a reply means (RFC 1928 §6).
pub(super) fn reason(reply: u8) -> &'static str {
    match reply {
        1 => "general failure",
        2 => "not allowed by its rules",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "time to live expired",
        7 => "it does not know CONNECT",
        8 => "it does not know such addresses",
        _ => "a reason that has no name",
    }
}
