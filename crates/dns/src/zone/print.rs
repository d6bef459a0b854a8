//! A zone, written as a master file.

use std::fmt;

use super::{
    Zone,
    faults::{failure_word, status_word},
};
use crate::{Record, RecordType};

/// Writes a master file that [`Zone::parse`] reads back: first the records, then what was injected, save for
/// [`LookupError::Network`](crate::LookupError::Network) and [`LookupError::InvalidName`](crate::LookupError::InvalidName),
/// which have no word.
impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, node) in &self.nodes {
            for (record, ttl) in &node.records {
                write!(f, "{} {} IN {} ", Owner(name), ttl.as_secs(), record.kind())?;
                write_data(f, record)?;
                f.write_str("\n")?;
            }
        }
        for (name, node) in &self.nodes {
            for (kind, error) in &node.failures {
                if let Some(word) = failure_word(error) {
                    write_directive(f, "$FAIL", name, *kind, word)?;
                }
            }
        }
        for (name, statuses) in &self.statuses {
            for (kind, status) in statuses {
                write_directive(f, "$DNSSEC", name, *kind, status_word(*status))?;
            }
        }
        Ok(())
    }
}

fn write_directive(
    f: &mut fmt::Formatter<'_>,
    directive: &str,
    name: &str,
    kind: Option<RecordType>,
    word: &str,
) -> fmt::Result {
    write!(f, "{directive} {} ", Owner(name))?;
    if let Some(kind) = kind {
        write!(f, "{kind} ")?;
    }
    writeln!(f, "{word}")
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
        Record::Srv(place) => {
            let (priority, weight, port) = (place.priority, place.weight, place.port);
            write!(f, "{priority} {weight} {port} {}", Name(&place.target))
        }
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

/// A name that can be asked for, absolute, with everything escaped that means something in a master file.
struct Owner<'a>(&'a str);

impl fmt::Display for Owner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_name(f, self.0)?;
        f.write_str(".")
    }
}

/// A name in a record's data, as [`Owner`], save that an escaped dot is in it as one already.
struct Name<'a>(&'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == "." {
            return f.write_str(".");
        }
        for (index, part) in self.0.split("\\046").enumerate() {
            if index > 0 {
                f.write_str("\\046")?;
            }
            write_name(f, part)?;
        }
        f.write_str(".")
    }
}

fn write_name(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    name.bytes().try_for_each(|octet| write_octet(f, octet, b" \"\\;()@$"))
}

fn write_octet(f: &mut fmt::Formatter<'_>, octet: u8, special: &[u8]) -> fmt::Result {
    match octet {
        b' '..=b'~' if !special.contains(&octet) => write!(f, "{}", char::from(octet)),
        _ => write!(f, "\\{octet:03}"),
    }
}
