//! What DANE looks at in a certificate (RFC 5280 §4.1), without judging the rest of it.

use super::der::{BIT_STRING, BOOLEAN, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE, SET, Value};

const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const SUBJECT_ALTERNATIVE_NAME: &[u8] = &[0x55, 29, 17];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 29, 19];

/// The `[0]` around the version, the `[3]` around the extensions, and a dNSName among the alternative names.
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const DNS_NAME: u8 = 0x82;

/// A certificate, taken apart.
pub(super) struct Certificate<'a> {
    /// The names of who issued it and whom it is for, without the tag around.
    pub(super) issuer: &'a [u8],
    pub(super) subject: &'a [u8],
    /// The public key with its algorithm, the tag included: what a TLSA selector of 1 means.
    pub(super) public_key: &'a [u8],
    /// Seconds since 1970.
    not_before: i64,
    not_after: i64,
    version: u8,
    is_authority: bool,
    dns_names: Vec<&'a [u8]>,
}

impl<'a> Certificate<'a> {
    /// Takes apart a certificate in DER; `None` if it is none.
    pub(super) fn parse(der: &'a [u8]) -> Option<Self> {
        let mut outer = Reader::new(der);
        let mut certificate = outer.open(SEQUENCE)?;
        let mut body = certificate.open(SEQUENCE)?;
        let (_algorithm, _signature) = (certificate.expect(SEQUENCE)?, certificate.expect(BIT_STRING)?);
        let version = match body.open(VERSION) {
            Some(mut version) => *version.expect(INTEGER)?.content.first()?,
            None => 0,
        };
        let (_serial, _algorithm) = (body.expect(INTEGER)?, body.expect(SEQUENCE)?);
        let issuer = body.expect(SEQUENCE)?.content;
        let mut validity = body.open(SEQUENCE)?;
        let (not_before, not_after) = (seconds(validity.any()?)?, seconds(validity.any()?)?);
        let subject = body.expect(SEQUENCE)?.content;
        let public_key = body.expect(SEQUENCE)?.whole;
        let mut this = Self {
            issuer,
            subject,
            public_key: is_public_key(public_key).then_some(public_key)?,
            not_before,
            not_after,
            version,
            is_authority: false,
            dns_names: Vec::new(),
        };
        while !body.is_empty() {
            // Unique identifiers may stand before the extensions; nobody writes them.
            let value = body.any()?;
            if value.tag == EXTENSIONS {
                this.read_extensions(value)?;
            }
        }
        (outer.is_empty() && certificate.is_empty()).then_some(this)
    }

    fn read_extensions(&mut self, value: Value<'a>) -> Option<()> {
        let mut extensions = Reader::new(value.content).open(SEQUENCE)?;
        while !extensions.is_empty() {
            let mut extension = extensions.open(SEQUENCE)?;
            let id = extension.expect(OBJECT_IDENTIFIER)?.content;
            let _critical = extension.expect(BOOLEAN);
            let content = extension.expect(OCTET_STRING)?.content;
            if id == SUBJECT_ALTERNATIVE_NAME {
                let mut names = Reader::new(content).open(SEQUENCE)?;
                while !names.is_empty() {
                    let name = names.any()?;
                    if name.tag == DNS_NAME {
                        self.dns_names.push(name.content);
                    }
                }
            } else if id == BASIC_CONSTRAINTS {
                let mut constraints = Reader::new(content).open(SEQUENCE)?;
                self.is_authority = constraints.expect(BOOLEAN).is_some_and(|value| value.content == [0xff]);
            }
        }
        Some(())
    }

    /// Whether it may issue others. What is older than version 3 cannot say so.
    pub(super) fn may_issue(&self) -> bool {
        self.is_authority || self.version < 2
    }

    /// Whether it names itself as who issued it.
    pub(super) fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }

    /// Whether it is valid at a time, in seconds since 1970.
    pub(super) fn is_valid_at(&self, now: i64) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }

    /// Whether it is for `name`, as RFC 7672 §3.2.3 reads certificates: by its DNS names, or its common name if there are none;
    /// a wildcard is the whole of the first label and stands for one.
    pub(super) fn is_for(&self, name: &str) -> bool {
        if self.dns_names.is_empty() {
            return self.common_name().is_some_and(|presented| matches(presented, name));
        }
        self.dns_names.iter().any(|presented| matches(presented, name))
    }

    /// The most specific common name of the subject, if it can be a host name.
    pub(super) fn common_name(&self) -> Option<&'a [u8]> {
        let mut found = None;
        let mut names = Reader::new(self.subject);
        while let Some(mut set) = names.open(SET) {
            while let Some(mut attribute) = set.open(SEQUENCE) {
                let id = attribute.expect(OBJECT_IDENTIFIER)?.content;
                // UTF8String, PrintableString, IA5String
                let value = attribute.any().filter(|value| matches!(value.tag, 0x0c | 0x13 | 0x16));
                if let Some(value) = value.filter(|_| id == COMMON_NAME) {
                    found = Some(value.content);
                }
            }
        }
        found
    }
}

/// Whether these octets are a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).
pub(super) fn is_public_key(der: &[u8]) -> bool {
    let mut outer = Reader::new(der);
    let Some(mut inner) = outer.open(SEQUENCE) else {
        return false;
    };
    let algorithm = inner
        .open(SEQUENCE)
        .and_then(|mut inner| inner.expect(OBJECT_IDENTIFIER));
    algorithm.is_some() && inner.expect(BIT_STRING).is_some() && inner.is_empty() && outer.is_empty()
}

/// Whether a name in a certificate means the host `name`.
fn matches(presented: &[u8], name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    match presented.strip_prefix(b"*.") {
        // A whole top-level domain has no common owner.
        Some(parent) => name.split_once('.').is_some_and(|(label, rest)| {
            !label.is_empty() && rest.contains('.') && parent.eq_ignore_ascii_case(rest.as_bytes())
        }),
        None => !name.is_empty() && presented.eq_ignore_ascii_case(name.as_bytes()),
    }
}

/// Reads a UTCTime or GeneralizedTime (RFC 5280 §4.1.2.5).
fn seconds(time: Value<'_>) -> Option<i64> {
    let digits = time.content.strip_suffix(b"Z")?;
    let number = |from: usize, count: usize| {
        let digits = digits.get(from..from + count)?;
        digits.iter().try_fold(0_i64, |number, digit| {
            let digit = char::from(*digit).to_digit(10)?;
            Some(number * 10 + i64::from(digit))
        })
    };
    let (year, at) = match (time.tag, digits.len()) {
        (0x17, 12) => match number(0, 2)? {
            year @ 50.. => (1900 + year, 2),
            year => (2000 + year, 2),
        },
        (0x18, 14) => (number(0, 4)?, 4),
        _ => return None,
    };
    let part = |index: usize| number(at + 2 * index, 2);
    let (month, day) = (part(0)?, part(1)?);
    let (hour, minute, second) = (part(2)?, part(3)?, part(4)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Years that begin in March have their odd day at the end.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair};

    use super::*;

    fn check(presented: &str, name: &str, expected: bool) {
        assert_eq!(matches(presented.as_bytes(), name), expected, "{presented} {name}");
    }

    #[test]
    fn names_match_by_labels() {
        check("mx.example.com", "MX.Example.com.", true);
        check("mx.example.com", "x.mx.example.com", false);
        check("*.example.com", "mx.example.com", true);
        check("*.example.com", "a.mx.example.com", false);
        check("*.example.com", "example.com", false);
        check("*.example.com", ".example.com", false);
        check("*.com", "example.com", false);
        check("mx*.example.com", "mx1.example.com", false);
        check("*", "mx", false);
        check("", "", false);
    }

    #[test]
    fn times_are_read() {
        let read = |tag, text: &str| {
            seconds(Value {
                tag,
                content: text.as_bytes(),
                whole: &[],
            })
        };
        assert_eq!(read(0x17, "700101000000Z"), Some(0));
        assert_eq!(read(0x17, "260601000000Z"), Some(1_780_272_000));
        assert_eq!(read(0x17, "491231235959Z"), Some(2_524_607_999));
        assert_eq!(read(0x18, "20000229120000Z"), Some(951_825_600));
        assert_eq!(read(0x18, "99991231235959Z"), Some(253_402_300_799));
        for wrong in [
            "",
            "Z",
            "2606010000Z",
            "261301000000Z",
            "260600000000Z",
            "26060100000Z0",
            "2606010x0000Z",
        ] {
            assert_eq!(read(0x17, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_certificate_is_taken_apart() {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["mx.example.com".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "cn.example.com");
        let issued = params.self_signed(&key).unwrap();
        let certificate = Certificate::parse(issued.der()).unwrap();
        assert!(certificate.may_issue() && certificate.is_self_issued());
        assert!(certificate.is_for("mx.example.com"));
        assert!(
            !certificate.is_for("cn.example.com"),
            "with a DNS name, the common name means nothing"
        );
        assert!(certificate.is_valid_at(1_780_272_000) && !certificate.is_valid_at(-10_000_000_000));

        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "cn.example.com");
        let issued = params.self_signed(&key).unwrap();
        let certificate = Certificate::parse(issued.der()).unwrap();
        assert!(certificate.is_for("cn.example.com") && !certificate.may_issue());
        assert!(is_public_key(certificate.public_key) && !is_public_key(issued.der()));
    }

    proptest! {
        #[test]
        fn damaged_certificates_are_no_danger(at in 0_usize..400, octet in any::<u8>(), cut in 0_usize..400) {
            let key = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
            let params = CertificateParams::new(vec!["mx.example.com".to_owned()]).unwrap();
            let mut der = params.self_signed(&key).unwrap().der().to_vec();
            let short = der.get(..cut).filter(|short| short.len() < der.len());
            prop_assert!(short.is_none_or(|short| Certificate::parse(short).is_none()));
            if let Some(place) = der.get_mut(at) {
                *place = octet;
            }
            if let Some(certificate) = Certificate::parse(&der) {
                let _ = (certificate.is_for("mx.example.com"), certificate.common_name());
            }
        }
    }
}
