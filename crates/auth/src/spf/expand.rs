//! What macros stand for (RFC 7208 §7.2–7.3).

use std::{
    borrow::Cow,
    fmt::Write,
    net::IpAddr,
    time::{Duration, SystemTime},
};

use super::macros::{Letter, Macro, MacroString, Piece};

/// The longest name that can be asked for (§7.3).
const MAX_NAME: usize = 253;

/// What the macros of one check stand for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values<'a> {
    pub(super) ip: IpAddr,
    pub(super) local_part: &'a str,
    pub(super) sender_domain: &'a str,
    pub(super) domain: &'a str,
    pub(super) helo: &'a str,
    pub(super) receiver: &'a str,
    pub(super) time: SystemTime,
    /// `%{p}`: looked up before expansion when it is used.
    pub(super) validated: &'a str,
}

impl<'a> Values<'a> {
    fn value(&self, letter: Letter) -> Cow<'a, str> {
        match letter {
            Letter::Sender => format!("{}@{}", self.local_part, self.sender_domain).into(),
            Letter::LocalPart => self.local_part.into(),
            Letter::SenderDomain => self.sender_domain.into(),
            Letter::Domain => self.domain.into(),
            Letter::Ip => dotted(self.ip).into(),
            Letter::Validated => self.validated.into(),
            Letter::Version => if self.ip.is_ipv4() { "in-addr" } else { "ip6" }.into(),
            Letter::Helo => self.helo.into(),
            Letter::ReadableIp => self.ip.to_string().into(),
            Letter::Receiver => self.receiver.into(),
            Letter::Time => {
                let since = self
                    .time
                    .duration_since(SystemTime::UNIX_EPOCH)
                    .unwrap_or(Duration::ZERO);
                since.as_secs().to_string().into()
            }
        }
    }

    fn piece<'p>(&self, piece: &'p Piece) -> Cow<'p, str>
    where
        'a: 'p,
    {
        match piece {
            Piece::Literal(text) => text.into(),
            Piece::Escape(text) => (*text).into(),
            Piece::Macro(of) => transform(of, self.value(of.letter)),
        }
    }
}

/// §7.3: `%{i}` is the address as labels: the four numbers of IPv4, the 32 hexadecimal digits of IPv6.
fn dotted(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let digits: Vec<String> = address
                .octets()
                .iter()
                .flat_map(|octet| [octet >> 4, octet & 15])
                .map(|d| format!("{d:X}"))
                .collect();
            digits.join(".")
        }
    }
}

/// §7.3: cuts at the delimiters, reverses, keeps the rightmost parts, joins with dots, escapes.
fn transform<'v>(of: &Macro, value: Cow<'v, str>) -> Cow<'v, str> {
    let value = if of.keep.is_none() && !of.reversed && of.delimiters.is_empty() {
        value
    } else {
        let delimiters = if of.delimiters.is_empty() { "." } else { &of.delimiters };
        let mut parts: Vec<&str> = value.split(|c| delimiters.contains(c)).collect();
        if of.reversed {
            parts.reverse();
        }
        let dropped = of.keep.map_or(0, |keep| parts.len().saturating_sub(keep));
        parts.get(dropped..).unwrap_or_default().join(".").into()
    };
    if of.escaped { escape(&value).into() } else { value }
}

/// §7.3: everything but the unreserved characters of RFC 3986 §2.3 as `%XX`.
fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for octet in value.bytes() {
        if octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~') {
            escaped.push(char::from(octet));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(escaped, "%{octet:02X}");
        }
    }
    escaped
}

impl MacroString {
    /// Expands to a name to ask for. One that is too long loses labels on its left (§7.3); a final dot goes too.
    pub(super) fn expand_domain(&self, values: &Values<'_>) -> String {
        // From the right, so that a text of many long macros costs no more than the part of it that is kept.
        let mut pieces = Vec::new();
        let mut length = 0;
        for piece in self.pieces.iter().rev() {
            let text = values.piece(piece);
            length += text.len();
            pieces.push(text);
            if length > MAX_NAME + 1 {
                break;
            }
        }
        pieces.reverse();
        let whole = pieces.concat();
        truncate(whole.strip_suffix('.').unwrap_or(&whole)).to_owned()
    }

    /// Expands to a text of up to `most` octets; `None` when it is longer.
    pub(super) fn expand_text(&self, values: &Values<'_>, most: usize) -> Option<String> {
        let mut whole = String::new();
        for piece in &self.pieces {
            whole.push_str(&values.piece(piece));
            if whole.len() > most {
                return None;
            }
        }
        Some(whole)
    }
}

/// Takes labels off the left until a name fits.
fn truncate(mut name: &str) -> &str {
    while name.len() > MAX_NAME {
        match name.split_once('.') {
            Some((_, rest)) => name = rest,
            None => break,
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spf::macros::Letters;

    /// The examples of RFC 7208 §7.4.
    fn check(text: &str, expected: &str) {
        check_from("192.0.2.3", text, expected);
    }

    fn check_from(ip: &str, text: &str, expected: &str) {
        let values = Values {
            ip: ip.parse().unwrap(),
            local_part: "strong-bad",
            sender_domain: "email.example.com",
            domain: "email.example.com",
            helo: "mx.example.org",
            receiver: "mx.example.net",
            time: SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
            validated: "mx.example.org",
        };
        let text = MacroString::parse(text, Letters::Explanation).unwrap();
        assert_eq!(text.expand_text(&values, 1000).unwrap(), expected);
    }

    #[test]
    fn examples_of_the_rfc() {
        check("%{s}", "strong-bad@email.example.com");
        check("%{o}", "email.example.com");
        check("%{d}", "email.example.com");
        check("%{d4}", "email.example.com");
        check("%{d3}", "email.example.com");
        check("%{d2}", "example.com");
        check("%{d1}", "com");
        check("%{dr}", "com.example.email");
        check("%{d2r}", "example.email");
        check("%{l}", "strong-bad");
        check("%{l-}", "strong.bad");
        check("%{lr}", "strong-bad");
        check("%{lr-}", "bad.strong");
        check("%{l1r-}", "strong");
        check("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com");
        check("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com");
        check(
            "%{lr-}.lp.%{ir}.%{v}._spf.%{d2}",
            "bad.strong.lp.3.2.0.192.in-addr._spf.example.com",
        );
        check(
            "%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}",
            "3.2.0.192.in-addr.strong.lp._spf.example.com",
        );
        check(
            "%{d2}.trusted-domains.example.net",
            "example.com.trusted-domains.example.net",
        );
        check_from(
            "2001:db8::cb01",
            "%{ir}.%{v}._spf.%{d2}",
            "1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6._spf.example.com",
        );
    }

    #[test]
    fn escapes_and_explanation_letters() {
        check("100%%%_of%-it", "100% of%20it");
        check(
            "%{c} %{r} %{t} %{p} %{h}",
            "192.0.2.3 mx.example.net 1700000000 mx.example.org mx.example.org",
        );
        check("%{S}", "strong-bad%40email.example.com");
        check("%{D1R}", "email");
        check("%{d99999999999999999999999}", "email.example.com");
    }

    #[test]
    fn a_long_name_loses_labels_on_its_left() {
        assert_eq!(
            truncate(&format!("{}.{}", "a".repeat(60), "b.".repeat(126))),
            "b.".repeat(126)
        );
        assert_eq!(truncate("a.b"), "a.b");
        let unsplit = "a".repeat(300);
        assert_eq!(truncate(&unsplit), unsplit);
    }
}
