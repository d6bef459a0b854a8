//! CONNECT over HTTP/1.1 (RFC 9110 §9.3.6, RFC 9112), with basic credentials (RFC 7617).

use std::io;
use std::net::Ipv6Addr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::Zeroizing;

use super::ProxyError;
use crate::secret::Secret;

/// Most octets of an answer's header.
const MAX_HEADER: usize = 8 * 1024;

pub(super) async fn open(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    host: &str,
    port: u16,
    credentials: Option<&(String, Secret)>,
) -> io::Result<()> {
    stream.write_all(request(host, port, credentials)?.as_bytes()).await?;
    stream.flush().await?;
    let header = header(stream).await?;
    match status(&header) {
        Some(200..=299) => Ok(()),
        Some(401 | 407) => Err(ProxyError::Unauthorized.into()),
        Some(status) => Err(ProxyError::Http(status).into()),
        None => Err(ProxyError::Answer("HTTP").into()),
    }
}

fn request(host: &str, port: u16, credentials: Option<&(String, Secret)>) -> Result<Zeroizing<String>, ProxyError> {
    let ip = host.parse::<Ipv6Addr>();
    if ip.is_err()
        && !host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
    {
        return Err(ProxyError::Host);
    }
    let authority = match ip {
        Ok(ip) => format!("[{ip}]:{port}"),
        Err(_) => format!("{host}:{port}"),
    };
    let mut request = Zeroizing::new(format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n"));
    if let Some((username, password)) = credentials {
        let pair = Zeroizing::new(format!("{username}:{}", password.expose()));
        let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
        request.push_str("Proxy-Authorization: Basic ");
        request.push_str(&encoded);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    Ok(request)
}

/// Reads up to the empty line, and no octet more: what follows is the server's.
async fn header(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut header = Vec::new();
    while !header.ends_with(b"\r\n\r\n") {
        if header.len() == MAX_HEADER {
            return Err(ProxyError::TooLong(MAX_HEADER).into());
        }
        header.push(stream.read_u8().await?);
        if header.len() <= 5 && !b"HTTP/".starts_with(&header) {
            return Err(ProxyError::Answer("HTTP").into());
        }
    }
    Ok(header)
}

/// Reads the status line's number.
fn status(header: &[u8]) -> Option<u16> {
    let line = header.split(|&byte| byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?.strip_prefix("HTTP/1.")?;
    let (minor, rest) = line.split_once(' ')?;
    let digits = rest
        .get(..3)
        .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?;
    let ends = matches!(rest.as_bytes().get(3), None | Some(b' '));
    (ends && matches!(minor, "0" | "1")).then(|| digits.parse().ok())?
}
