//! JSON (RFC 8259), written.

use std::fmt::Write as _;

use posthaste_dns::Record;

use crate::{Publication, ZoneRecord, mta_sts::policy_url};

pub(crate) fn publication(publication: &Publication) -> String {
    let domain = publication.domain().as_str();
    let mut out = String::from("{\n  \"domain\": ");
    string(&mut out, domain);
    for (key, records) in [
        ("records", publication.records()),
        ("elsewhere", publication.elsewhere()),
    ] {
        _ = write!(out, ",\n  \"{key}\": ");
        list(&mut out, records, |out, one| record(out, one, domain));
    }
    out.push_str(",\n  \"mta_sts_policy\": ");
    match publication.mta_sts_policy() {
        Some(policy) => {
            out.push_str("{\"url\": ");
            string(&mut out, &policy_url(domain));
            out.push_str(", \"body\": ");
            string(&mut out, &policy.to_string());
            out.push('}');
        }
        None => out.push_str("null"),
    }
    out.push_str(",\n  \"warnings\": ");
    list(&mut out, publication.warnings(), |out, warning| {
        out.push_str("{\"code\": ");
        string(out, warning.code());
        out.push_str(", \"message\": ");
        string(out, &warning.to_string());
        out.push('}');
    });
    out.push_str("\n}\n");
    out
}

fn record(out: &mut String, record: &ZoneRecord, domain: &str) {
    out.push_str("{\"name\": ");
    string(out, record.name());
    out.push_str(", \"host\": ");
    string(out, record.host(domain));
    _ = write!(
        out,
        ", \"type\": \"{}\", \"ttl\": {}",
        record.kind(),
        record.ttl().as_secs()
    );
    if let Some(priority) = record.priority() {
        _ = write!(out, ", \"priority\": {priority}");
    }
    out.push_str(", \"value\": ");
    string(out, &record.value());
    if let Record::Txt(text) = record.data() {
        out.push_str(", \"strings\": [");
        for (index, segment) in text.segments().enumerate() {
            out.push_str(if index > 0 { ", " } else { "" });
            string(out, &String::from_utf8_lossy(segment));
        }
        out.push(']');
    }
    out.push('}');
}

/// One item a line.
fn list<T>(out: &mut String, items: &[T], write: impl Fn(&mut String, &T)) {
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        out.push_str(if index > 0 { ",\n    " } else { "\n    " });
        write(out, item);
    }
    out.push_str(if items.is_empty() { "]" } else { "\n  ]" });
}

/// RFC 8259 §7.
fn string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if u32::from(c) < 0x20 => _ = write!(out, "\\u{:04x}", u32::from(c)),
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped() {
        let mut out = String::new();
        string(&mut out, "a\"b\\c\r\n\t\u{1}ü");
        assert_eq!(out, r#""a\"b\\c\r\n\t\u0001ü""#);
    }
}
