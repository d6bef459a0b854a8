//! Records and their types.

use std::{
    borrow::Cow,
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
};

use crate::Srv;

/// Names a type of record that mail asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RecordType {
    /// An IPv4 address.
    A,
    /// An IPv6 address.
    Aaaa,
    /// A mail exchanger.
    Mx,
    /// Text: SPF, DKIM keys, DMARC, MTA-STS.
    Txt,
    /// A pointer, in practice from an address to a name.
    Ptr,
    /// An alias.
    Cname,
    /// A TLS certificate association (RFC 6698).
    Tlsa,
    /// A name server.
    Ns,
    /// The start of a zone of authority.
    Soa,
    /// The place of a service (RFC 2782).
    Srv,
}

impl RecordType {
    /// Every type there is.
    pub const ALL: &'static [Self] = &[
        Self::A,
        Self::Aaaa,
        Self::Mx,
        Self::Txt,
        Self::Ptr,
        Self::Cname,
        Self::Tlsa,
        Self::Ns,
        Self::Soa,
        Self::Srv,
    ];

    /// Gives the type's name as master files write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Mx => "MX",
            Self::Txt => "TXT",
            Self::Ptr => "PTR",
            Self::Cname => "CNAME",
            Self::Tlsa => "TLSA",
            Self::Ns => "NS",
            Self::Soa => "SOA",
            Self::Srv => "SRV",
        }
    }

    /// Finds the type with this name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Holds the data of one record. Names in it have no final dot; the root is `.`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Record {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// A mail exchanger.
    Mx {
        /// Lower is tried first.
        preference: u16,
        /// The host's name; `.` says that the domain takes no mail (RFC 7505).
        exchange: String,
    },
    /// Text.
    Txt(Txt),
    /// A pointer to a name.
    Ptr(String),
    /// An alias for a name.
    Cname(String),
    /// A TLS certificate association.
    Tlsa(Tlsa),
    /// A name server's name.
    Ns(String),
    /// The place of a service.
    Srv(Srv),
    /// The start of a zone of authority.
    #[non_exhaustive]
    Soa {
        /// The primary server's name.
        primary: String,
        /// The mailbox of whoever runs the zone, as a name.
        mailbox: String,
        /// The zone's version.
        serial: u32,
        /// Seconds between a secondary server's checks.
        refresh: u32,
        /// Seconds between its retries.
        retry: u32,
        /// Seconds after which it gives up.
        expire: u32,
        /// Seconds for which "there is none" may be cached (RFC 2308 §4).
        minimum: u32,
    },
}

impl Record {
    /// Makes a mail exchanger.
    pub fn mx(preference: u16, exchange: impl Into<String>) -> Self {
        Self::Mx {
            preference,
            exchange: exchange.into(),
        }
    }

    /// Makes a text record of as many strings of up to 255 octets as it takes.
    pub fn txt(text: impl AsRef<[u8]>) -> Self {
        Self::Txt(Txt::new(text))
    }

    /// Tells the record's type.
    pub fn kind(&self) -> RecordType {
        match self {
            Self::A(_) => RecordType::A,
            Self::Aaaa(_) => RecordType::Aaaa,
            Self::Mx { .. } => RecordType::Mx,
            Self::Txt(_) => RecordType::Txt,
            Self::Ptr(_) => RecordType::Ptr,
            Self::Cname(_) => RecordType::Cname,
            Self::Tlsa(_) => RecordType::Tlsa,
            Self::Ns(_) => RecordType::Ns,
            Self::Soa { .. } => RecordType::Soa,
            Self::Srv(_) => RecordType::Srv,
        }
    }
}

/// Holds the text of a TXT record: the strings it is stored as, and what they say when joined.
///
/// SPF (RFC 7208 §3.3), DKIM (RFC 6376 §3.6.2.2) and DMARC all read the strings joined, without a space between them.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Txt {
    joined: Vec<u8>,
    /// Where each string ends in `joined`.
    ends: Vec<usize>,
}

impl Txt {
    /// The longest single string in a TXT record (RFC 1035 §3.3).
    pub const MAX_SEGMENT: usize = 255;

    /// Stores `text`, split into strings of up to 255 octets.
    pub fn new(text: impl AsRef<[u8]>) -> Self {
        Self::from_segments([text])
    }

    /// Stores these strings; one over 255 octets becomes several, and none become an empty one, for a record has at
    /// least one.
    pub fn from_segments(segments: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Self {
        let mut text = Self {
            joined: Vec::new(),
            ends: Vec::new(),
        };
        for segment in segments {
            let segment = segment.as_ref();
            if segment.is_empty() {
                text.ends.push(text.joined.len());
            }
            for chunk in segment.chunks(Self::MAX_SEGMENT) {
                text.joined.extend_from_slice(chunk);
                text.ends.push(text.joined.len());
            }
        }
        if text.ends.is_empty() {
            text.ends.push(0);
        }
        text
    }

    /// Gives the strings joined.
    pub fn as_bytes(&self) -> &[u8] {
        &self.joined
    }

    /// Gives the strings joined, as text; octets that are not UTF-8 become U+FFFD.
    pub fn to_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.joined)
    }

    /// Visits the strings one by one.
    pub fn segments(&self) -> impl Iterator<Item = &[u8]> + '_ {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .map(|(start, &end)| self.joined.get(start..end).unwrap_or_default())
    }
}

impl AsRef<[u8]> for Txt {
    fn as_ref(&self) -> &[u8] {
        &self.joined
    }
}

impl From<&str> for Txt {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Txt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.segments().map(String::from_utf8_lossy))
            .finish()
    }
}

/// Holds a TLS certificate association (RFC 6698 §2.1). Which values are usable is for the reader to decide.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Tlsa {
    /// How the association is to be used: 2 names a trust anchor, 3 the server's own certificate.
    pub usage: u8,
    /// What is matched: 0 the certificate, 1 its public key.
    pub selector: u8,
    /// How: 0 exactly, 1 by SHA-256, 2 by SHA-512.
    pub matching: u8,
    /// The certificate, key or hash.
    pub data: Vec<u8>,
}

impl Tlsa {
    /// Makes an association.
    pub fn new(usage: u8, selector: u8, matching: u8, data: impl Into<Vec<u8>>) -> Self {
        Self {
            usage,
            selector,
            matching,
            data: data.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_split_and_reads_joined() {
        let text = Txt::new("x".repeat(600));
        assert_eq!(text.segments().map(<[u8]>::len).collect::<Vec<_>>(), [255, 255, 90]);
        assert_eq!(text.as_bytes().len(), 600);
        assert_eq!(Txt::from_segments([""; 0]), Txt::new(""));
    }

    #[test]
    fn strings_are_joined_without_a_space() {
        let text = Txt::from_segments(["v=spf1 ", "", "-all"]);
        assert_eq!(text.to_text(), "v=spf1 -all");
        assert_eq!(text.segments().collect::<Vec<_>>(), [&b"v=spf1 "[..], b"", b"-all"]);
        assert_eq!(format!("{text:?}"), r#"["v=spf1 ", "", "-all"]"#);
    }

    #[test]
    fn types_read_back() {
        for &kind in RecordType::ALL {
            assert_eq!(RecordType::from_name(&kind.to_string().to_lowercase()), Some(kind));
        }
        assert_eq!(RecordType::from_name("SPF"), None);
    }
}
