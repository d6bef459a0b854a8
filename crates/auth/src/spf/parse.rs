//! The grammar of a record (RFC 7208 §12).

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{
    Qualifier, Record, RecordError, RecordErrorKind,
    macros::{Letters, MacroString},
    record::{Directive, DualPrefix, Mechanism},
};

type Parsed<T> = Result<T, RecordError>;

const VERSION: &[u8] = b"v=spf1";
const MAX_V4: u8 = DualPrefix::WHOLE.v4;
const MAX_V6: u8 = DualPrefix::WHOLE.v6;

/// §4.5: gives what follows `v=spf1`, when a text starts with it as a whole word.
pub(super) fn version(text: &[u8]) -> Option<&[u8]> {
    let (version, rest) = text.split_at_checked(VERSION.len())?;
    let whole = rest.first().is_none_or(|next| *next == b' ');
    (version.eq_ignore_ascii_case(VERSION) && whole).then_some(rest)
}

/// §4.6: reads the whole record, so that a mistake anywhere spoils all of it.
pub(super) fn record(text: &[u8]) -> Parsed<Record> {
    let Some(terms) = version(text) else {
        return Err(RecordError::new(
            RecordErrorKind::Version,
            0,
            &String::from_utf8_lossy(text),
        ));
    };
    let terms = printable(terms, VERSION.len())?;
    let mut record = Record {
        directives: Vec::new(),
        redirect: None,
        explanation: None,
    };
    let mut offset = VERSION.len();
    // §4.6.1: terms are separated by one or more spaces, and nothing else.
    for word in terms.split(' ') {
        if !word.is_empty() {
            term(&mut record, Term { text: word, offset })?;
        }
        offset += word.len() + 1;
    }
    Ok(record)
}

/// §3.1: a record is US-ASCII; of that, the grammar uses space and the visible characters.
pub(super) fn printable(text: &[u8], base: usize) -> Parsed<&str> {
    let wrong = |at: usize| {
        let found = text.get(at..).unwrap_or_default();
        RecordError::new(RecordErrorKind::Character, base + at, &String::from_utf8_lossy(found))
    };
    if let Some(at) = text.iter().position(|octet| !matches!(octet, b' '..=b'~')) {
        return Err(wrong(at));
    }
    std::str::from_utf8(text).map_err(|error| wrong(error.valid_up_to()))
}

/// A term and where it starts.
#[derive(Clone, Copy)]
struct Term<'a> {
    text: &'a str,
    offset: usize,
}

impl Term<'_> {
    fn error(self, kind: RecordErrorKind) -> RecordError {
        RecordError::new(kind, self.offset, self.text)
    }
}

/// §4.6.1: a term is a modifier when `=` comes before any `:` and `/`.
fn term(record: &mut Record, term: Term<'_>) -> Parsed<()> {
    match term.text.split_once('=') {
        Some((name, value)) if !name.contains([':', '/']) => modifier(record, term, name, value),
        _ => {
            record.directives.push(directive(term)?);
            Ok(())
        }
    }
}

/// §6: `redirect` and `exp` may stand there once each; of others only the syntax counts.
fn modifier(record: &mut Record, term: Term<'_>, name: &str, value: &str) -> Parsed<()> {
    let slot = if name.eq_ignore_ascii_case("redirect") {
        &mut record.redirect
    } else if name.eq_ignore_ascii_case("exp") {
        &mut record.explanation
    } else if is_name(name) {
        return MacroString::parse(value, Letters::Explanation)
            .map(|_| ())
            .map_err(|kind| term.error(kind));
    } else {
        return Err(term.error(RecordErrorKind::Modifier));
    };
    let target = domain_spec(value, term)?;
    if slot.replace(target).is_some() {
        return Err(term.error(RecordErrorKind::Twice));
    }
    Ok(())
}

/// §12: name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." )
fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// §4.6.1: directive = [ qualifier ] mechanism
fn directive(term: Term<'_>) -> Parsed<Directive> {
    let (qualifier, mechanism_text) = match term.text.chars().next() {
        Some('+') => (Qualifier::Pass, term.text.strip_prefix('+')),
        Some('-') => (Qualifier::Fail, term.text.strip_prefix('-')),
        Some('~') => (Qualifier::SoftFail, term.text.strip_prefix('~')),
        Some('?') => (Qualifier::Neutral, term.text.strip_prefix('?')),
        _ => (Qualifier::Pass, None),
    };
    let mechanism = mechanism(mechanism_text.unwrap_or(term.text), term)?;
    Ok(Directive {
        qualifier,
        mechanism,
        text: term.text.to_owned(),
    })
}

fn mechanism(text: &str, term: Term<'_>) -> Parsed<Mechanism> {
    let at = text.find([':', '/']).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(at).unwrap_or((text, ""));
    match name.to_ascii_lowercase().as_str() {
        "all" if rest.is_empty() => Ok(Mechanism::All),
        "all" => Err(term.error(RecordErrorKind::Surplus)),
        "include" => Ok(Mechanism::Include(required_domain(rest, term)?)),
        "exists" => Ok(Mechanism::Exists(required_domain(rest, term)?)),
        "ptr" => Ok(Mechanism::Ptr(optional_domain(rest, term)?)),
        "a" => {
            let (rest, prefix) = dual_prefix(rest, term)?;
            Ok(Mechanism::A(optional_domain(rest, term)?, prefix))
        }
        "mx" => {
            let (rest, prefix) = dual_prefix(rest, term)?;
            Ok(Mechanism::Mx(optional_domain(rest, term)?, prefix))
        }
        "ip4" => {
            let (network, prefix): (Ipv4Addr, _) = network(rest, MAX_V4, term)?;
            Ok(Mechanism::Ip4(network, prefix))
        }
        "ip6" => {
            let (network, prefix): (Ipv6Addr, _) = network(rest, MAX_V6, term)?;
            Ok(Mechanism::Ip6(network, prefix))
        }
        _ => Err(term.error(RecordErrorKind::Mechanism)),
    }
}

/// §5.2, §5.7: `include` and `exists` want a domain.
fn required_domain(rest: &str, term: Term<'_>) -> Parsed<MacroString> {
    let domain = rest
        .strip_prefix(':')
        .ok_or_else(|| term.error(RecordErrorKind::MissingDomain))?;
    domain_spec(domain, term)
}

/// §5.3–5.5: `a`, `mx` and `ptr` take the current domain when none is given.
fn optional_domain(rest: &str, term: Term<'_>) -> Parsed<Option<MacroString>> {
    if rest.is_empty() {
        return Ok(None);
    }
    let domain = rest
        .strip_prefix(':')
        .ok_or_else(|| term.error(RecordErrorKind::Surplus))?;
    domain_spec(domain, term).map(Some)
}

/// §7.1: domain-spec = macro-string domain-end
fn domain_spec(text: &str, term: Term<'_>) -> Parsed<MacroString> {
    if text.is_empty() {
        return Err(term.error(RecordErrorKind::MissingDomain));
    }
    let spec = MacroString::parse(text, Letters::Domain).map_err(|kind| term.error(kind))?;
    let ends_well = spec.final_literal().is_none_or(ends_in_toplabel);
    if ends_well {
        Ok(spec)
    } else {
        Err(term.error(RecordErrorKind::Domain))
    }
}

/// §7.1: domain-end = ( "." toplabel \[ "." \] ) / macro-expand
fn ends_in_toplabel(literal: &str) -> bool {
    let literal = literal.strip_suffix('.').unwrap_or(literal);
    literal.rsplit_once('.').is_some_and(|(_, label)| is_toplabel(label))
}

/// §7.1: letters, digits and dashes; not all digits; no dash at either end.
fn is_toplabel(label: &str) -> bool {
    !label.is_empty()
        && label
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
        && !label.bytes().all(|octet| octet.is_ascii_digit())
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// §5.3: dual-cidr-length = \[ ip4-cidr-length \] \[ "/" ip6-cidr-length \], found from the end because a domain may
/// hold slashes too.
fn dual_prefix<'a>(rest: &'a str, term: Term<'_>) -> Parsed<(&'a str, DualPrefix)> {
    let (rest, v6) = trailing_length(rest, "//");
    let (rest, v4) = trailing_length(rest, "/");
    let v4 = v4.map_or(Ok(MAX_V4), |digits| prefix(digits, MAX_V4, term))?;
    let v6 = v6.map_or(Ok(MAX_V6), |digits| prefix(digits, MAX_V6, term))?;
    Ok((rest, DualPrefix { v4, v6 }))
}

fn trailing_length<'a>(text: &'a str, separator: &str) -> (&'a str, Option<&'a str>) {
    match text.rsplit_once(separator) {
        Some((head, digits)) if !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit()) => {
            (head, Some(digits))
        }
        _ => (text, None),
    }
}

/// §5.6: a length without leading zeros, up to 32 or 128.
fn prefix(digits: &str, most: u8, term: Term<'_>) -> Parsed<u8> {
    let canonical = digits == "0" || !digits.starts_with('0');
    let decimal = !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit());
    match digits.parse() {
        Ok(length) if canonical && decimal && length <= most => Ok(length),
        _ => Err(term.error(RecordErrorKind::Prefix)),
    }
}

/// §5.6: ":" network \[ "/" length \]
fn network<A: std::str::FromStr>(rest: &str, most: u8, term: Term<'_>) -> Parsed<(A, u8)> {
    let wrong = || term.error(RecordErrorKind::Address);
    let rest = rest.strip_prefix(':').ok_or_else(wrong)?;
    let (address, length) = match rest.split_once('/') {
        Some((address, digits)) => (address, prefix(digits, most, term)?),
        None => (rest, most),
    };
    Ok((address.parse().map_err(|_| wrong())?, length))
}
