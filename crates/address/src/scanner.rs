//! Reads RFC 5322 §3.4 from left to right, the obsolete forms of §4.4 included.
//!
//! **Invariant:** nothing here recurses, and every byte is looked at a bounded number of times.

use std::borrow::Cow;

use crate::email::expected_at;
use crate::local_part::{Grammar, atom_length, is_break, is_phrase_text, missing_atom, read_quoted};
use crate::{
    Address, AddressError, AddressErrorKind as Kind, Domain, EmailAddress, Group, Mailbox, ParseOptions, local_part,
    plain,
};

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

    /// Reads words and quoted strings, joined by single spaces; dots may stand among them (`obs-phrase`).
    fn phrase(&mut self) -> Result<Cow<'a, str>, AddressError> {
        match self.plain_phrase() {
            Some(phrase) => Ok(Cow::Borrowed(phrase)),
            None => self.any_phrase().map(Cow::Owned),
        }
    }

    /// Reads a phrase that stands in the text as it is meant: plain words, or one quoted string.
    fn plain_phrase(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let (phrase, length) = match plain::quoted(rest) {
            Some(inside) => (inside, inside.len() + 2),
            None => {
                let length = plain::words(rest)?;
                (rest.get(..length)?, length)
            }
        };
        let behind = rest.get(length..)?;
        let blank = usize::from(behind.starts_with(' '));
        match behind.as_bytes().get(blank) {
            Some(&byte) if !plain::is_name_end(byte) => None,
            _ => {
                self.position += length + blank;
                Some(phrase)
            }
        }
    }

    fn any_phrase(&mut self) -> Result<String, AddressError> {
        let mut phrase = String::new();
        let mut spaced = false;
        loop {
            let is_quoted = match self.peek() {
                Some('"') => true,
                Some(c) if is_phrase_text(c) || c == '.' => false,
                _ => return Ok(phrase),
            };
            if spaced && !phrase.is_empty() {
                phrase.push(' ');
            }
            if is_quoted {
                self.quoted_word(&mut phrase)?;
            } else {
                let rest = self.rest();
                let length = rest.find(|c| !is_phrase_text(c) && c != '.').unwrap_or(rest.len());
                phrase.push_str(rest.get(..length).unwrap_or_default());
                self.position += length;
            }
            spaced = self.skip_space()?;
        }
    }

    /// Reads a quoted string of a display name, unfolded.
    fn quoted_word(&mut self, value: &mut String) -> Result<(), AddressError> {
        let opened = self.position;
        self.position += 1;
        while let Some(c) = self.peek() {
            match c {
                '"' => {
                    self.position += 1;
                    return Ok(());
                }
                '\\' => {
                    self.position += 1;
                    match self.peek() {
                        Some(escaped) if !is_break(escaped) => {
                            value.push(escaped);
                            self.position += escaped.len_utf8();
                        }
                        Some(_) => return Err(self.error(Kind::ControlCharacter)),
                        None => break,
                    }
                }
                '\r' if self.rest().starts_with("\r\n ") || self.rest().starts_with("\r\n\t") => self.position += 2,
                '\t' => {
                    value.push(' ');
                    self.position += 1;
                }
                c if is_break(c) => return Err(self.error(Kind::ControlCharacter)),
                c => {
                    value.push(c);
                    self.position += c.len_utf8();
                }
            }
        }
        Err(AddressError::new(Kind::UnclosedQuote, opened))
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

    /// Reads `local@domain`, white space and comments allowed around its dots and its `@`.
    pub(crate) fn addr_spec(&mut self) -> Result<EmailAddress, AddressError> {
        let start = self.position;
        let local = self.local_part()?;
        let written = self.text.get(start..self.position).unwrap_or_default();
        if !self.eat('@') {
            return Err(expected_at(self.rest(), self.position));
        }
        let domain = self.domain()?;
        local_part::check_identifier(&local, written, self.options)
            .and_then(|()| EmailAddress::assemble(&local, domain))
            .map_err(|error| error.shifted(start).within(self.text))
    }

    /// Reads words between dots up to the `@` and gives what they mean (`obs-local-part`).
    fn local_part(&mut self) -> Result<String, AddressError> {
        let mut local = String::new();
        loop {
            self.skip_space()?;
            let rest = self.rest();
            if rest.starts_with('"') {
                let (value, length) =
                    read_quoted(rest, Grammar::Header).map_err(|error| error.shifted(self.position))?;
                local.push_str(&value);
                self.position += length;
            } else {
                let length = atom_length(rest);
                if length == 0 {
                    let offset = usize::from(!local.is_empty());
                    return Err(missing_atom(rest, offset).shifted(self.position - offset));
                }
                local.push_str(rest.get(..length).unwrap_or_default());
                self.position += length;
            }
            self.skip_space()?;
            if !self.eat('.') {
                return Ok(local);
            }
            local.push('.');
        }
    }

    /// Reads a domain: a literal, or labels between dots (`obs-domain`).
    fn domain(&mut self) -> Result<Domain, AddressError> {
        self.skip_space()?;
        let start = self.position;
        if self.rest().starts_with('[') {
            let length = self.rest().find(']').map_or(self.rest().len(), |close| close + 1);
            let text = self.rest().get(..length).unwrap_or_default();
            self.position += length;
            return Domain::parse_for_mail(text, self.options).map_err(|error| error.shifted(start));
        }
        let mut name = String::new();
        // Where in the name each label begins, and where in the text: comments may stand between them.
        let mut labels = Vec::new();
        loop {
            let rest = self.rest();
            let length = rest.find(ends_label).unwrap_or(rest.len());
            labels.push((name.len(), self.position));
            name.push_str(rest.get(..length).unwrap_or_default());
            self.position += length;
            let label_end = self.position;
            self.skip_space()?;
            if !self.eat('.') {
                self.position = label_end;
                break;
            }
            name.push('.');
            self.skip_space()?;
        }
        Domain::parse_for_mail(&name, self.options).map_err(|error| {
            let begun = labels.iter().rev().find(|(in_name, _)| *in_name <= error.offset());
            let (in_name, in_text) = begun.copied().unwrap_or((0, start));
            error.moved(in_name, in_text).within(self.text)
        })
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

/// What cannot be part of a label, and what ends one.
fn ends_label(c: char) -> bool {
    is_break(c) || (c.is_ascii() && !is_phrase_text(c)) || c.is_whitespace()
}
