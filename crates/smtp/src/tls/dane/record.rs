//! TLSA records, and which of them can be used (RFC 6698 §2, RFC 7671 §4, §9).

use std::fmt;

use aws_lc_rs::digest::{SHA256, SHA512, digest};

use crate::tls::certificate::{Certificate, is_public_key};

/// A TLSA record as it stands in DNS (RFC 6698 §2.1).
///
/// # Examples
///
/// ```
/// use posthaste_smtp::TlsaRecord;
///
/// let record = TlsaRecord::new(3, 1, 1, [0xab; 32]);
/// assert!(record.is_usable());
/// assert!(!TlsaRecord::new(1, 1, 1, [0xab; 32]).is_usable(), "PKIX-EE means nothing for SMTP between servers");
/// assert!(!TlsaRecord::new(3, 1, 1, [0xab; 31]).is_usable(), "a digest is whole");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TlsaRecord {
    usage: u8,
    selector: u8,
    matching_type: u8,
    data: Vec<u8>,
}

/// The usages that mean something for SMTP (RFC 7672 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Usage {
    TrustAnchor,
    EndEntity,
}

impl TlsaRecord {
    /// Takes the certificate usage, selector, matching type and association data.
    pub fn new(usage: u8, selector: u8, matching_type: u8, data: impl Into<Vec<u8>>) -> Self {
        Self {
            usage,
            selector,
            matching_type,
            data: data.into(),
        }
    }

    /// Returns the certificate usage: 2 for an authority, 3 for the server itself.
    pub fn usage(&self) -> u8 {
        self.usage
    }

    /// Returns the selector: 0 for the whole certificate, 1 for its public key.
    pub fn selector(&self) -> u8 {
        self.selector
    }

    /// Returns the matching type: 0 for the thing itself, 1 for its SHA-256, 2 for its SHA-512.
    pub fn matching_type(&self) -> u8 {
        self.matching_type
    }

    /// Returns the association data.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// Says whether SMTP between servers can use it (RFC 7672 §3.1): usage 2 or 3, a selector and matching type that are
    /// known, and data that can match something at all.
    pub fn is_usable(&self) -> bool {
        let fits = match (self.matching_type, self.selector) {
            (0, 0) => Certificate::parse(&self.data).is_some(),
            (0, _) => is_public_key(&self.data),
            (1, _) => self.data.len() == 32,
            (2, _) => self.data.len() == 64,
            _ => false,
        };
        fits && self.selector <= 1 && self.meaning().is_some()
    }

    pub(super) fn meaning(&self) -> Option<Usage> {
        match self.usage {
            2 => Some(Usage::TrustAnchor),
            3 => Some(Usage::EndEntity),
            _ => None,
        }
    }

    /// Whether `der` is the certificate that it means, or has the key.
    pub(super) fn matches(&self, der: &[u8], certificate: &Certificate<'_>) -> bool {
        let selected = match self.selector {
            0 => der,
            _ => certificate.public_key,
        };
        match self.matching_type {
            0 => self.data == selected,
            1 => self.data == digest(&SHA256, selected).as_ref(),
            2 => self.data == digest(&SHA512, selected).as_ref(),
            _ => false,
        }
    }
}

impl fmt::Debug for TlsaRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TlsaRecord({self})")
    }
}

impl fmt::Display for TlsaRecord {
    /// Writes it as a zone file has it, the data shortened after 64 octets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} ", self.usage, self.selector, self.matching_type)?;
        for octet in self.data.iter().take(64) {
            write!(f, "{octet:02x}")?;
        }
        f.write_str(if self.data.len() > 64 { "..." } else { "" })
    }
}

/// Returns the records that count: those that can be used, and of digests of the same thing the strongest only, so that who
/// breaks a weak one has won nothing (RFC 7671 §9).
pub(super) fn that_count(records: Vec<TlsaRecord>) -> Vec<TlsaRecord> {
    let usable: Vec<TlsaRecord> = records.into_iter().filter(TlsaRecord::is_usable).collect();
    let strongest = |record: &TlsaRecord| {
        let alike = usable
            .iter()
            .filter(|other| (other.usage, other.selector) == (record.usage, record.selector));
        alike.map(|other| other.matching_type).max()
    };
    let counts = |record: &&TlsaRecord| record.matching_type == 0 || strongest(record) == Some(record.matching_type);
    usable.iter().filter(counts).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(record: &TlsaRecord, usable: bool) {
        assert_eq!(record.is_usable(), usable, "{record}");
    }

    #[test]
    fn only_some_records_can_be_used() {
        for usage in 0..=255 {
            check(&TlsaRecord::new(usage, 1, 1, [7; 32]), matches!(usage, 2 | 3));
            check(&TlsaRecord::new(3, usage, 1, [7; 32]), usage <= 1);
            check(&TlsaRecord::new(3, 1, usage, [7; 32]), usage == 1);
        }
        check(&TlsaRecord::new(3, 0, 2, [7; 64]), true);
        for length in [0, 1, 31, 33, 64] {
            check(&TlsaRecord::new(3, 0, 1, vec![7; length]), false);
        }
        check(&TlsaRecord::new(2, 0, 0, [7; 32]), false);
        check(&TlsaRecord::new(2, 1, 0, [7; 32]), false);
    }

    #[test]
    fn of_digests_the_strongest_counts() {
        let weak = TlsaRecord::new(3, 1, 1, [7; 32]);
        let strong = TlsaRecord::new(3, 1, 2, [7; 64]);
        let other = TlsaRecord::new(2, 1, 1, [7; 32]);
        let broken = TlsaRecord::new(2, 1, 2, [7; 63]);
        let counting = that_count(vec![weak.clone(), other.clone(), broken, strong.clone()]);
        assert_eq!(counting, [other, strong]);
        assert_eq!(that_count(vec![weak.clone()]), [weak]);
    }

    #[test]
    fn is_written_as_in_a_zone() {
        assert_eq!(TlsaRecord::new(3, 1, 1, [0xab, 1]).to_string(), "3 1 1 ab01");
        assert!(TlsaRecord::new(3, 1, 0, vec![0; 65]).to_string().ends_with("00..."));
    }
}
