//! A zone, written as a master file.

use std::fmt;

use super::Zone;
use crate::Record;

/// Writes the records as a master file that [`Zone::parse`] reads back. Injected failures are not part of it.
impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, node) in &self.nodes {
            for (record, ttl) in &node.records {
                write!(f, "{} {} IN {} ", Name(name), ttl.as_secs(), record.kind())?;
                write_data(f, record)?;
                f.write_str("\n")?;
            }
        }
        Ok(())
    }
}

fn write_data(f: &mut fmt::Formatter<'_>, record: &Record) -> fmt::Result {
    match record {
        Record::A(address) => write!(f, "{address}"),
        Record::Aaaa(address) => write!(f, "{address}"),
        Record::Mx { preference, exchange } => write!(f, "{preference} {}", Name(exchange)),
        Record::Txt(text) => {
            for (index, segment) in text.segments().enumerate() {
                if index > 0 {
                    f.write_str(" ")?;
                }
                f.write_str("\"")?;
                segment.iter().try_for_each(|octet| write_octet(f, *octet, b"\"\\"))?;
                f.write_str("\"")?;
            }
            Ok(())
        }
        Record::Ptr(name) | Record::Cname(name) | Record::Ns(name) => write!(f, "{}", Name(name)),
        Record::Tlsa(tlsa) => {
            write!(f, "{} {} {} ", tlsa.usage, tlsa.selector, tlsa.matching)?;
            if tlsa.data.is_empty() {
                f.write_str("\"\"")?;
            }
            tlsa.data.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
        }
        Record::Soa {
            primary,
            mailbox,
            serial,
            refresh,
            retry,
            expire,
            minimum,
        } => {
            write!(
                f,
                "{} {} {serial} {refresh} {retry} {expire} {minimum}",
                Name(primary),
                Name(mailbox)
            )
        }
    }
}

/// A name, absolute, with everything escaped that means something in a master file.
struct Name<'a>(&'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == "." {
            return f.write_str(".");
        }
        self.0
            .bytes()
            .try_for_each(|octet| write_octet(f, octet, b" \"\\;()@$"))?;
        f.write_str(".")
    }
}

fn write_octet(f: &mut fmt::Formatter<'_>, octet: u8, special: &[u8]) -> fmt::Result {
    match octet {
        b' '..=b'~' if !special.contains(&octet) => write!(f, "{}", char::from(octet)),
        _ => write!(f, "\\{octet:03}"),
    }
}
