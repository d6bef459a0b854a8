//! Reads RFC 5322 §3.4 from left to right, the obsolete forms of §4.4 included.
//!
//! **Invariant:** nothing here recurses, and every byte is looked at a bounded number of times.

mod addr_spec;
mod phrase;

use crate::email::expected_at;
use crate::local_part::is_break;
use crate::{Address, AddressError, AddressErrorKind as Kind, EmailAddress, Group, Mailbox, ParseOptions, plain};

#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    position: usize,
    options: ParseOptions,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str, options: ParseOptions) -> Self {
        Self {
            text,
            position: 0,
            options,
        }
    }

    /// Reads with `read`, and refuses anything but white space and comments behind it.
    pub(crate) fn only<T>(mut self, read: fn(&mut Self) -> Result<T, AddressError>) -> Result<T, AddressError> {
        let value = read(&mut self)?;
        self.skip_space()?;
        if self.at_end() {
            Ok(value)
        } else {
            Err(self.error(Kind::TrailingText))
        }
    }

    /// Reads one mailbox.
    pub(crate) fn mailbox(&mut self) -> Result<Mailbox, AddressError> {
        self.skip_space()?;
        if let Some(address) = self.plain(|next| matches!(next, None | Some(b',' | b';'))) {
            return Ok(Mailbox::new(address));
        }
        let (start, phrase) = (self.position, self.phrase()?);
        match self.peek() {
            Some(':') if !phrase.is_empty() => Err(self.error(Kind::GroupNotAllowed)),
            _ => self.mailbox_after(start, &phrase),
        }
    }

    /// Reads one group.
    pub(crate) fn group(&mut self) -> Result<Group, AddressError> {
        self.skip_space()?;
        let phrase = self.phrase()?;
        match self.peek() {
            Some(':') if !phrase.is_empty() => self.group_after(&phrase),
            Some(_) => Err(self.error(Kind::ForbiddenCharacter)),
            None => Err(self.error(Kind::UnclosedGroup)),
        }
    }

    /// Reads one mailbox or group.
    pub(crate) fn address(&mut self) -> Result<Address, AddressError> {
        self.skip_space()?;
        if let Some(address) = self.plain(|next| matches!(next, None | Some(b',' | b';'))) {
            return Ok(Mailbox::new(address).into());
        }
        let (start, phrase) = (self.position, self.phrase()?);
        match self.peek() {
            Some(':') if !phrase.is_empty() => self.group_after(&phrase).map(Address::Group),
            _ => self.mailbox_after(start, &phrase).map(Address::Mailbox),
        }
    }

    pub(crate) fn at_end(&self) -> bool {
        self.position >= self.text.len()
    }

    pub(crate) fn eat(&mut self, c: char) -> bool {
        let found = self.rest().starts_with(c);
        if found {
            self.position += c.len_utf8();
        }
        found
    }

    pub(crate) fn error(&self, kind: Kind) -> AddressError {
        AddressError::new(kind, self.position)
    }

    /// Skips white space, folding and comments (RFC 5322 §3.2.2); says whether there was any.
    pub(crate) fn skip_space(&mut self) -> Result<bool, AddressError> {
        if matches!(self.next_byte(), None | Some(b'!'..=b'\'' | b')'..=b'~')) {
            return Ok(false);
        }
        let before = self.position;
        while self.skip_white() || self.comment(None)? {}
        self.refuse_line_break()?;
        Ok(self.position > before)
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next_byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    /// Reads an address that needs no second look, if what stands behind it `ends` it.
    fn plain(&mut self, ends: fn(Option<u8>) -> bool) -> Option<EmailAddress> {
        let found = plain::address(self.rest())?;
        let end = self.position + found.len();
        if !ends(self.text.as_bytes().get(end).copied()) {
            return None;
        }
        let address = EmailAddress::from_plain(&found, self.options)?;
        self.position = end;
        Some(address)
    }

    /// Skips blanks and folds: a line break counts only in front of a blank.
    fn skip_white(&mut self) -> bool {
        let before = self.position;
        loop {
            match self.rest().as_bytes() {
                [b' ' | b'\t', ..] => self.position += 1,
                [b'\r', b'\n', b' ' | b'\t', ..] => self.position += 3,
                _ => return self.position > before,
            }
        }
    }

    fn refuse_line_break(&self) -> Result<(), AddressError> {
        match self.peek() {
            Some(c) if is_break(c) => Err(self.error(Kind::ControlCharacter)),
            _ => Ok(()),
        }
    }

    /// Skips one comment, nested to any depth, and keeps what it says if asked to.
    fn comment(&mut self, mut said: Option<&mut String>) -> Result<bool, AddressError> {
        let opened = self.position;
        let mut depth = 0_usize;
        while let Some(c) = self.peek() {
            let mut text = Some(c);
            let mut length = c.len_utf8();
            match c {
                '(' => {
                    text = (depth > 0).then_some(c);
                    depth += 1;
                }
                _ if depth == 0 => return Ok(false),
                ')' => {
                    text = (depth > 1).then_some(c);
                    depth -= 1;
                }
                '\\' => {
                    text = self.rest().chars().nth(1).filter(|escaped| !is_break(*escaped));
                    length += text.map_or(0, char::len_utf8);
                    if text.is_none() {
                        return Err(self.error(Kind::UnclosedComment));
                    }
                }
                ' ' | '\t' | '\r' if self.skip_white() => (text, length) = (Some(' '), 0),
                c if is_break(c) => return Err(self.error(Kind::ControlCharacter)),
                _ => {}
            }
            if let (Some(said), Some(c)) = (said.as_deref_mut(), text) {
                said.push(c);
            }
            self.position += length;
            if depth == 0 {
                return Ok(true);
            }
        }
        if depth == 0 {
            return Ok(false);
        }
        Err(AddressError::new(Kind::UnclosedComment, opened))
    }

    /// Reads a mailbox whose beginning, up to here, could be a name.
    fn mailbox_after(&mut self, start: usize, phrase: &str) -> Result<Mailbox, AddressError> {
        match self.peek() {
            Some('<') => self.angle(phrase),
            Some('@') => {
                self.position = start;
                let address = self.addr_spec()?;
                let name = self.trailing_comments()?;
                Ok(Mailbox::from_parts(&name, address))
            }
            None if start == self.position => Err(self.error(Kind::Empty)),
            None | Some(',' | ';') => Err(self.error(Kind::MissingAt)),
            Some(_) => Err(self.error(Kind::ForbiddenCharacter)),
        }
    }

    /// Reads what comments say behind an address: the old way to give a name (RFC 5322 §3.4, last note).
    fn trailing_comments(&mut self) -> Result<String, AddressError> {
        let mut name = String::new();
        loop {
            if !self.skip_white() && !self.comment(Some(&mut name))? {
                self.refuse_line_break()?;
                return Ok(name.trim().to_owned());
            }
            if !name.is_empty() && !name.ends_with(' ') {
                name.push(' ');
            }
        }
    }

    /// Reads `<a@b>` behind a name; a source route in front of the address is dropped (`obs-route`).
    fn angle(&mut self, name: &str) -> Result<Mailbox, AddressError> {
        let opened = self.position;
        self.position += 1;
        if let Some(address) = self.plain(|next| next == Some(b'>')) {
            self.position += 1;
            return Ok(Mailbox::from_parts(name, address));
        }
        self.skip_space()?;
        match self.peek() {
            Some('>') => return Err(self.error(Kind::EmptyLocalPart)),
            Some('@' | ',') => self.route()?,
            _ => {}
        }
        let address = self.addr_spec()?;
        self.skip_space()?;
        if self.eat('>') {
            Ok(Mailbox::from_parts(name, address))
        } else if self.at_end() {
            Err(AddressError::new(Kind::UnclosedAngle, opened))
        } else {
            Err(self.error(Kind::ForbiddenCharacter))
        }
    }

    fn route(&mut self) -> Result<(), AddressError> {
        loop {
            self.skip_space()?;
            if self.eat(':') {
                return Ok(());
            }
            if self.eat(',') {
                continue;
            }
            if !self.eat('@') {
                return Err(expected_at(self.rest(), self.position));
            }
            self.domain()?;
        }
    }

    /// Reads `name: a@b, c@d;` from its colon.
    fn group_after(&mut self, name: &str) -> Result<Group, AddressError> {
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
            members.push(self.mailbox()?);
            self.skip_space()?;
            if !matches!(self.peek(), Some(',' | ';') | None) {
                return Err(self.error(Kind::TrailingText));
            }
        }
    }
}
