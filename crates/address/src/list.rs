//! Address lists as they stand in header fields: RFC 5322 §3.4, comments and folding included.

use std::fmt;
use std::str::FromStr;

use crate::email::{is_atext, is_break, quote_if_needed};
use crate::{Address, AddressError, AddressErrorKind as Kind, EmailAddress, Group, Mailbox, ParseOptions};

/// A list of mailboxes and groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressList(Vec<Address>);

impl AddressList {
    /// The entries in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, Address> {
        self.0.iter()
    }

    /// All mailboxes in their order, those inside groups included.
    pub fn mailboxes(&self) -> impl Iterator<Item = &Mailbox> {
        self.0.iter().flat_map(Address::mailboxes)
    }

    /// How many entries there are; a group counts as one.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Says whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Address> for AddressList {
    fn from_iter<I: IntoIterator<Item = Address>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl IntoIterator for AddressList {
    type Item = Address;
    type IntoIter = std::vec::IntoIter<Address>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a AddressList {
    type Item = &'a Address;
    type IntoIter = std::slice::Iter<'a, Address>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl fmt::Display for AddressList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, entry) in self.0.iter().enumerate() {
            write!(f, "{}{entry}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl FromStr for AddressList {
    type Err = AddressError;

    /// Parses a list. As readers should be, it is lenient where the meaning is plain: empty entries (`a@b,,c@d`) are skipped
    /// (RFC 5322 §4.4), a semicolon may stand for a comma, and a comment behind a bare address is its name
    /// (`a@b (Ada)`).
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let mut scanner = Scanner::new(text);
        let mut entries = Vec::new();
        loop {
            scanner.skip_space()?;
            if scanner.at_end() {
                return Ok(Self(entries));
            }
            if scanner.eat(',') || scanner.eat(';') {
                continue;
            }
            entries.push(scanner.address()?);
            scanner.skip_space()?;
            if !scanner.at_end() && !scanner.eat(',') && !scanner.eat(';') {
                return Err(scanner.error(Kind::TrailingText));
            }
        }
    }
}

/// Reads addresses from the left; never recurses, so that nesting costs no stack.
pub(crate) struct Scanner<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, position: 0 }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn at_end(&self) -> bool {
        self.position >= self.text.len()
    }

    fn eat(&mut self, c: char) -> bool {
        let found = self.rest().starts_with(c);
        if found {
            self.position += c.len_utf8();
        }
        found
    }

    fn error(&self, kind: Kind) -> AddressError {
        AddressError::new(kind, self.position)
    }

    /// Skips white space, folding and comments (RFC 5322 §3.2.2), comments nested to any depth.
    fn skip_space(&mut self) -> Result<bool, AddressError> {
        let before = self.position;
        let mut depth = 0_usize;
        let mut opened = self.position;
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' => {}
                '\r' | '\n' => {
                    let line_break = if self.rest().starts_with("\r\n") { 2 } else { 1 };
                    let folded = self
                        .rest()
                        .get(line_break..)
                        .is_some_and(|next| next.starts_with([' ', '\t']));
                    if !folded || (c == '\r' && line_break == 1) {
                        return Err(self.error(Kind::ControlCharacter));
                    }
                    self.position += line_break;
                    continue;
                }
                '(' => {
                    if depth == 0 {
                        opened = self.position;
                    }
                    depth += 1;
                }
                ')' if depth > 0 => depth -= 1,
                '\\' if depth > 0 => {
                    self.position += 1;
                    if self.peek().is_none_or(is_break) {
                        return Err(self.error(Kind::UnclosedComment));
                    }
                    self.position += self.peek().map_or(0, char::len_utf8);
                    continue;
                }
                c if depth > 0 && is_break(c) => return Err(self.error(Kind::ControlCharacter)),
                _ if depth > 0 => {}
                _ => break,
            }
            self.position += c.len_utf8();
        }
        if depth > 0 {
            return Err(AddressError::new(Kind::UnclosedComment, opened));
        }
        Ok(self.position > before)
    }

    /// Fails if anything but white space and comments is left.
    pub(crate) fn end(&mut self) -> Result<(), AddressError> {
        self.skip_space()?;
        if self.at_end() {
            Ok(())
        } else {
            Err(self.error(Kind::TrailingText))
        }
    }

    /// Reads one mailbox.
    pub(crate) fn mailbox(&mut self) -> Result<Mailbox, AddressError> {
        let start = self.position;
        match self.address()? {
            Address::Mailbox(mailbox) => Ok(mailbox),
            Address::Group(_) => Err(AddressError::new(Kind::GroupNotAllowed, start)),
        }
    }

    /// Reads one mailbox or group.
    fn address(&mut self) -> Result<Address, AddressError> {
        self.skip_space()?;
        if self.at_end() {
            return Err(self.error(Kind::Empty));
        }
        let start = self.position;
        let phrase = self.phrase()?;
        match self.peek() {
            Some('<') => Ok(Address::Mailbox(self.angle(phrase)?)),
            Some(':') if !phrase.is_empty() => self.group(phrase).map(Address::Group),
            Some('@') | Some('.') => {
                self.position = start;
                let address = self.bare()?;
                let name = self.comment_name()?;
                Mailbox::with_name(name, address).map(Address::Mailbox)
            }
            None | Some(',' | ';') => Err(self.error(Kind::MissingAt)),
            Some(c) if is_break(c) => Err(self.error(Kind::ControlCharacter)),
            Some(_) => Err(self.error(Kind::ForbiddenCharacter)),
        }
    }

    /// Reads words and quoted strings, joined by single spaces; dots may follow words (RFC 5322 §4.1 `obs-phrase`).
    fn phrase(&mut self) -> Result<String, AddressError> {
        let mut phrase = String::new();
        let mut spaced = false;
        loop {
            match self.peek() {
                Some('"') => {
                    let word = self.quoted()?;
                    if spaced && !phrase.is_empty() {
                        phrase.push(' ');
                    }
                    phrase.push_str(&word);
                }
                Some(c) if is_atext(c) || (c == '.' && self.dot_belongs_to_phrase()) => {
                    if spaced && !phrase.is_empty() {
                        phrase.push(' ');
                    }
                    let length = self
                        .rest()
                        .find(|c| !is_atext(c) && c != '.')
                        .unwrap_or(self.rest().len());
                    phrase.push_str(self.rest().get(..length).unwrap_or_default());
                    self.position += length;
                }
                _ => return Ok(phrase),
            }
            spaced = self.skip_space()?;
        }
    }

    /// The name of a bare address: the comment behind it, if there is one (RFC 822's custom, still met).
    fn comment_name(&mut self) -> Result<String, AddressError> {
        let before = self.position;
        self.skip_space()?;
        let skipped = self.text.get(before..self.position).unwrap_or_default().trim();
        let comment = skipped
            .strip_prefix('(')
            .and_then(|inner| inner.strip_suffix(')'))
            .unwrap_or_default();
        Ok(if comment.contains(['(', ')', '\\', '\r', '\n']) {
            String::new()
        } else {
            comment.trim().to_owned()
        })
    }

    /// A dot inside a display name is legal in practice (`John Q. Public`), one in front of an `@` is the local part's.
    fn dot_belongs_to_phrase(&self) -> bool {
        !matches!(self.rest().trim_start_matches('.').chars().next(), Some('@'))
    }

    /// Reads a quoted string and gives what it means.
    fn quoted(&mut self) -> Result<String, AddressError> {
        let opened = self.position;
        self.position += 1;
        let mut value = String::new();
        while let Some(c) = self.peek() {
            self.position += c.len_utf8();
            match c {
                '"' => return Ok(value),
                '\\' => match self.peek() {
                    Some(escaped) if !is_break(escaped) => {
                        self.position += escaped.len_utf8();
                        value.push(escaped);
                    }
                    _ => return Err(self.error(Kind::ControlCharacter)),
                },
                '\r' if self.rest().starts_with("\n ") || self.rest().starts_with("\n\t") => self.position += 1,
                '\t' => value.push(' '),
                c if is_break(c) => {
                    return Err(AddressError::new(Kind::ControlCharacter, self.position - c.len_utf8()));
                }
                c => value.push(c),
            }
        }
        Err(AddressError::new(Kind::UnclosedQuote, opened))
    }

    /// Reads `<a@b>` behind a name.
    fn angle(&mut self, name: String) -> Result<Mailbox, AddressError> {
        let opened = self.position;
        self.position += 1;
        self.skip_space()?;
        let address = self.bare()?;
        self.skip_space()?;
        if !self.eat('>') {
            let kind = if self.at_end() {
                Kind::UnclosedAngle
            } else {
                Kind::ForbiddenCharacter
            };
            return Err(if self.at_end() {
                AddressError::new(kind, opened)
            } else {
                self.error(kind)
            });
        }
        Mailbox::with_name(name, address)
    }

    /// Reads `local@domain`, with white space and comments wherever RFC 5322 §3.4.1 and §4.4 allow them.
    fn bare(&mut self) -> Result<EmailAddress, AddressError> {
        let start = self.position;
        let mut local = self.word()?;
        self.skip_space()?;
        while self.eat('.') {
            self.skip_space()?;
            local.push('.');
            local.push_str(&self.word()?);
            self.skip_space()?;
        }
        if !self.eat('@') {
            return Err(self.error(if self.at_end() {
                Kind::MissingAt
            } else {
                Kind::ForbiddenCharacter
            }));
        }
        self.skip_space()?;
        let domain = self.domain()?;
        let text = format!("{}@{domain}", quote_if_needed(&local));
        EmailAddress::parse_with(&text, &ParseOptions::default().domain_literals(true))
            .map_err(|error| AddressError::new(error.kind(), start))
    }

    /// Reads an atom or a quoted string of a local part, and gives what it means.
    fn word(&mut self) -> Result<String, AddressError> {
        if self.rest().starts_with('"') {
            return self.quoted();
        }
        let length = self.rest().find(|c| !is_atext(c)).unwrap_or(self.rest().len());
        let word = self.rest().get(..length).unwrap_or_default();
        if word.is_empty() {
            return Err(self.error(match self.peek() {
                None => Kind::MissingAt,
                Some('.') => Kind::MisplacedDot,
                Some('@') => Kind::EmptyLocalPart,
                Some(c) if is_break(c) => Kind::ControlCharacter,
                Some(_) => Kind::ForbiddenCharacter,
            }));
        }
        self.position += length;
        Ok(word.to_owned())
    }

    /// Reads a domain or an address literal.
    fn domain(&mut self) -> Result<String, AddressError> {
        if self.rest().starts_with('[') {
            let length = self
                .rest()
                .find(']')
                .map(|close| close + 1)
                .ok_or_else(|| self.error(Kind::InvalidLiteral))?;
            let literal = self.rest().get(..length).unwrap_or_default();
            self.position += length;
            return Ok(literal.to_owned());
        }
        let mut domain = String::new();
        loop {
            let length = self
                .rest()
                .find(|c: char| !is_atext(c) && !is_idna_dot(c))
                .unwrap_or(self.rest().len());
            domain.push_str(self.rest().get(..length).unwrap_or_default());
            self.position += length;
            let before = self.position;
            self.skip_space()?;
            if self.eat('.') {
                domain.push('.');
                self.skip_space()?;
            } else {
                if domain.is_empty() {
                    self.position = before;
                    return Err(self.error(Kind::EmptyDomain));
                }
                self.position = before;
                return Ok(domain);
            }
        }
    }

    /// Reads `name: a@b, c@d;`.
    fn group(&mut self, name: String) -> Result<Group, AddressError> {
        let opened = self.position;
        self.position += 1;
        let mut members = Vec::new();
        loop {
            self.skip_space()?;
            if self.eat(';') {
                return Group::new(name, members);
            }
            if self.at_end() {
                return Err(AddressError::new(Kind::UnclosedGroup, opened));
            }
            if self.eat(',') {
                continue;
            }
            members.push(self.member()?);
            self.skip_space()?;
            if !matches!(self.peek(), Some(',' | ';') | None) {
                return Err(self.error(Kind::TrailingText));
            }
        }
    }

    /// Reads a mailbox inside a group, where no further group may begin.
    fn member(&mut self) -> Result<Mailbox, AddressError> {
        let start = self.position;
        let phrase = self.phrase()?;
        match self.peek() {
            Some('<') => self.angle(phrase),
            Some(':') => Err(self.error(Kind::GroupNotAllowed)),
            _ => {
                self.position = start;
                self.bare().map(Mailbox::from)
            }
        }
    }
}

/// The dots that UTS 46 takes for a full stop.
fn is_idna_dot(c: char) -> bool {
    matches!(c, '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}')
}
