//! Entries of a master file, read into records.

use std::{str::FromStr, time::Duration};

use super::{
    DEFAULT_TTL, Zone, ZoneError, ZoneErrorKind,
    faults::{read_failure, read_status},
    lexer::{Entry, Lexer, Token},
};
use crate::{Record, RecordType, Srv, Tlsa, Txt};

/// The longest time to live (RFC 2181 §8).
const MAX_TTL: u64 = i32::MAX as u64;

/// What to do with records of a type that is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    Refuse,
    Skip,
}

pub(super) fn parse(text: &str, unknown: Unknown) -> Result<Zone, ZoneError> {
    // Some editors put a byte order mark before the text.
    let mut lexer = Lexer::new(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut parser = Parser {
        zone: Zone::new(),
        origin: String::new(),
        ttl: None,
        stated: None,
        minimum: None,
        owner: None,
        unknown,
    };
    while let Some(entry) = lexer.entry()? {
        parser.entry(entry)?;
    }
    Ok(parser.zone)
}

struct Parser {
    zone: Zone,
    /// What relative names are completed with; empty for the root.
    origin: String,
    /// What `$TTL` says.
    ttl: Option<Duration>,
    /// The time to live that was stated last (RFC 1035 §5.1).
    stated: Option<Duration>,
    /// The minimum of the last SOA record, which BIND falls back on.
    minimum: Option<Duration>,
    owner: Option<String>,
    unknown: Unknown,
}

impl Parser {
    fn entry(&mut self, entry: Entry) -> Result<(), ZoneError> {
        let mut fields = Fields::new(entry);
        if !fields.indented
            && let Some(directive) = fields.take_if(|token| token.plain && token.bytes.starts_with(b"$"))
        {
            return self.directive(&directive, fields);
        }
        if !fields.indented {
            let token = fields.next()?;
            self.owner = Some(self.name(&token)?);
        }
        let Some(owner) = self.owner.clone() else {
            return Err(fields.error(ZoneErrorKind::Owner));
        };

        // RFC 1035 §5.1: class and time to live stand before the type in either order.
        let mut ttl = None;
        let mut class = false;
        let (kind, place) = loop {
            let token = fields.next()?;
            let word = token.text()?;
            if ttl.is_none()
                && let Some(seconds) = read_ttl(word)
            {
                ttl = Some(seconds);
            } else if !class && word.eq_ignore_ascii_case("IN") {
                class = true;
            } else if ["CH", "CS", "HS"].iter().any(|other| word.eq_ignore_ascii_case(other)) {
                return Err(token.error(ZoneErrorKind::Class));
            } else {
                match RecordType::from_name(word) {
                    Some(kind) => break (kind, token),
                    None if self.unknown == Unknown::Skip && is_type(word) => {
                        self.stated = ttl.or(self.stated);
                        return self
                            .zone
                            .exist(&owner)
                            .map_err(|error| error.or_at(token.line, token.column));
                    }
                    None => return Err(token.error(ZoneErrorKind::Type)),
                }
            }
        };
        let record = self.data(kind, &mut fields)?;
        fields.end()?;
        if let Record::Soa { minimum, .. } = &record {
            self.minimum = Some(Duration::from_secs((*minimum).into()));
        }
        self.stated = ttl.or(self.stated);
        let ttl = ttl.or(self.ttl).or(self.stated).or(self.minimum).unwrap_or(DEFAULT_TTL);
        self.zone
            .insert_with_ttl(&owner, record, ttl)
            .map_err(|error| error.or_at(place.line, place.column))
    }

    fn directive(&mut self, directive: &Token, mut fields: Fields) -> Result<(), ZoneError> {
        match directive.text()?.to_ascii_uppercase().as_str() {
            "$ORIGIN" => {
                let token = fields.next()?;
                let name = self.name(&token)?;
                self.origin = if name == "." { String::new() } else { name };
            }
            "$TTL" => {
                let token = fields.next()?;
                let ttl = read_ttl(token.text()?).ok_or_else(|| token.error(ZoneErrorKind::Value))?;
                self.ttl = Some(ttl);
            }
            "$FAIL" => {
                let (name, kind, error) = self.fault(&mut fields, read_failure)?;
                self.zone
                    .fail(&name, kind, error)
                    .map_err(|error| error.or_at(directive.line, directive.column))?;
            }
            "$DNSSEC" => {
                let (name, kind, status) = self.fault(&mut fields, read_status)?;
                self.zone
                    .set_dnssec(&name, kind, status)
                    .map_err(|error| error.or_at(directive.line, directive.column))?;
            }
            _ => return Err(directive.error(ZoneErrorKind::Directive)),
        }
        fields.end()
    }

    /// Reads a name, perhaps a type, and a word.
    fn fault<T>(
        &self,
        fields: &mut Fields,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<(String, Option<RecordType>, T), ZoneError> {
        let token = fields.next()?;
        let name = self.name(&token)?;
        let mut token = fields.next()?;
        let kind = RecordType::from_name(token.text()?);
        if kind.is_some() {
            token = fields.next()?;
        }
        let what = read(token.text()?).ok_or_else(|| token.error(ZoneErrorKind::Value))?;
        Ok((name, kind, what))
    }

    fn data(&self, kind: RecordType, fields: &mut Fields) -> Result<Record, ZoneError> {
        Ok(match kind {
            RecordType::A => Record::A(fields.value()?),
            RecordType::Aaaa => Record::Aaaa(fields.value()?),
            RecordType::Mx => Record::Mx {
                preference: fields.value()?,
                exchange: self.next_name(fields)?,
            },
            RecordType::Txt => Record::Txt(read_strings(fields)?),
            RecordType::Ptr => Record::Ptr(self.next_name(fields)?),
            RecordType::Cname => Record::Cname(self.next_name(fields)?),
            RecordType::Ns => Record::Ns(self.next_name(fields)?),
            RecordType::Srv => {
                let (priority, weight, port) = (fields.value()?, fields.value()?, fields.value()?);
                Record::Srv(Srv::new(priority, weight, port, self.next_name(fields)?))
            }
            RecordType::Tlsa => {
                let (usage, selector, matching) = (fields.value()?, fields.value()?, fields.value()?);
                Record::Tlsa(Tlsa::new(usage, selector, matching, read_hex(fields)?))
            }
            RecordType::Soa => Record::Soa {
                primary: self.next_name(fields)?,
                mailbox: self.next_name(fields)?,
                serial: fields.value()?,
                refresh: fields.seconds()?,
                retry: fields.seconds()?,
                expire: fields.seconds()?,
                minimum: fields.seconds()?,
            },
        })
    }

    /// Reads a name in a record's data, which may have escaped dots: the mailbox of an SOA record does, at times. They
    /// become `\046`, as in the names that resolvers give.
    fn next_name(&self, fields: &mut Fields) -> Result<String, ZoneError> {
        let mut token = fields.next()?;
        for dot in std::mem::take(&mut token.escaped_dots).into_iter().rev() {
            token.bytes.splice(dot..=dot, *b"\\046");
        }
        self.name(&token)
    }

    /// Completes a name: `@` is the origin, a final dot says that it is complete. It has no escaped dots: no name here
    /// that can be asked for has.
    fn name(&self, token: &Token) -> Result<String, ZoneError> {
        if token.plain && token.bytes == b"@" {
            return Ok(if self.origin.is_empty() {
                ".".to_owned()
            } else {
                self.origin.clone()
            });
        }
        let name = std::str::from_utf8(&token.bytes).map_err(|_| token.error(ZoneErrorKind::Name))?;
        if token.plain && name == "." {
            return Ok(name.to_owned());
        }
        if !token.escaped_dots.is_empty() {
            return Err(token.error(ZoneErrorKind::Name));
        }
        let full = match name.strip_suffix('.') {
            Some(absolute) => absolute.to_owned(),
            None if self.origin.is_empty() => name.to_owned(),
            None => format!("{name}.{}", self.origin),
        };
        crate::name::normalise(&full).map_err(|_| token.error(ZoneErrorKind::Name))
    }
}

/// The tokens of an entry, taken one after the other.
struct Fields {
    indented: bool,
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    line: usize,
    column: usize,
}

impl Fields {
    fn new(entry: Entry) -> Self {
        Self {
            indented: entry.indented,
            tokens: entry.tokens.into_iter().peekable(),
            line: entry.line,
            column: entry.column,
        }
    }

    fn take_if(&mut self, wanted: impl FnOnce(&Token) -> bool) -> Option<Token> {
        self.tokens.next_if(wanted)
    }

    fn next(&mut self) -> Result<Token, ZoneError> {
        self.tokens
            .next()
            .ok_or_else(|| ZoneError::at(ZoneErrorKind::Missing, self.line, self.column, ""))
    }

    fn value<T: FromStr>(&mut self) -> Result<T, ZoneError> {
        let token = self.next()?;
        token.text()?.parse().map_err(|_| token.error(ZoneErrorKind::Value))
    }

    fn seconds(&mut self) -> Result<u32, ZoneError> {
        let token = self.next()?;
        let ttl = read_ttl(token.text()?).ok_or_else(|| token.error(ZoneErrorKind::Value))?;
        u32::try_from(ttl.as_secs()).map_err(|_| token.error(ZoneErrorKind::Value))
    }

    fn error(&mut self, kind: ZoneErrorKind) -> ZoneError {
        match self.tokens.peek() {
            Some(token) => token.error(kind),
            None => ZoneError::at(kind, self.line, self.column, ""),
        }
    }

    fn end(mut self) -> Result<(), ZoneError> {
        match self.tokens.next() {
            Some(token) => Err(token.error(ZoneErrorKind::Surplus)),
            None => Ok(()),
        }
    }
}

fn read_strings(fields: &mut Fields) -> Result<Txt, ZoneError> {
    let mut strings = vec![fields.next()?];
    while let Some(token) = fields.take_if(|_| true) {
        strings.push(token);
    }
    if let Some(long) = strings.iter().find(|token| token.bytes.len() > Txt::MAX_SEGMENT) {
        return Err(long.error(ZoneErrorKind::Length));
    }
    Ok(Txt::from_segments(strings.into_iter().map(|token| token.bytes)))
}

/// Tells whether a word could be a type's name: `CAA`, `NSEC3`, `TYPE65534`, `NSAP-PTR`.
fn is_type(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic()) && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// Reads hexadecimal digits, which may be spread over several words (RFC 6698 §2.2).
fn read_hex(fields: &mut Fields) -> Result<Vec<u8>, ZoneError> {
    let first = fields.next()?;
    let mut digits = first.bytes.clone();
    while let Some(token) = fields.take_if(|_| true) {
        digits.extend_from_slice(&token.bytes);
    }
    let wrong = || first.error(ZoneErrorKind::Value);
    let digit = |octet: u8| {
        char::from(octet)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let (pairs, odd) = digits.as_chunks::<2>();
    if !odd.is_empty() {
        return Err(wrong());
    }
    pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?))
        .collect::<Option<_>>()
        .ok_or_else(wrong)
}

/// Reads `3600` or `1h30m`: seconds, or numbers with the units w, d, h, m and s.
fn read_ttl(text: &str) -> Option<Duration> {
    let mut total = 0u64;
    let mut number: Option<u64> = None;
    for c in text.chars() {
        if let Some(digit) = c.to_digit(10) {
            number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(u64::from(digit))?);
            continue;
        }
        let unit = match c.to_ascii_lowercase() {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return None,
        };
        total = total.checked_add(number.take()?.checked_mul(unit)?)?;
    }
    if text.is_empty() {
        return None;
    }
    let total = total.checked_add(number.unwrap_or(0))?;
    (total <= MAX_TTL).then_some(Duration::from_secs(total))
}
