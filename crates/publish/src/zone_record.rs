//! A record with its name.

use std::{fmt, time::Duration};

use posthaste_dns::{Record, RecordType, Zone};

/// Holds one record to publish: where, what, and for how long it may be cached.
///
/// Names are absolute, in lower case and without a final dot. Its `Display` is a line of a zone file.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use posthaste_dns::Record;
/// use posthaste_publish::ZoneRecord;
///
/// let record = ZoneRecord::new("example.org", Duration::from_secs(3600), Record::mx(10, "mx1.example.org"))?;
/// assert_eq!(record.to_string(), "example.org. 3600 IN MX 10 mx1.example.org.");
/// assert_eq!(record.host("example.org"), "@");
/// # Ok::<(), posthaste_publish::ZoneRecordError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ZoneRecord {
    name: String,
    ttl: Duration,
    data: Record,
}

/// A name is no domain name: it has an empty label, one over 63 octets, or more than 253 octets (RFC 1035 §2.3.4).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}`, or a name in its record, is not a domain name")]
#[non_exhaustive]
pub struct ZoneRecordError {
    /// The name.
    pub name: String,
}

impl ZoneRecord {
    /// The longest time to live (RFC 2181 §8).
    pub const LONGEST_TTL: Duration = Duration::from_secs(0x7fff_ffff);

    /// Makes a record. The time to live is cut to whole seconds and to [`LONGEST_TTL`](Self::LONGEST_TTL).
    ///
    /// # Errors
    ///
    /// [`ZoneRecordError`].
    pub fn new(name: &str, ttl: Duration, data: Record) -> Result<Self, ZoneRecordError> {
        let wrong = || ZoneRecordError {
            name: name.escape_debug().to_string(),
        };
        let mut zone = Zone::new();
        zone.insert(name, data).map_err(|_| wrong())?;
        let (name, data) = zone.records().next().ok_or_else(wrong)?;
        Ok(Self {
            name: name.to_owned(),
            ttl: Duration::from_secs(ttl.min(Self::LONGEST_TTL).as_secs()),
            data: data.clone(),
        })
    }

    /// Gives the name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tells for how long it may be cached.
    pub fn ttl(&self) -> Duration {
        self.ttl
    }

    /// Gives the record itself.
    pub fn data(&self) -> &Record {
        &self.data
    }

    /// Tells its type.
    pub fn kind(&self) -> RecordType {
        self.data.kind()
    }

    /// Gives the name as DNS consoles take it: without the domain, `@` for the domain itself. A name that is not the
    /// domain's stays whole.
    pub fn host(&self, domain: &str) -> &str {
        if self.name == domain {
            return "@";
        }
        self.name
            .strip_suffix(domain)
            .and_then(|host| host.strip_suffix('.'))
            .unwrap_or(&self.name)
    }

    /// Gives the preference of a mail exchanger.
    pub fn priority(&self) -> Option<u16> {
        match &self.data {
            Record::Mx { preference, .. } => Some(*preference),
            _ => None,
        }
    }

    /// Gives the value as DNS consoles take it: a text in one piece without quotes, names without a final dot, and a mail
    /// exchanger without its preference, which is the [`priority`](Self::priority).
    pub fn value(&self) -> String {
        match &self.data {
            Record::Mx { exchange, .. } => exchange.clone(),
            Record::Txt(text) => text.to_text().into_owned(),
            Record::A(address) => address.to_string(),
            Record::Aaaa(address) => address.to_string(),
            Record::Cname(name) | Record::Ptr(name) | Record::Ns(name) => name.clone(),
            _ => self.data_text(),
        }
    }

    /// What stands behind the type in a zone file.
    fn data_text(&self) -> String {
        let line = self.to_string();
        let words = line.splitn(5, ' ');
        words.last().unwrap_or_default().to_owned()
    }
}

impl fmt::Display for ZoneRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut zone = Zone::new();
        match zone.insert_with_ttl(&self.name, self.data.clone(), self.ttl) {
            Ok(()) => f.write_str(zone.to_string().trim_end_matches('\n')),
            // The names were looked at when the record was made.
            Err(_) => f.write_str(";"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn names_are_normal() {
        let record = ZoneRecord::new(
            "S1._DomainKey.Example.org.",
            HOUR,
            Record::Cname("X.example.".to_owned()),
        )
        .unwrap();
        assert_eq!(
            record.to_string(),
            "s1._domainkey.example.org. 3600 IN CNAME x.example."
        );
        assert_eq!(
            (record.host("example.org"), record.value().as_str()),
            ("s1._domainkey", "x.example")
        );
        assert_eq!(record.host("ample.org"), "s1._domainkey.example.org");
        for wrong in ["", "a..b", &"a.".repeat(130)] {
            assert!(ZoneRecord::new(wrong, HOUR, Record::txt("x")).is_err(), "{wrong}");
        }
        assert!(ZoneRecord::new("example.org", HOUR, Record::mx(1, "a..b")).is_err());
    }

    #[test]
    fn values_are_for_consoles() {
        let value = |record: Record| ZoneRecord::new("example.org", Duration::MAX, record).unwrap().value();
        assert_eq!(value(Record::txt("a \"b\"".repeat(80))), "a \"b\"".repeat(80));
        assert_eq!(value(Record::mx(0, ".")), ".");
        assert_eq!(value(Record::A([192, 0, 2, 1].into())), "192.0.2.1");
        assert_eq!(value(Record::Aaaa("2001:db8::1".parse().unwrap())), "2001:db8::1");
        assert_eq!(
            value(Record::Tlsa(posthaste_dns::Tlsa::new(3, 1, 1, [171, 205]))),
            "3 1 1 abcd"
        );
    }
}
