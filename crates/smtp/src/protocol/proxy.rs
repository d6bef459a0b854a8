//! The header in which a load balancer tells for whom it speaks: the PROXY protocol, versions 1 and 2.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// How version 2 begins.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// No header is shorter: `PROXY UNKNOWN` and its line end.
const SHORTEST: usize = 15;
/// The longest header of version 1, CR LF included.
const MAX_LINE: usize = 107;
/// The longest header of version 2 that is read: addresses and what balancers say besides are far below that.
const MAX_BLOCK: usize = 4096;
/// The longest name that is kept.
const MAX_NAME: usize = 255;

/// What a load balancer says of a connection that it passes on.
///
/// # Examples
///
/// ```
/// use posthaste_smtp::protocol::{ProxyHeader, ProxyParse};
///
/// let ProxyParse::Complete(header, used) = ProxyHeader::parse(b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 25\r\nEHLO x")? else {
///     return Err("incomplete".into());
/// };
/// assert_eq!(header.source(), Some("192.0.2.7:40000".parse()?));
/// assert_eq!(used, 44);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxyHeader {
    source: Option<SocketAddr>,
    destination: Option<SocketAddr>,
    tls: Option<ProxyTls>,
    server_name: Option<String>,
    local: bool,
}

/// What a load balancer says of the TLS between it and the client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxyTls {
    version: Option<String>,
    cipher: Option<String>,
    common_name: Option<String>,
}

/// How far a header was read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyParse {
    /// The whole of it, which took so many octets.
    Complete(ProxyHeader, usize),
    /// At least so many octets are missing, and all of them belong to the header.
    Needs(usize),
}

/// Why octets are no header of the PROXY protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyHeaderError {
    /// They begin otherwise.
    #[error("no PROXY header")]
    Missing,
    /// It is longer than it may be.
    #[error("the PROXY header is too long")]
    TooLong,
    /// Its line does not have the form of version 1.
    #[error("the PROXY line is not valid")]
    Line,
    /// Its version, command or protocol is not known, or not one of a stream.
    #[error("the PROXY header's version, command or protocol is not known")]
    Unknown,
    /// Its addresses or values are cut off.
    #[error("the PROXY header's values do not fit its length")]
    Truncated,
    /// Its checksum is another.
    #[error("the PROXY header's checksum is wrong")]
    Checksum,
}

impl ProxyHeader {
    /// Reads the header at the start of a connection. Called with more each time, it never asks for an octet that is not
    /// the header's, nor for more than 4 KiB.
    ///
    /// # Errors
    ///
    /// [`ProxyHeaderError`] as soon as it is clear that there is no valid header.
    pub fn parse(input: &[u8]) -> Result<ProxyParse, ProxyHeaderError> {
        if let Some(line) = prefix(input, b"PROXY ") {
            return Self::parse_line(line?, input);
        }
        match prefix(input, SIGNATURE) {
            Some(block) => Self::parse_block(block?, input),
            None => Err(ProxyHeaderError::Missing),
        }
    }

    /// Whether the balancer speaks for itself, as it does to see whether the server lives: version 2 can say so.
    pub fn is_local(&self) -> bool {
        self.local
    }

    /// Returns where the client's connection comes from; `None` when the balancer speaks for itself or does not know.
    pub fn source(&self) -> Option<SocketAddr> {
        self.source
    }

    /// Returns the address that the client connected to.
    pub fn destination(&self) -> Option<SocketAddr> {
        self.destination
    }

    /// Returns what is known of the client's TLS, if it uses TLS.
    pub fn tls(&self) -> Option<&ProxyTls> {
        self.tls.as_ref()
    }

    /// Returns the server name that the client asked for.
    pub fn server_name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }

    /// Version 1: one line of text.
    fn parse_line(rest: &[u8], input: &[u8]) -> Result<ProxyParse, ProxyHeaderError> {
        let Some(end) = rest.iter().take(MAX_LINE).position(|&byte| byte == b'\n') else {
            if input.len() >= MAX_LINE {
                return Err(ProxyHeaderError::TooLong);
            }
            return Ok(ProxyParse::Needs(SHORTEST.saturating_sub(input.len()).max(1)));
        };
        let used = input.len() - rest.len() + end + 1;
        if used > MAX_LINE {
            return Err(ProxyHeaderError::TooLong);
        }
        let line = rest.get(..end).and_then(|line| line.strip_suffix(b"\r"));
        let line = line
            .and_then(|line| std::str::from_utf8(line).ok())
            .ok_or(ProxyHeaderError::Line)?;
        if line == "UNKNOWN" || line.starts_with("UNKNOWN ") {
            return Ok(ProxyParse::Complete(Self::default(), used));
        }
        let mut words = line.split(' ');
        let (Some(family), Some(from), Some(to), Some(from_port), Some(to_port), None) = (
            words.next(),
            words.next(),
            words.next(),
            words.next(),
            words.next(),
            words.next(),
        ) else {
            return Err(ProxyHeaderError::Line);
        };
        let is_family = |address: &IpAddr| match family {
            "TCP4" => address.is_ipv4(),
            "TCP6" => address.is_ipv6(),
            _ => false,
        };
        let end_of = |address: &str, port: &str| {
            let address = address.parse().ok().filter(is_family)?;
            let plain = port.bytes().all(|byte| byte.is_ascii_digit()) && (port == "0" || !port.starts_with('0'));
            Some(SocketAddr::new(address, plain.then(|| port.parse().ok()).flatten()?))
        };
        let header = Self {
            source: Some(end_of(from, from_port).ok_or(ProxyHeaderError::Line)?),
            destination: Some(end_of(to, to_port).ok_or(ProxyHeaderError::Line)?),
            ..Self::default()
        };
        Ok(ProxyParse::Complete(header, used))
    }

    /// Version 2: a block of octets.
    fn parse_block(rest: &[u8], input: &[u8]) -> Result<ProxyParse, ProxyHeaderError> {
        let mut reader = Reader(rest);
        let (Some(kind), Some(family), Some(length)) = (reader.octet(), reader.octet(), reader.number()) else {
            return Ok(ProxyParse::Needs(
                (SIGNATURE.len() + 4).saturating_sub(input.len()).max(1),
            ));
        };
        let used = SIGNATURE.len() + 4 + usize::from(length);
        if used > MAX_BLOCK {
            return Err(ProxyHeaderError::TooLong);
        }
        let Some(header) = input.get(..used) else {
            return Ok(ProxyParse::Needs(used - input.len()));
        };
        let mut values = Reader(header.get(SIGNATURE.len() + 4..).unwrap_or_default());
        let speaks_for_itself = match kind {
            0x20 => true,
            0x21 => false,
            _ => return Err(ProxyHeaderError::Unknown),
        };
        let mut found = Self {
            local: speaks_for_itself,
            ..Self::default()
        };
        match family {
            // Unspecified: whatever follows is not looked at.
            0x00 => return Ok(ProxyParse::Complete(found, used)),
            0x11 => {
                let (from, to) = (values.v4()?, values.v4()?);
                found.source = Some(SocketAddr::new(from, values.port()?));
                found.destination = Some(SocketAddr::new(to, values.port()?));
            }
            0x21 => {
                let (from, to) = (values.v6()?, values.v6()?);
                found.source = Some(SocketAddr::new(from, values.port()?));
                found.destination = Some(SocketAddr::new(to, values.port()?));
            }
            // A Unix socket has no address that says anything.
            0x31 => {
                values.take(216)?;
            }
            _ => return Err(ProxyHeaderError::Unknown),
        }
        while !values.0.is_empty() {
            let (kind, value) = values.value()?;
            match kind {
                0x02 => found.server_name = name(value),
                0x03 => check(header, header.len() - values.0.len() - value.len(), value)?,
                0x20 => found.tls = tls(value)?,
                _ => {}
            }
        }
        if speaks_for_itself {
            found = Self {
                local: true,
                ..Self::default()
            };
        }
        Ok(ProxyParse::Complete(found, used))
    }
}

impl ProxyTls {
    /// Returns the version of TLS, in the balancer's words.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// Returns the cipher suite, in the balancer's words.
    pub fn cipher(&self) -> Option<&str> {
        self.cipher.as_deref()
    }

    /// Returns the common name of the client's certificate, which the balancer has verified.
    pub fn common_name(&self) -> Option<&str> {
        self.common_name.as_deref()
    }
}

/// Takes `wanted` off the front: `None` if the input begins otherwise, an empty rest if it is shorter and may yet.
fn prefix<'i>(input: &'i [u8], wanted: &[u8]) -> Option<Result<&'i [u8], ProxyHeaderError>> {
    match input.strip_prefix(wanted) {
        Some(rest) => Some(Ok(rest)),
        None if wanted.starts_with(input) => Some(Ok(&[])),
        None => None,
    }
}

/// Reads octets in order.
struct Reader<'i>(&'i [u8]);

impl<'i> Reader<'i> {
    fn octet(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn number(&mut self) -> Option<u16> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u16::from_be_bytes(*first))
    }

    fn take(&mut self, count: usize) -> Result<&'i [u8], ProxyHeaderError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(ProxyHeaderError::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    fn port(&mut self) -> Result<u16, ProxyHeaderError> {
        self.number().ok_or(ProxyHeaderError::Truncated)
    }

    fn v4(&mut self) -> Result<IpAddr, ProxyHeaderError> {
        let (octets, rest) = self.0.split_first_chunk::<4>().ok_or(ProxyHeaderError::Truncated)?;
        self.0 = rest;
        Ok(Ipv4Addr::from(*octets).into())
    }

    fn v6(&mut self) -> Result<IpAddr, ProxyHeaderError> {
        let (octets, rest) = self.0.split_first_chunk::<16>().ok_or(ProxyHeaderError::Truncated)?;
        self.0 = rest;
        Ok(Ipv6Addr::from(*octets).into())
    }

    /// Reads a kind, a length and as many octets.
    fn value(&mut self) -> Result<(u8, &'i [u8]), ProxyHeaderError> {
        let kind = self.octet().ok_or(ProxyHeaderError::Truncated)?;
        let length = self.number().ok_or(ProxyHeaderError::Truncated)?;
        Ok((kind, self.take(length.into())?))
    }
}

/// Reads a name; one with anything but printable ASCII in it says nothing.
fn name(value: &[u8]) -> Option<String> {
    let is_name = !value.is_empty() && value.len() <= MAX_NAME && value.iter().all(u8::is_ascii_graphic);
    is_name.then(|| value.iter().copied().map(char::from).collect())
}

/// Reads what is said of TLS; `None` if the client uses none.
fn tls(value: &[u8]) -> Result<Option<ProxyTls>, ProxyHeaderError> {
    let mut reader = Reader(value);
    let client = reader.octet().ok_or(ProxyHeaderError::Truncated)?;
    let verify = reader.take(4)?;
    let mut found = ProxyTls::default();
    while !reader.0.is_empty() {
        let (kind, value) = reader.value()?;
        match kind {
            0x21 => found.version = name(value),
            0x23 => found.cipher = name(value),
            // A certificate counts that was shown and that holds.
            0x22 if client & 0b110 != 0 && verify == [0; 4] => found.common_name = name(value),
            _ => {}
        }
    }
    Ok((client & 1 != 0).then_some(found))
}

/// Checks the CRC-32C of the whole header, in which the checksum itself, which stands at `at`, counts as zero.
fn check(header: &[u8], at: usize, checksum: &[u8]) -> Result<(), ProxyHeaderError> {
    let expected = <[u8; 4]>::try_from(checksum).map_err(|_| ProxyHeaderError::Truncated)?;
    let mut crc = u32::MAX;
    for (index, &octet) in header.iter().enumerate() {
        let octet = if (at..at + 4).contains(&index) { 0 } else { octet };
        crc ^= u32::from(octet);
        for _ in 0..8 {
            let carry = 0u32.wrapping_sub(crc & 1);
            crc = (crc >> 1) ^ (0x82f6_3b78 & carry);
        }
    }
    if !crc == u32::from_be_bytes(expected) {
        Ok(())
    } else {
        Err(ProxyHeaderError::Checksum)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Parses octet by octet: as many are asked for as belong to the header, and no more.
    fn parse(input: &[u8]) -> Result<(ProxyHeader, usize), ProxyHeaderError> {
        let mut length = 0;
        loop {
            match ProxyHeader::parse(&input[..length])? {
                ProxyParse::Complete(header, used) => {
                    assert_eq!(used, length, "asked for what is not its own");
                    assert_eq!(
                        ProxyHeader::parse(input),
                        Ok(ProxyParse::Complete(header.clone(), used))
                    );
                    return Ok((header, used));
                }
                ProxyParse::Needs(count) => {
                    assert!(count > 0 && length + count <= MAX_BLOCK);
                    length += count;
                    assert!(length <= input.len(), "the header is cut off");
                }
            }
        }
    }

    fn block(kind: u8, family: u8, values: &[u8]) -> Vec<u8> {
        let length = u16::try_from(values.len()).unwrap();
        [&SIGNATURE[..], &[kind, family], &length.to_be_bytes(), values].concat()
    }

    fn value(kind: u8, value: &[u8]) -> Vec<u8> {
        [&[kind], &u16::try_from(value.len()).unwrap().to_be_bytes()[..], value].concat()
    }

    const V4: [u8; 12] = [192, 0, 2, 7, 198, 51, 100, 1, 0x9c, 0x40, 0, 25];

    #[test]
    fn reads_lines() {
        for (line, source) in [
            (
                "PROXY TCP4 192.0.2.7 198.51.100.1 40000 25\r\n",
                Some("192.0.2.7:40000"),
            ),
            ("PROXY TCP6 2001:db8::7 ::1 40000 0\r\n", Some("[2001:db8::7]:40000")),
            ("PROXY UNKNOWN\r\n", None),
            ("PROXY UNKNOWN ffff::1 whatever it says\r\n", None),
        ] {
            let (header, used) = parse(format!("{line}EHLO client.example\r\n").as_bytes()).unwrap();
            assert_eq!(header.source(), source.map(|source| source.parse().unwrap()), "{line}");
            assert_eq!(used, line.len());
        }
    }

    #[test]
    fn refuses_lines() {
        for line in [
            "PROXY TCP4 192.0.2.7 198.51.100.1 40000\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 40000 25 1\r\n",
            "PROXY TCP4  192.0.2.7 198.51.100.1 40000 25\r\n",
            "PROXY TCP4 2001:db8::7 ::1 40000 25\r\n",
            "PROXY TCP6 192.0.2.7 198.51.100.1 40000 25\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 65536 25\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 040 25\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 +40 25\r\n",
            "PROXY UDP4 192.0.2.7 198.51.100.1 40000 25\r\n",
            "PROXY TCP4 192.0.2.7 198.51.100.1 40000 25\n",
            "PROXY UNKNOWNS and more\r\n",
        ] {
            assert_eq!(parse(line.as_bytes()), Err(ProxyHeaderError::Line), "{line:?}");
        }
        for start in ["E", "EHLO", "PROXX", "\r\n\r\n\0\r\nQUIX", "proxy TCP4 "] {
            assert_eq!(
                parse(start.as_bytes().repeat(20).as_slice()),
                Err(ProxyHeaderError::Missing),
                "{start:?}"
            );
        }
        let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(100));
        assert_eq!(parse(long.as_bytes()), Err(ProxyHeaderError::TooLong));
    }

    #[test]
    fn reads_blocks() {
        let (header, _) = parse(&block(0x21, 0x11, &V4)).unwrap();
        assert_eq!(header.source(), Some("192.0.2.7:40000".parse().unwrap()));
        assert_eq!(header.destination(), Some("198.51.100.1:25".parse().unwrap()));
        let (local, _) = parse(&block(0x20, 0x11, &V4)).unwrap();
        assert!(local.is_local() && local.source().is_none());
        assert_eq!(
            parse(&block(0x21, 0x00, b"whatever")).unwrap().0,
            ProxyHeader::default()
        );
        assert_eq!(parse(&block(0x21, 0x31, &[0; 216])).unwrap().0, ProxyHeader::default());
        let mut v6 = [0; 36];
        v6[0] = 0x20;
        v6[15] = 1;
        let (header, _) = parse(&block(0x21, 0x21, &v6)).unwrap();
        assert_eq!(header.source(), Some("[2000::1]:0".parse().unwrap()));
    }

    #[test]
    fn reads_what_is_known_of_tls() {
        let facts = [
            &[0b101, 0, 0, 0, 0][..],
            &value(0x21, b"TLSv1.3"),
            &value(0x22, b"ada"),
            &value(0x23, b"X"),
        ]
        .concat();
        let values = [
            &V4[..],
            &value(0x02, b"mx.example.org"),
            &value(0x20, &facts),
            &value(0xee, b"?"),
        ]
        .concat();
        let (header, _) = parse(&block(0x21, 0x11, &values)).unwrap();
        assert_eq!(header.server_name(), Some("mx.example.org"));
        let tls = header.tls().unwrap();
        assert_eq!(
            (tls.version(), tls.cipher(), tls.common_name()),
            (Some("TLSv1.3"), Some("X"), Some("ada"))
        );
        for (client, verify, name) in [(0b101, 1, None), (0b001, 0, None), (0b011, 0, Some("ada"))] {
            let facts = [&[client, 0, 0, 0, verify][..], &value(0x22, b"ada")].concat();
            let (header, _) = parse(&block(0x21, 0x11, &[&V4[..], &value(0x20, &facts)].concat())).unwrap();
            assert_eq!(header.tls().unwrap().common_name(), name);
        }
        let (header, _) = parse(&block(0x21, 0x11, &[&V4[..], &value(0x20, &[0; 5])].concat())).unwrap();
        assert_eq!(header.tls(), None);
        let (header, _) = parse(&block(0x21, 0x11, &[&V4[..], &value(0x02, b"a\r\nb")].concat())).unwrap();
        assert_eq!(header.server_name(), None);
    }

    #[test]
    fn checks_checksums() {
        // The published check value of CRC-32C.
        assert_eq!(check(b"123456789", 9, &0xe306_9283u32.to_be_bytes()), Ok(()));
        assert_eq!(check(b"123456789", 9, &[]), Err(ProxyHeaderError::Truncated));
        let mut header = block(0x21, 0x11, &[&V4[..], &value(0x03, &[0; 4])].concat());
        assert_eq!(parse(&header), Err(ProxyHeaderError::Checksum));
        let at = header.len() - 4;
        let mut crc = u32::MAX;
        for octet in &header {
            crc ^= u32::from(*octet);
            for _ in 0..8 {
                crc = if crc & 1 == 1 {
                    (crc >> 1) ^ 0x82f6_3b78
                } else {
                    crc >> 1
                };
            }
        }
        header[at..].copy_from_slice(&(!crc).to_be_bytes());
        assert!(parse(&header).is_ok());
        header[20] ^= 1;
        assert_eq!(parse(&header), Err(ProxyHeaderError::Checksum));
    }

    #[test]
    fn refuses_blocks() {
        for (kind, family, values, error) in [
            (0x11, 0x11, &V4[..], ProxyHeaderError::Unknown),
            (0x22, 0x11, &V4[..], ProxyHeaderError::Unknown),
            (0x21, 0x12, &V4[..], ProxyHeaderError::Unknown),
            (0x21, 0x11, &V4[..11], ProxyHeaderError::Truncated),
            (0x21, 0x31, &V4[..], ProxyHeaderError::Truncated),
            (0x21, 0x11, &[V4, V4].concat()[..14], ProxyHeaderError::Truncated),
            (0x21, 0x11, &[0; 4090], ProxyHeaderError::TooLong),
        ] {
            assert_eq!(parse(&block(kind, family, values)), Err(error), "{kind:x} {family:x}");
        }
        let cut = [&V4[..], &value(0x20, &[1, 0, 0])].concat();
        assert_eq!(parse(&block(0x21, 0x11, &cut)), Err(ProxyHeaderError::Truncated));
    }

    proptest! {
        #[test]
        fn never_panics(start in 0..4, bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let start: &[u8] = match start {
                0 => b"",
                1 => b"PROXY TCP4 ",
                2 => SIGNATURE,
                _ => b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x30",
            };
            let input = [start, &bytes].concat();
            for length in 0..=input.len() {
                let _ = ProxyHeader::parse(&input[..length]);
            }
        }

        #[test]
        fn lines_read_back(v4 in any::<[u8; 8]>(), ports in any::<(u16, u16)>()) {
            let [a, b, c, d, e, f, g, h] = v4;
            let (from, to) = (SocketAddr::from(([a, b, c, d], ports.0)), SocketAddr::from(([e, f, g, h], ports.1)));
            let line = format!("PROXY TCP4 {} {} {} {}\r\n", from.ip(), to.ip(), from.port(), to.port());
            let (header, _) = parse(line.as_bytes()).unwrap();
            prop_assert_eq!((header.source(), header.destination()), (Some(from), Some(to)));
        }
    }
}
