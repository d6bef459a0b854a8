//! Names: words and quoted strings.

use std::borrow::Cow;

use super::Scanner;
use crate::local_part::{is_break, is_phrase_text};
use crate::{AddressError, AddressErrorKind as Kind, plain};

impl<'a> Scanner<'a> {
    /// Reads words and quoted strings, joined by single spaces; dots may stand among them (`obs-phrase`).
    pub(super) fn phrase(&mut self) -> Result<Cow<'a, str>, AddressError> {
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
}
